//! Reading a prompt before its commit exists: what is staged is packed as the capture will pack it, and the model that
//! would be asked about it is let read that. When the commit comes, only its message is left to be read.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::models::{self, Models, PromptOf, Size};
use super::services::{Exclusions, Services};
use super::subject::Subject;
use crate::config::Config;
use crate::domain::id::Oid;
use crate::git::repo::Repo;
use crate::git::staged::Moment;
use crate::git::{Bounds, Exclude, GitError};

/// Who reads, and how it ends: true when all of it was read.
pub trait Reader: Send + Sync {
    fn read<'a>(&'a self, config: &'a Config, tree: &'a Oid, prompt: &'a PromptOf<'a>, until: Instant) -> Read<'a>;
}

/// Dropping it ends the reading; what was read stays read.
pub type Read<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl Reader for Models {
    fn read<'a>(&'a self, config: &'a Config, tree: &'a Oid, prompt: &'a PromptOf<'a>, until: Instant) -> Read<'a> {
        Box::pin(async move { self.read_ahead(config, tree, prompt, until).await == models::Reading::Whole })
    }
}

/// Which commit is to come: its tree and what it will lie on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub tree: Oid,
    parents: Vec<Oid>,
}

/// Something to be read.
#[derive(Debug)]
pub struct Reading {
    pub key: Key,
    config: Config,
    subject: Subject,
}

impl Reading {
    /// Reads until it is done or `until` has come.
    pub async fn read(&self, reader: &Arc<dyn Reader>, until: Instant) -> bool {
        let prompt = |size: &Size| self.subject.prompt(&size.budget);
        reader.read(&self.config, &self.key.tree, &prompt, until).await
    }
}

/// What is there to be read of the commit to come in this git directory; nothing where nothing is captured,
/// nothing is staged, or it is what was `read` last. Blocking: git.
///
/// # Errors
/// When the repository or its index cannot be read. There will be another index: nothing is lost.
pub fn staged(
    services: &Services,
    git_dir: &Path,
    moment: Moment,
    read: Option<&Key>,
) -> Result<Option<Reading>, GitError> {
    let repo = Repo::open_git_dir(git_dir)?;
    let config = services.config(Some(&repo));
    let exclusions = Exclusions::of(&config);
    if !config.capture.enabled || exclusions.place(repo.place()) {
        return Ok(None);
    }
    let Some(staged) = repo.staged(moment)? else { return Ok(None) };
    let key = Key { tree: staged.tree.clone(), parents: staged.parents.clone() };
    if read == Some(&key) {
        return Ok(None);
    }
    let (excluded, packages) = (|path: &str| exclusions.path(path), |path: &str| exclusions.packages(path));
    let paths = Exclude { excluded: &excluded, packages: &packages };
    let commit = repo.staged_commit(&staged, &Bounds::default(), paths)?;
    let subject = Subject::commit(commit, services.clock.as_ref());
    Ok(Some(Reading { key, config, subject }))
}

#[cfg(test)]
#[path = "ahead_tests.rs"]
mod tests;
