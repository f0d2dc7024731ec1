//! Front matter for site generators: every text is a quoted scalar, every page is a draft.

use super::draft_page::DraftPage;

/// Longest title and number of tags that dev.to takes.
const DEVTO_TITLE: usize = 128;

/// Hugo: YAML between dashes.
#[must_use]
pub fn hugo(page: &DraftPage<'_>) -> String {
    yaml(&[
        ("title", quoted(page.title)),
        ("date", page.date()),
        ("draft", "true".to_owned()),
        ("slug", quoted(&page.slug)),
        ("description", quoted(&page.description)),
        ("tags", list(&page.tags)),
    ])
}

/// Jekyll, which calls a draft unpublished outside of its `_drafts`.
#[must_use]
pub fn jekyll(page: &DraftPage<'_>) -> String {
    yaml(&[
        ("layout", "post".to_owned()),
        ("title", quoted(page.title)),
        ("date", page.date()),
        ("published", "false".to_owned()),
        ("slug", quoted(&page.slug)),
        ("description", quoted(&page.description)),
        ("tags", list(&page.tags)),
    ])
}

/// Zola: TOML, and an error for any key that it does not know or taxonomy that the site does not declare; so the tags
/// are extra values.
#[must_use]
pub fn zola(page: &DraftPage<'_>) -> String {
    format!(
        "+++\ntitle = {}\ndate = {}\ndraft = true\nslug = {}\ndescription = {}\n[extra]\ntags = {}\n+++\n\n",
        quoted(page.title),
        page.date(),
        quoted(&page.slug),
        quoted(&page.description),
        list(&page.tags)
    )
}

/// Astro, under the names of its blog template.
#[must_use]
pub fn astro(page: &DraftPage<'_>) -> String {
    yaml(&[
        ("title", quoted(page.title)),
        ("description", quoted(&page.description)),
        ("pubDate", page.date()),
        ("draft", "true".to_owned()),
        ("slug", quoted(&page.slug)),
        ("tags", list(&page.tags)),
    ])
}

/// dev.to: four tags of lowercase letters and digits at most.
#[must_use]
pub fn devto(page: &DraftPage<'_>) -> String {
    let title: String = page.title.chars().take(DEVTO_TITLE).collect();
    let tag = |tag: &String| tag.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let tags: Vec<String> = page.tags.iter().map(tag).filter(|tag| !tag.is_empty()).take(4).collect();
    yaml(&[
        ("title", quoted(&title)),
        ("published", "false".to_owned()),
        ("description", quoted(&page.description)),
        ("tags", quoted(&tags.join(", "))),
    ])
}

fn yaml(fields: &[(&str, String)]) -> String {
    let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("---\n{lines}---\n\n")
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// `text` as a double-quoted scalar of YAML 1.1 and 1.2, a basic string of TOML and a string of JSON at once. What one
/// of them does not take as it is (control characters, Unicode's line ends, the byte-order mark, noncharacters) is
/// escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quoted_text_means_itself_in_toml_and_in_json_which_is_yaml(text in "(?s).{0,40}") {
            let quoted = quoted(&text);
            prop_assert!(!quoted.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text.clone());
            let table: toml::Table = format!("a = {quoted}").parse().unwrap();
            prop_assert_eq!(table["a"].as_str().unwrap(), text);
        }
    }
}
