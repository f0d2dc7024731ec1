//! Parser for one reflog line.

use jiff::Timestamp;

use super::super::commit;
use super::message::{self, Said};
use crate::domain::id::Oid;

/// `<old> <new> <name> <email> <seconds> <zone>[\t<message>]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Line {
    /// `None` when the reference was created.
    pub old: Option<Oid>,
    /// `None` when it was deleted.
    pub new: Option<Oid>,
    pub at: Timestamp,
    pub message: String,
}

impl Line {
    /// `None` for a line that git would not have written.
    pub fn parse(line: &[u8]) -> Option<Self> {
        // Git omits the tab when there is no message.
        let tab = line.iter().position(|byte| *byte == b'\t').unwrap_or(line.len());
        let message = String::from_utf8_lossy(line.get(tab + 1..).unwrap_or_default()).trim_end().to_owned();
        let mut head = line[..tab].splitn(3, |byte| *byte == b' ');
        let (old, new) = (oid(head.next()?)?, oid(head.next()?)?);
        let (_, _, at) = commit::signature(head.next()?, None)?;
        Some(Self { old, new, at, message })
    }

    /// Whether a rebase of this branch ended with this commit.
    pub fn ends_a_rebase_at(&self, tip: &Oid) -> bool {
        self.new.as_ref() == Some(tip) && message::read(&self.message) == Said::Finish
    }
}

/// All zeros means no commit; anything but hex digits is invalid.
fn oid(hex: &[u8]) -> Option<Option<Oid>> {
    let hex = std::str::from_utf8(hex).ok()?;
    let is_zero = matches!(hex.len(), 40 | 64) && hex.bytes().all(|digit| digit == b'0');
    if is_zero { Some(None) } else { hex.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: &str) -> String {
        digit.repeat(40)
    }

    #[test]
    fn a_line_is_taken_apart() {
        let text = format!("{} {} A <weird> U <a@b> 1700000000 +0100\tcommit: a\tb", id("0"), id("a"));
        let line = Line::parse(text.as_bytes()).unwrap();
        assert_eq!((line.old, line.new.unwrap().as_str()), (None, id("a").as_str()));
        assert_eq!((line.at.as_second(), line.message.as_str()), (1_700_000_000, "commit: a\tb"));
    }

    #[test]
    fn a_line_without_message_has_no_tab() {
        let text = format!("{} {} A U <a@b> 1700000000 +0100", id("b"), id("a"));
        assert_eq!(Line::parse(text.as_bytes()).unwrap().message, "");
    }

    #[test]
    fn what_git_would_not_write_is_no_line() {
        for text in ["", "x", "a b c\td", &format!("{} {}", id("a"), id("b")), &format!("{} zz A <a> 1 +0", id("a"))] {
            assert_eq!(Line::parse(text.as_bytes()), None, "{text}");
        }
    }
}
