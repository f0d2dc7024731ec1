//! Translations: gettext, Qt, XLIFF, Apple's strings, ARB, Android's and .NET's resources, and keyed files in folders
//! of locales. References to source lines, dates and other marks of the tools say nothing about the program.

use std::collections::HashMap;

use crate::domain::patch::{FileChange, Hunk, Line, Origin};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The text to be translated, or its key; empty where the hunk does not show it.
    pub key: String,
    pub from: String,
    pub to: String,
}

/// What changed in one file; nothing at all: only marks of the tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Translations {
    pub changed: Vec<Message>,
    pub added: Vec<Message>,
    pub removed: Vec<Message>,
}

/// How a file keeps its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gettext,
    /// `<source>` and what translates it (Qt, XLIFF).
    Sources,
    /// `<string name="…">` (Android), `<data name="…">` with a `<value>` (.NET).
    Resources,
    /// `"key" = "value";`
    Strings,
    /// `"key": "value"`
    Json,
    /// `key = value`, `key: value`
    Keyed,
}

const LOCALE_DIRS: [&str; 9] =
    ["locales", "locale", "i18n", "l10n", "lang", "langs", "languages", "translations", "_locales"];

fn format(file: &FileChange) -> Option<Format> {
    let low = file.path.to_ascii_lowercase();
    let (dirs, name) = low.rsplit_once('/').unwrap_or(("", &low));
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let in_locales = || dirs.split('/').any(|dir| LOCALE_DIRS.contains(&dir));
    let in_values = || dirs.rsplit('/').next().is_some_and(|dir| dir.starts_with("values"));
    match end {
        "po" | "pot" => Some(Format::Gettext),
        "xlf" | "xliff" => Some(Format::Sources),
        "ts" if is_qt(file) => Some(Format::Sources),
        "strings" => Some(Format::Strings),
        "arb" => Some(Format::Json),
        "resx" => Some(Format::Resources),
        "xml" if in_values() && ["strings", "plurals", "arrays"].iter().any(|stem| name.starts_with(stem)) => {
            Some(Format::Resources)
        }
        "json" if in_locales() => Some(Format::Json),
        "ftl" => Some(Format::Keyed),
        "properties" if in_locales() || name.starts_with("messages") => Some(Format::Keyed),
        "yml" | "yaml" if in_locales() => Some(Format::Keyed),
        _ => None,
    }
}

/// Qt's translations share their ending with TypeScript: every line of theirs that begins something is a tag.
fn is_qt(file: &FileChange) -> bool {
    let mut lines = file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.trim());
    let tags = ["<location", "<translation", "<source>", "<message", "<TS "];
    lines.any(|line| tags.iter().any(|tag| line.starts_with(tag)))
}

/// What the file's lines say of messages; absent where it holds none, or where they say something else.
#[must_use]
pub fn of(file: &FileChange) -> Option<Translations> {
    let format = format(file)?;
    let changed = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != Origin::Context).count();
    let whole = file.insertions.zip(file.deletions).is_some_and(|(a, b)| a + b == changed as u64);
    let side = |origin| {
        let mut side = Side::default();
        file.hunks.iter().for_each(|hunk| side.read(hunk, origin, format));
        side
    };
    let (old, new) = (side(Origin::Removed), side(Origin::Added));
    let told = pair(old.messages, new.messages);
    let silent = told == Translations::default();
    (changed > 0 && !(silent && (old.other || new.other || !whole))).then_some(told)
}

fn pair(old: Vec<(String, String)>, new: Vec<(String, String)>) -> Translations {
    let mut before: HashMap<String, String> = old.iter().cloned().collect();
    let mut told = Translations::default();
    for (key, to) in new {
        match before.remove(&key) {
            Some(from) if from == to && !to.contains("[redacted:") => {}
            Some(from) => told.changed.push(Message { key, from, to }),
            None => told.added.push(Message { key, from: String::new(), to }),
        }
    }
    let removed = old.into_iter().filter(|(key, _)| before.contains_key(key));
    told.removed = removed.map(|(key, from)| Message { key, from, to: String::new() }).collect();
    told
}

/// The messages of one side of which a line changed.
#[derive(Debug, Default)]
struct Side {
    messages: Vec<(String, String)>,
    /// Something changed that is neither a message nor a mark.
    other: bool,
}

/// A message as it is being read.
#[derive(Debug, Default)]
struct Open {
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

impl Side {
    fn read(&mut self, hunk: &Hunk, origin: Origin, format: Format) {
        let of_side = |line: &&Line| line.origin == origin || line.origin == Origin::Context;
        let lines = hunk.lines.iter().filter(of_side).map(|line| (line.text.trim(), line.origin == origin));
        let mut open = Open::default();
        for (text, changed) in lines {
            match format {
                Format::Gettext => self.gettext(&mut open, text, changed),
                Format::Sources => self.source(&mut open, text, changed),
                Format::Resources => self.resource(&mut open, text, changed),
                Format::Strings | Format::Json | Format::Keyed => self.keyed(text, changed, format),
            }
        }
        self.close(&mut open);
    }

    fn close(&mut self, open: &mut Open) {
        let Open { context, key, value, changed, .. } = std::mem::take(open);
        // The entry of the empty text is the header.
        if !changed || key.as_deref() == Some("") || (key.is_none() && value.is_none()) {
            return;
        }
        let key = key.unwrap_or_default();
        let key = if context.is_empty() || key.is_empty() { key } else { format!("{context}: {key}") };
        self.messages.push((key, value.unwrap_or_default()));
    }

    fn gettext(&mut self, open: &mut Open, text: &str, changed: bool) {
        let string = |rest: &str| unquoted(rest).unwrap_or_default();
        if text.starts_with('#') || text.is_empty() {
            return;
        }
        let (field, rest) = if let Some(rest) = text.strip_prefix("msgctxt ") {
            (Field::Context, rest)
        } else if let Some(rest) = text.strip_prefix("msgid_plural ") {
            // The singular names the message.
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
        let said = string(rest);
        match field {
            Field::Context => open.context = said,
            Field::Key => open.key = Some(said),
            _ => open.value = Some(open.value.take().map_or_else(|| said.clone(), |value| format!("{value} / {said}"))),
        }
    }

    /// A string that goes on with the one above.
    fn continued(&mut self, open: &mut Open, text: &str, changed: bool) {
        let Some(said) = unquoted(text) else {
            self.other |= changed;
            return;
        };
        match open.field {
            // A field of the header, whose head the hunk does not show.
            Field::None => {}
            Field::Context => open.context.push_str(&said),
            Field::Key => open.key.get_or_insert_default().push_str(&said),
            Field::Value => open.value.get_or_insert_default().push_str(&said),
        }
        open.changed |= changed && open.field != Field::None;
    }

    fn source(&mut self, open: &mut Open, text: &str, changed: bool) {
        if text.starts_with("<message") || text.starts_with("<trans-unit") || text.starts_with("<unit") {
            self.close(open);
        } else if let Some(source) = element(text, "source") {
            if open.key.is_some() {
                self.close(open);
            }
            (open.key, open.changed) = (Some(source), open.changed || changed);
        } else if let Some(value) = element(text, "translation").or_else(|| element(text, "target")) {
            (open.value, open.changed) = (Some(value), open.changed || changed);
        } else {
            let marks = [
                "<location",
                "<context",
                "</",
                "<note",
                "<file",
                "<tool",
                "<header",
                "<TS",
                "<?",
                "<!",
                "<name",
                "<segment",
                "<xliff",
                "<body",
                "<extra",
                "<comment",
                "<oldsource",
            ];
            self.other |= changed && !text.is_empty() && !marks.iter().any(|mark| text.starts_with(mark));
        }
    }

    fn resource(&mut self, open: &mut Open, text: &str, changed: bool) {
        let name = || text.split_once("name=\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        if let (true, Some(key)) = (text.starts_with("<string ") || text.starts_with("<data "), name()) {
            self.close(open);
            let value = element(text, "string");
            *open = Open { key: Some(key), value, changed, ..Open::default() };
        } else if let Some(value) = element(text, "value").or_else(|| element(text, "item")) {
            (open.value, open.changed) = (Some(value), open.changed || changed);
            open.key.get_or_insert_default();
            if open.key.as_deref() == Some("") {
                // The name stands above what the hunk shows.
                self.messages.extend(open.changed.then(|| (String::new(), open.value.take().unwrap_or_default())));
                *open = Open::default();
            }
        } else {
            self.other |= changed && !text.is_empty() && !text.starts_with(['<']);
        }
    }

    fn keyed(&mut self, text: &str, changed: bool, format: Format) {
        if !changed || text.is_empty() {
            return;
        }
        let pair = match format {
            Format::Strings => {
                text.trim_end_matches(';').split_once(" = ").or_else(|| text.trim_end_matches(';').split_once('='))
            }
            Format::Json => text.trim_end_matches(',').split_once(':'),
            _ => text.split_once(" = ").or_else(|| text.split_once('=')).or_else(|| text.split_once(": ")),
        };
        let comment = ["//", "/*", "*", "#", "!"].iter().any(|mark| text.starts_with(mark));
        let bracket = text.chars().all(|c| "{}[],".contains(c));
        let Some((key, value)) = pair.filter(|_| !comment) else {
            self.other |= !comment && !bracket;
            return;
        };
        let plain = |text: &str| unquoted(text.trim()).unwrap_or_else(|| text.trim().to_owned());
        let (key, value) = (plain(key), plain(value));
        // What a key with `@` says of another one is for the tools.
        if !key.starts_with('@') && !value.starts_with(['{', '[']) {
            self.messages.push((key, value));
        }
    }
}

/// The text between quotation marks, its escapes aside.
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

    fn told(path: &str, patch: &str) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
        let all = |list: Vec<Message>| list.into_iter().map(|m| format!("{}|{}|{}", m.key, m.from, m.to)).collect();
        of(&file(path, patch)).map(|told| (all(told.changed), all(told.added), all(told.removed)))
    }

    fn one(text: &str) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
        Some((vec![text.to_owned()], vec![], vec![]))
    }

    const NOTHING: Option<(Vec<String>, Vec<String>, Vec<String>)> = Some((vec![], vec![], vec![]));

    #[test]
    fn references_and_dates_alone_change_no_message() {
        let header = "@@\n msgid \"\"\n msgstr \"\"\n-\"POT-Creation-Date: 2026-01-01\\n\"\n+\"POT-Creation-Date: 2026-02-02\\n\"";
        let moved = "@@\n-#: src/cart.c:10\n+#: src/cart.c:14\n msgid \"Cart\"\n msgstr \"Warenkorb\"";
        assert_eq!(told("de.po", &format!("{header}\n{moved}")), NOTHING);
        assert_eq!(told("de.po", "@@\n-\"PO-Revision-Date: a\\n\"\n+\"PO-Revision-Date: b\\n\""), NOTHING);
        let qt = "@@\n <message>\n-    <location filename=\"a.cpp\" line=\"1\"/>\n+    <location filename=\"a.cpp\" line=\"2\"/>\n     <source>Cart</source>";
        assert_eq!(told("de.ts", qt), NOTHING);
        let xliff =
            "@@\n-<context context-type=\"linenumber\">1</context>\n+<context context-type=\"linenumber\">2</context>";
        assert_eq!(told("de.xlf", xliff), NOTHING);
    }

    #[test]
    fn a_changed_message_is_told_in_each_format() {
        let po = "@@\n msgid \"Checkout\"\n-msgstr \"Kasse\"\n+msgstr \"Zur Kasse\"";
        assert_eq!(told("de.po", po), one("Checkout|Kasse|Zur Kasse"));
        let long = "@@\n msgctxt \"menu\"\n msgid \"\"\n \"Check\"\n \"out\"\n msgstr \"\"\n-\"Kasse\"\n+\"Zur Kasse\"";
        assert_eq!(told("de.po", long), one("menu: Checkout|Kasse|Zur Kasse"));
        let qt = "@@\n     <source>Checkout</source>\n-    <translation>Kasse</translation>\n+    <translation>Zur Kasse</translation>";
        assert_eq!(told("app_de.ts", qt), one("Checkout|Kasse|Zur Kasse"));
        let xliff = qt.replace("translation", "target");
        assert_eq!(told("de.xliff", &xliff), one("Checkout|Kasse|Zur Kasse"));
        let android = "@@\n-<string name=\"checkout\">Kasse</string>\n+<string name=\"checkout\">Zur Kasse</string>";
        assert_eq!(told("app/src/main/res/values-de/strings.xml", android), one("checkout|Kasse|Zur Kasse"));
        let apple = "@@\n-\"checkout\" = \"Kasse\";\n+\"checkout\" = \"Zur Kasse\";";
        assert_eq!(told("de.lproj/Localizable.strings", apple), one("checkout|Kasse|Zur Kasse"));
        let json = "@@\n-  \"checkout\": \"Kasse\",\n+  \"checkout\": \"Zur Kasse\",";
        assert_eq!(told("lib/app_de.arb", json), one("checkout|Kasse|Zur Kasse"));
        assert_eq!(told("locales/de.json", json), one("checkout|Kasse|Zur Kasse"));
        let resx = "@@\n <data name=\"checkout\" xml:space=\"preserve\">\n-  <value>Kasse</value>\n+  <value>Zur Kasse</value>";
        assert_eq!(told("App.de.resx", resx), one("checkout|Kasse|Zur Kasse"));
        let yaml = "@@\n-  checkout: Kasse\n+  checkout: Zur Kasse";
        assert_eq!(told("config/locales/de.yml", yaml), one("checkout|Kasse|Zur Kasse"));
    }

    #[test]
    fn messages_that_come_and_go_are_told() {
        let pot = "@@\n-msgid \"Old\"\n-msgstr \"\"\n-\n+msgid \"New\"\n+msgstr \"\"\n+\n msgid \"Cart\"";
        assert_eq!(told("app.pot", pot), Some((vec![], vec!["New||".to_owned()], vec!["Old||".to_owned()])));
    }

    #[test]
    fn what_is_no_translation_is_left_alone() {
        assert_eq!(told("src/a.ts", "@@\n-let a = 1;\n+let a = 2;"), None);
        assert_eq!(told("config/a.json", "@@\n-\"a\": \"b\"\n+\"a\": \"c\""), None);
        assert_eq!(told("values/colors.xml", "@@\n-<color>a</color>\n+<color>b</color>"), None);
    }
}
