//! What `status` says about coverage is what git knows: commits made behind our back are counted, those that were
//! amended away are not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{World, eventually};

/// Commits that stand in the end, and how many of them no hook reported.
const STANDING: usize = 1000;
const BEHIND: usize = 37;
/// Every so many commits one is made behind our back.
const EVERY: usize = STANDING / BEHIND;

struct Stage {
    world: World,
    repo: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let world = World::without_models();
        let repo = world.hooked_repo("repo");
        // Reflogs count in whole seconds: what follows is to be told from the second of the registration.
        let registered = second();
        eventually("the next second", || (second() > registered).then_some(()));
        Self { world, repo }
    }

    /// Many commits by one shell, at the true time: with a hook that finds no sidecar and may start none, because one
    /// seems to have been started just now.
    fn script(&self, dir: &Path, lines: &str) {
        let stamp = self.world.run_dir().join("start.stamp");
        std::fs::create_dir_all(self.world.run_dir()).unwrap();
        let prelude = format!(
            "set -e\nheard() {{ echo > '{}'; git commit -q --allow-empty \"$@\"; }}\n\
             unheard() {{ git -c core.hooksPath=/dev/null commit -q --allow-empty \"$@\"; }}\n",
            stamp.display()
        );
        let out = self.world.program("sh", dir).args(["-c", &format!("{prelude}{lines}")]).output().unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
        assert_eq!(self.world.sidecar_status()["state"], "stopped", "the commits are to be made without one");
    }

    /// What the hooks left is old enough for a command to capture it.
    fn age_the_spool(&self) {
        let spool = std::fs::File::options().append(true).open(self.world.path("uro/state/spool/events.log")).unwrap();
        spool.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
    }

    fn coverage(&self) -> Value {
        self.world.json(&self.repo, &["status"])["coverage"].clone()
    }

    /// Right before a sidecar was there, and complete after one has started.
    fn insist(&self) {
        // A command works on a backlog for a bounded time: the next one goes on.
        eventually("the backlog is worked off", || {
            self.age_the_spool();
            let status = self.world.uro_in(&self.repo, &["status"]);
            (!String::from_utf8_lossy(&status.stderr).contains("are left")).then_some(())
        });
        let live = self.world.log(&self.repo).len();
        let captured = STANDING - BEHIND;
        let expected = json!({"commits_seen": STANDING, "captured": captured, "missing": BEHIND});
        assert_eq!(self.coverage(), expected, "{live} live captures");
        self.world.start_sidecar();
        let complete = json!({"commits_seen": STANDING, "captured": STANDING, "missing": 0});
        eventually("nothing is missing", || (self.coverage() == complete).then_some(()));
        eventually("one live capture each", || (self.world.log(&self.repo).len() == STANDING).then_some(()));
    }
}

fn second() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Whether this commit is one of those made behind our back.
fn is_behind(n: usize) -> bool {
    n % EVERY == EVERY - 1 && n / EVERY < BEHIND
}

fn how(n: usize) -> &'static str {
    if is_behind(n) { "unheard" } else { "heard" }
}

#[test]
fn of_a_thousand_commits_the_thirty_seven_made_behind_our_back_are_missing_until_a_sidecar_starts() {
    let stage = Stage::new();
    let lines: String = (0..STANDING).map(|n| format!("{} -m 'Commit {n}'\n", how(n))).collect();
    stage.script(&stage.repo, &lines);
    stage.insist();
}

#[test]
fn amends_and_a_linked_worktree_do_not_mislead_the_count() {
    let stage = Stage::new();
    stage.script(&stage.repo, "heard -m 'Begin'\n");
    let linked = stage.world.path("linked");
    stage.world.git(&stage.repo, &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let mut lines = String::new();
    for n in 1..STANDING {
        let dir = if n % 3 == 0 { &linked } else { &stage.repo };
        lines += &format!("cd '{}'\n{}", dir.display(), commit_and_amends(n));
    }
    stage.script(&stage.repo, &lines);
    stage.insist();
}

/// One commit that stands in the end. What was amended away had been reported or not, and so had the amend.
fn commit_and_amends(n: usize) -> String {
    let commit = |how: &str| format!("{how} -m 'Commit {n}'\n");
    let amend = |how: &str| format!("{how} --amend -m 'Commit {n}, amended {how}'\n");
    match (is_behind(n), n % 4) {
        (true, 0) => commit("heard") + &amend("unheard"),
        (true, 1) => commit("unheard") + &amend("unheard"),
        (false, 0) if n.is_multiple_of(5) => commit("heard") + &amend("heard"),
        (false, 1) if n.is_multiple_of(5) => commit("unheard") + &amend("heard"),
        (false, 2) if n.is_multiple_of(5) => commit("heard") + &amend("unheard") + &amend("heard"),
        (behind, _) => commit(if behind { "unheard" } else { "heard" }),
    }
}

#[test]
fn nothing_is_missing_where_nothing_is_to_be_captured() {
    let stage = Stage::new();
    stage.script(&stage.repo, "unheard -m behind");
    assert_eq!(stage.coverage()["missing"], 1, "else this proves nothing");
    stage.script(&stage.repo, "git config uro.capture false");
    assert_eq!(stage.coverage(), json!({ "commits_seen": 0, "captured": 0, "missing": 0 }));
    assert_eq!(stage.world.json(&stage.repo, &["status"])["problems"], json!([]));
}
