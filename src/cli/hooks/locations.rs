//! Hook locations of each worktree, and lines to add by hand where nothing is written.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::failure::{Failure, quoted};
use crate::domain::event::HOOKS;
use crate::git::repo::Repo;
use crate::githooks::{HooksDir, find_dispatcher, locate};

/// Locates this worktree's hooks directory.
///
/// # Errors
/// The repository cannot be read.
pub fn location(repo: &Repo) -> Result<HooksDir, Failure> {
    let place = repo.location();
    let set = repo.hooks_path()?;
    Ok(locate(&place.common_dir, place.work_tree.as_deref(), set.as_ref().map(|(path, _)| path.as_path())))
}

/// Hook location of one worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorktreeHooks {
    /// The worktree's root, or the git directory of a bare repository.
    pub root: PathBuf,
    pub location: HooksDir,
    /// Why nothing is written there; `None` if writing is allowed.
    pub obstacle: Option<String>,
}

/// The main worktree's and every linked one's, in this order. One that cannot be opened is left out: it is being
/// created or removed.
///
/// # Errors
/// The repository itself cannot be read.
pub fn list_worktrees(repo: &Repo) -> Result<Vec<WorktreeHooks>, Failure> {
    let common = &repo.location().common_dir;
    let mut places = vec![inspect_worktree(&Repo::open_git_dir(common)?)?];
    let Ok(entries) = std::fs::read_dir(common.join("worktrees")) else { return Ok(places) };
    let mut dirs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    dirs.sort();
    let linked = dirs.iter().filter_map(|dir| Repo::open_git_dir(dir).ok());
    places.extend(linked.filter_map(|repo| inspect_worktree(&repo).ok()));
    Ok(places)
}

fn inspect_worktree(repo: &Repo) -> Result<WorktreeHooks, Failure> {
    let (place, location) = (repo.location(), location(repo)?);
    let set = repo.hooks_path()?.map(|(_, origin)| format!("core.hooksPath, {origin}"));
    let obstacle = match &location {
        HooksDir::Repository(dir) => find_dispatcher(dir)?
            .map(|hook| format!("{} goes by its name and cannot be called by ours", hook.display())),
        other => {
            let (dir, set) = (other.dir().display(), set.as_deref().unwrap_or("a link"));
            let reason = match other {
                HooksDir::WorkTree(_) => "in the work tree, where people commit it",
                _ => "outside this repository, where others may share it",
            };
            Some(format!("git looks for hooks in {dir} ({set}), {reason}"))
        }
    };
    Ok(WorktreeHooks { root: place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()), location, obstacle })
}

/// Lines that the user may add so that git reports commits, where we write nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManualLines {
    pub worktree: PathBuf,
    pub why: String,
    /// The hooks that need the line.
    pub files: Vec<PathBuf>,
    /// One line for all of them.
    pub line: String,
}

impl ManualLines {
    /// Builds the lines for a location with an obstacle.
    #[must_use]
    pub fn for_worktree(place: &WorktreeHooks, program: &Path) -> Option<Self> {
        let why = place.obstacle.clone()?;
        Some(Self { worktree: place.root.clone(), why, files: files(place.location.dir()), line: line(program) })
    }

    /// Display form.
    #[must_use]
    pub fn describe(&self) -> [String; 2] {
        let files: Vec<String> = self.files.iter().map(quoted).collect();
        [
            format!("{}: nothing is written there; the sidecar watches the repository instead", self.why),
            format!(
                "to let git report, add to {} (a new one begins with #!/bin/sh and is made executable): {}",
                files.join(", "),
                self.line
            ),
        ]
    }
}

/// The hook paths in a directory, in the order of [`HOOKS`]. Husky generates `.husky/_`; the user's own hooks
/// are in its parent.
#[must_use]
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let generated = dir.file_name() == Some("_".as_ref());
    let dir = dir.parent().filter(|above| generated && above.file_name() == Some(".husky".as_ref())).unwrap_or(dir);
    HOOKS.iter().map(|hook| dir.join(hook.as_str())).collect()
}

/// Silent and successful also if the program is missing.
fn line(program: &Path) -> String {
    // Always quoted, for a uniform look.
    let program = format!("'{}'", program.display().to_string().replace('\'', "'\\''"));
    format!("test ! -x {program} || {program} \"$(basename \"$0\")\" \"$@\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_hook_by_its_file() {
        let line = line(Path::new("/it's/uro-hook"));
        assert_eq!(line, r#"test ! -x '/it'\''s/uro-hook' || '/it'\''s/uro-hook' "$(basename "$0")" "$@""#);
    }

    #[test]
    fn huskys_own_directory_is_not_where_people_write() {
        assert_eq!(files(Path::new("/w/.husky/_"))[0], Path::new("/w/.husky/post-commit"));
        assert_eq!(files(Path::new("/w/.githooks"))[3], Path::new("/w/.githooks/post-applypatch"));
    }
}
