//! One operation in one layout: what git did, and what must therefore have been captured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use uro_capture::domain::capture::CaptureKind;
use uro_capture::domain::event::Source;
use uro_capture::domain::id::RepoId;
use uro_capture::git::Repo;

use super::layout::Layout;
use crate::harness::World;

/// Who can tell of what git does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporter {
    /// Our hooks, and the sidecar where none fires.
    Hooks,
    /// No hook of ours is ever called; the sidecar watches.
    Watcher,
    /// Neither hooks nor a sidecar while the operation runs; one is started afterwards.
    Nobody,
}

/// Whether git calls a hook of ours for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Yes,
    No,
}

/// One unit of work and its live capture.
#[derive(Debug, Clone)]
pub struct Unit {
    pub oid: String,
    /// Who may have reported it.
    pub sources: Vec<Source>,
    pub kind: CaptureKind,
    /// Author date, in seconds since the epoch.
    pub authored: i64,
    /// Commits that it stands for now; each was captured before.
    pub replaces: Vec<String>,
}

pub struct Cell<'w> {
    pub world: &'w World,
    pub layout: Layout,
    pub reporter: Reporter,
    pub name: &'static str,
    /// Where git works.
    pub dir: PathBuf,
    pub repo: RepoId,
    /// What must be live, and nothing else.
    pub units: Vec<Unit>,
    /// Commits that must never have a capture in any state.
    pub foreign: Vec<String>,
    /// Label → commit.
    labels: BTreeMap<String, String>,
    prepared: bool,
    /// Something was done that hooks do not hear.
    silent: bool,
}

impl<'w> Cell<'w> {
    /// Of a registered repository; `dir` is where git works.
    pub fn new(world: &'w World, layout: Layout, reporter: Reporter, name: &'static str, dir: PathBuf) -> Self {
        let repo = Repo::discover(&dir).unwrap().location().id.clone();
        let (units, foreign, labels) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { world, layout, reporter, name, dir, repo, units, foreign, labels, prepared: false, silent: false }
    }

    /// What comes now is the operation itself.
    pub fn prepared(&mut self) {
        self.prepared = true;
    }

    // ---- git

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.git_command(&self.dir, args);
        // At the true time: gc and what reads a log anew ask how old an entry is.
        command.env_remove("GIT_AUTHOR_DATE").env_remove("GIT_COMMITTER_DATE").env("GIT_EDITOR", "true");
        if self.reporter != Reporter::Hooks {
            without_hooks(&mut command);
        }
        command
    }

    /// A step that must succeed; gives its output.
    pub fn git(&self, args: &[&str]) -> String {
        self.run(self.command(args), true)
    }

    /// A step that must stop, with a conflict.
    pub fn git_stops(&self, args: &[&str]) {
        self.run(self.command(args), false);
    }

    /// A step in an environment with these additions.
    pub fn git_with(&self, env: &[(&str, &str)], args: &[&str]) -> String {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        self.run(command, true)
    }

    /// A step of a program that calls no hooks.
    pub fn git_unheard(&self, args: &[&str]) -> String {
        let mut command = self.command(args);
        without_hooks(&mut command);
        self.run(command, true)
    }

    pub fn run(&self, mut command: Command, succeeds: bool) -> String {
        let out = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let report = format!("{}: {command:?}\n{}\n{}", self.title(), text(&out.stdout), text(&out.stderr));
        assert_eq!(out.status.success(), succeeds, "{report}");
        self.layout.after_step(self.world, &self.dir);
        text(&out.stdout)
    }

    /// Looks without touching anything.
    pub fn rev(&self, rev: &str) -> String {
        self.world.git(&self.dir, &["rev-parse", "--verify", "-q", rev])
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.join(file), text).unwrap();
    }

    // ---- what must follow

    /// A commit of one new file, heard or not as the reporter says; it is remembered under `label`.
    pub fn work(&mut self, label: &str) -> String {
        self.write(&format!("{label}.txt"), &format!("{label} one\n{label} two\n"));
        self.commit_all(label, &["-m", &format!("Add {label}")])
    }

    /// Commits everything; a new unit of work under `label`.
    pub fn commit_all(&mut self, label: &str, args: &[&str]) -> String {
        self.git(&["add", "-A"]);
        self.git(&[&["commit", "-q"], args].concat());
        let oid = self.made("HEAD", Heard::Yes);
        self.labels.insert(label.to_owned(), oid.clone());
        oid
    }

    pub fn label(&mut self, rev: &str, label: &str) {
        let oid = self.rev(rev);
        self.labels.insert(label.to_owned(), oid);
    }

    pub fn oid(&self, label: &str) -> String {
        self.labels[label].clone()
    }

    /// `rev` is a new unit of work.
    pub fn made(&mut self, rev: &str, heard: Heard) -> String {
        self.unit(rev, heard, CaptureKind::Commit, Vec::new())
    }

    pub fn merged(&mut self, rev: &str) -> String {
        self.unit(rev, Heard::Yes, CaptureKind::Merge, Vec::new())
    }

    /// `rev` is the same work as what stands under these labels, which it replaces.
    pub fn replaced(&mut self, rev: &str, labels: &[&str], heard: Heard) {
        let replaces: Vec<String> = labels.iter().map(|label| self.oid(label)).collect();
        assert!(replaces.iter().all(|old| self.units.iter().any(|unit| unit.oid == *old)), "{}", self.title());
        self.units.retain(|unit| !replaces.contains(&unit.oid));
        self.unit(rev, heard, CaptureKind::Commit, replaces);
    }

    pub fn unit(&mut self, rev: &str, heard: Heard, kind: CaptureKind, replaces: Vec<String>) -> String {
        let line = self.world.git(&self.dir, &["log", "-1", "--format=%H %at", rev]);
        let (oid, authored) = line.split_once(' ').unwrap();
        let (oid, authored) = (oid.to_owned(), authored.parse().unwrap());
        let sources = self.sources(heard);
        self.units.push(Unit { oid: oid.clone(), sources, kind, authored, replaces });
        oid
    }

    /// In tables no hook can name its commit: what the log has by then counts as its report, and who was first is hard
    /// to tell.
    /// A repository whose hooks have just been silent is believed to have none: whoever comes first tells.
    fn sources(&mut self, heard: Heard) -> Vec<Source> {
        self.silent |= heard == Heard::No;
        match (self.reporter, heard) {
            (Reporter::Hooks, _) if self.layout.is_reftable() => vec![Source::Hook, Source::Watch],
            (Reporter::Hooks, Heard::Yes) if self.silent => vec![Source::Hook, Source::Watch],
            (Reporter::Hooks, Heard::Yes) => vec![Source::Hook],
            // A report of an earlier step that was not worked off when the sidecar ended counts for this one, too.
            (Reporter::Nobody, _) if self.prepared && self.layout.is_reftable() => {
                vec![Source::Reconcile, Source::Hook]
            }
            (Reporter::Nobody, _) if self.prepared => vec![Source::Reconcile],
            _ => vec![Source::Watch],
        }
    }

    /// The last commits of a branch of somebody else's, which none of ours may be taken for.
    pub fn not_ours(&mut self, dir: &Path, last: usize) {
        let count = format!("-{last}");
        let oids = self.world.git(dir, &["rev-list", &count, "HEAD"]);
        self.foreign.extend(oids.lines().map(str::to_owned));
    }

    /// A clone of another person's, with this many commits that are not ours.
    pub fn theirs(&mut self, commits: usize) -> PathBuf {
        let clone = self.world.path(&format!("{} of others", self.name));
        self.world.git(&self.dir, &["clone", "-q", "-b", "work", self.dir.to_str().unwrap(), clone.to_str().unwrap()]);
        for n in 0..commits {
            std::fs::write(clone.join(format!("theirs{n}.txt")), format!("theirs {n}\n")).unwrap();
            self.world.git(&clone, &["add", "-A"]);
            let message = format!("Add theirs {n}");
            let who = ["-c", "user.name=Another", "-c", "user.email=another@example.org"];
            self.world.git(&clone, &[&who[..], &["commit", "-q", "-m", &message]].concat());
        }
        self.world.git(&self.dir, &["remote", "add", "theirs", clone.to_str().unwrap()]);
        self.not_ours(&clone, commits);
        clone
    }

    pub fn title(&self) -> String {
        format!("[{:?} × {:?} × {}]", self.layout, self.reporter, self.name)
    }
}

pub fn without_hooks(command: &mut Command) {
    let setting = [("COUNT", "1"), ("KEY_0", "core.hooksPath"), ("VALUE_0", "/dev/null")];
    command.envs(setting.map(|(name, value)| (format!("GIT_CONFIG_{name}"), value)));
}
