//! URLs that differ only in a version.

/// The name and both versions: `https://x.example/gradle-8.1-bin.zip` and `…/gradle-8.2-bin.zip`.
pub fn versions(before: &str, after: &str) -> Option<(Option<String>, String, String)> {
    let (start, end) = (before.rfind("//")?, after.rfind("//")?);
    let (old, new) = (before.get(start..)?, after.get(end..)?);
    let first = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let ((begun, one), (_, other)) = (from(old, first)?, from(new, first)?);
    let is_version = |text: &str| text.contains('.') && text.starts_with(|c: char| c.is_ascii_digit());
    let same = is_version(one) && is_version(other) && one != other && old.replace(one, other) == new;
    let stem = old.get(..begun)?.rsplit('/').next().unwrap_or("").trim_end_matches(['-', '_', 'v']);
    // `x.git?ref=v1.0`
    let stem = stem.split('?').next().map_or(stem, |path| path.trim_end_matches(".git"));
    let name = stem.chars().filter(|c| c.is_alphabetic()).count() > 1;
    same.then(|| (name.then(|| stem.to_owned()), one.to_owned(), other.to_owned()))
}

/// The version at this position, with its start.
fn from(text: &str, place: usize) -> Option<(usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let head = text.get(..place)?;
    let begun = head.rfind(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(0, |at| at + 1);
    let rest = text.get(begun..)?;
    let whole = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len()))?;
    Some((begun, without_ending(whole)))
}

/// `1.2.zip` without the file ending.
fn without_ending(text: &str) -> &str {
    let mut kept = text.trim_end_matches('.');
    while let Some((head, last)) = kept.rsplit_once('.') {
        if last.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        kept = head;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_by_its_version() {
        let describe = |before: &str, after: &str| {
            versions(before, after).map(|(name, from, to)| format!("{} {from} {to}", name.unwrap_or_default()))
        };
        let of = |name: &str, version: &str| format!("url=https\\://s.example/{name}-{version}-bin.zip");
        assert_eq!(describe(&of("gradle", "8.1"), &of("gradle", "8.2.1")).as_deref(), Some("gradle 8.1 8.2.1"));
        let tar = |version: &str| format!("\"https://s.example/v{version}/uro-{version}.tar.gz\"");
        assert_eq!(describe(&tar("1.0"), &tar("1.1")).as_deref(), Some(" 1.0 1.1"));
        let pinned = |version: &str| format!("source = \"git::https://g.example/x-mod.git?ref=v{version}\"");
        assert_eq!(describe(&pinned("1.0"), &pinned("1.1")).as_deref(), Some("x-mod 1.0 1.1"));
        assert_eq!(describe("https://a.example/x", "https://b.example/x"), None);
        assert_eq!(describe("no address 1.0", "no address 1.1"), None);
    }
}
