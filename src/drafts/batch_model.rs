//! Batch model: writes drafts with the role's own model, without a latency budget, within the caller's deadline.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::dispatch::{Attempt, Models, Task, Unanswered};
use crate::domain::role::Role;
use crate::drafts::model::{DraftModel, ModelText, Writing};
use crate::drafts::resumed::{self, Once};
use crate::llm::{Answer, ClockFired, Finish, LlmError};
use crate::prompt::render::Rendered;
use crate::route::signals::{Traffic, Urgency};

/// The router, seen as a writer of drafts.
#[derive(Debug)]
pub struct Unhurried {
    pub models: Arc<Models>,
    pub config: Config,
}

/// Drafts cover a day or a week of work: neither all code nor none.
const TECHNICALITY: f64 = 0.5;

impl DraftModel for Unhurried {
    fn write<'a>(&'a self, role: Role, rendered: &'a Rendered, until: Instant) -> Writing<'a> {
        Box::pin(resumed::write(rendered, move |prompt| self.once(role, prompt, until)))
    }
}

impl Unhurried {
    async fn once(&self, role: Role, prompt: Rendered, until: Instant) -> Result<Once, String> {
        let task = Task {
            role,
            urgency: Urgency::Batch,
            traffic: Traffic::Calm,
            budget: role.target(),
            until,
            technicality: TECHNICALITY,
            template_quality: 0.0,
            tree: None,
            prompt: &|_| prompt.clone(),
        };
        let Attempt { model, endpoint, result, .. } = self.models.ask(&self.config, &task).await;
        let (model, endpoint) = (model.unwrap_or_default(), endpoint.unwrap_or_default());
        let answer = match result {
            Ok(answer) => answer,
            Err(Unanswered::Failed(LlmError::Deadline(ClockFired::Pace))) => {
                return Ok(Once::Recalled(ModelText { model, endpoint, ..ModelText::default() }));
            }
            Err(why @ Unanswered::Failed(LlmError::PromptTooLong { .. })) => {
                return Ok(Once::TooLong(ModelText { model, endpoint, ..ModelText::default() }, why.to_string()));
            }
            Err(why) => return Err(why.to_string()),
        };
        once(answer, model, endpoint)
    }
}

fn once(answer: Answer, model: String, endpoint: String) -> Result<Once, String> {
    let (finish, cut) = (answer.finish, answer.prompt_truncated);
    let text = ModelText {
        tps: answer.tpot.filter(|tpot| !tpot.is_zero()).map(|tpot| 1.0 / tpot.as_secs_f64()),
        load: answer.load,
        ttft: answer.ttft,
        text: answer.text,
        model,
        endpoint,
    };
    match finish {
        _ if cut => Ok(Once::TooLong(text, "the server cut the prompt".to_owned())),
        Finish::Stop | Finish::Length => Ok(Once::Done(text)),
        // Only preemption cuts batch work.
        Finish::Cut(ClockFired::Pace) => Ok(Once::Recalled(text)),
        Finish::Cut(clock) => Err(format!("the model did not finish in time ({clock})")),
        Finish::Aborted => Err("the server broke off".to_owned()),
    }
}
