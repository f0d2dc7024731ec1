//! Executes a plan as a sequence of atomic file system operations, each made durable before the next one:
//! after a kill or a power loss between any two of them, the user's own hook is in place and runs.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::slot::{exists, mark};
use super::{GithooksError, Plan, Step, block, config_file};
use crate::config::paths::{sync_directory_of, write_synced};

/// Executes `plan` step by step and stops at the first failure; planning and applying again continues.
///
/// # Errors
/// The first operation that failed, with its path.
pub fn apply(plan: &Plan) -> Result<(), GithooksError> {
    plan.steps.iter().flat_map(operations).try_for_each(|operation| operation.perform())
}

/// One operation; a power loss can happen between two of them.
#[derive(Debug)]
pub(super) enum Operation<'a> {
    MakeDirectory(&'a Path),
    /// A new file, its content synced.
    Write {
        at: PathBuf,
        content: &'a [u8],
        mode: u32,
    },
    /// A second name for the same file.
    Link {
        from: &'a Path,
        to: &'a Path,
    },
    Rename {
        from: PathBuf,
        to: &'a Path,
    },
    Remove(PathBuf),
    /// Unless the directory has other entries.
    RemoveDirectory(&'a Path),
    /// Syncs the parent directory of this path.
    Sync(&'a Path),
    Configure {
        file: &'a Path,
        program: Option<&'a Path>,
    },
}

/// The operations of one step, in order.
pub(super) fn operations(step: &Step) -> Vec<Operation<'_>> {
    match step {
        Step::MakeDirectory(path) => vec![
            Operation::MakeDirectory(path),
            Operation::Write { at: mark(path), content: MARK_TEXT, mode: 0o644 },
            Operation::Sync(path),
        ],
        Step::Move { from, to } => vec![Operation::Rename { from: from.clone(), to }, Operation::Sync(to)],
        Step::Keep { from, to } => vec![Operation::Link { from, to }, Operation::Sync(to)],
        Step::Program { at, content } => vec![
            // Readable and executable for every user with access to the directory, as git's samples are.
            Operation::Write { at: new_name(at), content, mode: 0o755 },
            Operation::Sync(at),
            Operation::Rename { from: new_name(at), to: at },
            Operation::Sync(at),
        ],
        Step::Remove(path) => vec![Operation::Remove(path.clone()), Operation::Sync(path)],
        Step::RemoveDirectory(path) => vec![Operation::Remove(mark(path)), Operation::RemoveDirectory(path)],
        Step::Configure { file, program } => vec![Operation::Configure { file, program: program.as_deref() }],
    }
}

const MARK_TEXT: &[u8] = b"uro-capture made this directory, and removes it again if it is empty then.\n";

impl Operation<'_> {
    pub(super) fn perform(&self) -> Result<(), GithooksError> {
        match self {
            Self::MakeDirectory(path) => fs::create_dir_all(path).map_err(GithooksError::io("create", path)),
            Self::Write { at, content, mode } => write_anew(at, content, *mode).map_err(GithooksError::io("write", at)),
            Self::Link { from, to } => link(from, to).map_err(GithooksError::io("rename", from)),
            Self::Rename { from, to } => fs::rename(from, to).map_err(GithooksError::io("rename", from)),
            Self::Remove(path) => fs::remove_file(path).map_err(GithooksError::io("remove", path)),
            Self::RemoveDirectory(path) => remove_if_empty(path).map_err(GithooksError::io("remove", path)),
            Self::Sync(path) => sync_directory_of(path).map_err(GithooksError::io("sync", path)),
            // The content under the lock counts, which may differ from the plan's.
            Self::Configure { file, program: Some(program) } => {
                config_file::rewrite(file, |text| Some(block::installed(text, program)))
            }
            Self::Configure { file, program: None } => config_file::rewrite(file, |text| text.and_then(block::removed)),
        }
    }
}

fn write_anew(at: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    // Left by an interrupted attempt; it may be a link by now.
    if exists(at) {
        fs::remove_file(at)?;
    }
    write_synced(at, content, mode)
}

/// If the file system has no hard links, or this kind of file cannot have them, a copy is made instead: it is
/// complete before it gets its name.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => copy(from, to),
        linked => linked,
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (new, found) = (new_name(to), fs::symlink_metadata(from)?);
    if found.is_dir() {
        // Git runs no directory, so moving it away loses no hook.
        return fs::rename(from, to);
    }
    if exists(&new) {
        fs::remove_file(&new)?;
    }
    if found.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, &new)?;
        return fs::rename(&new, to);
    }
    write_synced(&new, &fs::read(from)?, found.permissions().mode() & 0o7777)?;
    fs::File::options().write(true).open(&new)?.set_modified(found.modified()?)?;
    fs::rename(&new, to)
}

fn remove_if_empty(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other,
    }
}

fn new_name(at: &Path) -> PathBuf {
    let mut name: OsString = at.as_os_str().to_owned();
    name.push(".uro-new");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_no_hard_links_a_copy_keeps_bytes_mode_and_time() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("post-commit"), home.path().join("post-commit.uro-prior"));
        fs::write(&from, b"#!/bin/sh\n\xff").unwrap();
        fs::set_permissions(&from, fs::Permissions::from_mode(0o751)).unwrap();
        let before = fs::metadata(&from).unwrap();
        copy(&from, &to).unwrap();
        let after = fs::metadata(&to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"#!/bin/sh\n\xff");
        assert_eq!(after.permissions().mode(), before.permissions().mode());
        assert_eq!(after.modified().unwrap(), before.modified().unwrap());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_new_hook_is_synced_before_it_replaces_the_old_one() {
        let step = Step::Program { at: "/r/hooks/post-commit".into(), content: b"x".to_vec() };
        let kinds: Vec<&str> = operations(&step)
            .iter()
            .map(|operation| match operation {
                Operation::Write { .. } => "write",
                Operation::Sync(_) => "sync",
                Operation::Rename { .. } => "rename",
                _ => "other",
            })
            .collect();
        assert_eq!(kinds, ["write", "sync", "rename", "sync"]);
    }
}
