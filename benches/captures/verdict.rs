//! What one commit's texts are worth: with its message as it is, and with "wip" in its place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use uro_capture::domain::clock::SystemClock;
use uro_capture::domain::id::Oid;
use uro_capture::domain::patch::Commit;
use uro_capture::facts;
use uro_capture::fallback::template;
use uro_capture::git::{Bounds, Repo};

use super::histories::{History, whole};
use super::invented;
use super::report::{Result, timed};
use super::things::Things;

/// One commit, judged.
pub struct Verdict {
    pub oid: Oid,
    pub subject: String,
    /// What the subject names that the patch changes; a commit without any does not count.
    pub things: Vec<String>,
    pub as_is: Told,
    pub wip: Told,
    pub read: Duration,
}

/// A text and what it took.
#[derive(Default)]
pub struct Told {
    pub text: String,
    pub names_a_thing: bool,
    pub invented: Vec<String>,
    pub panicked: bool,
    pub elapsed: Duration,
}

impl Verdict {
    pub fn of(history: &History, repo: &Repo, oid: &Oid, things: &Things) -> Result<Self> {
        let (read, commit) = timed(|| Ok(repo.commit(oid, &Bounds::default(), &is_excluded)?))?;
        let judge = whole(repo, oid)?;
        let named = things.of(commit.subject(), &judge);
        let summarize = |commit: &Commit| -> Result<Told> {
            let mut summary = tell(commit)?;
            summary.names_a_thing = things.words(&summary.text).iter().any(|word| named.contains(word));
            Ok(summary)
        };
        let as_is = summarize(&commit)?;
        let mut wip = summarize(&Commit { message: "wip".to_owned(), ..commit.clone() })?;
        wip.invented = invented::names(&wip.text, &judge, &history.git_dir);
        let (oid, subject) = (oid.clone(), commit.subject().to_owned());
        Ok(Self { oid, subject, things: named.into_iter().collect(), as_is, wip, read })
    }
}

/// The paths that are excluded where nothing else is set.
pub fn is_excluded(path: &str) -> bool {
    path.ends_with(".lock") || path.starts_with("dist/")
}

fn tell(commit: &Commit) -> Result<Told> {
    let (elapsed, text) = timed(|| {
        let tell = || template::summarize_commit(commit, &facts::extract_facts(commit, &SystemClock));
        Ok(catch_unwind(AssertUnwindSafe(tell)))
    })?;
    Ok(Told { panicked: text.is_err(), text: text.unwrap_or_default(), elapsed, ..Told::default() })
}
