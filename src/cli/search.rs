//! `uro-capture search WORDS`: full-text search of captures, best match first.

use clap::Args;

use super::app::App;
use super::failure::Failure;
use super::log::{self, Filter, Wish};
use super::ui::Exit;

#[derive(Debug, Clone, Args)]
pub struct SearchArgs {
    /// Words that must all occur
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    #[command(flatten)]
    pub filter: Filter,
    /// At most N captures (default: 50); 0 lists all
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
    /// One line each: the id and the first sentence
    #[arg(long)]
    pub oneline: bool,
}

/// # Errors
/// A filter makes no sense, or the store cannot be read.
pub fn run(app: &App, args: &SearchArgs) -> Result<Exit, Failure> {
    let words = args.words.join(" ");
    if words.trim().is_empty() {
        return Err(Failure::input("there is no word to search for").hint("uro-capture log lists all captures"));
    }
    let wish = Wish { most: args.n, oneline: args.oneline, nothing: "nothing found" };
    log::list(app, &args.filter, &wish, |store, query| store.search(&words, query))
}
