//! Line-based TOML parser: table heads, and keys with their values.

/// `[a.b]` or `[[a.b]]`: the text between the brackets.
pub fn table(line: &str) -> Option<&str> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let inner = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner).trim();
    // A list element is not a table.
    let plain = |c: char| c.is_alphanumeric() || "-_.'\"() ,=".contains(c);
    (!inner.is_empty() && !inner.starts_with(['"', '[']) && inner.chars().all(plain)).then_some(inner)
}

/// `key = value`, without quotes around the key.
pub fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim().trim_matches(['"', '\'']);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!key.is_empty() && key.chars().all(plain)).then(|| (key, value.trim()))
}

/// The text between the quotes at the start of a value.
pub fn string(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let rest = &value[1..];
    rest.find(quote).map(|end| &rest[..end])
}

/// The requirement in `{ version = "1", … }`: its version, else its source; `None` for any other value.
pub fn requirement(value: &str) -> Option<&str> {
    if let Some(text) = string(value) {
        return Some(text);
    }
    let table = value.strip_prefix('{')?;
    let field = |name: &str| {
        table.split(',').find_map(|part| pair(part.trim().trim_end_matches('}')).filter(|(key, _)| *key == name))
    };
    if let Some((_, version)) = field("version") {
        return string(version);
    }
    ["path", "git", "workspace", "url"].iter().find(|name| field(name).is_some()).map(|_| "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_from_lists() {
        assert_eq!(table("[dependencies]"), Some("dependencies"));
        assert_eq!(table("[[package]]"), Some("package"));
        assert_eq!(table("[target.'cfg(unix)'.dependencies] # why"), Some("target.'cfg(unix)'.dependencies"));
        assert_eq!(table("[\"a\", \"b\"]"), None);
        assert_eq!(table("key = [1]"), None);
    }

    #[test]
    fn requirements_are_read_from_strings_and_tables() {
        assert_eq!(requirement("\"1.2\" # why"), Some("1.2"));
        assert_eq!(requirement("{ version = \"1\", features = [\"a\", \"b\"] }"), Some("1"));
        assert_eq!(requirement("{ features = [\"a\"], version = \"1\" }"), Some("1"));
        assert_eq!(requirement("{ path = \"../x\" }"), Some(""));
        assert_eq!(requirement("{ workspace = true }"), Some(""));
        assert_eq!(requirement("[\"a\"]"), None);
        assert_eq!(requirement("true"), None);
    }
}
