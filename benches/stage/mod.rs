//! Where the built programs are measured: scratch homes, scratch repositories with our hook, and sidecars of our own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use uro_capture::githooks;

use crate::report::{Arguments, Result, timed};

/// The programs' directory: `--bin-dir`, else `URO_BENCH_BIN_DIR`, else `target/release`.
pub fn bin_dir(arguments: &mut Arguments) -> Result<PathBuf> {
    let dir =
        arguments.value("--bin-dir")?.map(PathBuf::from).or_else(|| variable("URO_BENCH_BIN_DIR").map(Into::into));
    Ok(fs::canonicalize(dir.unwrap_or_else(|| root().join("target/release")))?)
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment which programs to measure")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Copies the programs, as installing does; gives the hook's path. What the linker wrote through a memory map once
/// measured 0.06 ms slower to start than its copy; whatever the reason, what is measured is what people get.
pub fn installed(from: &Path, to: &Path, names: &[&str]) -> Result<PathBuf> {
    fs::create_dir_all(to)?;
    for name in names {
        fs::copy(from.join(name), to.join(name)).map_err(|error| format!("{}: {error}", from.join(name).display()))?;
    }
    Ok(to.join("uro-hook"))
}

/// One repository, its hook, and the home the hook reports to.
pub struct Stage {
    pub work: PathBuf,
    pub home: PathBuf,
    hook: Option<PathBuf>,
    sidecar: Option<u64>,
}

impl Stage {
    /// `hook` is our program; it stands as `init` puts it there.
    pub fn new(home: &Path, work: &Path, hook: Option<&Path>) -> Result<Self> {
        let stage =
            Self { work: work.to_owned(), home: home.to_owned(), hook: hook.map(Path::to_owned), sidecar: None };
        fs::create_dir_all(work)?;
        fs::create_dir_all(home.join("run"))?;
        stage.git(&["init", "-q", "-b", "main"])?;
        if let Some(hook) = hook {
            githooks::apply(&githooks::plan_install(&work.join(".git/hooks"), hook)?)?;
        }
        Ok(stage)
    }

    /// A program in this repository and home, with nothing else of the environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.work).env_clear().env("PATH", variable("PATH").unwrap_or_default());
        command.env("HOME", &self.home).env("URO_HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TEMPLATE_DIR", "");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Bench").env(format!("GIT_{role}_EMAIL"), "bench@example.org");
        }
        command.stdin(Stdio::null());
        command
    }

    /// Git, from its start until nobody holds its output any more.
    pub fn git(&self, arguments: &[&str]) -> Result<Duration> {
        let mut command = self.command(Path::new("git"));
        quiet(command.args(["-c", "gc.auto=0", "-c", "core.compression=1"]).args(arguments))
    }

    /// The program beside the hook.
    pub fn program(&self) -> Option<PathBuf> {
        self.hook.as_deref().map(|hook| hook.with_file_name("uro-capture")).filter(|program| program.exists())
    }

    /// Starts the sidecar of this home; it answers when this returns. Gives its process id.
    pub fn start_sidecar(&mut self) -> Result<u64> {
        let program = self.program().ok_or("no uro-capture beside the hook")?;
        let output = self.command(&program).args(["sidecar", "start"]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let pid = self.sidecar_pid()?;
        self.sidecar = Some(pid);
        Ok(pid)
    }

    /// The process id of the sidecar that answers in this home, whoever started it.
    pub fn sidecar_pid(&self) -> Result<u64> {
        let program = self.program().ok_or("no uro-capture beside the hook")?;
        let output = self.command(&program).args(["sidecar", "status", "--json"]).output()?;
        let output: Value = serde_json::from_slice(&output.stdout)?;
        let pid = output["pid"].as_u64().filter(|_| output["state"] == "running");
        Ok(pid.ok_or("no sidecar answers")?)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let Some(program) = self.program() else { return };
        if let Some(pid) = self.sidecar {
            let _ = signal("-CONT", pid);
        }
        // Also one that a hook started.
        let _ = self.command(&program).args(["sidecar", "stop"]).output();
    }
}

/// Until the program has ended *and* nobody holds its output any more, as a caller that captures it sees it.
/// It must succeed and say nothing.
pub fn quiet(command: &mut Command) -> Result<Duration> {
    let (elapsed, output) = timed(|| Ok(command.output()?))?;
    if output.status.success() && output.stdout.is_empty() && output.stderr.is_empty() {
        return Ok(elapsed);
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(format!("{command:?} ended with {} and said {:?}", output.status, String::from_utf8_lossy(&printed)).into())
}

pub fn signal(which: &str, pid: u64) -> Result<()> {
    let status = Command::new("kill").arg(which).arg(pid.to_string()).status()?;
    if status.success() { Ok(()) } else { Err(format!("kill {which} {pid} failed").into()) }
}
