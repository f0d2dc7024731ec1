//! What all logs of a repository tell beyond the known positions.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::super::deed::{Deed, Entry, News};
use super::line::Line;
use super::places::{self, Log};
use super::story::{self, Told};
use super::tail::{self, Tail};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Where every log ends now.
#[must_use]
pub fn ends(common_dir: &Path) -> Vec<LogPosition> {
    let logs = places::heads(common_dir).into_iter().chain(places::branches(common_dir));
    // A log that cannot be read is read anew, from the time of registration on, when it can.
    logs.filter_map(|log| tail::end(&log.path, &log.name).ok()).collect()
}

/// The new lines of one log.
#[derive(Debug)]
pub struct Fresh {
    pub log: Log,
    pub tail: Tail,
}

/// Reads what is new in every log.
#[must_use]
pub fn read(common_dir: &Path, known: &[LogPosition], since: Timestamp) -> (Vec<Fresh>, News) {
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let read = |log: Log| {
        // What cannot be read now keeps its position.
        let tail = tail::read(&log.path, &log.name, known, since).unwrap_or_default();
        Fresh { log, tail }
    };
    // Git writes the log of HEAD first: read last, it has whatever those of the branches have.
    let branches: Vec<Fresh> = places::branches(common_dir).into_iter().map(read).collect();
    let heads: Vec<Fresh> = places::heads(common_dir).into_iter().map(read).collect();
    // The same deed stands in both; what HEAD's log has not told yet, a branch's waits for.
    let wait = heads.iter().any(|head| head.tail.more);
    let mut fresh = heads;
    fresh.extend(branches.into_iter().filter(|_| !wait));
    let mut news = News { more: wait || fresh.iter().any(|fresh| fresh.tail.more), ..News::default() };
    news.positions = fresh.iter().filter_map(|fresh| fresh.tail.position.clone()).collect();
    fresh.retain(|fresh| fresh.tail.fresh < fresh.tail.lines.len());
    (fresh, news)
}

/// The deeds of all logs, each once, in the order of time.
#[must_use]
pub fn entries(common_dir: &Path, fresh: &[Fresh]) -> Vec<Entry> {
    let is_head = |fresh: &&Fresh| fresh.log.path.ends_with("logs/HEAD");
    let told: HashSet<&Line> = fresh.iter().filter(is_head).flat_map(|head| head.tail.lines.iter()).collect();
    let mut all = Vec::new();
    for fresh in fresh {
        let mut latest = Timestamp::MIN;
        for Told { line, at, deed } in story::classify(&fresh.tail.lines, fresh.tail.fresh) {
            if !is_head(&fresh) && told.contains(&fresh.tail.lines[line]) {
                continue;
            }
            // Within a log its own order counts, whatever the clocks said.
            latest = latest.max(at);
            let git_dir = fresh.log.git_dir.clone();
            all.push((latest, Entry { git_dir, at, deed }));
        }
    }
    let _ = common_dir;
    all.sort_by_key(|(at, _)| *at);
    survivors(all.into_iter().map(|(_, entry)| entry).collect())
}

/// Leaves out commits that were replaced later; what they replaced goes to the survivor.
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
