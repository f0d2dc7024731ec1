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
    log::list(app, &args.filter, args.n, |store, query| store.search(&args.words.join(" "), query))
}
