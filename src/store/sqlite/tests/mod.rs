//! Failure modes of SQLite: locks, kills, damaged files, full disks, other versions.

use super::super::{Store, conformance};
use super::SqliteStore;

mod damage;
mod forgetting;
mod growth;
mod plans;
mod sharing;
mod source;
pub mod trace;
mod upgrade;

/// A store in a temporary directory.
struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("data/captures.db")
    }

    fn open(&self) -> SqliteStore {
        let opened = SqliteStore::open(&self.path()).unwrap();
        assert_eq!(opened.quarantined, None);
        opened.store
    }
}

#[test]
fn nothing_is_put_into_files_outside_of_its_directory() {
    let home = Home::new();
    let kept = |db: &rusqlite::Connection| Ok(db.query_row("PRAGMA temp_store", [], |row| row.get::<_, i64>(0))?);
    let store = home.open();
    assert_eq!((store.read(kept).unwrap(), store.maintain(kept).unwrap()), (2, 2), "2 is memory");
}

#[test]
fn it_does_what_every_store_must_do() {
    conform();
}

fn conform() {
    let mut homes = Vec::new();
    conformance::all(|| {
        let home = Home::new();
        let store = home.open();
        homes.push(home);
        Box::new(store) as Box<dyn Store>
    });
}
