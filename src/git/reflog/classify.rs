//! Classifies the lines of one reflog as reference changes. Pure: what needs the object database becomes a question.

use std::ops::Range;

use jiff::Timestamp;

use super::RefChange;
use super::line::ReflogLine;
use super::line::{RebaseStep, ReflogAction};
use crate::domain::id::Oid;

/// The classification of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryChange {
    /// Index of the line.
    pub line: usize,
    pub at: Timestamp,
    pub change: RefChange,
}

/// An open question that the lines alone cannot answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenQuestion {
    /// Whether the commit of this line was put on the old one or replaced it (a rebase step with reword or continue).
    Replaced { line: usize },
    /// Whether the commit of this line has the message of one between `base` and `tip`, which was reset away.
    Recommitted { line: usize, base: Oid, tip: Oid },
    /// Which rebased commit each step corresponds to.
    Rebased(Rebase),
    /// These lines record commits that an aborted rebase discarded.
    Aborted(Range<usize>),
}

impl OpenQuestion {
    /// The line concerned, if it is a single one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Replaced { line } | Self::Recommitted { line, .. } => Some(*line),
            Self::Rebased(_) | Self::Aborted(_) => None,
        }
    }
}

/// A finished rebase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebase {
    /// The line that ended it.
    pub line: usize,
    pub at: Timestamp,
    /// HEAD before the rebase; not the branch's old tip when the rebase switched branches first.
    pub from: Oid,
    pub to: Oid,
    /// `refs/heads/x`, unless HEAD was detached.
    pub branch: Option<String>,
    pub steps: Vec<RebasedCommit>,
}

/// A commit that a rebase created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebasedCommit {
    pub oid: Oid,
    /// The commit that it was put on or folded into.
    pub old: Option<Oid>,
    /// Folded another commit into the last one.
    pub folds: bool,
    /// Replaced the last one: folded or amended.
    pub in_place: bool,
}

/// The classified lines of one log and the open questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassifiedLog {
    pub changes: Vec<EntryChange>,
    pub questions: Vec<OpenQuestion>,
}

/// Classifies the lines from `fresh` on; earlier lines are known and serve as context.
#[must_use]
pub fn classify_lines(lines: &[ReflogLine], fresh: usize) -> ClassifiedLog {
    let mut log = ClassifiedLog::default();
    let mut started = None;
    for (index, line) in lines.iter().enumerate() {
        let action = line.action();
        if index >= fresh {
            log.changes.extend(classify_line(index, line, action));
            log.questions.extend(open_question(lines, index, action));
            log.questions.extend(started.and_then(|start| question_at_rebase_end(lines, start, index)));
        }
        started = match action {
            ReflogAction::Start => Some(index),
            _ if ends(line, action) => None,
            _ => started,
        };
    }
    log
}

/// Whether a rebase ends in the fresh lines but began before the first of these lines.
#[must_use]
pub fn lacks_rebase_start(lines: &[ReflogLine], fresh: usize) -> bool {
    let actions: Vec<ReflogAction> = lines.iter().map(ReflogLine::action).collect();
    let end =
        actions.iter().skip(fresh).position(|action| matches!(action, ReflogAction::Finish | ReflogAction::Abort));
    end.is_some_and(|end| {
        !actions[..fresh + end].iter().any(|action| matches!(action, ReflogAction::Start | ReflogAction::Finish))
    })
}

fn classify_line(index: usize, line: &ReflogLine, action: ReflogAction) -> Option<EntryChange> {
    let to = line.new.clone()?;
    if line.old.as_ref() == Some(&to) {
        return None;
    }
    let from = line.old.clone();
    let made = |replaces: Option<Oid>, step| RefChange::Committed {
        oid: to.clone(),
        replaces: replaces.into_iter().collect(),
        step,
    };
    let ref_update = match action {
        ReflogAction::Committed => made(None, false),
        ReflogAction::Amended => made(from, false),
        ReflogAction::Step(RebaseStep::Fold) => made(from, true),
        ReflogAction::Applied | ReflogAction::Step(_) => made(None, true),
        ReflogAction::Unrecognised => RefChange::UnloggedMove { from, to },
        ReflogAction::Start
        | ReflogAction::Finish
        | ReflogAction::Abort
        | ReflogAction::Reset
        | ReflogAction::Elsewhere => RefChange::Pulled { from, to },
    };
    Some(EntryChange { line: index, at: line.at, change: ref_update })
}

fn open_question(lines: &[ReflogLine], index: usize, action: ReflogAction) -> Option<OpenQuestion> {
    match action {
        ReflogAction::Committed => question_after_reset(lines, index),
        ReflogAction::Step(RebaseStep::Reword | RebaseStep::Edit | RebaseStep::Continue) => {
            Some(OpenQuestion::Replaced { line: index })
        }
        _ => None,
    }
}

/// A commit right after one or several resets may re-create one that they removed.
fn question_after_reset(lines: &[ReflogLine], index: usize) -> Option<OpenQuestion> {
    let base = lines[index].old.clone()?;
    let (mut at, mut tip) = (base.clone(), None);
    for line in lines[..index].iter().rev() {
        if line.new.as_ref() != Some(&at) || line.action() != ReflogAction::Reset {
            break;
        }
        at = line.old.clone()?;
        tip = Some(at.clone());
    }
    let tip = tip.filter(|tip| *tip != base)?;
    Some(OpenQuestion::Recommitted { line: index, base, tip })
}

/// On a detached HEAD git writes no line at the end of a rebase: a checkout or the next rebase ends it.
fn ends(line: &ReflogLine, action: ReflogAction) -> bool {
    matches!(action, ReflogAction::Finish | ReflogAction::Abort) || line.message.starts_with("checkout: ")
}

fn question_at_rebase_end(lines: &[ReflogLine], start: usize, end: usize) -> Option<OpenQuestion> {
    let (line, action) = (&lines[end], lines[end].action());
    if action == ReflogAction::Abort {
        return Some(OpenQuestion::Aborted(start + 1..end));
    }
    if action != ReflogAction::Start && !ends(line, action) {
        return None;
    }
    let steps: Vec<RebasedCommit> = (start + 1..end).filter_map(|index| rebased_commit(&lines[index])).collect();
    let is_empty = steps.is_empty();
    let from = lines[start].old.clone()?;
    let branch = line.message.rsplit_once("returning to ").map(|(_, branch)| branch.to_owned());
    let to = lines[end - 1].new.clone()?;
    (!is_empty).then_some(OpenQuestion::Rebased(Rebase { line: end, at: line.at, from, to, branch, steps }))
}

fn rebased_commit(line: &ReflogLine) -> Option<RebasedCommit> {
    let action = line.action();
    if !action.makes_commit() {
        return None;
    }
    let folds = action == ReflogAction::Step(RebaseStep::Fold);
    let in_place = folds || action == ReflogAction::Amended;
    Some(RebasedCommit { oid: line.new.clone()?, old: line.old.clone(), folds, in_place })
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
