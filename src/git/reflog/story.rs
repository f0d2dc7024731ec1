//! Classifies the lines of one reflog as reference changes. Pure: what needs the object database becomes a question.

use std::ops::Range;

use jiff::Timestamp;

use super::super::deed::Deed;
use super::line::Line;
use super::message::{self, Said, Step};
use crate::domain::id::Oid;

/// The classification of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Index of the line.
    pub line: usize,
    pub at: Timestamp,
    pub deed: Deed,
}

/// An open question that the lines alone cannot answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether the commit of this line was put on the old one or replaced it (a rebase step with reword or continue).
    Replaced { line: usize },
    /// Whether the commit of this line has the message of one between `base` and `tip`, which was reset away.
    Again { line: usize, base: Oid, tip: Oid },
    /// Which rebased commit each step corresponds to.
    Rebased(Rebase),
    /// These lines record commits that an aborted rebase discarded.
    Aborted(Range<usize>),
}

impl Question {
    /// The line concerned, if it is a single one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Replaced { line } | Self::Again { line, .. } => Some(*line),
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
    pub steps: Vec<Copied>,
}

/// A commit that a rebase created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub oid: Oid,
    /// The commit that it was put on or folded into.
    pub old: Option<Oid>,
    /// Folded another commit into the last one.
    pub folds: bool,
    /// Replaced the last one: folded or amended.
    pub in_place: bool,
    /// Its line was reported before: further results need an entry of their own.
    pub known: bool,
}

/// The classified lines of one log and the open questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    pub told: Vec<Told>,
    pub questions: Vec<Question>,
}

/// Classifies the lines from `fresh` on; earlier lines are known and serve as context.
#[must_use]
pub fn classify(lines: &[Line], fresh: usize) -> Story {
    let mut story = Story::default();
    let mut started = None;
    for (index, line) in lines.iter().enumerate() {
        let said = message::read(&line.message);
        if index >= fresh {
            story.told.extend(tell(index, line, said));
            story.questions.extend(question(lines, index, said));
            story.questions.extend(started.and_then(|start| ending(lines, start, index, fresh)));
        }
        started = match said {
            Said::Start => Some(index),
            _ if ends(line, said) => None,
            _ => started,
        };
    }
    story
}

/// Whether a rebase ends in the fresh lines but began before the first of these lines.
#[must_use]
pub fn lacks_a_beginning(lines: &[Line], fresh: usize) -> bool {
    let said: Vec<Said> = lines.iter().map(|line| message::read(&line.message)).collect();
    let end = said.iter().skip(fresh).position(|said| matches!(said, Said::Finish | Said::Abort));
    end.is_some_and(|end| !said[..fresh + end].iter().any(|said| matches!(said, Said::Start | Said::Finish)))
}

fn tell(index: usize, line: &Line, said: Said) -> Option<Told> {
    let to = line.new.clone()?;
    if line.old.as_ref() == Some(&to) {
        return None;
    }
    let from = line.old.clone();
    let made =
        |replaces: Option<Oid>, step| Deed::Made { oid: to.clone(), replaces: replaces.into_iter().collect(), step };
    let deed = match said {
        Said::Made => made(None, false),
        Said::Amended => made(from, false),
        Said::Step(Step::Fold) => made(from, true),
        Said::Applied | Said::Step(_) => made(None, true),
        Said::Nothing => Deed::Moved { from, to },
        Said::Start | Said::Finish | Said::Abort | Said::Reset | Said::Elsewhere => Deed::Pulled { from, to },
    };
    Some(Told { line: index, at: line.at, deed })
}

fn question(lines: &[Line], index: usize, said: Said) -> Option<Question> {
    match said {
        Said::Made => again(lines, index),
        Said::Step(Step::Reword | Step::Edit | Step::Continue) => Some(Question::Replaced { line: index }),
        _ => None,
    }
}

/// A commit right after one or several resets may re-create one that they removed.
fn again(lines: &[Line], index: usize) -> Option<Question> {
    let base = lines[index].old.clone()?;
    let (mut at, mut tip) = (base.clone(), None);
    for line in lines[..index].iter().rev() {
        if line.new.as_ref() != Some(&at) || message::read(&line.message) != Said::Reset {
            break;
        }
        at = line.old.clone()?;
        tip = Some(at.clone());
    }
    let tip = tip.filter(|tip| *tip != base)?;
    Some(Question::Again { line: index, base, tip })
}

/// On a detached HEAD git writes no line at the end of a rebase: a checkout or the next rebase ends it.
fn ends(line: &Line, said: Said) -> bool {
    matches!(said, Said::Finish | Said::Abort) || line.message.starts_with("checkout: ")
}

fn ending(lines: &[Line], start: usize, end: usize, fresh: usize) -> Option<Question> {
    let (line, said) = (&lines[end], message::read(&lines[end].message));
    if said == Said::Abort {
        return Some(Question::Aborted(start + 1..end));
    }
    if said != Said::Start && !ends(line, said) {
        return None;
    }
    let steps: Vec<Copied> = (start + 1..end).filter_map(|index| copied(lines, index, fresh)).collect();
    let is_empty = steps.is_empty();
    let from = lines[start].old.clone()?;
    let branch = line.message.rsplit_once("returning to ").map(|(_, branch)| branch.to_owned());
    let to = lines[end - 1].new.clone()?;
    (!is_empty).then_some(Question::Rebased(Rebase { line: end, at: line.at, from, to, branch, steps }))
}

fn copied(lines: &[Line], index: usize, fresh: usize) -> Option<Copied> {
    let line = &lines[index];
    let said = message::read(&line.message);
    if !matches!(said, Said::Step(_) | Said::Made | Said::Amended | Said::Applied) {
        return None;
    }
    let folds = said == Said::Step(Step::Fold);
    let in_place = folds || said == Said::Amended;
    Some(Copied { oid: line.new.clone()?, old: line.old.clone(), folds, in_place, known: index < fresh })
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
