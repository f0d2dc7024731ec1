//! Pager for long lists on a terminal, selected as git does.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::config::env::{self, Env};
use crate::git;

/// A command line for the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    command: String,
    /// Options for `less`, unless the user has set some.
    less: Option<&'static str>,
}

/// What git gives `less`: quit on one screen, keep colours, leave the text on the screen.
const LESS: &str = "FRX";

/// Exit codes of a shell for a missing or non-executable command.
const NOT_STARTED: [i32; 2] = [126, 127];

impl Pager {
    /// `$GIT_PAGER`, else `core.pager` of the user's or the system's git configuration, else `$PAGER`, else `less`.
    /// Absent if that is empty or `cat`, and on a terminal that cannot move its cursor. A repository's own
    /// `core.pager` is ignored: nothing from a repository's settings is executed.
    #[must_use]
    pub fn of(env: &Env) -> Option<Self> {
        Self::choose(env, || git::user_setting("core.pager"))
    }

    fn choose(env: &Env, core_pager: impl FnOnce() -> Option<String>) -> Option<Self> {
        let of_env = |name| env.given(name).map(str::to_owned);
        let command = of_env(env::GIT_PAGER)
            .or_else(core_pager)
            .or_else(|| of_env(env::PAGER))
            .unwrap_or_else(|| "less".to_owned());
        let command = command.trim();
        if command.is_empty() || command == "cat" || env.text(env::TERM) == Some("dumb") {
            return None;
        }
        let less = env.given(env::LESS).is_none().then_some(LESS);
        Some(Self { command: command.to_owned(), less })
    }

    /// Shows the text and returns when the user quits. False if the pager could not be started and nothing was
    /// shown. Quitting before the end is no error.
    #[must_use]
    pub fn show(&self, text: &str) -> bool {
        // Ctrl-C belongs to the pager; without a handler it would end this process and orphan the pager.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _handled = runtime.as_ref().ok().map(|runtime| {
            let _inside = runtime.enter();
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
        });
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::piped());
        command.envs(self.less.map(|options| ("LESS", options)));
        let Ok(mut child) = command.spawn() else { return false };
        if let Some(mut pipe) = child.stdin.take() {
            // The exit code distinguishes quitting from a failed start.
            let _ = pipe.write_all(text.as_bytes());
        }
        child.wait().is_ok_and(|status| !status.code().is_some_and(|code| NOT_STARTED.contains(&code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(pairs: &[(&str, &str)], core_pager: Option<&str>) -> Option<String> {
        Pager::choose(&Env::of(pairs), || core_pager.map(str::to_owned)).map(|pager| pager.command)
    }

    #[test]
    fn it_is_chosen_in_the_order_of_git() {
        let all = [("GIT_PAGER", "delta"), ("PAGER", "more")];
        assert_eq!(chosen(&all, Some("less -S")).as_deref(), Some("delta"));
        assert_eq!(chosen(&all[1..], Some("less -S")).as_deref(), Some("less -S"));
        assert_eq!(chosen(&all[1..], None).as_deref(), Some("more"));
        assert_eq!(chosen(&[], None).as_deref(), Some("less"));
    }

    #[test]
    fn an_empty_one_and_cat_are_none() {
        assert_eq!(chosen(&[("GIT_PAGER", ""), ("PAGER", "more")], Some("less")), None);
        assert_eq!(chosen(&[("PAGER", "more")], Some("cat")), None);
        assert_eq!(chosen(&[("PAGER", " ")], None), None);
        assert_eq!(chosen(&[("TERM", "dumb"), ("PAGER", "more")], None), None);
    }

    #[test]
    fn less_gets_the_options_of_git_unless_the_person_has_some() {
        let less = |pairs| Pager::choose(&Env::of(pairs), || None).unwrap().less;
        assert_eq!(less(&[]), Some("FRX"));
        assert_eq!(less(&[("LESS", "-i")]), None);
    }

    #[test]
    fn one_that_is_left_early_has_shown_it_and_one_that_is_missing_has_not() {
        let pager = |command: &str| Pager { command: command.to_owned(), less: None };
        let long = "a line\n".repeat(100_000);
        assert!(pager("exit 0").show(&long));
        assert!(pager("cat >/dev/null; exit 1").show(&long));
        assert!(!pager("no-such-pager-anywhere 2>/dev/null").show(&long));
    }
}
