//! `uro-capture log`: the captures, newest first.

use clap::{Args, ValueEnum};

use super::app::App;
use super::capture_line;
use super::failure::Failure;
use super::ui::Exit;
use crate::domain::capture::{Capture, Kind};
use crate::store::{CaptureQuery, Store, StoreError};

#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    #[command(flatten)]
    pub filter: Filter,
    /// At most N captures (default: 50); 0 lists all
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
}

/// How many are listed where nobody says.
const USUAL: usize = 50;

/// Which captures are meant: the same for `log` and `search`.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// Of this project, in whatever repository
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

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Commit => Self::Commit,
            KindArg::Merge => Self::Merge,
            KindArg::Note => Self::Note,
        }
    }
}

impl Filter {
    /// What the store is asked. Inside a repository it is that one's captures, unless told otherwise.
    ///
    /// # Errors
    /// `--since` is no time, or the repository cannot be read.
    pub fn query(&self, app: &App, limit: Option<usize>) -> Result<CaptureQuery, Failure> {
        let here = if self.everywhere || self.project.is_some() { None } else { app.repo_if_any()? };
        Ok(CaptureQuery {
            project: self.project.clone(),
            repo: here.map(|repo| repo.place().id.clone()),
            kind: self.kind.map(Kind::from),
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
    list(app, &args.filter, args.n, "no captures", |store, query| store.captures(query))
}

/// What `-n 0` stands for: more than any store holds.
const EVERYTHING: usize = i32::MAX as usize;

/// Prints at most `most` captures (0: all) of what `find` gives, and says when there are more.
///
/// # Errors
/// A filter makes no sense, or the store cannot be read.
pub fn list(
    app: &App,
    filter: &Filter,
    most: Option<usize>,
    nothing: &str,
    find: impl FnOnce(&dyn Store, &CaptureQuery) -> Result<Vec<Capture>, StoreError>,
) -> Result<Exit, Failure> {
    let n = most.unwrap_or(USUAL);
    // One more than wanted tells whether there are more.
    let query = filter.query(app, Some(if n == 0 { EVERYTHING } else { n.saturating_add(1) }))?;
    let mut captures = find(app.store()?.as_ref(), &query)?;
    let more = n > 0 && captures.len() > n;
    if more {
        captures.truncate(n);
    }
    print(app, &captures, nothing, query.repo.is_some())?;
    // Who named a number knows that there may be more.
    if more && most.is_none() {
        app.ui.note(&format!("there are more than {n}; -n 0 lists all"));
    }
    Ok(Exit::Done)
}

/// A list for people, or a JSON array. An empty one is `nothing`, which may mean that another repository has some.
///
/// # Errors
/// Standard output cannot be written.
fn print(app: &App, captures: &[Capture], nothing: &str, one_repository: bool) -> Result<(), Failure> {
    if app.json {
        return app.ui.json(captures);
    }
    if captures.is_empty() {
        let elsewhere = if one_repository { " in this repository; --everywhere looks in all" } else { "" };
        app.ui.note(&format!("{nothing}{elsewhere}"));
    }
    app.ui.table(&capture_line::list(captures, &app.now()))
}
