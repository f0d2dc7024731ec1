//! Batch model: writes drafts with the role's own model, without a latency budget, within the caller's deadline.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::dispatch::{Attempt, Models, Size, Task, Unanswered};
use crate::domain::role::Role;
use crate::drafts::model::{DraftModel, ModelText, Writing};
use crate::drafts::resumed::{self, GenerationStep};
use crate::llm::{ClockFired, Finish, LlmError, ModelAnswer};
use crate::prompt::render::RenderedPrompt;

/// The router, seen as a writer of drafts.
#[derive(Debug)]
pub struct BatchModel {
    pub models: Arc<Models>,
    pub config: Config,
}

impl DraftModel for BatchModel {
    fn write<'a>(&'a self, role: Role, rendered: &'a RenderedPrompt, until: Instant) -> Writing<'a> {
        Box::pin(resumed::write(rendered, move |prompt| self.once(role, prompt, until)))
    }
}

impl BatchModel {
    async fn once(&self, role: Role, prompt: RenderedPrompt, until: Instant) -> Result<GenerationStep, String> {
        let same = |_: &Size| prompt.clone();
        let task = Task::draft(role, until, &same);
        let Attempt { model, endpoint, result, .. } = self.models.request_text(&self.config, &task).await;
        let (model, endpoint) = (model.unwrap_or_default(), endpoint.unwrap_or_default());
        let answer = match result {
            Ok(answer) => answer,
            Err(Unanswered::Failed(LlmError::Deadline(ClockFired::Pace))) => {
                return Ok(GenerationStep::Recalled(ModelText { model, endpoint, ..ModelText::default() }));
            }
            Err(why @ Unanswered::Failed(LlmError::PromptTooLong { .. })) => {
                return Ok(GenerationStep::TooLong(
                    ModelText { model, endpoint, ..ModelText::default() },
                    why.to_string(),
                ));
            }
            Err(why) => return Err(why.to_string()),
        };
        once(answer, model, endpoint)
    }
}

fn once(answer: ModelAnswer, model: String, endpoint: String) -> Result<GenerationStep, String> {
    let (finish, cut) = (answer.finish, answer.prompt_truncated);
    let text =
        ModelText { tpot: answer.tpot, load: answer.load, ttft: answer.ttft, text: answer.text, model, endpoint };
    match finish {
        _ if cut => Ok(GenerationStep::TooLong(text, "the server cut the prompt".to_owned())),
        Finish::Stop | Finish::Length => Ok(GenerationStep::Done(text)),
        // Only preemption cuts batch work.
        Finish::Cut(ClockFired::Pace) => Ok(GenerationStep::Recalled(text)),
        Finish::Cut(clock) => Err(format!("the model did not finish in time ({clock})")),
        Finish::Aborted => Err("the server broke off".to_owned()),
    }
}
