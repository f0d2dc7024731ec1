//! Preview of the next commit: reads what is staged before the commit exists. Git's trees are built in memory from the
//! index; nothing is written into the repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use git2::{Index, IndexEntry, IndexEntryExtendedFlag, ObjectType};
use jiff::Timestamp;

use super::patch::{self, Exclude, TreePair};
use super::repo::{Repo, header};
use super::tree::Objects;
use super::{Bounds, GitError, commit, tree};
use crate::domain::id::Oid;
use crate::domain::patch::Commit;
use crate::hook::head;

/// Maximum index entries: reading more would cost more processor time than a model's head start is worth.
const ENTRIES: usize = 300_000;
/// Maximum length of a compared message (bytes).
const MESSAGE: usize = 64 << 10;

/// The stage of preparation of the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StagingMoment {
    /// Its message is being edited: git waits for an editor, and the content of the commit is fixed.
    Editor,
    /// Something was staged. Whether and what will be committed is a guess.
    Settled,
}

/// The commit that the staged content would form.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Its tree.
    pub tree: Oid,
    /// Its parents: HEAD, or HEAD's parents when HEAD is being amended.
    pub parents: Vec<Oid>,
    /// Tree objects that may not be in the repository yet.
    trees: HashMap<Oid, Vec<u8>>,
}

impl Repo {
    /// The staged commit; `None` where it would not be an ordinary commit: no difference, a merge or a sequence in
    /// progress, open conflicts, already committed. Reads the index once, and no blob.
    ///
    /// # Errors
    /// When the index cannot be read (being written, or in a format unknown to libgit2), or HEAD cannot.
    pub fn staged(&self, moment: StagingMoment) -> Result<Option<Staged>, GitError> {
        let git_dir = &self.location().git_dir;
        if git_dir.join("MERGE_HEAD").exists() || head::in_sequence(git_dir) {
            return Ok(None);
        }
        let index = match moment {
            StagingMoment::Editor if is_commit_done(git_dir) => return Ok(None),
            StagingMoment::Editor => index_of_commit(git_dir),
            StagingMoment::Settled => git_dir.join("index"),
        };
        let Some((tree, trees)) = trees(&index)? else { return Ok(None) };
        self.with_objects(|objects| {
            let parents = self.expected_parents(objects, git_dir, moment)?;
            let below = parents.first().map(|parent| header(objects, parent)).transpose()?;
            let old = below.as_ref().map_or(tree::EMPTY_TREE, |below| below.tree.as_str());
            // Ids of another length mean that libgit2 misread the index.
            let differs = old != tree.as_str() && old.len() == tree.as_str().len();
            Ok(differs.then_some(Staged { tree, parents, trees }))
        })
    }

    fn expected_parents(
        &self,
        objects: &dyn Objects,
        git_dir: &Path,
        moment: StagingMoment,
    ) -> Result<Vec<Oid>, GitError> {
        let head = match self.head() {
            Ok(head) => head,
            Err(GitError::Unborn) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let last = header(objects, &head)?;
        // Amending: the editor starts with the message of the amended commit.
        let amended = moment == StagingMoment::Editor && begins_with(&git_dir.join("COMMIT_EDITMSG"), &last);
        Ok(if amended { last.parents } else { vec![head] })
    }

    /// The next commit with what is known so far: message, author, branch and times are empty, its id is that of its
    /// tree. Its patch equals the later one of [`Repo::commit`], except for the patch id.
    ///
    /// # Errors
    /// Same as [`Repo::commit`].
    pub fn staged_commit(&self, staged: &Staged, bounds: &Bounds, paths: Exclude<'_>) -> Result<Commit, GitError> {
        let patch = self.with_objects(|objects| {
            let below = staged.parents.first().map(|parent| header(objects, parent)).transpose()?;
            let old = below.as_ref().map(|below| &below.tree);
            let above = OverlayObjects { trees: &staged.trees, objects };
            patch::read_patch(&above, TreePair { old, new: &staged.tree }, bounds, paths)
        })?;
        Ok(Commit {
            oid: staged.tree.clone(),
            tree: staged.tree.clone(),
            parents: staged.parents.clone(),
            author: String::new(),
            author_email: String::new(),
            authored_at: Timestamp::UNIX_EPOCH,
            committed_at: Timestamp::UNIX_EPOCH,
            message: String::new(),
            change_id: None,
            branch: None,
            patch,
        })
    }
}

/// The repository's objects plus the trees that exist only in memory.
struct OverlayObjects<'a> {
    trees: &'a HashMap<Oid, Vec<u8>>,
    objects: &'a dyn Objects,
}

impl Objects for OverlayObjects<'_> {
    fn size(&self, id: &Oid) -> Option<u64> {
        self.trees.get(id).map_or_else(|| self.objects.size(id), |raw| u64::try_from(raw.len()).ok())
    }

    fn read(&self, id: &Oid) -> Option<Vec<u8>> {
        self.trees.get(id).cloned().or_else(|| self.objects.read(id))
    }
}

/// Whether the commit is done: git leaves its message file behind, and HEAD moved after the file was written; with `-m`
/// that takes a few milliseconds.
fn is_commit_done(git_dir: &Path) -> bool {
    let written = modified(&git_dir.join("COMMIT_EDITMSG"));
    let moved = modified(&git_dir.join("logs/HEAD"));
    written.is_none() || (moved.is_some() && moved >= written)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// The index that a running commit uses. Observed with git 2.47: a plain commit uses `index`; `-a` and `-i` a new
/// `index.lock`; a commit of paths `next-index-PID.lock`, written after an `index.lock` for afterwards. Files left by a
/// crash are older.
fn index_of_commit(git_dir: &Path) -> PathBuf {
    let of_paths = std::fs::read_dir(git_dir).into_iter().flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        let bytes = name.as_encoded_bytes();
        (bytes.starts_with(b"next-index-") && bytes.ends_with(b".lock")).then(|| git_dir.join(name))
    });
    let plain = ["index", "index.lock"].map(|name| git_dir.join(name));
    let newest = plain.into_iter().chain(of_paths).max_by_key(|path| modified(path));
    newest.unwrap_or_else(|| git_dir.join("index"))
}

/// Whether the file begins with the whole message of a commit.
fn begins_with(file: &Path, commit: &commit::Header) -> bool {
    use std::io::Read as _;
    let mut begun = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(MESSAGE as u64).read_to_end(&mut begun));
    let message = commit.message.trim();
    let begun = commit::decode(&begun, commit.charset);
    read.is_ok() && !message.is_empty() && begun.trim_start().strip_prefix(message).is_some_and(ends_line)
}

fn ends_line(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('\n')
}

type Trees = HashMap<Oid, Vec<u8>>;

/// The trees that `git write-tree` would write for this index, and the id of the root; `None` with open conflicts.
fn trees(index: &Path) -> Result<Option<(Oid, Trees)>, GitError> {
    // libgit2 treats a missing file as an empty index; here it means that the commit has ended.
    std::fs::metadata(index).map_err(|error| GitError::git("cannot find the index", error))?;
    let failed = |error| GitError::git("cannot read the index", error);
    let index = Index::open(index).map_err(failed)?;
    if index.len() > ENTRIES {
        return Ok(None);
    }
    let mut growing = TreeBuilder::default();
    for entry in index.iter() {
        if is_open_conflict(&entry) {
            return Ok(None);
        }
        if !is_only_intended(&entry) {
            growing.add(&entry.path, entry.mode, entry.id).map_err(failed)?;
        }
    }
    growing.finish().map(Some).map_err(failed)
}

fn is_open_conflict(entry: &IndexEntry) -> bool {
    const STAGE: u16 = 0x3000;
    entry.flags & STAGE != 0
}

/// `git add -N` (intent to add): not part of a commit yet.
fn is_only_intended(entry: &IndexEntry) -> bool {
    IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended).is_intent_to_add()
}

/// Tree builder: takes paths in git's order, which is also the order of a tree's entries.
#[derive(Default)]
struct TreeBuilder {
    /// From the root down; the root has no name.
    open: Vec<(Vec<u8>, Vec<u8>)>,
    top: Vec<u8>,
    done: Trees,
}

impl TreeBuilder {
    fn add(&mut self, path: &[u8], mode: u32, id: git2::Oid) -> Result<(), git2::Error> {
        let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let name = parts.pop().unwrap_or_default();
        let shared = self.open.iter().zip(&parts).take_while(|((open, _), part)| open == *part).count();
        self.close_to(shared)?;
        self.open.extend(parts.get(shared..).unwrap_or_default().iter().map(|part| (part.to_vec(), Vec::new())));
        self.entry(mode, name, id);
        Ok(())
    }

    /// Adds an entry to the innermost tree.
    fn entry(&mut self, mode: u32, name: &[u8], id: git2::Oid) {
        let raw = self.open.last_mut().map_or(&mut self.top, |(_, raw)| raw);
        raw.extend(format!("{mode:o} ").into_bytes());
        raw.extend(name);
        raw.push(0);
        raw.extend(id.as_bytes());
    }

    fn close_to(&mut self, depth: usize) -> Result<(), git2::Error> {
        while self.open.len() > depth
            && let Some((name, raw)) = self.open.pop()
        {
            let id = self.keep(raw)?;
            self.entry(tree::TREE, &name, id);
        }
        Ok(())
    }

    fn keep(&mut self, raw: Vec<u8>) -> Result<git2::Oid, git2::Error> {
        let id = git2::Oid::hash_object(ObjectType::Tree, &raw)?;
        if let Ok(oid) = id.to_string().parse() {
            self.done.insert(oid, raw);
        }
        Ok(id)
    }

    fn finish(mut self) -> Result<(Oid, Trees), git2::Error> {
        self.close_to(0)?;
        let top = std::mem::take(&mut self.top);
        let id = self.keep(top)?.to_string();
        let id = id.parse().map_err(|_| git2::Error::from_str("no object id"))?;
        Ok((id, self.done))
    }
}
