//! Config-based hooks (git 2.54 and later): the lines that are appended to a git configuration file, and their
//! detection and removal after edits by other tools.
//!
//! Each line is recognised on its own: git writes new keys into our sections, removes sections together with the
//! comments behind them (perhaps our first line), and appends sections behind ours.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::quote;
use crate::domain::event::{HOOKS, HookName};

/// The first git that runs hooks from its configuration (April 2026).
pub const FIRST_GIT: (u32, u32) = (2, 54);

const BEGIN: &str = "# uro-capture: begin";
const END: &str = "# uro-capture: end";
/// First line of the block: records how to restore the file's end.
const WAYS_BACK: [(FileEnd, &str); 4] = [
    (FileEnd::Whole, "(`uro-capture deinit` removes these lines)"),
    (FileEnd::Unended, "(`uro-capture deinit` removes these lines and the line end before them)"),
    (FileEnd::Continued, "(`uro-capture deinit` removes these lines and the 2 line ends before them)"),
    (FileEnd::Missing, "(`uro-capture deinit` removes these lines, and the file, which it made)"),
];
const COMMAND: &str = "\tcommand = ";

/// State of the file before our lines, if removing them does not restore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEnd {
    /// It ended with a line end, or was empty.
    Whole,
    /// Its last line had no end.
    Unended,
    /// Its last line had no end and continued (`\`) in the next, which therefore had to be empty.
    Continued,
    /// The file did not exist.
    Missing,
}

/// Our hooks as found in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookBlock {
    /// Program per hook; `None` if the command was edited.
    pub hooks: Vec<(HookName, Option<PathBuf>)>,
    /// Hooks disabled by `hook.<name>.enabled = false` in the same section.
    pub disabled: Vec<HookName>,
}

impl HookBlock {
    /// True if every hook is there, enabled, and calls `program` (any one program, if `None`).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.disabled.is_empty() && HOOKS.iter().all(|hook| self.program(*hook).is_some())
    }

    #[must_use]
    pub fn program(&self, hook: HookName) -> Option<&Path> {
        self.hooks.iter().find(|(known, _)| *known == hook)?.1.as_deref()
    }
}

/// The name of a hook in git's configuration: `uro-post-commit`. An event's own name would be a fatal error.
#[must_use]
pub fn config_name(hook: HookName) -> String {
    format!("uro-{}", hook.as_str())
}

/// The shell line that git runs, with `"$@"` appended. Silent and successful also without the program.
#[must_use]
pub fn command(hook: HookName, program: &Path) -> Vec<u8> {
    let program = quote::for_shell(program.as_os_str().as_bytes());
    [b"test ! -x ", program.as_slice(), b" || ", &program, b" ", hook.as_str().as_bytes()].concat()
}

/// The lines for manual pasting.
#[must_use]
pub fn snippet(program: &Path) -> Vec<u8> {
    let mut lines = Vec::new();
    for hook in HOOKS {
        // Git runs the hooks of an event one after the other unless all of them allow parallel runs: ours do.
        let head = format!("{}\n\tevent = {}\n\tparallel = true\n{COMMAND}", header(hook), hook.as_str());
        lines.extend([head.as_bytes(), &quote::for_git_config(&command(hook, program)), b"\n"].concat());
    }
    lines
}

fn header(hook: HookName) -> String {
    format!("[hook \"{}\"]", config_name(hook))
}

/// Returns `text` (`None`: no file) with our lines for `program`; earlier lines of ours are replaced.
#[must_use]
pub fn insert_block(text: Option<&[u8]>, program: &Path) -> Vec<u8> {
    let clean = text.and_then(remove_block);
    let mut text = clean.clone().unwrap_or_default();
    let before = match (&clean, detect_file_end(&text)) {
        (None, _) => FileEnd::Missing,
        (Some(_), ends) => ends,
    };
    text.extend_from_slice(end_padding(before));
    let way_back = WAYS_BACK.iter().find(|(known, _)| *known == before).map_or("", |(_, words)| words);
    text.extend_from_slice(format!("{BEGIN} {way_back}\n").as_bytes());
    text.extend_from_slice(&snippet(program));
    text.extend_from_slice(format!("{END}\n").as_bytes());
    text
}

/// Returns `text` without our lines; `None` if that empties a file that we created.
#[must_use]
pub fn remove_block(text: &[u8]) -> Option<Vec<u8>> {
    let (mut kept, mut before) = (Vec::with_capacity(text.len()), None);
    for (line, owner) in classify_lines(text) {
        match owner {
            LineOwner::Begin(file_end) => before = before.or(Some((file_end, kept.len()))),
            LineOwner::End | LineOwner::Section(_) => {}
            LineOwner::Foreign => kept.extend_from_slice(line),
        }
    }
    match before {
        Some((FileEnd::Missing, _)) if kept.is_empty() => return None,
        // Text appended behind our block needs the line end.
        Some((file_end, at)) if at == kept.len() && kept.ends_with(end_padding(file_end)) => {
            kept.truncate(at - end_padding(file_end).len());
        }
        _ => {}
    }
    Some(kept)
}

/// Finds our hooks in the file; `None` if there are none.
#[must_use]
pub fn parse_block(text: &[u8]) -> Option<HookBlock> {
    let mut block = HookBlock { hooks: Vec::new(), disabled: Vec::new() };
    for (line, owner) in classify_lines(text) {
        let LineOwner::Section(hook) = owner else { continue };
        let line = line.trim_ascii();
        if key(line) == b"command" {
            block.hooks.retain(|(known, _)| *known != hook);
            let value = line.get(COMMAND.trim_start().len()..).and_then(quote::from_git_config);
            block.hooks.push((hook, value.and_then(|value| parse_command(hook, &value))));
        }
        if key(line) == b"enabled" && is_false(line.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default()) {
            block.disabled.push(hook);
        }
    }
    (!block.hooks.is_empty()).then_some(block)
}

/// The program that a command of ours calls; `None` for other commands.
#[must_use]
pub fn parse_command(hook: HookName, value: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let rest = value.strip_prefix(b"test ! -x ")?;
    let program = PathBuf::from(std::ffi::OsString::from_vec(quote::from_shell(rest)?));
    (command(hook, &program) == *value).then_some(program)
}

/// True for a value that git parses as false.
#[must_use]
pub fn is_false(value: &[u8]) -> bool {
    [b"false".as_slice(), b"no", b"off", b"0"].contains(&value.trim_ascii().to_ascii_lowercase().as_slice())
}

/// Lower-cases a key, as git compares keys.
fn key(line: &[u8]) -> Vec<u8> {
    let end = line.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-')).unwrap_or(line.len());
    line[..end].to_ascii_lowercase()
}

fn detect_file_end(text: &[u8]) -> FileEnd {
    match text.last() {
        None | Some(b'\n') if !continues(text.strip_suffix(b"\n").unwrap_or(text)) => FileEnd::Whole,
        Some(b'\n') => FileEnd::Unended,
        _ if continues(text) => FileEnd::Continued,
        _ => FileEnd::Unended,
    }
}

fn end_padding(before: FileEnd) -> &'static [u8] {
    match before {
        FileEnd::Whole | FileEnd::Missing => b"",
        FileEnd::Unended => b"\n",
        FileEnd::Continued => b"\n\n",
    }
}

/// True if a line continues in the next one: it ends with an unescaped backslash. A comment that ends so does not
/// continue, but an extra empty line after it is harmless.
fn continues(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineOwner {
    Begin(FileEnd),
    End,
    /// The header of one of our sections, or a key in it.
    Section(HookName),
    Foreign,
}

/// Splits the text into lines with their ends, and marks ours.
fn classify_lines(text: &[u8]) -> Vec<(&[u8], LineOwner)> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut parts = Vec::with_capacity(lines.len());
    let (mut section, mut within, mut continued) = (None, false, false);
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim_ascii();
        let key_of = |section: Option<HookName>| section.map_or(LineOwner::Foreign, LineOwner::Section);
        let owner = match (own_line(words), words.first()) {
            (Some(own), _) => {
                (section, within) = (None, matches!(own, LineOwner::Begin(_)));
                own
            }
            (None, _) if continued => key_of(section),
            (None, Some(b'[')) => {
                let named = HOOKS.into_iter().find(|hook| header(*hook).as_bytes() == words);
                section = named.filter(|_| within || has_command(&lines[at + 1..]));
                key_of(section)
            }
            (None, None | Some(b'#' | b';')) => LineOwner::Foreign,
            _ => key_of(section),
        };
        let comment = matches!(words.first(), Some(b'#' | b';')) && !continued;
        continued = !comment && continues(line.strip_suffix(b"\n").unwrap_or(line));
        parts.push((*line, owner));
    }
    parts
}

fn own_line(words: &[u8]) -> Option<LineOwner> {
    if words == END.as_bytes() {
        return Some(LineOwner::End);
    }
    let rest = words.strip_prefix(BEGIN.as_bytes())?;
    let file_end = WAYS_BACK.iter().find(|(_, words)| rest.trim_ascii() == words.as_bytes());
    Some(LineOwner::Begin(file_end.map_or(FileEnd::Whole, |(before, _)| *before)))
}

/// A section of this name outside of our lines is ours only with our command: a user who disables our hook in one
/// repository, while it is installed in the user configuration, has a section with `enabled` alone.
fn has_command(following: &[&[u8]]) -> bool {
    let body = following.iter().map(|line| line.trim_ascii()).take_while(|line| line.first() != Some(&b'['));
    body.into_iter().any(|line| key(line) == b"command")
}

#[cfg(test)]
mod tests;
