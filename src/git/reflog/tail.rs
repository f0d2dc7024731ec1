//! What one log tells beyond a position.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::file::{self, Backward, Look};
use super::fingerprint;
use super::line::Line;
use crate::domain::event::LogPosition;

/// New lines that are read of one log at once (bytes).
const AT_ONCE: u64 = 1 << 20;
/// A line longer than this is not waited for (bytes).
const LINE: u64 = 16 << 20;
/// Known lines before the position that are read along: they tell what came before (bytes).
const CONTEXT: u64 = 4 << 10;
/// How far back a log is searched (bytes).
const SEARCHED: u64 = 64 << 20;
/// Of a line this much tells it from others, its end (bytes).
const TELLING: usize = 1 << 10;
/// So many lines in a row that are older than what is asked for end the search: clocks are skewed and dates are set.
const DISORDER: usize = 200;
/// Older than what is asked for by this much is clearly older.
const SKEW: SignedDuration = SignedDuration::from_hours(24);
/// The identity of a log that is not there.
pub const ABSENT: &str = "absent";
/// The position of a repository that kept no logs: where its branches were.
pub const TIP: &str = "tip";
/// Ends the identity of a log that is being read anew: older entries in it are not news.
const ANEW: &str = ":anew";

/// What was read of a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Known lines and then, from `fresh` on, new ones.
    pub lines: Vec<Line>,
    pub fresh: usize,
    /// Where the new lines begin (bytes).
    pub begin: u64,
    /// Absent when nothing changed.
    pub position: Option<LogPosition>,
    pub more: bool,
}

/// Where a log ends now; absent logs have a position too, so that all of a later one is news.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn end(path: &Path, name: &str) -> std::io::Result<LogPosition> {
    let Some(look) = file::look(path) else { return Ok(absent(name)) };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    position(&file, name, &look, end, false)
}

/// Reads what is new beyond the position that `known` has for it, perhaps under a name it had before. A log without
/// one is news as a whole when it was created after `since`; another one from `since` on.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn read(path: &Path, name: &str, known: &[LogPosition], since: Timestamp) -> std::io::Result<Tail> {
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let own = known.iter().find(|known| known.log == name);
    let Some(look) = file::look(path) else {
        let gone = own.filter(|known| known.identity != ABSENT).map(|_| absent(name));
        return Ok(Tail { position: gone, ..Tail::default() });
    };
    if own.is_some_and(|known| known.offset == look.size && is_same(&known.identity, &look)) {
        return Ok(Tail::default());
    }
    let file = file::open(path)?;
    let start = match own.map_or_else(|| renamed(&file, &look, known), |own| Ok(Some(own)))? {
        Some(known) => after(&file, &look, known, since)?,
        None if is_young(&look, known, since) => Start { offset: 0, since: None },
        None => anew(&file, look.size, since)?,
    };
    let mut tail = forward(&file, name, &look, start)?;
    tail.position.take_if(|position| own == Some(position));
    Ok(tail)
}

/// The position of the same file under another name: renaming a branch moves its log.
fn renamed<'a>(file: &File, look: &Look, known: &'a [LogPosition]) -> std::io::Result<Option<&'a LogPosition>> {
    let inode = look.stamp.rsplit_once(':').map_or("", |(inode, _)| inode);
    let mut same = known.iter().filter(|known| known.offset > 0 && known.offset <= look.size);
    let Some(found) = same.find(|known| known.identity.strip_prefix(inode).is_some_and(|rest| rest.starts_with(':')))
    else {
        return Ok(None);
    };
    let is_same = hash_before(file, found.offset)? == hash_in(plain(&found.identity));
    Ok(Some(found).filter(|_| is_same))
}

fn absent(name: &str) -> LogPosition {
    LogPosition { log: name.to_owned(), identity: ABSENT.to_owned(), offset: 0 }
}

fn is_same(identity: &str, look: &Look) -> bool {
    !identity.ends_with(ANEW) && identity.rsplit_once(':').is_some_and(|(stamp, _)| stamp == look.stamp)
}

/// Where reading begins, and from which time on what is read is news.
#[derive(Debug, Clone, Copy)]
struct Start {
    offset: u64,
    since: Option<Timestamp>,
}

/// A log without position is news as a whole when it came into being after all the positions.
fn is_young(look: &Look, known: &[LogPosition], since: Timestamp) -> bool {
    let had_no_logs = known.iter().any(|known| known.log == TIP);
    had_no_logs || look.created.is_some_and(|created| created >= since)
}

fn after(file: &File, look: &Look, known: &LogPosition, since: Timestamp) -> std::io::Result<Start> {
    let since_then = known.identity.ends_with(ANEW).then_some(since);
    if known.offset == 0 {
        return Ok(Start { offset: 0, since: since_then });
    }
    let wanted = hash_in(plain(&known.identity));
    if known.offset <= look.size && hash_before(file, known.offset)? == wanted {
        return Ok(Start { offset: known.offset, since: since_then });
    }
    // gc and `reflog expire` write what is left into a new file: the line that was read last is found again in it.
    let end = last_line_end(file, look.size)?;
    let again = Backward::from(file, end, SEARCHED).find(|(_, line)| Some(hash(line)) == wanted);
    match again {
        Some((at, line)) => Ok(Start { offset: at + line.len() as u64 + 1, since: since_then }),
        None => anew(file, look.size, since),
    }
}

/// Before the first line that is not clearly older than `since`.
fn anew(file: &File, size: u64, since: Timestamp) -> std::io::Result<Start> {
    let end = last_line_end(file, size)?;
    let offset = not_older(file, end, since).last().map_or(end, |(at, _)| at);
    Ok(Start { offset, since: Some(since) })
}

/// Lines from the end backwards until many in a row are clearly older than `since`; those are left out.
fn not_older(file: &File, end: u64, since: Timestamp) -> impl Iterator<Item = (u64, Line)> {
    let earliest = since.checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    let mut older = 0;
    Backward::from(file, end, SEARCHED).filter_map(|(at, line)| Some((at, Line::parse(&line)?))).take_while(
        move |(_, line)| {
            older = if line.at < earliest { older + 1 } else { 0 };
            older <= DISORDER
        },
    )
}

/// The lines at or after `since`, oldest first, as far as a bounded search finds them.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn since(path: &Path, since: Timestamp) -> std::io::Result<Vec<Line>> {
    // A log that was not written since then has nothing for it.
    let is_young = |look: &Look| look.changed.is_none_or(|changed| changed >= since);
    let Some(look) = file::look(path).filter(is_young) else { return Ok(Vec::new()) };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    let mut lines: Vec<Line> = not_older(&file, end, since).map(|(_, line)| line).collect();
    lines.reverse();
    Ok(lines)
}

fn forward(file: &File, name: &str, look: &Look, start: Start) -> std::io::Result<Tail> {
    let (chunk, more) = whole_lines(file, start.offset)?;
    let end = start.offset + chunk.len() as u64;
    let mut lines = context(file, start.offset, CONTEXT)?;
    let fresh = lines.len();
    let new: Vec<Line> = chunk.split(|byte| *byte == b'\n').filter_map(Line::parse).collect();
    // Copying a branch copies its log: what stands before was told there.
    let copied = new.iter().rposition(|line| line.message.starts_with("Branch: copied ")).map_or(0, |at| at + 1);
    lines.extend(new.into_iter().skip(copied).filter(|line| start.since.is_none_or(|since| line.at >= since)));
    let position = position(file, name, look, end, more && start.since.is_some())?;
    Ok(Tail { lines, fresh, begin: start.offset, position: Some(position), more })
}

/// From `from` on whole lines, at most as many as are read at once but at least one, and whether there is more; a
/// half-written one is left.
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
fn context(file: &File, offset: u64, length: u64) -> std::io::Result<Vec<Line>> {
    let from = offset.saturating_sub(length);
    let bytes = file::bytes(file, from, offset)?;
    let first =
        if from == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1) };
    Ok(bytes[first..].split(|byte| *byte == b'\n').filter_map(Line::parse).collect())
}

/// Reads further back: what is told began before the known lines that are at hand.
///
/// # Errors
/// When the log cannot be read.
pub fn look_back(path: &Path, tail: &mut Tail) -> std::io::Result<()> {
    let mut lines = context(&file::open(path)?, tail.begin, AT_ONCE)?;
    let fresh = tail.lines.split_off(tail.fresh);
    tail.fresh = lines.len();
    lines.extend(fresh);
    tail.lines = lines;
    Ok(())
}

/// Which of the lines stand in a log, as far as a bounded search finds them.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn find<'a>(path: &Path, lines: &HashSet<&'a Line>) -> std::io::Result<Vec<&'a Line>> {
    let (Some(look), Some(first)) = (file::look(path), lines.iter().map(|line| line.at).min()) else {
        return Ok(Vec::new());
    };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    Ok(not_older(&file, end, first).filter_map(|(_, line)| lines.get(&line).copied()).take(lines.len()).collect())
}

/// The last line of which something holds, not far from the end.
///
/// # Errors
/// When the log cannot be read.
pub fn last(path: &Path, is_it: impl FnMut(&Line) -> bool) -> std::io::Result<Option<Line>> {
    let Some(look) = file::look(path) else { return Ok(None) };
    let file = file::open(path)?;
    let end = last_line_end(&file, look.size)?;
    Ok(Backward::from(&file, end, AT_ONCE).filter_map(|(_, line)| Line::parse(&line)).find(is_it))
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

fn position(file: &File, name: &str, look: &Look, offset: u64, is_anew: bool) -> std::io::Result<LogPosition> {
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

/// Of the line that ends at `offset`; none when no line ends there.
fn hash_before(file: &File, offset: u64) -> std::io::Result<Option<u64>> {
    let bytes = file::bytes(file, offset.saturating_sub(TELLING as u64 + 1), offset)?;
    let Some(body) = bytes.strip_suffix(b"\n") else { return Ok(None) };
    let line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or(body);
    Ok(Some(hash(line)))
}

/// Of the end of a line. Where a message is missing, rewriting the log (gc, expiry) adds the tab that would precede it.
fn hash(line: &[u8]) -> u64 {
    let line = line.strip_suffix(b"\t").unwrap_or(line);
    fingerprint::of(&line[line.len().saturating_sub(TELLING)..])
}
