//! Commit identity: detects work that is captured already and was moved, reworded, rewritten, or squashed.

use std::collections::HashSet;

use super::capture::CaptureError;
use super::job::RepositoryContext;
use super::subject::{Subject, Work};
use crate::domain::capture::{Capture, CaptureKind, CaptureState};
use crate::domain::id::Oid;
use crate::domain::patch::{Commit, Patch};
use crate::git::repo::Repo;
use crate::git::{Bounds, GitError, squash};

/// The live captures of the same work as a commit.
#[derive(Debug, Default)]
pub(super) struct RelatedCaptures {
    /// What its capture replaces, oldest first.
    pub earlier: Vec<Capture>,
    /// A later commit of the same work is captured already: this one was reported late.
    pub newer: Option<Oid>,
}

/// The live captures of the same work as this commit.
pub(super) fn find_related(
    context: &RepositoryContext<'_>,
    subject: &Subject,
    carried: &[Oid],
) -> Result<RelatedCaptures, CaptureError> {
    let RepositoryContext { services, repo, .. } = context;
    let Some(Work { commit, .. }) = subject.work() else { return Ok(RelatedCaptures::default()) };
    let mut same = match &commit.patch.patch_id {
        Some(patch_id) => services.store.live_captures_of_patch(&repo.location().id, patch_id)?,
        None => alike(context, subject, commit)?,
    };
    if let Some(change) = &commit.change_id {
        retain_change(repo, change, &mut same)?;
        let versions = services.store.live_captures_of_change(&repo.location().id, change)?;
        let ids: HashSet<_> = same.iter().map(|capture| capture.id).collect();
        same.extend(versions.into_iter().filter(|version| !ids.contains(&version.id)));
    }
    retain_apart(repo, &commit.oid, &mut same)?;
    let mut related = RelatedCaptures::default();
    for capture in same {
        match &capture.commit {
            Some(other) if is_newer(repo, &other.oid, commit)? => related.newer = Some(other.oid.clone()),
            _ => related.earlier.push(capture),
        }
    }
    // Captures of the commits that were squashed into this one.
    let mut squashed = Vec::new();
    for oid in carried {
        let capture = services.store.capture_of_commit(&repo.location().id, oid)?;
        squashed.extend(capture.filter(|capture| capture.state == CaptureState::Live));
    }
    retain_apart(repo, &commit.oid, &mut squashed)?;
    for capture in squashed {
        if related.earlier.iter().all(|earlier| earlier.id != capture.id) {
            related.earlier.push(capture);
        }
    }
    Ok(related)
}

/// Whether the other commit of the same work was made after this one. The dates nearly always say that it was not;
/// where they are equal or reversed, the reflogs decide.
fn is_newer(repo: &Repo, other: &Oid, commit: &Commit) -> Result<bool, GitError> {
    let there = match repo.committed_at(other) {
        Ok(there) => there,
        Err(GitError::Missing(_) | GitError::NoSuchCommit { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    if there < commit.committed_at {
        return Ok(false);
    }
    Ok(repo.was_made_after(other, &commit.oid)?.unwrap_or(there > commit.committed_at))
}

/// A commit of another change stands beside this one, however similar (`jj duplicate`), unless nothing leads to it any
/// more: then it was undone and committed again.
fn retain_change(repo: &Repo, change: &str, captures: &mut Vec<Capture>) -> Result<(), GitError> {
    let mut kept = Vec::with_capacity(captures.len());
    for capture in captures.drain(..) {
        let Some(commit) = &capture.commit else { continue };
        // Captures by older versions have no change id stored.
        let theirs = match &commit.change_id {
            Some(theirs) => Some(theirs.clone()),
            None => repo.change_id(&commit.oid)?,
        };
        let is_other = theirs.is_some_and(|theirs| theirs != change);
        if !is_other || !repo.is_visible(&commit.oid)? {
            kept.push(capture);
        }
    }
    *captures = kept;
    Ok(())
}

/// A commit and its descendant are different work: the patch was applied again.
fn retain_apart(repo: &Repo, oid: &Oid, captures: &mut Vec<Capture>) -> Result<(), GitError> {
    let mut kept = Vec::with_capacity(captures.len());
    for capture in captures.drain(..) {
        let Some(commit) = &capture.commit else { continue };
        let other = &commit.oid;
        if other != oid && !repo.is_ancestor(other, oid)? && !repo.is_ancestor(oid, other)? {
            kept.push(capture);
        }
    }
    *captures = kept;
    Ok(())
}

/// Where the patch has no id (excluded or over-long parts), the same author, minute of authorship, message and size
/// identify it. An empty patch and a merge are identified by their commit alone.
fn alike(context: &RepositoryContext<'_>, subject: &Subject, commit: &Commit) -> Result<Vec<Capture>, CaptureError> {
    if commit.patch.files_total == 0 || commit.kind() == CaptureKind::Merge {
        return Ok(Vec::new());
    }
    let id = &context.repo.location().id;
    let mut alike = context.services.store.live_captures_without_patch(id, commit.authored_at, subject.raw())?;
    let files = commit.patch.files_total as u64;
    alike.retain(|capture| {
        let same = |other: &crate::domain::capture::CommitRef| other.author == commit.author && other.files == files;
        capture.kind == CaptureKind::Commit && capture.commit.as_ref().is_some_and(same)
    });
    Ok(alike)
}

/// Most commits of one squash that are compared; each is read.
const SQUASHED: usize = 500;

/// The commits that were squashed into this one, each once. The commit's paths are not redacted yet.
pub(super) fn carried(context: &RepositoryContext<'_>, commit: &Commit) -> Result<Vec<Oid>, CaptureError> {
    let [parent] = commit.parents.as_slice() else { return Ok(Vec::new()) };
    let prepared = context.services.store.prepared_squash(&context.repo.location().id, parent)?;
    // The user chose what to merge; a commit on the same parent may still be about something else.
    let prepared = if prepared.is_empty() || !lies_within(context, commit, &prepared)? { Vec::new() } else { prepared };
    let mut seen = HashSet::from([commit.oid.clone()]);
    let all = prepared.into_iter().chain(squash::listed(&commit.message));
    Ok(all.take(SQUASHED).filter(|oid| seen.insert(oid.clone())).collect())
}

/// Those of the commits that were made here and have no report yet, in reverse.
pub(super) fn unreported(context: &RepositoryContext<'_>, carried: &[Oid]) -> Result<Vec<Oid>, CaptureError> {
    let repo = context.repo;
    let captured = context.services.store.captured_commits(&repo.location().id, carried)?;
    let open: Vec<Oid> = carried.iter().filter(|oid| !captured.contains(oid)).cloned().collect();
    let mut made = Vec::new();
    for oid in context.own_commits(&open)?.into_iter().rev() {
        // It may have been made by a tool without hooks; commits that a remote has came from there.
        if repo.was_made_here(&oid)? == Some(true) || !repo.on_a_remote(&oid)? {
            made.push(oid);
        }
    }
    Ok(made)
}

/// Whether the commit changes nothing that `oids` do not change.
fn lies_within(context: &RepositoryContext<'_>, commit: &Commit, oids: &[Oid]) -> Result<bool, CaptureError> {
    let excluded = |path: &str| context.exclusions.path(path);
    let (mut theirs, mut complete) = (HashSet::new(), true);
    for oid in oids.iter().take(SQUASHED) {
        match context.repo.commit(oid, &Bounds::default(), &excluded) {
            Ok(carried) => {
                complete &= carried.patch.files.len() == carried.patch.files_total;
                theirs.extend(paths(&carried.patch));
            }
            Err(GitError::Missing(_) | GitError::NoSuchCommit { .. }) => complete = false,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(!complete || paths(&commit.patch).is_subset(&theirs))
}

fn paths(patch: &Patch) -> HashSet<String> {
    let both = |file: &crate::domain::patch::FileChange| [Some(file.path.clone()), file.old_path.clone()];
    patch.files.iter().flat_map(both).flatten().collect()
}
