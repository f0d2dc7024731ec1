//! The place of one hook: what is in it, and in the places beside it that are ours.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::chain::{self, Script};
use super::{GithooksError, launcher};
use crate::domain::event::HookName;

/// The file name of our program: a link to anything of this name is ours.
const PROGRAM: &str = "uro-hook";
/// A script of ours is far shorter; of other files no more is read.
const SCRIPT: u64 = 64 << 10;
/// The mark of a hooks directory that we made. git ignores files that are not named as a hook.
const MARK: &str = ".uro-capture";
/// How scripts ask for their own name, in the shell, Python and Ruby.
const ASKS_ITS_NAME: [&str; 6] = ["basename", "##*/", "argv[0]", "PROGRAM_NAME", "${0:t}", "$0:t"];
/// Where overcommit puts the hooks it finds.
const OLD_HOOKS: &str = "old-hooks";

/// What stands in a hook's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A link to our program, as earlier versions made.
    Link(PathBuf),
    /// Our launcher; which program it becomes.
    Launcher(PathBuf),
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

    /// `post-commit.<ending>-1`, or the first number that is not taken.
    #[must_use]
    pub fn free_name(&self, ending: &str) -> PathBuf {
        let mut number = 1_u32;
        loop {
            let name = self.beside(&format!("{ending}-{number}"));
            if !exists(&name) {
                return name;
            }
            number += 1;
        }
    }

    #[must_use]
    pub fn has_prior(&self) -> bool {
        exists(&self.prior())
    }

    /// The hook from before is the one that stands here (again): a manager wrote its own anew.
    #[must_use]
    pub fn prior_is_back(&self) -> bool {
        let read = |path: &Path| fs::read(path).ok();
        self.found == Found::Foreign && read(&self.at).is_some_and(|text| read(&self.prior()) == Some(text))
    }

    /// A hook that asks under which name it was called, as dispatchers for all hooks do: under another name it would
    /// do something else, so it cannot be called by ours.
    #[must_use]
    pub fn goes_by_name(&self) -> bool {
        let mut text = Vec::new();
        let read = File::open(&self.at).and_then(|file| file.take(SCRIPT).read_to_end(&mut text));
        let asks = |words: &&str| text.windows(words.len()).any(|window| window == words.as_bytes());
        self.found == Found::Foreign && read.is_ok() && text.starts_with(b"#!") && ASKS_ITS_NAME.iter().any(asks)
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
            Ok(is_ours(&found).then_some(Stray { is_script: matches!(found, Found::Script(_)), at }))
        };
        places.into_iter().filter_map(|at| look(at).transpose()).collect()
    }

    #[must_use]
    pub fn is_ours(&self) -> bool {
        is_ours(&self.found)
    }
}

fn is_ours(found: &Found) -> bool {
    matches!(found, Found::Link(_) | Found::Launcher(_) | Found::Script(_))
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
    let launcher = launcher::recognise(hook, &text).map(Found::Launcher);
    Ok(launcher.or_else(|| chain::recognise(hook, &text).map(Found::Script)).unwrap_or(Found::Foreign))
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
