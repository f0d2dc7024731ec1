//! Splits a line into inline code and prose; code is not modified.

/// A piece of a line; code includes its backticks. An unclosed backtick is prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span<'a> {
    Prose(&'a str),
    Code(&'a str),
}

/// The pieces in their order.
pub(super) fn of(line: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        let Some(length) = rest[open + 1..].find('`') else { break };
        if open > 0 {
            spans.push(Span::Prose(&rest[..open]));
        }
        let end = open + length + 2;
        spans.push(Span::Code(&rest[open..end]));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        spans.push(Span::Prose(rest));
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
    for span in of(line) {
        match span {
            Span::Prose(text) => masked.push_str(text),
            Span::Code(text) => {
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
        Span::Prose(text) => text,
        Span::Code(_) => " ",
    };
    of(line).into_iter().map(only).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_prose_and_a_lone_backtick_is_prose() {
        assert_eq!(of("a `b` c"), [Span::Prose("a "), Span::Code("`b`"), Span::Prose(" c")]);
        assert_eq!(of("a `b"), [Span::Prose("a `b")]);
        assert_eq!(around_code("a `a` a", str::to_uppercase), "A `a` A");
    }
}
