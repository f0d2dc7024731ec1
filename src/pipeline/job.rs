//! Job: a stored capture on its way to a model, and the repository context that all stages of one event share.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::capture::Plan;
use super::output_check;
use super::services::{Exclusions, Services};
use super::settings::Unreadable;
use super::subject::Subject;
use crate::config::Config;
use crate::dispatch::{Attempt, Size, Task};
use crate::domain::capture::{Reason, RepoRef};
use crate::domain::clock::Clock;
use crate::domain::deadline::Deadline;
use crate::domain::id::{CaptureId, Oid};
use crate::domain::operation::Operation;
use crate::domain::patch::Commit;
use crate::git::GitError;
use crate::git::repo::Repo;
use crate::redact::redact;
use crate::route::signals::Urgency;
use crate::route::technicality;

/// Of commits that arrive at once, at most this many of the newest are captured; older ones by `commit --since`.
const ARRIVED: usize = 20_000;

/// An open repository with its settings and exclusions, read once per event.
#[derive(Debug)]
pub struct RepositoryContext<'a> {
    pub services: &'a Services,
    pub repo: &'a Repo,
    pub config: Config,
    pub exclusions: Exclusions,
}

impl<'a> RepositoryContext<'a> {
    /// While the settings cannot be read and no earlier ones are known, nothing is allowed: `Config::fail_safe`.
    #[must_use]
    pub fn open(services: &'a Services, repo: &'a Repo) -> Self {
        let config = services.config(Some(repo));
        Self { services, repo, exclusions: Exclusions::of(&config), config }
    }

    /// As [`Self::open`], for work that waits for readable settings.
    ///
    /// # Errors
    /// [`Unreadable`], noted as a problem.
    pub fn open_readable(services: &'a Services, repo: &'a Repo) -> Result<Self, Unreadable> {
        let config = services.readable_config(Some(repo))?;
        Ok(Self { services, repo, exclusions: Exclusions::of(&config), config })
    }

    /// Whether the settings allow capturing this repository.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.config.capture.enabled && !self.exclusions.place(self.repo.location())
    }

    /// The capture's `repo` field.
    pub(super) fn repo_ref(&self) -> RepoRef {
        let place = self.repo.location();
        let path = place.work_tree.as_deref().unwrap_or(&place.common_dir);
        RepoRef { path: redact(&path.to_string_lossy()), id: place.id.clone() }
    }

    /// Authorship filter: of commits that git did not make here, those that the user wrote or committed, or that no
    /// remote has.
    pub(super) fn own_commits(&self, oids: &[Oid]) -> Result<Vec<Oid>, GitError> {
        if oids.is_empty() { Ok(Vec::new()) } else { self.repo.own_commits(oids, &self.config.capture.identities) }
    }

    /// As [`Self::own_commits`], of the commits by which a tool without hooks moved a branch.
    pub(super) fn own_moved_commits(&self, from: Option<&Oid>, to: &Oid) -> Result<Vec<Oid>, GitError> {
        let arrived = self.repo.commits_between(from, to, ARRIVED)?;
        self.repo.own_commits(&arrived, &self.config.capture.identities)
    }

    /// Pulled commits count only where the settings ask for it, and if the user wrote or committed them.
    pub(super) fn own_pulled_commits(&self, from: Option<&Oid>, to: &Oid) -> Result<Vec<Oid>, GitError> {
        // Without an earlier commit nothing was pulled: a branch was created, a repository cloned.
        let (true, Some(from)) = (self.config.capture.pulled, from) else { return Ok(Vec::new()) };
        let arrived = self.repo.commits_between(Some(from), to, ARRIVED)?;
        self.repo.commits_by_user(&arrived, &self.config.capture.identities)
    }

    /// The commit as far as the exclusions allow; not redacted yet.
    pub(super) fn read_commit(&self, oid: &Oid) -> Result<Commit, GitError> {
        self.exclusions.commit(self.repo, oid)
    }

    /// Where the sentences of a model are held against the repository.
    pub(super) fn name_source(&self) -> NameSource {
        NameSource { git_dir: self.repo.location().git_dir.clone(), exclusions: self.exclusions.clone() }
    }
}

/// Where names of the repository are looked up: the thread that does it opens the repository itself.
#[derive(Debug)]
pub(super) struct NameSource {
    pub git_dir: PathBuf,
    pub exclusions: Exclusions,
}

/// A stored, pending capture on its way to a model.
#[derive(Debug)]
pub struct Job {
    pub id: CaptureId,
    pub(super) subject: Subject,
    pub(super) config: Config,
    pub(super) deadline: Deadline,
    pub(super) queue: Duration,
    pub(super) plan: Plan,
    /// The text that is kept unless a model's replaces it.
    pub(super) template: String,
    /// Absent outside of any repository, and for notes.
    pub(super) names: Option<NameSource>,
}

impl Job {
    /// Time left until the capture must be final.
    #[must_use]
    pub fn time_left(&self, clock: &dyn Clock) -> Duration {
        self.deadline.end().saturating_duration_since(clock.instant())
    }

    /// Asks the model that the router chooses, within the model's share of the deadline.
    pub(super) async fn request_text(&self, services: &Services, urgency: Urgency) -> Attempt {
        let prompt = |size: &Size| self.subject.prompt(&size.budget).with_word_limit(size.words);
        let work = self.subject.work();
        let task = Task {
            technicality: work.map_or(0.0, |work| technicality::score_technicality(&work.facts)),
            // No change is read ahead for a batch.
            tree: work.filter(|_| urgency != Urgency::Batch).map(|work| &work.commit.tree),
            ..Task::capture(urgency, self.deadline.budget(), self.deadline.model_end(), &prompt)
        };
        services.models.request_text(&self.config, &task).await
    }

    /// The latency record of a stage of this capture.
    pub(super) fn operation(
        &self,
        stage: &str,
        (at, elapsed): (Timestamp, Duration),
        attempt: Option<&Attempt>,
        (reason, repaired): (Reason, bool),
    ) -> Operation {
        let base = Operation::new(at, format!("{stage}.{}", self.subject.kind().as_str()), elapsed);
        let base = Operation { reason, repaired, failed: output_check::failed(attempt, reason), ..base };
        let Some(attempt) = attempt else { return base };
        let answer = attempt.result.as_ref().ok();
        let times = answer.map_or([None; 3], |answer| [answer.load, answer.ttft, answer.tpot]);
        base.by_model(attempt.model.clone(), attempt.endpoint.clone(), times)
    }
}
