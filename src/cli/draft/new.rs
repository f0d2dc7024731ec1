//! `draft new`: queues one draft by hand; duplicates are merged by their key.

use std::path::Path;

use clap::Args;

use super::{listing, period::PeriodArgs};
use crate::cli::app::App;
use crate::cli::failure::{Failure, quoted};
use crate::cli::ui::Exit;
use crate::domain::capture::RepoRef;
use crate::domain::draft::{Draft, DraftKind};
use crate::domain::project::{ProjectLabels, ProjectOrigin};
use crate::drafts::lease;
use crate::publish::span::Span;
use crate::redact::redact;
use crate::store::{CaptureArchive, CaptureQuery, DraftQueue, NewDraft};

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
            let command = format!("uro-capture draft new {} --project {}", args.kind.as_str(), word(&example));
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

/// Quotes one word of a shell command line.
fn word(name: &str) -> String {
    quoted(Path::new(name))
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
            .hint(format!("uro-capture log --everywhere --project {}", word(&new.project))));
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
    let found = store.drafts(None, None)?.into_iter().find(same);
    found.ok_or_else(|| Failure::bug("the draft that was queued is not there"))
}
