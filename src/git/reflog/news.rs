//! Collects the new entries of all reflogs of a repository after the known positions.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::deed::{Deed, Entry, News};
use super::line::Line;
use super::places::{self, Log};
use super::story::{self, Story, Told};
use super::tail::{self, Tail};
use super::unlogged;
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// The current end position of every log.
#[must_use]
pub fn ends(common_dir: &Path) -> Vec<LogPosition> {
    let heads = places::heads(common_dir);
    let logs = heads.iter().cloned().chain(places::branches(common_dir));
    // An unreadable log gets no position; once readable it is read from the registration time on.
    let ends = logs.filter_map(|log| tail::end(&log.path, &log.key()).ok());
    ends.chain(unlogged::ends(common_dir, &heads)).collect()
}

/// The new lines of one log.
#[derive(Debug)]
pub struct Fresh {
    pub log: Log,
    pub tail: Tail,
}

/// Reads the new lines of every log.
#[must_use]
pub fn read(common_dir: &Path, known: &[LogPosition], since: Timestamp) -> (Vec<Fresh>, News) {
    let read = |log: Log| {
        // A log that is unreadable now keeps its position.
        let tail = tail::read(&log.path, &log.key(), known, since).unwrap_or_default();
        Fresh { log, tail }
    };
    // Git writes HEAD's log first: read last, it contains everything the branch logs contain.
    let branches: Vec<Fresh> = places::branches(common_dir).into_iter().map(read).collect();
    let heads = places::heads(common_dir);
    let mut fresh: Vec<Fresh> = heads.iter().cloned().map(read).collect();
    fresh.extend(branches);
    let mut news = News { more: fresh.iter().any(|fresh| fresh.tail.more), ..News::default() };
    news.positions = fresh.iter().filter_map(|fresh| fresh.tail.position.clone()).collect();
    fresh.retain(|fresh| fresh.tail.fresh < fresh.tail.lines.len());
    for (position, unlogged) in heads.iter().filter_map(|log| unlogged::read(common_dir, log, known)) {
        news.positions.push(position);
        fresh.extend(unlogged);
    }
    (fresh, news)
}

/// The lines of every log at or after `since`.
#[must_use]
pub fn since(common_dir: &Path, since: Timestamp) -> Vec<Fresh> {
    let logs = places::heads(common_dir).into_iter().chain(places::branches(common_dir));
    let read = |log: Log| {
        // An unreadable log is skipped; the others are still used.
        let lines = tail::since(&log.path, since).unwrap_or_default();
        Fresh { log, tail: Tail { lines, ..Tail::default() } }
    };
    logs.map(read).filter(|fresh| !fresh.tail.lines.is_empty()).collect()
}

/// Classifies the lines of all logs, each line once.
#[must_use]
pub fn stories(fresh: &mut [Fresh], heads: &[Log]) -> Vec<Story> {
    for fresh in fresh.iter_mut().filter(|fresh| fresh.log.is_head) {
        if story::lacks_a_beginning(&fresh.tail.lines, fresh.tail.fresh) {
            // If this fails the rebase's commits are still reported, without the commits they replaced.
            let _ = tail::look_back(&fresh.log.path, &mut fresh.tail);
        }
    }
    let told = told_by_heads(fresh, heads);
    let story = |fresh: &Fresh| {
        let mut story = story::classify(&fresh.tail.lines, fresh.tail.fresh);
        if !fresh.log.is_head {
            let is_own = |line: usize| !told.contains(&fresh.tail.lines[line]);
            story.told.retain(|told| is_own(told.line));
            story.questions.retain(|question| question.line().is_none_or(is_own));
        }
        story
    };
    fresh.iter().map(story).collect()
}

/// The lines that a HEAD log also has: in this read, earlier (git writes HEAD first, so a branch line may follow one
/// call later), or beyond the read limit.
fn told_by_heads<'a>(fresh: &'a [Fresh], heads: &[Log]) -> HashSet<&'a Line> {
    let of = |is_head: bool| fresh.iter().filter(move |fresh| fresh.log.is_head == is_head);
    let mut told: HashSet<&Line> = of(true).flat_map(|head| &head.tail.lines).collect();
    let branches = of(false).flat_map(|branch| &branch.tail.lines[branch.tail.fresh..]);
    let open: HashSet<&Line> = branches.filter(|line| !told.contains(line)).collect();
    if !open.is_empty() {
        for head in heads {
            told.extend(tail::find(&head.path, &open).unwrap_or_default());
        }
    }
    told
}

/// HEAD log lines that the branch log has as well: they moved the branch, not only HEAD.
#[must_use]
pub fn moved_with_branches<'a>(common_dir: &Path, fresh: &'a [Fresh]) -> HashSet<&'a Line> {
    let (heads, branches): (Vec<&Fresh>, Vec<&Fresh>) = fresh.iter().partition(|fresh| fresh.log.is_head);
    let mut found: HashSet<&Line> = branches.iter().flat_map(|branch| &branch.tail.lines).collect();
    for head in heads {
        // The branch log may have been read before, or be beyond the limit.
        let open: HashSet<&Line> = head.tail.lines.iter().filter(|line| !found.contains(line)).collect();
        let branch = unlogged::checked_out(common_dir, &head.log.git_dir);
        let branch = branch.as_deref().and_then(|file| file.strip_prefix(common_dir).ok());
        if let Some(branch) = branch.filter(|_| !open.is_empty()) {
            found.extend(tail::find(&common_dir.join("logs").join(branch), &open).unwrap_or_default());
        }
    }
    found
}

/// The reference changes of all logs, ordered by time.
#[must_use]
pub fn merge(logs: Vec<(PathBuf, Vec<Told>)>) -> Vec<Entry> {
    let mut all = Vec::new();
    for (git_dir, told) in logs {
        let mut latest = Timestamp::MIN;
        for Told { at, deed, .. } in told {
            // Within one log the line order takes precedence over timestamps.
            latest = latest.max(at);
            all.push((latest, Entry { git_dir: git_dir.clone(), at, deed }));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    survivors(all.into_iter().map(|(_, entry)| entry).collect())
}

/// Drops commits that were replaced later; their replaced commits move to the survivor.
#[must_use]
pub fn survivors(entries: Vec<Entry>) -> Vec<Entry> {
    let mut at: HashMap<Oid, usize> = HashMap::new();
    let mut kept: Vec<Option<Entry>> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        if let Deed::Made { oid, replaces, .. } = &mut entry.deed {
            let mut inherited = Vec::new();
            for old in replaces.iter().filter(|old| *old != oid) {
                let Some(Entry { deed: Deed::Made { replaces, .. }, .. }) =
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
