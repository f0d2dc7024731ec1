//! Commit object parser. Works on bytes: git does not guarantee UTF-8.

use jiff::Timestamp;

use super::charset::{self, Charset};
use super::text;
use crate::domain::id::Oid;

/// The fields of a commit object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub tree: Oid,
    pub parents: Vec<Oid>,
    pub author: String,
    pub author_email: String,
    pub authored_at: Timestamp,
    pub committer_email: String,
    pub committed_at: Timestamp,
    /// Change id from the header, as jj (`change-id`) and GitButler (`gitbutler-change-id`, later `change-id`) write
    /// it.
    pub change_id: Option<String>,
    pub message: String,
    /// Encoding of the message and the names.
    pub charset: Charset,
}

impl Header {
    /// The header's change id, else the one in the message's last paragraph.
    #[must_use]
    pub fn effective_change_id(&self) -> Option<String> {
        self.change_id.clone().filter(|id| is_change(id)).or_else(|| {
            let last = self.message.trim_end().rsplit("\n\n").next()?;
            let ids = last.lines().filter_map(|line| line.split_once(':'));
            let mut ids = ids.filter(|(name, _)| name.eq_ignore_ascii_case("change-id")).map(|(_, id)| id.trim());
            ids.next_back().filter(|id| is_change(id)).map(str::to_owned)
        })
    }
}

/// Recognises change ids: jj writes 32 letters, GitButler such or a UUID, Gerrit `I` and 40 digits. A word is not one,
/// nor is a placeholder of zeros.
fn is_change(id: &str) -> bool {
    let is_written = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let digits = id.strip_prefix('I').unwrap_or(id);
    (16..=128).contains(&id.len()) && id.bytes().all(is_written) && digits.bytes().any(|byte| !b"0-".contains(&byte))
}

/// Messages are truncated here (bytes): generated ones can have megabytes.
const MESSAGE_BYTES: usize = 64 << 10;

/// Parses a commit object; `None` when it has no tree, author or committer.
pub fn parse(raw: &[u8]) -> Option<Header> {
    let (head, message) = split_at_blank_line(raw);
    let mut fields = Fields::default();
    for line in head.split(|byte| *byte == b'\n') {
        fields.parse_line(line);
    }
    let charset = charset::named(fields.encoding.unwrap_or_default());
    let (author, author_email, authored_at) = signature(fields.author?, charset)?;
    let (_, committer_email, committed_at) = signature(fields.committer?, charset)?;
    let message = decode(&message[..message.len().min(MESSAGE_BYTES)], charset);
    Some(Header {
        tree: fields.tree?,
        parents: fields.parents,
        author,
        author_email,
        authored_at,
        committer_email,
        committed_at,
        change_id: fields.change_id.or(fields.older_change_id).map(|id| String::from_utf8_lossy(id).trim().to_owned()),
        message,
        charset,
    })
}

#[derive(Default)]
struct Fields<'a> {
    tree: Option<Oid>,
    parents: Vec<Oid>,
    author: Option<&'a [u8]>,
    committer: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    change_id: Option<&'a [u8]>,
    older_change_id: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn parse_line(&mut self, line: &'a [u8]) {
        if let Some(id) = line.strip_prefix(b"tree ") {
            self.tree = self.tree.take().or_else(|| oid(id));
        } else if let Some(id) = line.strip_prefix(b"parent ") {
            self.parents.extend(oid(id));
        } else if let Some(who) = line.strip_prefix(b"author ") {
            self.author = self.author.or(Some(who));
        } else if let Some(who) = line.strip_prefix(b"committer ") {
            self.committer = self.committer.or(Some(who));
        } else if let Some(name) = line.strip_prefix(b"encoding ") {
            self.encoding = Some(name);
        } else if let Some(id) = line.strip_prefix(b"change-id ") {
            self.change_id = self.change_id.or(Some(id));
        } else if let Some(id) = line.strip_prefix(b"gitbutler-change-id ") {
            self.older_change_id = self.older_change_id.or(Some(id));
        }
    }
}

fn oid(hex: &[u8]) -> Option<Oid> {
    std::str::from_utf8(hex).ok()?.trim().parse().ok()
}

fn split_at_blank_line(raw: &[u8]) -> (&[u8], &[u8]) {
    match raw.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&raw[..at], &raw[at + 2..]),
        None => (raw, b""),
    }
}

/// `Name <email> seconds zone` → name, email, time. Names may hold anything but `<`, `>` and newlines.
pub fn signature(bytes: &[u8], charset: Charset) -> Option<(String, String, Timestamp)> {
    let close = bytes.iter().rposition(|byte| *byte == b'>')?;
    let open = bytes[..close].iter().position(|byte| *byte == b'<')?;
    let name = text::path(charset::decode(bytes[..open].trim_ascii(), charset).as_bytes());
    let email = text::path(charset::decode(bytes[open + 1..close].trim_ascii(), charset).as_bytes());
    let seconds = bytes[close + 1..].trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
    Some((name, email, timestamp(seconds)))
}

/// Invalid times and times beyond year 9999 become 1970: a broken date must not lose a commit.
fn timestamp(digits: &[u8]) -> Timestamp {
    let seconds = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A message as text that is safe to store and print; undecodable bytes become U+FFFD.
pub(super) fn decode(bytes: &[u8], charset: Charset) -> String {
    // Messages written on Windows may have an escaped `\r` before each line end.
    text::sanitize(charset::decode(bytes, charset).as_bytes(), true).replace("\\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn raw(message: &[u8]) -> Vec<u8> {
        let mut raw = format!("tree {TREE}\nauthor A U <a@b> 1700000000 +0100\ncommitter C <c@d> 1700000001 +0000\n\n")
            .into_bytes();
        raw.extend(message);
        raw
    }

    #[test]
    fn a_commit_object_is_taken_apart() {
        let header = parse(&raw(b"Subject\n\nBody\n")).unwrap();
        assert_eq!(header.tree.as_str(), TREE);
        assert_eq!((header.author.as_str(), header.author_email.as_str()), ("A U", "a@b"));
        assert_eq!(header.authored_at.as_second(), 1_700_000_000);
        assert_eq!(header.committed_at.as_second(), 1_700_000_001);
        assert_eq!(header.message, "Subject\n\nBody\n");
        assert!(header.parents.is_empty());
    }

    #[test]
    fn escape_sequences_in_a_message_are_made_harmless() {
        let header = parse(&raw(b"\x1b]0;owned\x07 \xff subject")).unwrap();
        assert_eq!(header.message, "\\x1b]0;owned\\x07 \u{fffd} subject");
    }

    /// A commit with this `encoding` header, its author name and message in that encoding.
    fn encoded(label: &str, name: &[u8], message: &[u8]) -> Header {
        let head = format!("tree {TREE}\nauthor ");
        let rest = format!(" <a@b> 1 +0\ncommitter C <c@d> 1 +0\nencoding {label}\n\n");
        parse(&[head.as_bytes(), name, rest.as_bytes(), message].concat()).unwrap()
    }

    #[test]
    fn message_and_author_are_decoded_as_their_header_says() {
        let windows = encoding_rs::WINDOWS_1251.encode("Проверка").0;
        for (label, bytes, text) in [
            ("ISO-8859-1", &b"caf\xe9"[..], "café"),
            ("latin-1", b"caf\xe9", "café"),
            ("ISO8859-15", b"10 \xa4", "10 €"),
            ("windows-1251", &*windows, "Проверка"),
            ("CP1251", &*windows, "Проверка"),
            ("Shift_JIS", b"\x83e\x83X\x83g", "テスト"),
            ("sjis", b"\x83e\x83X\x83g", "テスト"),
            ("CP932", b"\x83e\x83X\x83g", "テスト"),
            ("eucJP", b"\xa5\xc6\xa5\xb9\xa5\xc8", "テスト"),
            ("GBK", b"\xb2\xe2\xca\xd4", "测试"),
            ("cp936", b"\xb2\xe2\xca\xd4", "测试"),
            ("Big5", b"\xb4\xfa\xb8\xd5", "測試"),
            ("KOI8-R", b"\xd4\xc5\xd3\xd4", "тест"),
            ("UTF8", "тест".as_bytes(), "тест"),
        ] {
            let header = encoded(label, bytes, bytes);
            assert_eq!((header.message.as_str(), header.author.as_str()), (text, text), "{label}");
        }
    }

    #[test]
    fn what_its_charset_does_not_have_is_replaced_and_never_an_error() {
        assert_eq!(encoded("Shift_JIS", b"A", b"ok \x83").message, "ok \u{fffd}");
        assert_eq!(encoded("no-such-charset", b"A", b"ok \xff\x1b").message, "ok \u{fffd}\\x1b");
        assert_eq!(encoded("ISO-2022-KR", b"A", b"plain").message, "plain");
        assert_eq!(encoded("", b"A", "тест".as_bytes()).message, "тест");
        assert_eq!(encoded("windows-1252", b"A", b"one\r\ntwo").message, "one\ntwo");
    }

    #[test]
    fn a_nonsense_date_does_not_lose_the_commit() {
        let (name, email, at) = signature(b"Odd <> name <x@y> 99999999999999999999 +0000", None).unwrap();
        assert_eq!((name.as_str(), email.as_str()), ("Odd", "> name <x@y"));
        assert_eq!(at, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn something_without_a_tree_is_no_commit() {
        assert_eq!(parse(b"author A <a> 1 +0\n\nhi"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn the_change_is_the_headers_or_the_last_trailers() {
        let id = "I0123456789abcdef0123456789abcdef01234567";
        let of = |message: &str| parse(&raw(message.as_bytes())).unwrap().effective_change_id();
        assert_eq!(of(&format!("Subject\n\nBody\n\nChange-Id: {id}\n")).as_deref(), Some(id));
        assert_eq!(of(&format!("Subject\n\nChange-Id: {id}\n\nSaid after it.\n")), None, "no trailer");
        assert_eq!(of("Subject\n\nChange-Id: I\n"), None);
        assert_eq!(of("Subject\n\nChange-Id: I0000000000000000000000000000000000000000\n"), None, "a placeholder");
        let jj = "zxywkvutsrqponmlkzxywkvutsrqponml";
        let head = format!("tree {TREE}\nauthor A <a> 1 +0\ncommitter C <c> 1 +0\nchange-id {jj}\n\n");
        assert_eq!(
            parse(format!("{head}Subject\n\nChange-Id: {id}\n").as_bytes()).unwrap().effective_change_id().as_deref(),
            Some(jj)
        );
        let butler = "0f74c342-1cd3-4408-b965-6c2dfac89857";
        for (line, change) in [("", butler), ("change-id zxywkvutsrqponmlkzxywkvutsrqponm\n", &jj[..32])] {
            let head = format!("tree {TREE}\nauthor A <a> 1 +0\ncommitter C <c> 1 +0\n{line}");
            let raw = format!("{head}gitbutler-headers-version 2\ngitbutler-change-id {butler}\n\nSubject\n");
            assert_eq!(parse(raw.as_bytes()).unwrap().effective_change_id().as_deref(), Some(change));
        }
    }

    #[test]
    fn windows_line_ends_are_line_ends() {
        assert_eq!(parse(&raw(b"one\r\n\r\ntwo")).unwrap().message, "one\n\ntwo");
    }
}
