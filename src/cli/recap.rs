//! `uro-capture recap`: what was done, across repositories, at once and without a model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Args, ValueEnum};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::app::App;
use super::clipboard;
use super::failure::Failure;
use super::ui::{self, Exit};
use crate::domain::capture::Capture;
use crate::domain::draft::Period;
use crate::domain::project::ProjectLabels;
use crate::drafts::period;
use crate::git::repo::Repo;
use crate::publish::links::WebLinks;
use crate::publish::markdown;
use crate::publish::recap::{OpenEnd, Recap, RecapGrouping, RecapRow, RecapStyle, find_last_working_day, split_period};
use crate::publish::span;
use crate::publish::work_item::{Work, WorkPart};
use crate::store::{CaptureQuery, Store};

#[derive(Debug, Clone, Args)]
pub struct RecapArgs {
    /// today, yesterday, week, month, quarter, or the one before: last-week, last-month, last-quarter.
    /// Without it: since the last working day
    #[arg(value_name = "PERIOD", value_enum)]
    pub period: Option<NamedPeriod>,
    /// Since then: 7d, monday, 2026-03-01
    #[arg(long, value_name = "WHEN", conflicts_with = "period")]
    pub since: Option<String>,
    /// Headings
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = GroupingArg::Project)]
    pub by: GroupingArg,
    /// standup: an item a line; list: each commit; table; brag: by theme, with reasons and links
    #[arg(long = "as", value_name = "SHAPE", value_enum, default_value_t = StyleArg::Standup)]
    pub style: StyleArg,
    /// Of this project only
    #[arg(long, value_name = "P")]
    pub project: Option<String>,
    /// Output format; --json is the same as json
    #[arg(long, value_name = "F", value_enum, default_value_t = FormatArg::Markdown)]
    pub format: FormatArg,
    /// Copy to the clipboard instead of printing
    #[arg(long)]
    pub copy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NamedPeriod {
    Today,
    Yesterday,
    Week,
    Month,
    Quarter,
    LastWeek,
    LastMonth,
    LastQuarter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupingArg {
    Project,
    Ticket,
    Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StyleArg {
    Standup,
    List,
    Table,
    Brag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    Markdown,
    Plain,
    Json,
    Csv,
}

/// How long before a period an unmerged branch was worked on to be still open.
const OPEN_DAYS: i64 = 14;
/// Longest holiday that the default period reaches over, in days.
const LONGEST_BREAK: i64 = 31;

#[derive(Serialize)]
struct JsonRecap<'a> {
    window: JsonWindow,
    items: &'a [RecapRow],
    open: &'a [OpenEnd],
}

#[derive(Serialize)]
struct JsonWindow {
    from: String,
    to: String,
}

/// # Errors
/// `--since` is no time, there is no such project, or the store cannot be read.
pub fn run(app: &App, args: &RecapArgs) -> Result<Exit, Failure> {
    let services = app.services()?;
    let store = services.store.as_ref();
    let labels = ProjectLabels::of(store.origins()?);
    let period = resolve_period(app, args, store)?;
    let reach = period.from.checked_sub((24 * OPEN_DAYS).hours()).unwrap_or(period.from);
    let query = CaptureQuery { since: Some(reach), until: Some(period.to), ..CaptureQuery::default() };
    let mut captures = store.captures(&query)?;
    if let Some(project) = &args.project {
        keep_project(&mut captures, &labels, project)?;
    }
    let (captures, earlier) = split_period(captures, &period);
    let work = Work::of(&captures);
    let earlier = Work::of(&earlier);
    let repos = open_repos(captures.iter().filter_map(|capture| capture.repo.as_ref()).map(|repo| repo.path.as_str()));
    let links = repos
        .iter()
        .filter_map(|repo| {
            let links = WebLinks::from_remote(&repo.origin_url()?)?;
            Some((repo.location().id.as_str().to_owned(), links))
        })
        .collect();
    let open = find_open_ends(&labels, &work, &earlier, &repos);
    let recap = Recap { period, zone: &app.zone, labels: &labels, links: &links, work, open };
    let format = if app.json { FormatArg::Json } else { args.format };
    let text = render(&recap, format, args)?;
    if args.copy {
        let how = clipboard::copy(app, &text)?;
        app.ui.note(&format!("copied to the clipboard with {how}"));
    } else {
        app.ui.page(&ui::sanitise(&text))?;
    }
    Ok(Exit::Done)
}

fn render(recap: &Recap<'_>, format: FormatArg, args: &RecapArgs) -> Result<String, Failure> {
    let markdown = || recap.markdown(args.style.into(), args.by.into());
    Ok(match format {
        FormatArg::Markdown => markdown(),
        FormatArg::Plain => plain(&markdown()),
        FormatArg::Json => {
            let window = JsonWindow { from: recap.period.from.to_string(), to: recap.period.to.to_string() };
            let json = JsonRecap { window, items: &recap.rows(), open: &recap.open };
            ui::json_line(&json).map_err(|error| Failure::bug(format!("the recap cannot be written: {error}")))?
        }
        FormatArg::Csv => csv(&recap.rows()),
    })
}

/// Markdown without its marks, line by line; links are reduced to their text.
fn plain(text: &str) -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        let bare = line.trim_start().trim_start_matches('#').trim_start();
        let (mark, rest) = bare.strip_prefix("- ").map_or(("", bare), |rest| ("- ", rest));
        format!("{}{mark}{}\n", &line[..indent], markdown::plain(rest))
    };
    text.lines().map(line).collect()
}

/// RFC 4180, with a header.
fn csv(rows: &[RecapRow]) -> String {
    let quoted = |text: &str| {
        // A leading sign would be a formula in a spreadsheet.
        let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
        if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let mut out = "at,project,kind,theme,breaking,title,why,tickets,branch,commits,captures\n".to_owned();
    for row in rows {
        let cells = [
            row.at.to_string(),
            row.project.clone(),
            row.kind.to_owned(),
            row.theme.to_owned(),
            row.breaking.to_string(),
            row.title.clone(),
            row.why.clone().unwrap_or_default(),
            row.tickets.join(" "),
            row.branch.clone().unwrap_or_default(),
            row.commits.join(" "),
            row.captures.join(" "),
        ];
        out.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        out.push('\n');
    }
    out
}

fn keep_project(captures: &mut Vec<Capture>, labels: &ProjectLabels, project: &str) -> Result<(), Failure> {
    let meant = labels.find_matching(project);
    if meant.is_empty() {
        return Err(Failure::input(format!("there is no project {project:?}"))
            .hint("uro-capture log --everywhere shows their names"));
    }
    captures.retain(|capture| {
        meant.iter().any(|origin| {
            origin.project == capture.project
                && origin.repo.as_ref().map(|repo| &repo.id) == capture.repo.as_ref().map(|repo| &repo.id)
        })
    });
    Ok(())
}

fn resolve_period(app: &App, args: &RecapArgs, store: &dyn Store) -> Result<Period, Failure> {
    let (now, today) = (app.now(), app.now().date());
    let until_now = |from| Period { from, to: now.timestamp() };
    if let Some(since) = &args.since {
        let from = super::when::parse(since, app)?;
        if from >= now.timestamp() {
            return Err(Failure::usage(format!("{since:?} is not in the past")).hint("write 7d, monday or 2026-03-01"));
        }
        return Ok(until_now(from));
    }
    let monday = |date: Date| date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
    let quarter = |date: Date| date.with().month((date.month() - 1) / 3 * 3 + 1).day(1).build();
    let yesterday = || today.yesterday();
    let week_before = || monday(today)?.yesterday();
    let month_before = || today.first_of_month().yesterday();
    let quarter_before = || quarter(today)?.yesterday();
    let days = match args.period {
        None => find_default_start(app, store, today).map(|first| (first, today)),
        Some(NamedPeriod::Today) => Ok((today, today)),
        Some(NamedPeriod::Yesterday) => yesterday().map(|day| (day, day)),
        Some(NamedPeriod::Week) => monday(today).map(|first| (first, today)),
        Some(NamedPeriod::Month) => Ok((today.first_of_month(), today)),
        Some(NamedPeriod::Quarter) => quarter(today).map(|first| (first, today)),
        Some(NamedPeriod::LastWeek) => week_before().and_then(|last| Ok((monday(last)?, last))),
        Some(NamedPeriod::LastMonth) => month_before().map(|last| (last.first_of_month(), last)),
        Some(NamedPeriod::LastQuarter) => quarter_before().and_then(|last| Ok((quarter(last)?, last))),
    };
    let outside = || Failure::input("the period lies outside of the calendar").hint("uro-capture recap --since 7d");
    let (first, last) = days.map_err(|_| outside())?;
    period::days(first, last, &app.zone).ok_or_else(outside)
}

/// The last working day, by the days on which something was captured.
fn find_default_start(app: &App, store: &dyn Store, today: Date) -> Result<Date, jiff::Error> {
    let reach = today.checked_sub(LONGEST_BREAK.days())?;
    let since = period::day(reach, &app.zone).map(|day| day.from);
    let query = CaptureQuery { since, ..CaptureQuery::default() };
    // A store that cannot be read fails the command a moment later, with its own message.
    let captures = store.captures(&query).unwrap_or_default();
    let days: BTreeSet<Date> = captures.iter().map(|capture| span::date(capture.at, &app.zone)).collect();
    Ok(find_last_working_day(today, |day| days.contains(&day)))
}

/// The repositories that still exist, each once.
fn open_repos<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Repo> {
    let paths: BTreeSet<&str> = paths.collect();
    paths.into_iter().filter_map(|path| Repo::discover(Path::new(path)).ok()).collect()
}

/// Topic branches that exist and are not merged, and notes that ask something.
fn find_open_ends(labels: &ProjectLabels, work: &Work, earlier: &Work, repos: &[Repo]) -> Vec<OpenEnd> {
    let mut branches: BTreeMap<(&str, &str), Vec<&WorkPart>> = BTreeMap::new();
    let items = earlier.items.iter().chain(&work.items);
    for part in items.flat_map(|item| &item.parts) {
        if let (Some(repo), Some(branch)) = (&part.repo, part.topic_branch()) {
            branches.entry((repo.as_str(), branch)).or_default().push(part);
        }
    }
    let mut open = Vec::new();
    for ((repo, branch), parts) in branches {
        let Some(repo) = repos.iter().find(|known| known.location().id.as_str() == repo) else { continue };
        if !is_merged(repo, branch)
            && let Some(part) = parts.first()
        {
            let commits = crate::fallback::phrase::count(parts.len(), "commit");
            let text = format!("{branch} is not merged ({commits})");
            open.push(OpenEnd { project: labels.label(&part.project, part.repo.as_ref()), kind: "branch", text });
        }
    }
    for note in earlier.notes.iter().chain(&work.notes).filter(|note| note.is_open()) {
        let text = crate::fallback::phrase::one_line(&note.text);
        open.push(OpenEnd { project: labels.label(&note.project, note.repo.as_ref()), kind: "note", text });
    }
    open
}

/// Whether the branch's tip is in the default branch. A branch that is gone counts as merged.
fn is_merged(repo: &Repo, branch: &str) -> bool {
    let Ok(tip) = repo.resolve(&format!("refs/heads/{branch}")) else { return true };
    let defaults = repo.default_branches();
    defaults.is_empty() || defaults.iter().any(|(_, default)| repo.is_ancestor(&tip, default).unwrap_or(true))
}

impl From<GroupingArg> for RecapGrouping {
    fn from(by: GroupingArg) -> Self {
        match by {
            GroupingArg::Project => Self::Project,
            GroupingArg::Ticket => Self::Ticket,
            GroupingArg::Day => Self::Day,
        }
    }
}

impl From<StyleArg> for RecapStyle {
    fn from(style: StyleArg) -> Self {
        match style {
            StyleArg::Standup => Self::Standup,
            StyleArg::List => Self::List,
            StyleArg::Table => Self::Table,
            StyleArg::Brag => Self::Brag,
        }
    }
}
