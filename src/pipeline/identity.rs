//! When a commit is work that is captured already: moved, reworded, rewritten, or squashed into it.

use std::collections::HashSet;

use super::capture::CaptureError;
use super::services::{Exclusions, Services};
use super::subject::Subject;
use crate::domain::capture::{Capture, Kind, State};
use crate::domain::id::Oid;
use crate::domain::patch::{Commit, Patch};
use crate::git::repo::Repo;
use crate::git::{Bounds, GitError, squash};

/// The live captures that this commit's capture replaces, oldest first.
pub(super) fn earlier(services: &Services, repo: &Repo, subject: &Subject) -> Result<Vec<Capture>, CaptureError> {
    let Subject::Commit(commit) = subject else { return Ok(Vec::new()) };
    let mut earlier = match &commit.patch.patch_id {
        Some(patch_id) => services.store.live_captures_of_patch(&repo.place().id, patch_id)?,
        None => alike(services, repo, subject, commit)?,
    };
    // With the earlier commit among its ancestors it is new work (applied again).
    retain_off_history(repo, &commit.oid, &mut earlier)?;
    for capture in squashed(services, repo, commit)? {
        if earlier.iter().all(|known| known.id != capture.id) {
            earlier.push(capture);
        }
    }
    Ok(earlier)
}

fn retain_off_history(repo: &Repo, oid: &Oid, captures: &mut Vec<Capture>) -> Result<(), GitError> {
    let mut kept = Vec::with_capacity(captures.len());
    for capture in captures.drain(..) {
        let Some(commit) = &capture.commit else { continue };
        if commit.oid != *oid && !repo.is_ancestor(&commit.oid, oid)? {
            kept.push(capture);
        }
    }
    *captures = kept;
    Ok(())
}

/// Where the patch has no id (excluded or over-long parts) the same person, minute of writing, message and size have
/// to do. An empty patch and a merge are identified by their commit alone.
fn alike(services: &Services, repo: &Repo, subject: &Subject, commit: &Commit) -> Result<Vec<Capture>, CaptureError> {
    if commit.patch.files_total == 0 || commit.kind() == Kind::Merge {
        return Ok(Vec::new());
    }
    let mut alike = services.store.live_captures_alike(&repo.place().id, commit.authored_at, subject.raw())?;
    let files = commit.patch.files_total as u64;
    alike.retain(|capture| {
        let same = |other: &crate::domain::capture::CommitRef| other.author == commit.author && other.files == files;
        capture.kind == Kind::Commit && capture.commit.as_ref().is_some_and(same)
    });
    Ok(alike)
}

/// Commits of one squash that are looked at; each is read.
const SQUASHED: usize = 500;

/// The captures of the commits that were squashed into this one.
fn squashed(services: &Services, repo: &Repo, commit: &Commit) -> Result<Vec<Capture>, CaptureError> {
    let [parent] = commit.parents.as_slice() else { return Ok(Vec::new()) };
    let id = &repo.place().id;
    let prepared = services.store.prepared_squash(id, parent)?;
    // The paths were given by whoever merged; a commit on the same parent may still be about something else.
    let carried =
        if prepared.is_empty() || !lies_within(services, repo, commit, &prepared)? { Vec::new() } else { prepared };
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for oid in carried.into_iter().chain(squash::listed(&commit.message)).take(SQUASHED) {
        if oid == commit.oid || !seen.insert(oid.clone()) {
            continue;
        }
        found.extend(services.store.capture_of_commit(id, &oid)?.filter(|capture| capture.state == State::Live));
    }
    retain_off_history(repo, &commit.oid, &mut found)?;
    Ok(found)
}

/// Whether the commit changes nothing that those do not change.
fn lies_within(services: &Services, repo: &Repo, commit: &Commit, oids: &[Oid]) -> Result<bool, CaptureError> {
    let exclusions = Exclusions::of(&services.config(Some(repo)));
    let read = |oid: &Oid| repo.commit(oid, &Bounds::default(), &|path| exclusions.path(path));
    let (mut theirs, mut complete) = (HashSet::new(), true);
    for oid in oids.iter().take(SQUASHED) {
        match read(oid) {
            Ok(carried) => {
                complete &= carried.patch.files.len() == carried.patch.files_total;
                theirs.extend(paths(&carried.patch));
            }
            Err(GitError::Missing(_) | GitError::NoSuchCommit { .. }) => complete = false,
            Err(error) => return Err(error.into()),
        }
    }
    // Read anew: the subject's paths are redacted.
    let own = read(&commit.oid)?;
    Ok(!complete || paths(&own.patch).is_subset(&theirs))
}

fn paths(patch: &Patch) -> HashSet<String> {
    let both = |file: &crate::domain::patch::FileChange| [Some(file.path.clone()), file.old_path.clone()];
    patch.files.iter().flat_map(both).flatten().collect()
}

/// `old` was rewritten as `new`: its capture is replaced.
pub(super) fn rewritten(services: &Services, repo: &Repo, pairs: &[(Oid, Oid)]) -> Result<(), CaptureError> {
    for (old, new) in pairs {
        services.store.supersede(&repo.place().id, old, new)?;
    }
    Ok(())
}
