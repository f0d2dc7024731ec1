//! What reading a commit costs: open the repository, read the patch in bounds, tell the facts, write the template;
//! against `git diff-tree -p` of the same commit, in turns within one run.
//!
//! `cargo bench --bench patch -- [--n 20] [--json]`. Times are whole: ours in this process, git's with its own start
//! and its output read to the end. Peak memory is this process's resident set over the case (Linux only).
#![expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::id::Oid;
use uro_capture::facts;
use uro_capture::fallback::template;
use uro_capture::git::{Bounds, Repo};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Rounds before anything is counted.
const WARM_UP: usize = 2;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let json = args.iter().any(|arg| arg == "--json");
    let rounds = args.iter().position(|arg| arg == "--n").and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(20);
    let scratch = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for (name, change) in CASES {
        let repo = prepare(&scratch.path().join(name.replace(' ', "-")), change)?;
        rows.push(measure(name, &repo, rounds)?);
    }
    if json { print_json(&rows) } else { print_table(&rows) }
}

/// Writes the state before (false) and after (true) the commit that is measured.
type Writer = fn(&Path, bool) -> Result<()>;

const CASES: [(&str, Writer); 6] = [
    ("one file", one_file),
    ("500 files, 100k lines each way", many_files),
    ("500 renames with edits", renames),
    ("1 MB of text rewritten", rewritten),
    ("200 MB binary", binary),
    ("1M-line file", million_lines),
];

fn one_file(dir: &Path, after: bool) -> Result<()> {
    let body = if after { "    let answer = 42;\n    answer + 1" } else { "    let answer = 41;\n    answer" };
    let text: String = (0..40).map(|n| format!("fn number_{n}() -> u32 {{\n{body}\n}}\n\n")).collect();
    Ok(std::fs::write(dir.join("lib.rs"), text)?)
}

fn many_files(dir: &Path, after: bool) -> Result<()> {
    for file in 0..500 {
        let mut out = BufWriter::new(File::create(dir.join(format!("module_{file:03}.rs")))?);
        for line in 0..200 {
            writeln!(out, "    let value_{line} = compute({file}, {line}, {after});")?;
        }
    }
    Ok(())
}

fn renames(dir: &Path, after: bool) -> Result<()> {
    for file in 0..500 {
        let (old, new) = (dir.join(format!("old_{file}.rs")), dir.join(format!("new_{file}.rs")));
        if after {
            std::fs::remove_file(&old)?;
        }
        let mut out = BufWriter::new(File::create(if after { new } else { old })?);
        for line in 0..100 {
            let edited = if after && line == 50 { "edited" } else { "same" };
            writeln!(out, "let value = compute({file}, {line}, {edited});")?;
        }
    }
    Ok(())
}

fn rewritten(dir: &Path, after: bool) -> Result<()> {
    let mut out = BufWriter::new(File::create(dir.join("big.rs"))?);
    for line in 0..12_000 {
        // Short repeated lines between unique ones: what a diff algorithm likes least.
        writeln!(out, "    call({}, {after});\n    }}\n", (line * 7919) % 12_000)?;
    }
    Ok(())
}

fn binary(dir: &Path, after: bool) -> Result<()> {
    let mut out = BufWriter::new(File::create(dir.join("model.bin"))?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let megabytes = if after { 200 } else { 1 };
    for _ in 0..megabytes << 17 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.write_all(&state.to_le_bytes())?;
    }
    Ok(())
}

fn million_lines(dir: &Path, after: bool) -> Result<()> {
    let mut out = BufWriter::new(File::create(dir.join("data.txt"))?);
    for line in 0..if after { 1_000_000 } else { 1_000 } {
        writeln!(out, "row {line}")?;
    }
    Ok(())
}

fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "core.compression=1"]);
    command.args(["-c", "gc.auto=0"]);
    command
}

fn prepare(dir: &Path, write: Writer) -> Result<PathBuf> {
    std::fs::create_dir_all(dir)?;
    let run = |args: &[&str]| -> Result<()> {
        let status = git(dir).args(args).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(format!("git {args:?} failed").into()) }
    };
    run(&["init", "--quiet"])?;
    for after in [false, true] {
        write(dir, after)?;
        run(&["add", "--all"])?;
        run(&["commit", "--quiet", "-m", if after { "wip" } else { "Start" }])?;
    }
    Ok(dir.join(".git"))
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    ours: Vec<Duration>,
    git: Vec<Duration>,
    /// Bytes; absent where the kernel does not tell.
    peak: Option<u64>,
    said: String,
}

fn measure(name: &'static str, git_dir: &Path, rounds: usize) -> Result<Row> {
    let oid = Repo::open_git_dir(git_dir)?.head()?;
    let mut row = Row { name, ours: Vec::new(), git: Vec::new(), peak: None, said: String::new() };
    reset_peak();
    for round in 0..rounds + WARM_UP {
        let (ours, said) = tell(git_dir, &oid)?;
        if round == 0 {
            row.peak = peak();
        }
        let theirs = diff_tree(git_dir, &oid)?;
        if round >= WARM_UP {
            row.ours.push(ours);
            row.git.push(theirs);
        }
        row.said = said;
    }
    row.ours.sort_unstable();
    row.git.sort_unstable();
    Ok(row)
}

/// One capture's worth of reading, as the sidecar does it.
fn tell(git_dir: &Path, oid: &Oid) -> Result<(Duration, String)> {
    let clock = SystemClock;
    let start = clock.instant();
    let commit = Repo::open_git_dir(git_dir)?.commit(oid, &Bounds::default(), &|_| false)?;
    let said = template::commit(&commit, &facts::of(&commit));
    Ok((clock.instant() - start, said))
}

fn diff_tree(git_dir: &Path, oid: &Oid) -> Result<Duration> {
    let clock = SystemClock;
    let start = clock.instant();
    let mut child = git(git_dir).args(["diff-tree", "-p", oid.as_str()]).stdout(Stdio::piped()).spawn()?;
    if let Some(mut out) = child.stdout.take() {
        std::io::copy(&mut out, &mut std::io::sink())?;
    }
    child.wait()?;
    Ok(clock.instant() - start)
}

/// Lets the kernel count this process's peak anew.
fn reset_peak() {
    // Not to be had outside Linux: then the peak stays that of the whole run, or absent.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

fn ms(sorted: &[Duration], share: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn ratio(row: &Row) -> f64 {
    ms(&row.ours, 0.5) / ms(&row.git, 0.5)
}

fn print_table(rows: &[Row]) -> Result<()> {
    println!(
        "{:<32} {:>4} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9}",
        "case (ms)", "n", "min", "median", "p95", "git med.", "ratio", "peak MB"
    );
    for row in rows {
        let peak = row.peak.map_or("?".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6));
        println!(
            "{:<32} {:>4} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>7.2} {:>9}",
            row.name,
            row.ours.len(),
            ms(&row.ours, 0.0),
            ms(&row.ours, 0.5),
            ms(&row.ours, 0.95),
            ms(&row.git, 0.5),
            ratio(row),
            peak
        );
    }
    for row in rows {
        println!("  {}: {}", row.name, row.said);
    }
    Ok(())
}

fn print_json(rows: &[Row]) -> Result<()> {
    let times = |sorted: &[Duration]| json!({"min_ms": ms(sorted, 0.0), "median_ms": ms(sorted, 0.5), "p95_ms": ms(sorted, 0.95)});
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({"case": row.name, "n": row.ours.len(), "ours": times(&row.ours), "git": times(&row.git),
                   "ratio": ratio(row), "peak_rss_bytes": row.peak, "said": row.said})
        })
        .collect();
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}
