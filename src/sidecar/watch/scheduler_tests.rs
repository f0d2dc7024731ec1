//! The watcher over real repositories, with and without the system's events.

use super::*;
use crate::domain::event::{HookMode, HookName};
use crate::domain::id::Oid;
use crate::pipeline::tests::{PipelineFixture, TestRepo};

/// Generous: a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

fn watching(scene: &PipelineFixture) -> WatchScheduler {
    let health = Arc::new(Health::new(&scene.services.clock));
    WatchScheduler::new(scene.services.clone(), health)
}

/// As where the system gives no events.
fn deaf(scene: &PipelineFixture, mounts: fn() -> Mounts) -> WatchScheduler {
    let health = Arc::new(Health::new(&scene.services.clock));
    let dirty = Arc::new(DirtySet::new(Arc::clone(&scene.services.clock)));
    WatchScheduler::with(scene.services.clone(), health, dirty, Watcher::new(None, Arc::default()), mounts)
}

/// Runs until the condition holds.
async fn until_holds(watching: &mut WatchScheduler, what: &str, mut condition: impl FnMut(&WatchScheduler) -> bool) {
    let all = async {
        while !condition(watching) {
            // It returns by itself only for commits; other conditions are checked in between.
            let _ = tokio::time::timeout(Duration::from_millis(5), watching.step()).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, all).await.is_ok(), "{what}");
}

async fn settle(watching: &mut WatchScheduler) {
    until_holds(watching, "at rest", |watching| !watching.busy() && watching.dirty.is_empty()).await;
}

/// Runs until commits were found.
async fn find(watching: &mut WatchScheduler) {
    let found = async { while !watching.step().await {} };
    assert!(tokio::time::timeout(PATIENCE, found).await.is_ok(), "nothing was found");
}

fn pending(scene: &PipelineFixture) -> Vec<(Source, Oid)> {
    let events = scene.services.store.pending_events(1000).unwrap();
    events.into_iter().map(|pending| (pending.event.source, pending.event.oid.unwrap())).collect()
}

fn reach(watching: &WatchScheduler) -> (usize, usize) {
    watching.repo_registry.coverage_counts()
}

fn change(place: &TestRepo<'_>, what: &str) -> Oid {
    place.commit("a.rs", &format!("fn {what}() {{}}\n"), &format!("Add {what}"))
}

#[tokio::test]
async fn what_was_there_before_is_found_by_the_first_look_and_what_comes_is_heard_of() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    let before = change(&place, "before");
    let mut watching = watching(&scene);
    find(&mut watching).await;
    assert_eq!(pending(&scene), [(Source::Reconcile, before.clone())]);
    settle(&mut watching).await;
    assert_eq!(reach(&watching), (1, 0));
    let after = change(&place, "after");
    find(&mut watching).await;
    assert_eq!(pending(&scene), [(Source::Reconcile, before), (Source::Watch, after)]);
    assert!(watching.is_needed());
}

#[tokio::test]
async fn without_watches_left_commits_are_found_by_looking_and_the_problem_is_said_once() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    let mut watching = deaf(&scene, Mounts::default);
    settle(&mut watching).await;
    assert_eq!(reach(&watching), (0, 1));
    let oid = change(&place, "polled");
    find(&mut watching).await;
    assert_eq!(pending(&scene), [(Source::Watch, oid)]);
    settle(&mut watching).await;
    let problems = scene.problems();
    assert!(problems.len() == 1 && problems[0].contains("sysctl fs.inotify.max_user_watches"), "{problems:?}");
}

#[tokio::test]
async fn on_a_network_file_system_nothing_is_watched_and_commits_are_found_by_looking() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    let before = change(&place, "before");
    let mut watching = deaf(&scene, || Mounts::parse(b"1 0 0:1 / / rw - nfs4 server:/ rw\n"));
    find(&mut watching).await;
    assert_eq!(pending(&scene), [(Source::Reconcile, before)]);
    settle(&mut watching).await;
    assert_eq!((reach(&watching), scene.problems().len()), ((0, 1), 0), "that is no problem of the system's");
    let oid = change(&place, "remote");
    find(&mut watching).await;
    assert_eq!(pending(&scene)[1], (Source::Watch, oid));
}

#[tokio::test]
async fn a_commit_that_its_hook_reports_in_time_is_the_hooks() {
    let scene = PipelineFixture::new();
    let place = scene.plain("r");
    let registered = place.register(HookMode::File);
    let mut watching = watching(&scene);
    settle(&mut watching).await;
    let oid = change(&place, "hooked");
    place.report(HookName::PostCommit, &[]);
    watching.record_reports([place.path.join(".git")]);
    until_holds(&mut watching, "heard of", |watching| !watching.dirty.is_empty()).await;
    settle(&mut watching).await;
    assert_eq!(pending(&scene), [(Source::Hook, oid)]);
    assert!(watching.repo_registry.entries.get(&registered.id).unwrap().trusted);
    assert!(!watching.is_needed());
}

#[tokio::test]
async fn a_hook_that_is_silent_is_no_longer_relied_on_until_it_speaks() {
    let scene = PipelineFixture::new();
    let place = scene.plain("r");
    let registered = place.register(HookMode::Config);
    let mut watching = watching(&scene);
    settle(&mut watching).await;
    let oid = change(&place, "silent");
    find(&mut watching).await;
    assert_eq!(pending(&scene), [(Source::Watch, oid)]);
    assert!(!watching.repo_registry.entries.get(&registered.id).unwrap().trusted);
    assert!(watching.is_needed(), "only the watcher would notice the next one");
    watching.record_reports([place.path.join(".git")]);
    assert!(!watching.is_needed());
}

#[tokio::test]
async fn a_reload_is_answered_when_the_new_repository_is_watched_and_read() {
    let scene = PipelineFixture::new();
    let mut watching = watching(&scene);
    settle(&mut watching).await;
    let before = change(&scene.repo("r"), "before");
    let (reply, mut answer) = oneshot::channel();
    watching.reload(reply);
    let answered = async {
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                _ = watching.step() => {}
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert_eq!(
        (answer.unwrap(), watching.repo_registry.entries.values().next().unwrap().reach),
        (Response::Done, WatchCoverage::Watched)
    );
    assert_eq!(pending(&scene), [(Source::Reconcile, before)], "what is committed from now on is heard of");
}

#[tokio::test]
async fn a_reload_is_answered_no_earlier_where_the_list_was_known_already() {
    let scene = PipelineFixture::new();
    let mut watching = watching(&scene);
    settle(&mut watching).await;
    let before = change(&scene.repo("r"), "before");
    // As when the list's file is noticed before the request of its writer.
    watching.dirty.mark_list();
    until_holds(&mut watching, "on the list", |watching| watching.repo_registry.entries.values().next().is_some())
        .await;
    let (reply, mut answer) = oneshot::channel();
    watching.reload(reply);
    until_holds(&mut watching, "answered", |_| answer.try_recv().is_ok()).await;
    assert_eq!(pending(&scene), [(Source::Reconcile, before)]);
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_is_tried_again_and_stands_in_nobodys_way() {
    let scene = PipelineFixture::new();
    let (broken, place) = (scene.repo("broken"), scene.repo("r"));
    let config = broken.path.join(".git/config");
    let mut watching = watching(&scene);
    settle(&mut watching).await;
    let hidden = change(&broken, "hidden");
    let sound = std::fs::read(&config).unwrap();
    std::fs::write(&config, "[core\n").unwrap();
    let oid = change(&place, "readable");
    until_holds(&mut watching, "the other one", |_| !pending(&scene).is_empty()).await;
    assert_eq!(pending(&scene), [(Source::Watch, oid)]);
    std::fs::write(&config, sound).unwrap();
    until_holds(&mut watching, "mended", |_| pending(&scene).len() == 2).await;
    assert_eq!(pending(&scene)[1].1, hidden);
}
