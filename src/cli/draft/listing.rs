//! `draft list`, and a draft in one line.

use clap::Args;
use clap::builder::styling::Style;

use crate::cli::app::App;
use crate::cli::capture_line::short_ids;
use crate::cli::failure::Failure;
use crate::cli::ui::{Align, BAD, DIM, Exit, GOOD, ID, Table, WARN, one_line};
use crate::domain::draft::{Draft, DraftState};
use crate::publish::span::Span;
use crate::store::DraftQuery;

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
    /// At most N drafts (default: 50); 0 lists all
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
}

/// Default number of listed drafts.
const USUAL: usize = 50;

fn state(text: &str) -> Result<DraftState, String> {
    DraftState::parse(text)
        .ok_or_else(|| "a draft is queued, leased, ready, accepted, rejected, published or dead".to_owned())
}

pub fn list(app: &App, args: &ListArgs) -> Result<Exit, Failure> {
    let limit = Some(args.n.unwrap_or(USUAL)).filter(|n| *n > 0);
    let query = DraftQuery {
        state: args.state,
        open: !args.all && args.state.is_none(),
        project: args.project.clone(),
        // One more than requested shows whether there are more.
        limit: limit.map(|limit| limit + 1),
    };
    let mut drafts = app.store()?.drafts(&query)?;
    let more = limit.filter(|limit| drafts.len() > *limit);
    drafts.truncate(limit.unwrap_or(usize::MAX));
    if app.json {
        app.ui.json(&drafts)?;
    } else if drafts.is_empty() {
        app.ui.note("no drafts; `uro-capture draft run` queues and writes what is due");
    } else {
        app.ui.table(&table(app, &drafts))?;
    }
    if let Some(limit) = more.filter(|_| args.n.is_none()) {
        app.ui.note(&format!("there are more than {limit}; -n 0 lists all"));
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
