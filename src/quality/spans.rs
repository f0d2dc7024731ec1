//! Splits a line into inline code and prose; code is not modified.

/// A piece of a line; code includes its backticks. An unclosed backtick is prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineSpan<'a> {
    Prose(&'a str),
    Code(&'a str),
}

/// The pieces in their order.
pub(super) fn split_spans(line: &str) -> Vec<LineSpan<'_>> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        let Some(length) = rest[open + 1..].find('`') else { break };
        if open > 0 {
            spans.push(LineSpan::Prose(&rest[..open]));
        }
        let end = open + length + 2;
        spans.push(LineSpan::Code(&rest[open..end]));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        spans.push(LineSpan::Prose(rest));
    }
    spans
}

/// First private-use character that stands for a code span, and how many there are.
const MASK: u32 = 0xe000;
const MASKS: usize = 6400;

/// Applies `change` to the line with its code spans masked, and restores them.
pub(super) fn around_code(line: &str, change: impl Fn(&str) -> String) -> String {
    let mut codes = Vec::new();
    let mut masked = String::with_capacity(line.len());
    for span in split_spans(line) {
        match span {
            LineSpan::Prose(text) => masked.push_str(text),
            LineSpan::Code(text) => {
                masked.extend(u32::try_from(codes.len()).ok().and_then(|at| char::from_u32(MASK + at)));
                codes.push(text);
            }
        }
    }
    if codes.len() > MASKS {
        return line.to_owned();
    }
    let mut changed = String::with_capacity(line.len());
    for c in change(&masked).chars() {
        match u32::from(c).checked_sub(MASK).and_then(|at| codes.get(at as usize)) {
            Some(code) => changed.push_str(code),
            None => changed.push(c),
        }
    }
    changed
}

/// The line without its code.
pub(super) fn prose(line: &str) -> String {
    let only = |span| match span {
        LineSpan::Prose(text) => text,
        LineSpan::Code(_) => " ",
    };
    split_spans(line).into_iter().map(only).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_prose_and_a_lone_backtick_is_prose() {
        assert_eq!(split_spans("a `b` c"), [LineSpan::Prose("a "), LineSpan::Code("`b`"), LineSpan::Prose(" c")]);
        assert_eq!(split_spans("a `b"), [LineSpan::Prose("a `b")]);
        assert_eq!(around_code("a `a` a", str::to_uppercase), "A `a` A");
    }
}
