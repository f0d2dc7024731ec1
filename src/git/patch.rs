//! Patch reader: diffs a commit against its first parent within byte bounds and records what was left unread.

use git2::DiffOptions;

use super::hunk::{self, DiffLimits};
use super::repo::Backend;
use super::tree::{self, Delta, Deltas, EMPTY_TREE, EMPTY_TREE_SHA256, Objects, SUBMODULE, SYMLINK, TreeFile};
use super::{Bounds, GitError, rename, text};
use crate::domain::id::Oid;
use crate::domain::patch::{Change, FileChange, FileTexts, Hunk, LineOrigin, Patch, PatchLine, UnreadReason};
use crate::facts::dependencies;
use crate::facts::formats::pointer;
use crate::facts::roles::FileRole;
use crate::facts::syntax::grammar::{Grammar, SIDE_BYTES};

/// The two trees that the patch is between: the first parent's (`None`: the empty tree) and the commit's.
#[derive(Debug, Clone, Copy)]
pub struct TreePair<'a> {
    pub old: Option<&'a Oid>,
    pub new: &'a Oid,
}

/// Paths with content excluded from reading.
#[derive(Clone, Copy)]
pub struct Exclude<'a> {
    /// Listed by name; content is never loaded.
    pub excluded: &'a dyn Fn(&str) -> bool,
    /// Excluded lockfiles of which the package names may be read; their lines never are.
    pub packages: &'a dyn Fn(&str) -> bool,
}

impl<'a> Exclude<'a> {
    /// Excludes paths without any exception for lockfiles.
    #[must_use]
    pub fn excluding(excluded: &'a dyn Fn(&str) -> bool) -> Self {
        Self { excluded, packages: &|_| false }
    }
}

impl std::fmt::Debug for Exclude<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exclude").finish_non_exhaustive()
    }
}

/// Whether the patch id identifies the content. Git's id of a binary or unread file covers only its path: two different
/// pictures would share an id. Of a file without lines (an empty one, a change of mode only), git and libgit2 compute
/// different ids (3 of 2,236 commits of three real histories).
#[must_use]
pub fn has_meaningful_id(patch: &Patch, parents: usize) -> bool {
    let has_header_only =
        |file: &FileChange| file.change != Change::Renamed && file.insertions == Some(0) && file.deletions == Some(0);
    parents < 2
        && !patch.truncated
        && patch.files.iter().all(|file| file.unread.is_none() && !has_header_only(file))
        && (patch.insertions.is_some_and(|lines| lines > 0) || patch.deletions.is_some_and(|lines| lines > 0))
}

/// The patch id, which identifies a patch independently of the commit that carries it. Equal to
/// `git diff-tree -p | git patch-id --stable`, regardless of configuration.
pub fn compute_patch_id(backend: &Backend, between: TreePair<'_>) -> Option<String> {
    let repo = match backend {
        Backend::LibGit2(repo) => repo,
        Backend::Cli(git) => {
            let empty = if between.new.as_str().len() == 64 { EMPTY_TREE_SHA256 } else { EMPTY_TREE };
            let mut args = vec!["-c", "diff.suppressBlankEmpty=false", "-c", "core.quotePath=true"];
            args.extend(["diff-tree", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--text"]);
            args.extend(["-U3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic"]);
            args.extend(["--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "-O/dev/null"]);
            args.extend([between.old.map_or(empty, Oid::as_str), between.new.as_str()]);
            let patch = git.run(&args).ok().filter(|output| output.success)?;
            let id = git.text(&["patch-id", "--stable"], &patch.stdout, "cannot compute a patch id").ok()?;
            return id.split_ascii_whitespace().next().map(str::to_owned);
        }
    };
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

/// An empty patch for commits with trees missing locally (partial or shallow clones).
#[must_use]
pub fn unreadable_patch() -> Patch {
    Patch { truncated: true, ..Patch::default() }
}

/// Reads the patch. Excluded paths are listed by name; their content is never loaded, except for the package names of
/// permitted lockfiles.
pub fn read_patch(
    objects: &dyn Objects,
    between: TreePair<'_>,
    bounds: &Bounds,
    paths: Exclude<'_>,
) -> Result<Patch, GitError> {
    let excluded = paths.excluded;
    let Ok(Deltas { kept, total }) = tree::diff(objects, between.old, Some(between.new)) else {
        return Ok(unreadable_patch());
    };
    let uncounted = total - kept.len();
    let deltas = rename::join_renames(kept, objects, bounds, &|path| excluded(&text::path(path)));
    let files_total = deltas.len() + uncounted;
    let mut files: Vec<_> = deltas.into_iter().map(|delta| (shell(&delta), delta)).collect();
    files.sort_by_cached_key(|(file, _)| FileRole::from_path(&file.path));
    files.truncate(bounds.files);
    // Within a role small files come first: generated files are recognised by size where their path gives no hint.
    let size = |(file, delta): &(FileChange, Delta)| {
        let sizes = delta.old.iter().chain(&delta.new).filter_map(|side| objects.size(&side.id));
        (FileRole::from_path(&file.path), if excluded(&file.path) { 0 } else { sizes.sum::<u64>() })
    };
    let sized = files.len().min(SIZED);
    if sized > 1 {
        files[..sized].sort_by_cached_key(size);
    }
    let mut reader = PatchReader {
        objects,
        bounds,
        paths,
        blob_left: bounds.blob_bytes,
        patch_left: bounds.patch_bytes,
        text_left: TEXT_BYTES,
        lock_left: LOCK_BYTES,
        misses: 0,
        truncated: false,
    };
    let mut waiting = files.len();
    for (file, delta) in &mut files {
        waiting -= 1;
        reader.fill(file, delta, waiting > 0)?;
    }
    Ok(reader.finish(files.into_iter().map(|(file, _)| file).collect(), files_total))
}

/// The file with what its delta contains: path, kind and mode, no lines.
fn shell(delta: &Delta) -> FileChange {
    let (change, mode_changed) = match (&delta.old, &delta.new) {
        (None, _) => (Change::Added, false),
        (_, None) => (Change::Deleted, false),
        (Some(old), Some(new)) if old.kind() != new.kind() => (Change::TypeChanged, false),
        (Some(old), Some(new)) if old.path != new.path => (Change::Renamed, old.mode != new.mode),
        (Some(old), Some(new)) => (Change::Modified, old.mode != new.mode),
    };
    let renamed = change == Change::Renamed;
    FileChange {
        path: text::path(delta.path()),
        old_path: delta.old.as_ref().filter(|_| renamed).map(|old| text::path(&old.path)),
        change,
        mode_changed,
        insertions: None,
        deletions: None,
        hunks: Vec::new(),
        unread: None,
        texts: None,
    }
}

/// Maximum number of size lookups; more than this rarely fits the bounds anyway.
const SIZED: usize = 200;
/// After this many files in a row exceed the remaining budget, reading stops.
const MISSES: usize = 16;
/// Limit for the full text kept for grammars, both sides of all files together (bytes).
const TEXT_BYTES: usize = 8 << 20;
/// Symbolic links longer than this are not read (bytes).
const LINK_BYTES: usize = 4 << 10;
/// Additional limit for lockfile text; it is only scanned for packages (bytes).
const LOCK_BYTES: usize = 2 << 20;

struct PatchReader<'a> {
    objects: &'a dyn Objects,
    bounds: &'a Bounds,
    paths: Exclude<'a>,
    blob_left: u64,
    patch_left: usize,
    text_left: usize,
    lock_left: usize,
    misses: usize,
    truncated: bool,
}

impl PatchReader<'_> {
    /// `others_wait`: further files follow this one.
    fn fill(&mut self, file: &mut FileChange, delta: &Delta, others_wait: bool) -> Result<(), GitError> {
        if delta.old.as_ref().map(|side| &side.id) == delta.new.as_ref().map(|side| &side.id) {
            (file.insertions, file.deletions) = (Some(0), Some(0));
            return Ok(());
        }
        file.unread = self.unread_reason(file, delta);
        if file.unread.is_some() {
            self.truncated |= matches!(file.unread, Some(UnreadReason::TooLarge | UnreadReason::BudgetSpent));
            file.texts = self.packages(file, delta);
            file.hunks = self.link(file, delta);
            return Ok(());
        }
        let (Some(old), Some(new)) = (self.content(delta.old.as_ref()), self.content(delta.new.as_ref())) else {
            file.unread = Some(UnreadReason::Missing);
            return Ok(());
        };
        if hunk::is_binary(&old) || hunk::is_binary(&new) {
            file.unread = Some(UnreadReason::Binary);
            file.hunks = pointers_alone(&old, &new);
            return Ok(());
        }
        // No file uses the whole bound while other files follow.
        let is_kept_free = others_wait && self.patch_left > self.bounds.patch_bytes / 4;
        let patch_bytes = self.patch_left - if is_kept_free { self.patch_left / 4 } else { 0 };
        let room = DiffLimits { patch_bytes, line_bytes: self.bounds.line_bytes };
        let diffed = hunk::diff(&file.path, &old, &new, room)?;
        self.patch_left = self.patch_left.saturating_sub(diffed.kept);
        self.truncated |= !diffed.whole;
        // Lines are counted beyond the patch bound while blobs fit theirs: counting is cheap.
        (file.insertions, file.deletions) = (Some(diffed.insertions), Some(diffed.deletions));
        if diffed.hunks.is_empty() && diffed.insertions + diffed.deletions > 0 {
            file.unread = Some(UnreadReason::BudgetSpent);
        }
        file.hunks = diffed.hunks;
        if pointer::is_pointer(&old) != pointer::is_pointer(&new) {
            // Pure rename: no changed lines.
            file.hunks = pointers_alone(&old, &new);
        }
        file.texts = self.texts(&file.path, &old, &new).or_else(|| self.store_lockfile_texts(&file.path, &old, &new));
        Ok(())
    }

    /// Targets of symbolic links as lines; of a file replaced by a link only LFS-style pointers are kept.
    fn link(&self, file: &FileChange, delta: &Delta) -> Vec<Hunk> {
        if file.unread != Some(UnreadReason::Symlink) {
            return Vec::new();
        }
        let text = |side: Option<&TreeFile>| {
            let side = side?;
            let size = self.objects.size(&side.id).filter(|size| *size <= LINK_BYTES as u64)?;
            let content = self.objects.read(&side.id).filter(|content| content.len() as u64 == size)?;
            (side.kind() == SYMLINK || pointer::is_pointer(&content)).then_some(content)
        };
        let (old, new) = (text(delta.old.as_ref()).unwrap_or_default(), text(delta.new.as_ref()).unwrap_or_default());
        // A type change to or from a link shows lines only where the content is an LFS-style pointer.
        let has_text = file.change != Change::TypeChanged || pointer::is_pointer(&old) || pointer::is_pointer(&new);
        if has_text { lines_of(&old, &new) } else { Vec::new() }
    }

    /// Both sides of a lockfile that is not read line by line because it is excluded or too large.
    fn packages(&mut self, file: &FileChange, delta: &Delta) -> Option<Box<FileTexts>> {
        let unread =
            matches!(file.unread, Some(UnreadReason::Excluded | UnreadReason::TooLarge | UnreadReason::BudgetSpent));
        let readable = |path: &str| !(self.paths.excluded)(path) || (self.paths.packages)(path);
        let all_readable = readable(&file.path) && file.old_path.as_deref().is_none_or(readable);
        if !unread || !all_readable || !dependencies::is_lockfile(&file.path) {
            return None;
        }
        let mut bytes = 0;
        for side in delta.old.iter().chain(&delta.new) {
            if matches!(side.kind(), SUBMODULE | SYMLINK) {
                return None;
            }
            bytes += self.objects.size(&side.id)?;
        }
        if usize::try_from(bytes).ok()? > self.lock_left {
            return None;
        }
        self.store_lockfile_texts(&file.path, &self.content(delta.old.as_ref())?, &self.content(delta.new.as_ref())?)
    }

    /// Both sides of a lockfile, a notebook or a string catalog, as far as the lockfile limit allows.
    fn store_lockfile_texts(&mut self, path: &str, old: &[u8], new: &[u8]) -> Option<Box<FileTexts>> {
        let bytes = old.len() + new.len();
        let is_text = !hunk::is_binary(old) && !hunk::is_binary(new);
        // Their changed lines need the whole file as context.
        let is_read_whole = dependencies::is_lockfile(path) || path.ends_with(".ipynb") || path.ends_with(".xcstrings");
        if !is_text || bytes > self.lock_left || !is_read_whole {
            return None;
        }
        self.lock_left -= bytes;
        Some(Box::new(whole(old, new)))
    }

    /// The full text of both sides where a grammar can parse it. Row numbers match those of the hunks: lossy decoding
    /// neither adds nor removes newlines.
    fn texts(&mut self, path: &str, old: &[u8], new: &[u8]) -> Option<Box<FileTexts>> {
        let fits = old.len().max(new.len()) <= SIDE_BYTES && old.len() + new.len() <= self.text_left;
        if !fits || Grammar::from_path(path).is_none() || FileRole::from_path(path) == FileRole::Generated {
            return None;
        }
        self.text_left -= old.len() + new.len();
        Some(Box::new(whole(old, new)))
    }

    /// The reason not to load the file; otherwise its size is deducted from the budget.
    fn unread_reason(&mut self, file: &FileChange, delta: &Delta) -> Option<UnreadReason> {
        let sides = || delta.old.iter().chain(&delta.new);
        if (self.paths.excluded)(&file.path) || file.old_path.as_deref().is_some_and(self.paths.excluded) {
            return Some(UnreadReason::Excluded);
        }
        if sides().any(|side| side.kind() == SUBMODULE) {
            return Some(UnreadReason::Submodule);
        }
        if sides().any(|side| side.kind() == SYMLINK) {
            return Some(UnreadReason::Symlink);
        }
        if self.misses >= MISSES || self.blob_left == 0 {
            return Some(UnreadReason::BudgetSpent);
        }
        let mut bytes = 0;
        for side in sides() {
            let Some(size) = self.objects.size(&side.id) else { return Some(UnreadReason::Missing) };
            if size > self.bounds.file_bytes {
                return Some(UnreadReason::TooLarge);
            }
            bytes += size;
        }
        if bytes > self.blob_left {
            self.misses += 1;
            return Some(UnreadReason::BudgetSpent);
        }
        self.blob_left -= bytes;
        None
    }

    /// Content of one side; an absent side is empty.
    fn content(&self, side: Option<&TreeFile>) -> Option<Vec<u8>> {
        side.map_or(Some(Vec::new()), |side| self.objects.read(&side.id))
    }

    fn finish(self, mut files: Vec<FileChange>, files_total: usize) -> Patch {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        // Binary, or excluded on purpose: does not make the total incomplete.
        let is_left_out = |file: &FileChange| {
            use UnreadReason::{Binary, Excluded, Submodule, Symlink};
            matches!(file.unread, Some(Binary | Submodule | Symlink | Excluded))
        };
        let uncounted = |file: &FileChange| file.insertions.is_none() && !is_left_out(file);
        let counted = files.len() == files_total && !files.iter().any(uncounted);
        let total = |count: fn(&FileChange) -> Option<u64>| counted.then(|| files.iter().filter_map(count).sum());
        Patch {
            insertions: total(|file| file.insertions),
            deletions: total(|file| file.deletions),
            truncated: self.truncated || files.len() < files_total,
            files_total,
            files,
            patch_id: None,
        }
    }
}

fn whole(old: &[u8], new: &[u8]) -> FileTexts {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    FileTexts { old: text(old), new: text(new) }
}

/// Hunks for those sides that are LFS-style pointers.
fn pointers_alone(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let pointer = |content: &'_ [u8]| if pointer::is_pointer(content) { content.to_vec() } else { Vec::new() };
    lines_of(&pointer(old), &pointer(new))
}

/// All old lines as removed, all new lines as added.
fn lines_of(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let all = |bytes: &[u8], origin| -> Vec<PatchLine> {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| PatchLine { origin, text: text::line(line, LINK_BYTES) }).collect()
    };
    let lines = [all(old, LineOrigin::Removed), all(new, LineOrigin::Added)].concat();
    if lines.is_empty() { Vec::new() } else { vec![Hunk { header: String::new(), old_start: 1, new_start: 1, lines }] }
}
