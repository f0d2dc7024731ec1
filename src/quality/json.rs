//! Unwraps unrequested JSON answers: complete, truncated, doubly encoded, after a greeting.

use crate::phrase_list;
use crate::text::words::PhraseList;
use serde_json::Value;

/// Keys of the text in a wrapper, in lower case and without hyphens and underscores.
static KEYS: PhraseList = phrase_list!("json_keys");
/// Maximum nesting of wrappers: a doubly encoded object in an argument of a call.
const DEPTH: u8 = 5;

/// Unwraps `{"summary": "…"}`, `["…"]`, a JSON string, and the object after a preamble.
pub(super) fn without_json(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return if value.is_number() { None } else { words_of(&value, DEPTH) };
    }
    if text.starts_with(['{', '[']) {
        return first_value(text).and_then(|value| words_of(&value, DEPTH)).or_else(|| cut_off(text));
    }
    embedded(text)
}

/// The first complete value; the rest is chatter.
fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok().filter(|value| !value.is_number())
}

/// `Here you go: {"summary": "…"}`: an object with a known key at a line's start or after a colon.
fn embedded(text: &str) -> Option<String> {
    let start = text.match_indices('{').map(|(at, _)| at).find(|at| {
        let before = text[..*at].trim_end_matches(' ');
        let opens = before.ends_with(['\n', ':']) || text[..*at].ends_with('\n');
        opens && text[*at + 1..].trim_start().starts_with(['"', '\''])
    })?;
    let rest = &text[start..];
    match first_value(rest) {
        Some(value) => text_field(&value).and_then(|inner| words_of(inner, DEPTH)),
        None => cut_off(rest),
    }
}

fn text_field(value: &Value) -> Option<&Value> {
    let fields = value.as_object()?;
    KEYS.iter().find_map(|key| fields.iter().find(|(name, _)| is_key(name, key))).map(|(_, value)| value)
}

fn is_key(name: &str, key: &str) -> bool {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).eq(key.chars())
}

fn words_of(value: &Value, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[', '"']) => {
            let inner = serde_json::from_str::<Value>(text.trim()).ok();
            inner.and_then(|value| words_of(&value, depth)).or_else(|| Some(text.clone()))
        }
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().filter_map(|item| words_of(item, depth)).collect();
            (!words.is_empty()).then(|| words.join("\n"))
        }
        Value::Object(fields) => text_field(value).or(fields.values().next()).and_then(|inner| words_of(inner, depth)),
        _ => None,
    }
}

/// For truncated or invalid JSON (single quotes): the text under the first known key, or an array's first.
fn cut_off(text: &str) -> Option<String> {
    if let Some(list) = text.strip_prefix('[') {
        return string(list.trim_start()).map(|(text, _)| text);
    }
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let (name, length) = string(&rest[at..])?;
        rest = &rest[at + length..];
        let Some(value) = rest.trim_start().strip_prefix(':').map(str::trim_start) else { continue };
        if KEYS.iter().any(|key| is_key(&name, key)) {
            return string(value.trim_start_matches(['[', '{', ' ', '\n'])).map(|(text, _)| text);
        }
    }
    None
}

/// The string at the start, and its length in bytes. An unterminated one counts up to its last complete sentence.
fn string(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                't' => ' ',
                'u' => '\u{fffd}',
                other => other,
            }),
            _ if c == quote => return Some((value, at + c.len_utf8())),
            _ => value.push(c),
        }
    }
    let end = crate::text::sentences::ends(&value).pop()?;
    value.truncate(end);
    Some((value, text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_of_all_shapes_are_unwrapped() {
        for text in [
            r#"{"summary": "Adds a."}"#,
            r#"{"Commit-Message": "Adds a."}"#,
            r#"{"type":"x","summary":{"text":"Adds a."}}"#,
            r#"["Adds a."]"#,
            r#""Adds a.""#,
            r#""{\"summary\": \"Adds a.\"}""#,
            r#"{"name":"f","arguments":"{\"message\":\"Adds a.\"}"}"#,
            r#"{"summary": "Adds a."} That is it."#,
            r#"{"summary": "Adds a. Remo"#,
            r#"{"summary": "Adds a.", "files": ["#,
            r#"{'summary': 'Adds a.'}"#,
            r#"["Adds a.", "Remo"#,
            "Here you go:\n{\"summary\": \"Adds a.\"}\nBye.",
        ] {
            assert_eq!(without_json(text).as_deref(), Some("Adds a."), "{text}");
        }
    }

    #[test]
    fn sentences_that_hold_json_stay() {
        for text in ["Changes the default to {\"a\": 1}.", "Sets it: {\"a\": \"b\"}", "42", "Adds {x}", "{"] {
            assert_eq!(without_json(text), None, "{text}");
        }
    }
}
