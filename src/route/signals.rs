//! Inputs of a routing decision besides the models: task, time and machine.

use serde::{Deserialize, Serialize};

use crate::domain::role::Role;

/// CPU pressure (PSI, percent of the last ten seconds) above which a machine counts as under pressure.
pub const PRESSED_ABOVE: f64 = 20.0;

/// Scheduling priority, in the order of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// A user watches the prompt.
    Urgent,
    /// A capture with its usual time.
    Interactive,
    /// Prefill ahead of the commit that will need it.
    Ahead,
    /// Background work; no user waits.
    Batch,
}

/// Activity in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traffic {
    Calm,
    /// Commits arrive faster than a person writes them.
    Storm,
    /// A rebase, a multi-commit cherry-pick or an `am` is running.
    Rebase,
}

/// One task and its circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    pub role: Role,
    pub urgency: Urgency,
    pub traffic: Traffic,
    /// Tokens of the complete prompt, and of the shortest one that still describes the change.
    pub prompt_tokens: u32,
    pub least_tokens: u32,
    /// Output limit of the role, in tokens.
    pub max_tokens: u32,
    /// How technical the change is, 0..=1.
    pub technicality: f64,
    /// The whole time budget, and the part left for the model, in seconds.
    pub budget_s: f64,
    pub left_s: f64,
    /// The machine is under pressure.
    pub pressed: bool,
    pub on_battery: bool,
    /// Quality of the template's text, 0..=1.
    pub template_quality: f64,
}

impl Signals {
    /// Least probability of being in time for a model to be asked. A note's author waits for the answer; after a commit
    /// no user waits, and a missed deadline only costs processor time.
    #[must_use]
    pub fn floor(&self) -> f64 {
        match self.urgency {
            Urgency::Urgent => 0.97,
            Urgency::Interactive | Urgency::Ahead | Urgency::Batch => 0.5,
        }
    }
}

/// Whether the kernel's pressure value (percent; `None` where unsupported) exceeds the limit.
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
