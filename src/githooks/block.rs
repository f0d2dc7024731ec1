//! Hooks in git's configuration (git 2.54 and later): the lines that are appended to a configuration file, and how
//! they are found again and taken out, whatever other tools did to the file meanwhile.
//!
//! The lines are recognised one by one and not as a whole: git writes new keys into our sections, removes sections
//! together with the comments behind them (and so perhaps our first line), and appends sections behind ours.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::quote;
use crate::domain::event::{HOOKS, HookName};

/// The first git that runs hooks from its configuration (April 2026).
pub const FIRST_GIT: (u32, u32) = (2, 54);

const BEGIN: &str = "# uro-capture: begin";
const END: &str = "# uro-capture: end";
/// What the first line says about the file before: how it is to be left.
const WAYS_BACK: [(Before, &str); 4] = [
    (Before::Whole, "(`uro-capture deinit` removes these lines)"),
    (Before::Unended, "(`uro-capture deinit` removes these lines and the line end before them)"),
    (Before::Continued, "(`uro-capture deinit` removes these lines and the 2 line ends before them)"),
    (Before::Missing, "(`uro-capture deinit` removes these lines, and the file, which it made)"),
];
const COMMAND: &str = "\tcommand = ";

/// How the file was before our lines, where taking them out does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It ended with a line end, or was empty.
    Whole,
    /// Its last line had no end.
    Unended,
    /// Its last line had no end and went on in the next (`\`), which therefore had to be an empty one.
    Continued,
    /// There was no file.
    Missing,
}

/// What a configuration file says about our hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Of the hooks that are there: the program they call; absent where somebody changed the command.
    pub hooks: Vec<(HookName, Option<PathBuf>)>,
    /// Hooks that `hook.<name>.enabled = false` switches off in the same section.
    pub disabled: Vec<HookName>,
}

impl Block {
    /// Every hook is there, switched on, and calls `program` (any one program, if none is given).
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
pub fn friendly_name(hook: HookName) -> String {
    format!("uro-{}", hook.as_str())
}

/// What git runs: a line of shell, to which it adds `"$@"`. Silent and successful also when the program is gone.
#[must_use]
pub fn command(hook: HookName, program: &Path) -> Vec<u8> {
    let program = quote::for_shell(program.as_os_str().as_bytes());
    [b"test ! -x ", program.as_slice(), b" || ", &program, b" ", hook.as_str().as_bytes()].concat()
}

/// The lines as a person would paste them.
#[must_use]
pub fn snippet(program: &Path) -> Vec<u8> {
    HOOKS.iter().flat_map(|hook| section(*hook, program)).collect()
}

fn section(hook: HookName, program: &Path) -> Vec<u8> {
    let head = format!("{}\n\tevent = {}\n{COMMAND}", header(hook), hook.as_str());
    [head.as_bytes(), &quote::for_git_config(&command(hook, program)), b"\n"].concat()
}

fn header(hook: HookName) -> String {
    format!("[hook \"{}\"]", friendly_name(hook))
}

/// `text` (absent: there is no file) with our lines, for `program`. What was ours before is replaced.
#[must_use]
pub fn installed(text: Option<&[u8]>, program: &Path) -> Vec<u8> {
    let clean = text.and_then(removed);
    let mut text = clean.clone().unwrap_or_default();
    let before = match (&clean, unended(&text)) {
        (None, _) => Before::Missing,
        (Some(_), ends) => ends,
    };
    text.extend_from_slice(glue(before));
    let way_back = WAYS_BACK.iter().find(|(known, _)| *known == before).map_or("", |(_, words)| words);
    text.extend_from_slice(format!("{BEGIN} {way_back}\n").as_bytes());
    text.extend_from_slice(&snippet(program));
    text.extend_from_slice(format!("{END}\n").as_bytes());
    text
}

/// `text` without our lines; absent when that leaves nothing of a file that we made.
#[must_use]
pub fn removed(text: &[u8]) -> Option<Vec<u8>> {
    let (mut kept, mut before) = (Vec::with_capacity(text.len()), None);
    for (line, whose) in parts(text) {
        match whose {
            Whose::Begin(way) => before = before.or(Some((way, kept.len()))),
            Whose::End | Whose::Section(_) => {}
            Whose::Foreign => kept.extend_from_slice(line),
        }
    }
    match before {
        Some((Before::Missing, _)) if kept.is_empty() => return None,
        // Where something was appended behind ours, the line end is needed.
        Some((way, at)) if at == kept.len() && kept.ends_with(glue(way)) => kept.truncate(at - glue(way).len()),
        _ => {}
    }
    Some(kept)
}

/// What the file says about our hooks; absent when nothing.
#[must_use]
pub fn read(text: &[u8]) -> Option<Block> {
    let mut block = Block { hooks: Vec::new(), disabled: Vec::new() };
    for (line, whose) in parts(text) {
        let Whose::Section(hook) = whose else { continue };
        let line = line.trim_ascii();
        if key(line) == b"command" {
            block.hooks.retain(|(known, _)| *known != hook);
            block.hooks.push((hook, program_of(hook, line)));
        }
        if key(line) == b"enabled" && is_no(line.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default()) {
            block.disabled.push(hook);
        }
    }
    (!block.hooks.is_empty()).then_some(block)
}

fn program_of(hook: HookName, line: &[u8]) -> Option<PathBuf> {
    program_in(hook, &quote::from_git_config(line.get(COMMAND.trim_start().len()..)?)?)
}

/// The program that a command calls; absent when the command is none of ours.
#[must_use]
pub fn program_in(hook: HookName, value: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let rest = value.strip_prefix(b"test ! -x ")?;
    let program = PathBuf::from(std::ffi::OsString::from_vec(quote::from_shell(rest)?));
    (command(hook, &program) == *value).then_some(program)
}

/// A value that git takes for no.
#[must_use]
pub fn is_no(value: &[u8]) -> bool {
    [b"false".as_slice(), b"no", b"off", b"0"].contains(&value.trim_ascii().to_ascii_lowercase().as_slice())
}

/// Lower case, as git compares keys.
fn key(line: &[u8]) -> Vec<u8> {
    let end = line.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-')).unwrap_or(line.len());
    line[..end].to_ascii_lowercase()
}

fn unended(text: &[u8]) -> Before {
    match text.last() {
        None | Some(b'\n') if !continues(text.strip_suffix(b"\n").unwrap_or(text)) => Before::Whole,
        Some(b'\n') => Before::Unended,
        _ if continues(text) => Before::Continued,
        _ => Before::Unended,
    }
}

fn glue(before: Before) -> &'static [u8] {
    match before {
        Before::Whole | Before::Missing => b"",
        Before::Unended => b"\n",
        Before::Continued => b"\n\n",
    }
}

/// Whether a line goes on in the next one: it ends with a backslash that no other one takes back. A comment that
/// ends so does not, but an empty line more does it no harm.
fn continues(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Begin(Before),
    End,
    /// The header of one of our sections, or a key in it.
    Section(HookName),
    Foreign,
}

/// Each line with its end, and whose it is.
fn parts(text: &[u8]) -> Vec<(&[u8], Whose)> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut parts = Vec::with_capacity(lines.len());
    let (mut section, mut within, mut continued) = (None, false, false);
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim_ascii();
        let key_of = |section: Option<HookName>| section.map_or(Whose::Foreign, Whose::Section);
        let whose = match (own_line(words), words.first()) {
            (Some(own), _) => {
                (section, within) = (None, matches!(own, Whose::Begin(_)));
                own
            }
            (None, _) if continued => key_of(section),
            (None, Some(b'[')) => {
                section = hook_of(words).filter(|_| within || has_command(&lines[at + 1..]));
                key_of(section)
            }
            (None, None | Some(b'#' | b';')) => Whose::Foreign,
            _ => key_of(section),
        };
        let comment = matches!(words.first(), Some(b'#' | b';')) && !continued;
        continued = !comment && continues(line.strip_suffix(b"\n").unwrap_or(line));
        parts.push((*line, whose));
    }
    parts
}

fn own_line(words: &[u8]) -> Option<Whose> {
    if words == END.as_bytes() {
        return Some(Whose::End);
    }
    let rest = words.strip_prefix(BEGIN.as_bytes())?;
    let known = WAYS_BACK.iter().find(|(_, words)| rest.trim_ascii() == words.as_bytes());
    Some(Whose::Begin(known.map_or(Before::Whole, |(before, _)| *before)))
}

fn hook_of(header_line: &[u8]) -> Option<HookName> {
    HOOKS.into_iter().find(|hook| header(*hook).as_bytes() == header_line)
}

/// A section of this name outside of our lines is ours if it has the command: a person who switches our hook off in
/// one repository, where it stands in the user's configuration, has a section with `enabled` alone.
fn has_command(following: &[&[u8]]) -> bool {
    let body = following.iter().map(|line| line.trim_ascii()).take_while(|line| line.first() != Some(&b'['));
    body.into_iter().any(|line| key(line) == b"command")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROGRAM: &str = "/home/é o'hara/.local/bin/uro-hook";

    fn installed_text(text: &str) -> String {
        String::from_utf8(installed(Some(text.as_bytes()), Path::new(PROGRAM))).expect("UTF-8")
    }

    fn removed_text(text: &str) -> Option<String> {
        removed(text.as_bytes()).map(|text| String::from_utf8(text).expect("UTF-8"))
    }

    #[test]
    fn these_lines_are_added() {
        insta::assert_snapshot!(installed_text("[core]\n\tbare = false\n"), @r#"
        [core]
        	bare = false
        # uro-capture: begin (`uro-capture deinit` removes these lines)
        [hook "uro-post-commit"]
        	event = post-commit
        	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-commit"
        [hook "uro-post-merge"]
        	event = post-merge
        	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-merge"
        [hook "uro-post-rewrite"]
        	event = post-rewrite
        	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-rewrite"
        [hook "uro-post-applypatch"]
        	event = post-applypatch
        	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-applypatch"
        # uro-capture: end
        "#);
    }

    #[test]
    fn they_are_read_back_with_their_program() {
        let block = read(installed_text("").as_bytes()).expect("there");
        assert!(block.is_complete());
        assert!(HOOKS.iter().all(|hook| block.program(*hook) == Some(Path::new(PROGRAM))));
        assert_eq!(read(b"[core]\n\tbare = false\n"), None);
    }

    #[test]
    fn a_file_that_was_not_there_is_not_there_again() {
        let made = installed(None, Path::new(PROGRAM));
        assert_eq!(removed(&made), None);
        assert_eq!(installed(Some(&made), Path::new(PROGRAM)), made, "doing it again keeps that in mind");
        let used = [made.as_slice(), b"[user]\n\tname = A\n"].concat();
        assert_eq!(removed(&used).as_deref(), Some(&b"[user]\n\tname = A\n"[..]));
        assert_eq!(removed(&installed(Some(b""), Path::new(PROGRAM))).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn a_section_behind_ours_keeps_the_line_end_that_it_needs() {
        let text = installed_text("[core]\n\tbare = false") + "[user]\n\tname = A\n";
        assert_eq!(removed_text(&text).as_deref(), Some("[core]\n\tbare = false\n[user]\n\tname = A\n"));
    }

    #[test]
    fn a_value_that_goes_on_in_the_next_line_does_not_swallow_ours() {
        for text in ["[a]\n\tb = c\\", "[a]\n\tb = c\\\n", "[a]\n\tb = c\\\\\n", "[a]\r\n\tb = c\\\r\n"] {
            let with = installed_text(text);
            let (before, _) = with.split_once(BEGIN).expect("there");
            assert!(!continues(before.trim_end_matches('\n').as_bytes()) || before.ends_with("\n\n"), "{before:?}");
            assert_eq!(removed_text(&with).as_deref(), Some(text));
        }
    }

    #[test]
    fn keys_that_git_wrote_into_our_sections_go_with_them_and_are_seen_before() {
        let text = installed_text("[a]\n")
            .replace("\tevent = post-merge\n", "\tevent = post-merge\n\tEnabled = off\n\tnote = \"a\\\n b\"\n");
        let block = read(text.as_bytes()).expect("there");
        assert_eq!((block.disabled.as_slice(), block.is_complete()), (&[HookName::PostMerge][..], false));
        assert_eq!(removed_text(&text).as_deref(), Some("[a]\n"));
    }

    #[test]
    fn a_removed_section_before_ours_takes_our_first_line_along_and_nothing_is_lost() {
        let text = installed_text("[a]\n\tb = c\n[branch \"x\"]\n\tmerge = y\n");
        let cut = text.replace(&text[text.find("[branch").expect("there")..text.find("[hook").expect("there")], "");
        assert!(read(cut.as_bytes()).expect("there").is_complete());
        assert_eq!(removed_text(&cut).as_deref(), Some("[a]\n\tb = c\n"));
    }

    #[test]
    fn without_one_section_it_is_incomplete_and_the_rest_is_still_removed() {
        let text = installed_text("[a]\n") + "# theirs\n[b]\n\tc = d\n";
        let from = text.find("[hook \"uro-post-applypatch\"]").expect("there");
        let cut = [&text[..from], &text[text.find("[b]").expect("there")..]].concat();
        assert!(!read(cut.as_bytes()).expect("there").is_complete());
        assert_eq!(removed_text(&cut).as_deref(), Some("[a]\n[b]\n\tc = d\n"));
        let in_between = text.replace("[hook \"uro-post-merge\"]", "# mine\n[hook \"uro-post-merge\"]");
        assert_eq!(removed_text(&in_between).as_deref(), Some("[a]\n# mine\n# theirs\n[b]\n\tc = d\n"));
    }

    #[test]
    fn another_command_is_not_taken_for_ours_and_is_renewed() {
        let text = installed_text("").replacen("|| '", "|| echo '", 1);
        assert!(!read(text.as_bytes()).expect("there").is_complete());
        assert_eq!(installed_text(&text), installed_text(""));
    }

    #[test]
    fn a_hook_that_a_person_switched_off_for_one_repository_is_theirs() {
        let text = "[hook \"uro-post-commit\"]\n\tenabled = false\n[hook \"lint\"]\n\tcommand = make lint\n";
        assert_eq!(removed_text(text).as_deref(), Some(text));
        assert_eq!(removed_text(&installed_text(text)).as_deref(), Some(text));
        assert_eq!(read(text.as_bytes()), None);
    }

    #[test]
    fn a_program_whose_path_is_no_text_or_full_of_quotes_is_kept_byte_for_byte() {
        use std::os::unix::ffi::OsStringExt;
        for path in [&b"/\xFF\xFE/uro-hook"[..], b"/new\nline\t\"q\"\\/'/uro-hook"] {
            let program = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
            let text = installed(Some(b"[a]\n"), &program);
            assert_eq!(read(&text).expect("there").program(HookName::PostCommit), Some(program.as_path()));
            assert_eq!(removed(&text).as_deref(), Some(&b"[a]\n"[..]));
        }
    }

    fn fragment() -> impl Strategy<Value = Vec<u8>> {
        let known = prop::sample::select(vec![
            "[core]",
            "[hook \"uro-post-commit\"]",
            "[hook \"x\"]",
            "\tenabled = false",
            "\tevent = post-commit",
            "# c",
            "; uro-capture: begin",
            "\n",
            "\r\n",
            "\\\n",
            "\\",
            "\"",
            "[",
            "]",
            " ",
            "#",
            "a = b",
            "uro-capture: end",
        ]);
        prop_oneof![known.prop_map(|text| text.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 0..6)]
    }

    proptest! {
        #[test]
        fn whatever_was_there_is_there_again_to_the_byte(parts in prop::collection::vec(fragment(), 0..24)) {
            let text = parts.concat();
            let with = installed(Some(&text), Path::new(PROGRAM));
            prop_assert_eq!(installed(Some(&with), Path::new(PROGRAM)), with.clone());
            prop_assert!(read(&with).is_some_and(|block| block.is_complete()));
            prop_assert_eq!(removed(&with), Some(text));
        }
    }
}
