//! Spool record: one report of a hook, and its encoding.
//!
//! Frame: magic (4 bytes), length of the payload (u32), CRC-32 of the payload (u32), payload.
//! Payload: version (1 byte), then fields: tag (1 byte), length (u32), value. All numbers little-endian.
//! A later program may add fields (unknown tags are kept); only a change that older readers would misread raises the
//! version, and such a payload is passed on undecoded.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Magic of every frame. 0xF5 occurs in no UTF-8 text, so no path or message in UTF-8 looks like a frame.
pub const MAGIC: [u8; 4] = [0xF5, b'U', b'R', b'O'];
/// Length of the frame header in bytes.
pub const HEADER: usize = 12;
/// Payload version that this program writes.
pub const VERSION: u8 = 1;
/// Longer rewrite lists are cut at a line end: 4 MiB are about 50,000 rewritten commits.
pub const MAX_REWRITES: usize = 4 << 20;
/// Longer frames count as damaged. Twice the largest one written here.
pub const MAX_PAYLOAD: usize = 8 << 20;

const STAMP: u8 = 1;
const GIT_DIR: u8 = 2;
const EVENT: u8 = 3;
const OID: u8 = 4;
const REWRITES: u8 = 5;
const FLAGS: u8 = 6;
const ARGUMENT: u8 = 7;

const IN_SEQUENCE: u8 = 1;

/// One hook's report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// When the hook started, in nanoseconds since 1970 (UTC); 0 if the clock stood before that.
    pub stamp_ns: u64,
    /// The git directory of the worktree, absolute.
    pub git_dir: PathBuf,
    /// The hook's name, such as `post-commit`.
    pub event: String,
    /// HEAD at that moment, in hex; absent if unreadable (reftable, unborn branch).
    pub oid: Option<String>,
    /// Post-rewrite's stdin, lines of `old new [extra]`, at most [`MAX_REWRITES`] bytes; after a squash
    /// merge, lines of `carried head`.
    pub rewrites: Vec<u8>,
    /// A rebase, cherry-pick, revert sequence or `am` was in progress.
    pub in_sequence: bool,
    /// The hook's first argument: `amend` or `rebase` for post-rewrite, `1` for post-merge after a squash.
    pub argument: Option<String>,
    /// Unknown fields as (tag, value), in their order.
    pub unknown: Vec<(u8, Vec<u8>)>,
}

/// Why a payload with a valid checksum yields no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Written by a program with another payload version (the number).
    Version(u8),
    /// The fields contradict the format.
    Malformed,
}

impl Record {
    /// Encodes the record as one frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(256 + self.rewrites.len());
        frame.extend_from_slice(&MAGIC);
        frame.extend_from_slice(&[0; 8]);
        frame.push(VERSION);
        let mut write = |tag: u8, value: &[u8]| {
            frame.push(tag);
            frame.extend_from_slice(&clamp(value.len()).to_le_bytes());
            frame.extend_from_slice(value);
        };
        write(STAMP, &self.stamp_ns.to_le_bytes());
        write(GIT_DIR, self.git_dir.as_os_str().as_bytes());
        write(EVENT, self.event.as_bytes());
        if let Some(oid) = &self.oid {
            write(OID, oid.as_bytes());
        }
        if !self.rewrites.is_empty() {
            write(REWRITES, cap_rewrites(&self.rewrites));
        }
        if self.in_sequence {
            write(FLAGS, &[IN_SEQUENCE]);
        }
        if let Some(argument) = &self.argument {
            write(ARGUMENT, argument.as_bytes());
        }
        for (tag, value) in &self.unknown {
            write(*tag, value);
        }
        let (length, sum) = (frame.len() - HEADER, crc32(&frame[HEADER..]));
        frame[4..8].copy_from_slice(&clamp(length).to_le_bytes());
        frame[8..12].copy_from_slice(&sum.to_le_bytes());
        frame
    }

    /// Decodes a payload with a valid checksum.
    ///
    /// # Errors
    /// Another version, or a missing or malformed stamp, git directory or event.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let (&version, mut rest) = payload.split_first().ok_or(DecodeError::Malformed)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let mut record = Self::default();
        while !rest.is_empty() {
            let (tag, value, after) = split_field(rest).ok_or(DecodeError::Malformed)?;
            record.set(tag, value).ok_or(DecodeError::Malformed)?;
            rest = after;
        }
        let complete = record.git_dir.is_absolute() && !record.event.is_empty();
        complete.then_some(record).ok_or(DecodeError::Malformed)
    }

    fn set(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        match tag {
            STAMP => self.stamp_ns = u64::from_le_bytes(value.try_into().ok()?),
            GIT_DIR => self.git_dir = OsString::from_vec(value.to_vec()).into(),
            EVENT => self.event = text(value)?,
            OID => self.oid = Some(text(value)?),
            REWRITES => self.rewrites = value.to_vec(),
            FLAGS => self.in_sequence = value.first()? & IN_SEQUENCE != 0,
            ARGUMENT => self.argument = Some(text(value)?),
            _ => self.unknown.push((tag, value.to_vec())),
        }
        Some(())
    }

    /// The rewritten commits as (old, new) in hex; malformed lines are left out.
    pub fn rewrite_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rewrites.split(|byte| *byte == b'\n').filter_map(|line| {
            let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
            let pair = (words.next()?, words.next()?);
            (is_oid(pair.0) && is_oid(pair.1)).then_some(pair)
        })
    }
}

const TABLE: [u32; 256] = table();

/// CRC-32 (IEEE 802.3, reflected, as in zip and PNG): detects torn records.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| (sum >> 8) ^ TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)])
}

const fn table() -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut index = 0_u32;
    while index < 256 {
        let mut sum = index;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[index as usize] = sum;
        index += 1;
    }
    table
}

/// True if `text` has the form of an object id: 40 (SHA-1) or 64 (SHA-256) hex digits.
#[must_use]
pub fn is_oid(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Truncates to [`MAX_REWRITES`] bytes at a line end.
fn cap_rewrites(rewrites: &[u8]) -> &[u8] {
    let Some(head) = rewrites.get(..MAX_REWRITES) else { return rewrites };
    let end = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    if rewrites.len() == MAX_REWRITES { head } else { &head[..end] }
}

fn split_field(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((tag, value, rest))
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}

/// Lengths beyond u32 cannot occur below the caps; a reader would reject them as damaged.
fn clamp(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> Record {
        Record {
            stamp_ns: 1_700_000_000_123_456_789,
            git_dir: "/home/someone/é project/.git".into(),
            event: "post-commit".into(),
            oid: Some("a".repeat(40)),
            ..Record::default()
        }
    }

    fn payload(record: &Record) -> Vec<u8> {
        record.encode()[HEADER..].to_vec()
    }

    #[test]
    fn the_bytes_on_disk_are_these() {
        let record =
            Record { stamp_ns: 1, git_dir: "/g".into(), event: "e".into(), in_sequence: true, ..Record::default() };
        let payload =
            b"\x01\x01\x08\0\0\0\x01\0\0\0\0\0\0\0\x02\x02\0\0\0/g\x03\x01\0\0\0e\x06\x01\0\0\0\x01".as_slice();
        let mut expected = vec![0xF5, b'U', b'R', b'O', 33, 0, 0, 0];
        expected.extend_from_slice(&crc32(payload).to_le_bytes());
        expected.extend_from_slice(payload);
        assert_eq!(record.encode(), expected);
    }

    #[test]
    fn another_version_is_named_and_not_guessed_at() {
        let mut payload = payload(&plain());
        payload[0] = 9;
        assert_eq!(Record::decode(&payload), Err(DecodeError::Version(9)));
    }

    #[test]
    fn a_field_from_the_future_is_kept() {
        let mut payload = payload(&plain());
        payload.extend_from_slice(&[200, 3, 0, 0, 0]);
        payload.extend_from_slice(b"new");
        let record = Record::decode(&payload).expect("readable");
        assert_eq!(record.unknown, [(200, b"new".to_vec())]);
        assert_eq!(Record { unknown: Vec::new(), ..record }, plain());
    }

    #[test]
    fn a_payload_cut_at_any_byte_is_refused_or_lacks_only_whole_fields() {
        let whole = payload(&plain());
        for end in 0..whole.len() {
            if let Ok(record) = Record::decode(&whole[..end]) {
                assert_eq!(Record { oid: None, ..plain() }, record, "cut at {end}");
            }
        }
    }

    #[test]
    fn a_record_without_a_repository_or_with_a_relative_one_is_malformed() {
        let nowhere = Record { git_dir: PathBuf::new(), ..plain() };
        let relative = Record { git_dir: "repo/.git".into(), ..plain() };
        assert_eq!(Record::decode(&payload(&nowhere)), Err(DecodeError::Malformed));
        assert_eq!(Record::decode(&payload(&relative)), Err(DecodeError::Malformed));
    }

    #[test]
    fn a_rewrite_list_over_the_cap_ends_with_a_whole_line() {
        let line = format!("{} {}\n", "a".repeat(40), "b".repeat(40));
        let record = Record { rewrites: line.repeat(60_000).into_bytes(), ..plain() };
        let read = Record::decode(&payload(&record)).expect("readable");
        assert!(read.rewrites.len() <= MAX_REWRITES && read.rewrites.len() > MAX_REWRITES - line.len());
        assert_eq!(read.rewrites.len() % line.len(), 0);
    }

    #[test]
    fn rewrite_pairs_leave_out_what_is_none() {
        let (old, new) = ("a".repeat(40), "b".repeat(40));
        let rewrites = format!("{old} {new}\n\nnonsense\n{old}\n{new} {old} extra\n").into_bytes();
        let record = Record { rewrites, ..plain() };
        assert_eq!(record.rewrite_pairs().collect::<Vec<_>>(), [(&*old, &*new), (&*new, &*old)]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            stamp_ns: u64,
            path in proptest::collection::vec(1_u8..=255, 0..300),
            event in "[a-z-]{1,20}",
            oid in proptest::option::of("[0-9a-f]{40}"),
            rewrites in proptest::collection::vec(any::<u8>(), 0..2000),
            in_sequence: bool,
            argument in proptest::option::of(".{0,20}"),
            unknown in proptest::collection::vec((8_u8..=255, proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
        ) {
            let git_dir = OsString::from_vec([b"/".as_slice(), &path].concat()).into();
            let record = Record { stamp_ns, git_dir, event, oid, rewrites, in_sequence, argument, unknown };
            prop_assert_eq!(Record::decode(&payload(&record)), Ok(record));
        }

        #[test]
        fn no_payload_makes_the_decoder_panic(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::decode(&payload);
            let _ = Record::decode(&[&[VERSION], payload.as_slice()].concat());
        }
    }

    #[test]
    fn the_published_check_value_is_met() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn nothing_sums_to_zero() {
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn every_single_flipped_bit_is_noticed() {
        let whole = *b"post-commit /home/someone/project/.git";
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(crc32(&damaged), crc32(&whole), "bit {bit}");
        }
    }
}
