//! The reflogs' news against real git.

use jiff::Timestamp;

use super::scratch::Scratch;
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;
use crate::git::{Deed, Entry};

/// A reader that remembers how far it came.
struct Reader {
    known: Vec<LogPosition>,
    since: Timestamp,
}

impl Reader {
    /// Everything up to now is known.
    fn of(scratch: &Scratch) -> Self {
        Self { known: scratch.open().log_ends().unwrap(), since: "2020-01-01T00:00:00Z".parse().unwrap() }
    }

    fn entries(&mut self, scratch: &Scratch) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            let news = scratch.open().news(&self.known, self.since).unwrap();
            for position in news.positions {
                self.known.retain(|known| known.log != position.log);
                self.known.push(position);
            }
            entries.extend(news.entries);
            if !news.more {
                return entries;
            }
        }
    }

    fn deeds(&mut self, scratch: &Scratch) -> Vec<Deed> {
        self.entries(scratch).into_iter().map(|entry| entry.deed).collect()
    }
}

fn made(oid: &Oid, replaces: &[&Oid]) -> Deed {
    Deed::Made { oid: oid.clone(), replaces: replaces.iter().map(|oid| (*oid).clone()).collect(), step: false }
}

#[test]
fn a_commit_is_news_once_and_what_was_there_before_is_none() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    let mut reader = Reader::of(&scratch);
    assert_eq!(reader.entries(&scratch), []);
    let oid = scratch.write("a", "2").commit("Next");
    assert_eq!(reader.deeds(&scratch), [made(&oid, &[])]);
    assert_eq!(reader.entries(&scratch), []);
}

#[test]
fn the_first_commit_of_a_new_repository_is_news() {
    let scratch = Scratch::new();
    let mut reader = Reader::of(&scratch);
    let oid = scratch.write("a", "1").commit("Start");
    let entries = reader.entries(&scratch);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].deed, made(&oid, &[]));
    assert_eq!(entries[0].git_dir, scratch.open().place().git_dir);
}
