//! User identity and commit authorship, resolved through `.mailmap`.

use std::collections::HashSet;

use super::commit::Header;
use super::repo::{Repo, header};
use super::tree::{self, Objects};
use super::{GitError, text};
use crate::domain::id::Oid;

/// Maximum size of a `.mailmap` (bytes).
const MAILMAP: u64 = 1 << 20;

/// The `.mailmap` of a commit: read as an object, never from the work tree.
pub struct CommitMailmap(git2::Mailmap);

impl CommitMailmap {
    /// `None` when the tree has none.
    #[must_use]
    pub fn of_tree(objects: &dyn Objects, tree: &Oid) -> Option<Self> {
        let blob = tree::file(objects, tree, b".mailmap")?;
        objects.size(&blob).filter(|size| *size <= MAILMAP)?;
        let map = objects.read(&blob)?;
        git2::Mailmap::from_buffer(&String::from_utf8_lossy(&map)).ok().map(Self)
    }

    fn resolve(&self, name: &str, email: &str) -> Option<(String, String)> {
        // libgit2 rejects empty names.
        let name = if name.is_empty() { "?" } else { name };
        let who = git2::Signature::new(name, email, &git2::Time::new(0, 0)).ok()?;
        let who = self.0.resolve_signature(&who).ok()?;
        Some((text::path(who.name_bytes()), text::path(who.email_bytes())))
    }

    /// The name of a commit's author.
    #[must_use]
    pub fn name(&self, header: &Header) -> Option<String> {
        self.resolve(&header.author, &header.author_email).map(|(name, _)| name).filter(|name| name != "?")
    }
}

/// An address as written and as mapped by the mailmap; lower case.
fn addresses(people: Option<&CommitMailmap>, name: &str, email: &str) -> Vec<String> {
    let mapped = people.and_then(|people| people.resolve(name, email)).map(|(_, email)| email);
    [Some(email.to_owned()), mapped].into_iter().flatten().map(|email| email.to_lowercase()).collect()
}

impl Repo {
    /// The e-mail addresses of the user: `user.email`, `author.email` and `committer.email`, as they are and through
    /// the mailmap; lower case.
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn identities(&self) -> Result<Vec<String>, GitError> {
        let emails = self.values_of(&["user.email", "author.email", "committer.email"])?;
        let name = self.values_of(&["user.name"])?.pop().unwrap_or_default();
        let people = self.with_objects(|objects| Ok(self.head_mailmap(objects)))?;
        let mut found: Vec<String> = emails.iter().flat_map(|email| addresses(people.as_ref(), &name, email)).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The `.mailmap` of HEAD.
    fn head_mailmap(&self, objects: &dyn Objects) -> Option<CommitMailmap> {
        let (tip, _) = self.tip().ok()?;
        CommitMailmap::of_tree(objects, &header(objects, &tip).ok()?.tree)
    }

    /// The user's name, as git writes it into commits here.
    #[must_use]
    pub fn user_name(&self) -> Option<String> {
        self.values_of(&["user.name"]).ok()?.pop().filter(|name| !name.is_empty())
    }

    /// The commits authored or committed by the user: one of [`Repo::identities`] or of `more`.
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn commits_by_user(&self, oids: &[Oid], more: &[String]) -> Result<Vec<Oid>, GitError> {
        if oids.is_empty() {
            return Ok(Vec::new());
        }
        let mut users: HashSet<String> = self.identities()?.into_iter().collect();
        users.extend(more.iter().map(|email| email.to_lowercase()));
        self.with_objects(|objects| {
            let people = self.head_mailmap(objects);
            let is_user = |oid: &&Oid| {
                let Ok(header) = header(objects, oid) else { return false };
                let is_known = |email: &str| {
                    addresses(people.as_ref(), &header.author, email).iter().any(|email| users.contains(email))
                };
                is_known(&header.author_email) || is_known(&header.committer_email)
            };
            Ok(oids.iter().filter(is_user).cloned().collect())
        })
    }

    /// The commits that are the user's own work: by the user, or on no remote-tracking branch.
    ///
    /// # Errors
    /// When git's configuration, the references or the history cannot be read.
    pub fn own_commits(&self, oids: &[Oid], more: &[String]) -> Result<Vec<Oid>, GitError> {
        let by_user: HashSet<Oid> = self.commits_by_user(oids, more)?.into_iter().collect();
        let others: Vec<Oid> = oids.iter().filter(|oid| !by_user.contains(oid)).cloned().collect();
        let unpublished = if others.is_empty() { HashSet::new() } else { self.unpublished(&others)? };
        Ok(oids.iter().filter(|oid| by_user.contains(oid) || unpublished.contains(oid)).cloned().collect())
    }
}
