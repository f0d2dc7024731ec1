//! The commit to come: what is staged, read as the commit will be read, before there is one. Git's trees are made in
//! memory from the index; nothing is written into the repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use git2::{Index, IndexEntry, IndexEntryExtendedFlag, ObjectType};
use jiff::Timestamp;

use super::objects::Objects;
use super::patch::{self, Between, Exclude};
use super::repo::{Repo, header};
use super::{Bounds, GitError, commit, tree};
use crate::domain::id::Oid;
use crate::domain::patch::Commit;
use crate::hook::head;

/// An index with more entries than this is not read: it would cost more processor than a model's head start is worth.
const ENTRIES: usize = 300_000;
/// Of a message no more than this is compared (bytes).
const MESSAGE: usize = 64 << 10;

/// The tree without entries.
const NOTHING: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// What is known of the commit to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Its message is being written: git waits for an editor, and what will be committed is fixed.
    Editor,
    /// Something was staged. Whether and what is to be committed is a guess.
    Settled,
}

/// The commit that would come of what is staged now.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The tree that it will have.
    pub tree: Oid,
    /// What it will lie on: HEAD, or what HEAD lies on where HEAD is being amended.
    pub parents: Vec<Oid>,
    /// Tree objects that are perhaps not in the repository yet.
    trees: HashMap<Oid, Vec<u8>>,
}

impl Repo {
    /// What is staged; none where that makes no ordinary commit: nothing differs, a merge or a sequence is under way,
    /// conflicts are open, the commit is made already. Reads the index once, and no blob.
    ///
    /// # Errors
    /// When the index cannot be read (it is being written, or of a kind that libgit2 does not know), or HEAD cannot.
    pub fn staged(&self, moment: Moment) -> Result<Option<Staged>, GitError> {
        let git_dir = &self.place().git_dir;
        if git_dir.join("MERGE_HEAD").exists() || head::in_sequence(git_dir) {
            return Ok(None);
        }
        let index = match moment {
            Moment::Editor if is_over(git_dir) => return Ok(None),
            Moment::Editor => index_of_commit(git_dir),
            Moment::Settled => git_dir.join("index"),
        };
        let Some((tree, trees)) = trees(&index)? else { return Ok(None) };
        self.with_objects(|objects| {
            let parents = self.parents_to_be(objects, git_dir, moment)?;
            let below = parents.first().map(|parent| header(objects, parent)).transpose()?;
            let old = below.as_ref().map_or(NOTHING, |below| below.tree.as_str());
            // Ids of another length belong to a repository whose index libgit2 did not really understand.
            let differs = old != tree.as_str() && old.len() == tree.as_str().len();
            Ok(differs.then_some(Staged { tree, parents, trees }))
        })
    }

    fn parents_to_be(&self, objects: &dyn Objects, git_dir: &Path, moment: Moment) -> Result<Vec<Oid>, GitError> {
        let head = match self.head() {
            Ok(head) => head,
            Err(GitError::Unborn) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let last = header(objects, &head)?;
        // An amended commit's message is what the editor begins with.
        let amended = moment == Moment::Editor && begins_with(&git_dir.join("COMMIT_EDITMSG"), &last);
        Ok(if amended { last.parents } else { vec![head] })
    }

    /// The commit to come, without what is not known yet: message, author, branch and times are empty, its id is that
    /// of its tree. Its patch is the one that [`Repo::commit`] will give, but for the patch id.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn staged_commit(&self, staged: &Staged, bounds: &Bounds, paths: Exclude<'_>) -> Result<Commit, GitError> {
        let patch = self.with_objects(|objects| {
            let below = staged.parents.first().map(|parent| header(objects, parent)).transpose()?;
            let old = below.as_ref().map(|below| &below.tree);
            let above = Above { trees: &staged.trees, objects };
            patch::read(&above, Between { old, new: &staged.tree }, bounds, paths)
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

/// The repository's objects and those trees that are only in memory.
struct Above<'a> {
    trees: &'a HashMap<Oid, Vec<u8>>,
    objects: &'a dyn Objects,
}

impl Objects for Above<'_> {
    fn size(&self, id: &Oid) -> Option<u64> {
        self.trees.get(id).map_or_else(|| self.objects.size(id), |raw| u64::try_from(raw.len()).ok())
    }

    fn read(&self, id: &Oid) -> Option<Vec<u8>> {
        self.trees.get(id).cloned().or_else(|| self.objects.read(id))
    }
}

/// A commit leaves its message behind. It was made when HEAD moved after that was written; with `-m` that takes a few
/// milliseconds.
fn is_over(git_dir: &Path) -> bool {
    let written = modified(&git_dir.join("COMMIT_EDITMSG"));
    let moved = modified(&git_dir.join("logs/HEAD"));
    written.is_none() || (moved.is_some() && moved >= written)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// The index that a commit under way is made of. Seen with git 2.47: a plain one takes `index`; `-a` and `-i` a new
/// `index.lock`; one of paths alone `next-index-PID.lock`, written after an `index.lock` for afterwards. What a crash
/// has left behind is older.
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

/// The trees that `git write-tree` would write for this index, and the id of the topmost; none with open conflicts.
fn trees(index: &Path) -> Result<Option<(Oid, Trees)>, GitError> {
    // To libgit2 a missing file is an empty index; here it is the end of a commit.
    std::fs::metadata(index).map_err(|error| GitError::git("cannot find the index", error))?;
    let failed = |error| GitError::git("cannot read the index", error);
    let index = Index::open(index).map_err(failed)?;
    if index.len() > ENTRIES {
        return Ok(None);
    }
    let mut growing = Growing::default();
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

/// `git add -N`: not part of a commit yet.
fn is_only_intended(entry: &IndexEntry) -> bool {
    IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended).is_intent_to_add()
}

/// Trees under construction, from paths in git's order, which is also that of a tree's entries.
#[derive(Default)]
struct Growing {
    /// From the top down; the topmost has no name.
    open: Vec<(Vec<u8>, Vec<u8>)>,
    top: Vec<u8>,
    done: Trees,
}

impl Growing {
    fn add(&mut self, path: &[u8], mode: u32, id: git2::Oid) -> Result<(), git2::Error> {
        let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let name = parts.pop().unwrap_or_default();
        let shared = self.open.iter().zip(&parts).take_while(|((open, _), part)| open == *part).count();
        self.close_to(shared)?;
        self.open.extend(parts.get(shared..).unwrap_or_default().iter().map(|part| (part.to_vec(), Vec::new())));
        self.entry(mode, name, id);
        Ok(())
    }

    /// Adds to the innermost tree.
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
