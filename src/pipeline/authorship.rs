//! Authorship filter: which of the commits that git did not make here (pulled, or made by a tool without hooks) are the
//! user's.

use super::services::Services;
use crate::config::CaptureConfig;
use crate::domain::id::Oid;
use crate::git::GitError;
use crate::git::repo::Repo;

/// Of commits that arrive at once, at most this many of the newest are captured; older ones by `commit --since`.
const ARRIVED: usize = 20_000;

/// Filter for the commits of one repository. Settings are read at first use.
pub(super) struct Authorship<'a> {
    services: &'a Services,
    repo: &'a Repo,
    settings: Option<CaptureConfig>,
}

impl<'a> Authorship<'a> {
    pub(super) fn new(services: &'a Services, repo: &'a Repo) -> Self {
        Self { services, repo, settings: None }
    }

    /// A tool without hooks moved a branch: its new commits count if the user wrote or committed them, or if no remote
    /// has them.
    pub(super) fn filter_moved(&mut self, from: Option<&Oid>, to: &Oid) -> Result<Vec<Oid>, GitError> {
        let arrived = self.repo.commits_between(from, to, ARRIVED)?;
        self.repo.own_commits(&arrived, &self.settings().identities)
    }

    /// The commits that the user wrote or committed, or that no remote has.
    pub(super) fn filter_commits(&mut self, oids: &[Oid]) -> Result<Vec<Oid>, GitError> {
        if oids.is_empty() { Ok(Vec::new()) } else { self.repo.own_commits(oids, &self.settings().identities) }
    }

    /// Pulled commits count only where the settings ask for it, and if the user wrote or committed them.
    pub(super) fn filter_pulled(&mut self, from: Option<&Oid>, to: &Oid) -> Result<Vec<Oid>, GitError> {
        // Without an earlier commit nothing was pulled: a branch was created, a repository cloned.
        let (true, Some(from)) = (self.settings().pulled, from) else { return Ok(Vec::new()) };
        let arrived = self.repo.commits_between(Some(from), to, ARRIVED)?;
        self.repo.commits_by_user(&arrived, &self.settings().identities)
    }

    fn settings(&mut self) -> &CaptureConfig {
        self.settings.get_or_insert_with(|| self.services.config(Some(self.repo)).capture)
    }
}
