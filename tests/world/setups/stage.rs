//! One repository with somebody else's hooks, and everything that may be asked of it before and after ours.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::World;

/// Path → kind and mode, content.
pub type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// A world with one repository, the tools that write hooks, and a clock that can be set back.
pub struct Stage {
    pub world: World,
    pub repo: PathBuf,
    path: OsString,
    now: Cell<u64>,
}

impl Stage {
    /// With the git of this machine, or with the one whose directory is given.
    pub fn new(git: Option<&Path>) -> Self {
        let world = World::without_models();
        let repo = world.path("repo");
        std::fs::create_dir_all(&repo).unwrap();
        let usual = world.program("git", &repo);
        let usual = usual.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).unwrap();
        let first = git.map(Path::to_owned).into_iter().chain([tools().join("bin")]);
        let path = std::env::join_paths(first.chain(std::env::split_paths(usual))).unwrap();
        let stage = Self { world, repo, path, now: Cell::new(0) };
        // Git tidies up behind a commit, in the background, and so would change what is compared.
        stage.sh("git config --global maintenance.auto false");
        stage.sh("git init -q && git commit -q --allow-empty -m Begin && for side in one two; do \
             git checkout -q -b $side main && echo $side >$side.txt && git add . && git commit -q -m \"Side $side\"; \
             done; git checkout -q main && echo a >a.txt && echo b >b.bin && git add . && git commit -q -m Base");
        stage
    }

    /// Whether the git that is used here finds our hooks in its configuration.
    pub fn runs_config_hooks(&self) -> bool {
        runs_config_hooks(
            &std::env::split_paths(&self.path).map(|dir| dir.join("git")).find(|git| git.exists()).unwrap(),
        )
    }

    /// Everything that is run from here on sees the same dates again.
    pub fn set_clock_back(&self) {
        self.now.set(1_000);
    }

    /// A program in the repository, at the next second.
    pub fn command(&self, program: &str) -> Command {
        self.now.set(self.now.get() + 1);
        let date = format!("{} +0000", 1_772_366_400 + self.now.get());
        let mut command = self.world.program(program, &self.repo);
        command.env("PATH", &self.path).env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command
    }

    /// What a shell script does in the repository.
    pub fn try_sh(&self, script: &str) -> Output {
        self.command("sh").args(["-c", script]).output().unwrap()
    }

    /// A script that has to succeed; gives its stdout, trimmed.
    pub fn sh(&self, script: &str) -> String {
        let out = self.try_sh(script);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(out.status.success(), "{script}: {:?}\n{}{}", out.status, text(&out.stdout), text(&out.stderr));
        text(&out.stdout).trim_end().to_owned()
    }

    /// `uro-capture` where somebody sits in the repository; must succeed. Gives stdout.
    pub fn uro(&self, args: &[&str]) -> String {
        let out = self.command(env!("CARGO_BIN_EXE_uro-capture")).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {out:?}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.uro(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}\n{text}"))
    }

    pub fn write(&self, path: &Path, text: &str, mode: u32) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    /// Keeps the repository and the home as they are now, beside them.
    pub fn keep(&self) {
        self.copy("repo", "kept-repo");
        self.copy("home", "kept-home");
    }

    /// Puts the kept repository and home in the place of what is there, the times of files included.
    pub fn restore(&self) {
        self.copy("kept-repo", "repo");
        self.copy("kept-home", "home");
    }

    fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.world.path(from), self.world.path(to));
        let _not_there = std::fs::remove_dir_all(&to);
        assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
    }

    /// All of the repository and the home, to the byte.
    pub fn snapshot(&self) -> Snapshot {
        let mut all = snapshot(&self.repo);
        all.extend(snapshot(&self.world.path("home")));
        all
    }
}

/// Every path below `dir` with its kind and mode and its content (a link's target).
pub fn snapshot(dir: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(data) = std::fs::symlink_metadata(&path) else { continue };
        let content = match data.file_type() {
            kind if kind.is_dir() => {
                open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                Vec::new()
            }
            kind if kind.is_symlink() => std::fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec(),
            _ => std::fs::read(&path).unwrap(),
        };
        found.insert(path, (data.permissions().mode(), content));
    }
    found
}

/// Which paths differ, and how, for a message that a person can read.
pub fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let words = |side: &Snapshot, path: &PathBuf| {
        side.get(path).map_or("absent".to_owned(), |(mode, content)| {
            format!("{mode:o} {:?}", String::from_utf8_lossy(&content[..content.len().min(2_000)]))
        })
    };
    let differing = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    let mut lines: Vec<String> =
        differing.map(|path| format!("{}: {} → {}", path.display(), words(before, path), words(after, path))).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Where `tests/support/hook_managers.sh` put the tools.
#[expect(clippy::disallowed_methods, reason = "tests find the tools by this one variable")]
pub fn tools() -> PathBuf {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools");
    std::env::var_os("URO_TEST_TOOLS").map_or_else(usual, PathBuf::from)
}

/// The jj that the variable names; absent where it names none that runs.
#[expect(clippy::disallowed_methods, reason = "tests find the tools by this one variable")]
pub fn jj_program() -> Option<PathBuf> {
    let program = PathBuf::from(std::env::var_os("URO_TEST_JJ")?);
    let out = Command::new(&program).arg("--version").output();
    out.is_ok_and(|out| out.status.success()).then_some(program)
}

/// Git 2.54 and later.
pub fn runs_config_hooks(git: &Path) -> bool {
    let out = Command::new(git).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut parts = text.split_whitespace().nth(2).unwrap_or_default().split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else { panic!("{git:?}: {text}") };
    (major, minor) >= (2, 54)
}

/// Says past the test runner, which keeps the words of tests that pass, that something was not tried.
pub fn skip(what: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "skipped: {what}");
}
