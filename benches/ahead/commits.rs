//! The whole way: git with an editor, the hook, the sidecar, the server. What the server had in its cache when the
//! capture came is what it says itself.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Run;
use crate::report::{Report, Result, Row};
use crate::server::Server;
use crate::stage::Stage;

/// Of a prompt that was read ahead only the message, the request and the template's end are left.
const LEFT: u64 = 100;
const TICK: Duration = Duration::from_millis(20);
/// Ticks after which nobody waits any more.
const PATIENCE: u32 = 30_000;
const EARLY: Duration = Duration::from_secs(1);

/// How a commit is made.
#[derive(Clone, Copy)]
enum Manner {
    /// The editor stays open until the change is read.
    Open,
    /// It closes after a second.
    Early,
    /// `-m`.
    Message,
}

pub fn open(run: &Run, report: &mut Report) -> Result<()> {
    section(run, report, "editor open until it is read", Manner::Open)
}

pub fn early(run: &Run, report: &mut Report) -> Result<()> {
    section(run, report, "editor closes after 1 s", Manner::Early)
}

pub fn message(run: &Run, report: &mut Report) -> Result<()> {
    section(run, report, "commit -m", Manner::Message)
}

fn section(run: &Run, report: &mut Report, name: &str, manner: Manner) -> Result<()> {
    let server = Server::start(&run.model)?;
    let home = run.scratch.path().join(name.replace(' ', "-"));
    let mut scene = Scene { stage: Stage::new(&home, &home.join("repo"), Some(&run.hook))?, commits: 0 };
    scene.settle(&server.url)?;
    scene.stage.start_sidecar()?;
    scene.register()?;
    // After the first one the server knows the rules, and we its speed.
    scene.commit(Manner::Message)?;
    let captures = (0..run.commits).map(|_| scene.commit(manner)).collect::<Result<Vec<_>>>()?;
    report.table("Commits", &[row(name, &captures)])
}

fn row(name: &str, captures: &[Value]) -> Row {
    let tokens = |capture: &Value, which: &str| capture["tokens"][which].as_u64();
    let left = |capture: &Value| Some(tokens(capture, "prompt")?.saturating_sub(tokens(capture, "cached")?));
    let hits = captures.iter().filter_map(left).filter(|left| *left <= LEFT).count();
    let median = |of: &dyn Fn(&Value) -> Option<f64>| {
        let mut found: Vec<f64> = captures.iter().filter_map(of).collect();
        found.sort_by(f64::total_cmp);
        json!(found.get(found.len() / 2))
    };
    let count = |which: &'static str| move |capture: &Value| capture["tokens"][which].as_f64();
    Row::named(name)
        .with("n", json!(captures.len()))
        .with("hits", json!(hits))
        .with("answered", json!(captures.iter().filter_map(left).count()))
        .with("prompt", median(&count("prompt")))
        .with("cached", median(&count("cached")))
        .with("least_cached", json!(captures.iter().filter_map(|one| tokens(one, "cached")).min()))
        .with("ttft_ms", median(&|capture| capture["timing"]["ttft_ms"].as_f64()))
}

struct Scene {
    stage: Stage,
    commits: usize,
}

impl Scene {
    /// The budget lets every answer come: what is asked is what the server had read, not whether this machine is fast.
    fn settle(&self, url: &str) -> Result<()> {
        let config = self.stage.home.join("config");
        fs::create_dir_all(&config)?;
        let text = format!(
            "[capture]\nbudget = \"60s\"\nread_ahead = \"always\"\n[options.capture]\nmax_tokens = 4\n\
             [[endpoints]]\nname = \"bench\"\nurl = \"{url}\"\n"
        );
        Ok(fs::write(config.join("capture.toml"), text)?)
    }

    /// Only what is registered is watched.
    fn register(&self) -> Result<()> {
        let program = self.stage.program().ok_or("no uro-capture beside the hook")?;
        let output = self.stage.command(&program).arg("init").output()?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned().into()) }
    }

    /// Edits, stages and commits; gives the final capture.
    fn commit(&mut self, manner: Manner) -> Result<Value> {
        self.commits += 1;
        let n = self.commits;
        let text: String =
            (0..3).map(|line| format!("pub fn number_{line}() -> usize {{\n    {n}{line}\n}}\n")).collect();
        fs::write(self.stage.work.join("numbers.rs"), text)?;
        self.stage.git(&["add", "numbers.rs"])?;
        match manner {
            Manner::Message => drop(self.stage.git(&["commit", "-q", "-m", "Change the numbers"])?),
            Manner::Open | Manner::Early => self.edit(manner)?,
        }
        self.capture()
    }

    fn edit(&self, manner: Manner) -> Result<()> {
        let before = self.read(&self.stage.home.join("state/sidecar.log"));
        let editor = self.stage.home.join("editor");
        fs::write(&editor, "echo open; read -r line; echo 'Change the numbers' > \"$1\"\n")?;
        let mut git = self.stage.command(Path::new("git"));
        git.args(["commit", "-q"]).env("GIT_EDITOR", format!("sh '{}'", editor.display()));
        let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        wait_for_editor(&mut git)?;
        match manner {
            Manner::Early => std::thread::sleep(EARLY),
            Manner::Open | Manner::Message => {
                patiently(|| (self.read(&self.stage.home.join("state/sidecar.log")) > before).then_some(()))?;
            }
        }
        git.stdin.take().ok_or("no input")?.write_all(b"\n")?;
        if git.wait()?.success() { Ok(()) } else { Err("git commit failed".into()) }
    }

    /// How often something was read ahead to its end.
    fn read(&self, log: &Path) -> usize {
        fs::read_to_string(log).unwrap_or_default().matches("whole=true").count()
    }

    fn capture(&self) -> Result<Value> {
        let program = self.stage.program().ok_or("no uro-capture beside the hook")?;
        patiently(|| {
            let output = self.stage.command(&program).args(["log", "-n", "1000", "--json"]).output().ok()?;
            let all: Vec<Value> = serde_json::from_slice(&output.stdout).ok()?;
            let last = all.first().filter(|_| all.len() == self.commits)?;
            (!last["timing"]["total_ms"].is_null()).then(|| last.clone())
        })
    }
}

fn wait_for_editor(git: &mut Child) -> Result<()> {
    let mut line = String::new();
    BufReader::new(git.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    if line == "open\n" { Ok(()) } else { Err(format!("git said {line:?}").into()) }
}

fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    for _ in 0..PATIENCE {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        std::thread::sleep(TICK);
    }
    Err("waited in vain".into())
}
