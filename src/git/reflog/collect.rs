//! Collects the new entries of all reflogs of a repository after the known positions.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::classify::{self, ClassifiedLog, EntryChange};
use super::line::ReflogLine;
use super::log_files::{self, ReflogFile};
use super::reader::{self, LogTail};
use super::ref_tips;
use super::{LogUpdates, LoggedChange, RefChange};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// The current end position of every log.
#[must_use]
pub fn ends(common_dir: &Path) -> Vec<LogPosition> {
    let heads = log_files::head_logs(common_dir);
    let logs = heads.iter().cloned().chain(log_files::branches(common_dir));
    // An unreadable log gets no position; once readable it is read from the registration time on.
    let ends = logs.filter_map(|log| reader::end_position(&log.path, &log.key()).ok());
    ends.chain(ref_tips::ends(common_dir, &heads)).collect()
}

/// The new lines of one log.
#[derive(Debug)]
pub struct NewLines {
    pub log: ReflogFile,
    pub tail: LogTail,
}

/// Reads the new lines of every log.
#[must_use]
pub fn collect_new_lines(
    common_dir: &Path,
    positions: &[LogPosition],
    since: Timestamp,
) -> (Vec<NewLines>, LogUpdates) {
    let read = |log: ReflogFile| {
        // A log that is unreadable now keeps its position.
        let tail = reader::read_new_lines(&log.path, &log.key(), positions, since).unwrap_or_default();
        NewLines { log, tail }
    };
    // Git writes HEAD's log first: read last, it contains everything the branch logs contain.
    let branches: Vec<NewLines> = log_files::branches(common_dir).into_iter().map(read).collect();
    let heads = log_files::head_logs(common_dir);
    let mut fresh: Vec<NewLines> = heads.iter().cloned().map(read).collect();
    fresh.extend(branches);
    let mut news = LogUpdates { more: fresh.iter().any(|fresh| fresh.tail.more), ..LogUpdates::default() };
    news.positions = fresh.iter().filter_map(|fresh| fresh.tail.position.clone()).collect();
    fresh.retain(|fresh| fresh.tail.fresh < fresh.tail.lines.len());
    for (position, unlogged) in heads.iter().filter_map(|log| ref_tips::read_unlogged(common_dir, log, positions)) {
        news.positions.push(position);
        fresh.extend(unlogged);
    }
    (fresh, news)
}

/// The lines of every log at or after `since`.
#[must_use]
pub fn collect_since(common_dir: &Path, since: Timestamp) -> Vec<NewLines> {
    let logs = log_files::head_logs(common_dir).into_iter().chain(log_files::branches(common_dir));
    let read = |log: ReflogFile| {
        // An unreadable log is skipped; the others are still used.
        let lines = reader::read_since(&log.path, since).unwrap_or_default();
        NewLines { log, tail: LogTail { lines, ..LogTail::default() } }
    };
    logs.map(read).filter(|fresh| !fresh.tail.lines.is_empty()).collect()
}

/// Classifies the lines of all logs, each line once.
#[must_use]
pub fn classify_logs(fresh: &mut [NewLines], heads: &[ReflogFile]) -> Vec<ClassifiedLog> {
    for fresh in fresh.iter_mut().filter(|fresh| fresh.log.is_head) {
        if classify::lacks_rebase_start(&fresh.tail.lines, fresh.tail.fresh) {
            // If this fails the rebase's commits are still reported, without the commits they replaced.
            let _ = reader::extend_context(&fresh.log.path, &mut fresh.tail);
        }
    }
    let in_head_logs = lines_in_head_logs(fresh, heads);
    let classify = |fresh: &NewLines| {
        let mut log = classify::classify_lines(&fresh.tail.lines, fresh.tail.fresh);
        if !fresh.log.is_head {
            let is_own = |line: usize| !in_head_logs.contains(&fresh.tail.lines[line]);
            log.changes.retain(|entry| is_own(entry.line));
            log.questions.retain(|question| question.line().is_none_or(is_own));
        }
        log
    };
    fresh.iter().map(classify).collect()
}

/// The lines that a HEAD log also has: in this read, earlier (git writes HEAD first, so a branch line may follow one
/// call later), or beyond the read limit.
fn lines_in_head_logs<'a>(fresh: &'a [NewLines], heads: &[ReflogFile]) -> HashSet<&'a ReflogLine> {
    let of = |is_head: bool| fresh.iter().filter(move |fresh| fresh.log.is_head == is_head);
    let mut in_head_logs: HashSet<&ReflogLine> = of(true).flat_map(|head| &head.tail.lines).collect();
    let branches = of(false).flat_map(|branch| &branch.tail.lines[branch.tail.fresh..]);
    let open: HashSet<&ReflogLine> = branches.filter(|line| !in_head_logs.contains(line)).collect();
    if !open.is_empty() {
        for head in heads {
            in_head_logs.extend(reader::find(&head.path, &open).unwrap_or_default());
        }
    }
    in_head_logs
}

/// HEAD log lines that the branch log has as well: they moved the branch, not only HEAD.
#[must_use]
pub fn moved_with_branches<'a>(common_dir: &Path, fresh: &'a [NewLines]) -> HashSet<&'a ReflogLine> {
    let (heads, branches): (Vec<&NewLines>, Vec<&NewLines>) = fresh.iter().partition(|fresh| fresh.log.is_head);
    let mut found: HashSet<&ReflogLine> = branches.iter().flat_map(|branch| &branch.tail.lines).collect();
    for head in heads {
        // The branch log may have been read before, or be beyond the limit.
        let open: HashSet<&ReflogLine> = head.tail.lines.iter().filter(|line| !found.contains(line)).collect();
        let branch = ref_tips::checked_out(common_dir, &head.log.git_dir);
        let branch = branch.as_deref().and_then(|file| file.strip_prefix(common_dir).ok());
        if let Some(branch) = branch.filter(|_| !open.is_empty()) {
            found.extend(reader::find(&common_dir.join("logs").join(branch), &open).unwrap_or_default());
        }
    }
    found
}

/// The reference changes of all logs, ordered by time.
#[must_use]
pub fn merge(logs: Vec<(PathBuf, Vec<EntryChange>)>) -> Vec<LoggedChange> {
    let mut all = Vec::new();
    for (git_dir, changes) in logs {
        let mut latest = Timestamp::MIN;
        for EntryChange { at, change: ref_update, .. } in changes {
            // Within one log the line order takes precedence over timestamps.
            latest = latest.max(at);
            all.push((latest, LoggedChange { git_dir: git_dir.clone(), at, change: ref_update }));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    survivors(all.into_iter().map(|(_, entry)| entry).collect())
}

/// Drops commits that were replaced later; their replaced commits move to the survivor.
#[must_use]
pub fn survivors(entries: Vec<LoggedChange>) -> Vec<LoggedChange> {
    let mut at: HashMap<Oid, usize> = HashMap::new();
    let mut kept: Vec<Option<LoggedChange>> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        if let RefChange::Committed { oid, replaces, .. } = &mut entry.change {
            let mut inherited = Vec::new();
            for old in replaces.iter().filter(|old| *old != oid) {
                let Some(LoggedChange { change: RefChange::Committed { replaces, .. }, .. }) =
                    at.remove(old).and_then(|index| kept.get_mut(index)?.take())
                else {
                    continue;
                };
                inherited.extend(replaces);
            }
            replaces.extend(inherited);
            replaces.retain(|old| old != oid);
            at.insert(oid.clone(), kept.len());
        }
        kept.push(Some(entry));
    }
    kept.into_iter().flatten().collect()
}
