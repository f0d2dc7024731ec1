//! Parser for one reflog line and its message. Messages are those of git 2.47 (`builtin/commit.c`, `sequencer.c`,
//! `builtin/{am,merge,pull,rebase,reset,checkout,clone,branch,fetch,receive-pack}.c`) and of older releases.

use jiff::Timestamp;

use super::super::commit;
use crate::domain::id::Oid;

/// `<old> <new> <name> <email> <seconds> <zone>[\t<message>]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReflogLine {
    /// `None` when the reference was created.
    pub old: Option<Oid>,
    /// `None` when it was deleted.
    pub new: Option<Oid>,
    pub at: Timestamp,
    pub message: String,
}

impl ReflogLine {
    /// `None` for a line that git would not have written.
    pub fn parse(line: &[u8]) -> Option<Self> {
        // Git omits the tab when there is no message.
        let tab = line.iter().position(|byte| *byte == b'\t').unwrap_or(line.len());
        let message = String::from_utf8_lossy(line.get(tab + 1..).unwrap_or_default()).trim_end().to_owned();
        let mut head = line[..tab].splitn(3, |byte| *byte == b' ');
        let (old, new) = (oid(head.next()?)?, oid(head.next()?)?);
        let (_, _, at) = commit::signature(head.next()?, None)?;
        Some(Self { old, new, at, message })
    }

    #[must_use]
    pub fn action(&self) -> ReflogAction {
        parse_message(&self.message)
    }

    /// Whether the line records a commit that git created at that moment, whatever `GIT_REFLOG_ACTION` calls it.
    pub fn records_commit(&self) -> bool {
        let action = self.action();
        action.makes_commit() || (action == ReflogAction::Unrecognised && !is_forward(split(&self.message).1))
    }

    /// Whether a rebase of this branch ended with this commit.
    pub fn ends_a_rebase_at(&self, tip: &Oid) -> bool {
        self.new.as_ref() == Some(tip) && self.action() == ReflogAction::Finish
    }
}

/// All zeros means no commit; anything but hex digits is invalid.
fn oid(hex: &[u8]) -> Option<Option<Oid>> {
    let hex = std::str::from_utf8(hex).ok()?;
    let is_zero = matches!(hex.len(), 40 | 64) && hex.bytes().all(|digit| digit == b'0');
    if is_zero { Some(None) } else { hex.parse().ok().map(Some) }
}

/// The action that a reflog message records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReflogAction {
    /// A commit was created; git's own wording for it.
    Committed,
    /// A commit replaced the previous one (amend).
    Amended,
    /// A patch was applied (`am`).
    Applied,
    /// A rebase moved to its base.
    Start,
    /// A rebase created a commit.
    Step(RebaseStep),
    /// A rebase finished.
    Finish,
    /// A rebase was aborted: its commits are discarded.
    Abort,
    /// The branch was reset to another commit.
    Reset,
    /// The new tip was fetched or existed before.
    Elsewhere,
    /// No recognisable action.
    Unrecognised,
}

impl ReflogAction {
    /// Whether git created the line's commit at that moment; an unlogged tool's line does not show it.
    #[must_use]
    pub fn makes_commit(self) -> bool {
        matches!(self, Self::Committed | Self::Amended | Self::Applied | Self::Step(_))
    }
}

/// The rebase step that created a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebaseStep {
    Pick,
    Reword,
    Edit,
    /// Folded the next commit into the last one (squash, fixup).
    Fold,
    Merge,
    /// Continued after a manually resolved conflict.
    Continue,
}

fn parse_message(message: &str) -> ReflogAction {
    let (action, detail) = split(message);
    let verb = action.split(' ').next().unwrap_or("");
    if verb != "commit"
        && let Some(step) = parse_rebase(action, detail)
    {
        return step;
    }
    match verb {
        "commit" if action == "commit (amend)" => ReflogAction::Amended,
        "commit" if action == "commit (rebase)" => ReflogAction::Step(RebaseStep::Continue),
        "commit" => ReflogAction::Committed,
        "cherry-pick" | "revert" if is_forward(detail) => ReflogAction::Elsewhere,
        "cherry-pick" | "revert" => ReflogAction::Committed,
        "am" if action == "am" => ReflogAction::Applied,
        "merge" | "pull" if detail.contains("Merge made by") || detail == "In-index merge" => ReflogAction::Committed,
        "merge" if !is_forward(detail) => ReflogAction::Unrecognised,
        "rebase" if action == "rebase" => parse_old_rebase(detail),
        "reset" => ReflogAction::Reset,
        "am" | "merge" | "pull" | "rebase" | "initial" | "checkout" | "clone" | "branch" | "Branch" | "fetch"
        | "push" => ReflogAction::Elsewhere,
        _ if message == "rewritten during rebase" => ReflogAction::Elsewhere,
        _ => ReflogAction::Unrecognised,
    }
}

/// `action: detail`. A refspec in the action contains a colon without a following space.
fn split(message: &str) -> (&str, &str) {
    message.split_once(": ").unwrap_or((message.strip_suffix(':').unwrap_or(message), ""))
}

fn is_forward(detail: &str) -> bool {
    detail == "fast-forward" || detail == "Fast-forward" || detail.starts_with("Fast-forward (")
}

/// `rebase (pick)`, `rebase -i (pick)`, `pull --rebase origin (pick)`, or any prefix set by `GIT_REFLOG_ACTION`.
fn parse_rebase(action: &str, detail: &str) -> Option<ReflogAction> {
    let (_, word) = action.strip_suffix(')')?.rsplit_once(" (")?;
    let step = match word {
        "start" => return Some(ReflogAction::Start),
        "finish" => return Some(ReflogAction::Finish),
        "abort" => return Some(ReflogAction::Abort),
        "reset" => return Some(ReflogAction::Elsewhere),
        "pick" => RebaseStep::Pick,
        "reword" => RebaseStep::Reword,
        "edit" => RebaseStep::Edit,
        "squash" | "fixup" => RebaseStep::Fold,
        "merge" => RebaseStep::Merge,
        "continue" => RebaseStep::Continue,
        _ => return None,
    };
    Some(if is_forward(detail) { ReflogAction::Elsewhere } else { ReflogAction::Step(step) })
}

/// Before git 2.26 a rebase wrote `rebase: <subject>` for each created commit.
fn parse_old_rebase(detail: &str) -> ReflogAction {
    if detail.starts_with("checkout ") {
        ReflogAction::Start
    } else if detail.starts_with("aborting") {
        ReflogAction::Abort
    } else if is_forward(detail) || detail.starts_with("updating ") {
        ReflogAction::Elsewhere
    } else {
        ReflogAction::Step(RebaseStep::Pick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: &str) -> String {
        digit.repeat(40)
    }

    fn line_with(message: &str) -> ReflogLine {
        ReflogLine { old: None, new: None, at: Timestamp::UNIX_EPOCH, message: message.to_owned() }
    }

    #[test]
    fn a_line_is_taken_apart() {
        let text = format!("{} {} A <weird> U <a@b> 1700000000 +0100\tcommit: a\tb", id("0"), id("a"));
        let line = ReflogLine::parse(text.as_bytes()).unwrap();
        assert_eq!((line.old, line.new.unwrap().as_str()), (None, id("a").as_str()));
        assert_eq!((line.at.as_second(), line.message.as_str()), (1_700_000_000, "commit: a\tb"));
    }

    #[test]
    fn a_line_without_message_has_no_tab() {
        let text = format!("{} {} A U <a@b> 1700000000 +0100", id("b"), id("a"));
        assert_eq!(ReflogLine::parse(text.as_bytes()).unwrap().message, "");
    }

    #[test]
    fn what_git_would_not_write_is_no_line() {
        for text in ["", "x", "a b c\td", &format!("{} {}", id("a"), id("b")), &format!("{} zz A <a> 1 +0", id("a"))] {
            assert_eq!(ReflogLine::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn commits_made_here_are_told_from_moves_and_from_silence() {
        use ReflogAction::{Abort, Amended, Applied, Committed, Elsewhere, Finish, Reset, Start, Unrecognised};
        let table = [
            ("commit: subject", Committed),
            ("commit (initial): subject", Committed),
            ("commit (merge): Merge branch 'x'", Committed),
            ("commit (cherry-pick): subject", Committed),
            ("commit (amend): subject", Amended),
            ("commit (rebase): subject", ReflogAction::Step(RebaseStep::Continue)),
            ("merge topic: Merge made by the 'ort' strategy.", Committed),
            ("pull: Merge made by the 'ort' strategy.", Committed),
            ("pull origin main:main: Merge made by the 'ort' strategy.", Committed),
            ("cherry-pick: subject", Committed),
            ("revert: Revert \"x\"", Committed),
            ("am: subject", Applied),
            ("rebase (start): checkout main", Start),
            ("rebase (pick): subject", ReflogAction::Step(RebaseStep::Pick)),
            ("rebase (squash): subject", ReflogAction::Step(RebaseStep::Fold)),
            ("rebase (fixup): subject", ReflogAction::Step(RebaseStep::Fold)),
            ("rebase -i (reword): subject", ReflogAction::Step(RebaseStep::Reword)),
            ("rebase (edit): subject", ReflogAction::Step(RebaseStep::Edit)),
            ("rebase (merge): Merge branch 'x'", ReflogAction::Step(RebaseStep::Merge)),
            ("rebase (continue): subject", ReflogAction::Step(RebaseStep::Continue)),
            ("pull --rebase origin main (pick): feat: subject", ReflogAction::Step(RebaseStep::Pick)),
            ("sync (pick): subject", ReflogAction::Step(RebaseStep::Pick)),
            ("rebase: subject", ReflogAction::Step(RebaseStep::Pick)),
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
            ("", Unrecognised),
            ("anything", Unrecognised),
            ("fast-import", Unrecognised),
            ("filter-branch: rewrite", Unrecognised),
            ("export from jj", Unrecognised),
            ("committed by a tool", Unrecognised),
        ];
        for (message, expected) in table {
            assert_eq!(parse_message(message), expected, "{message}");
        }
    }

    #[test]
    fn a_line_that_makes_a_commit_is_told_from_one_that_goes_to_it() {
        for message in
            ["merge x: Merge made by the 'ort' strategy.", "sync: Merge made by the 'ort' strategy.", "am: x"]
        {
            assert!(line_with(message).records_commit(), "{message}");
        }
        for message in ["merge x: Fast-forward", "pull: Fast-forward", "sync: Fast-forward", "reset: moving to x"] {
            assert!(!line_with(message).records_commit(), "{message}");
        }
    }
}
