//! Context of a commit: the author's recent notes and the ticket ids in the branch name.

/// The author's words from before the commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Manual notes of the last 30 minutes in the same repository, oldest first.
    pub notes: Vec<String>,
    /// Ticket ids in the branch name: `ABC-123`, `#42`.
    pub tickets: Vec<String>,
}

/// Parses the ticket ids in a branch name: `feature/ABC-123-login`, `42-fix-x`, `issue-42`.
#[must_use]
pub fn tickets_of_branch(branch: &str) -> Vec<String> {
    let mut tickets: Vec<String> = branch.split('/').filter_map(ticket_of_part).collect();
    tickets.dedup();
    tickets
}

/// Words that mark the following number as a ticket.
const ANNOUNCED: [&str; 9] = ["issue", "issues", "gh", "fix", "fixes", "bug", "ticket", "task", "pr"];

fn ticket_of_part(part: &str) -> Option<String> {
    let words: Vec<&str> = part.split(['-', '_', '#']).filter(|word| !word.is_empty()).collect();
    let number =
        |word: &&str| word.len() <= 7 && word.bytes().all(|byte| byte.is_ascii_digit()) && !word.starts_with('0');
    let at = words.iter().position(number)?;
    let before = at.checked_sub(1).and_then(|before| words.get(before));
    match before {
        Some(key) if is_key(key) && at == 1 => Some(format!("{key}-{}", words[at])),
        Some(word) if at == 1 && ANNOUNCED.contains(&word.to_ascii_lowercase().as_str()) => {
            Some(format!("#{}", words[at]))
        }
        None if is_ticket_first(&words) => Some(format!("#{}", words[at])),
        _ => None,
    }
}

/// `ABC` of `ABC-123`; a standard's name with its number (`UTF-8`) is no ticket.
fn is_key(word: &str) -> bool {
    let capitals = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let standard = matches!(word, "UTF" | "ISO" | "RFC" | "SHA" | "MD" | "AES" | "HTTP" | "TLS" | "PEP" | "CVE" | "V");
    (2..=10).contains(&word.len()) && capitals && word.starts_with(|c: char| c.is_ascii_uppercase()) && !standard
}

/// `42-fix-x`: a number before at least two words, unless the first is a word that numbers count.
fn is_ticket_first(words: &[&str]) -> bool {
    let counted = |word: &str| {
        ["factor", "column", "columns", "step", "steps", "way", "d", "page", "pages", "phase", "bit", "th", "x"]
            .contains(&word.to_ascii_lowercase().as_str())
    };
    let year = words[0].len() == 4 && (words[0].starts_with("19") || words[0].starts_with("20"));
    words.len() >= 3 && !year && !counted(words[1]) && words[1].starts_with(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_names_its_ticket() {
        for (branch, ticket) in [
            ("feature/ABC-123-login", "ABC-123"),
            ("ABC-7", "ABC-7"),
            ("jane/PROJ2-1041_retry", "PROJ2-1041"),
            ("42-fix-x", "#42"),
            ("bugfix/1234-broken-login", "#1234"),
            ("issue-42", "#42"),
            ("fix/issue_42_login", "#42"),
            ("gh-9", "#9"),
            ("fix-77", "#77"),
            ("issue-#42", "#42"),
        ] {
            assert_eq!(tickets_of_branch(branch), [ticket], "{branch}");
        }
    }

    #[test]
    fn other_numbers_are_no_tickets() {
        for branch in [
            "main",
            "release/1.2",
            "release-42",
            "v2",
            "2-factor-auth",
            "2024-10-cleanup",
            "2026-budget-page",
            "add-utf-8",
            "UTF-8-names",
            "SHA-256-sums",
            "python-3-support",
            "fix-login-404",
            "404-page-missing",
            "dependabot/npm_and_yarn/lodash-4.17.21",
            "0-day-fix",
            "42",
            "",
            "//--",
            "ärger-7",
        ] {
            assert!(tickets_of_branch(branch).is_empty(), "{branch}: {:?}", tickets_of_branch(branch));
        }
    }
}
