//! Erasure of a capture: secure delete in the store, and scrubbing of logs and leftover files beside it. Retention:
//! deletes operations, prompts and decisions older than `[retention]` allows.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::services::Services;
use crate::config::{Paths, paths};
use crate::domain::fragments::Fragments;
use crate::domain::id::{CaptureId, DraftId};
use crate::store::{ExpiringData, FORGETTING, ForgetReport, RemainingFile, Result, ScrubReport, StoreFile};

/// Pause before removal is retried: each try rewrites the whole store.
const AGAIN: Duration = Duration::from_secs(3600);

/// Removes the capture from the store and from the files below the state directory.
///
/// There is no such capture, or the store cannot be written; it is still there then. Remains that could not be removed
/// are listed in its list of remaining files.
pub fn forget(services: &Services, id: CaptureId) -> Result<ForgetReport> {
    let mut forgotten = services.store.forget_capture(id, services.clock.now())?;
    let (removed, left) = remove_remains(&services.paths, Some(&forgotten.fragments), &forgotten.drafts);
    forgotten.scrubbed.copies.extend(removed);
    forgotten.scrubbed.remaining.extend(left);
    settle_mark(services, &forgotten.scrubbed)?;
    Ok(forgotten)
}

/// Removes what an earlier `forget` had to leave. The erased text is not known any more, so logs and leftover texts are
/// removed unread.
///
/// # Errors
/// The store cannot be written.
pub fn finish(services: &Services) -> Result<ScrubReport> {
    services.store.set_mark(FORGETTING, Some(&services.clock.now().to_string()))?;
    let mut scrubbed = services.store.scrub();
    let (removed, left) = remove_remains(&services.paths, None, &[]);
    scrubbed.copies.extend(removed);
    scrubbed.remaining.extend(left);
    settle_mark(services, &scrubbed)?;
    Ok(scrubbed)
}

/// As [`finish`], where remains were left an hour ago or earlier, or the process died while forgetting.
///
/// # Errors
/// The store cannot be read or written.
pub fn resume(services: &Services) -> Result<()> {
    let Some(tried) = services.store.mark(FORGETTING)? else { return Ok(()) };
    let is_due = |tried: Timestamp| services.clock.now() >= tried + AGAIN || tried > services.clock.now();
    if tried.parse().map_or(true, is_due) {
        finish(services)?;
    }
    Ok(())
}

fn settle_mark(services: &Services, scrubbed: &ScrubReport) -> Result<()> {
    // Files of other programs stay in any case.
    if scrubbed.remaining.iter().all(|left| left.foreign) { services.store.set_mark(FORGETTING, None) } else { Ok(()) }
}

/// Empties the logs and removes the leftover texts that contain one of these pieces; without any, all of them.
fn remove_remains(
    places: &Paths,
    pieces: Option<&Fragments>,
    drafts: &[DraftId],
) -> (Vec<StoreFile>, Vec<RemainingFile>) {
    let (mut removed, mut left) = (Vec::new(), Vec::new());
    let contains_piece = |path: &Path| match (pieces, File::open(path)) {
        (_, Err(missing)) if missing.kind() == io::ErrorKind::NotFound => Ok(false),
        (None, _) => Ok(true),
        (Some(pieces), file) => pieces.occur_in_stream(file?),
    };
    let mut tend = |path: PathBuf, deed: fn(&Path) -> io::Result<()>, must: bool| {
        let bytes = fs::metadata(&path).map_or(0, |found| found.len());
        match contains_piece(&path).and_then(|held| if held || must { deed(&path).map(|()| true) } else { Ok(false) }) {
            Ok(true) => removed.push(StoreFile { path, bytes }),
            Ok(false) => {}
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
            Err(failure) => left.push(RemainingFile { path, why: failure.to_string(), foreign: false }),
        }
    };
    let log = places.log();
    tend(paths::previous_log(&log), |path| fs::remove_file(path), false);
    // Other processes append to these: they go on at the start of the file.
    for log in [log, places.service_log()] {
        tend(log, |path| File::options().write(true).open(path)?.set_len(0), false);
    }
    for text in find_leftovers(places) {
        let must = drafts.iter().any(|draft| text.to_string_lossy().contains(&draft.to_string()));
        tend(text, |path| fs::remove_file(path), must);
    }
    (removed, left)
}

/// Editor texts that were never taken back, and reports that no version of this program could read.
fn find_leftovers(places: &Paths) -> Vec<PathBuf> {
    let of = |dir: &Path, prefixes: &[&str], suffix: &str| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let named = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            prefixes.iter().any(|prefix| name.starts_with(prefix)) && name.ends_with(suffix)
        };
        entries.filter(named).collect::<Vec<_>>()
    };
    let mut found = of(&places.state, &["edit-", "draft-"], ".md");
    found.extend(of(&places.spool(), &["unread-"], ".log"));
    found.extend(of(&places.skipped(), &["unread-"], ".log"));
    found.sort();
    found
}

/// Deletes what is older than the settings allow; nothing while the settings cannot be read.
///
/// # Errors
/// The store cannot be written.
pub fn expire(services: &Services) -> Result<()> {
    // Nothing is deleted by settings that the user did not choose.
    let Ok(config) = services.readable_config(None) else { return Ok(()) };
    let (kept, now) = (config.retention, services.clock.now());
    for (what, time) in [
        (ExpiringData::Operations, kept.operations),
        (ExpiringData::Prompts, kept.prompts),
        (ExpiringData::Decisions, kept.decisions),
        (ExpiringData::Problems, kept.problems),
        (ExpiringData::Squashes, kept.squashes),
        (ExpiringData::Copies, kept.copies),
    ] {
        services.store.expire(what, now - time)?;
    }
    Ok(())
}
