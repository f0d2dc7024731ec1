//! Size-bounded log file that several background processes append to, with rotation.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::config::paths::old;

/// Size (bytes) from which the log is rotated; one old log is kept.
const LONGEST: u64 = 1 << 20;

/// A log that several processes append to. Each entry is one write, so that entries do not mix; the writer of the one
/// that would exceed the size first renames the file to `NAME.old`, and the others notice the rename and open the new
/// one.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    longest: u64,
    file: File,
}

impl LogFile {
    /// Opens it, or creates it readable by its owner only.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::bounded(path, LONGEST)
    }

    fn bounded(path: &Path, longest: u64) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), longest, file: append_to(path)? })
    }

    /// Makes sure that the file has its name and room for an entry of so many bytes.
    fn make_room(&mut self, entry: u64) -> io::Result<()> {
        if !self.has_the_name() {
            self.file = append_to(&self.path)?;
        }
        let length = self.file.metadata()?.len();
        if length == 0 || length + entry <= self.longest {
            return Ok(());
        }
        match self.file.try_lock() {
            Ok(()) => {}
            // The holder of the lock is renaming it; the entry is one of its last.
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let renamed = self.rename();
        // Where a new file was opened, the lock went with the old one.
        renamed.and(self.file.unlock())
    }

    /// Under the lock of the file: another process may have renamed it just before.
    fn rename(&mut self) -> io::Result<()> {
        if self.has_the_name() {
            self.file.set_permissions(Permissions::from_mode(0o600))?;
            fs::rename(&self.path, old(&self.path))?;
        }
        self.file = append_to(&self.path)?;
        Ok(())
    }

    fn has_the_name(&self) -> bool {
        let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        self.file.metadata().and_then(|own| Ok(same(own, fs::metadata(&self.path)?))).unwrap_or(false)
    }
}

impl Write for LogFile {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        // Where rotation fails, an overlong log is better than none.
        drop(self.make_room(entry.len() as u64));
        self.file.write(entry)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn lines(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_entry_that_no_longer_fits_starts_a_new_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sidecar.log");
        let mut log = LogFile::bounded(&path, 20).unwrap();
        for entry in ["first 7\n", "second8\n", "third 8\n", "an entry that is longer than the log\n", "last\n"] {
            log.write_all(entry.as_bytes()).unwrap();
        }
        assert_eq!(lines(&path), ["last"]);
        assert_eq!(lines(&old(&path)), ["an entry that is longer than the log"]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
        for file in [&path, &old(&path)] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_log_that_others_may_read_is_private_once_it_is_old() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sidecar.log");
        fs::write(&path, "of an older program\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        LogFile::bounded(&path, 20).unwrap().write_all(b"news\n").unwrap();
        assert_eq!(fs::metadata(old(&path)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((lines(&path), lines(&old(&path)).len()), (vec!["news".to_owned()], 1));
    }

    #[test]
    fn a_writer_of_a_renamed_or_emptied_file_goes_on_in_the_one_with_the_name() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sidecar.log");
        let (mut one, mut two) = (LogFile::bounded(&path, 20).unwrap(), LogFile::bounded(&path, 20).unwrap());
        one.write_all(b"0123456789abcde\n").unwrap();
        two.write_all(b"of the other\n").unwrap();
        one.write_all(b"again\n").unwrap();
        assert_eq!(lines(&path), ["of the other", "again"]);
        File::create(&path).unwrap();
        one.write_all(b"after that\n").unwrap();
        assert_eq!(lines(&path), ["after that"]);
        fs::remove_file(&path).unwrap();
        two.write_all(b"made again\n").unwrap();
        assert_eq!(lines(&path), ["made again"]);
    }

    #[test]
    fn of_many_that_write_at_once_no_entry_of_the_last_two_files_is_torn_or_written_twice() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sidecar.log");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let mut log = LogFile::bounded(&path, 2_000).unwrap();
                scope.spawn(move || {
                    for n in 0..300 {
                        log.write_all(format!("{writer} {n:05} end\n").as_bytes()).unwrap();
                    }
                });
            }
        });
        let found = [lines(&old(&path)), lines(&path)].concat();
        assert!(found.iter().all(|line| line.len() == 11 && line.ends_with(" end")), "{found:?}");
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
        assert!(found.len() > 160, "a whole file of 12 bytes each is kept: {}", found.len());
        // While one of them renames the file, the others go on in it.
        assert!(found.len() < 1_200, "no file made room for another");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }
}
