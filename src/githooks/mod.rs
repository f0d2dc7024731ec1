//! Installing git hooks beside whatever is there, and taking them out again without a trace.
//!
//! From git 2.54 on they stand in git's configuration and displace nothing. Below, where no hook was, ours is a
//! launcher that becomes `uro-hook`; a hook that was there is kept byte for byte and called by a small shell script.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub mod apply;
pub mod block;
pub mod chain;
pub mod config_file;
pub mod configure;
pub mod inspect;
pub mod install;
pub mod launcher;
pub mod locate;
pub mod quote;
pub mod remove;
pub mod slot;

pub use apply::apply;
pub use configure::{configured, plan_configure, plan_unconfigure};
pub use inspect::{HookState, How, State, inspect};
pub use install::{dispatcher, plan_install};
pub use locate::{Location, locate};
pub use remove::plan_remove;

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
    #[error("{} is no configuration file of git's", .0.display())]
    NotAConfiguration(PathBuf),
}

impl GithooksError {
    /// Names what was being done to `path`, for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// One change to the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes the hooks directory, with a mark in it that says so.
    MakeDirectory(PathBuf),
    /// Renames what is there, keeping every byte, the mode and the times. Replaces what is at `to`.
    Move {
        from: PathBuf,
        to: PathBuf,
    },
    /// Gives the file a second name, keeping every byte, the mode and the times; nothing may be at `to`. A later step
    /// replaces what is at `from`, so that there is no moment without it.
    Keep {
        from: PathBuf,
        to: PathBuf,
    },
    /// Puts an executable file with `content` at `at`.
    Program {
        at: PathBuf,
        content: Vec<u8>,
    },
    Remove(PathBuf),
    /// Removes the directory's mark, and the directory itself unless somebody put something into it.
    RemoveDirectory(PathBuf),
    /// Puts our lines, which call `program`, into one of git's configuration files, or takes them out (absent).
    Configure {
        file: PathBuf,
        program: Option<PathBuf>,
    },
}

/// What is to be done, in this order, and what a person should know about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub notes: Vec<Note>,
}

/// Something that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Our script, changed by hand: not overwritten.
    Edited(PathBuf),
    /// A hook from before that nothing calls any more, since somebody replaced ours.
    Kept(PathBuf),
}

impl Plan {
    /// Nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// First this one, then `other`.
    pub fn then(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.notes.extend(other.notes);
    }

    /// Every path that will be written, renamed or removed, in order and once each: what `--dry-run` lists.
    #[must_use]
    pub fn writes(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = Vec::new();
        for path in self.steps.iter().flat_map(Step::touches) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }
}

impl Step {
    fn touches(&self) -> Vec<&Path> {
        match self {
            Self::Move { from, to } => vec![from, to],
            Self::Keep { to, .. } => vec![to],
            Self::Program { at, .. } => vec![at],
            Self::MakeDirectory(path) | Self::Remove(path) | Self::RemoveDirectory(path) => vec![path],
            Self::Configure { file, .. } => vec![file],
        }
    }
}

#[cfg(test)]
mod trial;
