//! Name lookup for hallucination checks: whether a repository contains a name at a commit, first among its paths, then
//! in its files, nearest to the change first, within bounds of bytes and time. The answer is yes or not found; nothing
//! read is kept.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use aho_corasick::{AhoCorasick, MatchKind};

use super::repo::{Repo, header};
use super::tree::Objects;
use super::tree::{self, TreeFile};
use super::{GitError, text};
use crate::domain::clock::Clock;
use crate::domain::id::Oid;
use crate::facts::roles::FileRole;

/// Bounds of the search.
pub struct NameSearchBounds<'a> {
    pub clock: &'a dyn Clock,
    pub until: Instant,
    /// Maximum content read (bytes).
    pub bytes: u64,
    /// Paths that are never loaded.
    pub excluded: &'a dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for NameSearchBounds<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NameSearchBounds")
            .field("until", &self.until)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl NameSearchBounds<'_> {
    fn is_over(&self) -> bool {
        self.clock.instant() >= self.until
    }
}

/// Maximum paths checked.
const PATHS: usize = 50_000;
/// Larger files count as data, not code (bytes).
const FILE_BYTES: u64 = 512 << 10;
/// Maximum names searched.
const NAMES: usize = 64;

impl Repo {
    /// The lower-case names that the commit's tree contains or, for removed files, its first parent's: as a path or
    /// part of one, or as a word in a file.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn find_names(
        &self,
        commit: &Oid,
        names: &[String],
        within: &NameSearchBounds<'_>,
    ) -> Result<HashSet<String>, GitError> {
        self.with_objects(|objects| {
            let header = header(objects, commit)?;
            let parent = header.parents.first().and_then(|parent| self::header(objects, parent).ok());
            let changed = tree::diff(objects, parent.as_ref().map(|parent| &parent.tree), Some(&header.tree));
            let changed = changed.map(|deltas| deltas.kept).unwrap_or_default();
            let mut sought = WantedNames::of(names);
            let old = changed.iter().flat_map(|delta| [delta.old.clone(), delta.new.clone()]).flatten();
            let nearest: Vec<TreeFile> = old.take(PATHS).collect();
            nearest.iter().for_each(|side| sought.path(&text::path(&side.path)));
            let far = files(objects, &header.tree, &mut sought, within);
            sought.search_files(objects, &in_order(&nearest, far), within);
            Ok(sought.into_found())
        })
    }
}

/// All files of a tree, within bounds; their paths are checked first.
fn files(objects: &dyn Objects, tree: &Oid, sought: &mut WantedNames, within: &NameSearchBounds<'_>) -> Vec<TreeFile> {
    let mut files = Vec::new();
    tree::each_file(objects, tree, &mut |side| {
        sought.path(&text::path(&side.path));
        files.push(side);
        files.len() < PATHS && !sought.is_done() && !(files.len().is_multiple_of(256) && within.is_over())
    });
    files
}

/// Search order: changed files, their neighbours, code, the rest.
fn in_order(nearest: &[TreeFile], far: Vec<TreeFile>) -> Vec<TreeFile> {
    let folder = |side: &TreeFile| side.path.rsplitn(2, |byte| *byte == b'/').nth(1).unwrap_or_default().to_vec();
    let folders: HashSet<Vec<u8>> = nearest.iter().map(folder).collect();
    let rank = |side: &TreeFile| {
        let role = FileRole::from_path(&text::path(&side.path));
        (!folders.contains(&folder(side)) || role == FileRole::Generated, role)
    };
    let near_ids: HashSet<&Oid> = nearest.iter().map(|side| &side.id).collect();
    let mut far: Vec<TreeFile> = far.into_iter().filter(|side| !near_ids.contains(&side.id)).collect();
    far.sort_by_cached_key(rank);
    nearest.iter().cloned().chain(far).filter(TreeFile::is_file).collect()
}

/// Names not found yet.
struct WantedNames {
    names: Vec<String>,
    open: HashMap<String, bool>,
    matcher: Option<AhoCorasick>,
}

impl WantedNames {
    fn of(names: &[String]) -> Self {
        let names: Vec<String> = names.iter().filter(|name| !name.is_empty()).take(NAMES).cloned().collect();
        let matcher =
            AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(&names).ok();
        let open = names.iter().map(|name| (name.clone(), true)).collect();
        Self { names, open, matcher }
    }

    fn is_done(&self) -> bool {
        !self.open.values().any(|open| *open)
    }

    fn into_found(self) -> HashSet<String> {
        self.open.into_iter().filter(|(_, open)| !open).map(|(name, _)| name).collect()
    }

    /// Matches a name that ends the path, or is one of its directories or components.
    fn path(&mut self, path: &str) {
        let low = path.to_lowercase();
        for (name, open) in self.open.iter_mut().filter(|(_, open)| **open) {
            let bounded = low.match_indices(name.as_str()).any(|(at, _)| {
                let (before, after) = (&low[..at], &low[at + name.len()..]);
                (before.is_empty() || before.ends_with('/')) && (after.is_empty() || after.starts_with(['/', '.']))
            });
            *open = !bounded;
        }
    }

    fn search_files(&mut self, objects: &dyn Objects, files: &[TreeFile], within: &NameSearchBounds<'_>) {
        let mut left = within.bytes;
        for side in files {
            if self.is_done() || left == 0 || within.is_over() {
                return;
            }
            let size = objects.size(&side.id).unwrap_or(u64::MAX);
            if size > FILE_BYTES.min(left) || (within.excluded)(&text::path(&side.path)) {
                continue;
            }
            left -= size;
            if let Some(content) = objects.read(&side.id) {
                self.content(&content);
            }
        }
    }

    fn content(&mut self, content: &[u8]) {
        let Some(matcher) = &self.matcher else { return };
        if content.iter().take(8000).any(|byte| *byte == 0) {
            return;
        }
        let word =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte > 127);
        for found in matcher.find_overlapping_iter(content) {
            let name = &self.names[found.pattern().as_usize()];
            let inside = found.start().checked_sub(1).is_some_and(|before| word(content.get(before)));
            if !inside && !word(content.get(found.end())) {
                self.open.insert(name.clone(), false);
            }
        }
    }
}
