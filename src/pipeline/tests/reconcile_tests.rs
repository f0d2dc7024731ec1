//! Reflog entries become captures: the user's own, once, bounded.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use super::{PipelineFixture, text};
use crate::domain::clock::FakeClock;
use crate::domain::event::{HookMode, HookName, Source};
use crate::pipeline::reconcile;

#[test]
fn what_was_there_before_is_known_and_what_comes_after_is_captured_once() {
    let scene = PipelineFixture::new();
    let place = scene.plain("r");
    place.user("me@example.com").commit("old", "x", "Before");
    place.register(HookMode::Watch);
    assert_eq!(scene.reconcile(), 0);
    place.commit("a", "1", "One");
    place.commit("b", "2", "Two");
    assert_eq!(scene.reconcile(), 2);
    assert_eq!(scene.reconcile(), 0, "the same news is no news");
    assert_eq!(place.live(), ["One", "Two"]);
    assert_eq!(place.captures(false)[0].source, Source::Reconcile);
}

#[test]
fn what_a_hook_reported_makes_no_event() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("a", "1", "One");
    place.report(HookName::PostCommit, &[]);
    assert_eq!(reconcile::all(&scene.services, Source::Watch), 0, "it is awaited");
    scene.work();
    place.commit("b", "2", "Two");
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(scene.reconcile(), 0, "it is captured");
    assert!(place.captures(false).iter().all(|capture| capture.source == Source::Hook));
}

#[test]
fn what_a_hook_reports_after_the_watcher_came_is_the_hooks() {
    let clock = Arc::new(FakeClock::at("2026-03-01T12:00:00Z".parse().unwrap()));
    let scene = PipelineFixture::with_clock(clock.clone());
    let place = scene.repo("r");
    let watched = |file: &str| {
        place.commit(file, "1", &format!("Add {file}"));
        reconcile::all(&scene.services, Source::Watch);
        scene.work();
    };
    let sources = || place.captures(false).into_iter().rev().map(|capture| capture.source).collect::<Vec<_>>();
    watched("a");
    clock.advance(Duration::from_secs(2));
    place.report(HookName::PostCommit, &[]);
    scene.work();
    watched("b");
    clock.advance(Duration::from_secs(61));
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(sources(), [Source::Hook, Source::Watch], "a minute later no hook is waited for any more");
}

#[test]
fn a_kill_between_two_batches_loses_nothing_and_repeats_nothing() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    for n in 0..4 {
        place.commit("a", &n.to_string(), &format!("Commit {n}"));
    }
    let registered = scene.services.store.registered_repos().unwrap().remove(0);
    let before = scene.services.store.log_positions(&registered.id).unwrap();
    assert_eq!(reconcile::repository(&scene.services, &registered, Source::Reconcile).unwrap(), 4);
    // As if the process had died between the events and the read positions.
    scene.services.store.unregister(&registered.id).unwrap();
    scene.services.store.register(&registered).unwrap();
    scene.services.store.record_reflog_events(&registered.id, &[], &before).unwrap();
    assert_eq!(reconcile::repository(&scene.services, &registered, Source::Reconcile).unwrap(), 0);
    scene.work();
    assert_eq!(place.live().len(), 4);
}

/// A stream for `git fast-import`: `count` commits on `branch` with this author.
pub(super) fn stream(branch: &str, count: usize, who: &str) -> String {
    let mut stream = String::new();
    for n in 0..count {
        let (second, message, content) = (1_700_100_000 + n, format!("Import {n}"), format!("line {n}\n"));
        stream += &format!("commit refs/heads/{branch}\nauthor A <{who}> {second} +0000\n");
        stream += &format!("committer A <{who}> {second} +0000\ndata {}\n{message}\n", message.len());
        if n == 0 {
            stream += &format!("from refs/heads/{branch}^0\n");
        }
        stream += &format!("M 100644 inline f{}\ndata {}\n{content}\n", n % 50, content.len());
    }
    stream
}

pub(super) fn import(place: &super::TestRepo<'_>, stream: &str) {
    let mut child = place.command(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_fast_import_is_captured_commit_by_commit() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("a", "1", "One");
    import(&place, &stream("main", 600, "me@example.com"));
    assert_eq!(scene.reconcile(), 601, "more than one batch");
    assert_eq!(place.captures(false).len(), 601);
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 0);
}

#[test]
fn update_ref_is_captured() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("a", "1", "One");
    let tree = place.git(&["rev-parse", "HEAD^{tree}"]);
    let made = place.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "By hand"]);
    place.git(&["update-ref", "refs/heads/main", &made]);
    scene.reconcile();
    assert_eq!(place.live(), ["One", "By hand"]);
}

/// Another developer's clone of `r`, with a commit of theirs pushed back to the bare repository between the two.
struct Team {
    scene: PipelineFixture,
}

impl Team {
    fn new() -> Self {
        let scene = PipelineFixture::new();
        let mine = scene.plain("mine");
        mine.user("me@example.com").commit("base", "x", "Base");
        let hub = scene.path("hub.git");
        mine.git(&["clone", "-q", "--bare", ".", text(&hub)]);
        mine.git(&["remote", "add", "origin", text(&hub)]);
        mine.git(&["push", "-q", "-u", "origin", "main"]);
        mine.git(&["clone", "-q", text(&hub), text(&scene.path("theirs"))]);
        scene.at("theirs").user("other@example.com");
        mine.register(HookMode::Watch);
        Self { scene }
    }

    fn they_push(&self, message: &str) {
        let theirs = self.scene.at("theirs");
        theirs.git(&["pull", "-q", "--rebase"]);
        theirs.commit(message, "theirs", message);
        theirs.git(&["push", "-q"]);
    }

    fn mine(&self) -> super::TestRepo<'_> {
        self.scene.at("mine")
    }
}

#[test]
fn what_others_made_is_not_ours_however_it_is_pulled() {
    let team = Team::new();
    let mine = team.mine();
    team.they_push("Theirs one");
    mine.git(&["pull", "-q", "--ff-only"]);
    assert_eq!(team.scene.reconcile(), 0, "a fast-forward");
    mine.commit("mine", "1", "Mine one");
    team.they_push("Theirs two");
    mine.git(&["pull", "-q", "--no-rebase", "--no-edit"]);
    team.scene.reconcile();
    assert_eq!(mine.live().len(), 2, "mine and the merge: {:?}", mine.live());
    mine.git(&["push", "-q"]);
    mine.commit("more", "2", "Mine two");
    team.they_push("Theirs three");
    mine.git(&["pull", "-q", "--rebase"]);
    team.scene.reconcile();
    let live = mine.live();
    assert!(live.iter().all(|subject| !subject.starts_with("Theirs")), "{live:?}");
    assert_eq!(live.iter().filter(|subject| *subject == "Mine two").count(), 1, "{live:?}");
}

#[test]
fn where_the_settings_ask_for_it_the_users_own_commits_are_captured_when_pulled() {
    let team = Team::new();
    let mine = team.mine();
    let settings = |pulled: bool| format!("[capture]\npulled = {pulled}\nidentities = [\"Me@Work.example\"]\n");
    team.scene.configure(&settings(false));
    team.scene.at("theirs").user("me@work.example");
    team.they_push("Mine, unasked for");
    mine.git(&["pull", "-q", "--ff-only"]);
    assert_eq!(team.scene.reconcile(), 0);
    team.scene.configure(&settings(true));
    team.scene.at("theirs").user("other@example.com");
    team.they_push("Theirs");
    team.scene.at("theirs").user("me@work.example");
    team.they_push("Mine from work");
    mine.git(&["pull", "-q", "--ff-only"]);
    team.scene.reconcile();
    assert_eq!(mine.live(), ["Mine from work"]);
}

#[test]
fn a_silent_tool_that_moves_a_branch_to_what_others_pushed_brings_nothing_of_ours() {
    let team = Team::new();
    let mine = team.mine();
    team.they_push("Theirs");
    mine.git(&["fetch", "-q"]);
    mine.git(&["update-ref", "refs/heads/main", "origin/main"]);
    team.scene.reconcile();
    assert!(mine.live().is_empty(), "{:?}", mine.live());
    import(&mine, &stream("main", 3, "somebody@example.com"));
    team.scene.reconcile();
    assert_eq!(mine.live().len(), 3, "no remote has them, so the author does not matter");
}

#[test]
fn a_repository_that_is_gone_is_one_problem_and_stops_no_other() {
    let scene = PipelineFixture::new();
    let (removed, here) = (scene.repo("gone"), scene.repo("here"));
    std::fs::remove_dir_all(&removed.path).unwrap();
    here.commit("a", "1", "One");
    assert_eq!(scene.reconcile(), 1);
    scene.reconcile();
    let problems = scene.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("gone is gone") && problems[0].contains("uro-capture deinit"), "{problems:?}");
}

#[test]
fn a_commit_is_captured_though_its_worktree_was_removed_before_its_report_was_read() {
    for is_half_removed in [false, true] {
        let scene = PipelineFixture::new();
        let place = scene.repo("r");
        place.commit("a", "1", "One");
        scene.reconcile();
        place.git(&["worktree", "add", "-q", "--detach", "../w"]);
        let worktree = scene.at("w");
        let oid = worktree.commit("b", "2", "Two");
        place.git(&["worktree", "remove", "../w"]);
        let git_dir = place.path.join(".git/worktrees/w");
        if is_half_removed {
            std::fs::create_dir_all(git_dir.join("logs")).unwrap();
        }
        place.record_event(&crate::domain::event::Event {
            stamp: scene.services.clock.now(),
            source: Source::Hook,
            hook: Some(HookName::PostCommit),
            git_dir,
            oid: Some(oid),
            rewrites: Vec::new(),
            in_sequence: false,
        });
        scene.work();
        assert_eq!(place.live(), ["One", "Two"]);
        assert_eq!(scene.problems(), Vec::<String>::new());
    }
}

#[test]
fn a_commit_that_was_moved_to_another_branch_is_not_replaced_by_the_next_under_its_message() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    place.commit("a", "1", "One");
    place.commit("b", "2", "wip");
    scene.reconcile();
    place.git(&["branch", "feature"]);
    place.git(&["reset", "-q", "--hard", "HEAD~1"]);
    place.commit("c", "3", "wip");
    scene.reconcile();
    assert_eq!(place.live(), ["One", "wip", "wip"]);
    // Nothing else leads to this one.
    place.git(&["reset", "-q", "--hard", "HEAD~1"]);
    place.commit("d", "4", "wip");
    scene.reconcile();
    assert_eq!((place.live().len(), place.superseded()), (3, 1));
}

#[test]
fn a_merge_is_captured_where_no_log_is_kept() {
    let scene = PipelineFixture::new();
    let place = scene.plain("r");
    place.user("me@example.com").git(&["config", "core.logAllRefUpdates", "false"]);
    place.commit("a", "1", "One");
    place.register(HookMode::Watch);
    place.git(&["checkout", "-q", "-b", "side"]);
    place.commit("b", "2", "Two");
    place.git(&["checkout", "-q", "main"]);
    place.git(&["merge", "-q", "--no-ff", "-m", "Merge the side", "side"]);
    place.report(HookName::PostMerge, &[]);
    scene.work();
    assert!(place.live().contains(&"Merge the side".to_owned()), "{:?}", place.live());
}
