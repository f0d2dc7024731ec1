//! Repository search below a directory: bounded, without following links, and not inside a found repository.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Maximum depth: `~/src/host/owner/group/name` is four.
const DEPTH: usize = 6;
/// Maximum number of directories; at ten microseconds each about a second.
const DIRECTORIES: usize = 100_000;

/// Search result.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SearchResult {
    /// Directories of repositories, sorted by path.
    pub repositories: Vec<PathBuf>,
    /// Directories that could not be read, or were skipped because of the limit.
    pub skipped: Vec<PathBuf>,
}

/// Searches below `starts`. Hidden directories and `node_modules` are skipped; below a repository only its
/// submodules are searched, unless it is a start directory (a home directory under version control).
#[must_use]
pub fn find_repositories(starts: &[PathBuf]) -> SearchResult {
    let (mut found, mut looked) = (SearchResult::default(), 0);
    let mut open: VecDeque<(PathBuf, usize)> = starts.iter().map(|start| (start.clone(), 0)).collect();
    while let Some((dir, depth)) = open.pop_front() {
        looked += 1;
        if looked > DIRECTORIES {
            found.skipped.push(dir);
            continue;
        }
        let is_repository = visit(&dir, &mut found, &mut open, depth);
        if depth < DEPTH && (!is_repository || depth == 0) {
            match list_dirs(&dir) {
                Ok(dirs) => open.extend(dirs.into_iter().map(|dir| (dir, depth + 1))),
                Err(_) => found.skipped.push(dir),
            }
        }
    }
    found.repositories.sort();
    found.repositories.dedup();
    found
}

/// True for a repository, which is recorded, and its submodules' directory is queued.
fn visit(dir: &Path, found: &mut SearchResult, open: &mut VecDeque<(PathBuf, usize)>, depth: usize) -> bool {
    let git = dir.join(".git");
    let git_dir = if is_git_dir(dir) { dir } else { &git };
    // jj may keep git's directory below its own.
    let is_jj = || dir.join(".jj/repo/store/git").is_dir();
    let is_repository = is_git_dir(git_dir) || git.is_file() || is_jj();
    if is_repository {
        found.repositories.push(dir.to_owned());
        let modules = git_dir.join("modules");
        if modules.is_dir() {
            open.push_back((modules, depth + 1));
        }
    }
    is_repository
}

fn is_git_dir(dir: &Path) -> bool {
    dir.join("HEAD").is_file() && dir.join("objects").is_dir() && dir.join("refs").exists()
}

fn list_dirs(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut dirs = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if !hidden && name != "node_modules" && entry.file_type()?.is_dir() {
            dirs.push(entry.path());
        }
    }
    Ok(dirs)
}

/// Start directories for globs over absolute paths: the part of each before its first wildcard.
#[must_use]
pub fn fixed_prefixes(globs: &[String]) -> Vec<PathBuf> {
    let is_fixed = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let prefix = |glob: &String| glob.split('/').take_while(is_fixed).collect::<Vec<_>>().join("/");
    let absolute = |path: &PathBuf| path.is_absolute() && path.parent().is_some();
    globs.iter().map(prefix).map(PathBuf::from).filter(absolute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git_dir(dir: &Path) {
        for part in ["objects", "refs"] {
            std::fs::create_dir_all(dir.join(part)).unwrap();
        }
        std::fs::write(dir.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    }

    #[test]
    fn repositories_of_every_kind_are_found_and_nothing_below_them() {
        let top = tempfile::tempdir().unwrap();
        let at = |part: &str| top.path().join(part);
        git_dir(&at("a/plain/.git"));
        git_dir(&at("a/plain/vendor/clone/.git"));
        git_dir(&at("a/plain/.git/modules/deep/module"));
        git_dir(&at("bare.git"));
        git_dir(&at("by_jj/.jj/repo/store/git"));
        git_dir(&at("by_jj/vendor/clone/.git"));
        git_dir(&at(".hidden/x/.git"));
        git_dir(&at("a/node_modules/x/.git"));
        std::fs::create_dir_all(at("linked")).unwrap();
        std::fs::write(at("linked/.git"), "gitdir: elsewhere\n").unwrap();
        std::os::unix::fs::symlink(top.path(), at("a/loop")).unwrap();
        let expected: Vec<PathBuf> =
            ["a/plain", "a/plain/.git/modules/deep/module", "bare.git", "by_jj", "linked"].map(at).into();
        assert_eq!(
            find_repositories(&[top.path().to_owned()]),
            SearchResult { repositories: expected, skipped: Vec::new() }
        );
    }

    #[test]
    fn a_search_that_starts_in_a_repository_goes_on_below_it() {
        let top = tempfile::tempdir().unwrap();
        git_dir(&top.path().join(".git"));
        git_dir(&top.path().join("src/a/.git"));
        let found = find_repositories(&[top.path().to_owned()]).repositories;
        assert_eq!(found, [top.path().to_owned(), top.path().join("src/a")]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let found = find_repositories(&[PathBuf::from("/nonexistent")]);
        assert_eq!(found, SearchResult { repositories: Vec::new(), skipped: vec!["/nonexistent".into()] });
    }

    #[test]
    fn globs_begin_with_the_directories_they_are_about() {
        let globs = ["/home/me/src/**", "/home/me/w*/x", "**/x", "/home/me/one", "/*"].map(str::to_owned);
        let expected = ["/home/me/src", "/home/me", "/home/me/one"].map(PathBuf::from);
        assert_eq!(fixed_prefixes(&globs), expected);
    }
}
