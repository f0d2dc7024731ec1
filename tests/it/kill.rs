//! Killing the sidecar at any moment loses nothing and captures nothing twice, whatever git did and whoever told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{World, eventually};

/// The branch `main` in the main worktree, `a` and `b` in two linked ones.
struct Stage {
    world: World,
    trees: [PathBuf; 3],
}

const COMMITS: usize = 200;

impl Stage {
    fn new() -> Self {
        let world = World::without_models();
        let repo = world.hooked_repo("repo");
        world.commit(&repo, "base.rs", "fn base() {}\n", "Lay the base");
        let linked = ["a", "b"].map(|name| {
            let path = world.path(name);
            world.git(&repo, &["worktree", "add", "-q", "-b", name, path.to_str().unwrap()]);
            path
        });
        let [a, b] = linked;
        Self { world, trees: [repo, a, b] }
    }

    fn repo(&self) -> &Path {
        &self.trees[0]
    }

    /// One more commit in one of the worktrees; some are amended at once, and now and then a branch is rebased.
    fn step(&self, n: usize, unheard: bool) {
        let tree = &self.trees[n % 3];
        let (file, text) = (format!("f{n}.rs"), |what: &str| format!("fn f{n}() {{ {what} }}\n"));
        std::fs::write(tree.join(&file), text("")).unwrap();
        self.world.git(tree, &["add", "-A"]);
        let message = format!("Add f{n}");
        let disabled = ["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", &message];
        self.world.git(tree, if unheard && n % 11 == 5 { &disabled } else { &disabled[2..] });
        if n % 5 == 2 {
            std::fs::write(tree.join(&file), text("amended()")).unwrap();
            self.world.git(tree, &["commit", "-q", "-a", "--amend", "--no-edit"]);
        }
        if n % 20 == 13 {
            self.world.git(&self.trees[1 + n / 20 % 2], &["rebase", "-q", "main"]);
        }
    }

    /// What the branches hold in the end: every unit of work as it is now.
    fn standing(&self) -> BTreeSet<String> {
        let list = self.world.git(self.repo(), &["rev-list", "main", "a", "b"]);
        list.lines().map(str::to_owned).collect()
    }

    /// At odd distances, so that the kill falls into every stage of the work on a commit.
    fn under_fire(&self, unheard: bool) {
        for n in 0..COMMITS {
            if n % 7 == 3 {
                self.world.start_sidecar();
            }
            self.step(n, unheard);
            if n % 7 == 4 {
                kill_nine(&self.world);
            }
        }
        self.world.start_sidecar();
    }

    fn insist(&self) {
        let standing = self.standing();
        assert_eq!(standing.len(), COMMITS + 1);
        let mut last = (Vec::new(), Vec::new());
        let settled = || {
            let log = self.world.log(self.repo());
            let live: BTreeSet<String> = log.iter().map(oid).collect();
            let lost = standing.difference(&live).cloned().collect();
            last = (lost, live.difference(&standing).cloned().collect::<Vec<_>>());
            (last == (Vec::new(), Vec::new()) && log.iter().all(is_final)).then_some(log)
        };
        let log = patiently(settled).unwrap_or_else(|| panic!("lost: {:?}; too many: {:?}", last.0, last.1));
        let mut live: BTreeMap<String, u32> = BTreeMap::new();
        for capture in &log {
            *live.entry(oid(capture)).or_default() += 1;
        }
        assert!(live.values().all(|count| *count == 1), "{live:?}");
    }
}

/// As `eventually`, but what is wrong in the end is for the caller to say.
fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = std::time::Instant::now();
    while start.elapsed() < crate::harness::PATIENCE {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    None
}

fn oid(capture: &Value) -> String {
    capture["commit"]["oid"].as_str().unwrap().to_owned()
}

fn is_final(capture: &Value) -> bool {
    !capture["timing"]["total_ms"].is_null() && capture["provenance"]["reason"] != "pending"
}

#[test]
fn commits_amends_and_rebases_in_three_worktrees_under_kill_nine_are_each_captured_exactly_once() {
    let stage = Stage::new();
    stage.under_fire(false);
    stage.insist();
}

#[test]
fn under_kill_nine_the_commits_that_no_hook_reported_are_captured_exactly_once_too() {
    let stage = Stage::new();
    stage.under_fire(true);
    stage.insist();
    // Nothing of it is taken for new by the next one.
    stage.world.ok(stage.repo(), &["sidecar", "stop"]);
    stage.world.start_sidecar();
    let next = stage.world.commit(stage.repo(), "next.rs", "fn next() {}\n", "Add the next");
    eventually("the next one", || stage.world.capture_of(stage.repo(), &next));
    assert_eq!(stage.world.log(stage.repo()).len(), COMMITS + 2);
}

/// Only the sidecar of this world, by the process id that it gave itself.
fn kill_nine(world: &World) {
    if let Some(pid) = world.sidecar_status()["pid"].as_i64() {
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(killed.success());
    }
}
