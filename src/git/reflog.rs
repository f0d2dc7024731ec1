//! What the reflog says was committed here: what hooks and watchers missed is found again in it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::commit;
use crate::domain::id::Oid;

/// One line of a reflog that made a commit here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub oid: Oid,
    /// The commit that this one replaced (an amend).
    pub replaces: Option<Oid>,
    pub at: Timestamp,
}

/// Of each log at most this is read, from its end (bytes).
const LOG_BYTES: u64 = 1 << 20;
/// Linked worktrees beyond this are not looked into.
const WORKTREES: usize = 200;

/// The commits made here at or after `since` per the logs of the main and the linked worktrees, oldest first;
/// commits that a later amend replaced are left out.
#[must_use]
pub fn made_since(common_dir: &Path, since: Timestamp) -> Vec<Made> {
    let mut made: Vec<Made> = logs(common_dir).iter().flat_map(|log| parse(&tail(log))).collect();
    made.retain(|entry| entry.at >= since);
    survivors(made)
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

fn logs(common_dir: &Path) -> Vec<PathBuf> {
    let mut logs = vec![common_dir.join("logs/HEAD")];
    if let Ok(worktrees) = common_dir.join("worktrees").read_dir() {
        logs.extend(worktrees.flatten().take(WORKTREES).map(|entry| entry.path().join("logs/HEAD")));
    }
    logs
}

/// The end of a log, from the first whole line on; an absent log is empty.
fn tail(log: &Path) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let size = file.metadata()?.len();
        let skipped = size.saturating_sub(LOG_BYTES);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = Vec::new();
        file.take(LOG_BYTES).read_to_end(&mut bytes)?;
        if skipped > 0 {
            let first = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            bytes.drain(..first);
        }
        Ok(bytes)
    };
    // No log, no reflog: reconciliation is a second net, and the repository itself is still read.
    read().unwrap_or_default()
}

fn parse(log: &[u8]) -> Vec<Made> {
    log.split(|byte| *byte == b'\n').filter_map(parse_line).collect()
}

/// `<old> <new> <name> <email> <seconds> <zone>\t<message>`.
fn parse_line(line: &[u8]) -> Option<Made> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let message = String::from_utf8_lossy(&line[tab + 1..]);
    let mut head = line[..tab].splitn(3, |byte| *byte == b' ');
    let old = std::str::from_utf8(head.next()?).ok()?;
    let oid = std::str::from_utf8(head.next()?).ok()?.parse().ok()?;
    let (_, _, at) = commit::signature(head.next()?)?;
    makes_a_commit(&message).then(|| Made { oid, replaces: amended(&message).then(|| old.parse().ok()).flatten(), at })
}

fn amended(message: &str) -> bool {
    message.starts_with("commit (amend)")
}

/// Whether a reflog message tells of a commit made here, not of one that was moved to.
#[must_use]
pub fn makes_a_commit(message: &str) -> bool {
    let (action, detail) = message.split_once(':').unwrap_or((message, ""));
    let verb = action.split(' ').next().unwrap_or("");
    let moved = detail.trim_start().starts_with("Fast-forward") || detail.trim_start().starts_with("fast-forward");
    let step = ["(pick)", "(reword)", "(edit)", "(squash)", "(fixup)", "(merge)", "(continue)"];
    let in_rebase = step.iter().any(|step| action.ends_with(step));
    match verb {
        "commit" | "cherry-pick" | "revert" | "am" => !action.contains("(start)") && !action.contains("(abort)"),
        "merge" => !moved,
        "pull" => in_rebase || (detail.contains("Merge made by") && !moved),
        // Rebases with the apply backend write `rebase: <subject>` for each commit they make.
        "rebase" => in_rebase || (action == "rebase" && !detail.trim_start().starts_with("checkout ")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_made_here_are_told_from_moves() {
        for message in [
            "commit: subject",
            "commit (initial): subject",
            "commit (amend): subject",
            "commit (merge): Merge branch 'x'",
            "merge topic: Merge made by the 'ort' strategy.",
            "cherry-pick: subject",
            "revert: Revert \"x\"",
            "am: subject",
            "pull: Merge made by the 'ort' strategy.",
            "rebase (pick): subject",
            "rebase (squash): subject",
            "rebase -i (reword): subject",
            "pull --rebase origin main (pick): subject",
            "rebase: subject",
        ] {
            assert!(makes_a_commit(message), "{message}");
        }
        for message in [
            "checkout: moving from a to b",
            "reset: moving to HEAD~1",
            "merge topic: Fast-forward",
            "pull: Fast-forward",
            "pull origin main: Fast-forward",
            "rebase (start): checkout main",
            "rebase (finish): returning to refs/heads/x",
            "rebase (abort): updating HEAD",
            "rebase finished: refs/heads/x onto abc",
            "rebase: checkout main",
            "clone: from https://example.org",
            "branch: Created from HEAD",
            "",
        ] {
            assert!(!makes_a_commit(message), "{message}");
        }
    }

    fn line(old: &str, new: &str, at: i64, message: &str) -> String {
        let id = |digit: &str| digit.repeat(40);
        format!("{} {} A U Thor <a@b> {at} +0100\t{message}\n", id(old), id(new))
    }

    fn oids(made: &[Made]) -> Vec<&str> {
        made.iter().map(|entry| &entry.oid.as_str()[..1]).collect()
    }

    #[test]
    fn what_an_amend_replaced_is_left_out() {
        let log = line("0", "a", 1, "commit (initial): x") + &line("a", "b", 2, "commit (amend): y");
        let made = survivors(parse(log.as_bytes()));
        assert_eq!(oids(&made), ["b"]);
        assert_eq!(made[0].replaces.as_ref().unwrap().as_str(), "a".repeat(40));
    }

    #[test]
    fn the_logs_of_all_worktrees_count_and_old_entries_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: String| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("logs/HEAD", line("0", "a", 5, "commit: old") + &line("a", "b", 30, "commit: new"));
        write("worktrees/w/logs/HEAD", line("a", "c", 20, "commit: linked") + "broken line\n");
        let made = made_since(dir.path(), Timestamp::from_second(10).unwrap());
        assert_eq!(oids(&made), ["c", "b"]);
    }

    #[test]
    fn only_the_end_of_a_giant_log_is_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("logs")).unwrap();
        let mut log = line("0", "d", 1, "commit: too far up");
        let filler = line("a", "a", 2, &format!("checkout: {}", "x".repeat(900)));
        log.push_str(&filler.repeat(1200));
        log.push_str(&line("a", "e", 3, "commit: last"));
        std::fs::write(dir.path().join("logs/HEAD"), log).unwrap();
        assert_eq!(oids(&made_since(dir.path(), Timestamp::UNIX_EPOCH)), ["e"]);
    }
}
