//! Verbs that a sentence about a patch can begin with: a model that has no other words cannot say that something came
//! where lines only went, or that something was renamed where nothing was.

use crate::domain::patch::{Change, FileChange, Origin, Patch};
use crate::facts;
use crate::facts::roles::FileRole;
use crate::facts::symbols::{Fate, Symbol};

/// What changed lines of either kind can do.
const ANY: &[&str] = &["Changes", "Fixes", "Handles", "Updates", "Corrects", "Disables"];
/// What takes new lines.
const COMES: &[&str] = &[
    "Adds", "Documents", "Tests", "Checks", "Supports", "Enables", "Uses", "Returns", "Sets", "Passes", "Prints",
    "Reads", "Writes", "Calls", "Shows", "Skips", "Ignores", "Accepts", "Rejects", "Raises", "Throws", "Logs",
    "Defines", "Exports",
];
/// What takes old ones.
const GOES: &[&str] = &["Removes", "Drops", "Deletes", "Stops"];
/// What takes both.
const BECOMES: &[&str] =
    &["Replaces", "Switches", "Converts", "Lowers", "Increases", "Decreases", "Simplifies", "Reorders", "Avoids"];
/// What takes something that stands elsewhere now, or under another name, or another version.
const MOVES: &[&str] = &["Moves", "Extracts", "Splits"];
const RENAMES: &[&str] = &["Renames"];
const BUMPS: &[&str] = &["Bumps", "Upgrades", "Downgrades"];
/// What documentation does: a model that reads of an option in it says that the option was added.
const DOCS: &[&str] = &["Documents", "Describes", "Mentions", "Explains", "Lists", "Links", "Corrects", "Updates"];
const TESTS: &[&str] = &["Tests", "Covers", "Checks", "Updates", "Corrects", "Changes"];

/// All that the patch allows. Where not all of it could be read, either kind of line may be there.
pub(super) fn of(patch: &Patch, symbols: &[Symbol]) -> Vec<&'static str> {
    let whole = !patch.truncated && patch.files.iter().all(|file| file.unread.is_none());
    let (added, removed) = (!whole || has(patch, Origin::Added), !whole || has(patch, Origin::Removed));
    let fate = |fate: Fate| symbols.iter().any(|symbol| symbol.fate == fate);
    let renamed = patch.files.iter().any(|file| file.change == Change::Renamed);
    let only = |role: FileRole| !patch.files.is_empty() && patch.files.iter().all(|file| facts::role_of(file) == role);
    let (docs, tests) = (only(FileRole::Docs), only(FileRole::Tests));
    let sides = [
        (docs && added, DOCS),
        (docs && removed && !added, &["Corrects", "Updates"]),
        (tests, TESTS),
        (!docs && !tests, ANY),
        (!docs && !tests && added, COMES),
        (removed, GOES),
        (added && removed, BECOMES),
        (renamed || fate(Fate::Moved), MOVES),
        (renamed || fate(Fate::Renamed), RENAMES),
        (patch.files.iter().any(has_versions), BUMPS),
    ];
    sides.iter().filter(|(allowed, _)| *allowed).flat_map(|(_, verbs)| *verbs).copied().collect()
}

fn lines(file: &FileChange, origin: Origin) -> impl Iterator<Item = &str> {
    let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    lines.filter(move |line| line.origin == origin).map(|line| line.text.as_str())
}

/// Files that came or went have lines of one kind, too, even where they have none.
fn has(patch: &Patch, origin: Origin) -> bool {
    let alone = if origin == Origin::Added { Change::Added } else { Change::Deleted };
    patch.files.iter().any(|file| file.change == alone || lines(file, origin).next().is_some())
}

/// A version on a line that went and on one that came.
fn has_versions(file: &FileChange) -> bool {
    let version = |text: &str| {
        let digits = |part: &str| part.chars().next().is_some_and(|c| c.is_ascii_digit());
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .any(|word| word.split('.').filter(|part| digits(part)).count() >= 2)
    };
    lines(file, Origin::Removed).any(version) && lines(file, Origin::Added).any(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::facts::{self, sample};

    fn openers(patch: &str) -> Vec<&'static str> {
        let commit = sample::commit("wip", vec![sample::file("src/a.rs", patch)]);
        of(&commit.patch, &facts::of(&commit, &SystemClock).symbols)
    }

    #[test]
    fn a_side_that_has_no_lines_has_no_verbs() {
        let added = openers("@@\n+one();\n");
        assert!(added.contains(&"Adds") && !added.contains(&"Removes") && !added.contains(&"Replaces"));
        let removed = openers("@@\n-one();\n");
        assert!(removed.contains(&"Removes") && !removed.contains(&"Adds") && !removed.contains(&"Replaces"));
        let both = openers("@@\n-one();\n+two();\n");
        assert!(["Adds", "Removes", "Replaces"].iter().all(|verb| both.contains(verb)));
    }

    #[test]
    fn documentation_adds_no_options() {
        let docs = sample::commit("wip", vec![sample::file("README.md", "@@\n+`--fast` is fast.\n")]);
        let docs = of(&docs.patch, &[]);
        assert!(docs.contains(&"Documents") && !docs.contains(&"Adds"), "{docs:?}");
    }

    #[test]
    fn nothing_is_renamed_moved_or_bumped_that_is_not() {
        let both = openers("@@\n-one();\n+two();\n");
        assert!(!["Renames", "Moves", "Bumps"].iter().any(|verb| both.contains(verb)), "{both:?}");
        assert!(openers("@@\n-v = \"1.2.3\"\n+v = \"1.3.0\"\n").contains(&"Bumps"));
        let renamed = sample::commit("wip", vec![sample::renamed("a.rs", "b.rs")]);
        assert!(of(&renamed.patch, &[]).contains(&"Renames"));
    }
}
