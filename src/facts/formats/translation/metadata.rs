//! Metadata changes in translation files: references, dates, comments, review states.

/// In the order of description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetadataChange {
    /// Source locations of a message.
    References,
    Dates,
    /// `fuzzy`, `unfinished`, `needs-review`.
    States,
    Comments,
    /// Other fields of the header.
    Header,
    /// Obsolete entries that are kept.
    Obsolete,
    Layout,
}

/// A gettext line that begins with `#`, or a comment of another format.
pub fn classify_comment(text: &str) -> MetadataChange {
    // `#Mon Jan 01 10:00:00 CET 2026`
    let is_time = |word: &str| word.len() == 8 && word.bytes().filter(|b| *b == b':').count() == 2;
    if text.starts_with("#:") {
        MetadataChange::References
    } else if text.starts_with("#,") || text.starts_with("#|") {
        MetadataChange::States
    } else if text.starts_with("#~") {
        MetadataChange::Obsolete
    } else if text.starts_with('#') && text.split_whitespace().any(is_time) {
        MetadataChange::Dates
    } else {
        MetadataChange::Comments
    }
}

/// A field of the gettext header: `POT-Creation-Date: …`.
pub fn classify_header(field: &str) -> MetadataChange {
    if field.split(':').next().is_some_and(|name| name.ends_with("-Date")) {
        MetadataChange::Dates
    } else {
        MetadataChange::Header
    }
}

/// An XML line without a message; `None` if it may hold one.
pub fn classify_tag(text: &str) -> Option<MetadataChange> {
    let begins = |tags: &[&str]| tags.iter().any(|tag| text.starts_with(tag));
    if begins(&["<note category=\"location\"", "<location", "<context", "<name>"]) {
        Some(MetadataChange::References)
    } else if begins(&["<file", "<TS"]) && text.contains("date=") {
        Some(MetadataChange::Dates)
    } else if begins(&["<note", "<comment", "<extracomment", "<translatorcomment", "<!--"]) {
        Some(MetadataChange::Comments)
    } else if begins(&["<oldsource", "<state"]) {
        Some(MetadataChange::States)
    } else if begins(&["<file", "<tool", "<header", "<TS", "<?", "<!", "<xliff", "<plist"]) {
        Some(MetadataChange::Header)
    } else {
        let layout = ["</", "<segment", "<body", "<message", "<unit", "<trans-unit", "<group", "<dict"];
        begins(&layout).then_some(MetadataChange::Layout)
    }
}

/// An attribute of a message: `@cart` and everything below it; in a bundle also fields of these names.
pub fn is_attribute(above: &[String], key: &str, bundle: bool) -> bool {
    let marked = above.iter().any(|above| above.starts_with('@')) || key.starts_with('@');
    marked || (bundle && !above.is_empty() && ["description", "placeholders", "content", "example"].contains(&key))
}

/// The key with its parents: `cart.title`. The part that stands for the whole message is omitted.
pub fn path(above: &[String], key: &str) -> String {
    let whole = matches!(key, "message" | "other") && !above.is_empty();
    let parts = above.iter().map(String::as_str).chain((!whole).then_some(key));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_told_from_the_others() {
        assert_eq!(classify_comment("#: a.c:1"), MetadataChange::References);
        assert_eq!(classify_comment("#, fuzzy"), MetadataChange::States);
        assert_eq!(classify_comment("#~ msgid \"x\""), MetadataChange::Obsolete);
        assert_eq!(classify_comment("#Mon Jan 01 10:00:00 CET 2026"), MetadataChange::Dates);
        assert_eq!(classify_comment("# at 10 o'clock: tea"), MetadataChange::Comments);
        assert_eq!(classify_header("PO-Revision-Date: 2026"), MetadataChange::Dates);
        assert_eq!(classify_header("Last-Translator: A"), MetadataChange::Header);
        assert_eq!(classify_tag("<note category=\"location\">a.ts:1</note>"), Some(MetadataChange::References));
        assert_eq!(classify_tag("<note>title</note>"), Some(MetadataChange::Comments));
        assert_eq!(classify_tag("<file original=\"a\" date=\"2026\">"), Some(MetadataChange::Dates));
        assert_eq!(classify_tag("<target>x</target>"), None);
    }

    #[test]
    fn a_key_has_those_above_it() {
        let above = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert_eq!(path(&above(&["cart"]), "title"), "cart.title");
        assert_eq!(path(&above(&["cart"]), "message"), "cart");
        assert_eq!(path(&[], "message"), "message");
        assert!(is_attribute(&above(&["@cart"]), "description", false));
        assert!(is_attribute(&above(&["cart"]), "description", true));
        assert!(!is_attribute(&above(&["cart"]), "description", false) && !is_attribute(&[], "message", true));
    }
}
