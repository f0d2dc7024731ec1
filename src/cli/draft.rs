//! `draft`: the queue of texts for readers, from batch writing to the published page.

mod batch;
mod diff;
mod edit;
mod listing;
mod new;
mod publish;
mod show;

use std::sync::Arc;

use clap::{Args, Subcommand};

pub use batch::prompt_budget;

use super::app::App;
use super::failure::Failure;
use super::ui::Exit;
use crate::domain::draft::{Draft, DraftState};
use crate::store::{DraftQueue, Store, StoreError};

/// The draft queue; `draft run` writes what waits in it
#[derive(Debug, Clone, Args)]
#[command(arg_required_else_help = false)]
pub struct DraftArgs {
    #[command(subcommand)]
    pub action: DraftAction,
}

#[derive(Debug, Clone, Subcommand)]
pub enum DraftAction {
    /// Queue a draft of a day, a week or any period
    New(new::NewArgs),
    /// The drafts, newest period first
    List(listing::ListArgs),
    /// One draft with its text, its versions or the sources of each sentence
    Show(show::ShowArgs),
    /// Change a draft's text, in your editor unless --body, --title or --restore is given
    Edit(edit::DraftEditArgs),
    /// The text is good: it may be published
    Accept(DraftIdArg),
    /// The text is not wanted
    Reject(DraftIdArg),
    /// Write it again; a text that you edited stays, and the new one is kept beside it
    Retry(DraftIdArg),
    /// How two versions of the text differ: the written and the edited one, unless numbers are given
    Diff(diff::DiffArgs),
    /// Give an accepted draft its final form: print it, write it, copy it, add it to a note, or send it
    Publish(publish::PublishArgs),
    /// Queue what is due and write everything that is queued
    Run(batch::RunArgs),
}

#[derive(Debug, Clone, Args)]
pub struct DraftIdArg {
    /// A draft's id, shortened as far as it is unambiguous
    pub id: String,
}

/// Runs one of the actions.
///
/// # Errors
/// The input, the draft's state or the store.
pub fn run(app: &App, args: &DraftArgs) -> Result<Exit, Failure> {
    match &args.action {
        DraftAction::New(args) => new::run(app, args),
        DraftAction::List(args) => listing::list(app, args),
        DraftAction::Show(args) => show::run(app, args),
        DraftAction::Edit(args) => edit::run(app, args),
        DraftAction::Accept(args) => {
            let (store, draft) = open_draft(app, &args.id)?;
            let draft = accept(app, store.as_ref(), &draft)?;
            print_next(app, &draft, &format!("uro-capture draft publish {}", draft.id))
        }
        DraftAction::Reject(args) => {
            let (store, draft) = open_draft(app, &args.id)?;
            let from = [DraftState::Queued, DraftState::Ready, DraftState::Accepted, DraftState::Dead];
            let draft = change_state(app, store.as_ref(), &draft, &from, DraftState::Rejected)?;
            print_next(app, &draft, &format!("uro-capture draft retry {}", draft.id))
        }
        DraftAction::Retry(args) => {
            let (store, draft) = open_draft(app, &args.id)?;
            let draft = store.retry_draft(draft.id, app.clock.now()).map_err(|error| match error {
                StoreError::Conflict(why) => Failure::input(why).hint(format!("uro-capture draft show {}", draft.id)),
                other => other.into(),
            })?;
            print_next(app, &draft, "uro-capture draft run")
        }
        DraftAction::Diff(args) => diff::run(app, args),
        DraftAction::Publish(args) => publish::run(app, args),
        DraftAction::Run(args) => batch::run(app, args),
    }
}

/// Accepts a draft. That ends the writing of another text beside an edited one.
fn accept(app: &App, store: &dyn DraftQueue, draft: &Draft) -> Result<Draft, Failure> {
    let from = if draft.is_acceptable() { draft.state } else { DraftState::Ready };
    change_state(app, store, draft, &[from], DraftState::Accepted)
}

/// Moves a draft to another state; a draft already in it stays.
fn change_state(
    app: &App,
    store: &dyn DraftQueue,
    draft: &Draft,
    from: &[DraftState],
    to: DraftState,
) -> Result<Draft, Failure> {
    if draft.state == to {
        return Ok(draft.clone());
    }
    store.move_draft(draft.id, from, to, app.clock.now()).map_err(|error| match error {
        StoreError::Conflict(_) => wrong_state(draft, to.as_str()),
        other => other.into(),
    })
}

/// An error with the next command for the draft's state.
fn wrong_state(draft: &Draft, wish: &str) -> Failure {
    let (id, state) = (draft.id, draft.state.as_str());
    let hint = match draft.state {
        DraftState::Queued => "uro-capture draft run".to_owned(),
        DraftState::Ready => format!("uro-capture draft accept {id}"),
        DraftState::Rejected | DraftState::Dead => format!("uro-capture draft retry {id}"),
        DraftState::Leased | DraftState::Accepted | DraftState::Published => format!("uro-capture draft show {id}"),
    };
    Failure::input(format!("draft {id} is {state}, it cannot be {wish}")).hint(hint)
}

/// Prints the draft as JSON, or in one line with the next command.
fn print_next(app: &App, draft: &Draft, next: &str) -> Result<Exit, Failure> {
    if app.json {
        app.ui.json(draft)?;
    } else {
        app.ui.line(&listing::line(app, draft))?;
        app.ui.note(&format!("next: {next}"));
    }
    Ok(Exit::Done)
}

/// Opens the store and finds the draft of an id.
fn open_draft(app: &App, id: &str) -> Result<(Arc<dyn Store>, Draft), Failure> {
    let store = app.store()?;
    let draft = store.draft(id)?;
    Ok((store, draft))
}
