//! A request for a text, and the size of its prompt.

use std::time::{Duration, Instant};

use crate::domain::id::Oid;
use crate::domain::role::Role;
use crate::prompt::render::RenderedPrompt;
use crate::prompt::tokens::Budget;
use crate::route::merit;
use crate::route::signals::{Traffic, Urgency};

/// A request for a text from a model.
pub struct Task<'a> {
    pub role: Role,
    pub urgency: Urgency,
    pub traffic: Traffic,
    /// The whole time that it may take, and the instant at which the model must have stopped.
    pub budget: Duration,
    pub until: Instant,
    /// How technical the matter is, and the quality of the text that stands without a model; both 0..=1.
    pub technicality: f64,
    pub template_quality: f64,
    /// The tree of the commit that it is about: its prompt may have been read ahead.
    pub tree: Option<&'a Oid>,
    /// Renders the prompt. May be called more than once.
    pub prompt: &'a PromptOf<'a>,
}

impl<'a> Task<'a> {
    /// A capture's text. Without facts, the most technical: the choice does not depend on it as long as one model is
    /// far better than the template.
    #[must_use]
    pub fn capture(urgency: Urgency, budget: Duration, until: Instant, prompt: &'a PromptOf<'a>) -> Self {
        let (role, traffic) = (Role::Capture, Traffic::Calm);
        let template_quality = merit::TEMPLATE;
        Self { role, urgency, traffic, budget, until, technicality: 1.0, template_quality, tree: None, prompt }
    }

    /// A draft, which covers a day or a week of work: neither all code nor none.
    #[must_use]
    pub fn draft(role: Role, until: Instant, prompt: &'a PromptOf<'a>) -> Self {
        let (urgency, budget) = (Urgency::Batch, role.target());
        Self { role, budget, technicality: 0.5, template_quality: 0.0, ..Self::capture(urgency, budget, until, prompt) }
    }
}

/// Renders a prompt of a given size.
pub type PromptOf<'a> = dyn Fn(&Size) -> RenderedPrompt + Sync + 'a;

impl std::fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("role", &self.role).field("urgency", &self.urgency).finish_non_exhaustive()
    }
}

/// Size of a prompt, and of the answer that it asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub budget: Budget,
    /// Most words that the model is asked for, where its usual length would take too long.
    pub words: Option<u32>,
}
