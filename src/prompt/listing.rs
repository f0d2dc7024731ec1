//! The changed files of a prompt, one line each: what matters first, noise by its name alone.

use std::fmt::Write as _;

use super::text::{plural, short};
use super::weight::weight;
use crate::domain::patch::{Change, FileChange, Patch, Unread};

/// Most files that are listed by name.
const LISTED: usize = 40;

/// At most `room` bytes, and a line that counts the rest.
pub(super) fn list(patch: &Patch, room: usize) -> String {
    let mut files: Vec<&FileChange> = patch.files.iter().collect();
    files.sort_by_cached_key(|file| weight(file).class);
    let mut text = String::new();
    let mut listed = 0;
    for file in files.into_iter().take(LISTED) {
        let line = entry(file);
        if text.len() + line.len() > room {
            break;
        }
        text.push_str(&line);
        listed += 1;
    }
    let more = patch.files_total.max(patch.files.len()) - listed;
    if more > 0 {
        let other = if listed > 0 { "and " } else { "" };
        let more_word = if listed > 0 { " more" } else { "" };
        let _infallible = writeln!(text, "{other}{more}{more_word} {}", plural(more, "file"));
    }
    text
}

fn entry(file: &FileChange) -> String {
    let mut line = format!("{} {}", verb(file.change), short(&file.path));
    if let Some(old) = file.old_path.as_deref().filter(|old| *old != file.path) {
        let _infallible = write!(line, " (from {})", short(old));
    }
    if let (Some(added), Some(removed)) = (file.insertions, file.deletions) {
        let _infallible = write!(line, " +{added} -{removed}");
    }
    if let Some(what) = weight(file).what {
        let _infallible = write!(line, ", {what}");
        line.push_str(if is_untold(file, what) { ", too large to show" } else { "" });
    }
    if file.mode_changed {
        line.push_str(", mode changed");
    }
    line.push('\n');
    line
}

/// A lockfile and its like without counts: why there are none.
fn is_untold(file: &FileChange, what: &str) -> bool {
    file.unread == Some(Unread::TooLarge) && what != "too large to show"
}

fn verb(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Deleted => "deleted",
        Change::Modified => "modified",
        Change::Renamed => "renamed",
        Change::Copied => "copied",
        Change::TypeChanged => "changed the type of",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::{counted, named, renamed, unread};

    fn listed(files: Vec<FileChange>, room: usize) -> String {
        list(&Patch { files_total: files.len(), files, ..Patch::default() }, room)
    }

    #[test]
    fn what_matters_comes_first_and_noise_says_what_it_is() {
        let files = vec![
            counted("Cargo.lock", 90, 3),
            unread("logo.png", Change::Added, Unread::Binary),
            unread("package-lock.json", Change::Modified, Unread::TooLarge),
            counted("dist/a.js", 5, 0),
            FileChange { mode_changed: true, ..counted("src/a.rs", 1, 2) },
            named("docs/gone.md", Change::Deleted),
            renamed("src/b.rs", "src/c.rs"),
        ];
        insta::assert_snapshot!(listed(files, 9000), @r"
        modified src/a.rs +1 -2, mode changed
        renamed src/c.rs (from src/b.rs) +0 -0
        deleted docs/gone.md +0 -0
        modified Cargo.lock +90 -3, lockfile
        added logo.png, binary
        modified package-lock.json, lockfile, too large to show
        modified dist/a.js +5 -0, generated
        ");
    }

    #[test]
    fn what_is_not_listed_is_counted() {
        let files: Vec<_> = (0..50).map(|n| counted(&format!("src/{n}.rs"), 1, 0)).collect();
        assert!(listed(files.clone(), 9000).ends_with("src/39.rs +1 -0\nand 10 more files\n"));
        assert_eq!(listed(files, 60), "modified src/0.rs +1 -0\nmodified src/1.rs +1 -0\nand 48 more files\n");
        assert_eq!(listed(vec![counted("a.rs", 1, 0)], 0), "1 file\n");
        assert_eq!(listed(vec![], 100), "");
    }
}
