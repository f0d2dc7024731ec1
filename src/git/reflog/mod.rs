//! What the reflog says was done here: what hooks and watchers missed is found again in it.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use self::line::Line;
use self::message::Said;
use crate::domain::id::Oid;

pub(super) mod file;
mod line;
mod message;
pub(super) mod news;
pub(super) mod places;
mod story;
mod tail;

/// One line of a reflog that made a commit here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub oid: Oid,
    /// The commit that this one replaced (an amend).
    pub replaces: Option<Oid>,
    pub at: Timestamp,
}

/// The commits made here at or after `since` per the logs of the main and the linked worktrees, oldest first;
/// commits that a later amend replaced are left out.
#[must_use]
pub fn made_since(common_dir: &Path, since: Timestamp) -> Vec<Made> {
    let logs = places::heads(common_dir);
    let lines = logs.iter().flat_map(|log| tail::since(&log.path, since).unwrap_or_default());
    let mut made: Vec<Made> = lines.filter_map(made).collect();
    made.retain(|entry| entry.at >= since);
    survivors(made)
}

fn made(line: Line) -> Option<Made> {
    if !makes_a_commit(&line.message) {
        return None;
    }
    let amends = message::read(&line.message) == Said::Amended;
    Some(Made { oid: line.new?, replaces: line.old.filter(|_| amends), at: line.at })
}

/// Sorts, drops repetitions and what was amended away.
#[must_use]
pub fn survivors(mut made: Vec<Made>) -> Vec<Made> {
    made.sort_by_key(|entry| entry.at);
    let replaced: HashSet<Oid> = made.iter().filter_map(|entry| entry.replaces.clone()).collect();
    let mut seen = HashSet::new();
    made.retain(|entry| !replaced.contains(&entry.oid) && seen.insert(entry.oid.clone()));
    made
}

/// Whether a reflog message tells of a commit made here, not of one that was moved to.
#[must_use]
pub fn makes_a_commit(message: &str) -> bool {
    matches!(message::read(message), Said::Made | Said::Amended | Said::Applied | Said::Step(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(old: &str, new: &str, at: i64, message: &str) -> String {
        let id = |digit: &str| digit.repeat(40);
        format!("{} {} A U Thor <a@b> {at} +0100\t{message}\n", id(old), id(new))
    }

    fn oids(made: &[Made]) -> Vec<&str> {
        made.iter().map(|entry| &entry.oid.as_str()[..1]).collect()
    }

    fn write(dir: &tempfile::TempDir, path: &str, text: String) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn what_an_amend_replaced_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let log = line("0", "a", 1, "commit (initial): x") + &line("a", "b", 2, "commit (amend): y");
        write(&dir, "logs/HEAD", log);
        let made = made_since(dir.path(), Timestamp::UNIX_EPOCH);
        assert_eq!(oids(&made), ["b"]);
        assert_eq!(made[0].replaces.as_ref().unwrap().as_str(), "a".repeat(40));
    }

    #[test]
    fn the_logs_of_all_worktrees_count_and_old_entries_do_not() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir, "logs/HEAD", line("0", "a", 5, "commit: old") + &line("a", "b", 30, "commit: new"));
        write(&dir, "worktrees/w/logs/HEAD", line("a", "c", 20, "commit: linked") + "broken line\n");
        let made = made_since(dir.path(), Timestamp::from_second(10).unwrap());
        assert_eq!(oids(&made), ["c", "b"]);
    }

    #[test]
    fn of_a_giant_log_nothing_young_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = line("0", "d", 1, "commit: far up");
        let filler = line("a", "a", 2, &format!("checkout: {}", "x".repeat(900)));
        log.push_str(&filler.repeat(3000));
        log.push_str(&line("a", "e", 3, "commit: last"));
        write(&dir, "logs/HEAD", log);
        assert_eq!(oids(&made_since(dir.path(), Timestamp::UNIX_EPOCH)), ["d", "e"]);
    }
}
