//! Unlogged branch moves: tools that write no reflog line (go-git, isomorphic-git) leave the checked-out branch at a
//! commit that no log names.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::collect::NewLines;
use super::file;
use super::line::ReflogLine;
use super::log_files::ReflogFile;
use super::reader::{self, LogTail};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Key suffix for the position of a worktree's branch.
const TIP: &str = "branch";
/// Maximum size of HEAD and loose reference files, which hold one line (bytes).
const LINE: u64 = 4096;

/// The tip of the branch that a worktree has checked out.
#[derive(Debug, PartialEq, Eq)]
struct CheckedOutTip {
    /// `refs/heads/x`.
    branch: String,
    oid: Oid,
    /// File identities of HEAD and of the branch's file.
    stamps: (String, String),
}

impl CheckedOutTip {
    /// `None` for a detached or unborn HEAD, and for a packed branch: only git packs references.
    fn load(common_dir: &Path, git_dir: &Path) -> Option<Self> {
        let head = git_dir.join("HEAD");
        let branch = branch(&head)?;
        let file = loose(common_dir, &branch)?;
        let stamps = (file::identify_file(&head)?.stamp, file::identify_file(&file)?.stamp);
        Some(Self { oid: line(&file)?.parse().ok()?, branch, stamps })
    }

    fn position(&self, log: &ReflogFile) -> LogPosition {
        let (head, file) = &self.stamps;
        LogPosition {
            log: name(log),
            identity: format!("{head} {file} {} {}", self.oid, mark(&self.branch)),
            offset: 0,
        }
    }
}

/// A hash in place of the branch's name, which may be secret.
fn mark(branch: &str) -> String {
    format!("{:016x}", file::hash_bytes(branch.as_bytes()))
}

fn name(head: &ReflogFile) -> String {
    head.key().strip_suffix("logs/HEAD").map_or_else(String::new, |place| format!("{place}{TIP}"))
}

fn branch(head: &Path) -> Option<String> {
    Some(line(head)?.strip_prefix("ref:")?.trim().to_owned())
}

/// The path of the checked-out branch's file, whether it exists or not.
#[must_use]
pub fn checked_out(common_dir: &Path, git_dir: &Path) -> Option<PathBuf> {
    loose(common_dir, &branch(&git_dir.join("HEAD"))?)
}

fn line(path: &Path) -> Option<String> {
    let mut text = String::new();
    file::open(path).ok()?.take(LINE).read_to_string(&mut text).ok()?;
    Some(text.trim_end().to_owned())
}

/// The file of a branch. The branch name is untrusted input.
fn loose(common_dir: &Path, branch: &str) -> Option<PathBuf> {
    is_sound(branch).then(|| common_dir.join(branch))
}

/// Whether a branch name resolves to a path below `refs/heads`.
#[must_use]
pub fn is_sound(branch: &str) -> bool {
    branch.starts_with("refs/heads/") && branch.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// The current positions of the checked-out branches.
pub fn ends<'a>(common_dir: &'a Path, heads: &'a [ReflogFile]) -> impl Iterator<Item = LogPosition> + 'a {
    heads.iter().filter_map(|log| Some(CheckedOutTip::load(common_dir, &log.git_dir)?.position(log)))
}

/// A branch at a commit that no log names, reported as a line without message. Costs two `stat` calls per worktree
/// while nothing changes.
#[must_use]
pub fn read_unlogged(
    common_dir: &Path,
    log: &ReflogFile,
    positions: &[LogPosition],
) -> Option<(LogPosition, Option<NewLines>)> {
    let name = name(log);
    let earlier = positions.iter().find(|position| position.log == name).map(|position| position.identity.as_str());
    if earlier.is_some_and(|earlier| is_same(earlier, common_dir, log)) {
        return None;
    }
    let tip = CheckedOutTip::load(common_dir, &log.git_dir)?;
    let position = tip.position(log);
    let earlier = earlier.and_then(|earlier| of_branch(earlier, &tip.branch));
    let is_known = positions.is_empty() || earlier.as_ref() == Some(&tip.oid) || is_logged(common_dir, log, &tip);
    let fresh = (!is_known).then(|| fresh(common_dir, log, earlier, tip)).flatten();
    Some((position, fresh))
}

/// By file metadata alone.
fn is_same(earlier: &str, common_dir: &Path, log: &ReflogFile) -> bool {
    let mut parts = earlier.splitn(4, ' ');
    let (Some(head), Some(file)) = (parts.next(), parts.next()) else { return false };
    let looks = |path: &Path, stamp: &str| file::identify_file(path).is_some_and(|look| look.stamp == stamp);
    let branch = || checked_out(common_dir, &log.git_dir);
    looks(&log.git_dir.join("HEAD"), head) && branch().is_some_and(|path| looks(&path, file))
}

/// The previous commit of the same branch.
fn of_branch(earlier: &str, branch: &str) -> Option<Oid> {
    let mut parts = earlier.splitn(4, ' ').skip(2);
    let (oid, name) = (parts.next()?, parts.next()?);
    if name == mark(branch) { oid.parse().ok() } else { None }
}

/// Git writes the logs before the reference: during an update they are ahead of the branch, never behind.
fn is_logged(common_dir: &Path, head: &ReflogFile, tip: &CheckedOutTip) -> bool {
    let names = |line: &ReflogLine| line.new.as_ref() == Some(&tip.oid) || line.old.as_ref() == Some(&tip.oid);
    [common_dir.join("logs").join(&tip.branch), head.path.clone()]
        .iter()
        .any(|path| reader::last(path, names).is_ok_and(|line| line.is_some()))
}

fn fresh(common_dir: &Path, head: &ReflogFile, earlier: Option<Oid>, tip: CheckedOutTip) -> Option<NewLines> {
    let file = loose(common_dir, &tip.branch)?;
    let path = common_dir.join("logs").join(&tip.branch);
    let logged = || reader::last(&path, |line| line.new.is_some()).ok().flatten().and_then(|line| line.new);
    // Without either, the log's entries may all have expired.
    let old = Some(earlier.or_else(logged)?);
    let line = ReflogLine { old, new: Some(tip.oid), at: file::identify_file(&file)?.changed?, message: String::new() };
    let log = ReflogFile { name: format!("logs/{}", tip.branch), path, git_dir: head.git_dir.clone(), is_head: false };
    Some(NewLines { log, tail: LogTail { lines: vec![line], ..LogTail::default() } })
}
