//! English phrase helpers: lists, numbers, nouns, sentence ends.

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// The first `limit` items and the number of the rest; `exact`: whether that number is known.
#[must_use]
pub fn list_up_to(limit: usize, mut items: Vec<String>, exact: bool) -> String {
    if items.len() <= limit {
        return list(&items);
    }
    let more = items.len() - limit;
    items.truncate(limit);
    items.push(if exact { format!("{} more", number(more as u64)) } else { "more".to_owned() });
    list(&items)
}

/// `1 file`, `2 files`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(n as u64), if n == 1 { "" } else { "s" })
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Whitespace and control characters become single blanks: one paragraph without terminal escapes.
#[must_use]
pub fn one_line(text: &str) -> String {
    let plain = text.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with a full stop, unless it already ends a sentence.
#[must_use]
pub fn sentence(text: &str) -> String {
    let text = text.trim_end_matches([':', ';', ',']).trim_end();
    let quoted = text.trim_end_matches(['"', '\'', ')', '”', '’', '*', '_']);
    let ended = |text: &str| text.ends_with(['.', '!', '?', '…', '。', '！', '？']);
    if text.is_empty() || ended(text) || (quoted.len() < text.len() && ended(quoted) && !quoted.ends_with("...")) {
        return text.to_owned();
    }
    format!("{text}.")
}

/// Number of words, separated by whitespace.
#[must_use]
pub fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// With an initial capital letter.
#[must_use]
pub fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// With an initial small letter.
#[must_use]
pub fn uncapitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Longer paths are reduced to their file name, and cut.
const PATH_CHARS: usize = 72;

/// A path, shortened for a sentence.
#[must_use]
pub fn path(path: &str) -> String {
    let path = one_line(path);
    if path.chars().count() <= PATH_CHARS {
        return path;
    }
    let name = path.rsplit('/').next().unwrap_or(&path);
    if name.chars().count() <= PATH_CHARS {
        return format!("…/{name}");
    }
    format!("{}…", name.chars().take(PATH_CHARS).collect::<String>())
}

/// A name in code marks.
#[must_use]
pub fn code(name: &str) -> String {
    format!("`{}`", one_line(name))
}

/// At most `words` words and `chars` characters, cut between words if possible.
#[must_use]
pub fn cut(text: &str, words: usize, chars: usize) -> String {
    let by_words: Vec<&str> = text.split_whitespace().take(words).collect();
    let mut kept = by_words.join(" ");
    if kept.chars().count() > chars {
        let head: String = kept.chars().take(chars).collect();
        kept = head.rsplit_once(' ').map_or(head.as_str(), |(head, _)| head).to_owned();
    }
    if kept.len() < text.len() { format!("{}…", kept.trim_end_matches(['.', ',', ';', ':'])) } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_people_write_them() {
        let items = |n: usize| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(list(&items(3)), "1, 2 and 3");
        assert_eq!(list_up_to(2, items(2), true), "1 and 2");
        assert_eq!(list_up_to(2, items(5), true), "1, 2 and 3 more");
        assert_eq!(list_up_to(2, items(5), false), "1, 2 and more");
    }

    #[test]
    fn numbers_are_grouped_and_nouns_agree() {
        assert_eq!((number(0), number(999), number(1000)), ("0".to_owned(), "999".to_owned(), "1,000".to_owned()));
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(12_345, "file"), "12,345 files");
        assert_eq!(number(100), "100");
    }

    #[test]
    fn a_sentence_ends_once() {
        assert_eq!(sentence("Add x"), "Add x.");
        assert_eq!(sentence("Why not?"), "Why not?");
        assert_eq!(sentence("Add x:"), "Add x.");
        assert_eq!(sentence("Revert \"Add x\""), "Revert \"Add x\".");
        assert_eq!(sentence("He said \"stop.\""), "He said \"stop.\"");
        assert_eq!(sentence("修复登录。"), "修复登录。");
    }

    #[test]
    fn long_paths_are_shown_by_their_name() {
        assert_eq!(path("src/a.rs"), "src/a.rs");
        assert_eq!(path(&format!("{}/a.rs", "deep".repeat(30))), "…/a.rs");
        assert_eq!(path(&"x".repeat(200)).chars().count(), 73);
    }

    #[test]
    fn texts_are_cut_between_words() {
        assert_eq!(cut("one two three", 2, 100), "one two…");
        assert_eq!(cut("one two, three", 9, 10), "one two…");
        assert_eq!(cut("one", 9, 10), "one");
        assert_eq!(cut(&"x".repeat(50), 9, 10), format!("{}…", "x".repeat(10)));
    }
}
