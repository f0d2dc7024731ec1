//! Rename detection: exact by object id, similar by shared lines.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Bounds;
use super::tree::{Delta, Objects, TreeFile};
use crate::domain::id::Oid;

/// Percentage of shared bytes from which two files count as a rename (git's default).
const THRESHOLD: u64 = 50;

/// Joins a deletion and an addition of the same file into one rename delta.
///
/// `excluded` paths are matched by object id only: their content is never loaded.
pub fn join_renames(
    deltas: Vec<Delta>,
    objects: &dyn Objects,
    bounds: &Bounds,
    excluded: &dyn Fn(&[u8]) -> bool,
) -> Vec<Delta> {
    let deltas = join_exact(deltas);
    if deltas.len() > bounds.rename_deltas {
        return deltas;
    }
    let pairs = find_similar(&deltas, objects, bounds, excluded);
    merge(deltas, pairs)
}

fn join_exact(deltas: Vec<Delta>) -> Vec<Delta> {
    let mut deleted: HashMap<(&Oid, u32), Vec<usize>> = HashMap::new();
    for (at, delta) in deltas.iter().enumerate() {
        if let (Some(old), None) = (&delta.old, &delta.new)
            && !is_empty_blob(&old.id)
        {
            deleted.entry((&old.id, old.kind())).or_default().push(at);
        }
    }
    let mut pairs = Vec::new();
    for (at, delta) in deltas.iter().enumerate() {
        let (None, Some(new)) = (&delta.old, &delta.new) else { continue };
        let Some(candidates) = deleted.get_mut(&(&new.id, new.kind())) else { continue };
        let same_name = candidates.iter().position(|old| base(deltas[*old].path()) == base(&new.path));
        if let Some(old) = same_name.or(candidates.len().checked_sub(1)) {
            pairs.push((candidates.swap_remove(old), at));
        }
    }
    merge(deltas, pairs)
}

/// Empty files are all identical; treating one as renamed would be a guess.
fn is_empty_blob(id: &Oid) -> bool {
    matches!(
        id.as_str(),
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" | "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
    )
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Turns (deleted, added) index pairs into one delta each, at the place of the addition.
fn merge(mut deltas: Vec<Delta>, pairs: Vec<(usize, usize)>) -> Vec<Delta> {
    let mut renamed_away = vec![false; deltas.len()];
    for (old, new) in pairs {
        renamed_away[old] = true;
        deltas[new].old = deltas[old].old.take();
    }
    let mut keep = renamed_away.iter().map(|is_away| !is_away);
    deltas.retain(|_| keep.next().unwrap_or(true));
    deltas
}

fn find_similar(
    deltas: &[Delta],
    objects: &dyn Objects,
    bounds: &Bounds,
    excluded: &dyn Fn(&[u8]) -> bool,
) -> Vec<(usize, usize)> {
    let usable = |side: &TreeFile| side.is_file() && !excluded(&side.path);
    let (mut olds, mut news) = (Vec::new(), Vec::new());
    for (at, delta) in deltas.iter().enumerate() {
        match (&delta.old, &delta.new) {
            (Some(side), None) if usable(side) => olds.push((at, side)),
            (None, Some(side)) if usable(side) => news.push((at, side)),
            _ => {}
        }
    }
    if olds.is_empty() || news.is_empty() {
        return Vec::new();
    }
    let mut spent = 0;
    let mut load = |(at, side): (usize, &TreeFile)| {
        let size = objects.size(&side.id)?;
        if size == 0 || size > bounds.file_bytes || spent + size > bounds.blob_bytes {
            return None;
        }
        spent += size;
        Some((at, HashedLines::of(&objects.read(&side.id)?)))
    };
    let olds: Vec<_> = olds.into_iter().filter_map(&mut load).collect();
    let news: Vec<_> = news.into_iter().filter_map(&mut load).collect();
    best_first(deltas, &olds, &news)
}

fn best_first(deltas: &[Delta], olds: &[(usize, HashedLines)], news: &[(usize, HashedLines)]) -> Vec<(usize, usize)> {
    let mut scored = Vec::new();
    for (old, old_lines) in olds {
        for (new, new_lines) in news {
            let score = old_lines.shared_percent(new_lines);
            if score >= THRESHOLD {
                let same_name = base(deltas[*old].path()) == base(deltas[*new].path());
                scored.push((score, same_name, *old, *new));
            }
        }
    }
    scored.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then((a.2, a.3).cmp(&(b.2, b.3))));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (_, _, old, new) in scored {
        if !pairs.iter().any(|pair| pair.0 == old || pair.1 == new) {
            pairs.push((old, new));
        }
    }
    pairs
}

/// A file as a multiset of hashed lines, each with its number of bytes.
struct HashedLines {
    bytes: u64,
    bag: HashMap<u64, u64>,
}

impl HashedLines {
    fn of(content: &[u8]) -> Self {
        let mut bag = HashMap::new();
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            let mut hasher = DefaultHasher::new();
            line.trim_ascii_end().hash(&mut hasher);
            *bag.entry(hasher.finish()).or_insert(0) += line.len() as u64;
        }
        Self { bytes: content.len() as u64, bag }
    }

    fn shared_percent(&self, other: &Self) -> u64 {
        let (less, more) = (self.bytes.min(other.bytes), self.bytes.max(other.bytes).max(1));
        if less * 100 / more < THRESHOLD {
            return 0;
        }
        let shared: u64 =
            self.bag.iter().map(|(line, bytes)| other.bag.get(line).map_or(0, |others| *bytes.min(others))).sum();
        shared * 100 / more
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Memory {
        blobs: Vec<(Oid, Vec<u8>)>,
        read: RefCell<Vec<Oid>>,
    }

    impl Objects for Memory {
        fn size(&self, id: &Oid) -> Option<u64> {
            self.blobs.iter().find(|(have, _)| have == id).map(|(_, data)| data.len() as u64)
        }

        fn read(&self, id: &Oid) -> Option<Vec<u8>> {
            self.read.borrow_mut().push(id.clone());
            self.blobs.iter().find(|(have, _)| have == id).map(|(_, data)| data.clone())
        }
    }

    fn id(n: usize) -> Oid {
        format!("{n:040x}").parse().unwrap()
    }

    fn memory(blobs: &[(usize, String)]) -> Memory {
        let blobs = blobs.iter().map(|(n, data)| (id(*n), data.clone().into_bytes())).collect();
        Memory { blobs, read: RefCell::default() }
    }

    fn side(path: &str, n: usize) -> Option<TreeFile> {
        Some(TreeFile { mode: 0o100_644, id: id(n), path: path.into() })
    }

    fn deleted(path: &str, n: usize) -> Delta {
        Delta { old: side(path, n), new: None }
    }

    fn added(path: &str, n: usize) -> Delta {
        Delta { old: None, new: side(path, n) }
    }

    fn limits() -> Bounds {
        Bounds { rename_deltas: 50, file_bytes: 1 << 20, blob_bytes: 1 << 20, ..Bounds::default() }
    }

    fn text(from: usize, to: usize) -> String {
        (from..to).map(|n| format!("line number {n}\n")).collect()
    }

    #[test]
    fn an_exact_rename_is_found_without_reading_anything() {
        let objects = memory(&[]);
        let joined = join_renames(vec![deleted("a", 1), added("b", 1)], &objects, &limits(), &|_| false);
        assert_eq!(joined, [Delta { old: side("a", 1), new: side("b", 1) }]);
        assert!(objects.read.borrow().is_empty());
    }

    #[test]
    fn of_two_equal_files_the_one_with_the_same_name_is_the_origin() {
        let deltas = vec![deleted("x/mod.rs", 1), deleted("x/other.rs", 1), added("y/mod.rs", 1)];
        let joined = join_renames(deltas, &memory(&[]), &limits(), &|_| false);
        assert_eq!(joined, [deleted("x/other.rs", 1), Delta { old: side("x/mod.rs", 1), new: side("y/mod.rs", 1) }]);
    }

    #[test]
    fn a_rename_with_edits_is_found_from_half_the_bytes_on() {
        let objects = memory(&[(1, text(0, 100)), (2, text(0, 80)), (3, text(500, 600))]);
        let joined = join_renames(vec![deleted("a", 1), added("b", 2), added("c", 3)], &objects, &limits(), &|_| false);
        assert_eq!(joined, [Delta { old: side("a", 1), new: side("b", 2) }, added("c", 3)]);
    }

    #[test]
    fn beyond_the_limit_only_exact_renames_are_found() {
        let objects = memory(&[(1, text(0, 100)), (2, text(0, 99))]);
        let limits = Bounds { rename_deltas: 1, ..limits() };
        let deltas = vec![deleted("a", 1), added("b", 2)];
        assert_eq!(join_renames(deltas.clone(), &objects, &limits, &|_| false), deltas);
        assert!(objects.read.borrow().is_empty());
    }

    #[test]
    fn excluded_and_large_files_are_never_loaded() {
        let objects = memory(&[(1, text(0, 100)), (2, text(0, 99)), (3, text(0, 98))]);
        let deltas = vec![deleted("secret", 1), added("b", 2), added("c", 3)];
        let small = Bounds { file_bytes: 10, ..limits() };
        assert_eq!(join_renames(deltas.clone(), &objects, &small, &|_| false), deltas);
        assert_eq!(join_renames(deltas.clone(), &objects, &limits(), &|path| path == b"secret"), deltas);
        assert!(objects.read.borrow().is_empty());
    }

    #[test]
    fn empty_files_are_never_renames() {
        let empty: Oid = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".parse().unwrap();
        let side = |path: &str| Some(TreeFile { mode: 0o100_644, id: empty.clone(), path: path.into() });
        let deltas = vec![Delta { old: side("a"), new: None }, Delta { old: None, new: side("b") }];
        assert_eq!(join_renames(deltas.clone(), &memory(&[]), &limits(), &|_| false), deltas);
    }
}
