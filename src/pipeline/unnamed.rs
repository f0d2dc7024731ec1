//! Which commits an event means that could not name its own: the hook does not read reftable. HEAD alone would be
//! wrong as soon as a second commit was made before the first event is dealt with.

use jiff::SignedDuration;

use super::capture::CaptureError;
use super::services::Services;
use crate::domain::event::{Event, HookName};
use crate::domain::id::Oid;
use crate::git::reflog::Made;
use crate::git::repo::Repo;

/// Entries of the reflog that are looked at, the newest ones.
const RECENT: usize = 512;
/// Open events that are looked at.
const WAITING: usize = 512;
/// The reflog counts in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The commits that were made here since the newest one that is captured, oldest first: as many as there are
/// events without an id, and those that are as young as this event. HEAD at least.
///
/// # Errors
/// When the repository or the store cannot be read.
pub(super) fn commits(services: &Services, repo: &Repo, event: &Event) -> Result<Vec<Oid>, CaptureError> {
    let head = repo.head()?;
    let mut made = repo.made_since(jiff::Timestamp::MIN)?;
    let recent = made.split_off(made.len().saturating_sub(RECENT));
    let oids: Vec<Oid> = recent.iter().map(|entry| entry.oid.clone()).collect();
    let known = services.store.captured_commits(&repo.place().id, &oids)?;
    let waiting = waiting(services, event)?;
    let mut meant = meant(&recent, &|oid| known.contains(oid), waiting, event);
    if !meant.contains(&head) {
        meant.push(head);
    }
    Ok(meant)
}

fn meant(recent: &[Made], is_known: &dyn Fn(&Oid) -> bool, waiting: usize, event: &Event) -> Vec<Oid> {
    let fresh = recent.iter().rev().take_while(|entry| !is_known(&entry.oid)).enumerate();
    let meant = fresh.filter(|(age, entry)| *age < waiting || entry.at >= event.stamp - SECOND);
    let mut oids: Vec<Oid> = meant.map(|(_, entry)| entry.oid.clone()).collect();
    oids.reverse();
    oids
}

/// How many open events of this worktree name no commit, each of which stands for one.
fn waiting(services: &Services, event: &Event) -> Result<usize, CaptureError> {
    let alike = |other: &Event| {
        let made_one = matches!(other.hook, Some(HookName::PostCommit | HookName::PostApplypatch));
        made_one && other.oid.is_none() && other.git_dir == event.git_dir
    };
    let open = services.store.pending_events(WAITING)?;
    Ok(open.iter().filter(|pending| alike(&pending.event)).count().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Source;

    fn oid(n: u8) -> Oid {
        format!("{n:02x}").repeat(20).parse().unwrap()
    }

    fn made(n: u8, at: i64) -> Made {
        Made { oid: oid(n), replaces: None, at: jiff::Timestamp::from_second(at).unwrap() }
    }

    fn event(at: i64) -> Event {
        Event {
            stamp: jiff::Timestamp::from_second(at).unwrap(),
            source: Source::Hook,
            hook: Some(HookName::PostCommit),
            git_dir: "/r/.git".into(),
            oid: None,
            rewrites: Vec::new(),
            in_sequence: false,
        }
    }

    #[test]
    fn commits_behind_the_newest_captured_one_are_meant_oldest_first() {
        let log = [made(1, 10), made(2, 11), made(3, 12), made(4, 13)];
        assert_eq!(meant(&log, &|other| *other == oid(2), 2, &event(13)), [oid(3), oid(4)]);
    }

    #[test]
    fn a_commit_whose_own_event_is_still_on_its_way_does_not_hide_this_one() {
        let log = [made(1, 10), made(2, 20), made(3, 20)];
        assert_eq!(meant(&log, &|other| *other == oid(1), 1, &event(20)), [oid(2), oid(3)]);
    }

    #[test]
    fn commits_from_before_the_hooks_are_left_alone() {
        let log = [made(1, 10), made(2, 11), made(3, 500)];
        assert_eq!(meant(&log, &|_| false, 1, &event(500)), [oid(3)]);
    }
}
