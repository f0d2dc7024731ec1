//! `uro-capture completions SHELL`: prints a shell completion script.

use clap::Args;
use clap_complete::{Shell, generate};

use super::args;
use super::failure::Failure;
use super::ui::{Exit, Ui};

#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// # Errors
/// Standard output cannot be written.
pub fn run(ui: &Ui, args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut args::command(), "uro-capture", &mut script);
    ui.raw(&script)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ui::Wishes;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let (ui, out, _) = Ui::captured(Wishes::default());
            run(&ui, &CompletionsArgs { shell }).unwrap();
            let text = out.text();
            assert!(text.len() > 200 && text.contains("latency"), "{shell}");
        }
    }
}
