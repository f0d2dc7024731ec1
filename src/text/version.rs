//! Version numbers: which words are versions.

/// `1`, `v1.2`, `1.2.3-rc.1+build`.
pub fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
}

/// A version with a dot: a number alone may count something.
pub fn is_dotted_version(word: &str) -> bool {
    word.contains('.') && is_version(word)
}

/// A version or a range of versions in a registry's notation: `1.2`, `^4.0.0-rc.1`, `>=1,<2`.
pub fn is_version_range(text: &str) -> bool {
    let text = text.trim();
    let body = text.trim_start_matches(['^', '~', '=', '>', '<', '!', ' ', 'v']);
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-+*,<>=^~!| ".contains(c);
    text.len() <= 60 && body.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_ranges_are_told_from_words() {
        for text in ["1", "1.2.3", "^4.0.0-rc.1", ">=1.0,<2", "~> 1.2", "v0.1.0", "1.x || >=2.5.0", "==2.0.*"] {
            assert!(is_version_range(text), "{text}");
        }
        for text in ["", "*", "latest", "fat", "workspace:*", "vendor", "1/2", "node index.js 1"] {
            assert!(!is_version_range(text) && !is_version(text), "{text}");
        }
        assert!(is_dotted_version("v1.2.3-rc.1") && !is_dotted_version("15") && !is_dotted_version("read.me"));
    }
}
