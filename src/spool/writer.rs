//! Spool writer: appends each record with one `write`, without lock or fsync.
//!
//! On local file systems appends with `O_APPEND` do not interleave. An fdatasync would make the commit several times
//! slower without need: records lost in a power failure are found again in git.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::ACTIVE;
use super::record::Record;

/// Appends `record` to the active file of the spool `directory`, creating both (0600, 0700) where missing.
///
/// # Errors
/// I/O errors; `WriteZero` if the disk took only a part (the reader skips that part).
pub fn append(directory: &Path, record: &Record) -> io::Result<()> {
    let path = directory.join(ACTIVE);
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    let mut file = match options.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_private(directory)?;
            options.open(&path)?
        }
        other => other?,
    };
    let frame = record.encode();
    loop {
        match file.write(&frame) {
            // Only a call that wrote nothing is retried: a second write after a part would tear other records.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(written) if written == frame.len() => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// Creates `directory` and its missing parents, readable by this user only.
///
/// # Errors
/// I/O errors; none if it exists.
pub fn create_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;
    use std::thread;

    use super::*;
    use crate::spool::reader::read_from;

    /// Parameters of the concurrency test's child processes: path, bytes, index.
    const CHILD: &str = "URO_TEST_SPOOL_CHILD";

    fn record(writer: usize, number: u64, size: usize) -> Record {
        Record {
            stamp_ns: number,
            git_dir: format!("/writer/{writer}").into(),
            event: "post-rewrite".into(),
            rewrites: vec![b'a' + u8::try_from(writer).expect("few writers"); size],
            ..Record::default()
        }
    }

    fn append_many(directory: &Path, writer: usize, size: usize) {
        for number in 0..500 {
            append(directory, &record(writer, number, size)).expect("append");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test process tells its children what to do")]
    fn child_of_the_concurrency_test() {
        let Ok(order) = std::env::var(CHILD) else { return };
        let mut words = order.splitn(3, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
        let (writer, size) = (number(), number());
        append_many(Path::new(words.next().expect("a directory")), writer, size);
    }

    fn count_whole(directory: &Path, size: usize) {
        let path = directory.join(ACTIVE);
        let (mut offset, mut next) = (0, [0_u64; 8]);
        loop {
            let batch = read_from(&path, offset, 1000).expect("readable");
            assert_eq!((batch.damaged, batch.foreign.len()), (0, 0), "no record of {size} bytes is torn");
            for entry in &batch.records {
                let writer = (0..8).find(|writer| entry.git_dir.ends_with(writer.to_string())).expect("a writer");
                assert_eq!(*entry, record(writer, next[writer], size));
                next[writer] += 1;
            }
            if batch.next_offset == offset {
                break;
            }
            offset = batch.next_offset;
        }
        assert_eq!(next, [500; 8]);
        assert_eq!(offset, path.metadata().expect("there").len());
    }

    #[test]
    fn eight_processes_and_five_hundred_appends_each_tear_nothing() {
        for size in [100, 4096, 65536] {
            let home = tempfile::tempdir().expect("a directory");
            let spawn = |writer: usize| {
                let mut child = Command::new(std::env::current_exe().expect("this test"));
                child.args(["--exact", "spool::writer::tests::child_of_the_concurrency_test"]);
                child.env(CHILD, format!("{writer} {size} {}", home.path().display()));
                child.stdout(std::process::Stdio::null()).spawn().expect("a child")
            };
            let children: Vec<_> = (0..8).map(spawn).collect();
            for mut child in children {
                assert!(child.wait().expect("an end").success());
            }
            count_whole(home.path(), size);
        }
    }

    #[test]
    fn eight_threads_tear_nothing_either() {
        let home = tempfile::tempdir().expect("a directory");
        thread::scope(|scope| {
            for writer in 0..8 {
                scope.spawn(appending(home.path(), writer));
            }
        });
        count_whole(home.path(), 4096);
    }

    fn appending(directory: &Path, writer: usize) -> impl FnOnce() + Send + '_ {
        move || append_many(directory, writer, 4096)
    }

    #[test]
    fn missing_directories_are_made_for_this_user_alone() {
        let home = tempfile::tempdir().expect("a directory");
        let spool = home.path().join("state/uroboro/spool");
        append(&spool, &record(0, 1, 10)).expect("append");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&spool), 0o700);
        assert_eq!(mode(&home.path().join("state")), 0o700);
        assert_eq!(mode(&spool.join(ACTIVE)), 0o600);
    }

    #[test]
    fn a_full_disk_is_an_error_and_not_a_panic() {
        let home = tempfile::tempdir().expect("a directory");
        if std::os::unix::fs::symlink("/dev/full", home.path().join(ACTIVE)).is_ok() && Path::new("/dev/full").exists()
        {
            append(home.path(), &record(0, 1, 10)).expect_err("no room");
        }
    }
}
