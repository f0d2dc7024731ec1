//! Installing where git looks and leaving without a trace: every layout, both means, all repositories at once.

mod by_hand;
mod config;
mod global;
mod layouts;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::World;

/// A world with a git that says it is of another version.
struct Stage {
    world: World,
    path: OsString,
}

impl Stage {
    /// With this machine's git, which is told to say `version` (absent: its own).
    fn new(version: Option<&str>) -> Self {
        let world = World::without_models();
        let usual = world.program("git", &world.path("home"));
        let usual = usual.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path).unwrap().to_owned();
        let mut stage = Self { world, path: usual };
        if let Some(version) = version {
            stage.pretend(version);
        }
        stage
    }

    /// From here on git says it is of this version.
    fn pretend(&mut self, version: &str) {
        let dir = self.world.path(&format!("git-{version}"));
        let text = format!("#!/bin/sh\ncase \"$*\" in *--version) echo 'git version {version}'; exit ;; esac\n");
        let real = std::env::split_paths(&self.path).map(|dir| dir.join("git")).find(|git| git.is_file()).unwrap();
        write(&dir.join("git"), &format!("{text}exec '{}' \"$@\"\n", real.display()), 0o755);
        let dirs = [dir].into_iter().chain(std::env::split_paths(&self.path));
        self.path = std::env::join_paths(dirs).unwrap();
    }

    fn run(&self, cwd: &Path, args: &[&str]) -> Output {
        let mut command = self.world.program(env!("CARGO_BIN_EXE_uro-capture"), cwd);
        command.env("PATH", &self.path).args(args).output().unwrap()
    }

    fn ok(&self, cwd: &Path, args: &[&str]) -> String {
        let out = self.run(cwd, args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn json(&self, cwd: &Path, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(cwd, &[args, &["--json"]].concat())).unwrap()
    }

    /// Exit code 1; gives stdout and stderr.
    fn refused(&self, cwd: &Path, args: &[&str]) -> (String, String) {
        let out = self.run(cwd, args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(out.status.code(), Some(1), "{args:?}: {out:?}");
        (text(&out.stdout), text(&out.stderr))
    }

    /// The one repository's hooks, as `status` shows them.
    fn hooks(&self) -> Value {
        let hooks = self.json(&self.world.path("home"), &["status"])["hooks"].clone();
        assert_eq!(hooks.as_array().unwrap().len(), 1, "{hooks}");
        hooks[0].clone()
    }

    fn problems(&self) -> String {
        self.json(&self.world.path("home"), &["status"])["problems"].to_string()
    }

    /// What git ≥ 2.54 runs after a commit in `repo`.
    fn run_configured(&self, repo: &Path, hook: &str, args: &[&str]) -> Output {
        let line = self.world.git(repo, &["config", &format!("hook.uro-{hook}.command")]);
        assert_eq!(self.world.git(repo, &["config", &format!("hook.uro-{hook}.event")]), hook);
        let mut command = self.world.program("sh", repo);
        command.args(["-c", &format!("{line} \"$@\""), &line]).args(args).output().unwrap()
    }
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Every path below `dir` with its mode and content.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(data) = std::fs::symlink_metadata(&path) else { continue };
        let content = match data.file_type() {
            kind if kind.is_dir() => {
                open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                Vec::new()
            }
            kind if kind.is_symlink() => std::fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec(),
            kind if kind.is_file() => std::fs::read(&path).unwrap(),
            _ => Vec::new(),
        };
        found.insert(path, (data.permissions().mode(), content));
    }
    found
}

/// Files that differ.
fn changed(before: &BTreeMap<PathBuf, (u32, Vec<u8>)>, after: &BTreeMap<PathBuf, (u32, Vec<u8>)>) -> Vec<PathBuf> {
    let all = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    let mut paths: Vec<PathBuf> = all.cloned().collect();
    paths.sort();
    paths.dedup();
    paths
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}
