//! Hallucination check: a model's sentences against the facts of their subject, and the score of the text that stays.

use std::collections::HashSet;
use std::time::Duration;

use super::job::{Job, NameSource};
use super::subject::{Subject, Work};
use crate::domain::capture::Quality;
use crate::domain::clock::Clock;
use crate::git::{NameSearchBounds, Repo};
use crate::grounding::{Evidence, Grounded, GroundingCheck};
use crate::quality::rubric;

/// Longest name lookup in the repository: a tenth of what the model leaves of two seconds.
const LOOKUP: Duration = Duration::from_millis(60);
/// Part of the remaining budget that is kept for storing the text.
const RESERVE: Duration = Duration::from_millis(20);
/// Most content that is searched (bytes).
const LOOKUP_BYTES: u64 = 16 << 20;

/// The grounded part of the text. Blocking: git, where the text names what the commit does not have.
pub(super) fn check_grounding(job: &Job, text: &str, clock: &dyn Clock) -> Grounded {
    against(&job.subject, text, &|names| match (&job.names, job.subject.work()) {
        (Some(source), Some(work)) => find_known_names(job, work, source, names, clock),
        _ => HashSet::new(),
    })
}

/// The part of the text that its subject proves. `known` returns those of the names that the repository contains.
pub(super) fn against(subject: &Subject, text: &str, known: &dyn Fn(&[String]) -> HashSet<String>) -> Grounded {
    let ground = match subject {
        Subject::Commit(work) => {
            let (commit, facts, notes) = (&work.commit, &work.facts, work.context.notes.as_slice());
            GroundingCheck::of(&Evidence { commit, facts, notes, known: &|_| false })
        }
        Subject::Note { text: note, project } => {
            return GroundingCheck::of_words(&[note, project]).check(text, &|_| false);
        }
    };
    let questions = ground.names_to_look_up(text);
    let known = if questions.is_empty() { HashSet::new() } else { known(&questions) };
    ground.check(text, &|name| known.contains(name))
}

/// The names that the repository contains; none where it cannot be read, so that nothing unproven passes.
fn find_known_names(
    job: &Job,
    work: &Work,
    source: &NameSource,
    names: &[String],
    clock: &dyn Clock,
) -> HashSet<String> {
    let end = job.deadline.end();
    let until = (clock.instant() + LOOKUP).min(end.checked_sub(RESERVE).unwrap_or(end));
    let within = NameSearchBounds { clock, until, bytes: LOOKUP_BYTES, excluded: &|path| source.exclusions.path(path) };
    let found = Repo::open_git_dir(&source.git_dir).and_then(|repo| repo.find_names(&work.commit.oid, names, &within));
    found.unwrap_or_default()
}

/// Scores the text; `faults` is the number of its sentences that were left out.
pub(super) fn quality(job: &Job, text: &str, faults: usize) -> Option<Quality> {
    match &job.subject {
        Subject::Commit(work) => rubric::commit(text, &work.commit, &work.facts, faults),
        Subject::Note { text: note, .. } => rubric::note(text, note),
    }
}

/// Tolerance by which a model's text may score below the current one: a template quotes names and consists of the very
/// facts that the rubric looks for, so that a true and complete sentence scores slightly less.
const AS_GOOD: f64 = 0.1;

/// Whether `text` scores worse than the current text by the rubric. Sentences that were left out do not count.
pub(super) fn is_worse(job: &Job, text: &str) -> bool {
    let score = |text: &str| quality(job, text, 0).map_or(0.0, |quality| quality.score);
    score(text) + AS_GOOD < score(&job.template)
}
