//! Facts about a patch, ranked: input of the template, the prompt and the hallucination check.

use crate::domain::capture::CaptureKind;
use crate::domain::clock::Clock;
use crate::domain::patch::{Change, Commit, FileChange, LineOrigin, PatchLine, UnreadReason};

pub mod author;
pub mod breaking;
pub mod case;
pub mod dependencies;
pub mod edits;
pub mod formats;
pub mod injection;
pub mod language;
pub mod layout;
mod line_cursor;
pub mod mentions;
pub mod roles;
#[cfg(test)]
pub mod sample;
pub mod subject;
pub mod symbols;
pub mod syntax;
pub mod version;

use author::Author;
use breaking::BreakingHint;
use dependencies::DependencyChange;
use formats::FormatChange;
use mentions::Mention;

use case::Case;
use roles::FileRole;
use subject::SubjectLine;
use symbols::Symbol;
use version::ProjectVersion;

/// Facts about a commit, in order of importance.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Kind of commit; special kinds are described before any symbol.
    pub case: Case,
    /// The author's subject, and whether it is informative.
    pub subject: SubjectLine,
    /// Definitions added, removed, moved or changed, the most important first.
    pub symbols: Vec<Symbol>,
    /// `symbols` is complete; otherwise the parsing budget ran out, and no count is stated.
    pub all_symbols: bool,
    /// Renamed files: (from, to), with or without changed lines.
    pub renames: Vec<(String, String)>,
    /// Distribution of the change over roles, source first.
    pub shares: Vec<RoleShare>,
    /// Manifests with changed lines.
    pub manifests: Vec<String>,
    /// Dependency changes, direct ones before transitive ones.
    pub dependencies: Vec<DependencyChange>,
    /// `dependencies` is complete; otherwise a manifest or lockfile was truncated, and no count is stated.
    pub all_dependencies: bool,
    /// The project's own version, if it changes.
    pub version: Option<ProjectVersion>,
    /// Breaking-change hints.
    pub breaking: Vec<BreakingHint>,
    /// Other key terms on the changed lines, the most characteristic first.
    pub mentions: Vec<Mention>,
    /// Changes in special file formats.
    pub formats: Vec<FormatChange>,
    /// The author's reasons, quantities and tickets.
    pub author: Author,
    /// Number of changed files, listed or not.
    pub files_total: usize,
    /// Every changed file is listed; otherwise `shares` and `renames` are incomplete.
    pub all_listed: bool,
}

/// The files of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleShare {
    pub role: FileRole,
    pub files: usize,
    /// Lines; `None` if a text file of the role was not read.
    pub insertions: Option<u64>,
    pub deletions: Option<u64>,
}

/// Extracts the facts of a commit; `clock` bounds the parsing time.
#[must_use]
pub fn extract_facts(commit: &Commit, clock: &dyn Clock) -> Facts {
    let files = &commit.patch.files;
    let is_rename = |file: &&FileChange| file.change == Change::Renamed;
    let (formats, read) = formats::extract_format_changes(files);
    let (symbols, all_symbols) = syntax::find_symbols_with_extent(&read, clock);
    Facts {
        case: case::classify(commit),
        subject: SubjectLine::from_commit(commit),
        mentions: mentions::find_mentions(&read, &symbols),
        formats,
        symbols,
        all_symbols,
        renames: files.iter().filter(is_rename).filter_map(|f| Some((f.old_path.clone()?, f.path.clone()))).collect(),
        shares: shares(files),
        dependencies: dependencies::find_changes(files),
        all_dependencies: dependencies::are_all_known(files),
        version: version::find_version_change(commit),
        breaking: breaking::find_breaking_hints(commit),
        author: Author::from_message(&commit.message),
        manifests: files.iter().filter(|file| roles::is_manifest(&file.path)).map(|file| file.path.clone()).collect(),
        files_total: commit.patch.files_total,
        all_listed: files.len() == commit.patch.files_total && !is_unknown(commit),
    }
}

impl Facts {
    /// Drops every fact whose name `secret` recognises. Definitions and packages come from texts that were not
    /// redacted.
    #[must_use]
    pub fn without_secrets(mut self, secret: &dyn Fn(&str) -> bool) -> Self {
        self.symbols.retain(|symbol| !symbol.names().any(secret));
        let words = |change: &DependencyChange| [Some(change.name.clone()), change.from.clone(), change.to.clone()];
        self.dependencies.retain(|change| !words(change).iter().flatten().any(|word| secret(word)));
        self
    }
}

/// Nothing of the patch could be read, not even the list of files.
fn is_unknown(commit: &Commit) -> bool {
    commit.patch.truncated && commit.patch.files_total == 0
}

fn shares(files: &[FileChange]) -> Vec<RoleShare> {
    let mut shares: Vec<RoleShare> = Vec::new();
    for file in files {
        let role = role_of(file);
        let is_pointer = formats::pointer::find_change(file).is_some();
        let lines = |count: Option<u64>| {
            count.filter(|_| !is_pointer).or_else(|| (is_pointer || has_no_lines(file)).then_some(0))
        };
        let (added, removed) = (lines(file.insertions), lines(file.deletions));
        match shares.iter_mut().find(|share| share.role == role) {
            Some(share) => {
                share.files += 1;
                share.insertions = share.insertions.zip(added).map(|(a, b)| a + b);
                share.deletions = share.deletions.zip(removed).map(|(a, b)| a + b);
            }
            None => shares.push(RoleShare { role, files: 1, insertions: added, deletions: removed }),
        }
    }
    shares.sort_by_key(|share| share.role);
    shares
}

/// The role of a file, by its path and by being binary.
#[must_use]
pub fn role_of(file: &FileChange) -> FileRole {
    match (FileRole::from_path(&file.path), file.unread) {
        // A submodule is another repository, in any folder.
        (_, Some(UnreadReason::Submodule)) => FileRole::Other,
        (role @ (FileRole::Source | FileRole::Docs | FileRole::Other), Some(UnreadReason::Binary)) => {
            if role == FileRole::Docs { FileRole::Docs } else { FileRole::Asset }
        }
        (role, _) => role,
    }
}

fn has_no_lines(file: &FileChange) -> bool {
    matches!(file.unread, Some(UnreadReason::Binary | UnreadReason::Submodule | UnreadReason::Symlink))
}

/// Whether lines differ only in whitespace, compared per run of changed lines. (Over the whole file, reordered lines
/// would match, too.)
fn is_whitespace_only(file: &FileChange) -> bool {
    let changed =
        file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.origin != LineOrigin::Context).count();
    let whole = file.insertions.zip(file.deletions).is_some_and(|(a, b)| a + b == changed as u64 && changed > 0);
    let run_is_blank = |run: &[PatchLine]| {
        let text = |origin: LineOrigin| {
            let lines = run.iter().filter(move |line| line.origin == origin);
            lines.flat_map(|line| line.text.chars()).filter(|c| !c.is_whitespace())
        };
        // Two different secrets have the same placeholder.
        let redacted = run.iter().any(|line| line.text.contains("[redacted:"));
        !redacted && text(LineOrigin::Added).eq(text(LineOrigin::Removed))
    };
    whole && file.hunks.iter().all(|hunk| hunk.lines.split(|line| line.origin == LineOrigin::Context).all(run_is_blank))
}

fn is_merge(commit: &Commit) -> bool {
    commit.kind() == CaptureKind::Merge
}

#[cfg(test)]
mod tests {
    use super::sample::{commit, counted, file, renamed, unread};
    use super::*;
    use crate::domain::clock::SystemClock;

    #[test]
    fn shares_are_split_by_role_and_say_when_lines_are_unknown() {
        let files = vec![
            counted("tests/a.rs", 5, 0),
            counted("src/a.rs", 10, 2),
            counted("src/b.rs", 1, 1),
            unread("Cargo.lock", Change::Modified, UnreadReason::Excluded),
            unread("logo.png", Change::Added, UnreadReason::Binary),
        ];
        let facts = extract_facts(&commit("Add", files), &SystemClock);
        let shares: Vec<_> = facts.shares.iter().map(|s| (s.role, s.files, s.insertions, s.deletions)).collect();
        assert_eq!(
            shares,
            [
                (FileRole::Source, 2, Some(11), Some(3)),
                (FileRole::Tests, 1, Some(5), Some(0)),
                (FileRole::Asset, 1, Some(0), Some(0)),
                (FileRole::Generated, 1, None, None),
            ]
        );
    }

    #[test]
    fn renames_and_manifests_are_listed() {
        let facts =
            extract_facts(&commit("Move", vec![renamed("a.rs", "b.rs"), counted("Cargo.toml", 1, 1)]), &SystemClock);
        assert_eq!(facts.renames, [("a.rs".to_owned(), "b.rs".to_owned())]);
        assert_eq!(facts.manifests, ["Cargo.toml"]);
        assert!(facts.all_listed);
    }

    #[test]
    fn whitespace_is_told_from_words() {
        assert!(is_whitespace_only(&file("a.rs", "@@\n-fn a(){b()}\n+fn a() {\n+    b()\n+}")));
        assert!(!is_whitespace_only(&file("a.rs", "@@\n-a\n+b")));
        assert!(!is_whitespace_only(&file("a.rs", "@@\n-a\n b\n+a")));
        assert!(!is_whitespace_only(&counted("a.rs", 1, 1)));
        assert!(!is_whitespace_only(&file("a.yml", "@@\n-token: [redacted:x]\n+token:  [redacted:x]")));
    }
}
