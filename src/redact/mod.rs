//! Redaction: removes secrets from all text for a prompt, a log or the store.
//!
//! Every stage is linear in the text: a few passes, and each rule examines a bounded range around its match.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::domain::patch::{Commit, FileChange, LineOrigin};

mod keyblock;
mod reference;
mod secrets;
mod sensitive_names;
pub mod sensitive_values;
mod string_concat;

use secrets::SecretMatch;

/// A secret that is shorter, or has no digit, is not searched elsewhere: it could be an ordinary word.
const SPREAD_FROM: usize = 8;
/// Maximum passes: a replacement can join text that was apart; a text without secrets needs one.
const PASSES: usize = 4;
/// Minimum length of any match in bytes.
const SHORTEST: usize = 6;
/// Maximum distinct secrets that are searched elsewhere.
const SPREAD_MOST: usize = 200;

/// `text` with each secret replaced by `[redacted:<kind>]`.
///
/// A secret found once is replaced wherever else it occurs.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut clean = text.to_owned();
    for _ in 0..PASSES {
        let mut secrets = BTreeSet::new();
        clean = replace(&clean, find_in_text(&clean), &mut secrets);
        if secrets.is_empty() {
            break;
        }
        if let Some(spread) = spread(&secrets) {
            clean = redact_repeats(&spread, &clean);
        }
    }
    clean
}

/// Redacts a commit: message, people, branch, paths, hunk headers and lines. Secrets are also found across lines, hunks
/// and both sides of the patch.
#[must_use]
pub fn redact_commit(mut commit: Commit) -> Commit {
    let mut fresh = RescanScope::Everything;
    for _ in 0..PASSES {
        let mut secrets = BTreeSet::new();
        fresh = pass(&mut commit, &fresh, &mut secrets);
        if secrets.is_empty() {
            break;
        }
    }
    // A redaction marker there would be shared by many changes.
    commit.change_id = commit.change_id.filter(|id| redact(id) == *id);
    commit
}

/// The parts of the patch not scanned in their current form.
enum RescanScope {
    Everything,
    /// For each file and line whether it has changed since.
    Lines(Vec<Vec<bool>>),
}

impl RescanScope {
    /// The ranges of a file's lines to scan.
    fn stretches(&self, file: usize, lines: &[(LineOrigin, &str)]) -> Vec<Range<usize>> {
        match self {
            Self::Everything => std::iter::once(0..lines.len()).collect(),
            Self::Lines(files) => files.get(file).map_or_else(Vec::new, |changed| around(changed, lines)),
        }
    }
}

fn pass(commit: &mut Commit, fresh: &RescanScope, secrets: &mut BTreeSet<String>) -> RescanScope {
    let files = commit.patch.files.iter_mut().enumerate();
    let mut changed: Vec<Vec<bool>> = files.map(|(at, file)| redact_lines(file, at, fresh, secrets)).collect();
    each_text(commit, &mut |text| {
        let found = find_in_text(text);
        if !found.is_empty() {
            *text = replace(text, found, secrets);
        }
    });
    if let Some(spread) = spread(secrets) {
        let again = |text: &mut String| {
            let is = spread.is_match(text.as_str());
            if is {
                *text = redact_repeats(&spread, text);
            }
            is
        };
        each_text(commit, &mut |text| {
            again(text);
        });
        for (file, changed) in commit.patch.files.iter_mut().zip(&mut changed) {
            let lines = file.hunks.iter_mut().flat_map(|hunk| &mut hunk.lines);
            lines.zip(changed).for_each(|(line, changed)| *changed |= again(&mut line.text));
        }
    }
    RescanScope::Lines(changed)
}

const ELSEWHERE: &str = "[redacted:secret]";

fn redact_repeats(spread: &AhoCorasick, text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    spread.replace_all_with(text, &mut clean, |_, _, clean| {
        clean.push_str(ELSEWHERE);
        true
    });
    clean
}

/// Every text of a commit except its lines.
fn each_text(commit: &mut Commit, change: &mut dyn FnMut(&mut String)) {
    change(&mut commit.message);
    change(&mut commit.author);
    change(&mut commit.author_email);
    commit.branch.iter_mut().for_each(&mut *change);
    for file in &mut commit.patch.files {
        change(&mut file.path);
        file.old_path.iter_mut().for_each(&mut *change);
        file.hunks.iter_mut().for_each(|hunk| change(&mut hunk.header));
    }
}

/// Scans one text, with key blocks as one range.
fn find_in_text(text: &str) -> Vec<SecretMatch> {
    if text.len() < SHORTEST {
        return Vec::new();
    }
    let mut found = secrets::find(text);
    found.extend(string_concat::find(text));
    let joined = JoinedLines::of(text.split('\n'));
    let mut blocks: Vec<SecretMatch> = joined.key_blocks(text);
    blocks.sort_by_key(|found| found.range.start);
    for block in blocks {
        match found.last_mut() {
            Some(last) if last.kind == keyblock::KIND && last.range.end + 1 >= block.range.start => {
                last.range.end = last.range.end.max(block.range.end);
            }
            _ => found.push(block),
        }
    }
    found
}

/// Lines joined to one text, with the offset of each.
struct JoinedLines {
    text: String,
    starts: Vec<usize>,
}

impl JoinedLines {
    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut joined = Self { text: String::new(), starts: Vec::new() };
        for line in lines {
            if !joined.starts.is_empty() {
                joined.text.push('\n');
            }
            joined.starts.push(joined.text.len());
            joined.text.push_str(line);
        }
        joined
    }

    fn key_blocks(&self, text: &str) -> Vec<SecretMatch> {
        let lines: Vec<&str> = text.split('\n').collect();
        let place = |(line, part): (usize, Range<usize>)| {
            let start = self.starts[line];
            SecretMatch { range: start + part.start..start + part.end, kind: keyblock::KIND }
        };
        keyblock::find(&lines).into_iter().map(place).collect()
    }

    /// Splits a match at line ends: (line, part of it).
    fn split(&self, found: &SecretMatch) -> Vec<(usize, SecretMatch)> {
        let first = self.starts.partition_point(|start| *start <= found.range.start).saturating_sub(1);
        let mut parts = Vec::new();
        for (at, start) in self.starts.iter().enumerate().skip(first) {
            if *start >= found.range.end {
                break;
            }
            let end = self.starts.get(at + 1).map_or(self.text.len(), |next| next - 1);
            let (from, to) = (found.range.start.max(*start), found.range.end.min(end));
            if from < to {
                parts.push((at, SecretMatch { range: from - start..to - start, kind: found.kind }));
            }
        }
        parts
    }
}

/// The lines of a file as one text, complete and per side: a secret may be whole on one side only. Reports for each
/// line whether it was changed.
fn redact_lines(file: &mut FileChange, at: usize, fresh: &RescanScope, secrets: &mut BTreeSet<String>) -> Vec<bool> {
    let lines: Vec<(LineOrigin, &str)> =
        file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| (line.origin, line.text.as_str())).collect();
    let stretches = fresh.stretches(at, &lines);
    let mut changed = vec![false; lines.len()];
    if stretches.is_empty() {
        return changed;
    }
    let mut parts: Vec<Vec<SecretMatch>> = vec![Vec::new(); lines.len()];
    let keys = lines.iter().any(|(_, line)| keyblock::hints(line));
    for stretch in stretches {
        search_sides(&lines[stretch.clone()], &mut parts[stretch], keys);
    }
    if keys {
        // Only one end of a block may have changed.
        sides(&lines).into_iter().for_each(|side| search_keys(&lines, &side, &mut parts));
    }
    let targets = file.hunks.iter_mut().flat_map(|hunk| &mut hunk.lines).zip(&mut changed);
    for ((line, changed), found) in targets.zip(parts).filter(|(_, found)| !found.is_empty()) {
        line.text = replace(&line.text, found, secrets);
        *changed = true;
    }
    changed
}

/// All lines, and those of each side with only part of them.
fn sides(lines: &[(LineOrigin, &str)]) -> Vec<Vec<usize>> {
    let without = |hidden| (0..lines.len()).filter(|at| lines[*at].0 != hidden).collect::<Vec<_>>();
    let mut sides = vec![(0..lines.len()).collect::<Vec<_>>()];
    sides.extend(
        [LineOrigin::Removed, LineOrigin::Added].map(without).into_iter().filter(|side| side.len() < lines.len()),
    );
    sides
}

fn search_sides(lines: &[(LineOrigin, &str)], parts: &mut [Vec<SecretMatch>], whole: bool) {
    for (n, side) in sides(lines).into_iter().enumerate() {
        if n == 0 || whole {
            search(lines, &side.into_iter().map(Some).collect::<Vec<_>>(), parts);
        } else {
            search(lines, &around_gaps(&side), parts);
        }
    }
}

/// Bytes on either side of a change that are scanned again: the maximum range of any rule from its prefix.
const AROUND: usize = 16 << 10;

/// The ranges of lines around changed ones.
fn around(changed: &[bool], lines: &[(LineOrigin, &str)]) -> Vec<Range<usize>> {
    let after = |end: &mut usize, (_, text): &(LineOrigin, &str)| {
        let start = *end;
        *end += text.len() + 1;
        Some(start)
    };
    let starts: Vec<usize> = lines.iter().scan(0, after).collect();
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (at, start) in starts.iter().enumerate().filter(|(at, _)| changed.get(*at) == Some(&true)) {
        let from = starts.partition_point(|other| other + AROUND < *start);
        let to = starts.partition_point(|other| *other <= start + lines[at].1.len() + AROUND);
        match stretches.last_mut().filter(|last| from <= last.end) {
            Some(last) => last.end = last.end.max(to),
            None => stretches.push(from..to),
        }
    }
    stretches
}

/// Lines of a side scanned at either edge of its gaps.
const EDGE: usize = 8;

/// The lines around which a side differs from the whole. Only there can it have a secret that the whole does not have.
fn around_gaps(side: &[usize]) -> Vec<Option<usize>> {
    let mut chosen = Vec::new();
    let mut done = 0;
    for at in 1..side.len() {
        if side[at] == side[at - 1] + 1 {
            continue;
        }
        let from = done.max(at.saturating_sub(EDGE));
        if from > done {
            chosen.push(None);
        }
        done = (at + EDGE).min(side.len());
        chosen.extend(side[from..done.max(from)].iter().copied().map(Some));
    }
    chosen
}

/// Scans the chosen lines as one text; `None` separates its neighbours.
fn search(lines: &[(LineOrigin, &str)], chosen: &[Option<usize>], parts: &mut [Vec<SecretMatch>]) {
    let joined = JoinedLines::of(chosen.iter().map(|at| at.map_or("", |at| lines[at].1)));
    let mut found = secrets::find(&joined.text);
    found.extend(string_concat::find(&joined.text));
    for (at, part) in found.iter().flat_map(|found| joined.split(found)) {
        if let Some(line) = chosen[at] {
            parts[line].push(part);
        }
    }
}

fn search_keys(lines: &[(LineOrigin, &str)], chosen: &[usize], parts: &mut [Vec<SecretMatch>]) {
    let texts: Vec<&str> = chosen.iter().map(|at| lines[*at].1).collect();
    for (at, range) in keyblock::find(&texts) {
        parts[chosen[at]].push(SecretMatch { range, kind: keyblock::KIND });
    }
}

/// Replaces the matches; overlapping ones are merged. The secrets themselves go to `secrets`.
fn replace(text: &str, mut found: Vec<SecretMatch>, secrets: &mut BTreeSet<String>) -> String {
    // Of two names for the same range the more specific one: that of the longer prefix (`sk-ant-`, not `sk-`), which
    // was found later.
    found.reverse();
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end), found.kind == secrets::ANY));
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for found in found {
        if found.range.end <= done {
            continue;
        }
        let fresh = found.range.start.max(done)..found.range.end;
        secrets.insert(text[found.range.clone()].to_owned());
        if found.range.start >= done {
            clean.push_str(&text[done..found.range.start]);
            clean.push_str("[redacted:");
            clean.push_str(found.kind);
            clean.push(']');
        }
        done = fresh.end;
    }
    clean.push_str(&text[done..]);
    clean
}

/// Finds the same secrets elsewhere.
fn spread(secrets: &BTreeSet<String>) -> Option<AhoCorasick> {
    let worth = |secret: &&String| {
        let mixed = secret.bytes().any(|b| b.is_ascii_digit()) && secret.bytes().any(|b| b.is_ascii_alphabetic());
        (SPREAD_FROM..=300).contains(&secret.len())
            && mixed
            // Headers are the same in all key blocks.
            && ![ "-----", ": "].iter().any(|part| secret.contains(part))
            && !secret.contains("[redacted")
    };
    let literals: Vec<&String> = secrets.iter().filter(worth).take(SPREAD_MOST).collect();
    if literals.is_empty() {
        return None;
    }
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(literals).ok()
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
