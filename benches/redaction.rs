//! What redaction takes out of real histories, and how long it takes.
//!
//! `cargo bench --bench redaction -- [--commits 300] [--tree] [--show] [--speed] [--filter] [--n 20] [--json] [GIT_DIR…]`
//!
//! For each git directory: the newest commits reachable from HEAD, read as the sidecar reads them, and how many
//! stretches were replaced, by kind. `--tree` takes all files of HEAD's tree instead. `--show` prints what was replaced
//! with its surroundings, to be judged by eye: so it must only be pointed at public histories. `--speed` measures
//! 10 MB of patch of several sorts: our own sources without and with their planted secrets, and hostile texts. `--filter` reads texts from stdin, one JSON string a line, takes each for
//! the added lines of a file, and writes them redacted in the same form: for samples of other tools.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use uro_capture::domain::patch::{Commit, Origin};
use uro_capture::git::{Bounds, Repo};
use uro_capture::redact::redact_commit;

mod report;
#[path = "redaction/speed.rs"]
mod speed;

use report::{Arguments, Report, Result, Row};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    if arguments.flag("--filter") {
        return filter();
    }
    let mut report = Report::new("redaction", arguments.flag("--json"));
    let scan = Scan {
        commits: arguments.number("--commits", 300)?,
        tree: arguments.flag("--tree"),
        show: arguments.flag("--show"),
    };
    let (speed, n) = (arguments.flag("--speed"), arguments.number("--n", 60)?);
    let histories = arguments.rest()?;
    let rows = histories.iter().map(|dir| scan.history(Path::new(dir))).collect::<Result<Vec<_>>>()?;
    if !rows.is_empty() {
        report.table("replaced in real histories", &rows)?;
    }
    if speed || histories.is_empty() {
        report.table("10 MB of patch", &speed::rows(n)?)?;
    }
    report.finish()
}

/// Texts from stdin, each redacted by itself.
fn filter() -> Result<()> {
    use std::io::{BufRead, Write};
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let lines: Vec<&str> = text.split('\n').collect();
        let clean = redact_commit(speed::commit(&lines, |_| Origin::Added));
        let lines = clean.patch.files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
        let clean: Vec<&str> = lines.map(|line| line.text.as_str()).collect();
        writeln!(out, "{}", serde_json::to_string(&clean.join("\n"))?)?;
    }
    Ok(())
}

struct Scan {
    commits: usize,
    tree: bool,
    show: bool,
}

impl Scan {
    fn read(&self, dir: &Path) -> Result<Vec<Commit>> {
        if self.tree {
            return Ok(vec![tree(dir)?]);
        }
        let repo = Repo::open_git_dir(dir)?;
        let newest = repo.since(jiff::Timestamp::UNIX_EPOCH)?.into_iter().rev().take(self.commits);
        Ok(newest.filter_map(|oid| repo.commit(&oid, &bounds(), &|_| false).ok()).collect())
    }

    fn history(&self, dir: &Path) -> Result<Row> {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let (mut commits, mut touched, mut lines) = (0, 0, 0);
        for commit in self.read(dir)? {
            let replaced = replaced(&commit);
            commits += 1;
            lines += texts(&commit).len();
            touched += usize::from(!replaced.is_empty());
            for (before, after) in &replaced {
                kinds_of(after).into_iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
                if self.show {
                    show(commit.oid.as_str(), before, after)?;
                }
            }
        }
        let row = Row::named(&dir.display().to_string()).with("commits", json!(commits)).with("texts", json!(lines));
        Ok(row.with("touched", json!(touched)).with("kinds", json!(serde_json::to_string(&kinds)?)))
    }
}

/// All files of a tree, as one commit that adds them.
fn tree(dir: &Path) -> Result<Commit> {
    let scratch = tempfile::tempdir()?;
    let (git_dir, to) = (dir.display(), scratch.path().display());
    let script = format!("git --git-dir='{git_dir}' archive HEAD | tar -x -C '{to}'");
    if !Command::new("sh").args(["-c", &script]).status()?.success() {
        return Err("git archive failed".into());
    }
    let mut whole = speed::commit(&[], |_| Origin::Added);
    whole.patch.files.clear();
    files(scratch.path(), &mut whole)?;
    Ok(whole)
}

fn files(dir: &Path, whole: &mut Commit) -> Result<()> {
    for entry in fs::read_dir(dir)?.flatten() {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            files(&path, whole)?;
        } else if let Some(text) = fs::read(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            let lines: Vec<&str> = text.lines().collect();
            for mut file in speed::commit(&lines, |_| Origin::Added).patch.files {
                file.path = path.display().to_string();
                whole.patch.files.push(file);
            }
        }
    }
    Ok(())
}

/// Larger than the sidecar's: the more is looked at, the more false alarms would show.
fn bounds() -> Bounds {
    Bounds { patch_bytes: 4 << 20, blob_bytes: 16 << 20, ..Bounds::default() }
}

/// Texts that redaction changed, before and after.
fn replaced(commit: &Commit) -> Vec<(String, String)> {
    let clean = redact_commit(commit.clone());
    texts(commit).into_iter().zip(texts(&clean)).filter(|(before, after)| before != after).collect()
}

fn texts(commit: &Commit) -> Vec<String> {
    let mut texts = vec![commit.message.clone(), commit.author.clone(), commit.author_email.clone()];
    for file in &commit.patch.files {
        texts.push(file.path.clone());
        for hunk in &file.hunks {
            texts.push(hunk.header.clone());
            texts.extend(hunk.lines.iter().map(|line| format!("{}: {}", file.path, line.text)));
        }
    }
    texts
}

fn kinds_of(text: &str) -> Vec<String> {
    text.split("[redacted:").skip(1).filter_map(|rest| Some(rest.split_once(']')?.0.to_owned())).collect()
}

fn show(oid: &str, before: &str, after: &str) -> Result<()> {
    use std::io::Write;
    let cut = |text: &str| text.chars().take(400).collect::<String>();
    writeln!(std::io::stdout(), "{}\n  - {}\n  + {}", &oid[..12], cut(before), cut(after))?;
    Ok(())
}
