//! Housekeeping of the sidecar: retention, and unfinished erasure.

use std::sync::Arc;

use jiff::Timestamp;

use super::PipelineFixture;
use crate::domain::capture::ModelOutcome;
use crate::domain::clock::FakeClock;
use crate::domain::id::CaptureId;
use crate::pipeline::erasure;
use crate::store::FORGETTING;
use crate::store::samples::{answered, commit, timestamp};

fn days(n: i64) -> Timestamp {
    timestamp(n * 86_400)
}

/// A scene on this day, with an earlier capture that a model wrote.
fn scene(today: Timestamp) -> (PipelineFixture, CaptureId) {
    let scene = PipelineFixture::with_clock(Arc::new(FakeClock::at(today)));
    let capture = commit(1);
    scene.services.store.record_capture(&capture, None).unwrap();
    let sent = ModelOutcome { wire: Some("sent".into()), decision: Some("{}".into()), ..answered("It works.", 9.0) };
    scene.services.store.finish_capture(capture.id, &|| sent.clone()).unwrap();
    (scene, capture.id)
}

fn kept(scene: &PipelineFixture, id: CaptureId) -> (bool, bool) {
    erasure::expire(&scene.services).unwrap();
    let record = scene.services.store.capture(&id.to_string()).unwrap();
    (record.wire.is_some(), record.decision.is_some())
}

#[test]
fn each_setting_says_how_long_its_own_is_kept() {
    let (scene, id) = scene(days(50));
    assert_eq!(kept(&scene, id), (true, true), "ninety days");
    scene.configure("[retention]\ndecisions = \"40d\"\n");
    assert_eq!(kept(&scene, id), (true, false));
    scene.configure("[retention]\nprompts = \"4d\nbroken");
    assert_eq!(kept(&scene, id), (true, false), "by broken settings nothing is deleted");
    scene.configure("[retention]\nprompts = \"4d\"\n");
    assert_eq!(kept(&scene, id), (false, false));
}

#[test]
fn what_could_not_be_forgotten_is_tried_again_an_hour_later() {
    let (scene, id) = scene(days(1));
    let (services, paths) = (&scene.services, &scene.services.paths);
    let stubborn = paths.data.join("captures.db.schema-3");
    std::fs::create_dir(&stubborn).unwrap();
    std::fs::create_dir_all(&paths.state).unwrap();
    std::fs::write(paths.log(), "of another matter\n").unwrap();
    let forgotten = erasure::forget(services, id).unwrap();
    assert_eq!(forgotten.scrubbed.remaining.len(), 1);
    assert!(std::fs::metadata(paths.log()).unwrap().len() > 0, "nothing of it is in the log");
    std::fs::remove_dir(&stubborn).unwrap();
    std::fs::write(&stubborn, "x").unwrap();
    erasure::resume(services).unwrap();
    assert!(stubborn.exists(), "it was tried just now");
    let an_hour_ago = (days(1) - jiff::SignedDuration::from_hours(1)).to_string();
    services.store.set_mark(FORGETTING, Some(&an_hour_ago)).unwrap();
    erasure::resume(services).unwrap();
    assert!(!stubborn.exists());
    assert_eq!(services.store.mark(FORGETTING).unwrap(), None);
    assert_eq!(std::fs::metadata(paths.log()).unwrap().len(), 0, "what it was is not known any more");
}

#[test]
fn logs_and_leftover_texts_go_when_they_hold_a_piece_of_it() {
    let (scene, id) = scene(days(1));
    let (services, paths) = (&scene.services, &scene.services.paths);
    let file = |path: std::path::PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let log_line = "WARN why=\"400: It forgot its checkout_total.\\n\"";
    let (log, service_log) = (file(paths.log(), log_line), file(paths.service_log(), "nothing of it"));
    let old = file(paths.state.join("sidecar.log.old"), log_line);
    let edited = file(paths.state.join("edit-7.md"), "Repair basket 1, said the customer");
    let other = file(paths.state.join("draft-x.md"), "# Another week");
    let unread = file(paths.spool().join("unread-1.log"), log_line);
    let forgotten = erasure::forget(services, id).unwrap();
    assert_eq!(forgotten.scrubbed.remaining, []);
    assert_eq!(forgotten.scrubbed.copies.len(), 4, "{:?}", forgotten.scrubbed.copies);
    assert_eq!(std::fs::read(&log).unwrap(), b"", "its writers go on writing to it");
    assert!(!old.exists() && !edited.exists() && !unread.exists());
    assert!(other.exists() && std::fs::metadata(service_log).unwrap().len() > 0);
    assert_eq!(services.store.mark(FORGETTING).unwrap(), None);
}
