//! Dry run of the router: the model that would write now, and why. Nothing is sent, stored or waited for.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::capture::CaptureError;
use super::notes;
use super::services::{Exclusions, Services};
use super::subject::Subject;
use super::waiting;
use crate::config::Config;
use crate::dispatch::{self, Refusal, Size, Task};
use crate::domain::capture::{NO_PROJECT, Reason};
use crate::domain::clock::Clock;
use crate::domain::deadline::Deadline;
use crate::domain::draft::DraftKind;
use crate::domain::id::Oid;
use crate::domain::role::Role;
use crate::drafts::lease;
use crate::git::repo::Repo;
use crate::hardware::Hardware;
use crate::llm::{ClockFired, LlmError};
use crate::prompt::render::{self, RenderedPrompt};
use crate::prompt::tokens::Budget;
use crate::publish::prose::ProseSources;
use crate::route::decision::{Chosen, Decision};
use crate::route::signals::{Signals, Traffic, Urgency, is_pressed};
use crate::route::technicality;
use crate::store::CaptureQuery;

/// A text to preview the routing of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRequest {
    pub about: PreviewTopic,
    /// The repository with the settings to apply.
    pub git_dir: Option<PathBuf>,
    /// The user waits for it.
    pub urgent: bool,
}

/// The kind of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewTopic {
    Commit(Oid),
    /// Without words: a note of usual length.
    Note(Option<String>),
    /// A draft about the last day; for a blog post, the last week.
    Draft(DraftKind),
}

impl PreviewTopic {
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::Commit(_) | Self::Note(_) => Role::Capture,
            Self::Draft(kind) => kind.role(),
        }
    }
}

/// The decision, or its refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoutePreview {
    pub decision: Decision,
    /// Why no endpoint had a model to choose.
    pub refusal: Option<String>,
}

/// A note of usual length.
const USUAL_NOTE: &str = "Found out why the nightly import was slow: every row opened its own connection. They share \
                          one now, and it takes seconds.";
/// The model's share of the time that the user waits for a draft.
const MODEL_SHARE: f64 = 0.85;
/// Tokens of the server's own chat template around a prompt.
const WRAPPING: u32 = 64;
/// Captures that are read for a draft's prompt.
const CAPTURES: usize = 500;

/// Decides without asking. Blocking inside: git and the store are read first.
///
/// # Errors
/// When the commit or the store cannot be read.
pub async fn preview_route(services: &Services, question: PreviewRequest) -> Result<RoutePreview, CaptureError> {
    let aside = services.clone();
    let scene = match tokio::task::spawn_blocking(move || PreviewContext::of(&aside, &question)).await {
        Ok(scene) => scene?,
        Err(panic) => return Err(crate::store::StoreError::Other(Box::new(panic)).into()),
    };
    let prompt = |size: &Size| scene.prompt(size);
    let task = scene.task(services.clock.as_ref(), &prompt);
    let decided = tokio::time::timeout_at(task.until.into(), services.models.decide(&scene.config, &task)).await;
    Ok(match decided {
        Ok(Ok(decision)) => RoutePreview { decision, refusal: None },
        Ok(Err(refusal)) => scene.without_decision(&task, &refusal, services.clock.instant()),
        Err(_) => {
            let error = LlmError::Deadline(ClockFired::Connect);
            scene.without_decision(&task, &Refusal { reason: Reason::Deadline, error }, services.clock.instant())
        }
    })
}

/// Everything that the decision depends on, read up front.
struct PreviewContext {
    config: Config,
    role: Role,
    urgency: Urgency,
    traffic: Traffic,
    what: PreviewSubject,
    machine: Hardware,
}

enum PreviewSubject {
    Capture(Box<Subject>),
    Draft(Box<RenderedPrompt>),
}

impl PreviewContext {
    fn of(services: &Services, question: &PreviewRequest) -> Result<Self, CaptureError> {
        let repo = question.git_dir.as_deref().map(Repo::open_git_dir).transpose()?;
        let config = services.config(repo.as_ref());
        let what = find_subject(services, &question.about, repo.as_ref(), &config)?;
        // Notes and drafts do not come in storms.
        let traffic = match (&question.about, &question.git_dir) {
            (PreviewTopic::Commit(_), Some(git_dir)) => waiting::traffic(services, git_dir)?,
            _ => Traffic::Calm,
        };
        let urgency = match (&what, question.urgent) {
            (_, true) => Urgency::Urgent,
            (PreviewSubject::Capture(_), _) => Urgency::Interactive,
            (PreviewSubject::Draft(_), _) => Urgency::Batch,
        };
        Ok(Self { config, role: question.about.role(), urgency, traffic, what, machine: Hardware::measure() })
    }

    fn task<'a>(&'a self, clock: &dyn Clock, prompt: &'a dispatch::PromptOf<'a>) -> Task<'a> {
        let (budget, until) = self.budget_and_end(clock);
        let (urgency, traffic) = (self.urgency, self.traffic);
        match &self.what {
            PreviewSubject::Capture(subject) => Task {
                traffic,
                technicality: subject.work().map_or(0.0, |work| technicality::score_technicality(&work.facts)),
                tree: subject.work().map(|work| &work.commit.tree),
                ..Task::capture(urgency, budget, until, prompt)
            },
            PreviewSubject::Draft(_) => Task { urgency, traffic, ..Task::draft(self.role, until, prompt) },
        }
    }

    /// The budget, and the instant at which the model must have stopped.
    fn budget_and_end(&self, clock: &dyn Clock) -> (Duration, Instant) {
        match (&self.what, self.urgency) {
            (PreviewSubject::Capture(_), _) => {
                let budget = self.config.capture.budget;
                (budget, Deadline::after(budget, clock).model_end())
            }
            (_, Urgency::Batch) => (self.role.target(), clock.instant() + lease::model_time(self.role)),
            _ => (self.role.target(), clock.instant() + self.role.target().mul_f64(MODEL_SHARE)),
        }
    }

    fn prompt(&self, size: &Size) -> RenderedPrompt {
        match &self.what {
            PreviewSubject::Capture(subject) => subject.prompt(&size.budget).with_word_limit(size.words),
            PreviewSubject::Draft(rendered) => rendered.as_ref().clone(),
        }
    }

    /// The decision for the template where no model is available.
    fn without_decision(&self, task: &Task<'_>, refusal: &Refusal, now: Instant) -> RoutePreview {
        let (max_tokens, most) = answer_and_prompt_tokens(&self.config, self.role);
        let budget = Budget::from(most);
        let prompt = (task.prompt)(&Size { budget, words: None });
        let machine = &self.machine;
        let signals = Signals {
            role: task.role,
            urgency: task.urgency,
            traffic: task.traffic,
            prompt_tokens: prompt.prompt_tokens,
            least_tokens: budget.scale.tokens(&prompt.rules).min(prompt.prompt_tokens),
            max_tokens,
            technicality: task.technicality,
            budget_s: task.budget.as_secs_f64(),
            left_s: task.until.saturating_duration_since(now).as_secs_f64(),
            pressed: is_pressed(machine.pressure.cpu),
            on_battery: machine.power.on_battery(),
            template_quality: task.template_quality,
        };
        // Where a server answers and has no model, its error has nothing to add.
        let refusal_text = match refusal {
            Refusal { error: LlmError::NoSuchModel { .. }, .. } => None,
            Refusal { reason: Reason::BreakerOpen, error } => Some(format!("{error} (result of an earlier request)")),
            Refusal { error, .. } => Some(error.to_string()),
        };
        let decision = Decision {
            task: signals,
            deadline_ms: task.budget.as_secs_f64() * 1e3,
            choice: Chosen::TEMPLATE,
            reason: refusal.reason,
            kept: false,
            candidates: Vec::new(),
        };
        RoutePreview { decision, refusal: refusal_text }
    }
}

fn find_subject(
    services: &Services,
    about: &PreviewTopic,
    repo: Option<&Repo>,
    config: &Config,
) -> Result<PreviewSubject, CaptureError> {
    let project = repo.map_or(NO_PROJECT, |repo| repo.location().project.as_str());
    Ok(match (about, repo) {
        (PreviewTopic::Commit(oid), Some(repo)) => {
            let commit = Exclusions::of(config).commit(repo, oid)?;
            let mut subject = Subject::commit(commit, services.clock.as_ref());
            let captured = services.store.capture_of_commit(&repo.location().id, oid)?;
            subject.note_before(&notes::by_id(services, &captured.map(|captured| captured.notes).unwrap_or_default()));
            PreviewSubject::Capture(Box::new(subject))
        }
        (PreviewTopic::Note(Some(text)), _) => PreviewSubject::Capture(Box::new(Subject::note(text, project))),
        (PreviewTopic::Note(None) | PreviewTopic::Commit(_), _) => {
            PreviewSubject::Capture(Box::new(Subject::note(USUAL_NOTE, project)))
        }
        (PreviewTopic::Draft(kind), _) => PreviewSubject::Draft(Box::new(draft(services, *kind, project, config)?)),
    })
}

/// The prompt for the sentences about a draft's whole period, the latest captures.
fn draft(services: &Services, kind: DraftKind, project: &str, config: &Config) -> Result<RenderedPrompt, CaptureError> {
    let days = if kind == DraftKind::Blog { 7 } else { 1 };
    let now = services.clock.now();
    let query = CaptureQuery {
        project: Some(project.to_owned()),
        since: Some(now - Duration::from_secs(days * 24 * 60 * 60)),
        until: Some(now),
        limit: Some(CAPTURES),
        ..CaptureQuery::default()
    };
    let mut captures = services.store.captures(&query)?;
    captures.reverse();
    let period = if days == 1 { "the last day" } else { "the last week" };
    let headlines = ProseSources::of(&captures).headlines;
    Ok(render::summary(kind, project, period, &headlines, answer_and_prompt_tokens(config, kind.role()).1))
}

/// Tokens of a role's answer, and the room that its context has beside it.
fn answer_and_prompt_tokens(config: &Config, role: Role) -> (u32, u32) {
    config.options.get(&role).map_or((1, 2048), |sampling| {
        let most = sampling.num_ctx.saturating_sub(sampling.max_tokens.saturating_add(WRAPPING)).max(256);
        (sampling.max_tokens, most)
    })
}
