//! How long 10 MB of patch take: our own sources as added lines, as both sides in turns, and texts that are made to
//! be expensive. The sources are without their tests, which hold planted secrets; a row of their own has them with
//! tests, where what was found makes more passes. `marks` is how many secrets were replaced.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use uro_capture::domain::patch::{Change, Commit, FileChange, Hunk, LineOrigin, Patch, PatchLine};
use uro_capture::redact::redact_commit;

use crate::report::{Result, Rounds, Row, in_turns, timed};

const BYTES: usize = 10_000_000;

pub fn rows(n: usize) -> Result<Vec<Row>> {
    let sorts = sorts()?;
    let names: Vec<String> = sorts.iter().map(|(name, _)| name.clone()).collect();
    let rounds = Rounds { n, warm_up: 1, pause: Duration::ZERO };
    let all = in_turns(&names, rounds, |arm, _| {
        let commit = sorts[arm].1.clone();
        let (elapsed, clean) = timed(|| Ok(redact_commit(commit)))?;
        drop(clean);
        Ok(elapsed)
    })?;
    let row = |(series, (_, of)): (_, &(String, Commit))| {
        let clean = redact_commit(of.clone());
        let marks = lines_of(&clean).map(|line| line.text.matches("[redacted:").count()).sum::<usize>();
        let made = lines_of(of).map(|line| line.text.matches("[redacted:").count()).sum::<usize>();
        let bytes = lines_of(of).map(|line| line.text.len() + 1).sum::<usize>();
        let row = Row::of(series).with("bytes", json!(bytes)).with("marks", json!(marks.saturating_sub(made)));
        row.against("code", &all[0], series)
    };
    Ok(all.iter().zip(&sorts).map(row).collect())
}

fn lines_of(commit: &Commit) -> impl Iterator<Item = &PatchLine> {
    commit.patch.files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines)
}

fn sorts() -> Result<Vec<(String, Commit)>> {
    let (code, tested) = (code(false)?, code(true)?);
    let lines: Vec<&str> = code.lines().collect();
    let in_turns = |at: usize| if (at / 6).is_multiple_of(2) { LineOrigin::Removed } else { LineOrigin::Added };
    let tested: Vec<&str> = tested.lines().collect();
    let mut sorts = vec![
        ("code, added".to_owned(), commit(&lines, |_| LineOrigin::Added)),
        ("code, both sides".to_owned(), commit(&lines, in_turns)),
        ("code with planted secrets, added".to_owned(), commit(&tested, |_| LineOrigin::Added)),
        ("code with planted secrets, both sides".to_owned(), commit(&tested, in_turns)),
    ];
    for seed in [
        "\"",
        "password=",
        "password=\"",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "AKIA",
        "://",
        "a:b@",
        "sk-",
        "kind: Secret\n",
    ] {
        let text = seed.repeat(BYTES / seed.len());
        let lines: Vec<&str> = text.lines().collect();
        sorts.push((format!("hostile {seed:?}"), commit(&lines, |_| LineOrigin::Added)));
    }
    Ok(sorts)
}

/// Our own sources, with or without their tests, as often as it takes.
fn code(tests: bool) -> Result<String> {
    let mut once = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), tests, &mut once)?;
    Ok(once.repeat(BYTES / once.len() + 1).chars().take(BYTES).collect())
}

fn read(dir: &Path, tests: bool, text: &mut String) -> Result<()> {
    let mut entries: Vec<_> = fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if !tests && path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests")) {
            continue;
        }
        if path.is_dir() {
            read(&path, tests, text)?;
        } else {
            let file = fs::read_to_string(&path)?;
            let end = if tests { None } else { file.find("#[cfg(test)]") };
            text.push_str(&file[..end.unwrap_or(file.len())]);
        }
    }
    Ok(())
}

pub fn commit(lines: &[&str], origin: impl Fn(usize) -> LineOrigin) -> Commit {
    let line = |(at, text): (usize, &&str)| PatchLine { origin: origin(at), text: (*text).to_owned() };
    let hunk =
        Hunk { header: String::new(), old_start: 1, new_start: 1, lines: lines.iter().enumerate().map(line).collect() };
    let file = FileChange {
        path: "src/lib.rs".into(),
        old_path: None,
        change: Change::Added,
        mode_changed: false,
        insertions: None,
        deletions: None,
        hunks: vec![hunk],
        unread: None,
        texts: None,
    };
    let oid = || "a".repeat(40).parse().ok();
    let (Some(commit), Some(tree)) = (oid(), oid()) else { unreachable!("forty hexadecimal digits are an id") };
    Commit {
        oid: commit,
        tree,
        parents: vec![],
        author: "A".into(),
        author_email: "a@example.org".into(),
        authored_at: jiff::Timestamp::UNIX_EPOCH,
        committed_at: jiff::Timestamp::UNIX_EPOCH,
        message: "wip".into(),
        change_id: None,
        branch: None,
        patch: Patch { files: vec![file], files_total: 1, ..Patch::default() },
    }
}
