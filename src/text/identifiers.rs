//! Identifier splitter: the words of `snake_case`, `camelCase`, `HTTPServer` and `kebab-case`.

/// The words of an identifier in lower case; digits stay with the letters before them, plain numbers are dropped.
pub fn split_words(name: &str) -> Vec<String> {
    let parts = split(name, false).filter(|part| part.contains(char::is_alphabetic));
    parts.map(str::to_lowercase).collect()
}

/// The parts of an identifier as written, digits apart: `parse_HTTPBody2` → `parse`, `HTTP`, `Body`, `2`.
pub fn split_parts(name: &str) -> Vec<&str> {
    split(name, true).collect()
}

/// Whether a lower-case letter is followed by a capital: `camelCase`.
pub fn is_camel_case(name: &str) -> bool {
    name.chars().zip(name.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase())
}

fn split(name: &str, digits_apart: bool) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).flat_map(move |run| {
        let mut parts = Vec::new();
        let mut from = 0;
        let mut before: Option<char> = None;
        let mut chars = run.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let ends_acronym = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            let breaks = before.is_some_and(|before| {
                let hump = c.is_uppercase() && (!before.is_uppercase() || ends_acronym);
                hump || (digits_apart && c.is_numeric() != before.is_numeric())
            });
            if breaks {
                parts.push(&run[from..at]);
                from = at;
            }
            before = Some(c);
        }
        parts.push(&run[from..]);
        parts.retain(|part| !part.is_empty());
        parts
    })
}

#[cfg(test)]
mod tests {
    use super::{split_parts, split_words};

    #[test]
    fn identifiers_are_split_as_people_read_them() {
        for (name, words) in [
            ("max_recursionDepth", &["max", "recursion", "depth"][..]),
            ("HTTPServer2", &["http", "server2"]),
            ("RouteChoice_v2", &["route", "choice", "v2"]),
            ("--no-ignore-vcs", &["no", "ignore", "vcs"]),
            ("Ärger ÜberGroß", &["ärger", "über", "groß"]),
            ("_42_", &[]),
        ] {
            assert_eq!(split_words(name), words, "{name}");
        }
    }

    #[test]
    fn parts_keep_their_case_and_digits_stand_apart() {
        assert_eq!(split_parts("parse_HTTPBody2"), ["parse", "HTTP", "Body", "2"]);
        assert_eq!(split_parts("__init__"), ["init"]);
        assert_eq!(split_parts("überTool"), ["über", "Tool"]);
        assert!(split_parts("__").is_empty());
    }
}
