//! Exploration: a model whose forecast says that it would be late is asked again now and then all the same.
//!
//! A model that is not asked is not measured either, so one slow moment (a build, a swap storm) would keep it from being
//! asked for as long as commits come too quickly for the idle sidecar to measure it. An attempt that is late costs the
//! capture nothing. The pause between attempts grows as long as they are late (exponential back-off).

use std::collections::HashMap;

use super::decision::{Decision, Rejected};
use super::signals::Urgency;

/// Captures in a row for which a model is not asked before the next attempt: at first, and at most.
const FIRST: u32 = 3;
const MOST: u32 = 48;

/// Per (endpoint, model) that was predicted to be late.
#[derive(Debug, Clone, Default)]
pub struct Retries(HashMap<(String, String), Skipped>);

#[derive(Debug, Clone, Copy)]
struct Skipped {
    in_a_row: u32,
    limit: u32,
}

impl Retries {
    /// Whether this model is to be asked at the next capture whatever its forecast says.
    #[must_use]
    pub fn is_due(&self, endpoint: &str, model: &str) -> bool {
        self.0.get(&(endpoint.to_owned(), model.to_owned())).is_some_and(|count| count.in_a_row >= count.limit)
    }

    /// Counts what was decided about a capture.
    pub fn note(&mut self, decision: &Decision) {
        if decision.task.urgency != Urgency::Interactive {
            return;
        }
        let floor = decision.task.min_in_time();
        for candidate in &decision.candidates {
            let key = (candidate.endpoint.clone(), candidate.model.clone());
            match candidate.rejected_because {
                Some(Rejected::PredictedMiss) => {
                    self.0.entry(key).or_insert(Skipped { in_a_row: 0, limit: FIRST }).in_a_row += 1;
                }
                None if candidate.p_on_time + candidate.p_salvage >= floor => drop(self.0.remove(&key)),
                None => {
                    if let Some(skipped) = self.0.get_mut(&key) {
                        *skipped = Skipped { in_a_row: 0, limit: (skipped.limit * 2).min(MOST) };
                    }
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::tests::{candidate, capture, learned, model};
    use super::super::choice::{Candidate, decide};
    use super::super::signals::Signals;
    use super::*;

    /// For which of `n` captures the model is asked.
    fn asked(retries: &mut Retries, n: usize, tokens_per_s: f64, urgency: Urgency) -> Vec<usize> {
        let forecast = learned(tokens_per_s, tokens_per_s / 20.0);
        let ask_once = |at: usize, retries: &mut Retries| {
            let guessed = retries.is_due("local", "m");
            let decision = decide(
                &Signals { urgency, ..capture() },
                &[Candidate { few_runs: guessed, ..candidate("m", 0.7, &forecast) }],
                None,
            );
            retries.note(&decision);
            model(&decision).map(|_| at)
        };
        (0..n).filter_map(|at| ask_once(at, retries)).collect()
    }

    #[test]
    fn a_model_that_is_too_slow_is_asked_ever_more_seldom() {
        let mut retries = Retries::default();
        assert_eq!(asked(&mut retries, 60, 20.0, Urgency::Interactive), [3, 10, 23, 48]);
    }

    #[test]
    fn a_model_that_is_fast_again_is_asked_always_and_starts_anew() {
        let mut retries = Retries::default();
        asked(&mut retries, 20, 20.0, Urgency::Interactive);
        assert_eq!(asked(&mut retries, 3, 3000.0, Urgency::Interactive), [0, 1, 2]);
        assert_eq!(asked(&mut retries, 5, 20.0, Urgency::Interactive), [3]);
    }

    #[test]
    fn where_a_person_waits_nothing_is_tried() {
        let mut retries = Retries::default();
        assert!(asked(&mut retries, 9, 20.0, Urgency::Urgent).is_empty());
    }
}
