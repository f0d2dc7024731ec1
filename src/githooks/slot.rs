//! The place of one hook: what is in it, and in the places beside it that are ours.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::GithooksError;
use super::chain::{self, Script};
use crate::domain::event::HookName;

/// The file name of our program: a link to anything of this name is ours.
const PROGRAM: &str = "uro-hook";
/// A script of ours is far shorter; of other files no more is read.
const SCRIPT: u64 = 64 << 10;
/// The mark of a hooks directory that we made. git ignores files that are not named as a hook.
const MARK: &str = ".uro-capture";
/// Where overcommit puts the hooks it finds.
const OLD_HOOKS: &str = "old-hooks";

/// What stands in a hook's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// Our link; where it points.
    Link(PathBuf),
    /// Our script.
    Script(Script),
    Foreign,
}

/// The place of one hook in a hooks directory.
#[derive(Debug, Clone)]
pub struct Slot {
    pub hook: HookName,
    pub at: PathBuf,
    pub found: Found,
}

impl Slot {
    /// Looks at the place of `hook` in `hooks_dir`.
    ///
    /// # Errors
    /// Where something is there and cannot be read.
    pub fn read(hooks_dir: &Path, hook: HookName) -> Result<Self, GithooksError> {
        let at = hooks_dir.join(hook.as_str());
        let found = look(hook, &at).map_err(GithooksError::io("read", &at))?;
        Ok(Self { hook, at, found })
    }

    /// Where the hook from before is kept.
    #[must_use]
    pub fn prior(&self) -> PathBuf {
        self.beside("uro-prior")
    }

    /// `post-commit.<ending>`.
    #[must_use]
    pub fn beside(&self, ending: &str) -> PathBuf {
        self.at.with_file_name(format!("{}.{ending}", self.hook.as_str()))
    }

    #[must_use]
    pub fn has_prior(&self) -> bool {
        exists(&self.prior())
    }

    /// Hooks of ours that another manager put out of its way: `post-commit.old` (lefthook), `post-commit.legacy`
    /// (pre-commit), `old-hooks/post-commit` (overcommit).
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn strays(&self) -> Result<Vec<Stray>, GithooksError> {
        let Some(dir) = self.at.parent() else { return Ok(Vec::new()) };
        let mut places = beside(dir, self.hook).map_err(GithooksError::io("read", dir))?;
        places.push(dir.join(OLD_HOOKS).join(self.hook.as_str()));
        let look = |at: PathBuf| {
            let found = look(self.hook, &at).map_err(GithooksError::io("read", &at))?;
            Ok(matches!(found, Found::Link(_) | Found::Script(_))
                .then_some(Stray { is_script: matches!(found, Found::Script(_)), at }))
        };
        places.into_iter().filter_map(|at| look(at).transpose()).collect()
    }

    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self.found, Found::Link(_) | Found::Script(_))
    }
}

/// A hook of ours in a place where it was not put by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    pub at: PathBuf,
    /// It may have stood before another hook, which is the prior one now.
    pub is_script: bool,
}

/// What is named as the hook and some ending that is none of ours.
fn beside(dir: &Path, hook: HookName) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let start = format!("{}.", hook.as_str());
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let ending = name.to_str().and_then(|name| name.strip_prefix(&start));
        if ending.is_some_and(|ending| !ending.starts_with("uro-")) {
            found.push(dir.join(name));
        }
    }
    found.sort();
    Ok(found)
}

fn look(hook: HookName, at: &Path) -> io::Result<Found> {
    let kind = match fs::symlink_metadata(at) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Found::Nothing);
        }
        other => other?.file_type(),
    };
    if kind.is_symlink() {
        let target = fs::read_link(at)?;
        return Ok(if target.file_name() == Some(PROGRAM.as_ref()) { Found::Link(target) } else { Found::Foreign });
    }
    if !kind.is_file() {
        return Ok(Found::Foreign);
    }
    let mut text = Vec::new();
    File::open(at)?.take(SCRIPT).read_to_end(&mut text)?;
    Ok(chain::recognise(hook, &text).map_or(Found::Foreign, Found::Script))
}

/// Whether anything is there, a dangling link included.
#[must_use]
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether a file is there that somebody may run.
#[must_use]
pub fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The file by which a directory that we made is known.
#[must_use]
pub fn mark(hooks_dir: &Path) -> PathBuf {
    hooks_dir.join(MARK)
}
