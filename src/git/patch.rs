//! Patch reader: diffs a commit against its first parent within byte bounds and records what was left unread.

use super::hunk::{self, Diffed, Room};
use super::objects::Objects;
use super::tree::{self, Delta, Deltas, SUBMODULE, SYMLINK, Side};
use super::{Bounds, GitError, rename, text};
use crate::domain::id::Oid;
use crate::domain::patch::{Change, FileChange, Hunk, Line, Origin, Patch, Texts, Unread};
use crate::facts::dependencies;
use crate::facts::formats::pointer;
use crate::facts::roles::FileRole;
use crate::facts::syntax::grammar::{Grammar, SIDE_BYTES};

/// The two trees that the patch is between: the first parent's (`None`: the empty tree) and the commit's.
#[derive(Debug, Clone, Copy)]
pub struct Between<'a> {
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

/// An empty patch for commits with trees missing locally (partial or shallow clones).
#[must_use]
pub fn unreadable() -> Patch {
    Patch { truncated: true, ..Patch::default() }
}

/// Reads the patch. Excluded paths are listed by name; their content is never loaded, except for the package names of
/// permitted lockfiles.
pub fn read(
    objects: &dyn Objects,
    between: Between<'_>,
    bounds: &Bounds,
    paths: Exclude<'_>,
) -> Result<Patch, GitError> {
    let excluded = paths.excluded;
    let Ok(Deltas { kept, total }) = tree::diff(objects, between.old, Some(between.new)) else {
        return Ok(unreadable());
    };
    let limits =
        rename::Limits { deltas: bounds.rename_deltas, file_bytes: bounds.file_bytes, blob_bytes: bounds.blob_bytes };
    let uncounted = total - kept.len();
    let deltas = rename::join(kept, objects, limits, &|path| excluded(&text::path(path)));
    let files_total = deltas.len() + uncounted;
    let mut files: Vec<_> = deltas.into_iter().map(|delta| (shell(&delta), delta)).collect();
    files.sort_by_cached_key(|(file, _)| FileRole::of(&file.path));
    files.truncate(bounds.files);
    small_first(&mut files, objects, excluded);
    let mut reader = Reader::new(objects, bounds, paths);
    let mut waiting = files.len();
    for (file, delta) in &mut files {
        waiting -= 1;
        reader.fill(file, delta, waiting > 0)?;
    }
    Ok(reader.finish(files.into_iter().map(|(file, _)| file).collect(), files_total))
}

/// Maximum number of size lookups; more than this rarely fits the bounds anyway.
const SIZED: usize = 200;

/// Sorts small files first within a role: generated files are recognised by size where their path gives no hint.
fn small_first(files: &mut [(FileChange, Delta)], objects: &dyn Objects, excluded: &dyn Fn(&str) -> bool) {
    let sized = files.len().min(SIZED);
    let size =
        |delta: &Delta| delta.old.iter().chain(&delta.new).filter_map(|side| objects.size(&side.id)).sum::<u64>();
    let known = |file: &FileChange, delta: &Delta| if excluded(&file.path) { 0 } else { size(delta) };
    if sized > 1 {
        files[..sized].sort_by_cached_key(|(file, delta)| (FileRole::of(&file.path), known(file, delta)));
    }
}

/// The file with what its delta contains: path, kind and mode, no lines.
fn shell(delta: &Delta) -> FileChange {
    let (change, mode_changed) = match (&delta.old, &delta.new) {
        (None, _) => (Change::Added, false),
        (_, None) => (Change::Deleted, false),
        (Some(old), Some(new)) => (change_between(old, new), old.kind() == new.kind() && old.mode != new.mode),
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

fn change_between(old: &Side, new: &Side) -> Change {
    if old.kind() != new.kind() {
        Change::TypeChanged
    } else if old.path != new.path {
        Change::Renamed
    } else {
        Change::Modified
    }
}

/// After this many files in a row exceed the remaining budget, reading stops.
const MISSES: usize = 16;
/// Limit for the full text kept for grammars, both sides of all files together (bytes).
const TEXT_BYTES: usize = 8 << 20;
/// Symbolic links longer than this are not read (bytes).
const LINK_BYTES: u64 = 4 << 10;
/// Additional limit for lockfile text; it is only scanned for packages (bytes).
const LOCK_BYTES: usize = 2 << 20;

struct Reader<'a> {
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

impl<'a> Reader<'a> {
    fn new(objects: &'a dyn Objects, bounds: &'a Bounds, paths: Exclude<'a>) -> Self {
        let (blob_left, patch_left) = (bounds.blob_bytes, bounds.patch_bytes);
        let (text_left, lock_left) = (TEXT_BYTES, LOCK_BYTES);
        Self { objects, bounds, paths, blob_left, patch_left, text_left, lock_left, misses: 0, truncated: false }
    }

    /// `others_wait`: further files follow this one.
    fn fill(&mut self, file: &mut FileChange, delta: &Delta, others_wait: bool) -> Result<(), GitError> {
        if delta.old.as_ref().map(|side| &side.id) == delta.new.as_ref().map(|side| &side.id) {
            (file.insertions, file.deletions) = (Some(0), Some(0));
            return Ok(());
        }
        file.unread = self.obstacle(file, delta);
        if file.unread.is_some() {
            self.truncated |= matches!(file.unread, Some(Unread::TooLarge | Unread::BudgetSpent));
            file.texts = self.packages(file, delta);
            file.hunks = self.link(file, delta);
            return Ok(());
        }
        let (Some(old), Some(new)) = (self.content(delta.old.as_ref()), self.content(delta.new.as_ref())) else {
            file.unread = Some(Unread::Missing);
            return Ok(());
        };
        if hunk::is_binary(&old) || hunk::is_binary(&new) {
            file.unread = Some(Unread::Binary);
            file.hunks = pointers_alone(&old, &new);
            return Ok(());
        }
        let room = Room { patch_bytes: self.room(others_wait), line_bytes: self.bounds.line_bytes };
        let diffed = hunk::diff(&file.path, &old, &new, room)?;
        self.keep(file, diffed);
        if pointer::is_pointer(&old) != pointer::is_pointer(&new) {
            // Pure rename: no changed lines.
            file.hunks = pointers_alone(&old, &new);
        }
        file.texts = self.texts(&file.path, &old, &new).or_else(|| self.locked(&file.path, &old, &new));
        Ok(())
    }

    /// Targets of symbolic links as lines; of a file replaced by a link only LFS-style pointers are kept.
    fn link(&self, file: &FileChange, delta: &Delta) -> Vec<Hunk> {
        if file.unread != Some(Unread::Symlink) {
            return Vec::new();
        }
        let text = |side: Option<&Side>| {
            let side = side?;
            let size = self.objects.size(&side.id).filter(|size| *size <= LINK_BYTES)?;
            let content = self.objects.read(&side.id).filter(|content| content.len() as u64 == size)?;
            (side.kind() == SYMLINK || pointer::is_pointer(&content)).then_some(content)
        };
        let (old, new) = (text(delta.old.as_ref()).unwrap_or_default(), text(delta.new.as_ref()).unwrap_or_default());
        // A type change to or from a link shows lines only where the content is an LFS-style pointer.
        let told = file.change != Change::TypeChanged || pointer::is_pointer(&old) || pointer::is_pointer(&new);
        if told { lines_of(&old, &new) } else { Vec::new() }
    }

    /// Both sides of a lockfile that is not read line by line because it is excluded or too large.
    fn packages(&mut self, file: &FileChange, delta: &Delta) -> Option<Box<Texts>> {
        let unread = matches!(file.unread, Some(Unread::Excluded | Unread::TooLarge | Unread::BudgetSpent));
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
        self.locked(&file.path, &self.content(delta.old.as_ref())?, &self.content(delta.new.as_ref())?)
    }

    /// Both sides of a lockfile, as far as the lockfile limit allows.
    fn locked(&mut self, path: &str, old: &[u8], new: &[u8]) -> Option<Box<Texts>> {
        let bytes = old.len() + new.len();
        let is_text = !hunk::is_binary(old) && !hunk::is_binary(new);
        if !is_text || bytes > self.lock_left || !is_read_whole(path) {
            return None;
        }
        self.lock_left -= bytes;
        Some(Box::new(whole(old, new)))
    }

    /// Bytes that one file may use of the patch's bound: not the whole bound while other files follow.
    fn room(&self, others_wait: bool) -> usize {
        let much = self.patch_left > self.bounds.patch_bytes / 4;
        if others_wait && much { self.patch_left - self.patch_left / 4 } else { self.patch_left }
    }

    /// The full text of both sides where a grammar can parse it. Row numbers match those of the hunks: lossy decoding
    /// neither adds nor removes newlines.
    fn texts(&mut self, path: &str, old: &[u8], new: &[u8]) -> Option<Box<Texts>> {
        let fits = old.len().max(new.len()) <= SIDE_BYTES && old.len() + new.len() <= self.text_left;
        if !fits || Grammar::of(path).is_none() || FileRole::of(path) == FileRole::Generated {
            return None;
        }
        self.text_left -= old.len() + new.len();
        Some(Box::new(whole(old, new)))
    }

    /// Stores the hunks and counts. Lines are counted beyond the patch bound while blobs fit theirs: counting is cheap.
    fn keep(&mut self, file: &mut FileChange, diffed: Diffed) {
        self.patch_left = self.patch_left.saturating_sub(diffed.kept);
        self.truncated |= !diffed.whole;
        (file.insertions, file.deletions) = (Some(diffed.insertions), Some(diffed.deletions));
        if diffed.hunks.is_empty() && diffed.insertions + diffed.deletions > 0 {
            file.unread = Some(Unread::BudgetSpent);
        }
        file.hunks = diffed.hunks;
    }

    /// The reason not to load the file; otherwise its size is deducted from the budget.
    fn obstacle(&mut self, file: &FileChange, delta: &Delta) -> Option<Unread> {
        let sides = || delta.old.iter().chain(&delta.new);
        if (self.paths.excluded)(&file.path) || file.old_path.as_deref().is_some_and(self.paths.excluded) {
            return Some(Unread::Excluded);
        }
        if sides().any(|side| side.kind() == SUBMODULE) {
            return Some(Unread::Submodule);
        }
        if sides().any(|side| side.kind() == SYMLINK) {
            return Some(Unread::Symlink);
        }
        if self.misses >= MISSES || self.blob_left == 0 {
            return Some(Unread::BudgetSpent);
        }
        let mut bytes = 0;
        for side in sides() {
            let Some(size) = self.objects.size(&side.id) else { return Some(Unread::Missing) };
            if size > self.bounds.file_bytes {
                return Some(Unread::TooLarge);
            }
            bytes += size;
        }
        if bytes > self.blob_left {
            self.misses += 1;
            return Some(Unread::BudgetSpent);
        }
        self.blob_left -= bytes;
        None
    }

    /// Content of one side; an absent side is empty.
    fn content(&self, side: Option<&Side>) -> Option<Vec<u8>> {
        side.map_or(Some(Vec::new()), |side| self.objects.read(&side.id))
    }

    fn finish(self, mut files: Vec<FileChange>, files_total: usize) -> Patch {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let uncounted =
            |file: &FileChange| file.insertions.is_none() && !matches!(file.unread, Some(unread) if has_no_say(unread));
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

fn whole(old: &[u8], new: &[u8]) -> Texts {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Texts { old: text(old), new: text(new) }
}

/// Lockfiles, notebooks and string catalogs: their changed lines need the whole file as context.
fn is_read_whole(path: &str) -> bool {
    dependencies::is_lockfile(path) || path.ends_with(".ipynb") || path.ends_with(".xcstrings")
}

/// Hunks for those sides that are LFS-style pointers.
fn pointers_alone(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let pointer = |content: &'_ [u8]| if pointer::is_pointer(content) { content.to_vec() } else { Vec::new() };
    lines_of(&pointer(old), &pointer(new))
}

/// All old lines as removed, all new lines as added.
fn lines_of(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let line = |origin: Origin| {
        move |bytes: &[u8]| Line { origin, text: text::line(bytes, usize::try_from(LINK_BYTES).unwrap_or(usize::MAX)) }
    };
    let all = |bytes: &[u8], origin| -> Vec<Line> {
        bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(line(origin)).collect()
    };
    let lines = [all(old, Origin::Removed), all(new, Origin::Added)].concat();
    if lines.is_empty() { Vec::new() } else { vec![Hunk { header: String::new(), old_start: 1, new_start: 1, lines }] }
}

/// Binary or excluded on purpose: does not make the total count incomplete.
fn has_no_say(unread: Unread) -> bool {
    matches!(unread, Unread::Binary | Unread::Submodule | Unread::Symlink | Unread::Excluded)
}
