//! Hook slot: one hook's file in the hooks directory, our files beside it, and the state of our hook: present, outdated,
//! broken or lost.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::chain::{self, Script, VERSION};
use super::{GithooksError, launcher};
use crate::domain::event::{HOOKS, HookName};

/// File name of our program: a link to such a name is ours.
const PROGRAM: &str = "uro-hook";
/// Read limit: our scripts are far shorter.
const SCRIPT: u64 = 64 << 10;
/// Marker file of a hooks directory that we created. git ignores files that are not named as a hook.
const MARK: &str = ".uro-capture";
/// How scripts read their own name, in the shell, Python and Ruby.
const ASKS_ITS_NAME: [&str; 6] = ["basename", "##*/", "argv[0]", "PROGRAM_NAME", "${0:t}", "$0:t"];
/// Directory into which overcommit moves existing hooks.
const OLD_HOOKS: &str = "old-hooks";

/// Content of a hook slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotContent {
    Nothing,
    /// A link to our program, as made by earlier versions.
    Link(PathBuf),
    /// Our launcher, with its program.
    Launcher(PathBuf),
    /// Our script.
    Script(Script),
    Foreign,
}

impl SlotContent {
    fn is_ours(&self) -> bool {
        matches!(self, Self::Link(_) | Self::Launcher(_) | Self::Script(_))
    }
}

/// One hook's slot in a hooks directory.
#[derive(Debug, Clone)]
pub struct HookSlot {
    pub hook: HookName,
    pub at: PathBuf,
    pub content: SlotContent,
}

impl HookSlot {
    /// Reads the slot of `hook` in `hooks_dir`.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn load(hooks_dir: &Path, hook: HookName) -> Result<Self, GithooksError> {
        let at = hooks_dir.join(hook.as_str());
        let found = read_content(hook, &at).map_err(GithooksError::io("read", &at))?;
        Ok(Self { hook, at, content: found })
    }

    /// Path of the kept prior hook.
    #[must_use]
    pub fn prior(&self) -> PathBuf {
        self.sibling("uro-prior")
    }

    /// `post-commit.<ending>`.
    #[must_use]
    pub fn sibling(&self, ending: &str) -> PathBuf {
        self.at.with_file_name(format!("{}.{ending}", self.hook.as_str()))
    }

    /// `post-commit.<ending>-1`, or the first free number.
    #[must_use]
    pub fn free_name(&self, ending: &str) -> PathBuf {
        let mut number = 1_u32;
        loop {
            let name = self.sibling(&format!("{ending}-{number}"));
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

    /// True if the slot holds the prior hook again: a manager rewrote its own.
    #[must_use]
    pub fn prior_is_back(&self) -> bool {
        let read = |path: &Path| fs::read(path).ok();
        self.content == SlotContent::Foreign && read(&self.at).is_some_and(|text| read(&self.prior()) == Some(text))
    }

    /// True for a hook that depends on its own file name, as dispatchers for all hooks do: under another name it would
    /// act differently, so it cannot be chained.
    #[must_use]
    pub fn depends_on_name(&self) -> bool {
        let mut text = Vec::new();
        let read = File::open(&self.at).and_then(|file| file.take(SCRIPT).read_to_end(&mut text));
        let asks = |words: &&str| text.windows(words.len()).any(|window| window == words.as_bytes());
        self.content == SlotContent::Foreign
            && read.is_ok()
            && text.starts_with(b"#!")
            && ASKS_ITS_NAME.iter().any(asks)
    }

    /// Our hooks that another manager moved away: `post-commit.old` (lefthook), `post-commit.legacy`
    /// (pre-commit), `old-hooks/post-commit` (overcommit).
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn moved_hooks(&self) -> Result<Vec<MovedHook>, GithooksError> {
        let Some(dir) = self.at.parent() else { return Ok(Vec::new()) };
        let mut places = find_backups(dir, self.hook).map_err(GithooksError::io("read", dir))?;
        places.push(dir.join(OLD_HOOKS).join(self.hook.as_str()));
        let look = |at: PathBuf| {
            let found = read_content(self.hook, &at).map_err(GithooksError::io("read", &at))?;
            Ok(found.is_ours().then_some(MovedHook { is_script: matches!(found, SlotContent::Script(_)), at }))
        };
        places.into_iter().filter_map(|at| look(at).transpose()).collect()
    }
}

/// A hook of ours at another manager's backup place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedHook {
    pub at: PathBuf,
    /// It may have been chained before a hook that is the prior one now.
    pub is_script: bool,
}

/// Files named as the hook plus an ending that is not ours.
fn find_backups(dir: &Path, hook: HookName) -> io::Result<Vec<PathBuf>> {
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

fn read_content(hook: HookName, at: &Path) -> io::Result<SlotContent> {
    let kind = match fs::symlink_metadata(at) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(SlotContent::Nothing);
        }
        other => other?.file_type(),
    };
    if kind.is_symlink() {
        let target = fs::read_link(at)?;
        return Ok(if target.file_name() == Some(PROGRAM.as_ref()) {
            SlotContent::Link(target)
        } else {
            SlotContent::Foreign
        });
    }
    if !kind.is_file() {
        return Ok(SlotContent::Foreign);
    }
    let mut text = Vec::new();
    File::open(at)?.take(SCRIPT).read_to_end(&mut text)?;
    let launcher = launcher::recognise(hook, &text).map(SlotContent::Launcher);
    Ok(launcher.or_else(|| chain::recognise(hook, &text).map(SlotContent::Script)).unwrap_or(SlotContent::Foreign))
}

/// State of one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookCondition {
    Ok,
    /// Lost: our hook was removed or replaced.
    Lost,
    Absent,
    /// Broken: ours, but a link, an older script, or its program is missing; reinstalling repairs it.
    Outdated,
}

/// Form of our hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookForm {
    /// Alone.
    File,
    /// Chained before a prior hook.
    Chained,
}

/// One hook's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookState {
    pub hook: HookName,
    pub state: HookCondition,
    /// `None` if lost or absent.
    pub how: Option<HookForm>,
}

/// Inspects all our hooks in `hooks_dir`. A missing directory has none.
///
/// A lost hook is detected by what it left (a kept prior hook, its siblings); without such traces all are
/// `Absent`, and only the registry knows that they were installed.
///
/// # Errors
/// A hook cannot be read.
pub fn inspect(hooks_dir: &Path) -> Result<Vec<HookState>, GithooksError> {
    let slots: Vec<HookSlot> = HOOKS.iter().map(|hook| HookSlot::load(hooks_dir, *hook)).collect::<Result<_, _>>()?;
    let any = slots.iter().any(|slot| slot.content.is_ours());
    Ok(slots.iter().map(|slot| state(slot, any)).collect())
}

fn state(slot: &HookSlot, any_ours: bool) -> HookState {
    let state = match &slot.content {
        SlotContent::Script(script) if script.version == VERSION && is_program(&script.program) => HookCondition::Ok,
        // A link before a kept hook would hide the loss.
        SlotContent::Launcher(program) if is_program(program) && !slot.has_prior() => HookCondition::Ok,
        SlotContent::Link(_) | SlotContent::Launcher(_) | SlotContent::Script(_) => HookCondition::Outdated,
        SlotContent::Nothing | SlotContent::Foreign if any_ours || slot.has_prior() => HookCondition::Lost,
        SlotContent::Nothing | SlotContent::Foreign => HookCondition::Absent,
    };
    let how = slot.content.is_ours().then(|| if slot.has_prior() { HookForm::Chained } else { HookForm::File });
    HookState { hook: slot.hook, state, how }
}

/// True if the path exists, also as a dangling link.
#[must_use]
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// True for an executable file.
#[must_use]
pub fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Path of the marker file of a directory that we created.
#[must_use]
pub fn mark(hooks_dir: &Path) -> PathBuf {
    hooks_dir.join(MARK)
}
