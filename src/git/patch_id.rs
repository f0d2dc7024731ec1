//! Patch id: identifies a patch independently of the commit that carries it.

use git2::{DiffOptions, Repository};

use super::patch::Between;
use crate::domain::id::Oid;
use crate::domain::patch::{Change, FileChange, Patch};

/// Whether the patch id identifies the content. Git's id of a binary or unread file covers only its path: two different
/// pictures would share an id.
#[must_use]
pub fn is_meaningful(patch: &Patch, parents: usize) -> bool {
    let changes_lines = |count: Option<u64>| count.is_some_and(|lines| lines > 0);
    parents < 2
        && !patch.truncated
        && patch.files.iter().all(|file| file.unread.is_none() && !has_header_only(file))
        && (changes_lines(patch.insertions) || changes_lines(patch.deletions))
}

/// A file without lines: an empty one, or a change of mode only. git and libgit2 compute different ids from its headers
/// (3 of 2,236 commits of three real histories).
fn has_header_only(file: &FileChange) -> bool {
    file.change != Change::Renamed && file.insertions == Some(0) && file.deletions == Some(0)
}

/// Equal to `git diff-tree -p | git patch-id --stable`, regardless of configuration.
pub fn of(repo: &Repository, between: Between<'_>) -> Option<String> {
    let tree = |id: &Oid| repo.find_tree(git2::Oid::from_str(id.as_str()).ok()?).ok();
    let old = match between.old {
        Some(id) => Some(tree(id)?),
        None => None,
    };
    let mut options = DiffOptions::new();
    options.context_lines(3).old_prefix("a").new_prefix("b").indent_heuristic(true).force_text(true);
    let diff = repo.diff_tree_to_tree(old.as_ref(), Some(&tree(between.new)?), Some(&mut options)).ok()?;
    diff.patchid(None).ok().map(|id| id.to_string())
}
