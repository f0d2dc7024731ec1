//! Classifies commits into kinds with their own template: merge, revert, release, rename only, ….

use super::roles::FileRole;
use super::{dependencies, has_no_lines, is_merge, is_unknown, is_whitespace_only, roles, subject, version};
use crate::domain::patch::{Change, Commit, FileChange, LineOrigin, PatchLine, UnreadReason};

/// Kind of a commit. The first match in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    Merge,
    /// Its trees are incomplete (shallow clone), so its files are unknown.
    Unknown,
    /// It changes no file.
    Empty,
    /// It reverts another commit, by its message.
    Revert,
    /// It has no parent.
    Initial,
    /// It is to be squashed into an earlier commit: `fixup!`, `squash!`, `amend!`.
    Fixup,
    /// It sets the project's version, and its author calls it a release.
    Release,
    /// Manifests and lockfiles change only in dependencies.
    Dependencies,
    /// Files are only renamed.
    RenameOnly,
    /// Only file modes change.
    ModeOnly,
    /// Only submodules change.
    SubmoduleOnly,
    /// Only binary files.
    BinaryOnly,
    /// Lines differ only in whitespace.
    WhitespaceOnly,
    /// Import lines are reordered.
    ImportOrder,
    /// Only vendored files.
    Vendored,
    /// Only generated files.
    Generated,
    /// Only files of one role.
    Only(FileRole),
    Ordinary,
}

/// Classifies a commit.
#[must_use]
pub fn classify(commit: &Commit) -> Case {
    if is_merge(commit) {
        return Case::Merge;
    }
    if is_unknown(commit) {
        return Case::Unknown;
    }
    if commit.patch.files_total == 0 {
        return Case::Empty;
    }
    // Git's own words in the subject or the body.
    if commit.subject().starts_with("Revert \"") || reverted(commit).is_some() {
        return Case::Revert;
    }
    if commit.parents.is_empty() {
        return Case::Initial;
    }
    if subject::autosquash(commit.subject()).is_some() {
        return Case::Fixup;
    }
    if version::find_version_change(commit).is_some_and(|version| version.released) {
        return Case::Release;
    }
    // A truncated list says nothing about all files.
    if commit.patch.files.len() < commit.patch.files_total {
        return Case::Ordinary;
    }
    classify_files(&commit.patch.files, commit.patch.truncated)
}

/// `cut`: where lines were truncated, equal-looking ones may differ.
fn classify_files(files: &[FileChange], cut: bool) -> Case {
    let all = |what: fn(&FileChange) -> bool| files.iter().all(what);
    if all(|file| file.change == Change::Renamed && is_untouched(file)) {
        Case::RenameOnly
    } else if all(|file| file.mode_changed && file.change == Change::Modified && is_untouched(file)) {
        Case::ModeOnly
    } else if all(|file| file.unread == Some(UnreadReason::Submodule)) {
        Case::SubmoduleOnly
    } else if all(|file| file.unread == Some(UnreadReason::Binary)) {
        Case::BinaryOnly
    } else if !cut && all(|file| file.change == Change::Modified && !has_no_lines(file) && is_whitespace_only(file)) {
        Case::WhitespaceOnly
    } else if !cut && all(are_reordered) {
        Case::ImportOrder
    } else if all(|file| roles::is_vendored(&file.path)) {
        Case::Vendored
    } else if dependencies::is_dependencies_only(files) && !dependencies::find_changes(files).is_empty() {
        Case::Dependencies
    } else if all(|file| super::role_of(file) == FileRole::Generated) {
        Case::Generated
    } else {
        one_role(files)
    }
}

fn is_untouched(file: &FileChange) -> bool {
    file.unread.is_none() && file.insertions == Some(0) && file.deletions == Some(0)
}

fn one_role(files: &[FileChange]) -> Case {
    let mut of_files = files.iter().map(super::role_of);
    let first = of_files.next();
    match first {
        // A program among the documents may have any effect.
        Some(FileRole::Docs) if files.iter().any(|file| roles::is_program(&file.path)) => Case::Ordinary,
        Some(role) if role != FileRole::Other && of_files.all(|other| other == role) => Case::Only(role),
        _ => Case::Ordinary,
    }
}

/// The hash of the reverted commit, from the message.
#[must_use]
pub fn reverted(commit: &Commit) -> Option<&str> {
    // A squash lists the subjects of other commits, reverts among them.
    let first = commit.body().split("\n\n").next().unwrap_or("");
    let quoted = first.starts_with(['*', '-']);
    let (_, rest) = first.split_once("This reverts commit ").filter(|_| !quoted)?;
    let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    (7..=64).contains(&end).then(|| &rest[..end])
}

/// Whether only the order of import lines changed.
fn are_reordered(file: &FileChange) -> bool {
    let is_changed = |line: &&PatchLine| line.origin != LineOrigin::Context && !line.text.trim().is_empty();
    let changed: Vec<&PatchLine> = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(is_changed).collect();
    let whole = file.insertions.zip(file.deletions).is_some_and(|(a, b)| a + b == changed.len() as u64 && a > 0);
    let plain = file.change == Change::Modified && !file.mode_changed;
    plain && whole && changed.iter().all(|line| is_import(&line.text)) && is_permutation(&changed)
}

/// A complete import on one line; a list over several lines is uncertain.
fn is_import(line: &str) -> bool {
    let starts = ["import ", "from ", "use ", "pub use ", "#include ", "mod ", "pub mod ", "extern crate ", "require("];
    let text = line.trim();
    starts.iter().any(|start| text.starts_with(start)) && !text.ends_with(['{', '(', ',', '\\'])
}

fn is_permutation(changed: &[&PatchLine]) -> bool {
    let side = |origin| {
        let mut lines: Vec<&str> =
            changed.iter().filter(|line| line.origin == origin).map(|line| line.text.trim()).collect();
        lines.sort_unstable();
        lines
    };
    side(LineOrigin::Added) == side(LineOrigin::Removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::patch::Patch;
    use crate::facts::sample::{commit, counted, file, named, renamed, unread};

    #[test]
    fn each_kind_of_commit_is_told() {
        let mode = FileChange { mode_changed: true, ..named("run", Change::Modified) };
        for (files, case) in [
            (vec![], Case::Empty),
            (vec![renamed("a", "b")], Case::RenameOnly),
            (vec![mode.clone()], Case::ModeOnly),
            (vec![mode, renamed("a", "b")], Case::Ordinary),
            (vec![unread("lib", Change::Modified, UnreadReason::Submodule)], Case::SubmoduleOnly),
            (vec![unread("a.png", Change::Added, UnreadReason::Binary)], Case::BinaryOnly),
            (vec![file("a.rs", "@@\n-a b\n+ab")], Case::WhitespaceOnly),
            (vec![file("a.py", "@@\n-import b\n import a\n+import b")], Case::ImportOrder),
            (vec![counted("vendor/a.go", 1, 1)], Case::Vendored),
            (vec![counted("Cargo.lock", 1, 1)], Case::Generated),
            (vec![file("Cargo.toml", "@@\n [dependencies]\n-a = \"1\"\n+a = \"2\"")], Case::Dependencies),
            (vec![counted("README.md", 1, 1)], Case::Only(FileRole::Docs)),
            (vec![counted("docs/build.py", 1, 1), counted("docs/a.md", 1, 1)], Case::Ordinary),
            (vec![counted("tests/a.rs", 1, 1)], Case::Only(FileRole::Tests)),
            (vec![counted("src/a.rs", 1, 1)], Case::Only(FileRole::Source)),
            (vec![counted("src/a.rs", 1, 1), counted("README.md", 1, 1)], Case::Ordinary),
            (vec![unread("src/a.rs", Change::Modified, UnreadReason::TooLarge)], Case::Only(FileRole::Source)),
        ] {
            assert_eq!(classify(&commit("Subject", files.clone())), case, "{files:?}");
        }
    }

    #[test]
    fn lines_that_were_cut_are_not_known_to_be_the_same() {
        let mut long = commit("wip", vec![file("README.md", "@@\n-the same head\n+the same head")]);
        assert_eq!(classify(&long), Case::WhitespaceOnly);
        long.patch.truncated = true;
        assert_eq!(classify(&long), Case::Only(FileRole::Docs));
    }

    #[test]
    fn parents_and_messages_decide_first() {
        let mut merge = commit("Merge branch 'x'", vec![]);
        merge.parents.push(merge.oid.clone());
        assert_eq!(classify(&merge), Case::Merge);
        let mut root = commit("Start", vec![counted("README.md", 1, 0)]);
        root.parents.clear();
        assert_eq!(classify(&root), Case::Initial);
        let hash = "0123456789012345678901234567890123456789";
        let revert = commit(&format!("Undo\n\nThis reverts commit {hash}."), vec![counted("a", 1, 0)]);
        assert_eq!((classify(&revert), reverted(&revert)), (Case::Revert, Some(hash)));
        let list = format!("Fix\n\n* Revert \"x\"\n\nThis reverts commit {hash}.");
        for list in [list.replace("\n\nThis", "\nThis"), list] {
            assert_eq!(classify(&commit(&list, vec![counted("a", 1, 0)])), Case::Ordinary);
        }
        let quoted = commit("Explain\n\nThis reverts commit messages to plain text", vec![counted("a", 1, 0)]);
        assert_eq!(classify(&quoted), Case::Ordinary);
    }

    #[test]
    fn fixups_and_releases_are_told_by_their_subjects() {
        let of = |subject: &str| classify(&commit(subject, vec![counted("src/a.rs", 1, 0)]));
        assert_eq!([of("fixup! Add x"), of("amend! Add x"), of("squash! x")], [Case::Fixup; 3]);
        assert_eq!(of("v1.2.3"), Case::Release);
        assert_eq!(of("Release the lock"), Case::Only(FileRole::Source));
    }

    #[test]
    fn of_an_unread_patch_nothing_is_said() {
        let mut unknown = commit("Subject", vec![]);
        unknown.patch = Patch { truncated: true, ..Patch::default() };
        assert_eq!(classify(&unknown), Case::Unknown);
        let mut cut = commit("Subject", vec![counted("README.md", 1, 1)]);
        cut.patch.files_total = 9;
        assert_eq!(classify(&cut), Case::Ordinary);
    }

    #[test]
    fn another_order_of_imports_is_told_from_other_imports() {
        assert!(are_reordered(&file("a.rs", "@@\n-use b;\n use a;\n+use b;")));
        for patch in
            ["@@\n-use b;\n+use c;", "@@\n-b();\n a();\n+b();", "@@\n-use b::{\n use a;\n+use b::{", "@@\n+use b;"]
        {
            assert!(!are_reordered(&file("a.rs", patch)), "{patch}");
        }
        assert!(!are_reordered(&counted("a.rs", 1, 1)));
    }
}
