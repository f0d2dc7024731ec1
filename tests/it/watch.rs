//! Commits that no hook reports: heard of while the sidecar runs, found when it starts, and never twice.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use uro_capture::store::RepositoryStore;

use serde_json::Value;
use uro_capture::domain::event::HookMode;
use uro_capture::store::sqlite::SqliteStore;

use crate::harness::{World, eventually};

/// Hooks that git is told to look for elsewhere, as husky and the like do.
const NO_HOOKS: [&str; 2] = ["-c", "core.hooksPath=/dev/null"];

fn store(world: &World) -> SqliteStore {
    SqliteStore::open(&world.path("uro/data/captures.db")).unwrap().store
}

/// A registered repository of which everybody knows that it has no hooks of ours.
fn watched_repo(world: &World, name: &str) -> PathBuf {
    let repo = world.hooked_repo(name);
    lose_hooks(&repo);
    let store = store(world);
    for mut known in store.registered_repos().unwrap() {
        known.hook_mode = HookMode::Watch;
        store.register(&known).unwrap();
    }
    repo
}

fn lose_hooks(repo: &Path) {
    for hook in ["post-commit", "post-merge", "post-rewrite", "post-applypatch"] {
        std::fs::remove_file(repo.join(".git/hooks").join(hook)).unwrap();
    }
}

/// Starts the sidecar and waits until so many repositories are watched.
fn start_watching(world: &World, repos: u64) {
    world.start_sidecar();
    eventually("watched repositories", || (world.sidecar_status()["watched"] == repos).then_some(()));
}

/// Commits without hooks, whatever the repository has.
fn commit_unseen(world: &World, repo: &Path, file: &str) -> String {
    std::fs::write(repo.join(file), format!("fn {}() {{}}\n", file.replace('.', "_"))).unwrap();
    world.git(repo, &["add", "-A"]);
    let message = format!("Add {file}");
    world.git(repo, &[&NO_HOOKS[..], &["commit", "-q", "-m", &message]].concat());
    world.git(repo, &["rev-parse", "HEAD"])
}

/// As [`commit_unseen`], but not before the registration: in a log that took another's place older lines are no news.
fn commit_unseen_today(world: &World, repo: &Path, file: &str) -> String {
    std::fs::write(repo.join(file), "fn today() {}\n").unwrap();
    world.git(repo, &["add", "-A"]);
    let message = format!("Add {file}");
    let mut commit = world.git_command(repo, &[&NO_HOOKS[..], &["commit", "-q", "-m", &message]].concat());
    for date in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        commit.env_remove(date);
    }
    assert!(commit.status().unwrap().success());
    world.git(repo, &["rev-parse", "HEAD"])
}

/// Waits for the commit's capture; it must be the only one, and from `source`.
fn captured_once(world: &World, repo: &Path, oid: &str, source: &str) -> Value {
    let capture = world.final_capture(repo, oid);
    assert_eq!(capture["source"], source, "{capture:#}");
    let all = world.json(repo, &["log", "--all", "-n", "100000"]);
    let same = all.as_array().unwrap().iter().filter(|other| other["commit"]["oid"] == oid).count();
    assert_eq!(same, 1, "{oid}");
    capture
}

fn commit_with_libgit2(dir: &Path, branch: &str, message: &str) -> String {
    let repo = git2::Repository::open(dir).unwrap();
    let author = git2::Signature::new("A U Thor", "author@example.com", &git2::Time::new(1_772_400_000, 0)).unwrap();
    let parent = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
    let blob = repo.blob(message.as_bytes()).unwrap();
    let mut tree = repo.treebuilder(parent.as_ref().map(|it| it.tree().unwrap()).as_ref()).unwrap();
    tree.insert("by_libgit2.txt", blob, 0o100_644).unwrap();
    let tree = repo.find_tree(tree.write().unwrap()).unwrap();
    let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
    repo.commit(Some(branch), &author, &author, message, &tree, &parents).unwrap().to_string()
}

/// Feeds `git fast-import`; gives the tip.
fn fast_import(world: &World, repo: &Path, branch: &str, commits: usize, run: usize) -> String {
    let mut child =
        world.git_command(repo, &["fast-import", "--quiet", "--force"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = std::io::BufWriter::new(child.stdin.take().unwrap());
    let from = world.git_command(repo, &["rev-parse", "-q", "--verify", branch]).output().unwrap();
    for at in 0..commits {
        let (text, message) = (format!("{run}.{at}\n"), format!("Import {run}.{at}"));
        let when = 1_772_500_000 + at;
        writeln!(input, "commit {branch}\ncommitter A U Thor <author@example.com> {when} +0000").unwrap();
        writeln!(input, "data {}\n{message}", message.len()).unwrap();
        if at == 0 && from.status.success() {
            writeln!(input, "from {}", String::from_utf8_lossy(&from.stdout).trim()).unwrap();
        }
        writeln!(input, "M 100644 inline imported_{run}.txt\ndata {}\n{text}", text.len()).unwrap();
    }
    input.into_inner().unwrap();
    assert!(child.wait().unwrap().success());
    world.git(repo, &["rev-parse", branch])
}

/// `commit-tree` and `update-ref`: as scripts commit.
fn commit_by_script(world: &World, repo: &Path, reference: &str, message: &str) -> String {
    let tree = world.git(repo, &["rev-parse", "HEAD^{tree}"]);
    let oid = world.git(repo, &["commit-tree", "-p", "HEAD", "-m", message, &tree]);
    world.git(repo, &["update-ref", "-m", "by script", reference, &oid]);
    oid
}

#[test]
fn whatever_makes_a_commit_without_hooks_is_heard_of_in_every_worktree() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    let linked = world.path("linked");
    commit_unseen(&world, &repo, "first.rs");
    world.git(&repo, &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    start_watching(&world, 1);
    for (dir, branch) in [(&repo, "refs/heads/main"), (&linked, "refs/heads/side")] {
        let by_git = commit_unseen(&world, dir, "by_git.rs");
        captured_once(&world, dir, &by_git, "watch");
        let by_libgit2 = commit_with_libgit2(dir, "HEAD", "Add by_libgit2.txt");
        captured_once(&world, dir, &by_libgit2, "watch");
        let by_script = commit_by_script(&world, dir, "HEAD", "Add nothing by script");
        captured_once(&world, dir, &by_script, "watch");
        let imported = fast_import(&world, dir, branch, 3, 1);
        captured_once(&world, dir, &imported, "watch");
    }
}

#[test]
fn a_commit_on_a_branch_in_new_folders_that_is_not_checked_out_is_heard_of() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    commit_unseen(&world, &repo, "first.rs");
    start_watching(&world, 1);
    let one = commit_by_script(&world, &repo, "refs/heads/feature/x/y", "Start a feature");
    captured_once(&world, &repo, &one, "watch");
    let two = fast_import(&world, &repo, "refs/heads/feature/x/y", 2, 1);
    captured_once(&world, &repo, &two, "watch");
}

#[test]
fn a_branch_that_a_tool_moved_without_a_line_in_any_log_is_heard_of() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    let first = commit_unseen(&world, &repo, "first.rs");
    start_watching(&world, 1);
    captured_once(&world, &repo, &first, "reconcile");
    let tree = world.git(&repo, &["rev-parse", "HEAD^{tree}"]);
    let oid = world.git(&repo, &["commit-tree", "-p", "HEAD", "-m", "Leave no trace", &tree]);
    let branch = repo.join(".git/refs/heads/main");
    std::fs::write(branch.with_extension("lock"), format!("{oid}\n")).unwrap();
    std::fs::rename(branch.with_extension("lock"), branch).unwrap();
    captured_once(&world, &repo, &oid, "watch");
}

#[test]
fn the_first_commit_of_a_repository_that_had_none_is_heard_of() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    start_watching(&world, 1);
    let by_libgit2 = commit_with_libgit2(&repo, "HEAD", "Start");
    captured_once(&world, &repo, &by_libgit2, "watch");
}

#[test]
fn logs_that_gc_and_expiry_replaced_and_worktrees_that_came_later_are_watched() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    commit_unseen(&world, &repo, "first.rs");
    start_watching(&world, 1);
    world.git(&repo, &["reflog", "expire", "--expire=now", "--all"]);
    world.git(&repo, &["gc", "-q", "--prune=now"]);
    let after_gc = commit_unseen(&world, &repo, "after_gc.rs");
    captured_once(&world, &repo, &after_gc, "watch");
    let linked = world.path("linked");
    world.git(&repo, &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let in_linked = commit_unseen(&world, &linked, "in_linked.rs");
    captured_once(&world, &repo, &in_linked, "watch");
    let again = commit_unseen(&world, &linked, "again.rs");
    captured_once(&world, &repo, &again, "watch");
}

#[test]
fn a_reftable_repository_is_watched() {
    let world = World::without_models();
    let repo = world.path("repo");
    std::fs::create_dir_all(&repo).unwrap();
    world.git(&repo, &["init", "-q", "--ref-format=reftable"]);
    let repo = watched_repo(&world, "repo");
    commit_unseen(&world, &repo, "first.rs");
    start_watching(&world, 1);
    let oid = commit_unseen(&world, &repo, "second.rs");
    captured_once(&world, &repo, &oid, "watch");
}

#[test]
fn a_working_hook_remains_the_source_and_nothing_comes_twice() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    start_watching(&world, 1);
    let oids: Vec<String> =
        (0..5).map(|at| world.commit(&repo, &format!("f{at}.rs"), "fn f() {}\n", &format!("Add f{at}"))).collect();
    for oid in &oids {
        captured_once(&world, &repo, oid, "hook");
    }
    // Beyond the grace of the last one: it must have been read, and told nothing.
    let unseen = commit_unseen(&world, &repo, "unseen.rs");
    captured_once(&world, &repo, &unseen, "watch");
    assert_eq!(world.log(&repo).len(), oids.len() + 1);
}

#[test]
fn a_lost_hook_is_made_up_for_and_one_that_is_back_is_the_source_again() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    start_watching(&world, 1);
    lose_hooks(&repo);
    for at in 0..3 {
        let oid = world.commit(&repo, &format!("lost{at}.rs"), "fn f() {}\n", "Add to what nobody reports");
        captured_once(&world, &repo, &oid, "watch");
    }
    world.ok(&repo, &["init"]);
    let back = world.commit(&repo, "back.rs", "fn f() {}\n", "Add what the hook reports or the watcher");
    world.final_capture(&repo, &back);
    eventually("a capture from the hook", || {
        let oid = world.commit(&repo, "more.rs", &format!("// {:?}\n", std::time::Instant::now()), "Change more");
        (world.final_capture(&repo, &oid)["source"] == "hook").then_some(())
    });
}

#[test]
fn what_happened_while_no_sidecar_ran_is_found_at_its_next_start() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    let mut oids = vec![commit_unseen(&world, &repo, "one.rs")];
    oids.push(commit_with_libgit2(&repo, "HEAD", "Two"));
    oids.push(commit_by_script(&world, &repo, "refs/heads/other", "Three"));
    start_watching(&world, 1);
    for oid in &oids {
        captured_once(&world, &repo, oid, "reconcile");
    }
    world.ok(&repo, &["sidecar", "stop"]);
    let late = commit_unseen(&world, &repo, "late.rs");
    world.start_sidecar();
    captured_once(&world, &repo, &late, "reconcile");
}

#[test]
fn a_repository_is_watched_from_its_registration_to_its_end_and_again_when_it_is_made_anew() {
    let world = World::without_models();
    world.ok(&world.path("home"), &["sidecar", "start"]);
    let repo = watched_repo(&world, "repo");
    eventually("watched", || (world.sidecar_status()["watched"] == 1).then_some(()));
    let oid = commit_unseen(&world, &repo, "one.rs");
    captured_once(&world, &repo, &oid, "watch");

    std::fs::remove_dir_all(&repo).unwrap();
    eventually("missed", || (world.sidecar_status()["watched"] == 0).then_some(()));
    world.repo("repo");
    eventually("watched again", || (world.sidecar_status()["watched"] == 1).then_some(()));
    let anew = commit_unseen_today(&world, &repo, "anew.rs");
    captured_once(&world, &repo, &anew, "watch");

    world.ok(&repo, &["deinit"]);
    eventually("let go", || (world.sidecar_status()["watches"] == 1).then_some(()));
    commit_unseen(&world, &repo, "unwatched.rs");
    let other = watched_repo(&world, "other");
    // What is committed before the first look at its logs is found by that.
    eventually("the other watched", || (world.sidecar_status()["watched"] == 1).then_some(()));
    let seen = commit_unseen(&world, &other, "seen.rs");
    captured_once(&world, &other, &seen, "watch");
    assert_eq!(world.log(&repo).len(), 2, "the commits before deinit");
}

#[test]
fn it_stays_beyond_its_idle_time_while_a_repository_depends_on_it() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    let mut child = world
        .program(env!("CARGO_BIN_EXE_uro-capture"), &repo)
        .args(["sidecar", "run", "--idle", "50ms"])
        .spawn()
        .unwrap();
    eventually("watched", || (world.sidecar_status()["watched"] == 1).then_some(()));
    let oid = commit_unseen(&world, &repo, "one.rs");
    captured_once(&world, &repo, &oid, "watch");
    assert!(child.try_wait().unwrap().is_none());
    world.ok(&repo, &["deinit"]);
    assert!(child.wait().unwrap().success(), "nothing depends on it any more");
}

/// So many events are kept for a watcher that does not read them.
fn queue_length() -> usize {
    std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn when_the_system_drops_events_nothing_is_lost() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    commit_unseen(&world, &repo, "first.rs");
    let other = watched_repo(&world, "other");
    commit_unseen(&world, &other, "first.rs");
    start_watching(&world, 2);
    world.freeze_sidecar();
    // The queue is filled first, so that of what follows no event at all remains.
    let [odd, even] = ["odd", "even"].map(|name| repo.join(".git").join(name));
    for _ in 0..queue_length() {
        std::fs::write(&odd, "").unwrap();
        std::fs::write(&even, "").unwrap();
    }
    let tips = [
        fast_import(&world, &repo, "refs/heads/main", 40, 1),
        fast_import(&world, &repo, "refs/heads/new/branch", 40, 2),
        commit_unseen(&world, &other, "other.rs"),
    ];
    let pid = world.path("uro/run/sidecar.lock");
    let pid = std::fs::read_to_string(pid).unwrap().split_once(' ').unwrap().0.to_owned();
    assert!(Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
    captured_once(&world, &repo, &tips[0], "reconcile");
    captured_once(&world, &repo, &tips[1], "reconcile");
    captured_once(&world, &other, &tips[2], "reconcile");
    eventually("every one of them", || (world.log(&repo).len() == 81).then_some(()));
    // Directories that came while nothing was heard are watched by now.
    let after = commit_by_script(&world, &repo, "refs/heads/new/branch", "Go on");
    captured_once(&world, &repo, &after, "watch");
}

#[test]
fn a_storm_is_left_when_asked_and_gone_on_with_later_and_nothing_of_it_is_lost() {
    let world = World::without_models();
    let repo = watched_repo(&world, "repo");
    commit_unseen(&world, &repo, "first.rs");
    start_watching(&world, 1);
    let tip = fast_import(&world, &repo, "refs/heads/main", 1500, 1);
    eventually("the storm has begun", || (world.log(&repo).len() > 1).then_some(()));
    world.ok(&repo, &["sidecar", "stop"]);
    world.start_sidecar();
    world.final_capture(&repo, &tip);
    eventually("every one of them", || (world.log(&repo).len() == 1501).then_some(()));
}
