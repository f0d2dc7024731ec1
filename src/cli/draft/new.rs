//! `draft new`: queues one draft by hand, of a day, a week or a range in the local calendar; duplicates are merged by
//! their key.

use clap::Args;
use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;

use super::listing;
use crate::cli::app::App;
use crate::cli::failure::{Failure, quoted};
use crate::cli::ui::Exit;
use crate::domain::capture::RepoRef;
use crate::domain::draft::{Draft, DraftKind, Period};
use crate::domain::project::{ProjectLabels, ProjectOrigin};
use crate::drafts::{lease, period};
use crate::publish::span::Span;
use crate::redact::redact;
use crate::store::{CaptureArchive, CaptureQuery, DraftQuery, DraftQueue, NewDraft};

/// What to write about.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// devlog, blog, social or status
    #[arg(value_parser = kind)]
    pub kind: DraftKind,
    /// The project (default: the repository's); where several have the name, as `log --everywhere` shows it
    #[arg(long, short, value_name = "NAME")]
    pub project: Option<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
}

fn kind(text: &str) -> Result<DraftKind, String> {
    DraftKind::parse(text).ok_or_else(|| "a draft is a devlog, blog, social or status".to_owned())
}

pub fn run(app: &App, args: &NewArgs) -> Result<Exit, Failure> {
    let store = app.store()?;
    let period = args.period.resolve_period(args.kind, app.now().date(), &app.zone)?;
    let ProjectOrigin { project, repo } = origin(app, store.as_ref(), args)?;
    let new = NewDraft { kind: args.kind, project, repo, period, max_attempts: lease::MAX_ATTEMPTS };
    require_captures(app, store.as_ref(), &new)?;
    let added = store.queue_draft(&new, app.clock.now())?;
    let draft = existing(store.as_ref(), &new)?;
    if !added {
        app.ui.note("this draft exists already");
    }
    listing::print(app, &draft)?;
    if added {
        app.ui.note("it waits to be written: uro-capture draft run");
    }
    Ok(Exit::Done)
}

/// The named project, else the current repository, else the only known one; with its label as project name.
fn origin(app: &App, store: &dyn CaptureArchive, args: &NewArgs) -> Result<ProjectOrigin, Failure> {
    let names = ProjectLabels::of(store.origins()?);
    let labelled =
        |origin: &ProjectOrigin| ProjectOrigin { project: names.label_of(origin), repo: origin.repo.clone() };
    let here = if args.project.is_none() { app.repo_if_any()? } else { None };
    if let Some(repo) = here {
        let place = repo.location();
        let path = place.work_tree.as_deref().unwrap_or(&place.common_dir);
        let repo = RepoRef { path: redact(&path.to_string_lossy()), id: place.id.clone() };
        return Ok(ProjectOrigin { project: names.label(&redact(&place.project), Some(&repo.id)), repo: Some(repo) });
    }
    let meant = match &args.project {
        Some(name) => names.find_matching(name),
        None => names.origins().iter().collect(),
    };
    match (meant.as_slice(), &args.project) {
        ([only], _) => Ok(labelled(only)),
        ([], Some(name)) => Err(Failure::input(format!("nothing was captured in {name}"))
            .because(list_labels(&names, &names.origins().iter().collect::<Vec<_>>()))
            .hint("uro-capture log --everywhere")),
        (several, _) => {
            let example = several.first().map_or_else(|| "NAME".to_owned(), |first| names.label_of(first));
            let command = format!("uro-capture draft new {} --project {}", args.kind.as_str(), quoted(&example));
            Err(Failure::input("which project?").because(list_labels(&names, several)).hint(command))
        }
    }
}

/// The labels with their paths.
fn list_labels(names: &ProjectLabels, origins: &[&ProjectOrigin]) -> String {
    let told = |origin: &&ProjectOrigin| match &origin.repo {
        Some(repo) => format!("{} ({})", names.label_of(origin), repo.path),
        None => format!("{} (outside of any repository)", names.label_of(origin)),
    };
    format!("known are: {}", origins.iter().map(told).collect::<Vec<_>>().join(", "))
}

fn require_captures(app: &App, store: &dyn CaptureArchive, new: &NewDraft) -> Result<(), Failure> {
    let repo = new.repo.as_ref().map(|repo| repo.id.clone());
    let query = CaptureQuery {
        project: repo.is_none().then(|| new.project.clone()),
        outside: repo.is_none(),
        repo,
        since: Some(new.period.from),
        until: Some(new.period.to),
        limit: Some(1),
        ..CaptureQuery::default()
    };
    if store.captures(&query)?.is_empty() {
        let when = Span::of(&new.period, &app.zone).words();
        return Err(Failure::input(format!("nothing was captured in {}, {when}", new.project))
            .hint(format!("uro-capture log --everywhere --project {}", quoted(&new.project))));
    }
    Ok(())
}

/// The draft of the same key, whatever its title.
fn existing(store: &dyn DraftQueue, new: &NewDraft) -> Result<Draft, Failure> {
    let repo = |repo: &Option<RepoRef>| repo.as_ref().map(|repo| repo.id.clone());
    let same = |draft: &Draft| {
        let about = repo(&draft.repo) == repo(&new.repo) && (new.repo.is_some() || draft.project == new.project);
        about && draft.kind == new.kind && draft.period == new.period
    };
    let found = store.drafts(&DraftQuery::default())?.into_iter().find(same);
    found.ok_or_else(|| Failure::bug("the draft that was queued is not there"))
}

/// Which period a draft is about.
#[derive(Debug, Clone, Default, Args)]
pub struct PeriodArgs {
    /// today, yesterday or a date (2026-03-03)
    #[arg(long, value_name = "DAY", conflicts_with_all = ["week", "from"])]
    pub day: Option<String>,
    /// this, last, 2026-W10, W10 or any date in the week
    #[arg(long, value_name = "WEEK", conflicts_with = "from")]
    pub week: Option<String>,
    /// First day of a period
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Last day of the period, which belongs to it (default: today)
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<String>,
}

impl PeriodArgs {
    /// Resolves the period; the default is the current week for a post, else today.
    pub fn resolve_period(&self, kind: DraftKind, today: Date, zone: &TimeZone) -> Result<Period, Failure> {
        let period = match (&self.day, &self.week, &self.from) {
            (Some(text), _, _) => period::day(day(text, today)?, zone),
            (_, Some(text), _) => period::week(week(text, today)?, zone),
            (_, _, Some(from)) => {
                let last = self.to.as_ref().map_or(Ok(today), |to| day(to, today))?;
                period::days(day(from, today)?, last, zone)
            }
            _ if kind == DraftKind::Blog => period::week(today, zone),
            _ => period::day(today, zone),
        };
        period.ok_or_else(|| {
            Failure::usage("the period ends before it begins").hint("uro-capture draft new --from FIRST --to LAST")
        })
    }
}

fn day(text: &str, today: Date) -> Result<Date, Failure> {
    let date = match text.trim().to_lowercase().as_str() {
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        date => date.parse().ok(),
    };
    date.ok_or_else(|| Failure::usage(format!("{text:?} is not a day")).hint("write today, yesterday or 2026-03-03"))
}

/// Any day of the given week.
fn week(text: &str, today: Date) -> Result<Date, Failure> {
    let date = match text.trim().to_lowercase().as_str() {
        "this" => Some(today),
        "last" => today.checked_sub(1.week()).ok(),
        text => iso_week(text, today).or_else(|| day(text, today).ok()),
    };
    let hint = "write this, last, 2026-W10, W10 or any date in the week";
    date.ok_or_else(|| Failure::usage(format!("{text:?} is not a week")).hint(hint))
}

/// `2026-w10`; `w10` is the last such week that has begun.
fn iso_week(text: &str, today: Date) -> Option<Date> {
    let (year, week) = text.split_once('w')?;
    let week: i8 = week.parse().ok()?;
    let monday = |year: i16| ISOWeekDate::new(year, week, Weekday::Monday).ok().map(ISOWeekDate::date);
    if year.is_empty() {
        let this = today.iso_week_date().year();
        return monday(this).filter(|monday| *monday <= today).or_else(|| monday(this - 1));
    }
    monday(year.strip_suffix('-').unwrap_or(year).parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Wednesday.
    fn today() -> Date {
        "2026-03-11".parse().unwrap()
    }

    fn parsed_period(kind: DraftKind, args: &PeriodArgs) -> Result<(String, String), Failure> {
        let period = args.resolve_period(kind, today(), &TimeZone::UTC)?;
        let date = |moment: jiff::Timestamp| moment.strftime("%Y-%m-%d").to_string();
        Ok((date(period.from), date(period.to)))
    }

    fn days(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    #[test]
    fn without_a_word_the_running_day_or_week_is_meant() {
        assert_eq!(parsed_period(DraftKind::Devlog, &PeriodArgs::default()).unwrap(), days("2026-03-11", "2026-03-12"));
        assert_eq!(parsed_period(DraftKind::Blog, &PeriodArgs::default()).unwrap(), days("2026-03-09", "2026-03-16"));
    }

    #[test]
    fn days_are_read_as_written() {
        for (text, from, to) in [
            ("today", "2026-03-11", "2026-03-12"),
            ("Yesterday", "2026-03-10", "2026-03-11"),
            ("2026-02-28", "2026-02-28", "2026-03-01"),
        ] {
            let args = PeriodArgs { day: Some(text.to_owned()), ..PeriodArgs::default() };
            assert_eq!(parsed_period(DraftKind::Blog, &args).unwrap(), days(from, to), "{text}");
        }
    }

    #[test]
    fn weeks_are_read_as_written() {
        for (text, from, to) in [
            ("this", "2026-03-09", "2026-03-16"),
            ("last", "2026-03-02", "2026-03-09"),
            ("2026-W10", "2026-03-02", "2026-03-09"),
            ("w10", "2026-03-02", "2026-03-09"),
            ("W52", "2025-12-22", "2025-12-29"),
            ("2026-W53", "2026-12-28", "2027-01-04"),
            ("2026-03-08", "2026-03-02", "2026-03-09"),
        ] {
            let args = PeriodArgs { week: Some(text.to_owned()), ..PeriodArgs::default() };
            assert_eq!(parsed_period(DraftKind::Devlog, &args).unwrap(), days(from, to), "{text}");
        }
    }

    #[test]
    fn the_last_day_of_a_range_belongs_to_it() {
        let range = |from: &str, to: Option<&str>| PeriodArgs {
            from: Some(from.to_owned()),
            to: to.map(str::to_owned),
            ..PeriodArgs::default()
        };
        let kind = DraftKind::Blog;
        assert_eq!(
            parsed_period(kind, &range("2026-03-02", Some("2026-03-05"))).unwrap(),
            days("2026-03-02", "2026-03-06")
        );
        assert_eq!(parsed_period(kind, &range("2026-03-02", None)).unwrap(), days("2026-03-02", "2026-03-12"));
        assert_eq!(parsed_period(kind, &range("2026-03-05", Some("2026-03-02"))).unwrap_err().code(), 2);
    }

    #[test]
    fn what_is_no_day_or_week_is_a_usage_error_with_a_hint() {
        for args in [
            PeriodArgs { day: Some("soon".to_owned()), ..PeriodArgs::default() },
            PeriodArgs { day: Some("2026-02-30".to_owned()), ..PeriodArgs::default() },
            PeriodArgs { week: Some("2026-W54".to_owned()), ..PeriodArgs::default() },
            PeriodArgs { week: Some("w".to_owned()), ..PeriodArgs::default() },
        ] {
            let failure = parsed_period(DraftKind::Blog, &args).unwrap_err();
            assert!(failure.code() == 2 && failure.hint.is_some());
        }
    }
}
