//! Tail reader: the lines of one log after a known position.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::file::{self, BackwardLines, FileIdentity};
use super::line::ReflogLine;
use crate::domain::event::LogPosition;

/// Maximum new lines read of one log per call (bytes).
const AT_ONCE: u64 = 1 << 20;
/// Maximum length of an incomplete line before it is skipped (bytes).
const LINE: u64 = 16 << 20;
/// Known lines before the position that are re-read as context (bytes).
const CONTEXT: u64 = 4 << 10;
/// Maximum distance of a backward search (bytes).
const SEARCHED: u64 = 64 << 20;
/// Length of the line end that is hashed to identify a line (bytes).
const TELLING: usize = 1 << 10;
/// This many lines in a row older than the requested time end the search: clocks are skewed and dates can be set.
const DISORDER: usize = 200;
/// A line is clearly older when it precedes the requested time by more than this.
const SKEW: SignedDuration = SignedDuration::from_hours(24);
/// The identity of a missing log.
pub const ABSENT: &str = "absent";
/// The position of a repository without logs: its branch tips.
pub const TIP: &str = "tip";
/// Suffix of the identity of a log that is being re-read: its older entries are not new.
const ANEW: &str = ":anew";

/// The lines read from a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// Known lines followed by new ones from index `fresh` on.
    pub lines: Vec<ReflogLine>,
    pub fresh: usize,
    /// Start offset of the new lines (bytes).
    pub begin: u64,
    /// `None` when nothing changed.
    pub position: Option<LogPosition>,
    pub more: bool,
}

/// The current end position of a log. A missing log has a position too, so that a later one is new as a whole.
///
/// # Errors
/// When the log exists and cannot be read.
pub fn end_position(path: &Path, name: &str) -> std::io::Result<LogPosition> {
    let Some(look) = file::identify_file(path) else { return Ok(LogPosition::at_start(name, ABSENT)) };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    position(&file, name, &look, end, false)
}

/// Reads the lines after the position in `known`, also under a previous name. A log without position is new as a whole
/// when it was created after `since`, else from `since` on.
///
/// # Errors
/// When the log exists and cannot be read.
pub fn read_new_lines(
    path: &Path,
    name: &str,
    positions: &[LogPosition],
    since: Timestamp,
) -> std::io::Result<LogTail> {
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let own = positions.iter().find(|position| position.log == name);
    let Some(look) = file::identify_file(path) else {
        let deleted = own.filter(|position| position.identity != ABSENT).map(|_| LogPosition::at_start(name, ABSENT));
        return Ok(LogTail { position: deleted, ..LogTail::default() });
    };
    if own.is_some_and(|position| position.offset == look.size && is_same(&position.identity, &look)) {
        return Ok(LogTail::default());
    }
    let file = file::open(path)?;
    let start = match own.map_or_else(|| find_renamed(&file, &look, positions), |own| Ok(Some(own)))? {
        Some(position) => start_after(&file, &look, position, since)?,
        None if is_young(&look, positions, since) => ReadStart { offset: 0, since: None },
        None => start_from_time(&file, look.size, since)?,
    };
    let mut tail = read_forward(&file, name, &look, start)?;
    tail.position.take_if(|position| own == Some(position));
    Ok(tail)
}

/// The position of the same file under another name: renaming a branch moves its log.
fn find_renamed<'a>(
    file: &File,
    look: &FileIdentity,
    positions: &'a [LogPosition],
) -> std::io::Result<Option<&'a LogPosition>> {
    let inode = look.stamp.rsplit_once(':').map_or("", |(inode, _)| inode);
    let mut same = positions.iter().filter(|position| position.offset > 0 && position.offset <= look.size);
    let Some(found) =
        same.find(|position| position.identity.strip_prefix(inode).is_some_and(|rest| rest.starts_with(':')))
    else {
        return Ok(None);
    };
    let is_same = hash_before(file, found.offset)? == hash_in(plain(&found.identity));
    Ok(Some(found).filter(|_| is_same))
}

fn is_same(identity: &str, look: &FileIdentity) -> bool {
    !identity.ends_with(ANEW) && identity.rsplit_once(':').is_some_and(|(stamp, _)| stamp == look.stamp)
}

/// Start offset, and the time from which lines count as new.
#[derive(Debug, Clone, Copy)]
struct ReadStart {
    offset: u64,
    since: Option<Timestamp>,
}

/// Whether a log without position was created after all known positions and so is new as a whole.
fn is_young(look: &FileIdentity, positions: &[LogPosition], since: Timestamp) -> bool {
    let had_no_logs = positions.iter().any(|position| position.log == TIP);
    had_no_logs || look.created.is_some_and(|created| created >= since)
}

fn start_after(
    file: &File,
    look: &FileIdentity,
    position: &LogPosition,
    since: Timestamp,
) -> std::io::Result<ReadStart> {
    let since_then = position.identity.ends_with(ANEW).then_some(since);
    if position.offset == 0 {
        return Ok(ReadStart { offset: 0, since: since_then });
    }
    let wanted = hash_in(plain(&position.identity));
    if position.offset <= look.size && hash_before(file, position.offset)? == wanted {
        return Ok(ReadStart { offset: position.offset, since: since_then });
    }
    // gc and `reflog expire` rewrite the log into a new file: the last known line is located in it again.
    let end = last_line_end(file, look.size)?;
    let again = BackwardLines::from(file, end, SEARCHED).find(|(_, line)| Some(hash(line)) == wanted);
    match again {
        Some((at, line)) => Ok(ReadStart { offset: at + line.len() as u64 + 1, since: since_then }),
        None => start_from_time(file, look.size, since),
    }
}

/// The offset of the first line that is not clearly older than `since`.
fn start_from_time(file: &File, size: u64, since: Timestamp) -> std::io::Result<ReadStart> {
    let end = last_line_end(file, size)?;
    let offset = not_older(file, end, since).last().map_or(end, |(at, _)| at);
    Ok(ReadStart { offset, since: Some(since) })
}

/// Lines from the end backwards until many in a row are clearly older than `since`; those are excluded.
fn not_older(file: &File, end: u64, since: Timestamp) -> impl Iterator<Item = (u64, ReflogLine)> {
    let earliest = since.checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    let mut older = 0;
    BackwardLines::from(file, end, SEARCHED).filter_map(|(at, line)| Some((at, ReflogLine::parse(&line)?))).take_while(
        move |(_, line)| {
            older = if line.at < earliest { older + 1 } else { 0 };
            older <= DISORDER
        },
    )
}

/// The lines at or after `since`, oldest first, as far as a bounded search finds them.
///
/// # Errors
/// When the log exists and cannot be read.
pub fn read_since(path: &Path, since: Timestamp) -> std::io::Result<Vec<ReflogLine>> {
    // A log not modified since then has no such lines.
    let is_young = |look: &FileIdentity| look.changed.is_none_or(|changed| changed >= since);
    let Some(look) = file::identify_file(path).filter(is_young) else { return Ok(Vec::new()) };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    let mut lines: Vec<ReflogLine> = not_older(&file, end, since).map(|(_, line)| line).collect();
    lines.reverse();
    Ok(lines)
}

fn read_forward(file: &File, name: &str, look: &FileIdentity, start: ReadStart) -> std::io::Result<LogTail> {
    let (chunk, more) = whole_lines(file, start.offset)?;
    let end = start.offset + chunk.len() as u64;
    let mut lines = context(file, start.offset, CONTEXT)?;
    let fresh = lines.len();
    let new: Vec<ReflogLine> = chunk.split(|byte| *byte == b'\n').filter_map(ReflogLine::parse).collect();
    // Copying a branch copies its log: earlier lines were reported for the original.
    let copied = new.iter().rposition(|line| line.message.starts_with("Branch: copied ")).map_or(0, |at| at + 1);
    lines.extend(new.into_iter().skip(copied).filter(|line| start.since.is_none_or(|since| line.at >= since)));
    let position = position(file, name, look, end, more && start.since.is_some())?;
    Ok(LogTail { lines, fresh, begin: start.offset, position: Some(position), more })
}

/// Complete lines from `from` on, up to the limit per call but at least one, and whether more follow; an incomplete
/// line is not returned.
fn whole_lines(file: &File, from: u64) -> std::io::Result<(Vec<u8>, bool)> {
    let mut wanted = AT_ONCE;
    loop {
        let mut chunk = file::bytes(file, from, from + wanted)?;
        let newline = chunk.iter().rposition(|byte| *byte == b'\n');
        let is_all = (chunk.len() as u64) < wanted;
        match newline {
            Some(newline) => chunk.truncate(newline + 1),
            None if is_all => chunk.clear(),
            None if wanted < LINE => {
                wanted *= 4;
                continue;
            }
            None => {}
        }
        return Ok((chunk, !is_all));
    }
}

/// The known lines shortly before an offset.
fn context(file: &File, offset: u64, length: u64) -> std::io::Result<Vec<ReflogLine>> {
    let from = offset.saturating_sub(length);
    let bytes = file::bytes(file, from, offset)?;
    let first =
        if from == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1) };
    Ok(bytes[first..].split(|byte| *byte == b'\n').filter_map(ReflogLine::parse).collect())
}

/// Extends the context backwards, for a rebase that began before the loaded lines.
///
/// # Errors
/// When the log cannot be read.
pub fn extend_context(path: &Path, tail: &mut LogTail) -> std::io::Result<()> {
    let mut lines = context(&file::open(path)?, tail.begin, AT_ONCE)?;
    let fresh = tail.lines.split_off(tail.fresh);
    tail.fresh = lines.len();
    lines.extend(fresh);
    tail.lines = lines;
    Ok(())
}

/// The given lines that a log contains, as far as a bounded search finds them.
///
/// # Errors
/// When the log exists and cannot be read.
pub fn find<'a>(path: &Path, lines: &HashSet<&'a ReflogLine>) -> std::io::Result<Vec<&'a ReflogLine>> {
    let (Some(look), Some(first)) = (file::identify_file(path), lines.iter().map(|line| line.at).min()) else {
        return Ok(Vec::new());
    };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    Ok(not_older(&file, end, first).filter_map(|(_, line)| lines.get(&line).copied()).take(lines.len()).collect())
}

/// The last line that satisfies the predicate, within a short distance from the end.
///
/// # Errors
/// When the log cannot be read.
pub fn last(path: &Path, is_it: impl FnMut(&ReflogLine) -> bool) -> std::io::Result<Option<ReflogLine>> {
    let Some(look) = file::identify_file(path) else { return Ok(None) };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    Ok(BackwardLines::from(&file, end, AT_ONCE).filter_map(|(_, line)| ReflogLine::parse(&line)).find(is_it))
}

fn last_line_end(file: &File, size: u64) -> std::io::Result<u64> {
    let mut to = size;
    while to > 0 {
        let from = to.saturating_sub(CONTEXT);
        let bytes = file::bytes(file, from, to)?;
        if let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + newline as u64 + 1);
        }
        to = from;
    }
    Ok(0)
}

fn position(file: &File, name: &str, look: &FileIdentity, offset: u64, is_anew: bool) -> std::io::Result<LogPosition> {
    let hash = hash_before(file, offset)?.unwrap_or(0);
    let anew = if is_anew { ANEW } else { "" };
    Ok(LogPosition { log: name.to_owned(), identity: format!("{}:{hash:016x}{anew}", look.stamp), offset })
}

fn plain(identity: &str) -> &str {
    identity.strip_suffix(ANEW).unwrap_or(identity)
}

fn hash_in(identity: &str) -> Option<u64> {
    u64::from_str_radix(identity.rsplit_once(':')?.1, 16).ok()
}

/// Hash of the line that ends at `offset`; `None` when no line ends there.
fn hash_before(file: &File, offset: u64) -> std::io::Result<Option<u64>> {
    let bytes = file::bytes(file, offset.saturating_sub(TELLING as u64 + 1), offset)?;
    let Some(body) = bytes.strip_suffix(b"\n") else { return Ok(None) };
    let line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or(body);
    Ok(Some(hash(line)))
}

/// Hash of the end of a line. Rewriting a log (gc, expiry) adds a tab to lines without message, so it is ignored.
fn hash(line: &[u8]) -> u64 {
    let line = line.strip_suffix(b"\t").unwrap_or(line);
    file::hash_bytes(&line[line.len().saturating_sub(TELLING)..])
}
