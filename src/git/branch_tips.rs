//! Branch tip comparison for repositories without reflogs (bare ones, `core.logAllRefUpdates=false`).

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::GitError;
use super::reflog::file;
use super::reflog::log_files;
use super::reflog::reader::{ABSENT, TIP as ALL};
use super::reflog::{LogUpdates, LoggedChange, RefChange};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Whether the repository keeps no logs, so that only branch tips are available.
pub fn has_no_logs(common_dir: &Path) -> bool {
    !common_dir.join("logs").is_dir() && !common_dir.join("reftable").is_dir()
}

/// The positions of all branches.
pub fn ends(common_dir: &Path, branches: &[(String, Oid)]) -> Vec<LogPosition> {
    let mut positions = vec![LogPosition::at_start(ALL, &stamp(common_dir))];
    positions.extend(branches.iter().map(|(name, tip)| LogPosition::at_start(&log_key(name), tip.as_str())));
    positions
}

/// Branches moved since the known positions. `branches` is called only when some file changed.
pub fn collect_moves(
    common_dir: &Path,
    positions: &[LogPosition],
    branches: impl FnOnce() -> Result<Vec<(String, Oid)>, GitError>,
) -> Result<LogUpdates, GitError> {
    let positions: HashMap<&str, &str> =
        positions.iter().map(|position| (position.log.as_str(), position.identity.as_str())).collect();
    let stamp = stamp(common_dir);
    if positions.get(ALL) == Some(&stamp.as_str()) {
        return Ok(LogUpdates::default());
    }
    let mut news = LogUpdates { positions: vec![LogPosition::at_start(ALL, &stamp)], ..LogUpdates::default() };
    let branches = branches()?;
    for (name, tip) in &branches {
        let log = log_key(name);
        let earlier = positions.get(log.as_str()).copied();
        if earlier == Some(tip.as_str()) {
            continue;
        }
        // Without any known position, all existing branches are old.
        if positions.contains_key(ALL) || earlier.is_some() {
            let from = earlier.and_then(|earlier| earlier.parse().ok());
            let ref_update = RefChange::UnloggedMove { from, to: tip.clone() };
            news.entries.push(LoggedChange {
                git_dir: common_dir.to_owned(),
                at: changed_at(common_dir, name),
                change: ref_update,
            });
        }
        news.positions.push(LogPosition::at_start(&log, tip.as_str()));
    }
    let there: HashSet<String> = branches.iter().map(|(name, _)| log_key(name)).collect();
    let deleted = positions
        .iter()
        .filter(|(log, earlier)| **earlier != ABSENT && log.starts_with("tip/") && !there.contains(**log));
    news.positions.extend(deleted.map(|(log, _)| LogPosition::at_start(log, ABSENT)));
    Ok(news)
}

fn log_key(branch: &str) -> String {
    log_files::key(&format!("{ALL}/{branch}"))
}

/// Modification time of the branch's file, or of `packed-refs`.
fn changed_at(common_dir: &Path, branch: &str) -> Timestamp {
    let seconds = |path: &Path| file::identify_file(path).and_then(|look| look.changed);
    seconds(&common_dir.join(branch))
        .or_else(|| seconds(&common_dir.join("packed-refs")))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// File stamp that changes whenever one of the files does.
fn stamp(common_dir: &Path) -> String {
    let mut paths = vec![common_dir.join("packed-refs")];
    paths.extend(log_files::files(&common_dir.join("refs/heads")).into_iter().map(|(path, _)| path));
    paths.sort();
    let looks = paths.iter().map(|path| {
        let look = file::identify_file(path).map_or_else(String::new, |look| format!("{}:{}", look.stamp, look.size));
        format!("{} {look}\n", path.display())
    });
    format!("{:016x}", file::hash_bytes(looks.collect::<String>().as_bytes()))
}
