//! Tools that move a branch without a line in its log (go-git, isomorphic-git): then the checked-out branch is
//! somewhere that no log knows.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::line::Line;
use super::news::Fresh;
use super::places::Log;
use super::tail::{self, Tail};
use super::{file, fingerprint};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// Ends the name of the position of a worktree's branch.
const TIP: &str = "branch";
/// HEAD and loose references are one line; more than this is none of them (bytes).
const LINE: u64 = 4096;

/// Where the branch is that a worktree has checked out.
#[derive(Debug, PartialEq, Eq)]
struct Tip {
    /// `refs/heads/x`.
    branch: String,
    oid: Oid,
    /// How HEAD and the branch's file look.
    stamps: (String, String),
}

impl Tip {
    /// Absent for a detached or unborn HEAD, and for a branch that is packed: only git packs.
    fn read(common_dir: &Path, git_dir: &Path) -> Option<Self> {
        let head = git_dir.join("HEAD");
        let branch = branch(&head)?;
        let file = loose(common_dir, &branch)?;
        let stamps = (file::look(&head)?.stamp, file::look(&file)?.stamp);
        Some(Self { oid: line(&file)?.parse().ok()?, branch, stamps })
    }

    fn position(&self, log: &Log) -> LogPosition {
        let (head, file) = &self.stamps;
        LogPosition {
            log: name(log),
            identity: format!("{head} {file} {} {}", self.oid, mark(&self.branch)),
            offset: 0,
        }
    }
}

/// Stands for the branch's name, which may be a secret.
fn mark(branch: &str) -> String {
    format!("{:016x}", fingerprint::of(branch.as_bytes()))
}

fn name(head: &Log) -> String {
    head.key().strip_suffix("logs/HEAD").map_or_else(String::new, |place| format!("{place}{TIP}"))
}

fn branch(head: &Path) -> Option<String> {
    Some(line(head)?.strip_prefix("ref:")?.trim().to_owned())
}

/// The file of the branch that a worktree has checked out, whether there or not.
#[must_use]
pub fn checked_out(common_dir: &Path, git_dir: &Path) -> Option<PathBuf> {
    loose(common_dir, &branch(&git_dir.join("HEAD"))?)
}

fn line(path: &Path) -> Option<String> {
    let mut text = String::new();
    file::open(path).ok()?.take(LINE).read_to_string(&mut text).ok()?;
    Some(text.trim_end().to_owned())
}

/// The file of a branch whose name somebody else may have written.
fn loose(common_dir: &Path, branch: &str) -> Option<PathBuf> {
    is_sound(branch).then(|| common_dir.join(branch))
}

/// Whether a branch's name leads to a file below `refs/heads`.
#[must_use]
pub fn is_sound(branch: &str) -> bool {
    branch.starts_with("refs/heads/") && branch.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// Where the checked-out branches are now.
pub fn ends<'a>(common_dir: &'a Path, heads: &'a [Log]) -> impl Iterator<Item = LogPosition> + 'a {
    heads.iter().filter_map(|log| Some(Tip::read(common_dir, &log.git_dir)?.position(log)))
}

/// A branch that is where no log knows; told as a line without message. Nothing but two looks per worktree while
/// nothing changed.
#[must_use]
pub fn read(common_dir: &Path, log: &Log, known: &[LogPosition]) -> Option<(LogPosition, Option<Fresh>)> {
    let name = name(log);
    let was = known.iter().find(|known| known.log == name).map(|known| known.identity.as_str());
    if was.is_some_and(|was| is_same(was, common_dir, log)) {
        return None;
    }
    let tip = Tip::read(common_dir, &log.git_dir)?;
    let position = tip.position(log);
    let was = was.and_then(|was| of_branch(was, &tip.branch));
    let is_known = known.is_empty() || was.as_ref() == Some(&tip.oid) || is_logged(common_dir, log, &tip);
    let fresh = (!is_known).then(|| fresh(common_dir, log, was, tip)).flatten();
    Some((position, fresh))
}

/// Per the looks of the files alone.
fn is_same(was: &str, common_dir: &Path, log: &Log) -> bool {
    let mut parts = was.splitn(4, ' ');
    let (Some(head), Some(file)) = (parts.next(), parts.next()) else { return false };
    let looks = |path: &Path, stamp: &str| file::look(path).is_some_and(|look| look.stamp == stamp);
    let branch = || checked_out(common_dir, &log.git_dir);
    looks(&log.git_dir.join("HEAD"), head) && branch().is_some_and(|path| looks(&path, file))
}

/// Where the same branch was.
fn of_branch(was: &str, branch: &str) -> Option<Oid> {
    let mut parts = was.splitn(4, ' ').skip(2);
    let (oid, name) = (parts.next()?, parts.next()?);
    if name == mark(branch) { oid.parse().ok() } else { None }
}

/// Git writes the logs first: while it is at it they are ahead of the branch, never behind.
fn is_logged(common_dir: &Path, head: &Log, tip: &Tip) -> bool {
    let names = |line: &Line| line.new.as_ref() == Some(&tip.oid) || line.old.as_ref() == Some(&tip.oid);
    [common_dir.join("logs").join(&tip.branch), head.path.clone()]
        .iter()
        .any(|path| tail::last(path, names).is_ok_and(|line| line.is_some()))
}

fn fresh(common_dir: &Path, head: &Log, was: Option<Oid>, tip: Tip) -> Option<Fresh> {
    let file = loose(common_dir, &tip.branch)?;
    let path = common_dir.join("logs").join(&tip.branch);
    let logged = || tail::last(&path, |line| line.new.is_some()).ok().flatten().and_then(|line| line.new);
    // Without either, all its entries may have expired.
    let old = Some(was.or_else(logged)?);
    let line = Line { old, new: Some(tip.oid), at: file::look(&file)?.changed?, message: String::new() };
    let log = Log { name: format!("logs/{}", tip.branch), path, git_dir: head.git_dir.clone(), is_head: false };
    Some(Fresh { log, tail: Tail { lines: vec![line], ..Tail::default() } })
}
