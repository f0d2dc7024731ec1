//! Ten thousand commits at once, for numbers: `cargo test --release --lib storm:: -- --ignored --nocapture`.

use super::PipelineFixture;
use super::reconcile_tests::{import, stream};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::event::Source;
use crate::pipeline::{ingest, reconcile, waiting};

#[test]
#[ignore = "takes a minute: for numbers, by hand"]
fn ten_thousand_imported_commits() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("a", "1", "One");
    scene.reconcile();
    let count = 10_000;
    import(&place, &stream("main", count, "me@example.com"));
    let start = SystemClock.instant();
    assert_eq!(reconcile::all(&scene.services, Source::Reconcile), count);
    let read = start.elapsed();
    loop {
        let ready = waiting::ready(&scene.services, 64).unwrap();
        if ready.events.is_empty() {
            break;
        }
        let mut last = ingest::LastRepo::default();
        for (event, without) in &ready.events {
            ingest::process_event(&scene.services, &mut last, event, *without, true).unwrap();
        }
    }
    let all = start.elapsed();
    println!(
        "reconciled {count} in {read:.2?}, captured in {:.2?}: {:.0} commits per second",
        all - read,
        count as f64 / (all - read).as_secs_f64()
    );
    assert_eq!(place.captures(false).len(), count + 1);
}
