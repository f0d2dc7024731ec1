//! Sentence for a merge commit, from git's own subjects, those of GitHub, GitLab, Bitbucket, Azure DevOps and Gitea, or
//! a custom one.

use super::phrase::{list_up_to, one_line, path};

/// Limit of named conflicts; more are counted.
const CONFLICTS: usize = 3;

/// The sentence, without its full stop. It always identifies a merge: `Merges branch 'x'`, `Merges pull request #12
/// from team/x: Retry on timeout`, and around a custom subject `Merges “feat: add x (#12)”`.
#[must_use]
pub fn merge_sentence(subject: &str, body: &str, parents: usize) -> String {
    let subject = one_line(subject);
    let sentence = match merged(&subject) {
        Some(what) => add_request_title(what, body),
        None if subject.is_empty() && parents > 2 => format!("Merges {} branches", parents - 1),
        None if subject.is_empty() => "Merges a branch".to_owned(),
        None => format!("Merges “{subject}”"),
    };
    let conflicts = conflicts(body);
    if conflicts.is_empty() {
        return sentence;
    }
    format!("{sentence}, resolving conflicts in {}", list_up_to(CONFLICTS, conflicts, true))
}

/// The text after the merge verb of a subject.
fn merged(subject: &str) -> Option<&str> {
    // Merge queues: `Auto merge of #12 - team:topic, r=team`.
    let queued = ["Auto merge of ", "Rollup merge of ", "Automatic merge of "].iter();
    if let Some(what) = queued.filter_map(|start| subject.strip_prefix(start)).find(|what| what.starts_with('#')) {
        return Some(what);
    }
    let (verb, what) = subject.split_once(' ')?;
    let verb = verb.trim_end_matches(':').to_lowercase();
    let what = what.strip_prefix("in ").filter(|_| verb == "merged").unwrap_or(what);
    matches!(verb.as_str(), "merge" | "merges" | "merged" | "merging").then_some(what)
}

/// Adds title and number of the pull request, if the forge writes them into the body.
fn add_request_title(what: &str, body: &str) -> String {
    let request = body.lines().find_map(|line| line.trim().strip_prefix("See merge request "));
    let number = request.and_then(|name| name.rfind('!').map(|at| &name[at..]));
    // Gitea has the title in the subject already; so does Azure DevOps, without the words "pull request".
    let is_titled = what.starts_with("pull request '");
    let of_forge = request.is_some() || what.starts_with('#') || what.contains("pull request ") && !is_titled;
    let title = body.lines().map(one_line).find(|line| !line.is_empty()).filter(|line| of_forge && is_title(line));
    let number = number.map(|number| format!(" ({number})")).unwrap_or_default();
    let title = title.map(|title| format!(": {title}")).unwrap_or_default();
    format!("Merges {what}{title}{number}")
}

/// Prose: neither a trailer nor a list nor text added by a forge.
fn is_title(line: &str) -> bool {
    let trailer = line.split_once(": ").is_some_and(|(key, _)| {
        key.contains('-') && key.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
            || key.to_lowercase().ends_with("work items")
    });
    let lower = line.to_lowercase();
    let added =
        ["see merge request ", "closes #", "fixes #", "conflicts:"].iter().any(|start| lower.starts_with(start));
    !(trailer || added || line.starts_with(['*', '-', '#', '>']) || line.ends_with(':'))
}

/// The conflicting files listed by git, commented out or not.
fn conflicts(body: &str) -> Vec<String> {
    let bare = |line: &'_ str| line.trim_start_matches('#').trim().to_owned();
    let listed = body.lines().skip_while(|line| bare(line) != "Conflicts:").skip(1);
    listed
        .take_while(|line| line.trim_start_matches('#').starts_with(['\t', ' ']))
        .map(|line| path(&bare(line)))
        .filter(|path| !path.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_merge_says_that_it_is_one() {
        for (subject, body, expected) in [
            ("Merge branch 'topic' into main", "", "Merges branch 'topic' into main"),
            ("Merge branches 'a', 'b' and 'c'", "", "Merges branches 'a', 'b' and 'c'"),
            ("Merge remote-tracking branch 'origin/main'", "Some words", "Merges remote-tracking branch 'origin/main'"),
            ("Merge commit '1234abc'", "", "Merges commit '1234abc'"),
            ("feat: add c (#179)", "", "Merges “feat: add c (#179)”"),
            ("wip", "", "Merges “wip”"),
            ("Bring in the new parser", "It is faster.", "Merges “Bring in the new parser”"),
            ("merge: the new parser", "", "Merges the new parser"),
            ("Merging feature x", "", "Merges feature x"),
            ("Mergesort is stable now", "", "Merges “Mergesort is stable now”"),
            ("", "", "Merges a branch"),
        ] {
            assert_eq!(merge_sentence(subject, body, 2), expected);
        }
        assert_eq!(merge_sentence("", "", 4), "Merges 3 branches");
    }

    #[test]
    fn a_forges_title_and_number_are_told() {
        for (subject, body, expected) in [
            (
                "Merge pull request #12 from team/topic",
                "Retry on timeout",
                "Merges pull request #12 from team/topic: Retry on timeout",
            ),
            (
                "Merge pull request #12 from team/topic",
                "Co-authored-by: A U Thor <author@example.org>",
                "Merges pull request #12 from team/topic",
            ),
            (
                "Auto merge of #12 - team:topic, r=team",
                "Retry on timeout\n\nIt was asked for.",
                "Merges #12 - team:topic, r=team: Retry on timeout",
            ),
            (
                "Merge branch 'topic' into 'main'",
                "Retry on timeout\n\nCloses #7\n\nSee merge request team/shop!12",
                "Merges branch 'topic' into 'main': Retry on timeout (!12)",
            ),
            (
                "Merge branch 'topic' into 'main'",
                "See merge request team/shop!12",
                "Merges branch 'topic' into 'main' (!12)",
            ),
            (
                "Merged in topic (pull request #12)",
                "Retry on timeout\n\n* Add a timeout\n\nApproved-by: A U Thor",
                "Merges topic (pull request #12): Retry on timeout",
            ),
            (
                "Merge pull request #12 in SHOP/api from topic to main",
                "* commit '1234abc':\n  Retry on timeout",
                "Merges pull request #12 in SHOP/api from topic to main",
            ),
            ("Merged PR 12: Retry on timeout", "Related work items: #7", "Merges PR 12: Retry on timeout"),
            (
                "Merge pull request 'Retry on timeout' (#12) from topic into main",
                "Reviewed-on: https://example.org/team/shop/pulls/12",
                "Merges pull request 'Retry on timeout' (#12) from topic into main",
            ),
        ] {
            assert_eq!(merge_sentence(subject, body, 2), expected);
        }
    }

    #[test]
    fn resolved_conflicts_are_told() {
        let summary = |body: &str| merge_sentence("Merge branch 'topic'", body, 2);
        let both = "Merges branch 'topic', resolving conflicts in a.py and src/b.py";
        assert_eq!(summary("# Conflicts:\n#\ta.py\n#\tsrc/b.py\n"), both);
        assert_eq!(summary("Some words.\n\nConflicts:\n\ta.py\n\tsrc/b.py\n\nSigned-off-by: A U Thor"), both);
        assert_eq!(summary("# Conflicts:\n\nNone."), "Merges branch 'topic'");
    }
}
