//! `draft new`: queues one draft by hand; the same one twice is one draft.

use clap::Args;

use super::{listing, period::PeriodArgs};
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::ui::Exit;
use crate::domain::draft::{Draft, DraftKind, Period};
use crate::publish::span::Span;
use crate::queue::lease;
use crate::store::{CaptureQuery, NewDraft, Store};

/// What to write about.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// devlog, blog, social or status
    #[arg(value_parser = kind)]
    pub kind: DraftKind,
    /// The project (default: the repository's)
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
    let period = args.period.period(args.kind, app.now().date(), &app.zone)?;
    let project = project(app, store.as_ref(), args.project.as_deref())?;
    require_captures(app, store.as_ref(), &project, &period)?;
    let new = NewDraft { kind: args.kind, project, period, max_attempts: lease::MAX_ATTEMPTS };
    let added = store.queue_draft(&new, app.clock.now())?;
    let draft = existing(store.as_ref(), &new)?;
    if !added {
        app.ui.note("this draft exists already");
    }
    listing::print(app, &draft)?;
    if added {
        app.ui.note("it is written by the nightly batch, or now: uro-capture draft run");
    }
    Ok(Exit::Done)
}

/// The one named, else the repository's, else the only one there is.
fn project(app: &App, store: &dyn Store, named: Option<&str>) -> Result<String, Failure> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    if let Some(repo) = app.repo_if_any()? {
        return Ok(repo.place().project.clone());
    }
    let known = store.projects()?;
    match known.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(Failure::input("which project?")
            .because(format!("known are: {}", known.join(", ")))
            .hint("--project NAME")),
    }
}

fn require_captures(app: &App, store: &dyn Store, project: &str, period: &Period) -> Result<(), Failure> {
    let query = CaptureQuery {
        project: Some(project.to_owned()),
        since: Some(period.from),
        until: Some(period.to),
        limit: Some(1),
        ..CaptureQuery::default()
    };
    if store.captures(&query)?.is_empty() {
        let when = Span::of(period, &app.zone).words();
        return Err(Failure::input(format!("nothing was captured in {project}, {when}"))
            .hint(format!("uro-capture log --everywhere --project {project}")));
    }
    Ok(())
}

fn existing(store: &dyn Store, new: &NewDraft) -> Result<Draft, Failure> {
    let drafts = store.drafts(None, Some(&new.project))?;
    let same = |draft: &Draft| draft.kind == new.kind && draft.period == new.period;
    drafts.into_iter().find(same).ok_or_else(|| Failure::bug("the draft that was queued is not there"))
}
