//! `uro-capture "NOTE"`: stores a note at once, reworded if a model answers in time.

use std::time::Duration;

use clap::Args;

use super::app::App;
use super::capture_line;
use super::failure::Failure;
use super::ui::Exit;
use crate::domain::id::CaptureId;
use crate::pipeline::capture;
use crate::pipeline::enrich;
use crate::pipeline::job::Job;
use crate::pipeline::services::Services;
use crate::sidecar::client;
use crate::sidecar::protocol::{Request, Response};

#[derive(Debug, Args)]
pub struct NoteArgs {
    /// The note, in one or several words; `-` reads it from standard input
    #[arg(required = true, value_name = "NOTE", allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// Maximum length in bytes; longer notes are documents.
const LONGEST: usize = 64 * 1024;

/// # Errors
/// The note is empty, or the store cannot be written.
pub fn run(app: &App, args: &NoteArgs) -> Result<Exit, Failure> {
    let stamp = app.clock.now();
    let text = read_note(app, &args.words)?;
    let services = app.services()?;
    let repo = app.repo_if_any()?;
    let job = capture::take_note(&services, repo.as_ref(), &text, stamp)?;
    let id = job.id;
    let git_dir = repo.map(|repo| repo.location().git_dir.clone());
    enrich(app, &services, job, &Request::Enrich { id, stamp, git_dir })?;
    print(app, &services, id)
}

pub(super) fn read_note(app: &App, words: &[String]) -> Result<String, Failure> {
    let text = match words {
        [dash] if dash == "-" => app.read_stdin(LONGEST)?,
        words => words.join(" "),
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::input("the note is empty").hint("uro-capture \"what you did or learned\""));
    }
    if text.len() > LONGEST {
        return Err(Failure::input("the note is longer than 64 KiB").hint("keep it to a few sentences"));
    }
    Ok(text.to_owned())
}

/// Uses the sidecar if one answers, so that a model gets one request at a time; else this process.
pub(super) fn enrich(app: &App, services: &Services, job: Job, request: &Request) -> Result<(), Failure> {
    let patience = job.time_left(app.clock.as_ref()).saturating_sub(FINISHING);
    if app.sidecar_answers() && !patience.is_zero() {
        // The sidecar exited or failed: the capture is still pending and this process finishes it.
        if let Ok(Response::Done) = client::send_request(&app.paths.run, request, patience) {
            return Ok(());
        }
    }
    Ok(app.block_on(enrich::enrich(services, job))??)
}

/// Reserve for finishing a capture in this process after the sidecar stopped answering.
const FINISHING: Duration = Duration::from_millis(100);

pub(super) fn print(app: &App, services: &Services, id: CaptureId) -> Result<Exit, Failure> {
    let capture = services.store.capture(&id.to_string())?.capture;
    if app.json {
        app.ui.json(&capture)?;
    } else {
        app.ui.line(&capture_line::format_line(&capture, &app.ui))?;
    }
    Ok(Exit::Done)
}
