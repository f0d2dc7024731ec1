//! Spool rotation: lists, identifies, renames and removes the spool's files.
//!
//! A hook may still have a renamed file open, so it is read to its end and kept for a while. Two concurrent readers
//! would rename each other's files: a process that reads, rotates or removes holds the reader's lock.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::ACTIVE;
use super::reader::read_from;
use super::writer::create_private;

/// Size limit of the active file, in bytes; beyond it the file is renamed.
const ROTATE_BEYOND: u64 = 1 << 20;
/// Grace period before a renamed file is removed: no hook keeps a file open for so long.
pub const UNTOUCHED: Duration = Duration::from_secs(60);
/// Name prefix of a renamed file with frames of another version: kept for a program that reads them.
const UNREAD: &str = "unread-";
/// Lock file of the one reader; hooks never use it.
const LOCK: &str = "reader.lock";

/// Identity of a file: detects that another one took its name or its inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileIdentity {
    pub inode: u64,
    /// FNV-1a over the file's first record, which holds a time stamp in nanoseconds.
    pub first: u64,
}

impl fmt::Display for FileIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}-{:016x}", self.inode, self.first)
    }
}

/// Reader's lock: allows to read, rotate and remove until it is dropped or the process dies.
#[derive(Debug)]
pub struct ReaderLock {
    _lock: File,
}

/// Takes the reader's lock of the spool `directory`, created if missing; `None` while another reader has it.
///
/// # Errors
/// I/O errors.
pub fn take_reader_lock(directory: &Path) -> io::Result<Option<ReaderLock>> {
    create_private(directory)?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(directory.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(ReaderLock { _lock: lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Age of the last record; `None` for an empty or missing spool.
#[must_use]
pub fn last_append_age(directory: &Path, now: SystemTime) -> Option<Duration> {
    let touched = fs::metadata(directory.join(ACTIVE)).ok()?.modified().ok()?;
    Some(now.duration_since(touched).unwrap_or_default())
}

/// The spool's files in reading order: renamed ones by number, then the active one.
///
/// # Errors
/// I/O errors; none if the directory is missing.
pub fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        found.extend(rotation_number(&path).map(|order| (order, path)));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Number of `events-<n>.log`; the active file sorts after all of them.
fn rotation_number(path: &Path) -> Option<u64> {
    match path.file_name()?.to_str()? {
        ACTIVE => Some(u64::MAX),
        name => name.strip_prefix("events-")?.strip_suffix(".log")?.parse().ok(),
    }
}

/// Computes the identity of the file `path`; `None` while it has no whole record, or is missing.
///
/// # Errors
/// I/O errors.
pub fn identity(path: &Path) -> io::Result<Option<FileIdentity>> {
    let inode = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?.ino(),
    };
    let batch = read_from(path, 0, 1)?;
    let first = batch.records.first().map(|record| fnv1a(&record.encode()));
    // A file that starts with frames of another version is identified by offset and reason of the first.
    let first = first.or_else(|| batch.foreign.first().map(|frame| fnv1a(format!("{frame:?}").as_bytes())));
    Ok(first.map(|first| FileIdentity { inode, first }))
}

/// Renames the active file if it is large, and returns its new name.
///
/// # Errors
/// I/O errors.
pub fn rotate(directory: &Path) -> io::Result<Option<PathBuf>> {
    rotate_beyond(directory, ROTATE_BEYOND)
}

fn rotate_beyond(directory: &Path, size: u64) -> io::Result<Option<PathBuf>> {
    let active = directory.join(ACTIVE);
    match fs::metadata(&active) {
        Ok(metadata) if metadata.len() > size => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(None),
    }
    let numbers =
        files(directory)?.into_iter().filter_map(|path| rotation_number(&path)).filter(|number| *number != u64::MAX);
    let renamed = directory.join(format!("events-{}.log", numbers.max().unwrap_or(0) + 1));
    fs::rename(&active, &renamed)?;
    Ok(Some(renamed))
}

/// Removes the renamed file `path` if it was fully read (`consumed` is the offset committed for it) and not
/// modified for [`UNTOUCHED`] before `now`. Returns whether it was removed.
///
/// A file with frames of another version is renamed to `unread-…` instead. The active file is never removed.
///
/// # Errors
/// I/O errors.
pub fn remove_consumed(path: &Path, consumed: u64, now: SystemTime) -> io::Result<bool> {
    if rotation_number(path).is_none_or(|number| number == u64::MAX) {
        return Ok(false);
    }
    let touched = fs::metadata(path)?.modified()?;
    if !now.duration_since(touched).is_ok_and(|age| age >= UNTOUCHED) {
        return Ok(false);
    }
    // After this time an incomplete frame at the end will not be completed and counts as consumed.
    let rest = read_from(path, consumed, 1)?;
    if !rest.records.is_empty() || !rest.foreign.is_empty() {
        return Ok(false);
    }
    if holds_foreign(path)? {
        let stamp = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_nanos());
        fs::rename(path, path.with_file_name(format!("{UNREAD}{stamp}.log")))?;
    } else {
        fs::remove_file(path)?;
    }
    Ok(true)
}

fn holds_foreign(path: &Path) -> io::Result<bool> {
    let mut offset = 0;
    loop {
        let batch = read_from(path, offset, 1000)?;
        if !batch.foreign.is_empty() {
            return Ok(true);
        }
        if batch.next_offset == offset {
            return Ok(false);
        }
        offset = batch.next_offset;
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;
    use crate::spool::record::{HEADER, Record};
    use crate::spool::writer::append;

    fn record(number: u64) -> Record {
        Record { stamp_ns: number, git_dir: "/repo/.git".into(), event: "post-commit".into(), ..Record::default() }
    }

    fn spool(records: u64) -> tempfile::TempDir {
        let home = tempfile::tempdir().expect("a directory");
        for number in 1..=records {
            append(home.path(), &record(number)).expect("append");
        }
        home
    }

    fn names(directory: &Path) -> Vec<String> {
        let name = |path: PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
        files(directory).expect("readable").into_iter().map(name).collect()
    }

    fn age(path: &Path, seconds: u64) -> SystemTime {
        let now = fs::metadata(path).and_then(|data| data.modified()).expect("a time");
        now + Duration::from_secs(seconds)
    }

    fn end(path: &Path) -> u64 {
        fs::metadata(path).expect("there").len()
    }

    #[test]
    fn renamed_files_are_read_first_and_in_the_order_of_their_numbers() {
        let home = spool(1);
        for name in ["events-10.log", "events-9.log", "events-x.log", "unread-1.log", "other"] {
            fs::write(home.path().join(name), "").expect("written");
        }
        assert_eq!(names(home.path()), ["events-9.log", "events-10.log", "events.log"]);
    }

    #[test]
    fn a_missing_spool_has_no_files_and_nothing_to_rotate() {
        let nowhere = Path::new("/nonexistent/spool");
        assert_eq!(files(nowhere).expect("no error"), Vec::<PathBuf>::new());
        assert_eq!(rotate(nowhere).expect("no error"), None);
    }

    #[test]
    fn one_reader_at_a_time_has_the_claim() {
        let home = tempfile::tempdir().expect("a directory");
        let spool = home.path().join("state/spool");
        let held = take_reader_lock(&spool).expect("no error").expect("free");
        assert!(take_reader_lock(&spool).expect("no error").is_none());
        append(&spool, &record(1)).expect("hooks do not care");
        drop(held);
        assert!(take_reader_lock(&spool).expect("no error").is_some());
        assert_eq!(names(&spool), ["events.log"]);
    }

    #[test]
    fn a_small_file_is_not_rotated_and_a_large_one_is() {
        let home = spool(3);
        assert_eq!(rotate(home.path()).expect("no error"), None);
        fs::write(home.path().join("events-4.log"), "").expect("written");
        let renamed = rotate_beyond(home.path(), 10).expect("no error").expect("rotated");
        assert!(renamed.ends_with("events-5.log"));
        append(home.path(), &record(9)).expect("append");
        assert_eq!(names(home.path()), ["events-4.log", "events-5.log", "events.log"]);
        assert_eq!(read_from(&renamed, 0, 10).expect("readable").records.len(), 3);
    }

    #[test]
    fn a_writer_that_still_holds_a_renamed_file_is_heard() {
        let home = spool(1);
        let mut held = File::options().append(true).open(home.path().join(ACTIVE)).expect("open");
        let renamed = rotate_beyond(home.path(), 1).expect("no error").expect("rotated");
        let consumed = end(&renamed);
        held.write_all(&record(2).encode()).expect("written");
        assert!(!remove_consumed(&renamed, consumed, age(&renamed, 61)).expect("no error"));
        assert_eq!(read_from(&renamed, consumed, 9).expect("readable").records, [record(2)]);
    }

    #[test]
    fn a_file_goes_only_when_read_and_left_alone_for_a_minute() {
        let home = spool(2);
        let renamed = rotate_beyond(home.path(), 1).expect("no error").expect("rotated");
        let half = record(1).encode().len() as u64;
        assert!(!remove_consumed(&renamed, half, age(&renamed, 61)).expect("no error"), "unread");
        assert!(!remove_consumed(&renamed, end(&renamed), age(&renamed, 59)).expect("no error"), "touched");
        assert!(remove_consumed(&renamed, end(&renamed), age(&renamed, 60)).expect("no error"));
        assert!(!renamed.exists());
    }

    #[test]
    fn a_torn_end_does_not_keep_a_file_for_ever() {
        let home = spool(1);
        let consumed = end(&home.path().join(ACTIVE));
        let mut file = File::options().append(true).open(home.path().join(ACTIVE)).expect("open");
        file.write_all(&record(2).encode()[..20]).expect("written");
        let renamed = rotate_beyond(home.path(), 1).expect("no error").expect("rotated");
        assert!(remove_consumed(&renamed, consumed, age(&renamed, 61)).expect("no error"));
    }

    #[test]
    fn the_active_file_and_strangers_are_never_removed() {
        let home = spool(1);
        let (active, other) = (home.path().join(ACTIVE), home.path().join("notes.log"));
        fs::write(&other, "").expect("written");
        assert!(!remove_consumed(&active, end(&active), age(&active, 99)).expect("no error"));
        assert!(!remove_consumed(&other, 0, age(&other, 99)).expect("no error"));
        assert!(active.exists() && other.exists());
    }

    #[test]
    fn frames_of_another_version_are_set_aside_and_not_lost() {
        let home = spool(1);
        let mut frame = record(2).encode();
        frame[HEADER] = 7;
        let sum = crate::spool::record::crc32(&frame[HEADER..]).to_le_bytes();
        frame[8..12].copy_from_slice(&sum);
        fs::write(home.path().join("events-1.log"), &frame).expect("written");
        let path = home.path().join("events-1.log");
        assert!(identity(&path).expect("no error").is_some());
        assert!(remove_consumed(&path, end(&path), age(&path, 61)).expect("no error"));
        let mut kept = fs::read_dir(home.path()).expect("readable").map(|entry| entry.expect("entry").path());
        let kept = kept.find(|path| path.to_string_lossy().contains(UNREAD)).expect("set aside");
        assert_eq!(fs::read(kept).expect("readable"), frame);
    }

    #[test]
    fn a_file_keeps_its_identity_when_it_grows_or_is_renamed() {
        let home = spool(1);
        let active = home.path().join(ACTIVE);
        let before = identity(&active).expect("no error").expect("a record");
        append(home.path(), &record(2)).expect("append");
        let renamed = rotate_beyond(home.path(), 1).expect("no error").expect("rotated");
        assert_eq!(identity(&renamed).expect("no error"), Some(before));
    }

    #[test]
    fn a_reused_inode_does_not_deceive() {
        let home = spool(1);
        let active = home.path().join(ACTIVE);
        let before = identity(&active).expect("no error").expect("a record");
        fs::write(&active, record(2).encode()).expect("the same inode, written anew");
        let after = identity(&active).expect("no error").expect("a record");
        assert_eq!(after.inode, before.inode);
        assert_ne!(after, before);
        assert_ne!(after.to_string(), before.to_string());
    }

    #[test]
    fn a_file_without_a_whole_record_has_no_identity_yet() {
        let home = spool(0);
        fs::write(home.path().join(ACTIVE), &record(1).encode()[..30]).expect("written");
        assert_eq!(identity(&home.path().join(ACTIVE)).expect("no error"), None);
        assert_eq!(identity(&home.path().join("gone")).expect("no error"), None);
    }
}
