//! Names in a text that the commit does not know.

use std::path::Path;

use uro_capture::domain::patch::Commit;

use super::histories::sides;

/// Every name in backticks whose parts are neither in the patch, its hunk headers and paths, nor in either side of a
/// changed file, and every word with a slash that is neither in a path nor in a line.
pub fn names(text: &str, commit: &Commit, git_dir: &Path) -> Vec<String> {
    let mut unknown: Vec<String> = quoted(text).into_iter().filter(|name| !is_in_patch(name, commit)).collect();
    if !unknown.is_empty() {
        let blobs: String = commit
            .patch
            .files
            .iter()
            .map(|file| sides(git_dir, commit, &file.path, file.old_path.as_deref().unwrap_or(&file.path)))
            .collect();
        unknown.retain(|name| parts(name).any(|part| !blobs.contains(part)));
    }
    unknown.extend(paths(text).filter(|path| !is_path_of(path, commit)).map(str::to_owned));
    unknown
}

/// What stands between single backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|part| !part.is_empty())
}

fn is_in_patch(name: &str, commit: &Commit) -> bool {
    parts(name).all(|part| {
        commit.patch.files.iter().any(|file| {
            file.path.contains(part)
                || file.old_path.as_deref().is_some_and(|old| old.contains(part))
                || file
                    .hunks
                    .iter()
                    .any(|hunk| hunk.header.contains(part) || hunk.lines.iter().any(|line| line.text.contains(part)))
        })
    })
}

/// Words with a slash, outside of backticks and quotation marks.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let plain = text.split('`').step_by(2).flat_map(|text| text.split(['“', '”']).step_by(2));
    let words = plain.flat_map(str::split_whitespace);
    let bare = words.map(|word| word.trim_matches([',', '.', ';', ':', '(', ')', '…']).trim_start_matches('/'));
    bare.filter(|word| word.contains('/'))
}

/// Packages have slashes, too: those stand in the changed lines.
fn is_path_of(path: &str, commit: &Commit) -> bool {
    let of = |known: &str| known.contains(path);
    commit.patch.files.iter().any(|file| {
        let mut lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
        of(&file.path) || file.old_path.as_deref().is_some_and(of) || lines.any(|line| of(&line.text))
    })
}
