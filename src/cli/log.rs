//! `uro-capture log` lists captures, newest first; `uro-capture search` finds them by words (full-text search).

use clap::{Args, ValueEnum};

use super::app::App;
use super::capture_list::CaptureList;
use super::failure::Failure;
use super::ui::Exit;
use crate::dispatch;
use crate::domain::capture::{Capture, CaptureKind};
use crate::domain::project::ProjectLabels;
use crate::store::{CaptureArchive, CaptureQuery, StoreError};

#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    #[command(flatten)]
    pub filter: Filter,
    /// At most N captures (default: 50); 0 lists all
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
    /// One line each: the id and the first sentence
    #[arg(long)]
    pub oneline: bool,
}

#[derive(Debug, Clone, Args)]
pub struct SearchArgs {
    /// Words that must all occur
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    #[command(flatten)]
    pub list: LogArgs,
}

/// Default number of listed captures.
const USUAL: usize = 50;

/// Filters of a list, shared by `log` and `search`.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// Of this project, in whatever repository; of one among several of that name: as `--everywhere` shows it
    #[arg(long, value_name = "P")]
    pub project: Option<String>,
    /// Since then: 7d, yesterday, 2026-03-01
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Of this kind
    #[arg(long, value_enum, value_name = "K")]
    pub kind: Option<KindArg>,
    /// Also superseded ones
    #[arg(long)]
    pub all: bool,
    /// Of all repositories, also inside one
    #[arg(long)]
    pub everywhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    Commit,
    Merge,
    Note,
}

impl From<KindArg> for CaptureKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Commit => Self::Commit,
            KindArg::Merge => Self::Merge,
            KindArg::Note => Self::Note,
        }
    }
}

impl Filter {
    /// Builds the store query. Inside a repository it covers that repository, unless options say otherwise.
    ///
    /// # Errors
    /// `--since` is no time, or the repository cannot be read.
    fn query(&self, app: &App, names: &ProjectLabels, limit: Option<usize>) -> Result<CaptureQuery, Failure> {
        let here = if self.everywhere || self.project.is_some() { None } else { app.repo_if_any()? };
        let meant = self.project.as_ref().map(|name| (name, names.find_matching(name)));
        let (project, repo) = match meant {
            Some((name, origins)) => match origins.as_slice() {
                [only] if only.project != *name => (None, only.repo.as_ref().map(|repo| repo.id.clone())),
                _ => (Some(name.clone()), None),
            },
            None => (None, here.map(|repo| repo.location().id.clone())),
        };
        Ok(CaptureQuery {
            project,
            repo,
            outside: false,
            kind: self.kind.map(CaptureKind::from),
            since: self.since.as_deref().map(|text| super::when::parse(text, app)).transpose()?,
            until: None,
            captured_since: None,
            all_states: self.all,
            limit,
        })
    }
}

/// # Errors
/// A filter makes no sense, or the store cannot be read.
pub fn run(app: &App, args: &LogArgs) -> Result<Exit, Failure> {
    list(app, args, "no captures", |store, query| store.captures(query))
}

/// # Errors
/// A filter makes no sense, or the store cannot be read.
pub fn run_search(app: &App, args: &SearchArgs) -> Result<Exit, Failure> {
    let words = args.words.join(" ");
    if words.trim().is_empty() {
        return Err(Failure::input("there is no word to search for").hint("uro-capture log lists all captures"));
    }
    list(app, &args.list, "nothing found", |store, query| store.search(&words, query))
}

/// Value for `-n 0`: more than any store holds.
const EVERYTHING: usize = i32::MAX as usize;

/// Prints the result of `find`, and a notice if there is more.
fn list(
    app: &App,
    args: &LogArgs,
    empty_message: &str,
    find: impl FnOnce(&dyn CaptureArchive, &CaptureQuery) -> Result<Vec<Capture>, StoreError>,
) -> Result<Exit, Failure> {
    let store = app.store()?;
    let n = args.n.unwrap_or(USUAL);
    let names = ProjectLabels::of(store.origins()?);
    // One more than requested shows whether there are more.
    let query = args.filter.query(app, &names, Some(if n == 0 { EVERYTHING } else { n.saturating_add(1) }))?;
    let mut captures = find(store.as_ref(), &query)?;
    let more = n > 0 && captures.len() > n;
    if more {
        captures.truncate(n);
    }
    if app.json {
        app.ui.json(&captures)?;
    } else if captures.is_empty() {
        let elsewhere = query.repo.is_some() && args.filter.project.is_none();
        let elsewhere = if elsewhere { " in this repository; --everywhere looks in all" } else { "" };
        app.ui.note(&format!("{empty_message}{elsewhere}"));
    } else {
        let expects_model = dispatch::has_ever_answered(store.as_ref())?;
        let verbose = app.ui.options.verbose > 0;
        let list = CaptureList { captures: &captures, names: &names, now: &app.now(), expects_model, verbose };
        let color = app.ui.color_out;
        // Grouped by day on a terminal; one line each for programs or on request.
        app.ui.page(&match app.ui.columns {
            _ if args.oneline => list.oneline().render(color),
            Some(columns) => list.by_day(columns, color),
            None => list.program_table().render(color),
        })?;
    }
    // No notice after an explicit number.
    if more && args.n.is_none() {
        app.ui.note(&format!("there are more than {n}; -n 0 lists all"));
    }
    Ok(Exit::Done)
}
