//! Objects, and tree diff: changed paths between two trees by comparing tree objects; reads no blob and no configuration.

use std::cmp::Ordering;

use crate::domain::id::Oid;

/// Read access to an object database.
pub trait Objects {
    /// Size in bytes, without loading the object; `None` when the object is missing.
    fn size(&self, id: &Oid) -> Option<u64>;
    /// The object's content; `None` when the object is missing.
    fn read(&self, id: &Oid) -> Option<Vec<u8>>;
}

impl Objects for git2::Odb<'_> {
    fn size(&self, id: &Oid) -> Option<u64> {
        let id = git2::Oid::from_str(id.as_str()).ok()?;
        let (size, _) = self.read_header(id).ok()?;
        u64::try_from(size).ok()
    }

    fn read(&self, id: &Oid) -> Option<Vec<u8>> {
        let id = git2::Oid::from_str(id.as_str()).ok()?;
        Some(git2::Odb::read(self, id).ok()?.data().to_vec())
    }
}

/// One side of a changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    pub mode: u32,
    pub id: Oid,
    pub path: Vec<u8>,
}

/// Git's empty tree.
pub const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/// The same in a SHA-256 repository.
pub const EMPTY_TREE_SHA256: &str = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";

pub const TREE: u32 = 0o040_000;
pub const SYMLINK: u32 = 0o120_000;
pub const SUBMODULE: u32 = 0o160_000;
const TYPE: u32 = 0o170_000;

impl TreeFile {
    #[must_use]
    pub fn kind(&self) -> u32 {
        self.mode & TYPE
    }

    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind() == 0o100_000
    }
}

/// A changed path; at least one side is present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    pub old: Option<TreeFile>,
    pub new: Option<TreeFile>,
}

impl Delta {
    /// The path after the change, or before it for a deletion.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.new.as_ref().or(self.old.as_ref()).map_or(b"", |side| &side.path)
    }
}

/// The differences between two trees, in git's path order.
#[derive(Debug, Default)]
pub struct Deltas {
    /// The first ones, up to a limit.
    pub kept: Vec<Delta>,
    /// Total number of differences.
    pub total: usize,
}

/// More changed paths than this are counted, not kept: an import of 100,000 files must not use 100 MB.
pub const KEPT: usize = 10_000;
/// Maximum tree depth: real projects stay far below it, a crafted repository may not.
const DEPTH: usize = 256;

/// A tree object is missing (a partial clone) or malformed.
#[derive(Debug, PartialEq, Eq)]
pub struct UnreadableTree;

/// Compares two trees; an absent one is empty.
pub fn diff(objects: &dyn Objects, old: Option<&Oid>, new: Option<&Oid>) -> Result<Deltas, UnreadableTree> {
    let mut walk = TreeWalk { objects, found: Deltas::default(), prefix: Vec::new(), depth: 0 };
    walk.trees(old, new)?;
    Ok(walk.found)
}

/// The regular file of this name in the root of a tree.
#[must_use]
pub fn file(objects: &dyn Objects, tree: &Oid, name: &[u8]) -> Option<Oid> {
    let raw = objects.read(tree)?;
    let found = TreeEntries::of(&raw, Some(tree)).map_while(Result::ok).find(|entry| entry.name == name)?;
    (found.mode & TYPE == 0o100_000).then(|| found.oid().ok()).flatten()
}

/// Calls `take` for every file of a tree, in git's order, until it returns false; unreadable subtrees are skipped.
pub fn each_file(objects: &dyn Objects, tree: &Oid, take: &mut dyn FnMut(TreeFile) -> bool) {
    files_below(objects, tree, &mut Vec::new(), DEPTH, take);
}

/// Returns whether to continue.
fn files_below(
    objects: &dyn Objects,
    tree: &Oid,
    prefix: &mut Vec<u8>,
    depth: usize,
    take: &mut dyn FnMut(TreeFile) -> bool,
) -> bool {
    let Some(raw) = objects.read(tree).filter(|_| depth > 0) else { return true };
    for entry in TreeEntries::of(&raw, Some(tree)).map_while(Result::ok) {
        let Ok(id) = entry.oid() else { return true };
        let length = prefix.len();
        prefix.extend(entry.name);
        let go_on = if entry.is_tree() {
            prefix.push(b'/');
            files_below(objects, &id, prefix, depth - 1, take)
        } else {
            take(TreeFile { mode: entry.mode, id, path: prefix.clone() })
        };
        prefix.truncate(length);
        if !go_on {
            return false;
        }
    }
    true
}

struct TreeWalk<'a> {
    objects: &'a dyn Objects,
    found: Deltas,
    prefix: Vec<u8>,
    depth: usize,
}

impl TreeWalk<'_> {
    fn trees(&mut self, old: Option<&Oid>, new: Option<&Oid>) -> Result<(), UnreadableTree> {
        if old == new {
            return Ok(());
        }
        if self.depth > DEPTH {
            return Err(UnreadableTree);
        }
        self.depth += 1;
        let load = |tree: Option<&Oid>| tree.map_or(Ok(Vec::new()), |id| self.objects.read(id).ok_or(UnreadableTree));
        let (old_raw, new_raw) = (load(old)?, load(new)?);
        let (mut olds, mut news) = (TreeEntries::of(&old_raw, old), TreeEntries::of(&new_raw, new));
        let (mut left, mut right) = (olds.next().transpose()?, news.next().transpose()?);
        loop {
            let order = match (&left, &right) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(two)) => one.order(two),
            };
            self.pair(left.filter(|_| order != Ordering::Greater), right.filter(|_| order != Ordering::Less))?;
            if order != Ordering::Greater {
                left = olds.next().transpose()?;
            }
            if order != Ordering::Less {
                right = news.next().transpose()?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Entries with one name: same kind on both sides, or one side absent.
    fn pair(&mut self, old: Option<TreeEntry<'_>>, new: Option<TreeEntry<'_>>) -> Result<(), UnreadableTree> {
        let Some(any) = old.or(new) else { return Ok(()) };
        if old.map(|e| (e.mode, e.id)) == new.map(|e| (e.mode, e.id)) {
            return Ok(());
        }
        let length = self.prefix.len();
        self.prefix.extend(any.name);
        if any.is_tree() {
            self.prefix.push(b'/');
            let (old, new) = (old.map(|e| e.oid()).transpose()?, new.map(|e| e.oid()).transpose()?);
            self.trees(old.as_ref(), new.as_ref())?;
        } else {
            self.found.total += 1;
            if self.found.kept.len() < KEPT {
                let side = |entry: TreeEntry<'_>| {
                    Ok(TreeFile { mode: entry.mode, id: entry.oid()?, path: self.prefix.clone() })
                };
                let (old, new) = (old.map(side).transpose()?, new.map(side).transpose()?);
                self.found.kept.push(Delta { old, new });
            }
        }
        self.prefix.truncate(length);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
struct TreeEntry<'a> {
    mode: u32,
    name: &'a [u8],
    id: &'a [u8],
}

impl TreeEntry<'_> {
    fn is_tree(&self) -> bool {
        self.mode & TYPE == TREE
    }

    /// Git's order: a directory sorts as if its name ended in a slash; equal means same name and same kind.
    fn order(&self, other: &Self) -> Ordering {
        let key = |entry: &Self| entry.is_tree().then_some(b'/');
        self.name.iter().copied().chain(key(self)).cmp(other.name.iter().copied().chain(key(other)))
    }

    fn oid(&self) -> Result<Oid, UnreadableTree> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let nibbles = self.id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = nibbles.map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect();
        hex.parse().map_err(|_| UnreadableTree)
    }
}

struct TreeEntries<'a> {
    rest: &'a [u8],
    id_len: usize,
}

impl<'a> TreeEntries<'a> {
    fn of(raw: &'a [u8], tree: Option<&Oid>) -> Self {
        Self { rest: raw, id_len: tree.map_or(20, |id| id.as_str().len() / 2) }
    }

    fn parse(&mut self) -> Option<TreeEntry<'a>> {
        let space = self.rest.iter().position(|byte| *byte == b' ')?;
        let nul = space + self.rest[space..].iter().position(|byte| *byte == 0)?;
        let mode = u32::from_str_radix(std::str::from_utf8(&self.rest[..space]).ok()?, 8).ok()?;
        let entry =
            TreeEntry { mode, name: &self.rest[space + 1..nul], id: self.rest.get(nul + 1..nul + 1 + self.id_len)? };
        self.rest = &self.rest[nul + 1 + self.id_len..];
        Some(entry)
    }
}

impl<'a> Iterator for TreeEntries<'a> {
    type Item = Result<TreeEntry<'a>, UnreadableTree>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.parse().ok_or(UnreadableTree))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[derive(Default)]
    struct Memory(HashMap<Oid, Vec<u8>>);

    impl Objects for Memory {
        fn size(&self, id: &Oid) -> Option<u64> {
            self.0.get(id).map(|data| data.len() as u64)
        }

        fn read(&self, id: &Oid) -> Option<Vec<u8>> {
            self.0.get(id).cloned()
        }
    }

    fn id(n: u8) -> Oid {
        format!("{n:02x}").repeat(20).parse().unwrap()
    }

    impl Memory {
        fn tree(mut self, n: u8, entries: &[(&str, &str, u8)]) -> Self {
            let mut raw = Vec::new();
            for (mode, name, entry) in entries {
                raw.extend(format!("{mode} {name}\0").bytes());
                raw.extend([*entry; 20]);
            }
            self.0.insert(id(n), raw);
            self
        }
    }

    fn changes(objects: &Memory, old: u8, new: u8) -> Vec<(String, bool, bool)> {
        let found = diff(objects, Some(&id(old)), Some(&id(new))).unwrap();
        found
            .kept
            .iter()
            .map(|d| (String::from_utf8(d.path().to_vec()).unwrap(), d.old.is_some(), d.new.is_some()))
            .collect()
    }

    #[test]
    fn added_deleted_and_modified_paths_are_found_in_order() {
        let objects = Memory::default()
            .tree(1, &[("100644", "a", 10), ("100644", "b", 11), ("40000", "d", 3)])
            .tree(2, &[("100644", "b", 12), ("40000", "d", 4), ("100644", "z", 13)])
            .tree(3, &[("100644", "same", 9)])
            .tree(4, &[("100644", "new", 8), ("100644", "same", 9)]);
        assert_eq!(
            changes(&objects, 1, 2),
            [
                ("a".into(), true, false),
                ("b".into(), true, true),
                ("d/new".into(), false, true),
                ("z".into(), false, true)
            ]
        );
    }

    #[test]
    fn a_file_that_becomes_a_directory_is_a_deletion_and_additions() {
        let objects = Memory::default()
            .tree(1, &[("100644", "x", 10), ("100644", "x-y", 11)])
            .tree(2, &[("100644", "x-y", 11), ("40000", "x", 3)])
            .tree(3, &[("100644", "in", 10)]);
        assert_eq!(changes(&objects, 1, 2), [("x".into(), true, false), ("x/in".into(), false, true)]);
    }

    #[test]
    fn equal_trees_are_not_even_read() {
        assert_eq!(diff(&Memory::default(), Some(&id(1)), Some(&id(1))).unwrap().total, 0);
    }

    #[test]
    fn a_missing_or_broken_tree_is_said_not_guessed() {
        let mut objects = Memory::default().tree(1, &[("100644", "a", 10)]);
        assert!(diff(&objects, Some(&id(1)), Some(&id(2))).is_err());
        objects.0.insert(id(2), b"100644 cut\0short".to_vec());
        assert!(diff(&objects, Some(&id(1)), Some(&id(2))).is_err());
    }

    #[test]
    fn each_file_is_handed_over_until_it_is_enough() {
        let objects = Memory::default()
            .tree(1, &[("100644", "a", 10), ("40000", "d", 3), ("100644", "z", 11)])
            .tree(3, &[("100644", "in", 12), ("40000", "gone", 99)]);
        let mut paths = Vec::new();
        each_file(&objects, &id(1), &mut |side| {
            paths.push(String::from_utf8(side.path).unwrap());
            true
        });
        assert_eq!(paths, ["a", "d/in", "z"]);
        let mut taken = 0;
        each_file(&objects, &id(1), &mut |_| {
            taken += 1;
            taken < 2
        });
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_tree_that_contains_itself_ends() {
        let objects = Memory::default().tree(1, &[("40000", "loop", 1)]);
        assert!(diff(&objects, None, Some(&id(1))).is_err());
        each_file(&objects, &id(1), &mut |_| true);
    }
}
