//! Scratch repository made by real git, isolated from the host's settings, with frozen dates.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::domain::id::Oid;
use crate::domain::patch::{Commit, FileChange};
use crate::git::{Bounds, Repo};

pub struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With more options for `git init`.
    pub fn with(options: &[&str]) -> Self {
        let scratch = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scratch.path()).unwrap();
        let mut args = vec!["init", "--quiet", "--initial-branch=main"];
        args.extend(options);
        scratch.git(&args);
        scratch
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("tool")
    }

    /// The directory that the repository lies in.
    pub fn outside(&self) -> &Path {
        self.dir.path()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new("git");
        let path = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, value)| value).unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.dir.path()).current_dir(self.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "A U Thor").env(format!("GIT_{who}_EMAIL"), "author@example.org");
            command.env(format!("GIT_{who}_DATE"), "1700000000 +0100");
        }
        command.args(["-c", "protocol.file.allow=always"]);
        command
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs a git command with something on its standard input.
    pub fn feed(&self, args: &[&str], input: &[u8]) -> String {
        let mut child = self.command().args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn remove(&self, path: &str) -> &Self {
        std::fs::remove_file(self.path().join(path)).unwrap();
        self
    }

    pub fn commit(&self, message: &str) -> Oid {
        self.commit_at(message, 1_700_000_000)
    }

    pub fn commit_at(&self, message: &str, seconds: i64) -> Oid {
        self.git(&["add", "--all"]);
        let date = format!("@{seconds} +0000");
        let mut command = self.command();
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command.args(["commit", "--quiet", "--allow-empty", "--allow-empty-message", "--no-verify", "-m", message]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.rev("HEAD")
    }

    pub fn rev(&self, rev: &str) -> Oid {
        self.git(&["rev-parse", rev]).parse().unwrap()
    }

    pub fn open(&self) -> Repo {
        Repo::discover(&self.path()).unwrap()
    }

    pub fn read(&self) -> Commit {
        self.read_with(&Bounds::default())
    }

    /// HEAD within bounds.
    pub fn read_with(&self, bounds: &Bounds) -> Commit {
        let repo = self.open();
        repo.commit(&repo.head().unwrap(), bounds, &|_| false).unwrap()
    }

    /// The patch id according to git itself.
    pub fn patch_id(&self, rev: &str) -> String {
        let patch = self.command().args(["diff-tree", "-p", "--root", rev]).output().unwrap().stdout;
        self.feed(&["patch-id", "--stable"], &patch).split(' ').next().unwrap().to_owned()
    }
}

impl Repo {
    /// The commits alone.
    pub fn committed_since(&self, since: jiff::Timestamp) -> Result<Vec<Oid>, crate::git::GitError> {
        Ok(self.reflog_commits_since(since)?.into_iter().map(|made| made.oid).collect())
    }
}

pub fn file<'a>(commit: &'a Commit, path: &str) -> &'a FileChange {
    let found = commit.patch.files.iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("{path} is not among {:?}", commit.patch.files))
}

pub fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("line number {n}\n")).collect()
}
