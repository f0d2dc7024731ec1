//! Tags of a capture: the author's hashtags and type first, then action, technology and domain. They come from whole
//! words of the subject and from paths alone.

mod action;
mod domain;
mod technology;

use crate::domain::patch::Commit;
use crate::facts::Facts;
use crate::facts::case::Case;
use crate::text::identifiers::split_words;

/// Most tags of one capture; more would not help a search.
const MOST: usize = 5;

/// The tags of a redacted commit.
#[must_use]
pub fn of_commit(commit: &Commit, facts: &Facts) -> Vec<String> {
    let mut tags = hashtags(&commit.message);
    tags.extend(action::action_tags(commit, facts));
    if facts.case != Case::Merge {
        tags.extend(technology::of_files(&commit.patch.files).take(1).map(str::to_owned));
    }
    tags.extend(domain::domain_tags(commit.subject(), &commit.patch.files).into_iter().take(2).map(str::to_owned));
    tags.extend(technology::of_words(commit.subject()).map(str::to_owned));
    tidy(tags)
}

/// The tags of a redacted note.
#[must_use]
pub fn of_note(text: &str) -> Vec<String> {
    let mut tags = hashtags(text);
    tags.extend(domain::domain_tags(text, &[]).into_iter().take(2).map(str::to_owned));
    tags.extend(technology::of_words(text).map(str::to_owned));
    tidy(tags)
}

/// Removes duplicates and keeps the first few.
fn tidy(tags: Vec<String>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for tag in tags {
        if !tidy.contains(&tag) {
            tidy.push(tag);
        }
    }
    tidy.truncate(MOST);
    tidy
}

/// Words after `#` that are no number, no colour and no directive of a compiler.
fn hashtags(text: &str) -> Vec<String> {
    const DIRECTIVES: [&str; 14] = [
        "include", "define", "undef", "ifdef", "ifndef", "if", "elif", "else", "endif", "pragma", "error", "line",
        "region", "import",
    ];
    let tag = |word: &str| {
        let word = word.trim_start_matches(['(', '[', '"', '\'']).strip_prefix('#')?;
        let tag = word.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let wordlike = tag.starts_with(char::is_alphabetic)
            && tag.chars().count() <= 30
            && tag.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        (wordlike && !is_colour(&tag) && !DIRECTIVES.contains(&tag.as_str())).then_some(tag)
    };
    text.split_whitespace().filter_map(tag).collect()
}

fn is_colour(tag: &str) -> bool {
    matches!(tag.len(), 3 | 4 | 6 | 8) && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Removes addresses and names of packages and branches: `actions/cache` is about no cache.
fn prose(text: &str) -> String {
    text.split_whitespace().filter(|word| !word.contains('/')).collect::<Vec<_>>().join(" ")
}

/// In lower case; `LoginForm` yields `login`, `form`, and itself.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let parts = split_words(word);
        if parts.len() > 1 {
            words.extend(parts);
        }
        words.push(word.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests;
