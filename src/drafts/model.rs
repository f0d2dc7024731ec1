//! What the batch needs of a model: one text, unhurried, by an instant at the latest.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::domain::role::Role;
use crate::prompt::render::Rendered;

/// A text as it came, with who wrote it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelText {
    pub text: String,
    pub model: String,
    pub endpoint: String,
    /// The server's own load time: the model was cold.
    pub load: Option<Duration>,
    pub ttft: Option<Duration>,
    /// Tokens per second after the first.
    pub tps: Option<f64>,
}

/// The text, or why there is none, in words for the reader of the draft list.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<ModelText, String>> + Send + 'a>>;

/// Whoever can write a draft.
pub trait DraftModel: Send + Sync {
    /// Asks `role`'s model; what has not come by `until` is worth nothing, a draft is not cut.
    fn write<'a>(&'a self, role: Role, rendered: &'a Rendered, until: Instant) -> Writing<'a>;
}
