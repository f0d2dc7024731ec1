//! `uro-capture man` and `completions`: prints a manual page in roff, or a shell completion script.

use clap::Args;
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::args;
use super::failure::Failure;
use super::ui::{Exit, Ui};

#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The command whose page is wanted; without it the program's
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// # Errors
/// There is no such command, or standard output cannot be written.
pub fn run(ui: &Ui, args: &ManArgs) -> Result<Exit, Failure> {
    ui.raw(&page(args.command.as_deref())?)?;
    Ok(Exit::Done)
}

/// Renders the page in roff.
fn page(command: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut root = args::command().disable_help_subcommand(true);
    root.build();
    let man = match command {
        None => Man::new(root),
        Some(name) => {
            let found = root.find_subcommand(name).cloned();
            let missing = || Failure::input(format!("there is no command {name:?}")).hint("uro-capture --help");
            Man::new(found.ok_or_else(missing)?).title(format!("uro-capture-{name}"))
        }
    };
    let man = man.source(concat!("uro-capture ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error| Failure::bug(format!("cannot render the page: {error}")))?;
    Ok(text)
}

#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// # Errors
/// Standard output cannot be written.
pub fn run_completions(ui: &Ui, args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut args::command(), "uro-capture", &mut script);
    ui.raw(&script)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_every_command_have_a_page() {
        let text = |command| String::from_utf8(page(command).unwrap()).unwrap();
        assert!(text(None).contains(".TH uro-capture 1"), "{}", &text(None)[..200]);
        assert!(text(Some("log")).contains(".TH uro-capture-log 1  \"uro-capture "));
        assert!(text(Some("log")).contains("\\-\\-everywhere"));
        assert_eq!(page(Some("nonsense")).unwrap_err().code(), 1);
    }
}

#[cfg(test)]
mod completions_tests {
    use super::*;
    use crate::cli::ui::OutputOptions;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let (ui, out, _) = Ui::in_memory(OutputOptions::default());
            run_completions(&ui, &CompletionsArgs { shell }).unwrap();
            let text = out.text();
            assert!(text.len() > 200 && text.contains("latency"), "{shell}");
        }
    }
}
