//! Events: exactly once, oldest first.

use super::Check;
use crate::domain::event::Event;
use crate::store::samples::{commit, event};
use crate::store::{RecordOutcome, SpoolPosition, Store};

pub const CHECKS: &[Check] = &[
    ("an event taken over twice stays one event", taken_over_twice),
    ("events wait oldest first until they are closed", events_wait),
    ("a forgotten spool's name may be used again", spool_names_are_reused),
    ("recording closes the event", recording_closes_the_event),
];

fn position(offset: u64) -> SpoolPosition {
    SpoolPosition { file: "2049:77".into(), offset }
}

fn taken_over_twice(store: &dyn Store) {
    let events = [event(1), event(2)];
    store.ingest_events(&events[..1], &position(60)).unwrap();
    store.ingest_events(&events, &position(120)).unwrap();
    assert_eq!(store.spool_positions().unwrap(), [position(120)]);
    let pending: Vec<_> = store.pending_events(10).unwrap().into_iter().map(|pending| pending.event).collect();
    assert_eq!(pending, events);
    store.close_event(store.pending_events(1).unwrap()[0].row, None).unwrap();
    store.ingest_events(&events, &position(120)).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 1, "a closed event stays closed");
}

fn events_wait(store: &dyn Store) {
    let late = store.insert_event(&event(9)).unwrap();
    let early = store.insert_event(&event(3)).unwrap();
    let rows: Vec<i64> = store.pending_events(10).unwrap().iter().map(|pending| pending.row).collect();
    assert_eq!(rows, [early, late]);
    assert_eq!(store.pending_events(1).unwrap().len(), 1);
    store.close_event(early, Some("excluded")).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 1);
    store.insert_event(&event(9)).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 2, "reports that did not come through a spool all count");
    let bare = Event { hook: None, oid: None, rewrites: Vec::new(), ..event(1) };
    store.insert_event(&bare).unwrap();
    assert_eq!(store.pending_events(1).unwrap()[0].event, bare);
}

fn spool_names_are_reused(store: &dyn Store) {
    store.ingest_events(&[event(1)], &position(60)).unwrap();
    store.forget_spool(&position(0).file).unwrap();
    assert!(store.spool_positions().unwrap().is_empty());
    store.ingest_events(&[event(1)], &position(60)).unwrap();
    assert_eq!(store.pending_event_count().unwrap(), 2);
}

fn recording_closes_the_event(store: &dyn Store) {
    let (first, second) = (store.insert_event(&event(1)).unwrap(), store.insert_event(&event(1)).unwrap());
    assert_eq!(store.record_capture(&commit(1), Some(first)).unwrap(), RecordOutcome::New);
    assert_eq!(store.pending_events(9).unwrap()[0].row, second);
    assert!(matches!(store.record_capture(&commit(1), Some(second)).unwrap(), RecordOutcome::Known(_)));
    assert_eq!(store.pending_event_count().unwrap(), 0);
}
