//! `draft run`: runs the draft batch in the foreground, with progress on stderr and the written drafts on stdout.

use parking_lot::Mutex;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::listing;
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::ui::Exit;
use crate::config::Config;
use crate::domain::capture::RepoRef;
use crate::domain::draft::Draft;
use crate::domain::id::DraftId;
use crate::domain::role::Role;
use crate::drafts::batch::{BatchBounds, DraftBatch, Step, run_drafts};
use crate::drafts::model::DraftModel;
use crate::drafts::writer::DraftWriter;
use crate::git::repo::Repo;
use crate::publish::links::WebLinks;
use crate::publish::numbers::count;
use crate::publish::span::Span;
use crate::publish::templates::Templates;
use crate::route::signals::Urgency;
use crate::sidecar::pool_client::PoolClient;

/// How far to go.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Write at most so many drafts
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<usize>,
    /// Write lists only, ask no model
    #[arg(long)]
    pub no_model: bool,
}

pub fn run(app: &App, args: &RunArgs) -> Result<Exit, Failure> {
    let services = app.services()?;
    // The sidecar uses the same devices for interactive captures.
    services.models.pool().borrow_of(Arc::new(PoolClient { run: app.paths.run.clone() }));
    let model =
        if args.no_model { Err("no model was wanted".to_owned()) } else { Ok(services.text_model(Urgency::Batch)) };
    let templates = Templates::with_own(&app.paths.config.join("templates"));
    templates.complaints().iter().for_each(|complaint| app.ui.warn(complaint));
    let told = Mutex::new(BatchProgress::default());
    let night = DraftBatch {
        shelf: services.store.clone(),
        writer: DraftWriter {
            clock: app.clock.as_ref(),
            zone: app.zone.clone(),
            templates: &templates,
            model: model.as_ref().map(|model| model.as_ref() as &dyn DraftModel).map_err(Clone::clone),
            links: &web_links,
            prompt_budget: &|role| prompt_budget(app.config(), role),
        },
        config: &app.config().drafts,
        bounds: BatchBounds { limit: args.limit, ..BatchBounds::default() },
        chance: &random_fraction,
        progress: &|step| print_step(app, step, &told),
    };
    // An interrupted run is cancelled, which returns its draft to the queue.
    let ended = app.block_on(async {
        tokio::select! {
            report = run_drafts(&night) => Some(report),
            _ = tokio::signal::ctrl_c() => None,
        }
    })?;
    let told = told.into_inner();
    let written = told.written.iter().map(|id| services.store.draft(&id.to_string())).collect::<Result<Vec<_>, _>>()?;
    if app.json {
        app.ui.json(&written)?;
    } else {
        written.iter().try_for_each(|draft| app.ui.line(&listing::line(app, draft)))?;
    }
    let report = ended.ok_or_else(|| Failure::input("interrupted").hint("uro-capture draft run"))??;
    let written = count((report.by_model + report.by_template) as u64, "draft", "drafts");
    app.ui.note(&format!("{written} written, {} by a model; next: uro-capture draft list", report.by_model));
    if report.failed > 0 {
        let failed = count(report.failed as u64, "draft", "drafts");
        return Err(Failure::input(format!("{failed} could not be written now")).hint("uro-capture draft list"));
    }
    Ok(Exit::Done)
}

/// The web pages of a repository, by its remote; `None` where another one lies at its path now.
fn web_links(repo: &RepoRef) -> Option<WebLinks> {
    let found = Repo::discover(Path::new(&repo.path)).ok().filter(|found| found.location().id == repo.id)?;
    WebLinks::from_remote(&found.origin_url()?)
}

/// Prompt limit: the role's context minus its answer.
pub fn prompt_budget(config: &Config, role: Role) -> u32 {
    /// Reserve for the server's own chat template around the prompt.
    const WRAPPING: u32 = 64;
    config
        .options
        .get(&role)
        .map_or(2048, |sampling| sampling.num_ctx.saturating_sub(sampling.max_tokens).saturating_sub(WRAPPING).max(256))
}

/// A random number in 0..1, seeded by the standard library; good enough to spread retries (jitter).
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

/// Progress printed so far.
#[derive(Default)]
struct BatchProgress {
    written: Vec<DraftId>,
    /// Why the last draft is a list; printed once for many.
    list_reason: Option<String>,
}

fn print_step(app: &App, step: &Step, told: &Mutex<BatchProgress>) {
    let name = |draft: &Draft| {
        format!("{} of {}, {}", draft.kind.as_str(), draft.project, Span::of(&draft.period, &app.zone).words())
    };
    match step {
        Step::Queued { new, rewritten, left_out } => {
            let again = if *rewritten > 0 { format!(", {rewritten} to be written again") } else { String::new() };
            app.ui.note(&format!("{} queued{again}", count(*new as u64, "draft", "drafts")));
            if *left_out > 0 {
                app.ui.note(&format!("{left_out} more are due and left for the next run"));
            }
        }
        Step::Started(draft) => app.ui.note(&format!("writing the {}", name(draft))),
        Step::Written { draft, note, .. } => {
            let mut told = told.lock();
            told.written.push(draft.id);
            if told.list_reason != *note {
                note.iter().for_each(|note| app.ui.note(&format!("  {note}")));
                told.list_reason.clone_from(note);
            }
        }
        Step::Failed { draft, error } => app.ui.warn(&format!("the {} is tried again later: {error}", name(draft))),
        Step::TakenOver(draft) => app.ui.note(&format!("another process is writing the {}", name(draft))),
    }
}
