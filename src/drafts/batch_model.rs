//! Batch model: writes drafts with the role's own model, without a latency budget, within the caller's deadline.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::dispatch::{Attempt, Models, Size, Task, Unanswered};
use crate::domain::role::Role;
use crate::drafts::model::{DraftModel, ModelText, Writing};
use crate::llm::{ClockFired, Finish, LlmError, ModelAnswer};
use crate::prompt::render::RenderedPrompt;
use crate::route::signals::Urgency;

/// The router, seen as a writer of drafts.
#[derive(Debug)]
pub struct BatchModel {
    pub models: Arc<Models>,
    pub config: Config,
    pub urgency: Urgency,
}

/// Most preemptions of one request. Far beyond what fits into a lease, whose end is the real bound: this only stops an
/// endless loop of a caller that is preempted before every turn.
const MOST_PREEMPTIONS: u32 = 1000;

impl DraftModel for BatchModel {
    fn write<'a>(&'a self, role: Role, rendered: &'a RenderedPrompt, until: Instant) -> Writing<'a> {
        Box::pin(async move {
            for _ in 0..MOST_PREEMPTIONS {
                if let Some(text) = self.ask_once(role, rendered, until).await? {
                    return Ok(text);
                }
            }
            Err(format!("it was interrupted {MOST_PREEMPTIONS} times"))
        })
    }
}

impl BatchModel {
    /// One request; `None` when it was preempted.
    async fn ask_once(&self, role: Role, prompt: &RenderedPrompt, until: Instant) -> Result<Option<ModelText>, String> {
        let same = |_: &Size| prompt.clone();
        let task = Task { urgency: self.urgency, ..Task::draft(role, until, &same) };
        let Attempt { model, endpoint, result, .. } = self.models.request_text(&self.config, &task).await;
        let answer = match result {
            Ok(answer) if answer.prompt_truncated => return Err("the server cut the prompt".to_owned()),
            Ok(answer) => answer,
            Err(Unanswered::Failed(LlmError::Deadline(ClockFired::Pace))) => return Ok(None),
            Err(why) => return Err(why.to_string()),
        };
        let ModelAnswer { finish, tpot, load, ttft, text, .. } = answer;
        let (model, endpoint) = (model.unwrap_or_default(), endpoint.unwrap_or_default());
        match finish {
            Finish::Stop | Finish::Length => Ok(Some(ModelText { text, model, endpoint, load, ttft, tpot })),
            // Only preemption cuts batch work.
            Finish::Cut(ClockFired::Pace) => Ok(None),
            Finish::Cut(clock) => Err(format!("the model did not finish in time ({clock})")),
            Finish::Aborted => Err("the server broke off".to_owned()),
        }
    }
}
