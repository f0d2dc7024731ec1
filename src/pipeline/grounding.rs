//! Holds a model's text against what is known of its subject, and scores the text that stays.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use super::capture::Job;
use super::services::Exclusions;
use super::subject::{Subject, Work};
use crate::domain::capture::Quality;
use crate::domain::clock::Clock;
use crate::git::{Repo, Within};
use crate::grounding::{Evidence, Ground, Grounded};
use crate::quality::rubric;

/// Longest search for names in the repository: a tenth of what the model leaves of two seconds is still there then.
const LOOKUP: Duration = Duration::from_millis(60);
/// Kept for writing, of what is left of the budget.
const RESERVE: Duration = Duration::from_millis(20);
/// Most content that is searched (bytes).
const LOOKUP_BYTES: u64 = 16 << 20;

/// What of the text is grounded. Blocking: git, where the text names what the commit does not have.
pub(super) fn hold(job: &Job, text: &str, clock: &dyn Clock) -> Grounded {
    against(&job.subject, text, &|names| match (&job.git_dir, job.subject.work()) {
        (Some(git_dir), Some(work)) => known(job, work, git_dir, names, clock),
        _ => HashSet::new(),
    })
}

/// What of the text is grounded in its subject. `known` gives those of the names that the repository knows.
pub(super) fn against(subject: &Subject, text: &str, known: &dyn Fn(&[String]) -> HashSet<String>) -> Grounded {
    let ground = match subject {
        Subject::Commit(work) => {
            let (commit, facts, notes) = (&work.commit, &work.facts, work.context.notes.as_slice());
            Ground::of(&Evidence { commit, facts, notes, known: &|_| false })
        }
        Subject::Note { text: note, project } => return Ground::of_words(&[note, project]).check(text, &|_| false),
    };
    let questions = ground.questions(text);
    let known = if questions.is_empty() { HashSet::new() } else { known(&questions) };
    ground.check(text, &|name| known.contains(name))
}

/// The names that the repository knows; none where it cannot be read (any more), so that nothing is taken for true.
fn known(job: &Job, work: &Work, git_dir: &Path, names: &[String], clock: &dyn Clock) -> HashSet<String> {
    let end = job.deadline.end();
    let until = (clock.instant() + LOOKUP).min(end.checked_sub(RESERVE).unwrap_or(end));
    let exclusions = Exclusions::of(&job.config);
    let within = Within { clock, until, bytes: LOOKUP_BYTES, excluded: &|path| exclusions.path(path) };
    let found = Repo::open_git_dir(git_dir).and_then(|repo| repo.knows(&work.commit.oid, names, &within));
    found.unwrap_or_default()
}

/// Scores the text; `faults` is how many of its sentences were left out.
pub(super) fn quality(job: &Job, text: &str, faults: usize) -> Option<Quality> {
    match &job.subject {
        Subject::Commit(work) => rubric::commit(text, &work.commit, &work.facts, faults),
        Subject::Note { text: note, .. } => rubric::note(text, note),
    }
}

/// By so much a model's text may score below the text that stands and is not worse: a template names things in marks and
/// is made of the very facts that the rubric looks for, so that a true sentence that tells all of it scores a little less.
const AS_GOOD: f64 = 0.1;

/// Whether `text` would be worse in the place of the text that stands, by the rubric. Of both only what is read counts, not
/// what was left out of them.
pub(super) fn is_worse(job: &Job, text: &str) -> bool {
    let score = |text: &str| quality(job, text, 0).map_or(0.0, |quality| quality.score);
    score(text) + AS_GOOD < score(&job.template)
}
