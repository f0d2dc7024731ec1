//! The question that these tests put to a real model server.

use std::time::Instant;

use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::Sampling;
use uro_capture::llm::ModelRequest;

pub fn now() -> Instant {
    SystemClock.instant()
}

/// A question about a small patch, at most `max_tokens` long in its answer.
pub fn question(rules: &str, max_tokens: u32, until: Instant) -> ModelRequest {
    let (temperature, top_p, top_k, repeat_penalty) = (0.2, 0.9, 40, 1.0);
    ModelRequest {
        model: "tiny".into(),
        rules: rules.into(),
        question: "<patch>\n+retry(3)\n</patch>".into(),
        sampling: Sampling { temperature, top_p, top_k, repeat_penalty, num_ctx: 4096, max_tokens },
        wording: None,
        until,
        keep_alive: None,
        prompt_estimate: None,
    }
}
