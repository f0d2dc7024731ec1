//! Git hook installation: added beside existing hooks and removable without a trace.
//!
//! From git 2.54 on, hooks are entries of git's configuration. Before, a repository without a hook gets a
//! launcher that becomes `uro-hook`; an existing hook is kept byte for byte and called by a small shell script.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub mod apply;
pub mod block;
pub mod chain;
pub mod config_file;
pub mod install;
pub mod launcher;
pub mod locate;
pub mod quote;
pub mod slot;

pub use apply::apply;
pub use install::{find_block, find_dispatcher, plan_configure, plan_install, plan_remove, plan_unconfigure};
pub use locate::{HooksDir, locate};
pub use slot::{HookCondition, HookForm, HookState, inspect};

/// Why hooks could not be read, installed or removed.
#[derive(Debug, Error)]
pub enum GithooksError {
    #[error("cannot {doing} {}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("git looks for hooks in {}, which is not a directory", .0.display())]
    NotADirectory(PathBuf),
    #[error("{} is not a program that can be run by its absolute path", .0.display())]
    NotAProgram(PathBuf),
    #[error("another process is changing git's configuration: {} exists", .0.display())]
    Locked(PathBuf),
    #[error("git's configuration {} cannot be written", .0.display())]
    ReadOnly(PathBuf),
    #[error("{} is not a git configuration file", .0.display())]
    NotAConfiguration(PathBuf),
}

impl GithooksError {
    /// Adds the action and `path` to an I/O error, for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// One change to the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallStep {
    /// Creates the hooks directory, with a marker file in it.
    MakeDirectory(PathBuf),
    /// Renames a file, keeping every byte, the mode and the times. Replaces `to`.
    Move {
        from: PathBuf,
        to: PathBuf,
    },
    /// Adds a second name for the file, keeping every byte, the mode and the times; `to` must not exist. A later step
    /// replaces `from`, so that it exists at every moment.
    Keep {
        from: PathBuf,
        to: PathBuf,
    },
    /// Writes an executable file with `content` at `at`.
    Program {
        at: PathBuf,
        content: Vec<u8>,
    },
    Remove(PathBuf),
    /// Removes the directory's marker file, and the directory itself if it is empty then.
    RemoveDirectory(PathBuf),
    /// Adds our lines with the command `program` to a git configuration file, or removes them (`None`).
    Configure {
        file: PathBuf,
        program: Option<PathBuf>,
    },
}

/// Ordered steps, and warnings for the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookPlan {
    pub steps: Vec<InstallStep>,
    pub notes: Vec<Note>,
}

/// A file that was left unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Our script, edited by hand: not overwritten.
    Edited(PathBuf),
    /// A prior hook that is no longer called, since our hook was replaced.
    Kept(PathBuf),
}

impl HookPlan {
    /// True without any step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Appends the steps of `other`.
    pub fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.notes.extend(other.notes);
    }

    /// Every path that will be written, renamed or removed, in order, without duplicates: the list of `--dry-run`.
    #[must_use]
    pub fn written_paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = Vec::new();
        for step in &self.steps {
            let touched: &[&Path] = match step {
                InstallStep::Move { from, to } => &[from, to],
                InstallStep::Keep { to: path, .. }
                | InstallStep::Program { at: path, .. }
                | InstallStep::MakeDirectory(path)
                | InstallStep::Remove(path)
                | InstallStep::RemoveDirectory(path)
                | InstallStep::Configure { file: path, .. } => &[path],
            };
            for path in touched {
                if !paths.contains(path) {
                    paths.push(path);
                }
            }
        }
        paths
    }
}

#[cfg(test)]
mod integration_tests;
