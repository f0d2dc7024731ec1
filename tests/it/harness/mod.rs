//! A world of its own for each test: HOME, URO_HOME, git identity, frozen dates, the built programs.

pub mod fake_llm;
#[path = "../../../src/hook/test_program.rs"]
mod program;
pub mod reloading;
pub mod retry;
mod runner;
pub mod scripted;
pub mod socket;
pub mod week;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use program::write_program;

/// Long enough for a loaded machine; a test that reaches it has failed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Nobody asks a model anything but what the test's commits ask it.
const UNPREPARED: &str = "read_ahead = \"off\"";

/// What a capture may take where its text is what a test is about: on a busy machine the usual two seconds are over before
/// a debug build has read a commit. Tests of times keep the default.
fn ample(capture: &str) -> &'static str {
    let measures = env!("CARGO_CRATE_NAME") == "timed";
    if measures || capture.contains("budget") { "" } else { "budget = \"6s\"" }
}

/// Removed, with its sidecar, when dropped.
pub struct World {
    dir: tempfile::TempDir,
    commits: AtomicU64,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self { dir, commits: AtomicU64::new(0) };
        for part in ["home", "uro/config"] {
            std::fs::create_dir_all(world.path(part)).unwrap();
        }
        let identity = "[user]\n\tname = A U Thor\n\temail = author@example.com\n[init]\n\tdefaultBranch = main\n\
                        [commit]\n\tgpgSign = false\n[protocol \"file\"]\n\tallow = always\n";
        std::fs::write(world.path("home/.gitconfig"), identity).unwrap();
        world
    }

    /// A world whose only endpoint is `url`.
    pub fn with_endpoint(url: &str, api: &str) -> Self {
        let world = Self::new();
        world.configure(&format!(
            "[capture]\n{UNPREPARED}\n{}\n[[endpoints]]\nname = \"test\"\nurl = \"{url}\"\napi = \"{api}\"\n",
            ample("")
        ));
        world
    }

    /// A world whose one endpoint is a fake, asked for its model.
    pub fn with_fake(server: &fake_llm::FakeLlm) -> Self {
        let world = Self::new();
        world.use_fake(server, "");
        world
    }

    /// Points the settings at a fake; `capture` is what stands in `[capture]`.
    pub fn use_fake(&self, server: &fake_llm::FakeLlm, capture: &str) {
        let unprepared = if capture.contains("read_ahead") { "" } else { UNPREPARED };
        let (model, url) = (fake_llm::MODEL, server.url());
        self.configure(&format!(
            "[capture]\n{capture}\n{unprepared}\n{}\n[models]\ncapture = \"{model}\"\n\
             [[endpoints]]\nname = \"test\"\nurl = \"{url}\"\napi = \"ollama\"\n",
            ample(capture)
        ));
    }

    /// A world with no model server at all.
    pub fn without_models() -> Self {
        Self::with_endpoint("http://127.0.0.1:9", "ollama")
    }

    pub fn path(&self, part: &str) -> PathBuf {
        self.dir.path().join(part)
    }

    pub fn run_dir(&self) -> PathBuf {
        self.path("uro/run")
    }

    pub fn configure(&self, toml: &str) {
        std::fs::write(self.path("uro/config/capture.toml"), toml).unwrap();
    }

    /// A program in this world: nothing of the outer environment but PATH.
    pub fn program(&self, program: impl AsRef<std::ffi::OsStr>, cwd: &Path) -> Command {
        let mut command = Command::new(program);
        let bins = Path::new(env!("CARGO_BIN_EXE_uro-capture")).parent().unwrap();
        let outer = std::env::var_os("PATH").unwrap_or_default();
        let mut path = vec![bins.to_owned()];
        path.extend(std::env::split_paths(&outer));
        command
            .env_clear()
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", self.path("home"))
            .env("URO_HOME", self.path("uro"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(cwd)
            .stdin(Stdio::null());
        command
    }

    pub fn uro_in(&self, cwd: &Path, args: &[&str]) -> Output {
        self.program(env!("CARGO_BIN_EXE_uro-capture"), cwd).args(args).output().unwrap()
    }

    /// Runs uro-capture and insists on exit code 0; gives stdout.
    pub fn ok(&self, cwd: &Path, args: &[&str]) -> String {
        let out = self.uro_in(cwd, args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(out.status.success(), "{args:?}: {:?}\n{}\n{}", out.status, text(&out.stdout), text(&out.stderr));
        text(&out.stdout)
    }

    /// Runs uro-capture with `--json`.
    pub fn json(&self, cwd: &Path, args: &[&str]) -> Value {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let text = self.ok(cwd, &all);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}\n{text}"))
    }

    pub fn git_command(&self, cwd: &Path, args: &[&str]) -> Command {
        let tick = self.commits.fetch_add(1, Ordering::Relaxed);
        let date = format!("{} +0000", 1_772_366_400 + tick);
        let mut command = self.program("git", cwd);
        command.args(args).env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command
    }

    /// Runs git at the true time: what people note is dated by the real clock.
    pub fn git_now(&self, cwd: &Path, args: &[&str]) -> Output {
        self.program("git", cwd).args(args).output().unwrap()
    }

    /// Runs git and insists on exit code 0; gives stdout, trimmed.
    pub fn git(&self, cwd: &Path, args: &[&str]) -> String {
        let out = self.git_command(cwd, args).output().unwrap();
        assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim_end().to_owned()
    }

    /// A fresh repository without hooks.
    pub fn repo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        self.git(&path, &["init", "-q"]);
        path
    }

    /// A fresh repository with our hooks.
    pub fn hooked_repo(&self, name: &str) -> PathBuf {
        let path = self.repo(name);
        self.ok(&path, &["init"]);
        path
    }

    /// Writes one file and commits it; gives git's exit status and output, and the commit.
    pub fn commit_output(&self, repo: &Path, file: &str, content: &str, message: &str) -> (Output, String) {
        let path = repo.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self.git(repo, &["add", "-A"]);
        let out = self.git_command(repo, &["commit", "-q", "-m", message]).output().unwrap();
        (out, self.git(repo, &["rev-parse", "HEAD"]))
    }

    /// Commits one file; the commit must succeed without a word.
    pub fn commit(&self, repo: &Path, file: &str, content: &str, message: &str) -> String {
        let (out, oid) = self.commit_output(repo, file, content, message);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        assert_eq!((out.stdout, out.stderr), (vec![], vec![]), "a commit prints nothing");
        oid
    }

    /// Captures of `repo`, newest first, as JSON.
    pub fn log(&self, repo: &Path) -> Vec<Value> {
        match self.json(repo, &["log", "-n", "100000"]) {
            Value::Array(captures) => captures,
            other => panic!("log is no array: {other}"),
        }
    }

    pub fn capture_of(&self, repo: &Path, oid: &str) -> Option<Value> {
        self.log(repo).into_iter().find(|capture| capture["commit"]["oid"] == oid)
    }

    /// Waits until the commit's capture is final.
    pub fn final_capture(&self, repo: &Path, oid: &str) -> Value {
        eventually(&format!("capture of {oid}"), || {
            self.capture_of(repo, oid).filter(|capture| !capture["timing"]["total_ms"].is_null())
        })
    }

    pub fn start_sidecar(&self) {
        self.ok(self.dir.path(), &["sidecar", "start"]);
    }

    /// `sidecar status`, whose exit code is 3 unless one runs.
    pub fn sidecar_status(&self) -> Value {
        let out = self.uro_in(self.dir.path(), &["sidecar", "status", "--json"]);
        let status: Value = serde_json::from_slice(&out.stdout).unwrap();
        let code = if status["state"] == "running" { 0 } else { 3 };
        assert_eq!(out.status.code(), Some(code), "{status}");
        status
    }

    /// Stops the running sidecar as Ctrl-Z does, and waits until that has reached it: it answers nobody then.
    pub fn freeze_sidecar(&self) {
        let pid = self.sidecar_pid().to_string();
        assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
        eventually("a sidecar that does not answer", || {
            (self.sidecar_status()["state"] == "unresponsive").then_some(())
        });
    }

    pub fn sidecar_pid(&self) -> i32 {
        let status = self.sidecar_status();
        i32::try_from(status["pid"].as_i64().expect("a running sidecar")).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.uro_in(self.dir.path(), &["sidecar", "stop"]);
    }
}

/// A copy of a program, to be run.
pub fn copy_program(from: &Path, to: &Path) {
    write_program(to, &std::fs::read(from).unwrap());
}

/// Asks again and again until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: nothing within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
