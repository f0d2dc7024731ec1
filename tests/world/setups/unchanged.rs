//! The same work without us and beside us: nobody may see a difference, and all of it is captured.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::prior::Prior;
use super::stage::{Stage, differences, snapshot};
use crate::harness::eventually;

/// What a person sees of one operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub script: &'static str,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub head: String,
    pub status: String,
    /// What the prior hooks wrote at home since the beginning.
    pub log: String,
    /// Of the file that git-lfs locks.
    pub mode: u32,
}

/// Commits, amends and merges, with apart and with joined outputs: the second of each shows the order of lines.
pub const WORK: [&str; 8] = [
    "chmod u+w b.bin; echo 1 >>a.txt; echo 1 >>b.bin; git commit -am One",
    "{ echo 2 >>a.txt; git commit -am Two; } 2>&1",
    "git commit --amend -m 'Two, said better'",
    "{ git commit --amend -m 'Two, said well'; } 2>&1",
    "git merge --no-ff -m 'Merge one' one",
    "{ git merge --no-ff -m 'Merge two' two; } 2>&1",
    "git hook run --ignore-missing post-commit",
    "echo 'a pair' >~/pairs; { git hook run --ignore-missing --to-stdin=$HOME/pairs post-rewrite -- amend; } 2>&1",
];

pub fn work(stage: &Stage) -> Vec<Seen> {
    stage.set_clock_back();
    WORK.map(|script| look(stage, script)).into()
}

/// Which of two eyewitnesses tells first depends on how busy the machine is: here the hooks have told everything
/// before the watcher wakes.
fn work_beside_a_stopped_sidecar(stage: &Stage) -> Vec<Seen> {
    let pid = stage.world.sidecar_pid().to_string();
    stage.world.freeze_sidecar();
    let seen = work(stage);
    // On a busy machine a successor may have taken its place by now.
    let _ = Command::new("kill").args(["-CONT", &pid]).stderr(Stdio::null()).status().unwrap();
    seen
}

fn look(stage: &Stage, script: &'static str) -> Seen {
    let out = stage.try_sh(script);
    Seen {
        script,
        code: out.status.code(),
        stdout: timeless(&out.stdout),
        stderr: timeless(&out.stderr),
        head: stage.sh("git rev-parse HEAD"),
        status: stage.sh("git status --porcelain"),
        log: std::fs::read_to_string(stage.world.path("home/hook.log")).unwrap_or_default(),
        mode: std::fs::metadata(stage.repo.join("b.bin")).unwrap().permissions().mode(),
    }
}

/// Managers tell how long they took: lines that do lose their digits.
pub fn timeless(bytes: &[u8]) -> String {
    let takes = |line: &str| line.contains("seconds") || line.contains("duration:");
    let line = |line: &str| match takes(line) {
        true => line.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect(),
        false => line.to_owned(),
    };
    String::from_utf8_lossy(bytes).split_inclusive('\n').map(line).collect()
}

/// The whole promise for one kind of prior hooks. Where git finds our hooks in its configuration it is them that
/// report, whatever stood there before.
pub fn check(prior: &Prior, git: Option<&Path>) {
    let Some(stage) = prior.stage(git) else { return };
    stage.keep();

    let before = stage.snapshot();
    stage.uro(&["init"]);
    assert_eq!(status_lines(&stage), Vec::<String>::new(), "{}: a clean work tree stays clean", prior.name);
    stage.uro(&["deinit"]);
    let left = differences(&before, &stage.snapshot());
    assert!(left.is_empty(), "{}: init and deinit leave\n{}", prior.name, left.join("\n"));

    stage.restore();
    let without = work(&stage);
    assert!((prior.ran)(&without), "{} ran: {without:#?}", prior.name);
    let without_us = git_dir(&stage);
    stage.restore();
    stage.world.start_sidecar();
    stage.uro(&["init"]);
    let source = if stage.runs_config_hooks() { "hook" } else { prior.source };
    let with = if source == "hook" { work_beside_a_stopped_sidecar(&stage) } else { work(&stage) };
    for (without, with) in without.iter().zip(&with) {
        assert_eq!(without, with, "{}", prior.name);
    }
    captured(&stage, &with, source, prior.name);
    assert_eq!(state(&stage), if source == "hook" { "ok" } else { "absent" }, "{}", prior.name);
    stage.uro(&["deinit"]);
    let left = differences(&without_us, &git_dir(&stage));
    assert!(left.is_empty(), "{}: besides the commits there is\n{}", prior.name, left.join("\n"));
}

/// Of our hooks: `absent`, and no problem, where it is the sidecar that watches.
pub fn state(stage: &Stage) -> String {
    stage.json(&["status"])["hooks"][0]["state"].as_str().unwrap_or_default().to_owned()
}

fn status_lines(stage: &Stage) -> Vec<String> {
    stage.sh("git status --porcelain").lines().map(str::to_owned).collect()
}

/// `.git` without the index, which holds times and inodes of the work tree.
fn git_dir(stage: &Stage) -> super::stage::Snapshot {
    let mut all = snapshot(&stage.repo.join(".git"));
    all.remove(&stage.repo.join(".git/index"));
    all
}

/// One live capture for each unit of work and no other, from where it was expected.
fn captured(stage: &Stage, work: &[Seen], source: &str, name: &str) {
    let head = |n: usize| work[n].head.clone();
    let live = [head(0), head(3), head(4), head(5)];
    eventually(&format!("{name}: {live:?} in {:#?}", briefly(stage)), || {
        let found = briefly(stage);
        let lives: Vec<&str> = found.iter().filter(|found| found.1 == "live").map(|found| found.0.as_str()).collect();
        live.iter().all(|oid| lives.contains(&oid.as_str())).then_some(())
    });
    let found = briefly(stage);
    let lives: Vec<&(String, String, String)> = found.iter().filter(|found| found.1 == "live").collect();
    assert_eq!(lives.len(), live.len(), "{name}: nothing twice: {found:#?}");
    assert!(lives.iter().all(|found| found.2 == source), "{name}: {source} expected: {found:#?}");
    for oid in [head(1), head(2)] {
        let rest: Vec<_> = found.iter().filter(|found| found.0 == oid).collect();
        assert!(rest.iter().all(|found| found.1 == "superseded"), "{name}: amended away: {rest:?}");
    }
}

/// Commit, state and source of every capture.
fn briefly(stage: &Stage) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = stage.json(&["log", "--all", "-n", "1000"]);
    let all = all.as_array().unwrap();
    all.iter().map(|one| (text(&one["commit"]["oid"]), text(&one["state"]), text(&one["source"]))).collect()
}
