//! `uro-capture route`: a dry run of the model router, with its reasons; sends and stores nothing.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::app::App;
use super::failure::Failure;
use super::note;
use super::ui::{Exit, sanitise};
use crate::domain::draft::DraftKind;
use crate::git::repo::Repo;
use crate::pipeline::preview::{PreviewRequest, PreviewTopic, RoutePreview, preview_route};
use crate::route::brief::explain_briefly;
use crate::route::decision::Decision;
use crate::route::explain::{explain, explain_refused};
use crate::sidecar::client;
use crate::sidecar::protocol::{Request, Response};

#[derive(Debug, Clone, Args)]
pub struct RouteArgs {
    /// A note that might be captured (default: the newest commit, or a note of usual length outside a repository)
    #[arg(value_name = "NOTE", conflicts_with = "commit")]
    pub words: Vec<String>,
    /// A commit that might be captured
    #[arg(long, value_name = "REV")]
    pub commit: Option<String>,
    /// What is to be written
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<RouteKind>,
    /// Interactive use: only models that surely answer in time
    #[arg(long)]
    pub urgent: bool,
    /// Show every reason in words
    #[arg(long)]
    pub explain: bool,
}

/// Roles that can be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RouteKind {
    /// Of a commit or note
    Capture,
    Commit,
    Merge,
    Note,
    Devlog,
    Blog,
    Social,
    Status,
}

/// Timeout of the sidecar's decision, longer than any usual capture budget; after it this process decides.
const PATIENCE: Duration = Duration::from_secs(5);

/// The public JSON of `route`.
#[derive(Debug, Serialize)]
struct RouteView<'a> {
    #[serde(flatten)]
    decision: &'a Decision,
    /// Why no endpoint had a model to choose; null if some had.
    error: Option<&'a str>,
    /// Decided by the running sidecar, which knows the loaded models, the queue and the prefix cache.
    by_sidecar: bool,
    explanation: String,
}

/// # Errors
/// For a revision that does not exist, or when the store cannot be read.
pub fn run(app: &App, args: &RouteArgs) -> Result<Exit, Failure> {
    let repo = app.repo_if_any()?;
    let about = find_topic(app, args, repo.as_ref())?;
    let git_dir = repo.map(|repo| repo.location().git_dir.clone());
    let (foreseen, by_sidecar) = decide_route(app, PreviewRequest { about, git_dir, urgent: args.urgent })?;
    let explanation = match &foreseen.refusal {
        Some(why) => explain_refused(&foreseen.decision, why),
        None => explain(&foreseen.decision),
    };
    if app.json {
        let error = foreseen.refusal.as_deref();
        app.ui.json(&RouteView { decision: &foreseen.decision, error, by_sidecar, explanation })?;
    } else if args.explain {
        app.ui.raw(sanitise(&explanation).as_bytes())?;
    } else {
        app.ui.raw(sanitise(&explain_briefly(&foreseen.decision, foreseen.refusal.as_deref())).as_bytes())?;
    }
    Ok(Exit::Done)
}

fn find_topic(app: &App, args: &RouteArgs, repo: Option<&Repo>) -> Result<PreviewTopic, Failure> {
    if let Some(kind) = args.kind.and_then(RouteKind::draft) {
        if args.commit.is_some() || !args.words.is_empty() {
            return Err(Failure::usage("a draft is written of captures, not of one note or commit")
                .hint(format!("uro-capture route --kind {}", kind.as_str())));
        }
        return Ok(PreviewTopic::Draft(kind));
    }
    if !args.words.is_empty() {
        return Ok(PreviewTopic::Note(Some(note::read_note(app, &args.words)?)));
    }
    let wants_commit = matches!(args.kind, Some(RouteKind::Commit | RouteKind::Merge)) || args.commit.is_some();
    match (repo, &args.commit) {
        _ if args.kind == Some(RouteKind::Note) => Ok(PreviewTopic::Note(None)),
        (Some(repo), Some(rev)) => Ok(PreviewTopic::Commit(repo.resolve(rev)?)),
        (Some(repo), None) if wants_commit => Ok(PreviewTopic::Commit(repo.head()?)),
        // A repository without commits counts as none.
        (Some(repo), None) => Ok(repo.head().map_or(PreviewTopic::Note(None), PreviewTopic::Commit)),
        (None, _) if wants_commit => Ok(PreviewTopic::Commit(app.repo()?.head()?)),
        (None, _) => Ok(PreviewTopic::Note(None)),
    }
}

impl RouteKind {
    fn draft(self) -> Option<DraftKind> {
        match self {
            Self::Capture | Self::Commit | Self::Merge | Self::Note => None,
            Self::Devlog => Some(DraftKind::Devlog),
            Self::Blog => Some(DraftKind::Blog),
            Self::Social => Some(DraftKind::Social),
            Self::Status => Some(DraftKind::Status),
        }
    }
}

/// Asks a running sidecar; true if it answered.
fn decide_route(app: &App, question: PreviewRequest) -> Result<(RoutePreview, bool), Failure> {
    if app.sidecar_answers() {
        let request = Request::Route { question: question.clone() };
        match client::send_request(&app.paths.run, &request, PATIENCE + app.config().capture.budget) {
            Ok(Response::Decided { foreseen }) => return Ok((*foreseen, true)),
            Ok(Response::Refused { message }) => app.ui.detail(&format!("the sidecar cannot decide: {message}")),
            _ => app.ui.detail("the sidecar did not answer in time"),
        }
    } else {
        app.ui.detail("no sidecar runs: this is decided without knowing what it would have seen");
    }
    let services = app.open_services()?;
    Ok((app.block_on(preview_route(&services, question))??, false))
}
