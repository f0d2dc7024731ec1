//! `uro-capture search WORDS`: captures by their words, best match first.

use clap::Args;

use super::app::App;
use super::failure::Failure;
use super::log::{self, Filter};
use super::ui::Exit;

#[derive(Debug, Clone, Args)]
pub struct SearchArgs {
    /// Words that must all occur
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    #[command(flatten)]
    pub filter: Filter,
    /// At most N captures; 0 lists all
    #[arg(short, value_name = "N", default_value_t = 50)]
    pub n: usize,
}

/// # Errors
/// A filter makes no sense, or the store cannot be read.
pub fn run(app: &App, args: &SearchArgs) -> Result<Exit, Failure> {
    let words = args.words.join(" ");
    if words.trim().is_empty() {
        return Err(Failure::input("there is no word to search for").hint("uro-capture log lists all captures"));
    }
    let query = args.filter.query(app, (args.n > 0).then_some(args.n))?;
    let captures = app.store()?.search(&words, &query)?;
    log::print(app, &captures, "nothing found", query.repo.is_some())?;
    Ok(Exit::Done)
}
