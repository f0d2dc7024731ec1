//! `uro-capture forget ID`: removes a capture for good.

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::capture_line;
use super::failure::Failure;
use super::ui::Exit;

#[derive(Debug, Clone, Args)]
pub struct ForgetArgs {
    /// Its id, which may be shortened
    #[arg(value_name = "ID")]
    pub id: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Serialize)]
struct Forgotten {
    id: String,
    forgotten: bool,
}

/// # Errors
/// There is no such capture, or nobody is there to ask.
pub fn run(app: &App, args: &ForgetArgs) -> Result<Exit, Failure> {
    let store = app.store()?;
    let capture = store.capture(&args.id)?.capture;
    let forgotten = args.yes || confirmed(app, &capture_line::short(&capture, &app.ui))?;
    if forgotten {
        store.forget_capture(capture.id)?;
    }
    if app.json {
        app.ui.json(&Forgotten { id: capture.id.to_string(), forgotten })?;
    } else if forgotten {
        app.ui.line(&format!("forgotten: {}", capture.id))?;
    } else {
        app.ui.note("kept");
    }
    Ok(Exit::Done)
}

fn confirmed(app: &App, what: &str) -> Result<bool, Failure> {
    if !app.ui.can_ask() {
        return Err(Failure::input("this removes a capture for good, and nobody can be asked here")
            .hint("uro-capture forget ID --yes"));
    }
    Ok(app.ui.confirm(&format!("Forget for good: {what}?")))
}
