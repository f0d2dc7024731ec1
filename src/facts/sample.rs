//! Test fixtures: patches in diff notation.

use jiff::Timestamp;

use similar::{ChangeTag, TextDiff};

use crate::domain::patch::{Change, Commit, FileChange, Hunk, Line, Origin, Patch, Texts, Unread};

/// A file with hunks as in a diff: lines starting with `@@ header`, `+`, `-` or a blank.
/// A file of added lines only, without context, is an added one; of removed lines only a deleted one.
pub fn file(path: &str, patch: &str) -> FileChange {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in patch.lines() {
        if let Some(header) = line.strip_prefix("@@") {
            let header = header.strip_prefix(' ').unwrap_or(header).to_owned();
            hunks.push(Hunk { header, old_start: 1, new_start: 1, lines: Vec::new() });
        } else if let Some(hunk) = hunks.last_mut() {
            let origin = match line.as_bytes().first() {
                Some(b'+') => Origin::Added,
                Some(b'-') => Origin::Removed,
                _ => Origin::Context,
            };
            hunk.lines.push(Line { origin, text: line.get(1..).unwrap_or("").to_owned() });
        }
    }
    let count = |origin| hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin == origin).count() as u64;
    let (insertions, deletions) = (Some(count(Origin::Added)), Some(count(Origin::Removed)));
    FileChange { hunks, insertions, deletions, ..named(path, Change::Modified) }
}

/// A file with both complete versions, and their hunks with three lines of context.
pub fn versions(path: &str, old: &str, new: &str) -> FileChange {
    let diff = TextDiff::from_lines(old, new);
    let hunks = diff.grouped_ops(3).into_iter().map(|group| {
        let (first_old, first_new) = group.first().map_or((0, 0), |op| (op.old_range().start, op.new_range().start));
        let lines = group.iter().flat_map(|op| diff.iter_changes(op)).map(|change| {
            let origin = match change.tag() {
                ChangeTag::Insert => Origin::Added,
                ChangeTag::Delete => Origin::Removed,
                ChangeTag::Equal => Origin::Context,
            };
            Line { origin, text: change.value().trim_end_matches(['\n', '\r']).to_owned() }
        });
        let start = |first: usize| u32::try_from(first + 1).expect("a small file");
        Hunk { header: String::new(), old_start: start(first_old), new_start: start(first_new), lines: lines.collect() }
    });
    let hunks: Vec<Hunk> = hunks.collect();
    let count = |origin| hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin == origin).count() as u64;
    let (insertions, deletions) = (Some(count(Origin::Added)), Some(count(Origin::Removed)));
    let change = match (old.is_empty(), new.is_empty()) {
        (true, _) => Change::Added,
        (_, true) => Change::Deleted,
        _ => Change::Modified,
    };
    let texts = Some(Box::new(Texts { old: old.to_owned(), new: new.to_owned() }));
    FileChange { hunks, insertions, deletions, texts, ..named(path, change) }
}

/// A file without hunks.
pub fn named(path: &str, change: Change) -> FileChange {
    FileChange {
        path: path.to_owned(),
        old_path: None,
        change,
        mode_changed: false,
        insertions: Some(0),
        deletions: Some(0),
        hunks: Vec::new(),
        unread: None,
        texts: None,
    }
}

/// A file with line counts but without lines.
pub fn counted(path: &str, insertions: u64, deletions: u64) -> FileChange {
    let (insertions, deletions) = (Some(insertions), Some(deletions));
    FileChange { insertions, deletions, ..named(path, Change::Modified) }
}

pub fn unread(path: &str, change: Change, unread: Unread) -> FileChange {
    FileChange { insertions: None, deletions: None, unread: Some(unread), ..named(path, change) }
}

pub fn renamed(from: &str, to: &str) -> FileChange {
    FileChange { old_path: Some(from.to_owned()), ..named(to, Change::Renamed) }
}

/// A commit with one parent.
pub fn commit(message: &str, files: Vec<FileChange>) -> Commit {
    let counted = files.iter().all(|file| {
        file.insertions.is_some() || matches!(file.unread, Some(Unread::Binary | Unread::Submodule | Unread::Symlink))
    });
    let total = |count: fn(&FileChange) -> Option<u64>| counted.then(|| files.iter().filter_map(count).sum());
    let patch = Patch {
        files_total: files.len(),
        insertions: total(|file| file.insertions),
        deletions: total(|file| file.deletions),
        patch_id: None,
        truncated: !counted,
        files,
    };
    let id = |digit: &str| digit.repeat(40).parse().expect("forty digits");
    Commit {
        oid: id("a"),
        tree: id("b"),
        parents: vec![id("c")],
        author: "A U Thor".to_owned(),
        author_email: "author@example.org".to_owned(),
        authored_at: Timestamp::UNIX_EPOCH,
        committed_at: Timestamp::UNIX_EPOCH,
        message: message.to_owned(),
        change_id: None,
        branch: None,
        patch,
    }
}
