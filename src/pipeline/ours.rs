//! Whose the commits are that git did not make here: they arrived, by pull or by a tool that says nothing.

use super::services::Services;
use crate::config::CaptureConfig;
use crate::domain::id::Oid;
use crate::git::GitError;
use crate::git::repo::Repo;

/// Of what arrives at once, at most the newest so many commits are captured; older ones by `commit --since`.
const ARRIVED: usize = 20_000;

/// Decides over commits of one repository. Settings are read when they are first needed.
pub(super) struct Ours<'a> {
    services: &'a Services,
    repo: &'a Repo,
    settings: Option<CaptureConfig>,
}

impl<'a> Ours<'a> {
    pub(super) fn of(services: &'a Services, repo: &'a Repo) -> Self {
        Self { services, repo, settings: None }
    }

    /// A tool that says nothing moved a branch: what is new there is ours if we wrote or committed it, or if no
    /// remote has it.
    pub(super) fn moved(&mut self, from: Option<&Oid>, to: &Oid) -> Result<Vec<Oid>, GitError> {
        let arrived = self.repo.arrived(from, to, ARRIVED)?;
        self.repo.ours(&arrived, &self.settings().identities)
    }

    /// Those that we wrote or committed, or that no remote has.
    pub(super) fn of_these(&mut self, oids: &[Oid]) -> Result<Vec<Oid>, GitError> {
        if oids.is_empty() { Ok(Vec::new()) } else { self.repo.ours(oids, &self.settings().identities) }
    }

    /// What came from elsewhere is ours only where somebody asked for it, and if we wrote or committed it.
    pub(super) fn pulled(&mut self, from: Option<&Oid>, to: &Oid) -> Result<Vec<Oid>, GitError> {
        // Without an earlier commit nothing came here: a branch was created, a repository cloned.
        let (true, Some(from)) = (self.settings().pulled, from) else { return Ok(Vec::new()) };
        let arrived = self.repo.arrived(Some(from), to, ARRIVED)?;
        self.repo.by_user(&arrived, &self.settings().identities)
    }

    fn settings(&mut self) -> &CaptureConfig {
        self.settings.get_or_insert_with(|| self.services.config(Some(self.repo)).capture)
    }
}
