//! Poison-event guard: the event under work is recorded where a killed process leaves it, so that an event whose
//! processing kills the program is closed instead of killing it at every start.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use jiff::{SignedDuration, Timestamp};

use super::services::Services;
use crate::config::paths::create_private;
use crate::domain::event::PendingEvent;
use crate::store::StoreError;

/// Deaths in a row with the same event in hand after which it is closed. An event that is closed by mistake, because
/// the program was killed as often for other reasons, gets a note on how to capture it.
const DEATHS: u32 = 5;
/// Deaths closer together than this count as one: a script that kills every start ten times a second says nothing about
/// the event.
const APART: SignedDuration = SignedDuration::from_secs(60);
/// Open events that are searched for the recorded one: it comes first, or nearly so.
const LOOKED_AT: usize = 512;
/// Content of the file while no event is in hand; rows count from 1.
const NOTHING: i64 = 0;

/// Guard of one program; its file holds the row under work.
#[derive(Debug)]
pub struct PoisonEventGuard {
    /// Absent where the state directory cannot be written: then deaths are not counted.
    file: Option<File>,
}

impl PoisonEventGuard {
    /// Opens the file of this program, and counts the death that its predecessor left in it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn open(services: &Services, who: &str) -> Result<Self, StoreError> {
        let name = format!("in-hand.{who}");
        let path = services.paths.state.join(&name);
        let file = create_private(&services.paths.state).and_then(|()| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
        });
        let guard = Self { file: file.ok() };
        if let Some(row) = guard.left_behind() {
            count(services, &name, row)?;
            guard.release();
        }
        Ok(guard)
    }

    /// Records that the event of this row is under work until the guard is dropped, also by a panic. Blocking.
    #[must_use]
    pub fn hold_event(&self, row: i64) -> EventHold<'_> {
        self.write(row);
        EventHold(self)
    }

    fn release(&self) {
        self.write(NOTHING);
    }

    fn write(&self, row: i64) {
        // Not synced: it is for kills, not for power loss. A full disk only switches the counting off.
        let _ = self.file.as_ref().map(|file| file.write_all_at(&row.to_le_bytes(), 0));
    }

    fn left_behind(&self) -> Option<i64> {
        let mut bytes = [0; 8];
        self.file.as_ref()?.read_exact_at(&mut bytes, 0).ok()?;
        Some(i64::from_le_bytes(bytes)).filter(|row| *row != NOTHING)
    }
}

/// Marks the event as under work until dropped.
#[derive(Debug)]
pub struct EventHold<'a>(&'a PoisonEventGuard);

impl Drop for EventHold<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Deaths with one event in hand.
struct Deaths {
    row: i64,
    count: u32,
    last: Timestamp,
}

impl Deaths {
    fn parse(mark: &str) -> Option<Self> {
        let mut words = mark.split(' ');
        let (row, count, last) = (words.next()?, words.next()?, words.next()?);
        Some(Self { row: row.parse().ok()?, count: count.parse().ok()?, last: last.parse().ok()? })
    }

    fn mark(&self) -> String {
        format!("{} {} {}", self.row, self.count, self.last)
    }
}

/// Counts one more death with this event in hand; the last one closes it.
fn count(services: &Services, name: &str, row: i64) -> Result<(), StoreError> {
    let now = services.clock.now();
    let before = services.store.mark(name)?.and_then(|mark| Deaths::parse(&mark)).filter(|before| before.row == row);
    if before.as_ref().is_some_and(|before| now.duration_since(before.last).abs() < APART) {
        return Ok(());
    }
    let count = before.map_or(0, |before| before.count) + 1;
    if count < DEATHS {
        return services.store.set_mark(name, Some(&Deaths { row, count, last: now }.mark()));
    }
    let open = services.store.pending_events(LOOKED_AT)?;
    if let Some(event) = open.iter().find(|event| event.row == row) {
        give_up(services, event)?;
    }
    services.store.set_mark(name, None)
}

fn give_up(services: &Services, pending: &PendingEvent) -> Result<(), StoreError> {
    let event = &pending.event;
    let rev = event.oid.as_ref().map_or("HEAD", |oid| oid.as_str());
    let what = format!("{}: the program ended {DEATHS} times while it read {rev}", event.git_dir.display());
    let hint = format!("uro-capture commit {rev}, run in the repository, tries again");
    services.store.close_event(pending.row, Some(&what))?;
    services.store.note_problem(services.clock.now(), &what, &hint)
}
