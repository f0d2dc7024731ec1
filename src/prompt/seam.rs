//! Secrets that were glued together from string literals: `"AKIA" +` on one line, the rest on the next.

use std::sync::LazyLock;

use regex::Regex;

use super::secrets::{self, Found};

/// A closing quote, an operator that joins strings, perhaps a line break, and an opening quote;
/// or a backslash at a line's end.
const SEAM: &str =
    r#"["'`][ \t]*(?:[+.&~\\]|\.\.|\|\||<>)?[ \t]*(?:\n[ \t]*)?(?:[+.&~]|\.\.)?[ \t]*[fFrRbBuUL]{0,2}["'`]|\\\n[ \t]*"#;

#[expect(clippy::expect_used, reason = "the pattern is a constant, compiled by every test of this room")]
static COMPILED: LazyLock<Regex> = LazyLock::new(|| Regex::new(SEAM).expect("a constant pattern"));

/// A text without its seams, and where each piece of it came from.
struct Sewn {
    text: String,
    /// (start in the sewn text, start in the original), ascending.
    pieces: Vec<(usize, usize)>,
}

/// Secrets that exist only when literals are put together; one range per piece.
pub(super) fn find(text: &str) -> Vec<Found> {
    let Some(sewn) = sew(text) else { return Vec::new() };
    secrets::find(&sewn.text).into_iter().flat_map(|found| sewn.pieces_of(&found)).collect()
}

fn sew(text: &str) -> Option<Sewn> {
    let mut sewn = Sewn { text: String::new(), pieces: vec![(0, 0)] };
    let mut from = 0;
    for seam in COMPILED.find_iter(text) {
        sewn.text.push_str(&text[from..seam.start()]);
        from = seam.end();
        sewn.pieces.push((sewn.text.len(), from));
    }
    sewn.text.push_str(&text[from..]);
    (sewn.pieces.len() > 1).then_some(sewn)
}

impl Sewn {
    /// The original ranges of a find; none when it lies in one piece, where the plain search sees it.
    fn pieces_of(&self, found: &Found) -> Vec<Found> {
        let first = self.pieces.partition_point(|(start, _)| *start <= found.range.start).saturating_sub(1);
        let mut ranges = Vec::new();
        for (at, (start, original)) in self.pieces.iter().enumerate().skip(first) {
            if *start >= found.range.end {
                break;
            }
            let end = self.pieces.get(at + 1).map_or(self.text.len(), |(next, _)| *next);
            let (from, to) = (found.range.start.max(*start), found.range.end.min(end));
            if from < to {
                ranges.push(Found { range: original + from - start..original + to - start, kind: found.kind });
            }
        }
        if ranges.len() > 1 { ranges } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|found| &text[found.range]).collect()
    }

    #[test]
    fn literals_are_put_together_before_they_are_judged() {
        assert_eq!(pieces("k = \"AKIA\" +\n    \"IOSFODNN7EXAMPLE\""), ["AKIA", "IOSFODNN7EXAMPLE"]);
        assert_eq!(pieces("k = 'AKIAIOSF' \\\n 'ODNN7' . 'EXAMPLE'"), ["AKIAIOSF", "ODNN7", "EXAMPLE"]);
        assert_eq!(pieces("key=AKIAIOSF\\\n  ODNN7EXAMPLE"), ["AKIAIOSF", "ODNN7EXAMPLE"]);
        assert_eq!(
            pieces("f\"ghp_0123456789\" f\"abcdefghij0123456789abcdef\""),
            ["ghp_0123456789", "abcdefghij0123456789abcdef"]
        );
    }

    #[test]
    fn whole_secrets_and_lists_are_not_its_business() {
        assert!(pieces("\"AKIAIOSFODNN7EXAMPLE\" + \"x\"").is_empty());
        assert!(pieces("[\"AKIA\", \"IOSFODNN7EXAMPLE\"]").is_empty());
        assert!(pieces("no quotes at all").is_empty());
    }
}
