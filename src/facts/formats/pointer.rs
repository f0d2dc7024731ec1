//! Pointer files for content stored elsewhere: Git LFS (its specification's `spec/v1`), git-annex (a link or a file
//! with a key) and DVC.

use crate::domain::patch::{Change, FileChange, LineOrigin, UnreadReason};

/// Upper bound of a pointer's size in bytes, from the LFS specification.
pub const LONGEST: u64 = 1024;

/// The tool that stores the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointerTool {
    Lfs,
    Annex,
    Dvc,
}

/// One side of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointerSide {
    Absent,
    /// A pointer, with the content's size in bytes.
    Pointer(Option<u64>),
    /// The content itself.
    Content,
}

/// Change of a file that is a pointer on at least one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointerChange {
    pub keeper: PointerTool,
    pub from: PointerSide,
    pub to: PointerSide,
}

#[derive(Debug, PartialEq, Eq)]
struct Pointer {
    keeper: PointerTool,
    id: String,
    size: Option<u64>,
}

/// Whether these bytes are a pointer of Git LFS or git-annex.
#[must_use]
pub fn is_pointer(content: &[u8]) -> bool {
    content.len() as u64 <= LONGEST
        && std::str::from_utf8(content).is_ok_and(|text| parse("", &text.lines().collect::<Vec<_>>()).is_some())
}

/// The change, if either side is a pointer.
#[must_use]
pub fn find_change(file: &FileChange) -> Option<PointerChange> {
    let parsed = |origin| parse(&file.path, &side_lines(file, origin));
    let (old, new) = (parsed(LineOrigin::Removed), parsed(LineOrigin::Added));
    let keeper = new.as_ref().or(old.as_ref())?.keeper;
    if old.as_ref().map(|old| &old.id) == new.as_ref().map(|new| &new.id) {
        return None;
    }
    let side = |pointer: &Option<Pointer>, absent: bool| match pointer {
        Some(pointer) => PointerSide::Pointer(pointer.size),
        None if absent => PointerSide::Absent,
        None => PointerSide::Content,
    };
    let (from, to) = (side(&old, file.change == Change::Added), side(&new, file.change == Change::Deleted));
    Some(PointerChange { keeper, from, to })
}

/// A symbolic link's target before and after.
#[must_use]
pub fn link_targets(file: &FileChange) -> Option<(Option<String>, Option<String>)> {
    let target = |origin| side_lines(file, origin).first().map(|line| (*line).to_owned());
    let sides = (target(LineOrigin::Removed), target(LineOrigin::Added));
    let is_link = file.unread == Some(UnreadReason::Symlink) && file.change != Change::TypeChanged;
    (is_link && (sides.0.is_some() || sides.1.is_some())).then_some(sides)
}

fn side_lines(file: &FileChange, origin: LineOrigin) -> Vec<&str> {
    let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    lines
        .filter(|line| line.origin == origin || line.origin == LineOrigin::Context)
        .map(|line| line.text.as_str())
        .collect()
}

fn parse(path: &str, lines: &[&str]) -> Option<Pointer> {
    let (first, rest) = lines.split_first()?;
    lfs(first, rest).or_else(|| annex(first, rest)).or_else(|| path.ends_with(".dvc").then(|| dvc(lines))?)
}

fn lfs(first: &str, rest: &[&str]) -> Option<Pointer> {
    let version = first.strip_prefix("version https://")?;
    let is_spec = ["git-lfs.github.com/spec/", "hawser.github.com/spec/"].iter().any(|spec| version.starts_with(spec));
    let field = |name: &str| rest.iter().find_map(|line| line.strip_prefix(name));
    let id = field("oid ")?.to_owned();
    is_spec.then(|| Pointer {
        keeper: PointerTool::Lfs,
        id,
        size: field("size ").and_then(|size| size.trim().parse().ok()),
    })
}

/// `/annex/objects/SHA256E-s5242880--<hash>.bin`, alone or as a link target.
fn annex(first: &str, rest: &[&str]) -> Option<Pointer> {
    let pointed = first.starts_with("/annex/objects/") || first.contains(".git/annex/objects/");
    let key = first.trim_end().rsplit('/').next().filter(|key| pointed && rest.is_empty() && key.contains("--"))?;
    let fields = key.split("--").next().unwrap_or(key).split('-').skip(1);
    let size = fields.filter_map(|field| field.strip_prefix('s')).find_map(|size| size.parse().ok());
    Some(Pointer { keeper: PointerTool::Annex, id: key.to_owned(), size })
}

/// `- md5: <hash>` and `size: 5242880` below `outs:`.
fn dvc(lines: &[&str]) -> Option<Pointer> {
    let field = |names: &[&str]| {
        let keyed = lines.iter().filter_map(|line| line.trim().trim_start_matches("- ").split_once(": "));
        keyed.filter(|(key, _)| names.contains(key)).map(|(_, value)| value.trim().to_owned()).next()
    };
    let id = field(&["md5", "etag", "checksum"])?;
    Some(Pointer { keeper: PointerTool::Dvc, id, size: field(&["size"]).and_then(|size| size.parse().ok()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::{file, unread};

    const VERSION: &str = "version https://git-lfs.github.com/spec/v1";

    #[test]
    fn an_lfs_pointer_is_told_by_its_sizes() {
        let both = format!("@@\n {VERSION}\n-oid sha256:a\n-size 5\n+oid sha256:b\n+size 6");
        let moved = |from, to| Some(PointerChange { keeper: PointerTool::Lfs, from, to });
        assert_eq!(
            find_change(&file("a.bin", &both)),
            moved(PointerSide::Pointer(Some(5)), PointerSide::Pointer(Some(6)))
        );
        let into = format!("@@\n+{VERSION}\n+oid sha256:b\n+size 6");
        assert_eq!(find_change(&file("a.bin", &into)), moved(PointerSide::Content, PointerSide::Pointer(Some(6))));
        let added = FileChange { change: Change::Added, ..file("a.bin", &into) };
        assert_eq!(find_change(&added), moved(PointerSide::Absent, PointerSide::Pointer(Some(6))));
        let deleted = FileChange { change: Change::Deleted, ..file("a.bin", &into.replace('+', "-")) };
        assert_eq!(find_change(&deleted), moved(PointerSide::Pointer(Some(6)), PointerSide::Absent));
        assert_eq!(find_change(&file("a.md", "@@\n-one\n+two")), None);
    }

    #[test]
    fn annex_keys_and_dvc_files_are_pointers_too() {
        let annex = "@@\n-../.git/annex/objects/x/y/SHA256E-s5--a.bin/SHA256E-s5--a.bin\n+../.git/annex/objects/x/z/SHA256E-s6--b.bin/SHA256E-s6--b.bin";
        let (from, to) = (PointerSide::Pointer(Some(5)), PointerSide::Pointer(Some(6)));
        assert_eq!(find_change(&file("a.bin", annex)), Some(PointerChange { keeper: PointerTool::Annex, from, to }));
        let dvc = "@@\n outs:\n-- md5: a\n-  size: 5\n+- md5: b\n+  size: 6\n   path: a.bin";
        assert_eq!(find_change(&file("a.bin.dvc", dvc)), Some(PointerChange { keeper: PointerTool::Dvc, from, to }));
        assert!(is_pointer(b"/annex/objects/SHA256E-s5--a.bin\n"));
        assert!(is_pointer(format!("{VERSION}\noid sha256:a\nsize 5\n").as_bytes()));
        assert!(!is_pointer(b"version https://example.org/\noid a\n") && !is_pointer(b""));
    }

    #[test]
    fn a_link_is_told_by_what_it_points_to() {
        let hunks = file("current", "@@\n-v1\n+v2").hunks;
        let moved = FileChange { hunks, ..unread("current", Change::Modified, UnreadReason::Symlink) };
        assert_eq!(link_targets(&moved), Some((Some("v1".to_owned()), Some("v2".to_owned()))));
        assert_eq!(link_targets(&unread("current", Change::Modified, UnreadReason::Symlink)), None);
    }
}
