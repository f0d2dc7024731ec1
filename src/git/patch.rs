//! A commit's patch against its first parent, read within bounds, saying what was left unread.

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

/// What the patch is between: the first parent's tree (absent: the empty tree) and the commit's.
#[derive(Debug, Clone, Copy)]
pub struct Between<'a> {
    pub old: Option<&'a Oid>,
    pub new: &'a Oid,
}

/// Which content is not to be read.
#[derive(Clone, Copy)]
pub struct Exclude<'a> {
    /// Named, but never loaded.
    pub excluded: &'a dyn Fn(&str) -> bool,
    /// Of the excluded ones those whose packages may be read where they are lockfiles; their lines never are.
    pub packages: &'a dyn Fn(&str) -> bool,
}

impl<'a> Exclude<'a> {
    /// What is excluded is not read for anything.
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

/// A patch of which nothing could be read, because its trees are not all here (partial or shallow clones).
#[must_use]
pub fn unreadable() -> Patch {
    Patch { truncated: true, ..Patch::default() }
}

/// Reads the patch. Excluded paths are named; their content is never loaded, but for the packages of lockfiles that
/// may be read.
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

/// Of so many files the size is asked for; of more than these little fits into the bounds anyway.
const SIZED: usize = 200;

/// Within a role the small ones come first: what a tool wrote is known by its size where its path does not tell.
fn small_first(files: &mut [(FileChange, Delta)], objects: &dyn Objects, excluded: &dyn Fn(&str) -> bool) {
    let sized = files.len().min(SIZED);
    let size =
        |delta: &Delta| delta.old.iter().chain(&delta.new).filter_map(|side| objects.size(&side.id)).sum::<u64>();
    let known = |file: &FileChange, delta: &Delta| if excluded(&file.path) { 0 } else { size(delta) };
    if sized > 1 {
        files[..sized].sort_by_cached_key(|(file, delta)| (FileRole::of(&file.path), known(file, delta)));
    }
}

/// The file as its delta alone tells it.
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

/// After this many files did not fit into what is left of the budget, no further one is looked at.
const MISSES: usize = 16;
/// So much is kept whole for grammars, both sides of all files together (bytes).
const TEXT_BYTES: usize = 8 << 20;
/// A longer link is not read (bytes).
const LINK_BYTES: u64 = 4 << 10;
/// And so much for the packages of lockfiles, beside what is diffed: they are only looked through.
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

    /// `others_wait`: this is not the last file.
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
            // The content moved; its lines are no news.
            file.hunks = pointers_alone(&old, &new);
        }
        file.texts = self.texts(&file.path, &old, &new).or_else(|| self.locked(&file.path, &old, &new));
        Ok(())
    }

    /// What symbolic links point to, as lines; of what stood in a link's place no more than a pointer.
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
        // What became a link, or was one, is told only where its content is kept elsewhere.
        let told = file.change != Change::TypeChanged || pointer::is_pointer(&old) || pointer::is_pointer(&new);
        if told { lines_of(&old, &new) } else { Vec::new() }
    }

    /// Both sides of a lockfile whose lines are not read, because it is excluded or large.
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

    /// Both sides of a lockfile, as far as there is room.
    fn locked(&mut self, path: &str, old: &[u8], new: &[u8]) -> Option<Box<Texts>> {
        let bytes = old.len() + new.len();
        let is_text = !hunk::is_binary(old) && !hunk::is_binary(new);
        if !is_text || bytes > self.lock_left || !is_read_whole(path) {
            return None;
        }
        self.lock_left -= bytes;
        Some(Box::new(whole(old, new)))
    }

    /// What one file may take of the patch's bound: while much is left and others wait, not all of it.
    fn room(&self, others_wait: bool) -> usize {
        let much = self.patch_left > self.bounds.patch_bytes / 4;
        if others_wait && much { self.patch_left - self.patch_left / 4 } else { self.patch_left }
    }

    /// Both sides whole, where a grammar can make something of them. Rows are those of the hunks: decoding lossily
    /// neither makes nor loses a newline.
    fn texts(&mut self, path: &str, old: &[u8], new: &[u8]) -> Option<Box<Texts>> {
        let fits = old.len().max(new.len()) <= SIDE_BYTES && old.len() + new.len() <= self.text_left;
        if !fits || Grammar::of(path).is_none() || FileRole::of(path) == FileRole::Generated {
            return None;
        }
        self.text_left -= old.len() + new.len();
        Some(Box::new(whole(old, new)))
    }

    /// Lines are counted beyond the patch's bound as long as the blobs fit into theirs: counting is cheap.
    fn keep(&mut self, file: &mut FileChange, diffed: Diffed) {
        self.patch_left = self.patch_left.saturating_sub(diffed.kept);
        self.truncated |= !diffed.whole;
        (file.insertions, file.deletions) = (Some(diffed.insertions), Some(diffed.deletions));
        if diffed.hunks.is_empty() && diffed.insertions + diffed.deletions > 0 {
            file.unread = Some(Unread::BudgetSpent);
        }
        file.hunks = diffed.hunks;
    }

    /// Why the file is not to be loaded; else its size is taken off the budget.
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

    /// An absent side is empty.
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

/// Lockfiles, notebooks and string catalogs: what a changed line is, the lines around it do not tell.
fn is_read_whole(path: &str) -> bool {
    dependencies::is_lockfile(path) || path.ends_with(".ipynb") || path.ends_with(".xcstrings")
}

/// The lines of those sides that are pointers to content kept elsewhere.
fn pointers_alone(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let pointer = |content: &'_ [u8]| if pointer::is_pointer(content) { content.to_vec() } else { Vec::new() };
    lines_of(&pointer(old), &pointer(new))
}

/// Everything removed, everything added.
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

/// No text, or shut out on purpose: the total is that of the rest.
fn has_no_say(unread: Unread) -> bool {
    matches!(unread, Unread::Binary | Unread::Submodule | Unread::Symlink | Unread::Excluded)
}
