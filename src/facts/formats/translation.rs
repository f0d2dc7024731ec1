//! Translation files: gettext, Qt, XLIFF, Apple's strings, ARB, Android's and .NET's resources, and keyed files in
//! locale folders. References to source lines, dates and other tool metadata are ignored as evidence.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::domain::patch::{FileChange, Hunk, LineOrigin, PatchLine};

mod catalog;
mod metadata;

pub use metadata::MetadataChange;
use metadata::{classify_comment, classify_header, classify_tag, is_attribute};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The source text or its key; empty if not in the hunk.
    pub key: String,
    pub from: String,
    pub to: String,
}

/// Changed messages of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Translations {
    pub changed: Vec<Message>,
    pub added: Vec<Message>,
    pub removed: Vec<Message>,
    /// Changed metadata.
    pub metadata: BTreeSet<MetadataChange>,
}

impl Translations {
    /// No message changed.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }
}

/// File format of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MessageFormat {
    Gettext,
    /// `<source>` and its translation (Qt, XLIFF).
    Sources,
    /// `<string name="…">` (Android), `<data name="…">` with a `<value>` (.NET).
    Resources,
    /// `"key" = "value";`
    Strings,
    /// `<key>…</key>` and `<string>…</string>` (Apple's plurals).
    Plist,
    /// `"key": "value"`, nested.
    Json,
    /// The same, with attributes beside each message (ARB, browser extensions).
    Bundle,
    /// `key = value`, `key: value`
    Keyed,
    /// `'key' => 'value',`, and nothing else.
    Arrows,
}

const LOCALE_DIRS: [&str; 9] =
    ["locales", "locale", "i18n", "l10n", "lang", "langs", "languages", "translations", "_locales"];

fn format(file: &FileChange) -> Option<MessageFormat> {
    let low = file.path.to_ascii_lowercase();
    let (dirs, name) = low.rsplit_once('/').unwrap_or(("", &low));
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let in_locales = || dirs.split('/').any(|dir| LOCALE_DIRS.contains(&dir));
    let of_language = || is_language(name.split('.').next().unwrap_or(name));
    let in_values = || dirs.rsplit('/').next().is_some_and(|dir| dir.starts_with("values"));
    match end {
        "po" | "pot" => Some(MessageFormat::Gettext),
        "xlf" | "xliff" => Some(MessageFormat::Sources),
        "ts" if is_qt(file) => Some(MessageFormat::Sources),
        "strings" => Some(MessageFormat::Strings),
        "stringsdict" => Some(MessageFormat::Plist),
        "arb" => Some(MessageFormat::Bundle),
        "resx" => Some(MessageFormat::Resources),
        "xml" if in_values() && ["strings", "plurals", "arrays"].iter().any(|stem| name.starts_with(stem)) => {
            Some(MessageFormat::Resources)
        }
        "json" if dirs.split('/').any(|dir| dir == "_locales") => Some(MessageFormat::Bundle),
        "json" if in_locales() || (of_language() && dirs.ends_with("messages")) => Some(MessageFormat::Json),
        "ftl" => Some(MessageFormat::Keyed),
        "properties" if in_locales() || name.starts_with("messages") => Some(MessageFormat::Keyed),
        "yml" | "yaml" | "toml" if in_locales() => Some(MessageFormat::Keyed),
        "php" if in_locales() => Some(MessageFormat::Arrows),
        _ => None,
    }
}

/// `de`, `pt-br`, `zh_hans`.
fn is_language(stem: &str) -> bool {
    let mut parts = stem.split(['-', '_']);
    let letters = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric());
    let first = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && letters(part));
    first && parts.all(|part| matches!(part.len(), 2..=4) && letters(part))
}

/// Qt's translations share their extension with TypeScript: each of their line starts is a tag.
fn is_qt(file: &FileChange) -> bool {
    let mut lines = file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.trim());
    let tags = ["<location", "<translation", "<source>", "<message", "<TS "];
    lines.any(|line| tags.iter().any(|tag| line.starts_with(tag)))
}

/// Changed messages in the file; `None` if it holds none or other content.
#[must_use]
pub fn find_changes(file: &FileChange) -> Option<Translations> {
    if let Some(texts) = file.texts.as_ref().filter(|_| file.path.ends_with(".xcstrings")) {
        return catalog::compare(&texts.old, &texts.new);
    }
    let format = format(file)?;
    let changed =
        file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != LineOrigin::Context).count();
    let whole = file.insertions.zip(file.deletions).is_some_and(|(a, b)| a + b == changed as u64);
    let side = |origin| {
        let mut side = SideMessages::default();
        file.hunks.iter().for_each(|hunk| side.parse_hunk(hunk, origin, format));
        side
    };
    let (old, new) = (side(LineOrigin::Removed), side(LineOrigin::Added));
    let mut changes = pair(&old.messages, &new.messages);
    changes.metadata.extend(old.marks.into_iter().chain(new.marks));
    let other = old.other || new.other;
    let silent = changes.is_silent() && (other || !whole);
    (changed > 0 && !silent && !(other && format == MessageFormat::Arrows)).then_some(changes)
}

fn pair(old: &[(String, String)], new: &[(String, String)]) -> Translations {
    let mut before: HashMap<&str, VecDeque<&String>> = HashMap::new();
    old.iter().for_each(|(key, value)| before.entry(key).or_default().push_back(value));
    let mut changes = Translations::default();
    for (key, to) in new {
        let message = |from: &str| Message { key: key.clone(), from: from.to_owned(), to: to.clone() };
        match before.get_mut(key.as_str()).and_then(VecDeque::pop_front) {
            Some(from) if from == to && !to.contains("[redacted:") => {
                changes.metadata.insert(MetadataChange::States);
            }
            Some(from) => changes.changed.push(message(from)),
            None => changes.added.push(message("")),
        }
    }
    for (key, _) in old {
        if let Some(from) = before.get_mut(key.as_str()).and_then(VecDeque::pop_front) {
            changes.removed.push(Message { key: key.clone(), from: from.clone(), to: String::new() });
        }
    }
    changes
}

/// The changed messages of one side.
#[derive(Debug, Default)]
struct SideMessages {
    messages: Vec<(String, String)>,
    marks: BTreeSet<MetadataChange>,
    /// A change that is neither a message nor metadata.
    other: bool,
    /// The open keys above a line, as far as the hunk shows them.
    above: Vec<String>,
}

/// The message being parsed.
#[derive(Debug, Default)]
struct OpenMessage {
    context: String,
    key: Option<String>,
    value: Option<String>,
    changed: bool,
    field: Field,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Field {
    #[default]
    None,
    Context,
    Key,
    Value,
}

impl SideMessages {
    fn parse_hunk(&mut self, hunk: &Hunk, origin: LineOrigin, format: MessageFormat) {
        let of_side = |line: &&PatchLine| line.origin == origin || line.origin == LineOrigin::Context;
        let lines = hunk.lines.iter().filter(of_side).map(|line| (line.text.trim(), line.origin == origin));
        let mut open = OpenMessage::default();
        self.above.clear();
        for (text, changed) in lines {
            match format {
                MessageFormat::Gettext => self.gettext(&mut open, text, changed),
                MessageFormat::Sources => self.source(&mut open, text, changed),
                MessageFormat::Resources => self.resource(&mut open, text, changed),
                MessageFormat::Plist => self.plist(&mut open, text, changed),
                _ => self.keyed(text, changed, format),
            }
        }
        self.close(&mut open);
    }

    fn close(&mut self, open: &mut OpenMessage) {
        let OpenMessage { context, key, value, changed, .. } = std::mem::take(open);
        // The entry with the empty text is the header; its fields were recorded as metadata.
        if !changed || key.as_deref() == Some("") || (key.is_none() && value.is_none()) {
            return;
        }
        let key = key.unwrap_or_default();
        let key = if context.is_empty() || key.is_empty() { key } else { format!("{context}: {key}") };
        self.messages.push((key, value.unwrap_or_default()));
    }

    fn gettext(&mut self, open: &mut OpenMessage, text: &str, changed: bool) {
        let string = |rest: &str| unquoted(rest).unwrap_or_default();
        if text.starts_with('#') || text.is_empty() {
            self.record_metadata(changed && !text.is_empty(), classify_comment(text));
            return;
        }
        let (field, rest) = if let Some(rest) = text.strip_prefix("msgctxt ") {
            (Field::Context, rest)
        } else if let Some(rest) = text.strip_prefix("msgid_plural ") {
            // The singular is the message's key.
            open.changed |= changed;
            open.field = if rest.is_empty() { open.field } else { Field::None };
            return;
        } else if let Some(rest) = text.strip_prefix("msgid ") {
            (Field::Key, rest)
        } else if let Some(rest) = text.strip_prefix("msgstr") {
            (Field::Value, rest.trim_start_matches(|c: char| c == '[' || c == ']' || c.is_ascii_digit()))
        } else {
            self.continued(open, text, changed);
            return;
        };
        let starts = match field {
            Field::Context => true,
            Field::Key => open.field != Field::Context,
            _ => false,
        };
        if starts {
            self.close(open);
        }
        open.field = field;
        open.changed |= changed;
        let value = string(rest);
        match field {
            Field::Context => open.context = value,
            Field::Key => open.key = Some(value),
            _ => open.value = Some(joined(open.value.take(), value)),
        }
    }

    /// Continuation string of the field above.
    fn continued(&mut self, open: &mut OpenMessage, text: &str, changed: bool) {
        let Some(value) = unquoted(text) else {
            self.other |= changed;
            return;
        };
        match open.field {
            // A field of a header that starts above the hunk.
            Field::None => self.record_metadata(changed, classify_header(&value)),
            Field::Value if open.key.as_deref() == Some("") => self.record_metadata(changed, classify_header(&value)),
            Field::Context => open.context.push_str(&value),
            Field::Key => open.key.get_or_insert_default().push_str(&value),
            Field::Value => open.value.get_or_insert_default().push_str(&value),
        }
        open.changed |= changed && open.field != Field::None;
    }

    fn source(&mut self, open: &mut OpenMessage, text: &str, changed: bool) {
        if text.starts_with("<message") || text.starts_with("<trans-unit") || text.starts_with("<unit") {
            self.close(open);
        } else if let Some(source) = element(text, "source") {
            if open.key.is_some() {
                self.close(open);
            }
            (open.key, open.changed) = (Some(source), open.changed || changed);
        } else if let Some(value) = element(text, "translation").or_else(|| element(text, "target")) {
            (open.value, open.changed) = (Some(value), open.changed || changed);
        } else if let Some(mark) = classify_tag(text) {
            self.record_metadata(changed, mark);
        } else {
            self.other |= changed && !text.is_empty();
        }
    }

    fn record_metadata(&mut self, changed: bool, mark: MetadataChange) {
        self.marks.extend(changed.then_some(mark));
    }

    fn resource(&mut self, open: &mut OpenMessage, text: &str, changed: bool) {
        let name = || text.split_once("name=\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        let begins = ["<string ", "<data ", "<plurals ", "<string-array "].iter().any(|tag| text.starts_with(tag));
        if let (true, Some(key)) = (begins, name()) {
            self.close(open);
            let value = element(text, "string");
            let closed = value.is_some();
            *open = OpenMessage { key: Some(key), value, changed, ..OpenMessage::default() };
            if closed {
                self.close(open);
            }
        } else if ["</data", "</plurals", "</string-array"].iter().any(|end| text.starts_with(end)) {
            self.close(open);
        } else if let Some(value) = element(text, "value").or_else(|| element(text, "item")) {
            if open.key.is_some() {
                open.changed |= changed;
                open.value = Some(joined(open.value.take(), value));
            } else if changed {
                // The name is above the hunk.
                self.messages.push((String::new(), value));
            }
        } else if let Some(mark) = classify_tag(text) {
            self.record_metadata(changed, mark);
        } else {
            self.other |= changed && !text.is_empty() && !text.starts_with('<');
            self.record_metadata(changed && text.starts_with('<'), MetadataChange::Layout);
        }
    }

    /// `<key>one</key>` and, below it, `<string>One item</string>`.
    fn plist(&mut self, open: &mut OpenMessage, text: &str, changed: bool) {
        if let Some(key) = element(text, "key") {
            *open = OpenMessage { key: Some(key), changed, ..OpenMessage::default() };
        } else if let Some(value) = element(text, "string") {
            (open.value, open.changed) = (Some(value), open.changed || changed);
            self.close(open);
        } else {
            self.record_metadata(changed && !text.is_empty(), classify_tag(text).unwrap_or(MetadataChange::Layout));
        }
    }

    fn keyed(&mut self, text: &str, changed: bool, format: MessageFormat) {
        let comment = ["//", "/*", "*", "#", "!"].iter().any(|mark| text.starts_with(mark));
        let pair = split(text, format).filter(|_| !comment);
        let Some((key, value)) = pair else {
            let bracket = text.chars().all(|c| "{}[](),;".contains(c));
            let section =
                text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|name| !name.is_empty());
            match section {
                Some(name) => self.above = vec![name.trim_matches(['[', ']', '"']).to_owned()],
                None if text.starts_with(['}', ']']) => self.above.truncate(self.above.len().saturating_sub(1)),
                None => {}
            }
            self.other |= changed && !comment && !bracket && section.is_none();
            self.record_metadata(changed && comment, classify_comment(text));
            return;
        };
        if value.starts_with(['{', '[']) && !value.ends_with(['}', ']']) {
            self.above.push(key);
            return;
        }
        if changed && is_attribute(&self.above, &key, format == MessageFormat::Bundle) {
            self.record_metadata(
                true,
                if key.to_lowercase().contains("modified") { MetadataChange::Dates } else { MetadataChange::Comments },
            );
        } else if changed && !value.starts_with(['{', '[']) {
            self.messages.push((metadata::path(&self.above, &key), value));
        }
    }
}

/// Key and value of a line, without delimiters.
fn split(text: &str, format: MessageFormat) -> Option<(String, String)> {
    let body = text.trim_end_matches([';', ',']);
    let (key, value) = match format {
        MessageFormat::Strings => body.split_once(" = ").or_else(|| body.split_once('='))?,
        MessageFormat::Json | MessageFormat::Bundle => body.split_once("\":").or_else(|| body.split_once("\" :"))?,
        MessageFormat::Arrows => {
            let (key, value) = body.split_once("=>")?;
            let quoted = |text: &str| text.trim().starts_with(['\'', '"']) && text.trim().ends_with(['\'', '"']);
            (quoted(key) && (quoted(value) || value.trim() == "[")).then_some((key, value))?
        }
        _ => text.split_once(" = ").or_else(|| text.split_once('=')).or_else(|| text.split_once(": "))?,
    };
    let plain = |text: &str| {
        let text = text.trim();
        let single = || text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).map(str::to_owned);
        unquoted(text).or_else(single).unwrap_or_else(|| text.to_owned())
    };
    Some((plain(key).trim_matches('"').to_owned(), plain(value)))
}

fn joined(before: Option<String>, value: String) -> String {
    match before {
        Some(before) => format!("{before} / {value}"),
        None => value,
    }
}

/// The text between quotation marks, unescaped.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\n", " ").replace("\\\"", "\"").trim().to_owned())
}

/// `<name …>text</name>`; a self-closing one is empty.
fn element(text: &str, name: &str) -> Option<String> {
    let rest = text.strip_prefix('<')?.strip_prefix(name)?;
    let (attributes, rest) = rest.split_once('>')?;
    if !(attributes.is_empty() || attributes.starts_with([' ', '/'])) {
        return None;
    }
    let inner = rest.split("</").next().unwrap_or(rest);
    let plain = inner.replace("&quot;", "\"").replace("&apos;", "'").replace("&lt;", "<").replace("&gt;", ">");
    Some(plain.replace("&amp;", "&").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::file;

    fn describe_changes(path: &str, patch: &str) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
        let all = |list: Vec<Message>| list.into_iter().map(|m| format!("{}|{}|{}", m.key, m.from, m.to)).collect();
        find_changes(&file(path, patch)).map(|changes| (all(changes.changed), all(changes.added), all(changes.removed)))
    }

    fn describe_file(text: &str) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
        Some((vec![text.to_owned()], vec![], vec![]))
    }

    const NOTHING: Option<(Vec<String>, Vec<String>, Vec<String>)> = Some((vec![], vec![], vec![]));

    fn marks(path: &str, patch: &str) -> Vec<MetadataChange> {
        let changes = find_changes(&file(path, patch)).unwrap();
        assert!(changes.is_silent(), "{changes:?}");
        changes.metadata.into_iter().collect()
    }

    #[test]
    fn what_changes_besides_messages_is_named() {
        let context = " msgid \"Cart\"\n msgstr \"Korb\"";
        assert_eq!(marks("de.po", &format!("@@\n-#: a.c:1\n+#: a.c:2\n{context}")), [MetadataChange::References]);
        assert_eq!(marks("de.po", &format!("@@\n+#, fuzzy\n{context}")), [MetadataChange::States]);
        assert_eq!(marks("de.po", &format!("@@\n+# said in the shop\n{context}")), [MetadataChange::Comments]);
        assert_eq!(marks("de.po", "@@\n-#~ msgid \"Old\"\n-#~ msgstr \"Alt\""), [MetadataChange::Obsolete]);
        let header = "@@\n msgid \"\"\n msgstr \"\"\n-\"Last-Translator: A\\n\"\n+\"Last-Translator: B\\n\"";
        assert_eq!(marks("de.po", header), [MetadataChange::Header]);
        let unfinished = "@@\n <source>Cart</source>\n-<translation type=\"unfinished\">Korb</translation>\n+<translation>Korb</translation>";
        assert_eq!(marks("app_de.ts", unfinished), [MetadataChange::States]);
        let date = "@@\n-#Mon Jan 01 10:00:00 CET 2026\n+#Tue Feb 02 10:00:00 CET 2026\n cart=Korb";
        assert_eq!(marks("i18n/messages_de.properties", date), [MetadataChange::Dates]);
        let described = "@@\n \"@cart\": {\n-  \"description\": \"Title\"\n+  \"description\": \"Heading\"\n }";
        assert_eq!(marks("lib/app_de.arb", described), [MetadataChange::Comments]);
        let modified = "@@\n-\"@@last_modified\": \"a\",\n+\"@@last_modified\": \"b\",";
        assert_eq!(marks("lib/app_de.arb", modified), [MetadataChange::Dates]);
        let comment = "@@\n <data name=\"cart\">\n   <value>Korb</value>\n-  <comment>a</comment>\n+  <comment>b</comment>\n </data>";
        assert_eq!(marks("App.de.resx", comment), [MetadataChange::Comments]);
    }

    #[test]
    fn a_message_is_kept_apart_from_those_beside_it() {
        let plurals = "<plurals name=\"n\">\n <item quantity=\"one\">eins</item>\n </plurals>";
        let first =
            format!("@@\n-<string name=\"cart\">Warenkorb</string>\n+<string name=\"cart\">Korb</string>\n {plurals}");
        assert_eq!(describe_changes("res/values-de/strings.xml", &first), describe_file("cart|Warenkorb|Korb"));
        let items = "@@\n <string name=\"cart\">Korb</string>\n <plurals name=\"n\">\n-<item quantity=\"one\">eins</item>\n+<item quantity=\"one\">ein</item>\n <item quantity=\"other\">viele</item>\n </plurals>";
        assert_eq!(describe_changes("res/values-de/strings.xml", items), describe_file("n|eins / viele|ein / viele"));
        let nameless = "@@\n-<item>a</item>\n+<item>b</item>\n <item>c</item>\n-<item>d</item>\n+<item>e</item>";
        let both = Some((vec!["|a|b".to_owned(), "|d|e".to_owned()], vec![], vec![]));
        assert_eq!(describe_changes("res/values-de/strings.xml", nameless), both);
    }

    #[test]
    fn references_and_dates_alone_change_no_message() {
        let header = "@@\n msgid \"\"\n msgstr \"\"\n-\"POT-Creation-Date: 2026-01-01\\n\"\n+\"POT-Creation-Date: 2026-02-02\\n\"";
        let moved = "@@\n-#: src/cart.c:10\n+#: src/cart.c:14\n msgid \"Cart\"\n msgstr \"Warenkorb\"";
        assert_eq!(describe_changes("de.po", &format!("{header}\n{moved}")), NOTHING);
        assert_eq!(describe_changes("de.po", "@@\n-\"PO-Revision-Date: a\\n\"\n+\"PO-Revision-Date: b\\n\""), NOTHING);
        let qt = "@@\n <message>\n-    <location filename=\"a.cpp\" line=\"1\"/>\n+    <location filename=\"a.cpp\" line=\"2\"/>\n     <source>Cart</source>";
        assert_eq!(describe_changes("de.ts", qt), NOTHING);
        let xliff =
            "@@\n-<context context-type=\"linenumber\">1</context>\n+<context context-type=\"linenumber\">2</context>";
        assert_eq!(describe_changes("de.xlf", xliff), NOTHING);
    }

    #[test]
    fn a_changed_message_is_told_in_each_format() {
        let po = "@@\n msgid \"Checkout\"\n-msgstr \"Kasse\"\n+msgstr \"Zur Kasse\"";
        assert_eq!(describe_changes("de.po", po), describe_file("Checkout|Kasse|Zur Kasse"));
        let long = "@@\n msgctxt \"menu\"\n msgid \"\"\n \"Check\"\n \"out\"\n msgstr \"\"\n-\"Kasse\"\n+\"Zur Kasse\"";
        assert_eq!(describe_changes("de.po", long), describe_file("menu: Checkout|Kasse|Zur Kasse"));
        let qt = "@@\n     <source>Checkout</source>\n-    <translation>Kasse</translation>\n+    <translation>Zur Kasse</translation>";
        assert_eq!(describe_changes("app_de.ts", qt), describe_file("Checkout|Kasse|Zur Kasse"));
        let xliff = qt.replace("translation", "target");
        assert_eq!(describe_changes("de.xliff", &xliff), describe_file("Checkout|Kasse|Zur Kasse"));
        let android = "@@\n-<string name=\"checkout\">Kasse</string>\n+<string name=\"checkout\">Zur Kasse</string>";
        assert_eq!(
            describe_changes("app/src/main/res/values-de/strings.xml", android),
            describe_file("checkout|Kasse|Zur Kasse")
        );
        let apple = "@@\n-\"checkout\" = \"Kasse\";\n+\"checkout\" = \"Zur Kasse\";";
        assert_eq!(describe_changes("de.lproj/Localizable.strings", apple), describe_file("checkout|Kasse|Zur Kasse"));
        let json = "@@\n-  \"checkout\": \"Kasse\",\n+  \"checkout\": \"Zur Kasse\",";
        assert_eq!(describe_changes("lib/app_de.arb", json), describe_file("checkout|Kasse|Zur Kasse"));
        assert_eq!(describe_changes("locales/de.json", json), describe_file("checkout|Kasse|Zur Kasse"));
        let resx = "@@\n <data name=\"checkout\" xml:space=\"preserve\">\n-  <value>Kasse</value>\n+  <value>Zur Kasse</value>";
        assert_eq!(describe_changes("App.de.resx", resx), describe_file("checkout|Kasse|Zur Kasse"));
        let plist = "@@\n <key>one</key>\n-<string>Eins</string>\n+<string>Ein</string>";
        assert_eq!(describe_changes("de.lproj/L.stringsdict", plist), describe_file("one|Eins|Ein"));
        let nested = "@@\n \"cart\": {\n-  \"title\": \"Korb\"\n+  \"title\": \"Warenkorb\"\n }";
        assert_eq!(describe_changes("messages/de.json", nested), describe_file("cart.title|Korb|Warenkorb"));
        let extension = nested.replace("title", "message");
        assert_eq!(describe_changes("_locales/de/messages.json", &extension), describe_file("cart|Korb|Warenkorb"));
        let toml = "@@\n [cart]\n-other = \"Korb\"\n+other = \"Warenkorb\"";
        assert_eq!(describe_changes("i18n/de.toml", toml), describe_file("cart|Korb|Warenkorb"));
        let php = "@@\n return [\n-    'cart' => 'Korb',\n+    'cart' => 'Warenkorb',\n ];";
        assert_eq!(describe_changes("lang/de/shop.php", php), describe_file("cart|Korb|Warenkorb"));
        let yaml = "@@\n-  checkout: Kasse\n+  checkout: Zur Kasse";
        assert_eq!(describe_changes("config/locales/de.yml", yaml), describe_file("checkout|Kasse|Zur Kasse"));
    }

    #[test]
    fn messages_that_come_and_go_are_told() {
        let pot = "@@\n-msgid \"Old\"\n-msgstr \"\"\n-\n+msgid \"New\"\n+msgstr \"\"\n+\n msgid \"Cart\"";
        assert_eq!(
            describe_changes("app.pot", pot),
            Some((vec![], vec!["New||".to_owned()], vec!["Old||".to_owned()]))
        );
    }

    #[test]
    fn what_is_no_translation_is_left_alone() {
        assert_eq!(describe_changes("src/a.ts", "@@\n-let a = 1;\n+let a = 2;"), None);
        assert_eq!(describe_changes("config/a.json", "@@\n-\"a\": \"b\"\n+\"a\": \"c\""), None);
        assert_eq!(describe_changes("src/lang/Parser.php", "@@\n-$a = 1;\n+$a = 2;"), None);
        assert_eq!(describe_changes("messages/config.json", "@@\n-\"a\": \"b\"\n+\"a\": \"c\""), None);
        assert_eq!(describe_changes("values/colors.xml", "@@\n-<color>a</color>\n+<color>b</color>"), None);
    }
}
