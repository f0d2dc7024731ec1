//! One reflog file: its identity from metadata, and a backward line reader.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use jiff::Timestamp;
use nix::fcntl::OFlag;

/// Chunk size when reading backwards (bytes).
const CHUNK: u64 = 64 << 10;

/// File identity from metadata, without opening the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    /// `device:inode:mtime`.
    pub stamp: String,
    pub size: u64,
    /// Creation time; absent where the file system does not record it.
    pub created: Option<Timestamp>,
    /// Whole seconds.
    pub changed: Option<Timestamp>,
}

/// `None` when there is no regular file.
#[must_use]
pub fn identify_file(path: &Path) -> Option<FileIdentity> {
    let found = path.symlink_metadata().ok().filter(Metadata::is_file)?;
    let stamp = format!("{}:{}:{}.{}", found.dev(), found.ino(), found.mtime(), found.mtime_nsec());
    let created = found.created().ok().and_then(|time| Timestamp::try_from(time).ok());
    let changed = Timestamp::from_second(found.mtime()).ok();
    Some(FileIdentity { stamp, size: found.size(), created, changed })
}

/// Opens a regular file; one that was replaced by a pipe or a link neither blocks nor is followed.
///
/// # Errors
/// When it is missing, not a regular file, or not readable.
pub fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

/// The bytes from `from` to `to`, fewer where the file is shorter.
///
/// # Errors
/// When the file cannot be read.
pub fn bytes(file: &File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    // Allocates no more than the file has: a mebibyte for a short log would stay with each reading thread.
    let to = to.min(file.metadata()?.len());
    let wanted = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    let mut buffer = vec![0; wanted];
    let mut filled = 0;
    while filled < wanted {
        match file.read_at(&mut buffer[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// Fingerprint to detect changed bytes, not suitable for secrets: FNV-1a, 64 bits. It is persisted, so it must stay
/// stable across releases.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The complete lines before an offset that is a line end, newest first, each with its start offset.
#[derive(Debug)]
pub struct BackwardLines<'file> {
    file: &'file File,
    /// Bytes read but not yet returned, from `at` on.
    buffer: Vec<u8>,
    at: u64,
    /// Remaining read budget (bytes).
    budget: u64,
}

impl<'file> BackwardLines<'file> {
    #[must_use]
    pub fn from(file: &'file File, end: u64, budget: u64) -> Self {
        Self { file, buffer: Vec::new(), at: end, budget }
    }

    /// Reads the chunk before the buffer; false at the start of the file or when the budget is used up.
    fn fill(&mut self) -> bool {
        let step = CHUNK.max(self.buffer.len() as u64).min(self.at).min(self.budget);
        let from = self.at - step;
        let Ok(mut read) = bytes(self.file, from, self.at) else { return false };
        if step == 0 || read.len() as u64 != step {
            return false;
        }
        read.append(&mut self.buffer);
        (self.buffer, self.at, self.budget) = (read, from, self.budget - step);
        true
    }
}

impl Iterator for BackwardLines<'_> {
    type Item = (u64, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let body = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
            match body.iter().rposition(|byte| *byte == b'\n') {
                Some(newline) => {
                    let mut line = self.buffer.split_off(newline + 1);
                    line.pop_if(|byte| *byte == b'\n');
                    return Some((self.at + newline as u64 + 1, line));
                }
                None if self.fill() => {}
                None if self.at == 0 && !self.buffer.is_empty() => {
                    let mut line = std::mem::take(&mut self.buffer);
                    line.pop_if(|byte| *byte == b'\n');
                    return Some((0, line));
                }
                None => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(content: &[u8]) -> (tempfile::TempDir, File) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("log"), content).unwrap();
        let file = open(&dir.path().join("log")).unwrap();
        (dir, file)
    }

    #[test]
    fn lines_come_backwards_whatever_the_chunks() {
        let long = "x".repeat(150_000);
        let lines = ["first", "", &long, "last"];
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let (_dir, file) = written(text.as_bytes());
        let mut found: Vec<(u64, Vec<u8>)> = BackwardLines::from(&file, text.len() as u64, u64::MAX).collect();
        found.reverse();
        let texts: Vec<String> = found.iter().map(|(_, line)| String::from_utf8_lossy(line).into_owned()).collect();
        assert_eq!(texts, lines);
        for (at, line) in &found {
            let at = usize::try_from(*at).unwrap();
            assert_eq!(&text.as_bytes()[at..at + line.len()], line.as_slice());
        }
    }

    #[test]
    fn going_backwards_ends_at_the_budget() {
        let text = "0123456789\n".repeat(100_000);
        let (_dir, file) = written(text.as_bytes());
        let found = BackwardLines::from(&file, text.len() as u64, 200_000).count();
        assert!((18_000..=18_182).contains(&found), "{found}");
    }

    #[test]
    fn a_pipe_or_a_link_in_the_place_of_a_log_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, link) = (dir.path().join("pipe"), dir.path().join("link"));
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        for path in [pipe, link] {
            assert_eq!(identify_file(&path), None);
            assert!(open(&path).is_err());
        }
    }
}
