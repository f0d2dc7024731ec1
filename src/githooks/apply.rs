//! Carrying out a plan. Each step is one rename where a half-done one would leave a broken hook.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::slot::mark;
use super::{GithooksError, Plan, Step, block, config_file};

/// Carries out `plan`, step by step. After a failure the rest is not done; planning anew and applying goes on.
///
/// # Errors
/// The first step that failed, with its path.
pub fn apply(plan: &Plan) -> Result<(), GithooksError> {
    plan.steps.iter().try_for_each(step)
}

fn step(step: &Step) -> Result<(), GithooksError> {
    match step {
        Step::MakeDirectory(path) => make_directory(path).map_err(GithooksError::io("create", path)),
        Step::Move { from, to } => fs::rename(from, to).map_err(GithooksError::io("rename", from)),
        Step::Program { at, content } => program(at, content).map_err(GithooksError::io("write", at)),
        Step::Remove(path) => fs::remove_file(path).map_err(GithooksError::io("remove", path)),
        Step::RemoveDirectory(path) => remove_directory(path).map_err(GithooksError::io("remove", path)),
        // What is in the file counts when it is locked, not when the plan was made.
        Step::Configure { file, program: Some(program) } => {
            config_file::rewrite(file, |text| Some(block::installed(text, program)))
        }
        Step::Configure { file, program: None } => config_file::rewrite(file, |text| text.and_then(block::removed)),
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::write(mark(path), "uro-capture made this directory, and removes it again if it is empty then.\n")
}

fn remove_directory(path: &Path) -> io::Result<()> {
    fs::remove_file(mark(path))?;
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other,
    }
}

fn program(at: &Path, content: &[u8]) -> io::Result<()> {
    let new = new_name(at);
    remove_if_there(&new)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(&new)?;
    file.write_all(content)?;
    // The umask may have taken a right; whoever may read the directory may run its hooks, as git's samples.
    file.set_permissions(fs::Permissions::from_mode(0o755))?;
    drop(file);
    fs::rename(&new, at)
}

fn new_name(at: &Path) -> PathBuf {
    let mut name: OsString = at.as_os_str().to_owned();
    name.push(".uro-new");
    PathBuf::from(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
