//! What a decision looks at, apart from the models: the task, the time, the machine.

use serde::{Deserialize, Serialize};

use crate::domain::role::Role;

/// Percent of the last ten seconds in which tasks waited for a processor, above which a machine is under pressure.
pub const PRESSED_ABOVE: f64 = 20.0;

/// Who waits.
/// In the order in which they are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// A person watches the prompt.
    Urgent,
    /// A capture that has its usual time.
    Interactive,
    /// Nobody yet: a prompt is read ahead of the commit that will ask it.
    Ahead,
    /// Nobody.
    Batch,
}

/// What is going on in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traffic {
    Calm,
    /// Commits come faster than anybody writes them.
    Storm,
    /// A rebase, a cherry-pick of many, an `am` is under way.
    Rebase,
}

/// One task and its circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    pub role: Role,
    pub urgency: Urgency,
    pub traffic: Traffic,
    /// Tokens of the prompt with everything in it, and of the shortest one that still says what changed.
    pub prompt_tokens: u32,
    pub least_tokens: u32,
    /// Most tokens that the role may write.
    pub max_tokens: u32,
    /// How technical the matter is, 0..=1.
    pub technicality: f64,
    /// The whole budget, and what of it is left for the model, in seconds.
    pub budget_s: f64,
    pub left_s: f64,
    /// The machine is under pressure.
    pub pressed: bool,
    pub on_battery: bool,
    /// What the template's text is worth, 0..=1.
    pub template_quality: f64,
}

impl Signals {
    /// A model's text must come in time with at least this chance, or the model is not asked. A note's author waits for
    /// the answer; after a commit no person does, and an attempt that misses the deadline costs some processor time.
    #[must_use]
    pub fn floor(&self) -> f64 {
        match self.urgency {
            Urgency::Urgent => 0.97,
            Urgency::Interactive | Urgency::Ahead | Urgency::Batch => 0.5,
        }
    }
}

/// Whether the pressure that the kernel tells (percent; absent where it does not) is one.
#[must_use]
pub fn is_pressed(cpu: Option<f64>) -> bool {
    cpu.is_some_and(|percent| percent > PRESSED_ABOVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_tells_nothing_is_not_pressed() {
        assert!(!is_pressed(None) && !is_pressed(Some(20.0)) && !is_pressed(Some(f64::NAN)));
        assert!(is_pressed(Some(20.1)));
    }
}
