//! `draft list` and `draft show`.

use clap::Args;
use clap::builder::styling::Style;

use crate::cli::app::App;
use crate::cli::capture_line::short_ids;
use crate::cli::failure::Failure;
use crate::cli::ui::{Align, BAD, BOLD, DIM, Exit, GOOD, ID, Table, WARN, one_line, sanitise};
use crate::domain::draft::{Draft, DraftState};
use crate::publish::span::Span;

/// Which drafts.
#[derive(Debug, Clone, Default, Args)]
pub struct ListArgs {
    /// Only those that are queued, leased, ready, accepted, rejected, published or dead
    #[arg(long, short, value_name = "STATE", value_parser = state)]
    pub state: Option<DraftState>,
    /// Of this project only
    #[arg(long, short, value_name = "NAME")]
    pub project: Option<String>,
    /// Also rejected and published ones
    #[arg(long, short)]
    pub all: bool,
}

fn state(text: &str) -> Result<DraftState, String> {
    DraftState::parse(text)
        .ok_or_else(|| "a draft is queued, leased, ready, accepted, rejected, published or dead".to_owned())
}

pub fn list(app: &App, args: &ListArgs) -> Result<Exit, Failure> {
    let mut drafts = app.store()?.drafts(args.state, args.project.as_deref())?;
    let done = |draft: &Draft| matches!(draft.state, DraftState::Rejected | DraftState::Published);
    drafts.retain(|draft| args.all || args.state.is_some() || !done(draft));
    drafts.sort_by_key(|draft| std::cmp::Reverse((draft.period.to, draft.period.from, draft.id)));
    if app.json {
        app.ui.json(&drafts)?;
    } else if drafts.is_empty() {
        app.ui.note("no drafts; `uro-capture draft run` queues and writes what is due");
    } else {
        app.ui.table(&table(app, &drafts))?;
    }
    Ok(Exit::Done)
}

fn table(app: &App, drafts: &[Draft]) -> Table {
    let mut table = Table::new(&[("", Align::Left); 5]);
    for (draft, id) in drafts.iter().zip(short_ids(drafts.iter().map(|draft| draft.id))) {
        let style = match draft.state {
            DraftState::Ready => WARN,
            DraftState::Accepted | DraftState::Published => GOOD,
            DraftState::Dead => BAD,
            _ => DIM,
        };
        table.styled(vec![
            (id, ID),
            (draft.state.as_str().to_owned(), style),
            (draft.kind.as_str().to_owned(), Style::new()),
            (Span::of(&draft.period, &app.zone).words(), Style::new()),
            (title_or_error(draft), Style::new()),
        ]);
    }
    table
}

/// The title, or the error of a draft without one.
fn title_or_error(draft: &Draft) -> String {
    match (&draft.error, draft.title.is_empty()) {
        (_, false) => draft.title.clone(),
        (Some(error), true) => format!("{}: {error}", draft.project),
        (None, true) => draft.project.clone(),
    }
}

/// Formats one draft in one line.
pub fn line(app: &App, draft: &Draft) -> String {
    let when = Span::of(&draft.period, &app.zone).words();
    let (kind, state, project) = (draft.kind.as_str(), draft.state.as_str(), one_line(&draft.project));
    format!("{}  {state}  {kind} of {project}, {when}", app.ui.paint(ID, &draft.id.to_string()))
}

/// Prints one draft as JSON or in one line.
pub fn print(app: &App, draft: &Draft) -> Result<(), Failure> {
    if app.json { app.ui.json(draft) } else { app.ui.line(&line(app, draft)) }
}

pub fn show(app: &App, id: &str) -> Result<Exit, Failure> {
    let (_, draft) = super::open_draft(app, id)?;
    if app.json {
        app.ui.json(&draft)?;
        return Ok(Exit::Done);
    }
    app.ui.line(&line(app, &draft))?;
    for fact in facts(app, &draft) {
        app.ui.line(&app.ui.paint(DIM, &one_line(&fact)))?;
    }
    if !draft.title.is_empty() {
        app.ui.line("")?;
        app.ui.line(&app.ui.paint(BOLD, &format!("# {}", one_line(&draft.title))))?;
        app.ui.line("")?;
        app.ui.raw(sanitise(&draft.body).as_bytes())?;
    }
    Ok(Exit::Done)
}

fn facts(app: &App, draft: &Draft) -> Vec<String> {
    let by = match &draft.model {
        Some(model) => format!("written by {model}"),
        None => "a list, no model's text".to_owned(),
    };
    let sources = crate::publish::numbers::count(draft.sources.len() as u64, "capture", "captures");
    let written = (!draft.title.is_empty()).then(|| format!("{by}, from {sources}"));
    let edited = draft.edit.map(|edit| {
        // Zero only for zero.
        let share = match edit.distance {
            part if part < 0.01 => "less than 1 %".to_owned(),
            part => format!("{:.0} %", part * 100.0),
        };
        format!("edited: {share} of the text, {:.0} s", edit.seconds)
    });
    let tried = (draft.attempt > 1).then(|| format!("attempt {} of {}", draft.attempt, draft.max_attempts));
    let next = draft.next_at.filter(|_| draft.state == DraftState::Queued && draft.attempt > 0);
    let next = next.map(|at| format!("tried again at {}", at.to_zoned(app.zone.clone()).strftime("%F %R")));
    [written, draft.error.clone(), edited, tried, next].into_iter().flatten().collect()
}
