//! jj operation log reader: which commits jj made and from what, and which are visible. Only the needed fields of jj's
//! files are parsed (`simple_op_store.proto` of jj 0.30 to 0.45); a file that does not parse is ignored.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::reflog::file;
use super::reflog::{LoggedChange, RefChange};
use super::repo::{Backend, Repo, header};
use super::tree::{EMPTY_TREE, Objects};
use super::{GitError, commit, walk};
use crate::domain::event::LogPosition;
use crate::domain::id::Oid;

/// The position key for jj's operations.
const LOG: &str = "jj/operations";
/// Maximum operations read per call, newest first.
const OPERATIONS: usize = 2_000;
/// Maximum operations checked to separate current heads from those just replaced.
const NEAR: usize = 200;
/// Maximum newly visible commits checked, newest first.
const SHOWN: usize = 10_000;
/// Maximum file size (bytes).
const FILE: u64 = 64 << 20;

/// The directory `.jj/repo` of the jj repository backed by this git directory.
#[must_use]
pub fn repo_dir(common_dir: &Path) -> Option<PathBuf> {
    let dir = match workspace(common_dir) {
        Some(root) => root.join(".jj/repo"),
        None => common_dir.parent().filter(|_| common_dir.ends_with(".git"))?.join(".jj/repo"),
    };
    dir.join("op_heads/heads").is_dir().then_some(dir)
}

/// The work tree around a git directory that jj keeps below `.jj`.
#[must_use]
pub fn workspace(common_dir: &Path) -> Option<PathBuf> {
    let is_inside = common_dir.ends_with(".jj/repo/store/git");
    is_inside.then(|| common_dir.ancestors().nth(4).map(Path::to_owned)).flatten()
}

/// The directory that changes with every operation.
#[must_use]
pub fn heads_dir(common_dir: &Path) -> Option<PathBuf> {
    repo_dir(common_dir).map(|dir| dir.join("op_heads/heads"))
}

/// The git directory behind the nearest `.jj` from `start` upwards, unless a `.git` is as near.
#[must_use]
pub fn discover(start: &Path) -> Option<PathBuf> {
    let start = start.canonicalize().ok()?;
    let found = start.ancestors().find(|dir| dir.join(".git").exists() || dir.join(".jj").is_dir())?;
    if found.join(".git").exists() {
        return None;
    }
    // An additional workspace has a file there that names the main one's directory.
    let repo = named_in(&found.join(".jj/repo")).unwrap_or_else(|| found.join(".jj/repo"));
    let store = repo.join("store");
    let git_dir = named_in(&store.join("git_target")).unwrap_or_else(|| store.join("git"));
    git_dir.canonicalize().ok().filter(|dir| dir.is_dir())
}

/// The path stored in one of jj's files, relative to that file.
fn named_in(file: &Path) -> Option<PathBuf> {
    let text = String::from_utf8(content(file).filter(|bytes| !bytes.is_empty())?).ok()?;
    Some(file.parent()?.join(text.trim_end_matches(['\n', '\r'])))
}

/// The position after all current operations.
#[must_use]
pub fn end(common_dir: &Path) -> Option<LogPosition> {
    let heads = heads(&repo_dir(common_dir)?);
    (!heads.is_empty()).then(|| LogPosition::at_start(LOG, &heads.join(",")))
}

fn heads(dir: &Path) -> Vec<String> {
    let Ok(entries) = dir.join("op_heads/heads").read_dir() else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut heads: Vec<String> = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit())).collect();
    heads.sort();
    if heads.len() > 1 {
        let below = below(dir, &heads);
        heads.retain(|head| !below.contains(head));
    }
    heads
}

/// Ancestors of these operations, as deep as stale heads can be: jj adds a new head before it removes the old one.
fn below(dir: &Path, heads: &[String]) -> HashSet<String> {
    let parents = |id: &String| read_operation(dir, id).map(|operation| operation.parents).unwrap_or_default();
    let mut next: VecDeque<String> = heads.iter().flat_map(parents).collect();
    let mut found = HashSet::new();
    while let Some(id) = next.pop_front().filter(|_| found.len() < NEAR) {
        if !found.contains(&id) {
            next.extend(parents(&id));
            found.insert(id);
        }
    }
    found
}

/// The needed fields of an operation.
#[derive(Debug, Default)]
struct JjOperation {
    view: String,
    parents: Vec<String>,
    predecessors: Vec<(Oid, Vec<Oid>)>,
}

/// The visible heads and the working-copy commits.
#[derive(Debug, Default)]
struct JjView {
    heads: Vec<Oid>,
    working: HashSet<Oid>,
}

/// The length-delimited fields of a protobuf message; `None` for malformed input.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        match key & 7 {
            0 => drop(varint(&mut bytes)?),
            1 => bytes = bytes.get(8..)?,
            5 => bytes = bytes.get(4..)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                found.push((key >> 3, value));
                bytes = rest;
            }
            _ => return None,
        }
    }
    Some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn oid(bytes: &[u8]) -> Option<Oid> {
    hex(bytes).parse().ok()
}

fn operation(bytes: &[u8]) -> Option<JjOperation> {
    let mut operation = JjOperation::default();
    for (number, value) in fields(bytes)? {
        match number {
            1 => operation.view = hex(value),
            2 => operation.parents.push(hex(value)),
            4 => {
                let parts = fields(value)?;
                let of = |wanted: u64| parts.iter().filter(move |(number, _)| *number == wanted);
                let made = of(1).find_map(|(_, value)| oid(value))?;
                operation.predecessors.push((made, of(2).filter_map(|(_, value)| oid(value)).collect()));
            }
            _ => {}
        }
    }
    Some(operation)
}

fn view(bytes: &[u8]) -> Option<JjView> {
    let mut view = JjView::default();
    for (number, value) in fields(bytes)? {
        match number {
            1 => view.heads.extend(oid(value)),
            2 => view.working.extend(oid(value)),
            8 => view.working.extend(fields(value)?.into_iter().filter(|(n, _)| *n == 2).find_map(|(_, v)| oid(v))),
            _ => {}
        }
    }
    Some(view)
}

fn content(path: &Path) -> Option<Vec<u8>> {
    let file = file::open(path).ok()?;
    file::bytes(&file, 0, FILE).ok()
}

fn read_operation(dir: &Path, id: &str) -> Option<JjOperation> {
    operation(&content(&dir.join("op_store/operations").join(id))?)
}

fn read_view(dir: &Path, operation: &JjOperation) -> Option<JjView> {
    view(&content(&dir.join("op_store/views").join(&operation.view))?)
}

/// The visible commits after all of these operations.
fn views(dir: &Path, operations: &[String]) -> JjView {
    let mut all = JjView::default();
    for id in operations {
        if let Some(view) = read_operation(dir, id).and_then(|operation| read_view(dir, &operation)) {
            all.heads.extend(view.heads);
            all.working.extend(view.working);
        }
    }
    all
}

/// The effects of a series of operations.
#[derive(Debug, Default)]
struct OperationEffects {
    /// The predecessors of each commit.
    made: HashMap<Oid, Vec<Oid>>,
    /// The newest known operations that the series starts from.
    before: Vec<String>,
}

/// Collects the operations back to those for which `is_before` holds.
fn collect_effects(dir: &Path, heads: &[String], is_before: impl Fn(&str) -> bool) -> OperationEffects {
    let mut seen: HashSet<String> = HashSet::new();
    let mut next: VecDeque<String> = heads.iter().cloned().collect();
    let (mut effects, mut budget) = (OperationEffects::default(), OPERATIONS);
    while let Some(id) = next.pop_front().filter(|_| budget > 0) {
        if !seen.insert(id.clone()) {
            continue;
        }
        if is_before(&id) {
            effects.before.push(id);
            continue;
        }
        budget -= 1;
        let Some(operation) = read_operation(dir, &id) else { continue };
        next.extend(operation.parents);
        for (commit, predecessors) in operation.predecessors {
            effects.made.entry(commit).or_default().extend(predecessors);
        }
    }
    effects
}

fn done_at(dir: &Path, operation: &str) -> Option<Timestamp> {
    file::identify_file(&dir.join("op_store/operations").join(operation))?.changed
}

/// Changes by jj since the known position, and the new position; `None` for an unchanged one. Without a known position
/// (jj was added later, or discarded those operations) it returns the commits made at or after `since`.
///
/// # Errors
/// When the history cannot be read.
pub fn collect_changes(
    repo: &Repo,
    positions: &[LogPosition],
    since: Timestamp,
) -> Result<Option<(LogPosition, Vec<LoggedChange>)>, GitError> {
    let common_dir = &repo.location().common_dir;
    let (Some(dir), Some(now)) = (repo_dir(common_dir), end(common_dir)) else { return Ok(None) };
    let before = positions.iter().find(|position| position.log == LOG);
    let Backend::LibGit2(library) = &repo.backend else { return Ok(None) };
    if before.is_some_and(|before| before.identity == now.identity) {
        return Ok(None);
    }
    let new: Vec<String> = now.identity.split(',').map(str::to_owned).collect();
    let operations = before.map(|before| before.identity.split(',')).into_iter().flatten();
    let operations: Vec<&str> = operations.filter(|id| read_operation(&dir, id).is_some()).collect();
    let second = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let effects = if operations.is_empty() {
        collect_effects(&dir, &new, |id| done_at(&dir, id).is_some_and(|at| at < second))
    } else {
        collect_effects(&dir, &new, |id| operations.contains(&id))
    };
    let old =
        if operations.is_empty() { effects.before } else { operations.iter().copied().map(str::to_owned).collect() };
    let change = ViewDiff { made: effects.made, old: views(&dir, &old), new: views(&dir, &new) };
    let mut shown = {
        let heads = walk::existing(library, &change.new.heads);
        walk::newest_between(library, &change.old.heads, &heads, SHOWN)?
    };
    if operations.is_empty() {
        // Commits that jj imported from the repository existed before.
        shown.retain(|oid| change.made.contains_key(oid));
    }
    for left in change.old.working.difference(&change.new.working) {
        if !shown.contains(left) && is_visible(repo, left, &change.new.heads)? {
            shown.push(left.clone());
        }
    }
    let at = done_at(&dir, &new[0]).unwrap_or(Timestamp::UNIX_EPOCH);
    let ref_updates = repo.with_objects(|objects| change.ref_changes(repo, objects, &shown))?;
    let entries = ref_updates
        .into_iter()
        .map(|ref_update| LoggedChange { git_dir: common_dir.clone(), at, change: ref_update })
        .collect();
    Ok(Some((now, entries)))
}

/// Whether jj's log shows the commit now; always false in a repository without jj.
///
/// # Errors
/// When the history cannot be read.
pub fn shows_commit(repo: &Repo, oid: &Oid) -> Result<bool, GitError> {
    match repo_dir(&repo.location().common_dir) {
        Some(dir) => is_visible(repo, oid, &views(&dir, &heads(&dir)).heads),
        None => Ok(false),
    }
}

fn is_visible(repo: &Repo, oid: &Oid, heads: &[Oid]) -> Result<bool, GitError> {
    for head in heads {
        if head == oid || repo.is_ancestor(oid, head)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The difference between two states of a jj repository.
struct ViewDiff {
    made: HashMap<Oid, Vec<Oid>>,
    old: JjView,
    new: JjView,
}

impl ViewDiff {
    fn ref_changes(&self, repo: &Repo, objects: &dyn Objects, shown: &[Oid]) -> Result<Vec<RefChange>, GitError> {
        let change_of = |oid: &Oid| header(objects, oid).ok().and_then(|header| header.change_id);
        let changes: HashSet<String> = shown.iter().filter_map(change_of).collect();
        let (mut ref_updates, mut again) = (Vec::new(), Vec::new());
        for oid in shown {
            let Ok(found) = header(objects, oid) else { continue };
            if !is_finished(objects, &found) || self.is_snapshot(objects, oid, &found) {
                continue;
            }
            if !self.made.contains_key(oid) && !self.old.working.contains(oid) {
                again.push(oid.clone());
                continue;
            }
            let mut replaces = Vec::new();
            for old in self.predecessors(oid) {
                let change = change_of(&old);
                let is_same = change.is_some() && change == found.change_id;
                let lives_on = change.is_some_and(|change| changes.contains(&change));
                if is_same || (!lives_on && !is_visible(repo, &old, &self.new.heads)?) {
                    replaces.push(old);
                }
            }
            ref_updates.push(RefChange::Committed { oid: oid.clone(), replaces, step: false });
        }
        if !again.is_empty() {
            ref_updates.push(RefChange::Shown { oids: again });
        }
        Ok(ref_updates)
    }

    /// All transitive predecessors of this commit.
    fn predecessors(&self, oid: &Oid) -> Vec<Oid> {
        let (mut found, mut next) = (Vec::new(), vec![oid]);
        while let Some(made) = next.pop() {
            for old in self.made.get(made).into_iter().flatten() {
                if old != oid && !found.contains(old) {
                    found.push(old.clone());
                    next.push(old);
                }
            }
        }
        found
    }

    /// The described working-copy commit was only rewritten with the current files: it is captured when its description
    /// changes, or when it is left.
    fn is_snapshot(&self, objects: &dyn Objects, oid: &Oid, found: &commit::Header) -> bool {
        let is_alike = |old: &Oid| {
            self.old.working.contains(old)
                && header(objects, old)
                    .is_ok_and(|old| old.message == found.message && old.change_id == found.change_id)
        };
        self.new.working.contains(oid) && self.predecessors(oid).iter().any(is_alike)
    }
}

/// Described and not empty.
fn is_finished(objects: &dyn Objects, found: &commit::Header) -> bool {
    let is_empty = match found.parents.as_slice() {
        [] => found.tree.as_str() == EMPTY_TREE,
        [parent] => header(objects, parent).is_ok_and(|parent| parent.tree == found.tree),
        _ => false,
    };
    !is_empty && !found.message.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_tells_its_view_its_parents_and_what_was_made_of_what() {
        let (made, old) = ([1_u8; 20], [2_u8; 20]);
        let pair = [&[0x0a, 20][..], &made, &[0x12, 20], &old].concat();
        let length = u8::try_from(pair.len()).unwrap();
        let bytes = [&[0x0a, 1, 0xab, 0x12, 1, 0xcd, 0x28, 1, 0x22, length][..], &pair].concat();
        let found = operation(&bytes).unwrap();
        assert_eq!((found.view.as_str(), found.parents), ("ab", vec!["cd".to_owned()]));
        assert_eq!(found.predecessors, [(oid(&made).unwrap(), vec![oid(&old).unwrap()])]);
        assert!(operation(&bytes[..bytes.len() - 1]).is_none(), "cut short");
    }

    #[test]
    fn a_head_that_another_has_replaced_is_none() {
        let top = tempfile::tempdir().unwrap();
        for dir in ["op_heads/heads", "op_store/operations"] {
            std::fs::create_dir_all(top.path().join(dir)).unwrap();
        }
        // `cc` is above `bb`, which is above `aa`; `dd` is concurrent with them.
        for (id, parent) in [("aa", None), ("bb", Some(0xaa)), ("cc", Some(0xbb)), ("dd", Some(0xaa))] {
            let bytes = parent.map_or(vec![], |parent| vec![0x12, 1, parent]);
            std::fs::write(top.path().join("op_store/operations").join(id), bytes).unwrap();
        }
        for (there, expected) in
            [(&["aa", "cc"][..], &["cc"][..]), (&["bb", "cc", "dd"], &["cc", "dd"]), (&["aa"], &["aa"])]
        {
            let dir = top.path().join("op_heads/heads");
            std::fs::remove_dir_all(&dir).unwrap();
            std::fs::create_dir(&dir).unwrap();
            there.iter().for_each(|id| std::fs::write(dir.join(id), "").unwrap());
            assert_eq!(heads(top.path()), expected, "{there:?}");
        }
    }

    #[test]
    fn a_view_tells_heads_and_working_copies() {
        let (head, working) = ([1_u8; 20], [2_u8; 20]);
        let entry = [&[0x0a, 1, b'd', 0x12, 20][..], &working].concat();
        let length = u8::try_from(entry.len()).unwrap();
        let found = view(&[&[0x0a, 20][..], &head, &[0x42, length], &entry].concat()).unwrap();
        assert_eq!(found.heads, [oid(&head).unwrap()]);
        assert!(found.working.contains(&oid(&working).unwrap()));
    }

    #[test]
    fn the_nearest_of_jj_and_git_is_found() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::create_dir_all(root.join("inner/.jj/repo/store/git")).unwrap();
        std::fs::create_dir_all(root.join("inner/src")).unwrap();
        let store = root.join("inner/.jj/repo/store/git");
        assert_eq!(discover(&root.join("inner/src")), Some(store.clone()));
        assert_eq!(discover(&root), None);
        assert_eq!(workspace(&store), Some(root.join("inner")));
    }

    #[test]
    fn a_further_workspace_leads_to_the_first_ones_git_directory() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("first/.git")).unwrap();
        std::fs::create_dir_all(root.join("first/.jj/repo/store")).unwrap();
        std::fs::create_dir_all(root.join("second/.jj")).unwrap();
        std::fs::write(root.join("first/.jj/repo/store/git_target"), "../../../.git").unwrap();
        std::fs::write(root.join("second/.jj/repo"), "../../first/.jj/repo").unwrap();
        assert_eq!(discover(&root.join("second")), Some(root.join("first/.git")));
        std::fs::write(root.join("second/.jj/repo"), root.join("first/.jj/repo").as_os_str().as_encoded_bytes())
            .unwrap();
        assert_eq!(discover(&root.join("second")), Some(root.join("first/.git")));
        std::fs::remove_dir_all(root.join("first")).unwrap();
        assert_eq!(discover(&root.join("second")), None, "its repository is gone");
    }
}
