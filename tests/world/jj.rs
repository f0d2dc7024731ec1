//! jj itself works in a repository, colocated with git's directory and not: only `init` was called, no hook runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use uro_capture::domain::capture::Capture;
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureArchive, CaptureQuery};

use crate::harness::{World, eventually};
use crate::setups::stage::{jj_program, skip};

/// A repository of jj that `init` was called in.
struct Bench {
    world: World,
    jj: PathBuf,
    repo: PathBuf,
}

impl Bench {
    /// Absent where no jj is named.
    fn new(layout: &str) -> Option<Self> {
        let bench = Self::before_init(layout)?;
        bench.world.ok(&bench.repo, &["init"]);
        Some(bench)
    }

    /// A repository of git that `init` was called in.
    fn in_git() -> Option<Self> {
        let bench = Self::empty()?;
        bench.world.git(&bench.repo, &["init", "-q"]);
        bench.world.ok(&bench.repo, &["init"]);
        Some(bench)
    }

    fn before_init(layout: &str) -> Option<Self> {
        let bench = Self::empty()?;
        bench.jj(&["git", "init", layout]);
        Some(bench)
    }

    fn empty() -> Option<Self> {
        let Some(jj) = jj_program() else {
            skip("jj at work: URO_TEST_JJ names no jj");
            return None;
        };
        let world = World::without_models();
        let settings = "[user]\nname = \"A U Thor\"\nemail = \"author@example.com\"\n\
                        [ui]\npaginate = \"never\"\neditor = \"true\"\n";
        std::fs::write(world.path("jj.toml"), settings).unwrap();
        let repo = world.path("repo");
        std::fs::create_dir_all(&repo).unwrap();
        Some(Self { world, jj, repo })
    }

    fn jj_at(&self, dir: &Path, args: &[&str]) -> String {
        let mut command = self.world.program(&self.jj, dir);
        let out = command.env("JJ_CONFIG", self.world.path("jj.toml")).args(args).output().unwrap();
        assert!(out.status.success(), "jj {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn jj(&self, args: &[&str]) -> String {
        self.jj_at(&self.repo, args)
    }

    fn write(&self, file: &str, content: &str) {
        std::fs::write(self.repo.join(file), content).unwrap();
    }

    /// As they are stored: no command of ours runs that could look for commits itself.
    fn live(&self) -> Vec<Capture> {
        let store = SqliteStore::open(&self.world.path("uro/data/captures.db")).unwrap().store;
        store.captures(&CaptureQuery::default()).unwrap()
    }

    /// Waits until there are live captures of these messages and no others; each change has one.
    fn expect(&self, step: &str, messages: &[&str]) {
        let mut changes: HashMap<String, String> = HashMap::new();
        for capture in self.expect_subjects(step, messages) {
            let change = capture.commit.and_then(|commit| commit.change_id).expect("jj names every change");
            assert_eq!(changes.insert(change, capture.summary), None, "{step}: a change has two live captures");
        }
    }

    fn expect_subjects(&self, step: &str, messages: &[&str]) -> Vec<Capture> {
        let mut wanted = messages.to_vec();
        wanted.sort_unstable();
        eventually(&format!("{step}: {wanted:?}"), || {
            let live = self.live();
            let mut found: Vec<String> = live.iter().map(subject).collect();
            found.sort_unstable();
            (found == wanted).then_some(live)
        })
    }
}

fn subject(capture: &Capture) -> String {
    capture.raw.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn every_change_has_one_live_capture_with_its_newest_text_beside_git() {
    every_change_has_one_live_capture("--colocate");
}

#[test]
fn every_change_has_one_live_capture_with_its_newest_text_without_gits_directory() {
    every_change_has_one_live_capture("--no-colocate");
}

fn every_change_has_one_live_capture(layout: &str) {
    let Some(bench) = Bench::new(layout) else { return };
    bench.write("a", "one\n");
    bench.jj(&["status"]);
    bench.jj(&["commit", "-m", "Add a"]);
    bench.expect("commit", &["Add a"]);
    bench.jj(&["describe", "-r", "@-", "-m", "Add the first file"]);
    bench.expect("describe", &["Add the first file"]);
    bench.write("a", "one\nmore\n");
    bench.jj(&["squash"]);
    bench.expect("squash", &["Add the first file"]);
    bench.jj(&["undo"]);
    // The same commit again within its second is none that jj makes.
    bench.write("a", "one\nmore, again\n");
    bench.jj(&["squash"]);
    bench.write("b", "two\n");
    bench.jj(&["commit", "-m", "Add b"]);
    bench.expect("a second change", &["Add b", "Add the first file"]);
    bench.jj(&["describe", "-r", "@--", "-m", "Reword one"]);
    bench.expect("describe below another", &["Add b", "Reword one"]);
    bench.jj(&["undo"]);
    bench.expect("undo", &["Add b", "Add the first file"]);
    bench.jj(&["redo"]);
    bench.expect("redo", &["Add b", "Reword one"]);
    bench.jj(&["squash", "-r", "@-", "-m", "Both"]);
    bench.expect("squash of two changes", &["Both"]);
    bench.jj(&["undo"]);
    bench.expect("undo of that", &["Add b", "Reword one"]);
    bench.jj(&["new", "root()"]);
    bench.write("side", "side\n");
    bench.jj(&["commit", "-m", "Side"]);
    bench.expect("beside", &["Add b", "Reword one", "Side"]);
    bench.jj(&["rebase", "-r", "@-", "-d", "description(substring:'Add b')"]);
    bench.expect("rebase", &["Add b", "Reword one", "Side"]);
    bench.jj(&["abandon", "description(substring:'Side')"]);
    bench.write("w", "w\n");
    bench.jj(&["describe", "-m", "In work"]);
    bench.expect("abandon keeps the work", &["Add b", "In work", "Reword one", "Side"]);
}

#[test]
fn what_jj_copies_splits_and_edits_is_told_apart_beside_git() {
    copies_splits_and_edits("--colocate");
}

#[test]
fn what_jj_copies_splits_and_edits_is_told_apart_without_gits_directory() {
    copies_splits_and_edits("--no-colocate");
}

fn copies_splits_and_edits(layout: &str) {
    let Some(bench) = Bench::new(layout) else { return };
    bench.write("a", "one\n");
    bench.jj(&["commit", "-m", "Add a"]);
    bench.write("b", "two\n");
    bench.write("c", "three\n");
    bench.jj(&["commit", "-m", "Add b and c"]);
    bench.expect("commit", &["Add a", "Add b and c"]);
    bench.jj(&["split", "-r", "@-", "-m", "Add b", "b"]);
    bench.jj(&["describe", "-r", "@-", "-m", "Add c"]);
    bench.expect("split", &["Add a", "Add b", "Add c"]);
    bench.jj(&["duplicate", "@--", "-d", "root()"]);
    bench.expect("a copy stands beside its original", &["Add a", "Add b", "Add b", "Add c"]);
    bench.jj(&["describe", "-r", "root()+ & description(substring:'Add b')", "-m", "Add b elsewhere"]);
    bench.expect("and is a change of its own", &["Add a", "Add b", "Add b elsewhere", "Add c"]);
    bench.jj(&["edit", "@---"]);
    bench.write("a", "one, edited\n");
    bench.jj(&["status"]);
    bench.jj(&["describe", "-m", "Add a, edited"]);
    bench.jj(&["new", "description(substring:'Add c')"]);
    bench.expect("edit", &["Add a, edited", "Add b", "Add b elsewhere", "Add c"]);
    bench.jj(&["revert", "-r", "@-", "--insert-before", "@"]);
    bench.expect("revert", &["Add a, edited", "Add b", "Add b elsewhere", "Add c", "Revert \"Add c\""]);
    let elsewhere = bench.world.path("workspace");
    bench.jj(&["workspace", "add", elsewhere.to_str().unwrap(), "-r", "root()"]);
    std::fs::write(elsewhere.join("d"), "four\n").unwrap();
    bench.jj_at(&elsewhere, &["commit", "-m", "Add d in another workspace"]);
    eventually("a second workspace", || {
        bench.live().iter().any(|capture| capture.raw == "Add d in another workspace").then_some(())
    });
    let log = bench.world.ok(&elsewhere, &["log"]);
    assert!(log.contains("Add d in another workspace"), "{log}");
}

#[test]
fn jj_that_comes_to_a_captured_repository_later_is_noticed_with_what_it_did_since() {
    for runs in [true, false] {
        let Some(bench) = Bench::in_git() else { return };
        bench.world.commit(&bench.repo, "g", "git\n", "Add g by git");
        bench.expect_subjects("git", &["Add g by git"]);
        if !runs {
            bench.world.ok(&bench.repo, &["sidecar", "stop"]);
        }
        bench.jj(&["git", "init", "--colocate"]);
        bench.write("a", "one\n");
        bench.jj(&["commit", "-m", "Add a by jj"]);
        bench.jj(&["describe", "-r", "@-", "-m", "Add a by jj, reworded"]);
        let status = bench.world.json(&bench.repo, &["status"]);
        assert_eq!(status["hooks"][0]["needs_sidecar"], true, "{status:#}");
        let problems = status["problems"].to_string();
        assert!(problems.contains("only while the sidecar runs"), "{problems}");
        bench.world.start_sidecar();
        bench.expect_subjects("jj", &["Add a by jj, reworded", "Add g by git"]);
        bench.write("b", "two\n");
        bench.jj(&["commit", "-m", "Add b by jj"]);
        bench.expect_subjects("more", &["Add a by jj, reworded", "Add b by jj", "Add g by git"]);
    }
}

#[test]
fn operations_that_jj_threw_away_are_no_reason_to_capture_what_was_there_before() {
    let Some(bench) = Bench::before_init("--no-colocate") else { return };
    bench.write("old", "old\n");
    bench.jj(&["commit", "-m", "Long before"]);
    bench.world.ok(&bench.repo, &["init"]);
    bench.world.ok(&bench.repo, &["sidecar", "stop"]);
    bench.write("a", "one\n");
    bench.jj(&["commit", "-m", "Add a"]);
    bench.jj(&["op", "abandon", "..@-"]);
    bench.jj(&["util", "gc", "--expire", "now"]);
    bench.world.start_sidecar();
    bench.write("b", "two\n");
    bench.jj(&["commit", "-m", "Add b"]);
    bench.expect("after that", &["Add a", "Add b"]);
}
