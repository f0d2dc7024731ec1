//! Command line interface: parses arguments, runs one command, maps its result to an exit code.

pub mod app;
pub mod args;
pub mod capture_line;
mod capture_list;
mod clipboard;
pub mod commit;
mod config;
mod doctor;
pub mod draft;
mod edit;
mod editor;
mod export;
pub mod failure;
mod forget;
mod hooks;
mod import;
mod init;
mod latency;
mod log;
mod man;
mod models;
pub mod note;
mod pager;
mod range_text;
mod recap;
mod route;
mod service;
mod show;
pub mod sidecar;
mod status;
pub mod ui;
pub mod when;
mod wrap;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::FromArgMatches;

use app::{App, AppOptions};
use args::{Cli, Command};
use config::ConfigAction;
use failure::Failure;
use ui::{Exit, OutputOptions, Ui};

use crate::config::{Env, Overrides};
use crate::domain::clock::SystemClock;

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if starts_detached(&args) {
        crate::sidecar::launch::detach_from_starter();
    }
    let ended = catch_unwind(AssertUnwindSafe(|| run(args)));
    ExitCode::from(ended.unwrap_or_else(|_| {
        // A panic has printed its location on stderr already; this message explains it.
        let failure = Failure::bug("uro-capture stopped because of a bug");
        Ui::new(OutputOptions::default(), &Env::from_process()).failure(&failure);
        failure.code()
    }))
}

/// `sidecar run --detached` closes its inherited descriptors before anything else is opened.
fn starts_detached(args: &[OsString]) -> bool {
    let has = |word: &str| args.iter().any(|arg| arg == word);
    args.get(1).is_some_and(|arg| arg == "sidecar") && has("run") && has("--detached")
}

fn run(args: Vec<OsString>) -> u8 {
    let env = Env::from_process();
    let single = (args.len() == 2).then(|| args[1].clone());
    if let Some(name) = args::find_reserved(&args) {
        let failure = Failure::input(format!("this version has no `{name}` yet")).hint("uro-capture --help");
        Ui::new(OutputOptions::default(), &env).failure(&failure);
        return failure.code();
    }
    let args = args::insert_note(args);
    let command = args::find_command(&args);
    let parsed = args::command().try_get_matches_from(args).and_then(|m| Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return report_clap_error(&error, command, &Ui::new(OutputOptions::default(), &env)),
    };
    let ui = Arc::new(Ui::new(cli.global.output, &env));
    let meant =
        single.filter(|_| matches!(cli.command, Some(Command::Note(_)))).and_then(|word| args::guess_command(&word));
    let ended = execute(cli, env, &ui);
    if let (Ok(_), Some(command)) = (&ended, meant) {
        ui.warn(&format!("this was stored as a note; the command is `uro-capture {command}`"));
    }
    match ended {
        Ok(exit) => exit.code(),
        Err(failure) => {
            ui.failure(&failure);
            failure.code()
        }
    }
}

/// Help and version go to stdout with 0; a wrong command line to stderr with 2.
fn report_clap_error(error: &clap::Error, command: Option<&str>, ui: &Ui) -> u8 {
    let rendered = error.render();
    if !error.use_stderr() {
        let text = if ui.color_out { rendered.ansi().to_string() } else { rendered.to_string() };
        return ui.raw(text.as_bytes()).map_or_else(|failure| failure.code(), |()| 0);
    }
    let text = rendered.to_string();
    let text = text.trim_end().trim_end_matches("For more information, try '--help'.").trim_end();
    // The command of a usage message: the words before the first placeholder of its `Usage:` line.
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("uro-capture");
    let is_command = |word: &&str| !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let usage = usage.split(' ').take_while(is_command).collect::<Vec<_>>().join(" ");
    let hint = match (usage, command) {
        (usage, Some(command)) if usage == "uro-capture" => format!("{usage} {command} --help"),
        (usage, _) => format!("{usage} --help"),
    };
    ui.failure(&Failure::usage(text.trim_start_matches("error: ")).hint(hint));
    2
}

fn execute(cli: Cli, env: Env, ui: &Arc<Ui>) -> Result<Exit, Failure> {
    match &cli.command {
        Some(Command::Completions(args)) => return man::run_completions(ui, args),
        Some(Command::Man(args)) => return man::run(ui, args),
        _ => {}
    }
    let tolerant = cli.command.as_ref().is_some_and(works_with_broken_settings);
    let start = AppOptions {
        cwd: resolve_dir(&cli.global.dirs)?,
        overrides: Overrides { env, flags: cli.global.settings },
        tolerant,
    };
    let app = App::open(start, Arc::new(SystemClock), Arc::clone(ui))?;
    dispatch(&app, cli.command)
}

/// Commands that repair the settings, diagnose them, or undo something.
fn works_with_broken_settings(command: &Command) -> bool {
    match command {
        Command::Doctor(_) | Command::Deinit(_) => true,
        Command::Config(args) => matches!(args.action, ConfigAction::Path | ConfigAction::Set { .. }),
        // The background process captures nothing until they can be read; stopping or querying it needs none.
        Command::Sidecar(_) => true,
        // Stored captures can be shown; nothing is captured meanwhile.
        Command::Log(_) | Command::Show(_) | Command::Search(_) => true,
        _ => false,
    }
}

fn dispatch(app: &App, command: Option<Command>) -> Result<Exit, Failure> {
    let Some(command) = command else { return commit::head(app) };
    match command {
        Command::Note(args) => note::run(app, &args),
        Command::Commit(args) => commit::run(app, &args),
        Command::Log(args) => log::run(app, &args),
        Command::Show(args) => show::run(app, &args),
        Command::Search(args) => log::run_search(app, &args),
        Command::Edit(args) => edit::run(app, &args),
        Command::Forget(args) => forget::run(app, &args),
        Command::Recap(args) => recap::run(app, &args),
        Command::Pr(args) => range_text::run_pull_request(app, &args),
        Command::ReleaseNotes(args) => range_text::run_release_notes(app, &args),
        Command::Status(args) => status::run(app, &args),
        Command::Draft(args) => draft::run(app, &args),
        Command::Init(args) => init::run(app, &args),
        Command::Deinit(args) => init::run_deinit(app, &args),
        Command::Doctor(args) => doctor::run(app, &args),
        Command::Config(args) => config::run(app, &args),
        Command::Models(args) => models::run(app, &args),
        Command::Route(args) => route::run(app, &args),
        Command::Latency(args) => latency::run(app, &args),
        Command::Sidecar(args) => sidecar::run(app, &args),
        Command::Completions(args) => man::run_completions(&app.ui, &args),
        Command::Man(args) => man::run(&app.ui, &args),
        Command::Export(args) => export::run(app, &args),
        Command::Import(args) => import::run(app, &args),
    }
}

/// The current directory after every `-C`, each relative to the one before, as git does.
fn resolve_dir(dirs: &[PathBuf]) -> Result<PathBuf, Failure> {
    let start = std::env::current_dir().map_err(|error| {
        Failure::input("the current directory is gone").because(error.to_string()).hint("cd somewhere else")
    })?;
    let dir = dirs.iter().fold(start, |dir, next| dir.join(next));
    if dirs.is_empty() || dir.is_dir() {
        return Ok(dir);
    }
    Err(Failure::input(format!("{} is not a directory", dir.display())).hint("-C takes a directory that exists"))
}

#[cfg(test)]
mod tests {
    use super::ui::Color;
    use super::*;

    fn os(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_the_detached_sidecar_lets_go() {
        assert!(starts_detached(&os(&["uro-capture", "sidecar", "run", "--detached"])));
        for words in [&["uro-capture", "sidecar", "run"][..], &["uro-capture", "run --detached"], &["uro-capture"]] {
            assert!(!starts_detached(&os(words)), "{words:?}");
        }
    }

    #[test]
    fn a_wrong_command_line_exits_with_two_and_a_hint_and_help_with_zero() {
        let explained = |words: &[&str]| {
            let args = args::insert_note(os(words));
            let command = args::find_command(&args);
            let error = args::command().try_get_matches_from(args).unwrap_err();
            let (ui, out, err) = Ui::in_memory(OutputOptions { color: Color::Never, ..OutputOptions::default() });
            (report_clap_error(&error, command, &ui), out.text(), err.text())
        };
        let (code, out, err) = explained(&["uro-capture", "log", "--nonsense"]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.starts_with("error: unexpected argument '--nonsense'"), "{err}");
        assert!(err.ends_with("hint: uro-capture log --help\n"), "{err}");
        let (_, _, err) = explained(&["uro-capture", "draft"]);
        assert!(err.starts_with("error: 'uro-capture draft' requires a subcommand"), "{err}");
        assert!(err.ends_with("hint: uro-capture draft --help\n"), "{err}");
        let (_, _, err) = explained(&["uro-capture", "log", "-n", "many"]);
        assert!(err.ends_with("hint: uro-capture log --help\n"), "{err}");
        let (_, _, err) = explained(&["uro-capture", "--nonsense"]);
        assert!(err.ends_with("hint: uro-capture --help\n"), "{err}");
        let (code, out, err) = explained(&["uro-capture", "--help"]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains("Daily:") && !out.contains('\u{1b}'), "{out}");
        assert_eq!(explained(&["uro-capture", "--version"]).0, 0);
    }

    #[test]
    fn every_dash_c_counts_from_the_one_before() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("a/b")).unwrap();
        let found = resolve_dir(&[top.path().to_owned(), "a".into(), "b".into()]).unwrap();
        assert_eq!(found, top.path().join("a/b"));
        assert_eq!(resolve_dir(&[top.path().join("nowhere")]).unwrap_err().code(), 1);
    }
}
