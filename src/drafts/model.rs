//! The batch's port to a model: one text, without a latency budget, by a deadline.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::domain::role::Role;
use crate::prompt::render::RenderedPrompt;

/// A model's text, with the model that wrote it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelText {
    pub text: String,
    pub model: String,
    pub endpoint: String,
    /// The server's own load time: the model was cold.
    pub load: Option<Duration>,
    pub ttft: Option<Duration>,
    /// Time per token after the first.
    pub tpot: Option<Duration>,
}

/// The text, or why there is none, in words for the draft list.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<ModelText, String>> + Send + 'a>>;

/// A model that can write drafts.
pub trait DraftModel: Send + Sync {
    /// Asks `role`'s model; an answer that is not whole by `until` is discarded, because a draft is not cut.
    fn write<'a>(&'a self, role: Role, rendered: &'a RenderedPrompt, until: Instant) -> Writing<'a>;
}
