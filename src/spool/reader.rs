//! Spool reader: reads from a remembered offset and skips damaged bytes.
//!
//! A crash or a full disk can leave part of a record, a power loss can leave zeros. The reader skips such bytes up
//! to the next frame with a valid checksum. Only an incomplete frame at the very end of the file is left for the
//! next call, because its writer may still be at work; a whole frame behind it proves
//! that the writer is not.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::record::{DecodeError, HEADER, MAGIC, MAX_PAYLOAD, Record, crc32};

/// Size of the first read; most calls need no more.
const WINDOW: usize = 256 << 10;
/// Window that holds the longest frame at any start.
const WIDEST: usize = 2 * (HEADER + MAX_PAYLOAD);

/// Result of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub records: Vec<Record>,
    /// Frames with a valid checksum that this program cannot read, such as those of another version.
    pub foreign: Vec<ForeignFrame>,
    /// Skipped bytes that belong to no whole frame.
    pub damaged: u64,
    /// Offset of the next call: stored in one transaction with the records, it delivers each exactly once.
    pub next_offset: u64,
}

/// A whole frame that this program cannot decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignFrame {
    /// Offset of its frame in the file.
    pub offset: u64,
    pub reason: DecodeError,
}

/// Reads at most `max_records` records (and unreadable frames) of the file `path` from `offset`, in bytes.
///
/// # Errors
/// I/O errors. An offset beyond the end is no error and yields nothing.
pub fn read_from(path: &Path, offset: u64, max_records: usize) -> io::Result<Batch> {
    let mut file = File::open(path)?;
    let mut width = WINDOW;
    loop {
        file.seek(SeekFrom::Start(offset))?;
        let mut window = Vec::new();
        (&mut file).take(width as u64).read_to_end(&mut window)?;
        let at_end = window.len() < width;
        let batch = parse(&window, offset, max_records, at_end);
        if at_end || width >= WIDEST || batch.next_offset > offset {
            return Ok(batch);
        }
        width = (width * 4).min(WIDEST);
    }
}

/// Classification of the bytes at one position.
enum Frame<'a> {
    /// A whole frame; its payload.
    Whole(&'a [u8]),
    /// The beginning of a frame, or of its magic, cut by the end of the window.
    Incomplete,
    /// No frame starts here.
    None,
}

fn parse(window: &[u8], offset: u64, max_records: usize, at_end: bool) -> Batch {
    let mut batch = Batch { next_offset: offset, ..Batch::default() };
    let mut at = 0;
    while batch.records.len() + batch.foreign.len() < max_records && at < window.len() {
        let Some((start, payload)) = next_whole(window, at, at_end) else {
            // Where an incomplete frame starts, or the window's end.
            let torn = candidates(window, at).find(|start| matches!(frame(&window[*start..]), Frame::Incomplete));
            let torn = torn.unwrap_or(window.len());
            batch.damaged += (torn - at) as u64;
            at = torn;
            break;
        };
        batch.damaged += (start - at) as u64;
        match Record::decode(payload) {
            Ok(record) => batch.records.push(record),
            Err(reason) => batch.foreign.push(ForeignFrame { offset: offset + start as u64, reason }),
        }
        at = start + HEADER + payload.len();
    }
    batch.next_offset = offset + at as u64;
    batch
}

/// Finds the first whole frame from `at` on. Before the end of the file, frames behind an incomplete one do not
/// count: a wider window will show whether it is whole.
fn next_whole(window: &[u8], at: usize, at_end: bool) -> Option<(usize, &[u8])> {
    for start in candidates(window, at) {
        match frame(&window[start..]) {
            Frame::Whole(payload) => return Some((start, payload)),
            Frame::Incomplete if !at_end => return None,
            Frame::Incomplete | Frame::None => {}
        }
    }
    None
}

fn candidates(window: &[u8], at: usize) -> impl Iterator<Item = usize> {
    (at..window.len()).filter(|start| window[*start] == MAGIC[0])
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    let compared = bytes.len().min(MAGIC.len());
    if bytes[..compared] != MAGIC[..compared] {
        return Frame::None;
    }
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Frame::Incomplete };
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let length = number(4) as usize;
    if length == 0 || length > MAX_PAYLOAD {
        return Frame::None;
    }
    match rest.get(..length) {
        None => Frame::Incomplete,
        Some(payload) if crc32(payload) == number(8) => Frame::Whole(payload),
        Some(_) => Frame::None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn record(number: u64) -> Record {
        Record { stamp_ns: number, git_dir: "/repo/.git".into(), event: "post-commit".into(), ..Record::default() }
    }

    fn read(bytes: &[u8]) -> Batch {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), bytes).expect("written");
        read_from(file.path(), 0, usize::MAX).expect("readable")
    }

    fn stamps(batch: &Batch) -> Vec<u64> {
        batch.records.iter().map(|record| record.stamp_ns).collect()
    }

    #[test]
    fn an_empty_file_yields_nothing() {
        assert_eq!(read(b""), Batch::default());
    }

    #[test]
    fn at_most_so_many_records_are_read_and_the_rest_next_time() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let bytes: Vec<u8> = (1..=5).flat_map(|number| record(number).encode()).collect();
        fs::write(file.path(), &bytes).expect("written");
        let first = read_from(file.path(), 0, 3).expect("readable");
        let second = read_from(file.path(), first.next_offset, 3).expect("readable");
        assert_eq!((stamps(&first), stamps(&second)), (vec![1, 2, 3], vec![4, 5]));
        assert_eq!(second.next_offset, bytes.len() as u64);
        assert_eq!(read_from(file.path(), second.next_offset, 3).expect("readable").records, []);
    }

    #[test]
    fn a_record_cut_at_any_byte_waits_for_its_rest() {
        let (first, second) = (record(1).encode(), record(2).encode());
        for cut in 0..second.len() {
            let batch = read(&[first.as_slice(), &second[..cut]].concat());
            assert_eq!((stamps(&batch), batch.next_offset), (vec![1], first.len() as u64), "cut at {cut}");
            assert_eq!(batch.damaged, 0);
        }
    }

    #[test]
    fn a_record_cut_at_any_byte_is_skipped_once_a_whole_one_follows() {
        let (torn, whole) = (record(1).encode(), record(2).encode());
        for cut in 1..torn.len() {
            let bytes = [&torn[..cut], &whole].concat();
            let batch = read(&bytes);
            assert_eq!((stamps(&batch), batch.next_offset), (vec![2], bytes.len() as u64), "cut at {cut}");
            assert_eq!(batch.damaged, cut as u64);
        }
    }

    #[test]
    fn garbage_between_records_costs_only_itself() {
        let (one, two) = (record(1).encode(), record(2).encode());
        for garbage in [&[0_u8; 5000][..], b"\xF5UR", b"\xF5URO", b"\xF5\xF5\xF5URO\xff\xff\xff\xff", b"text\n"] {
            let batch = read(&[&one, garbage, &two, garbage].concat());
            assert_eq!(stamps(&batch), [1, 2], "{:?}", &garbage[..3]);
        }
    }

    #[test]
    fn one_damaged_byte_costs_at_most_one_record() {
        let records: Vec<_> = (1..=3).map(|number| record(number).encode()).collect();
        let (start, end) = (records[0].len(), records[0].len() + records[1].len());
        for at in start..end {
            let mut bytes = records.concat();
            bytes[at] ^= 0x55;
            assert_eq!(stamps(&read(&bytes)), [1, 3], "byte {at}");
        }
    }

    #[test]
    fn zeros_after_a_power_loss_are_passed() {
        let bytes = [record(1).encode(), vec![0; 4096]].concat();
        let batch = read(&bytes);
        assert_eq!((batch.next_offset, batch.damaged), (bytes.len() as u64, 4096));
    }

    #[test]
    fn a_record_larger_than_the_first_window_is_read_whole() {
        let large = Record { rewrites: vec![b'x'; 3 << 20], ..record(1) };
        let bytes = [large.encode(), record(2).encode()].concat();
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), &bytes).expect("written");
        let first = read_from(file.path(), 0, 1).expect("readable");
        assert_eq!(first.records, [large]);
        assert_eq!(stamps(&read_from(file.path(), first.next_offset, 9).expect("readable")), [2]);
    }

    #[test]
    fn reading_on_gets_past_more_garbage_than_any_window_holds() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let bytes = [vec![0; WIDEST + 1000], record(7).encode()].concat();
        fs::write(file.path(), &bytes).expect("written");
        let (mut offset, mut found) = (0, Vec::new());
        while offset < bytes.len() as u64 {
            let batch = read_from(file.path(), offset, 10).expect("readable");
            assert!(batch.next_offset > offset, "progress");
            found.extend(stamps(&batch));
            offset = batch.next_offset;
        }
        assert_eq!(found, [7]);
    }

    #[test]
    fn a_frame_of_another_version_is_reported_with_its_place() {
        let mut frame = record(1).encode();
        frame[HEADER] = 2;
        let sum = crc32(&frame[HEADER..]).to_le_bytes();
        frame[8..12].copy_from_slice(&sum);
        let batch = read(&[record(1).encode(), frame, record(2).encode()].concat());
        assert_eq!(stamps(&batch), [1, 2]);
        let offset = record(1).encode().len() as u64;
        assert_eq!(batch.foreign, [ForeignFrame { offset, reason: DecodeError::Version(2) }]);
    }

    proptest! {
        #[test]
        fn whole_records_survive_any_garbage_around_them(
            parts in proptest::collection::vec((any::<u64>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..12),
        ) {
            let bytes: Vec<u8> = parts.iter().flat_map(|(number, garbage)| {
                [garbage.as_slice(), &record(*number).encode()].concat()
            }).collect();
            let expected: Vec<u64> = parts.iter().map(|part| part.0).collect();
            prop_assert_eq!(stamps(&read(&bytes)), expected);
        }

        #[test]
        fn no_bytes_make_the_reader_panic_or_stand_still(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let batch = read(&bytes);
            prop_assert!(batch.next_offset <= bytes.len() as u64);
        }
    }
}
