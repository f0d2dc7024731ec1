//! Prefill before a commit exists: the staged change is packed exactly as the capture will pack it, and the model that
//! would be asked reads it into its prefix cache. At commit time only the message is left to read.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::job::RepositoryContext;
use super::services::Services;
use super::subject::Subject;
use crate::config::Config;
use crate::dispatch::{self, Models, PromptOf, Size};
use crate::domain::id::Oid;
use crate::git::repo::Repo;
use crate::git::staged::StagingMoment;
use crate::git::{Bounds, Exclude, GitError};

/// Sends a prompt to a model ahead of time; true when all of it was read.
pub trait PromptReader: Send + Sync {
    fn read_prompt<'a>(
        &'a self,
        config: &'a Config,
        tree: &'a Oid,
        prompt: &'a PromptOf<'a>,
        until: Instant,
    ) -> ReadFuture<'a>;
}

/// Dropping it ends the reading; what was read stays in the cache.
pub type ReadFuture<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl PromptReader for Models {
    fn read_prompt<'a>(
        &'a self,
        config: &'a Config,
        tree: &'a Oid,
        prompt: &'a PromptOf<'a>,
        until: Instant,
    ) -> ReadFuture<'a> {
        Box::pin(async move { self.read_ahead(config, tree, prompt, until).await == dispatch::ReadProgress::Whole })
    }
}

/// Identifies the expected commit: its tree and its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitKey {
    pub tree: Oid,
    parents: Vec<Oid>,
}

/// A prompt to be read ahead.
#[derive(Debug)]
pub struct PendingPrefill {
    pub key: CommitKey,
    config: Config,
    subject: Subject,
}

impl PendingPrefill {
    /// Reads until done or until `until`.
    pub async fn run(&self, reader: &Arc<dyn PromptReader>, until: Instant) -> bool {
        let prompt = |size: &Size| self.subject.prompt(&size.budget);
        reader.read_prompt(&self.config, &self.key.tree, &prompt, until).await
    }
}

/// The prompt of the expected commit in this git directory; `None` where nothing is captured, nothing is staged, or it
/// equals `read`, the last one. Blocking: git.
///
/// # Errors
/// When the repository or its index cannot be read. The next index change tries again: nothing is lost.
pub fn staged(
    services: &Services,
    git_dir: &Path,
    moment: StagingMoment,
    read: Option<&CommitKey>,
) -> Result<Option<PendingPrefill>, GitError> {
    let repo = Repo::open_git_dir(git_dir)?;
    let context = RepositoryContext::open(services, &repo);
    if !context.is_allowed() {
        return Ok(None);
    }
    let RepositoryContext { config, exclusions, .. } = context;
    let Some(staged) = repo.staged(moment)? else { return Ok(None) };
    let key = CommitKey { tree: staged.tree.clone(), parents: staged.parents.clone() };
    if read == Some(&key) {
        return Ok(None);
    }
    let (excluded, packages) = (|path: &str| exclusions.path(path), |path: &str| exclusions.packages(path));
    let paths = Exclude { excluded: &excluded, packages: &packages };
    let commit = repo.staged_commit(&staged, &Bounds::default(), paths)?;
    let subject = Subject::commit(commit, services.clock.as_ref());
    Ok(Some(PendingPrefill { key, config, subject }))
}

#[cfg(test)]
#[path = "read_ahead_tests.rs"]
mod tests;
