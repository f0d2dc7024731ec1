//! `uro-capture pr` and `uro-capture release-notes`: texts about a range of commits, without a model and offline.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::app::App;
use super::clipboard;
use super::failure::Failure;
use super::ui::{self, Align, Exit, Table};
use crate::git::repo::Repo;
use crate::pipeline::describe::{self, ReadDepth};
use crate::publish::links::WebLinks;
use crate::publish::range_text::{NotesStyle, RangeText};

#[derive(Debug, Clone, Args)]
pub struct PullRequestArgs {
    /// Commits that are not in BASE (default: the remote's default branch, main, master or trunk)
    pub base: Option<String>,
    /// Print where each commit went instead
    #[arg(long)]
    pub account: bool,
    /// Copy to the clipboard instead of printing
    #[arg(long)]
    pub copy: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ReleaseNotesArgs {
    /// A..B, as in git: v1.0..v1.1, or v1.0.. up to now
    pub range: String,
    /// Heading (default: the end of the range, or Unreleased)
    #[arg(long, value_name = "V")]
    pub version: Option<String>,
    /// Headings of Keep a Changelog, or a plain list with thanks
    #[arg(long = "as", value_name = "SHAPE", value_enum, default_value_t = NotesStyleArg::Plain)]
    pub style: NotesStyleArg,
    /// Print where each commit went instead
    #[arg(long)]
    pub account: bool,
    /// Copy to the clipboard instead of printing
    #[arg(long)]
    pub copy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NotesStyleArg {
    Plain,
    KeepAChangelog,
}

#[derive(Serialize)]
struct JsonText<'a> {
    title: &'a str,
    body: &'a str,
    commits: Vec<JsonCommit>,
}

#[derive(Serialize)]
struct JsonCommit {
    commit: String,
    subject: String,
    /// Its section, or why it is in none.
    place: String,
}

/// # Errors
/// There is no base, or the commits cannot be read.
pub fn run_pull_request(app: &App, args: &PullRequestArgs) -> Result<Exit, Failure> {
    let repo = app.repo()?;
    let base = match &args.base {
        Some(base) => base.clone(),
        None => repo.default_branches().first().map(|(name, _)| (*name).to_owned()).ok_or_else(|| {
            Failure::input("no branch was found to merge into").hint("name it: uro-capture pr origin/develop")
        })?,
    };
    let range = format!("{base}..HEAD");
    with_range(app, &repo, &range, ReadDepth::Patch, |text| {
        if args.account {
            return print_account(app, text);
        }
        let (title, body) = text.pull_request();
        print(app, text, (&title, &body), &format!("{title}\n\n{body}"), args.copy)
    })
}

/// # Errors
/// The range does not resolve, or the commits cannot be read.
pub fn run_release_notes(app: &App, args: &ReleaseNotesArgs) -> Result<Exit, Failure> {
    let repo = app.repo()?;
    let range = if args.range.contains("..") { args.range.clone() } else { format!("{}..", args.range) };
    let end = range.split_once("..").map_or("", |(_, end)| end);
    let is_open = matches!(end, "" | "HEAD");
    let version =
        args.version.clone().unwrap_or_else(|| if is_open { "Unreleased".to_owned() } else { end.to_owned() });
    // A release is dated by its commit, so that the notes of an old one do not change.
    let at = if is_open { app.clock.now() } else { repo.committed_at(&repo.resolve(end)?)? };
    let style = match args.style {
        NotesStyleArg::Plain => NotesStyle::Plain,
        NotesStyleArg::KeepAChangelog => NotesStyle::KeepAChangelog,
    };
    with_range(app, &repo, &range, ReadDepth::Subject, |text| {
        if args.account {
            return print_account(app, text);
        }
        let notes = text.release_notes(&version, crate::publish::span::date(at, &app.zone), style);
        print(app, text, (&version, &notes), &notes, args.copy)
    })
}

fn with_range(
    app: &App,
    repo: &Repo,
    range: &str,
    depth: ReadDepth,
    show: impl FnOnce(&RangeText<'_>) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let oids = repo.range(range, None)?;
    if oids.is_empty() {
        return Err(Failure::input(format!("there are no commits in {range}")).hint(format!("git log {range}")));
    }
    let services = app.services()?;
    let captures = describe::describe_range(&services, repo, &oids, depth)?;
    let links = repo.origin_url().and_then(|url| WebLinks::from_remote(&url));
    show(&RangeText::of(&captures, links.as_ref(), repo.user_name()))?;
    Ok(Exit::Done)
}

fn print(app: &App, text: &RangeText<'_>, (title, body): (&str, &str), whole: &str, copy: bool) -> Result<(), Failure> {
    if app.json {
        let commits = text.account().into_iter().map(|(commit, subject, place)| JsonCommit { commit, subject, place });
        return app.ui.json(&JsonText { title, body, commits: commits.collect() });
    }
    if copy {
        let how = clipboard::copy(app, whole)?;
        app.ui.note(&format!("copied to the clipboard with {how}"));
        return Ok(());
    }
    app.ui.page(&ui::sanitise(whole))
}

fn print_account(app: &App, text: &RangeText<'_>) -> Result<(), Failure> {
    if app.json {
        return print(app, text, ("", ""), "", false);
    }
    let mut table = Table::new(&[("commit", Align::Left), ("subject", Align::Left), ("where", Align::Left)]);
    for (commit, subject, place) in text.account() {
        table.row(vec![commit, subject, place]);
    }
    app.ui.table(&table)
}
