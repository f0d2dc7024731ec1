//! Reflogs of a reftable repository, which only git itself can read: one child process lists all of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::GitError;
use super::child::Git;
use super::reflog::LogUpdates;
use super::reflog::collect::NewLines;
use super::reflog::file;
use super::reflog::line::ReflogLine;
use super::reflog::log_files::{self, ReflogFile};
use super::reflog::reader::LogTail;
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// The position key for all tables.
const ALL: &str = "reftable";
/// Newest entries read of all logs together; the larger number only when these do not reach the known positions.
const FEW: usize = 1_000;
const MANY: usize = 20_000;
/// Number of entries that identify a place in a log: whole seconds and repeated switches alone do not.
const CHAIN: usize = 3;

/// Whether the repository uses the reftable format.
pub fn is_reftable(common_dir: &Path) -> bool {
    common_dir.join("reftable").is_dir()
}

/// The current end position of every log.
pub fn ends(git: &Git, common_dir: &Path) -> Result<Vec<LogPosition>, GitError> {
    let mut positions = vec![LogPosition::at_start(ALL, &stamp(common_dir))];
    positions.extend(logs(git, common_dir, FEW)?.0.iter().map(TableLog::position));
    Ok(positions)
}

/// The new lines of every log; starts no child process while the tables are unchanged.
pub fn read_new_lines(
    git: &Git,
    common_dir: &Path,
    positions: &[LogPosition],
    since: Timestamp,
) -> Result<(Vec<NewLines>, LogUpdates), GitError> {
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let positions: HashMap<&str, &str> =
        positions.iter().map(|position| (position.log.as_str(), position.identity.as_str())).collect();
    let stamp = stamp(common_dir);
    if positions.get(ALL) == Some(&stamp.as_str()) {
        return Ok((Vec::new(), LogUpdates::default()));
    }
    let mut news = LogUpdates { positions: vec![LogPosition::at_start(ALL, &stamp)], ..LogUpdates::default() };
    let (mut tables, is_all) = logs(git, common_dir, FEW)?;
    if !is_all && tables.iter().any(|table| table.find_known_end(&positions).is_none()) {
        tables = logs(git, common_dir, MANY)?.0;
    }
    let mut fresh = Vec::new();
    for table in tables {
        let position = table.position();
        if positions.get(position.log.as_str()) == Some(&position.identity.as_str()) {
            continue;
        }
        news.positions.push(position);
        let is_new = positions.contains_key(ALL) && !positions.contains_key(table.log.key().as_str());
        let begin = match table.find_known_end(&positions) {
            Some(begin) => begin,
            None if is_new => 0,
            None => table.lines.iter().position(|line| line.at >= since).unwrap_or(table.lines.len()),
        };
        let tail = LogTail { lines: table.lines, fresh: begin, ..LogTail::default() };
        fresh.push(NewLines { log: table.log, tail });
    }
    fresh.retain(|fresh| fresh.tail.fresh < fresh.tail.lines.len());
    Ok((fresh, news))
}

/// One log, oldest line first.
#[derive(Debug)]
pub struct TableLog {
    pub log: ReflogFile,
    pub lines: Vec<ReflogLine>,
}

impl TableLog {
    fn position(&self) -> LogPosition {
        LogPosition::at_start(&self.log.key(), &self.identity(self.lines.len()))
    }

    /// Identity of the place before the line with this index: a hash of the preceding lines.
    fn identity(&self, end: usize) -> String {
        let chain = |length: usize| hash(&self.lines[end.saturating_sub(length)..end]);
        format!("{:016x}.{:016x}", chain(CHAIN), chain(1))
    }

    /// The index after the known lines; after an expiry only the last known line may remain.
    fn find_known_end(&self, positions: &HashMap<&str, &str>) -> Option<usize> {
        let identity = positions.get(self.log.key().as_str())?;
        let ends = || (1..=self.lines.len()).rev();
        let last = |identity: &str| identity.rsplit_once('.').map(|(_, last)| last.to_owned());
        ends()
            .find(|end| self.identity(*end) == **identity)
            .or_else(|| ends().find(|end| last(&self.identity(*end)) == last(identity)))
    }
}

fn hash(lines: &[ReflogLine]) -> u64 {
    let text: String = lines
        .iter()
        .map(|line| format!("{} {} {}\n", line.new.as_ref().map_or("", Oid::as_str), line.at.as_second(), line.message))
        .collect();
    file::hash_bytes(text.as_bytes())
}

/// File stamp that changes whenever a table is written, in any worktree.
fn stamp(common_dir: &Path) -> String {
    let mut lists = vec![common_dir.to_owned()];
    lists.extend(log_files::worktrees(common_dir));
    let text: Vec<u8> = lists
        .into_iter()
        .flat_map(|git_dir| std::fs::read(git_dir.join("reftable/tables.list")).unwrap_or_default())
        .collect();
    format!("{:016x}", file::hash_bytes(&text))
}

/// The newest entries of all logs.
pub fn read_all(git: &Git, common_dir: &Path) -> Result<Vec<NewLines>, GitError> {
    let fresh =
        |table: TableLog| NewLines { log: table.log, tail: LogTail { lines: table.lines, ..LogTail::default() } };
    Ok(logs(git, common_dir, MANY)?.0.into_iter().map(fresh).collect())
}

/// The newest entries of all logs, and whether the list is complete.
fn logs(git: &Git, common_dir: &Path, most: usize) -> Result<(Vec<TableLog>, bool), GitError> {
    let count = format!("--max-count={most}");
    let linked: Vec<String> = log_files::worktrees(common_dir)
        .iter()
        .map(|git_dir| format!("worktrees/{}/HEAD", git_dir.file_name().unwrap_or_default().to_string_lossy()))
        .collect();
    let show = |heads: &[&str]| {
        let mut args = vec![
            "log",
            "--walk-reflogs",
            "--no-show-signature",
            "--date=unix",
            "--format=%H%x09%gD%x09%gs",
            &count,
            "--branches",
        ];
        args.extend(heads);
        args.push("--");
        git.run(&args)
    };
    let mut heads = vec!["main-worktree/HEAD"];
    heads.extend(linked.iter().map(String::as_str));
    // Git fails where a HEAD is unborn: then the other logs are read.
    for heads in [&heads[..], &heads[..1], &[]] {
        let output = show(heads)?;
        if output.success {
            let text = String::from_utf8_lossy(&output.stdout);
            return Ok((tables(&text, common_dir), text.lines().count() < most));
        }
    }
    Ok((Vec::new(), true))
}

fn tables(text: &str, common_dir: &Path) -> Vec<TableLog> {
    let mut tables: Vec<TableLog> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    for line in text.lines() {
        let Some((reference, line)) = entry(line) else { continue };
        let index = *at.entry(reference.clone()).or_insert_with(|| {
            tables.push(TableLog { log: log(&reference, common_dir), lines: Vec::new() });
            tables.len() - 1
        });
        tables[index].lines.push(line);
    }
    for table in &mut tables {
        // Newest first: an entry's old commit is the commit of the one after it.
        table.lines.reverse();
        for index in 1..table.lines.len() {
            table.lines[index].old = table.lines[index - 1].new.clone();
        }
    }
    tables
}

/// `<commit>\t<reference>@{<seconds>}\t<message>`.
fn entry(line: &str) -> Option<(String, ReflogLine)> {
    let mut fields = line.splitn(3, '\t');
    let new = fields.next()?.parse().ok()?;
    let (reference, seconds) = fields.next()?.rsplit_once("@{")?;
    let at = Timestamp::from_second(seconds.trim_end_matches('}').parse().ok()?).ok()?;
    let message = fields.next().unwrap_or("").trim_end().to_owned();
    Some((reference.to_owned(), ReflogLine { old: None, new: Some(new), at, message }))
}

fn log(reference: &str, common_dir: &Path) -> ReflogFile {
    let linked = reference.strip_prefix("worktrees/").and_then(|rest| rest.strip_suffix("/HEAD"));
    let is_head = linked.is_some() || reference == "main-worktree/HEAD";
    let git_dir = linked.map_or_else(|| common_dir.to_owned(), |name| common_dir.join("worktrees").join(name));
    let name = match (linked, is_head) {
        (Some(_), _) => format!("reftable/{reference}"),
        (None, true) => "reftable/HEAD".to_owned(),
        (None, false) => format!("reftable/refs/heads/{reference}"),
    };
    ReflogFile { name, path: PathBuf::new(), git_dir, is_head }
}
