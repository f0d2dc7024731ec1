//! `uro-capture route`: a dry run of the model router, with its reasons; sends and stores nothing.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::app::App;
use super::failure::Failure;
use super::note;
use super::ui::{Exit, harmless};
use crate::domain::draft::DraftKind;
use crate::git::repo::Repo;
use crate::pipeline::foresee::{About, Foreseen, Question, foresee};
use crate::route::brief::brief;
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
    pub kind: Option<Kind>,
    /// Interactive use: only models that surely answer in time
    #[arg(long)]
    pub urgent: bool,
    /// Show every reason in words
    #[arg(long)]
    pub explain: bool,
}

/// Roles that can be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
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
struct View<'a> {
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
    let (foreseen, by_sidecar) = decided(app, question(app, args)?)?;
    let explanation = explanation(&foreseen);
    if app.json {
        let error = foreseen.refusal.as_deref();
        app.ui.json(&View { decision: &foreseen.decision, error, by_sidecar, explanation })?;
    } else if args.explain {
        app.ui.raw(harmless(&explanation).as_bytes())?;
    } else {
        app.ui.raw(harmless(&brief(&foreseen.decision, foreseen.refusal.as_deref())).as_bytes())?;
    }
    Ok(Exit::Done)
}

fn question(app: &App, args: &RouteArgs) -> Result<Question, Failure> {
    let repo = app.repo_if_any()?;
    let about = about(app, args, repo.as_ref())?;
    let git_dir = repo.map(|repo| repo.place().git_dir.clone());
    Ok(Question { about, git_dir, urgent: args.urgent })
}

fn about(app: &App, args: &RouteArgs, repo: Option<&Repo>) -> Result<About, Failure> {
    if let Some(kind) = args.kind.and_then(Kind::draft) {
        if args.commit.is_some() || !args.words.is_empty() {
            return Err(Failure::usage("a draft is written of captures, not of one note or commit")
                .hint(format!("uro-capture route --kind {}", kind.as_str())));
        }
        return Ok(About::Draft(kind));
    }
    if !args.words.is_empty() {
        return Ok(About::Note(Some(note::text(app, &args.words)?)));
    }
    let wants_commit = matches!(args.kind, Some(Kind::Commit | Kind::Merge)) || args.commit.is_some();
    match (repo, &args.commit) {
        _ if args.kind == Some(Kind::Note) => Ok(About::Note(None)),
        (Some(repo), Some(rev)) => Ok(About::Commit(repo.resolve(rev)?)),
        (Some(repo), None) if wants_commit => Ok(About::Commit(repo.head()?)),
        // A repository without commits counts as none.
        (Some(repo), None) => Ok(repo.head().map_or(About::Note(None), About::Commit)),
        (None, _) if wants_commit => Ok(About::Commit(app.repo()?.head()?)),
        (None, _) => Ok(About::Note(None)),
    }
}

impl Kind {
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
fn decided(app: &App, question: Question) -> Result<(Foreseen, bool), Failure> {
    if app.sidecar_answers() {
        let request = Request::Route { question: question.clone() };
        match client::ask(&app.paths.run, &request, PATIENCE + app.config().capture.budget) {
            Ok(Response::Decided { foreseen }) => return Ok((*foreseen, true)),
            Ok(Response::Refused { message }) => app.ui.detail(&format!("the sidecar cannot decide: {message}")),
            _ => app.ui.detail("the sidecar did not answer in time"),
        }
    } else {
        app.ui.detail("no sidecar runs: this is decided without knowing what it would have seen");
    }
    let services = app.open_services()?;
    Ok((app.block_on(foresee(&services, question))??, false))
}

fn explanation(foreseen: &Foreseen) -> String {
    match &foreseen.refusal {
        Some(why) => explain_refused(&foreseen.decision, why),
        None => explain(&foreseen.decision),
    }
}
