//! Conformance checks for any `Store` implementation. A backend's tests call `all` with a constructor for an empty
//! store; each check gets its own.

use super::samples::commit;
use super::{CaptureQuery, Store};
use crate::domain::capture::Capture;

mod captures;
mod drafts;
mod events;
mod finding;
mod log;
mod notes;
mod refining;
mod reflogs;
mod units;

/// A check and its description.
type Check = (&'static str, fn(&dyn Store));

/// Runs every check on a store of its own.
pub fn all(mut empty: impl FnMut() -> Box<dyn Store>) {
    let rooms = [
        events::CHECKS,
        reflogs::CHECKS,
        units::CHECKS,
        captures::CHECKS,
        refining::CHECKS,
        finding::CHECKS,
        log::CHECKS,
        notes::CHECKS,
        drafts::CHECKS,
    ];
    for (name, check) in rooms.concat() {
        println!("{name}");
        check(&*empty());
    }
}

/// The same patch as commit 1 under another commit id.
pub fn picked(n: u64) -> Capture {
    let mut capture = commit(n);
    capture.commit.as_mut().unwrap().patch_id = commit(1).commit.unwrap().patch_id;
    capture
}

pub fn live(store: &dyn Store) -> Vec<Capture> {
    store.captures(&CaptureQuery::default()).unwrap()
}
