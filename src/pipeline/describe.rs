//! Captures of a range of commits for a text about it: the stored ones, and templates of those that were never captured.

use std::collections::HashMap;

use super::capture::{CaptureError, pending};
use super::job::RepositoryContext;
use super::services::Services;
use super::subject::Subject;
use crate::domain::capture::Capture;
use crate::domain::deadline::Deadline;
use crate::domain::event::Source;
use crate::domain::id::Oid;
use crate::facts::subject::SubjectLine;
use crate::git::repo::Repo;
use crate::redact::redact;
use crate::store::CaptureQuery;

/// How much of a commit without a capture is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadDepth {
    /// The patch.
    Patch,
    /// The subject and the counts; the patch only where the subject says nothing. For texts of headlines.
    Subject,
}

/// One capture for each of `oids`, in their order. A commit without a capture is read and described by its template;
/// nothing is stored, because the range may hold the commits of other people. Blocking.
///
/// # Errors
/// When the store or the repository cannot be read.
pub fn describe_range(
    services: &Services,
    repo: &Repo,
    oids: &[Oid],
    depth: ReadDepth,
) -> Result<Vec<Capture>, CaptureError> {
    let place = repo.location();
    let query = CaptureQuery { repo: Some(place.id.clone()), ..CaptureQuery::default() };
    let stored = services.store.captures(&query)?;
    let mut by_commit: HashMap<Oid, Capture> =
        stored.into_iter().filter_map(|capture| Some((capture.commit.as_ref()?.oid.clone(), capture))).collect();
    let context = RepositoryContext::open(services, repo);
    let mut captures = Vec::with_capacity(oids.len());
    for oid in oids {
        if let Some(capture) = by_commit.remove(oid) {
            captures.push(capture);
            continue;
        }
        let mut commit = context.read_commit(oid)?;
        if depth == ReadDepth::Subject && SubjectLine::parse(commit.subject()).informative {
            // Most of the time goes into redacting and parsing the files.
            commit.patch.files.clear();
        }
        let subject = Subject::commit(commit, services.clock.as_ref());
        let deadline = Deadline::from_stamp(services.clock.now(), std::time::Duration::ZERO, services.clock.as_ref());
        let capture = pending(services, &subject, Source::Backfill, std::time::Duration::ZERO, &deadline);
        captures.push(Capture { project: redact(&place.project), ..capture });
    }
    Ok(captures)
}
