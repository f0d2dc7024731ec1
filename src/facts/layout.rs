//! Indentation: a line with a smaller indentation encloses those with a larger one.

/// Columns before the first character that is not blank; a tab counts as four.
#[must_use]
pub fn indent(line: &[u8]) -> usize {
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
    blanks.map(|byte| if *byte == b'\t' { 4 } else { 1 }).sum()
}

/// Lines left of their block that neither open nor close anything: the end of a parameter list, an opening brace or
/// `where` on a line of its own, a preprocessor condition.
#[must_use]
pub fn is_margin(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    [&b")"[..], b"{", b"]", b"where", b"#if", b"#el", b"#endif"].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_is_counted_in_columns() {
        assert_eq!([indent(b"a"), indent(b"  a"), indent(b"\ta"), indent(b""), indent(b"   ")], [0, 2, 4, 0, 3]);
    }

    #[test]
    fn ends_of_signatures_are_margins_and_ends_of_blocks_are_not() {
        assert!(is_margin(b") -> u8 {") && is_margin(b"  where") && is_margin(b"#ifdef X") && is_margin(b"{"));
        assert!(!is_margin(b"}") && !is_margin(b"fn a() {") && !is_margin(b"#[test]") && !is_margin(b""));
    }
}
