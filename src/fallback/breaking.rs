//! Sentence about breaking changes.

use super::phrase::{code, list, path, sentence, uncapitalized};
use crate::facts::Facts;
use crate::facts::breaking::BreakingHint;

/// The sentence, without its full stop; `None` without hints.
pub fn breaking_sentence(facts: &Facts, lead: &str) -> Option<String> {
    let declared = facts
        .breaking
        .iter()
        .find_map(|hint| if let BreakingHint::Declared(words) = hint { Some(words) } else { None });
    match declared {
        Some(words) if words.is_empty() || lead.contains(words.trim_end_matches('.')) => {
            Some("A breaking change, as its author says".to_owned())
        }
        Some(words) => Some(format!("Breaking: {}", sentence(words))),
        None => hints(facts, lead),
    }
}

/// Only removed lines contain the name: it was removed here, but may be defined elsewhere.
fn hints(facts: &Facts, lead: &str) -> Option<String> {
    let mut removed: Vec<String> = Vec::new();
    let mut migrations: Vec<String> = Vec::new();
    for hint in &facts.breaking {
        match hint {
            BreakingHint::Flag(name) | BreakingHint::Variable(name) if !lead.contains(name.as_str()) => {
                removed.push(code(name));
            }
            BreakingHint::Migration(file) => migrations.push(path(file)),
            _ => {}
        }
    }
    let removed = (!removed.is_empty()).then(|| format!("Removes lines that name {}", list(&removed)));
    let migrations = match migrations.as_slice() {
        [] => None,
        [one] => Some(format!("Adds the migration {one}")),
        [first, rest @ ..] => Some(format!("Adds {} migrations from {first} on", rest.len() + 1)),
    };
    match (removed, migrations) {
        (Some(removed), Some(migrations)) => Some(format!("{removed} and {}", uncapitalized(&migrations))),
        (removed, migrations) => removed.or(migrations),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::domain::patch::{Change, FileChange};
    use crate::facts;
    use crate::facts::sample::{commit, file, named};

    fn breaking_text(message: &str, files: Vec<FileChange>) -> Option<String> {
        breaking_sentence(
            &facts::extract_facts(&commit(message, files), &SystemClock),
            message.lines().next().unwrap_or(""),
        )
    }

    #[test]
    fn the_authors_words_are_kept() {
        assert_eq!(breaking_text("feat!: drop x", vec![]).as_deref(), Some("A breaking change, as its author says"));
        let message = "feat: x\n\nBREAKING CHANGE: The file is gone.";
        assert_eq!(breaking_text(message, vec![]).as_deref(), Some("Breaking: The file is gone."));
    }

    #[test]
    fn hints_claim_no_more_than_the_lines_show() {
        let flag = file("src/a.rs", "@@\n-    \"--select\"\n-    env::var(\"APP_HOME\")");
        assert_eq!(
            breaking_text("Tidy the arguments", vec![flag.clone()]).as_deref(),
            Some("Removes lines that name `--select` and `APP_HOME`")
        );
        assert_eq!(breaking_text("Drop --select and APP_HOME", vec![flag]), None);
        let migration = named("migrations/1.sql", Change::Added);
        assert_eq!(breaking_text("x", vec![migration]).as_deref(), Some("Adds the migration migrations/1.sql"));
    }
}
