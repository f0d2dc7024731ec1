//! Reflog message parser. Messages are those of git 2.47 (`builtin/commit.c`, `sequencer.c`,
//! `builtin/{am,merge,pull,rebase,reset,checkout,clone,branch,fetch,receive-pack}.c`) and of older releases.

/// The action that a reflog message records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// A commit was created; git's own wording for it.
    Made,
    /// A commit replaced the previous one (amend).
    Amended,
    /// A patch was applied (`am`).
    Applied,
    /// A rebase moved to its base.
    Start,
    /// A rebase created a commit.
    Step(Step),
    /// A rebase finished.
    Finish,
    /// A rebase was aborted: its commits are discarded.
    Abort,
    /// The branch was reset to another commit.
    Reset,
    /// The new tip was fetched or existed before.
    Elsewhere,
    /// No recognisable action.
    Nothing,
}

/// The rebase step that created a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Pick,
    Reword,
    Edit,
    /// Folded the next commit into the last one (squash, fixup).
    Fold,
    Merge,
    /// Continued after a manually resolved conflict.
    Continue,
}

/// Parses a message.
#[must_use]
pub fn read(message: &str) -> Said {
    let (action, detail) = split(message);
    let verb = action.split(' ').next().unwrap_or("");
    if verb != "commit"
        && let Some(said) = of_rebase(action, detail)
    {
        return said;
    }
    match verb {
        "commit" if action == "commit (amend)" => Said::Amended,
        "commit" if action == "commit (rebase)" => Said::Step(Step::Continue),
        "commit" => Said::Made,
        "cherry-pick" | "revert" if is_forward(detail) => Said::Elsewhere,
        "cherry-pick" | "revert" => Said::Made,
        "am" if action == "am" => Said::Applied,
        "merge" | "pull" if detail.contains("Merge made by") || detail == "In-index merge" => Said::Made,
        "merge" if !is_forward(detail) => Said::Nothing,
        "rebase" if action == "rebase" => of_old_rebase(detail),
        "reset" => Said::Reset,
        "am" | "merge" | "pull" | "rebase" | "initial" | "checkout" | "clone" | "branch" | "Branch" | "fetch"
        | "push" => Said::Elsewhere,
        _ if message == "rewritten during rebase" => Said::Elsewhere,
        _ => Said::Nothing,
    }
}

/// Whether the line records a commit that git created at that moment, whatever `GIT_REFLOG_ACTION` calls it.
#[must_use]
pub fn makes(message: &str) -> bool {
    match read(message) {
        Said::Made | Said::Amended | Said::Applied | Said::Step(_) => true,
        Said::Nothing => !is_forward(split(message).1),
        Said::Start | Said::Finish | Said::Abort | Said::Reset | Said::Elsewhere => false,
    }
}

#[cfg(test)]
/// The text after the action: the commit's subject, for an action that created one.
#[must_use]
pub fn subject(message: &str) -> &str {
    split(message).1
}

/// `action: detail`. A refspec in the action contains a colon without a following space.
fn split(message: &str) -> (&str, &str) {
    message.split_once(": ").unwrap_or((message.strip_suffix(':').unwrap_or(message), ""))
}

fn is_forward(detail: &str) -> bool {
    detail == "fast-forward" || detail == "Fast-forward" || detail.starts_with("Fast-forward (")
}

/// `rebase (pick)`, `rebase -i (pick)`, `pull --rebase origin (pick)`, or any prefix set by `GIT_REFLOG_ACTION`.
fn of_rebase(action: &str, detail: &str) -> Option<Said> {
    let (_, word) = action.strip_suffix(')')?.rsplit_once(" (")?;
    let step = match word {
        "start" => return Some(Said::Start),
        "finish" => return Some(Said::Finish),
        "abort" => return Some(Said::Abort),
        "reset" => return Some(Said::Elsewhere),
        "pick" => Step::Pick,
        "reword" => Step::Reword,
        "edit" => Step::Edit,
        "squash" | "fixup" => Step::Fold,
        "merge" => Step::Merge,
        "continue" => Step::Continue,
        _ => return None,
    };
    Some(if is_forward(detail) { Said::Elsewhere } else { Said::Step(step) })
}

/// Before git 2.26 a rebase wrote `rebase: <subject>` for each created commit.
fn of_old_rebase(detail: &str) -> Said {
    if detail.starts_with("checkout ") {
        Said::Start
    } else if detail.starts_with("aborting") {
        Said::Abort
    } else if is_forward(detail) || detail.starts_with("updating ") {
        Said::Elsewhere
    } else {
        Said::Step(Step::Pick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_made_here_are_told_from_moves_and_from_silence() {
        use Said::{Abort, Amended, Applied, Elsewhere, Finish, Made, Nothing, Reset, Start};
        let table = [
            ("commit: subject", Made),
            ("commit (initial): subject", Made),
            ("commit (merge): Merge branch 'x'", Made),
            ("commit (cherry-pick): subject", Made),
            ("commit (amend): subject", Amended),
            ("commit (rebase): subject", Said::Step(Step::Continue)),
            ("merge topic: Merge made by the 'ort' strategy.", Made),
            ("pull: Merge made by the 'ort' strategy.", Made),
            ("pull origin main:main: Merge made by the 'ort' strategy.", Made),
            ("cherry-pick: subject", Made),
            ("revert: Revert \"x\"", Made),
            ("am: subject", Applied),
            ("rebase (start): checkout main", Start),
            ("rebase (pick): subject", Said::Step(Step::Pick)),
            ("rebase (squash): subject", Said::Step(Step::Fold)),
            ("rebase (fixup): subject", Said::Step(Step::Fold)),
            ("rebase -i (reword): subject", Said::Step(Step::Reword)),
            ("rebase (edit): subject", Said::Step(Step::Edit)),
            ("rebase (merge): Merge branch 'x'", Said::Step(Step::Merge)),
            ("rebase (continue): subject", Said::Step(Step::Continue)),
            ("pull --rebase origin main (pick): feat: subject", Said::Step(Step::Pick)),
            ("sync (pick): subject", Said::Step(Step::Pick)),
            ("rebase: subject", Said::Step(Step::Pick)),
            ("rebase (finish): returning to refs/heads/x", Finish),
            ("rebase (finish): refs/heads/x onto abc", Finish),
            ("pull --rebase (finish): returning to refs/heads/x", Finish),
            ("rebase (abort): returning to refs/heads/x", Abort),
            ("rebase: aborting", Abort),
            ("rebase (reset): 'onto'", Elsewhere),
            ("rebase (pick): fast-forward", Elsewhere),
            ("rebase: fast-forward", Elsewhere),
            ("rewritten during rebase", Elsewhere),
            ("rebase finished: refs/heads/x onto abc", Elsewhere),
            ("rebase: checkout main", Start),
            ("cherry-pick: fast-forward", Elsewhere),
            ("checkout: moving from a to b", Elsewhere),
            ("reset: moving to HEAD~1", Reset),
            ("merge topic: Fast-forward", Elsewhere),
            ("pull: Fast-forward", Elsewhere),
            ("pull origin main:main: Fast-forward", Elsewhere),
            ("initial pull", Elsewhere),
            ("clone: from https://example.org/x", Elsewhere),
            ("branch: Created from HEAD", Elsewhere),
            ("branch: Reset to main", Elsewhere),
            ("Branch: renamed refs/heads/x to refs/heads/y", Elsewhere),
            ("fetch . a:b: fast-forward", Elsewhere),
            ("push", Elsewhere),
            ("am --abort", Elsewhere),
            ("", Nothing),
            ("anything", Nothing),
            ("fast-import", Nothing),
            ("filter-branch: rewrite", Nothing),
            ("export from jj", Nothing),
            ("committed by a tool", Nothing),
        ];
        for (message, said) in table {
            assert_eq!(read(message), said, "{message}");
        }
    }

    #[test]
    fn a_line_that_makes_a_commit_is_told_from_one_that_goes_to_it() {
        for message in
            ["merge x: Merge made by the 'ort' strategy.", "sync: Merge made by the 'ort' strategy.", "am: x"]
        {
            assert!(makes(message), "{message}");
        }
        for message in ["merge x: Fast-forward", "pull: Fast-forward", "sync: Fast-forward", "reset: moving to x"] {
            assert!(!makes(message), "{message}");
        }
    }

    #[test]
    fn the_subject_follows_the_first_colon_with_a_blank() {
        assert_eq!(subject("commit: feat: add it"), "feat: add it");
        assert_eq!(subject("commit:"), "");
    }
}
