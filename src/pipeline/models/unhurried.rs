//! The models for drafts: the role's own, as long as it takes within the caller's bound.

use std::sync::Arc;
use std::time::Instant;

use super::{Models, Task};
use crate::config::Config;
use crate::domain::role::Role;
use crate::llm::Finish;
use crate::pipeline::draft_model::{DraftModel, ModelText, Writing};
use crate::prompt::render::Rendered;
use crate::route::signals::{Traffic, Urgency};

/// See the file's head.
#[derive(Debug)]
pub struct Unhurried {
    pub models: Arc<Models>,
    pub config: Config,
}

/// Drafts are about a day or a week of work: neither all code nor none.
const TECHNICALITY: f64 = 0.5;

impl DraftModel for Unhurried {
    fn write<'a>(&'a self, role: Role, rendered: &'a Rendered, until: Instant) -> Writing<'a> {
        Box::pin(async move {
            let task = Task {
                role,
                urgency: Urgency::Batch,
                traffic: Traffic::Calm,
                budget: role.target(),
                until,
                technicality: TECHNICALITY,
                template_quality: 0.0,
                tree: None,
                prompt: &|_| rendered.clone(),
            };
            let attempt = self.models.ask(&self.config, &task).await;
            let answer = attempt.result.map_err(|why| why.to_string())?;
            match answer.finish {
                Finish::Stop | Finish::Length if !answer.prompt_truncated => Ok(ModelText {
                    tps: answer.tpot.filter(|tpot| !tpot.is_zero()).map(|tpot| 1.0 / tpot.as_secs_f64()),
                    load: answer.load,
                    ttft: answer.ttft,
                    text: answer.text,
                    model: attempt.model.unwrap_or_default(),
                    endpoint: attempt.endpoint.unwrap_or_default(),
                }),
                Finish::Stop | Finish::Length => Err("the server cut the prompt".to_owned()),
                Finish::Cut(clock) => Err(format!("the model was not done in time ({clock})")),
                Finish::Aborted => Err("the server broke off".to_owned()),
            }
        })
    }
}
