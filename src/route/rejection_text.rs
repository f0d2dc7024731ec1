//! Rejection reason of a candidate, as a sentence.

use super::decision::{Rejected, ScoredCandidate};
use super::number_format::{format_quality, percent, seconds, time_left};
use super::signals::{Signals, Urgency};
use super::tally::UsableTally;

/// Queue wait above which it is given as the reason.
const BUSY_MS: f64 = 300.0;
/// Above this probability the model nearly fits, and the probability says more than the expected time.
const NEARLY: f64 = 0.6;

/// A sentence without its full stop.
pub(super) fn describe_rejection(candidate: &ScoredCandidate, task: &Signals) -> String {
    let name = &candidate.model;
    match candidate.rejected_because {
        Some(Rejected::BreakerOpen) => {
            format!("{name} on {} failed recently, and no probe has succeeded since", candidate.endpoint)
        }
        Some(Rejected::Unreachable) => format!("nothing listens at {}, which offered {name}", candidate.endpoint),
        Some(Rejected::Cold) => {
            let load = seconds(candidate.predicted_load_ms);
            format!("{name} is not loaded; loading it takes about {load}, and {}", time_left(task))
        }
        Some(Rejected::Unloaded) => {
            format!("{name} is not loaded, and a commit does not make {} load another model", candidate.endpoint)
        }
        Some(Rejected::PredictedMiss) => describe_late(candidate, task),
        Some(Rejected::TemplateAsGood) => {
            let (own, template) = (format_quality(candidate.planned_quality), format_quality(task.template_quality));
            format!("{name} is fast enough, but writes no better than the template ({own} against {template})")
        }
        Some(Rejected::WouldEvict) => {
            format!(
                "{name} would need the memory of the model that writes captures, and the next commit may come any moment"
            )
        }
        Some(Rejected::SeldomUsable) => {
            let tally = UsableTally { judged: candidate.judged, used: candidate.used };
            format!("{name} on {} is not asked any more, because only {tally}", candidate.endpoint)
        }
        Some(Rejected::NotNow) => format!("{name} is not asked just now"),
        Some(Rejected::ScoredLower) | None => describe_worse(candidate, task),
    }
}

fn describe_late(candidate: &ScoredCandidate, task: &Signals) -> String {
    let (name, useful) = (&candidate.model, candidate.p_on_time + candidate.p_salvage);
    if candidate.queue_ms > BUSY_MS {
        return format!("{name} is busy for about {} more, and {}", seconds(candidate.queue_ms), time_left(task));
    }
    if useful > NEARLY && useful < task.min_in_time() {
        let (p, floor) = (percent(useful), percent(task.min_in_time()));
        return format!("{name} would have a sentence ready in time in {p} of 100 cases, and I ask for {floor}");
    }
    format!("{name} would need about {}, and {}", seconds(candidate.predicted_total_ms), time_left(task))
}

fn describe_worse(candidate: &ScoredCandidate, task: &Signals) -> String {
    let (name, total) = (&candidate.model, seconds(candidate.predicted_total_ms));
    if candidate.prompt_tokens < task.prompt_tokens {
        return format!(
            "{name} could read only {} of the {} tokens in time",
            candidate.prompt_tokens, task.prompt_tokens
        );
    }
    let worth = format_quality(candidate.planned_quality);
    if task.urgency == Urgency::Batch {
        return format!("{name} would take about {total}; I value its text at {worth}");
    }
    let p = percent(candidate.p_on_time);
    format!("{name} would be done in {p} of 100 cases, after about {total}; I value its text at {worth}")
}
