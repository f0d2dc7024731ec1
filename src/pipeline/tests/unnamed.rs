//! Reports of hooks that could not name their commit, because they do not read reftable.

use super::{Place, Scene};
use crate::domain::event::{Event, HookName, Means, Source};
use crate::domain::id::Oid;
use crate::pipeline::reconcile;

/// A hook's report without a commit id.
fn report(scene: &Scene, place: &Place<'_>, hook: HookName, rewrites: &[(Oid, Oid)]) {
    place.tell(&event(scene, place, hook, rewrites));
}

fn event(scene: &Scene, place: &Place<'_>, hook: HookName, rewrites: &[(Oid, Oid)]) -> Event {
    Event {
        stamp: scene.services.clock.now(),
        source: Source::Hook,
        hook: Some(hook),
        git_dir: place.path.join(".git").canonicalize().unwrap(),
        oid: None,
        rewrites: rewrites.to_vec(),
        in_sequence: false,
    }
}

/// A commit from before the registration, then `topic` with one of its own; main is checked out.
fn begun<'a>(scene: &'a Scene) -> Option<Place<'a>> {
    let place = scene.reftable("r")?;
    place.user("me@example.com").commit("base", "x", "Base");
    place.register(Means::File);
    place.git(&["checkout", "-q", "-b", "topic"]);
    place.commit("a", "1", "Add a");
    report(scene, &place, HookName::PostCommit, &[]);
    place.git(&["checkout", "-q", "main"]);
    Some(place)
}

#[test]
fn the_commit_is_found_though_another_is_checked_out_and_that_is_left_alone() {
    let scene = Scene::new();
    let Some(place) = begun(&scene) else { return };
    let pressed = scene.services.store.pending_events(1).unwrap()[0].event.stamp;
    let jobs = scene.work();
    assert_eq!((place.live(), jobs.len()), (vec!["Add a".to_owned()], 1));
    assert_eq!(place.captures(false)[0].source, Source::Hook);
    let queued = place.captures(false)[0].timing.queue_ms.unwrap();
    let since = scene.services.clock.now().duration_since(pressed).as_millis_f64();
    assert!(queued > 0.0 && queued <= since, "the budget runs from the hook's stamp: {queued} of {since} ms");
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 0);
}

#[test]
fn commits_made_before_the_first_report_is_dealt_with_are_captured_once_each() {
    let scene = Scene::new();
    let Some(place) = begun(&scene) else { return };
    for n in 0..3 {
        place.commit("b", &n.to_string(), &format!("Change b, {n}"));
        report(&scene, &place, HookName::PostCommit, &[]);
    }
    scene.work();
    assert_eq!(place.live(), ["Add a", "Change b, 0", "Change b, 1", "Change b, 2"]);
    assert!(place.captures(true).iter().all(|capture| capture.source == Source::Hook));
}

#[test]
fn what_the_watcher_found_before_the_report_is_the_hooks() {
    let scene = Scene::new();
    let Some(place) = begun(&scene) else { return };
    place.commit("b", "1", "Add b");
    report(&scene, &place, HookName::PostCommit, &[]);
    assert_eq!(reconcile::all(&scene.services, Source::Watch), 2);
    scene.work();
    place.commit("c", "1", "Add c");
    reconcile::all(&scene.services, Source::Watch);
    scene.work();
    report(&scene, &place, HookName::PostCommit, &[]);
    scene.work();
    let sources: Vec<Source> = place.captures(false).into_iter().map(|capture| capture.source).collect();
    assert_eq!(sources, [Source::Hook; 3]);
}

#[test]
fn a_merge_and_picks_that_the_watcher_found_before_their_reports_are_the_hooks() {
    let scene = Scene::new();
    let Some(place) = begun(&scene) else { return };
    place.commit("b", "1", "Add b");
    report(&scene, &place, HookName::PostCommit, &[]);
    scene.work();
    place.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    report(&scene, &place, HookName::PostMerge, &[]);
    for file in ["c", "d"] {
        place.commit(file, "1", &format!("Add {file}"));
        // As in a sequence of picks, which the log does not show.
        place.tell(&Event { in_sequence: true, ..event(&scene, &place, HookName::PostCommit, &[]) });
    }
    assert_eq!(reconcile::all(&scene.services, Source::Watch), 3);
    scene.work();
    assert_eq!(place.live().len(), 5);
    assert!(place.captures(false).iter().all(|capture| capture.source == Source::Hook), "{:?}", place.captures(false));
}

#[test]
fn a_fast_forward_reports_nothing() {
    let scene = Scene::new();
    let Some(place) = begun(&scene) else { return };
    scene.work();
    place.git(&["merge", "-q", "--ff-only", "topic"]);
    report(&scene, &place, HookName::PostMerge, &[]);
    place.git(&["commit", "-q", "--allow-empty", "-m", "Nothing"]);
    scene.work();
    assert_eq!(place.live(), ["Add a", "Nothing"]);
}

#[test]
fn a_merge_is_captured_and_a_squash_links_what_it_carries_though_its_commit_was_made_by_then() {
    let scene = Scene::new();
    let Some(place) = begun(&scene) else { return };
    place.git(&["checkout", "-q", "topic"]);
    place.commit("c", "1", "Add c");
    report(&scene, &place, HookName::PostCommit, &[]);
    let carried = ["topic~1", "topic"].map(|rev| place.git(&["rev-parse", rev]).parse::<Oid>().unwrap());
    place.git(&["checkout", "-q", "main"]);
    place.git(&["merge", "-q", "--squash", "topic"]);
    report(&scene, &place, HookName::PostMerge, &carried.map(|oid| (oid.clone(), oid)));
    for (message, only) in [("Add all of it", "--no-allow-empty"), ("Nothing", "--allow-empty")] {
        place.git(&["commit", "-q", only, "-m", message]);
        report(&scene, &place, HookName::PostCommit, &[]);
    }
    scene.work();
    assert_eq!((place.live(), place.superseded()), (vec!["Add all of it".to_owned(), "Nothing".to_owned()], 2));
    place.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    place.commit("side", "1", "Add side");
    report(&scene, &place, HookName::PostCommit, &[]);
    place.git(&["checkout", "-q", "main"]);
    place.git(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
    report(&scene, &place, HookName::PostMerge, &[]);
    place.git(&["checkout", "-q", "side"]);
    scene.work();
    assert_eq!(place.live(), ["Add all of it", "Nothing", "Add side", "Merge branch 'side'"]);
}

#[test]
fn of_an_unregistered_repository_head_is_captured() {
    let scene = Scene::new();
    let Some(place) = scene.reftable("r") else { return };
    place.user("me@example.com").commit("base", "x", "Base");
    place.commit("a", "1", "Add a");
    report(&scene, &place, HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(place.live(), ["Add a"]);
}
