//! Scanner for fenced code blocks (CommonMark): a line of three or more backticks or tildes opens and closes one.

/// A line that opens or closes a code block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence<'a> {
    pub mark: char,
    pub length: usize,
    /// The info string, as a rule the language; empty on a closing fence.
    pub info: &'a str,
}

impl<'a> Fence<'a> {
    /// The fence on this line. Backticks after the first run make it inline code.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_start();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let rest = line.trim_start_matches(mark);
        let length = line.len() - rest.len();
        (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some(Self { mark, length, info: rest.trim() })
    }

    /// Whether this fence closes the block that `open` opened.
    #[must_use]
    pub fn closes(&self, open: &Self) -> bool {
        self.mark == open.mark && self.length >= open.length && self.info.is_empty()
    }
}

/// Tracks line by line whether the text is inside a code block. Every fence counts, whatever its mark: text that is cut
/// or a patch may lack the matching one.
#[derive(Debug, Clone, Copy, Default)]
pub struct FenceTracker {
    pub open: bool,
}

impl FenceTracker {
    /// Passes the next line and says whether it is a fence.
    pub fn pass(&mut self, line: &str) -> bool {
        let fence = Fence::parse(line).is_some();
        self.open ^= fence;
        fence
    }
}

/// Whether the text ends inside a code block.
#[must_use]
pub fn ends_in_code(text: &str) -> bool {
    text.lines().filter(|line| Fence::parse(line).is_some()).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_a_run_of_three_with_an_info_string() {
        assert_eq!(Fence::parse("  ```rust "), Some(Fence { mark: '`', length: 3, info: "rust" }));
        assert_eq!(Fence::parse("~~~~"), Some(Fence { mark: '~', length: 4, info: "" }));
        for line in ["``", "```a```", "text ```", "~~gone~~"] {
            assert_eq!(Fence::parse(line), None, "{line}");
        }
        assert!(ends_in_code("a\n```\nb") && !ends_in_code("```\na\n```"));
    }
}
