//! Chaining hook script: calls `uro-hook`, then the prior hook. Its template and its detection.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::quote;
use crate::domain::event::HookName;

const TEMPLATE: &str = include_str!("../../hooks/chained.sh");
/// Template version; raised with every change, so that older scripts are renewed.
pub const VERSION: u32 = 2;
/// Marker: the start of the second line of every script of ours.
const MARK: &str = "# uro-capture hook, version ";
const PROGRAM: &[u8] = b"\nuro_program=";

/// Parsed header of our script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub version: u32,
    pub program: PathBuf,
    /// Edited by hand: of this version, but not as this version writes it.
    pub edited: bool,
}

/// Renders the script of `hook` that reports through `program`.
#[must_use]
pub fn render(hook: HookName, program: &Path) -> Vec<u8> {
    let text = TEMPLATE.replace("@HOOK@", hook.as_str());
    let (before, after) = text.split_once("'@PROGRAM@'").unwrap_or((&text, ""));
    [before.as_bytes(), &quote::for_shell(program.as_os_str().as_bytes()), after.as_bytes()].concat()
}

/// Parses a script; `None` if it is not ours.
#[must_use]
pub fn recognise(hook: HookName, text: &[u8]) -> Option<Script> {
    let line = text.split(|byte| *byte == b'\n').nth(1)?;
    let version = std::str::from_utf8(line).ok()?.strip_prefix(MARK)?.trim().parse().ok()?;
    let program = program(text).unwrap_or_default();
    let edited = version == VERSION && render(hook, &program) != text;
    Some(Script { version, program, edited })
}

fn program(text: &[u8]) -> Option<PathBuf> {
    let start = text.windows(PROGRAM.len()).position(|window| window == PROGRAM)? + PROGRAM.len();
    quote::from_shell(text.get(start..)?).map(|path| PathBuf::from(OsString::from_vec(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_script_is_this() {
        let text = render(HookName::PostCommit, Path::new("/home/é o'hara/.local/bin/uro-hook"));
        insta::assert_snapshot!(String::from_utf8(text).expect("UTF-8"), @r#"
        #!/bin/sh
        # uro-capture hook, version 2
        # Tells uro-capture what happened, without a word, and then runs the hook that was here before, if there was one,
        # as if it were still here: same arguments, same stdin, same exit code. `uro-capture deinit` puts that hook back.
        uro_hook='post-commit'
        uro_program='/home/é o'\''hara/.local/bin/uro-hook'

        case $0 in
        */*) uro_dir=${0%/*} ;;
        *) uro_dir=. ;;
        esac
        uro_prior=$uro_dir/$uro_hook.uro-prior

        # Another manager renamed this script and calls it as the hook that it found here, which was this and the prior one;
        # unless that is the manager's own from before, which would call this again.
        if [ "${0##*/}" != "$uro_hook" ]; then
            if [ -n "$URO_RENAMED" ] || cmp -s "$uro_dir/$uro_hook" "$uro_prior"; then
                uro_prior=
            fi
            URO_RENAMED=1
            export URO_RENAMED
        fi

        uro_report() {
            if [ -x "$uro_program" ]; then
                { "$uro_program" "$uro_hook" "$@"; } >/dev/null 2>&1
            fi
        }

        # Alone there is nothing to wait for.
        if ! { [ -f "$uro_prior" ] && [ -x "$uro_prior" ]; }; then
            [ -x "$uro_program" ] || exit 0
            exec "$uro_program" "$uro_hook" "$@" >/dev/null 2>&1
        fi

        # Only this hook gets something on stdin, and both have to read it. The dot keeps the last line's end.
        if [ "$uro_hook" = post-rewrite ]; then
            uro_pairs=$(cat && echo .)
            uro_pairs=${uro_pairs%.}
            printf %s "$uro_pairs" 2>/dev/null | uro_report "$@"
            printf %s "$uro_pairs" 2>/dev/null | "$uro_prior" "$@"
            exit $?
        fi

        uro_report "$@" </dev/null
        exec "$uro_prior" "$@"
        "#);
    }

    #[test]
    fn the_template_carries_the_mark_and_version() {
        assert_eq!(TEMPLATE.lines().nth(1), Some(format!("{MARK}{VERSION}").as_str()));
        assert_eq!(TEMPLATE.matches("@PROGRAM@").count(), 1);
        assert_eq!(TEMPLATE.matches("@HOOK@").count(), 1);
    }

    #[test]
    fn what_was_written_is_recognised_with_its_program() {
        for program in ["/usr/bin/uro-hook", "/a b/é/uro-hook", "/it's/''/uro-hook", "/new\nline/uro-hook"] {
            let text = render(HookName::PostRewrite, Path::new(program));
            let expected = Script { version: VERSION, program: program.into(), edited: false };
            assert_eq!(recognise(HookName::PostRewrite, &text), Some(expected));
        }
    }

    #[test]
    fn a_program_whose_path_is_no_text_is_kept_byte_for_byte() {
        let program = PathBuf::from(OsString::from_vec(b"/\xFF\xFE/uro-hook".to_vec()));
        let text = render(HookName::PostCommit, &program);
        assert_eq!(recognise(HookName::PostCommit, &text).expect("ours").program, program);
    }

    #[test]
    fn a_changed_script_and_a_script_for_another_hook_are_edited() {
        let text = render(HookName::PostCommit, Path::new("/b/uro-hook"));
        assert!(recognise(HookName::PostMerge, &text).expect("ours").edited);
        let longer = [text.as_slice(), b"git lfs post-commit\n"].concat();
        assert!(recognise(HookName::PostCommit, &longer).expect("ours").edited);
    }

    #[test]
    fn other_peoples_hooks_are_not_ours() {
        for text in [
            "",
            "#!/bin/sh\n",
            "#!/bin/sh\necho hi\n# uro-capture hook, version 1\n",
            "#!/bin/sh\n# uro-capture hook, version\n",
            "\u{7f}ELF",
        ] {
            assert_eq!(recognise(HookName::PostCommit, text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn an_older_version_is_told_and_not_called_edited() {
        let text = b"#!/bin/sh\n# uro-capture hook, version 0\nuro_program='/old/uro-hook'\n";
        let expected = Script { version: 0, program: "/old/uro-hook".into(), edited: false };
        assert_eq!(recognise(HookName::PostCommit, text), Some(expected));
    }
}
