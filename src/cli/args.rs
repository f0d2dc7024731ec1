//! Command line grammar: all commands with their arguments, grouped help, and the note without a command.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory, Parser, Subcommand};

use super::ui::OutputOptions;
use super::{
    commit, config, doctor, draft, edit, export, forget, import, init, latency, log, man, models, note, range_text,
    recap, route, show, sidecar, status,
};

/// Notices each commit, says truthfully what changed, and drafts devlogs from it, with local models only.
#[derive(Debug, Parser)]
#[command(name = "uro-capture", version, propagate_version = false, disable_help_subcommand = false)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true, display_order = 100, action = clap::ArgAction::Append)]
    pub dirs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputOptions,
    /// Set a key of the configuration for this run
    #[arg(long = "config", value_name = "KEY=VALUE", global = true, display_order = 105, action = clap::ArgAction::Append)]
    pub settings: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store a note, in better words if a model finds them in time
    Note(note::NoteArgs),
    /// Capture commits, also as backfill
    Commit(commit::CommitArgs),
    /// List captures, newest first
    Log(log::LogArgs),
    /// Show one capture in full
    Show(show::ShowArgs),
    /// Find captures by their words
    Search(log::SearchArgs),
    /// Replace a capture's text by your own
    Edit(edit::EditArgs),
    /// Remove a capture for good
    Forget(forget::ForgetArgs),
    /// Show what was done since the last working day, across repositories and without a model
    Recap(recap::RecapArgs),
    /// Write the title and text of a pull request from this branch
    Pr(range_text::PullRequestArgs),
    /// Write release notes from a range of commits
    ReleaseNotes(range_text::ReleaseNotesArgs),
    /// Show what was captured, drafted, pending and failing
    Status(status::StatusArgs),
    /// Write, read and publish drafts
    Draft(draft::DraftArgs),
    /// Capture this repository's commits from now on
    Init(init::InitArgs),
    /// Stop capturing this repository's commits and remove every hook of ours
    Deinit(init::DeinitArgs),
    /// Check hardware, settings, servers, hooks and store; exit code 3 when something is wrong
    Doctor(doctor::DoctorArgs),
    /// List, get and set settings
    Config(config::ConfigArgs),
    /// Show what the endpoints offer and which role each model has
    Models(models::ModelsArgs),
    /// Show which model would write now, and why
    Route(route::RouteArgs),
    /// Show how long captures took and why some kept the template
    Latency(latency::LatencyArgs),
    /// Run, start, stop or look at the background process
    Sidecar(sidecar::SidecarArgs),
    /// Print a shell's completion script
    Completions(man::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
    /// Write all captures as JSON lines
    Export(export::ExportArgs),
    /// Read captures from JSON lines; what is known already is skipped
    Import(import::ImportArgs),
}

/// Command names reserved for later versions: none of them becomes a note.
const RESERVED: [&str; 5] = ["ab", "bench", "regress", "schedule", "tune"];

/// Groups of commands in `--help`.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "Daily",
        &[
            "note", "commit", "log", "show", "search", "edit", "forget", "recap", "pr", "release-notes", "status",
            "draft",
        ],
    ),
    ("Setup", &["init", "deinit", "doctor", "config"]),
    ("Models", &["models", "route", "latency"]),
    ("Plumbing", &["sidecar", "export", "import", "completions", "man"]),
];

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().bold())
    .usage(AnsiColor::Yellow.on_default().bold())
    .literal(AnsiColor::Cyan.on_default());

/// Builds the whole command line, with grouped help.
#[must_use]
pub fn command() -> clap::Command {
    let command = Cli::command().styles(STYLES);
    let groups = groups(&command);
    command
        .override_usage("uro-capture [OPTIONS] \"NOTE\"…\n       uro-capture [OPTIONS] [COMMAND]")
        .help_template(format!(
            "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{groups}Options:\n{{options}}{{after-help}}"
        ))
        .after_help(
            "A first word that is no command is a note; without any word the newest commit is captured.\n\
             `uro-capture help COMMAND` tells more about one.",
        )
}

fn groups(command: &clap::Command) -> String {
    let head = STYLES.get_header();
    let name_style = STYLES.get_literal();
    let about = |name: &str| {
        let found = command.find_subcommand(name).and_then(clap::Command::get_about).map(ToString::to_string);
        found.unwrap_or_default()
    };
    let section = |(title, names): &(&str, &[&str])| {
        let line = |name: &&str| format!("  {name_style}{name:<13}{name_style:#} {}\n", about(name));
        let lines: String = names.iter().map(line).collect();
        format!("{head}{title}:{head:#}\n{lines}\n")
    };
    GROUPS.iter().map(section).collect()
}

/// Inserts `note` before a first word that is no command, so that clap always sees a command or nothing.
#[must_use]
pub fn insert_note(mut args: Vec<OsString>) -> Vec<OsString> {
    let Some(at) = first_word(&args) else { return args };
    let word = args[at].to_string_lossy().into_owned();
    let is_command = word == "help"
        || RESERVED.contains(&word.as_str())
        || Cli::command().get_subcommands().any(|command| command.get_name() == word);
    if !is_command {
        // A dash at the start of a sentence is no option.
        let sentence = word.starts_with('-') && word.contains(char::is_whitespace);
        args.splice(at..at, ["note", "--"].into_iter().take(1 + usize::from(sentence)).map(OsString::from));
    }
    if args[at] == "note" { move_options_first(args, at) } else { args }
}

/// Moves global options behind a note's words to before the command at `note`: clap would parse them as words.
/// Text after `--` belongs to the note, and so does a dash in the middle of it.
fn move_options_first(mut args: Vec<OsString>, note: usize) -> Vec<OsString> {
    if args[note..].iter().any(|arg| arg == "--") {
        return args;
    }
    let mut end = args.len();
    while let Some(length) = last_option(&args[note + 1..end]) {
        end -= length;
    }
    let options = args.split_off(end);
    args.splice(note..note, options);
    args
}

/// Number of arguments in the global option at the end of `words`; `None` if they end with a word.
fn last_option(words: &[OsString]) -> Option<usize> {
    let length_at = |back: usize| {
        let at = words.len().checked_sub(back)?;
        option_length(&words[at].to_string_lossy()).filter(|length| *length == back)
    };
    length_at(2).or_else(|| length_at(1))
}

/// Index at which options end and words begin; `None` without a word, or with an option only clap can parse.
fn first_word(args: &[OsString]) -> Option<usize> {
    let mut at = 1;
    loop {
        let arg = args.get(at)?.to_string_lossy();
        match option_length(&arg) {
            Some(0) => return Some(at),
            Some(length) => at += length,
            None => return None,
        }
    }
}

/// Number of arguments of a global option, itself included; 0: a word; `None`: not a global option.
fn option_length(arg: &str) -> Option<usize> {
    match arg {
        "--" | "-" => Some(0),
        "-C" | "--color" | "--config" => Some(2),
        "--quiet" | "--verbose" | "--json" | "--no-pager" => Some(1),
        _ if arg.contains(char::is_whitespace) && !arg.starts_with("-C") && !arg.starts_with("--co") => Some(0),
        _ if arg.starts_with("--color=") || arg.starts_with("--config=") || arg.starts_with("-C") => Some(1),
        _ if !arg.starts_with('-') => Some(0),
        _ if !arg.starts_with("--") && arg[1..].chars().all(|c| c == 'q' || c == 'v') => Some(1),
        _ => None,
    }
}

/// The reserved command that the command line names.
#[must_use]
pub fn find_reserved(args: &[OsString]) -> Option<&'static str> {
    let word = first_word(args)?;
    RESERVED.into_iter().find(|name| args[word] == *name)
}

/// The command that the command line names, once a note has its command word.
#[must_use]
pub fn find_command(args: &[OsString]) -> Option<&'static str> {
    let word = first_word(args)?;
    GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).find(|name| args[word] == *name)
}

/// The command that a single word probably meant (typo correction).
#[must_use]
pub fn guess_command(word: &OsStr) -> Option<String> {
    let word = word.to_str()?;
    let command = Cli::command();
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    similar::get_close_matches(word, &names, 1, 0.7).first().map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatched(words: &[&str]) -> Vec<String> {
        let args = ["uro-capture"].iter().chain(words).map(OsString::from).collect();
        insert_note(args).into_iter().skip(1).map(|arg| arg.into_string().unwrap()).collect()
    }

    fn parsed(words: &[&str]) -> Cli {
        use clap::FromArgMatches;
        let args = insert_note(["uro-capture"].iter().chain(words).map(OsString::from).collect());
        Cli::from_arg_matches(&command().try_get_matches_from(args).unwrap()).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_stands_in_one_group_of_the_help() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let command = Cli::command();
        let mut visible: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        visible.sort_unstable();
        assert_eq!(grouped, visible);
        let help = super::command().render_help().to_string();
        for title in ["Daily:", "Setup:", "Models:", "Plumbing:", "Options:"] {
            assert!(help.contains(title), "{help}");
        }
        assert!(!help.contains("bench"), "what does not work yet is not offered");
    }

    #[test]
    fn a_first_word_that_is_no_command_is_a_note() {
        for (words, expected) in [
            (&["Fixed auth"][..], &["note", "Fixed auth"][..]),
            (&["Fixed", "log", "rotation"], &["note", "Fixed", "log", "rotation"]),
            (&["-"], &["note", "-"]),
            (&["-q", "Fixed"], &["-q", "note", "Fixed"]),
            (&["-C", "log", "Fixed"], &["-C", "log", "note", "Fixed"]),
            (&["-qv", "--json", "--config", "a=b", "Fixed"], &["-qv", "--json", "--config", "a=b", "note", "Fixed"]),
            (&["--", "log"], &["note", "--", "log"]),
            (&["- fixed it"], &["note", "--", "- fixed it"]),
            (&["--color=never", "Fixed"], &["--color=never", "note", "Fixed"]),
        ] {
            assert_eq!(dispatched(words), expected);
        }
    }

    #[test]
    fn options_may_also_follow_a_notes_words() {
        for (words, expected) in [
            (&["Fixed auth", "--json"][..], &["--json", "note", "Fixed auth"][..]),
            (&["note", "Fixed", "auth", "-q", "--json"], &["-q", "--json", "note", "Fixed", "auth"]),
            (&["-", "--json", "-C", "dir"], &["--json", "-C", "dir", "note", "-"]),
            (&["Fixed", "--color", "never"], &["--color", "never", "note", "Fixed"]),
            (&["Removed", "--json", "from", "log"], &["note", "Removed", "--json", "from", "log"]),
            (&["Removed", "--force"], &["note", "Removed", "--force"]),
            (&["note", "--", "Added", "--json"], &["note", "--", "Added", "--json"]),
            (&["- fixed", "--json"], &["note", "--", "- fixed", "--json"]),
        ] {
            assert_eq!(dispatched(words), expected);
        }
        assert!(parsed(&["Fixed auth", "--json"]).global.output.json);
    }

    #[test]
    fn names_kept_for_later_never_become_notes() {
        let asked = |words: &[&str]| {
            let args: Vec<OsString> = ["uro-capture"].iter().chain(words).map(OsString::from).collect();
            find_reserved(&insert_note(args))
        };
        assert_eq!(asked(&["-C", "dir", "tune", "--all"]), Some("tune"));
        assert_eq!(asked(&["bench"]), Some("bench"));
        assert_eq!(asked(&["tune 66"]), None);
        assert_eq!(asked(&["log"]), None);
    }

    #[test]
    fn commands_options_and_nothing_stay_as_they_are() {
        for words in [
            &["log", "-n", "5"][..],
            &["-C", "dir", "status"],
            &["--no-pager", "log"],
            &["--json", "status"],
            &["help", "log"],
            &["--version"],
            &["--nonsense", "x"],
            &["bench"],
            &["route", "x"],
            &["-q"],
            &[],
        ] {
            assert_eq!(dispatched(words), words);
        }
    }

    #[test]
    fn global_options_work_before_and_after_the_command() {
        for words in [&["--json", "-C", "a", "-C", "b", "status"][..], &["status", "--json", "-C", "a", "-C", "b"]] {
            let cli = parsed(words);
            assert!(cli.global.output.json && matches!(cli.command, Some(Command::Status(_))));
            assert_eq!(cli.global.dirs, [PathBuf::from("a"), PathBuf::from("b")], "{words:?}");
        }
        assert!(parsed(&["-q"]).command.is_none());
    }

    #[test]
    fn a_misspelt_command_is_recognised() {
        assert_eq!(guess_command(OsStr::new("stauts")).as_deref(), Some("status"));
        assert_eq!(guess_command(OsStr::new("Refactored")), None);
    }
}
