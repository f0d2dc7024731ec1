//! Tokenizer for tags: splits a sentence or path at blanks, signs, and changes of case.

/// Removes addresses and names of packages and branches: `actions/cache` is about no cache.
pub(super) fn prose(text: &str) -> String {
    text.split_whitespace().filter(|word| !word.contains('/')).collect::<Vec<_>>().join(" ")
}

/// In lower case; `LoginForm` yields itself, `login` and `form`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let parts = camel(word);
        if parts.len() > 1 {
            words.extend(parts.into_iter().map(str::to_lowercase));
        }
        words.push(word.to_lowercase());
    }
    words
}

/// `HTTPServer` → `HTTP`, `Server`.
fn camel(word: &str) -> Vec<&str> {
    let chars: Vec<(usize, char)> = word.char_indices().collect();
    let mut parts = Vec::new();
    let mut from = 0;
    for at in 1..chars.len() {
        let (before, (start, here)) = (chars[at - 1].1, chars[at]);
        let ends_run = chars.get(at + 1).is_some_and(|(_, next)| next.is_lowercase());
        if here.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && ends_run)) {
            parts.push(&word[from..start]);
            from = start;
        }
    }
    parts.push(&word[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_at_signs_and_changes_of_case() {
        assert_eq!(words("Add `LoginForm` to api/v2"), ["add", "login", "form", "loginform", "to", "api", "v2"]);
        assert_eq!(words("HTTPServer's"), ["http", "server", "httpserver", "s"]);
        assert_eq!(words("the_auth-token"), ["the", "auth", "token"]);
        assert_eq!(words("Ärger ÜberGroß"), ["ärger", "über", "groß", "übergroß"]);
        assert!(words(" -- ").is_empty());
    }
}
