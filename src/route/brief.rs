//! Short explanation of a routing decision, two or three lines: chosen model, expected time, next best candidate.

use super::decision::{Chosen, Decision, Rejected, ScoredCandidate};
use super::explain::{main_candidate, why_template};
use super::number_format::{cases, format_quality, role_noun, seconds};
use super::rejection_text;
use super::signals::{Signals, Traffic, Urgency};

/// `refusal`: why there was no candidate.
#[must_use]
pub fn explain_briefly(decision: &Decision, refusal: Option<&str>) -> String {
    let task = &decision.task;
    let best = main_candidate(decision);
    let mut lines = match (&decision.choice, best) {
        (Chosen::Model { model, endpoint, .. }, Some(candidate)) => {
            vec![format!("{model} on {endpoint} writes {}.", role_noun(task.role)), forecast_text(task, candidate)]
        }
        _ => for_template(task, best, refusal),
    };
    lines.extend(next_best(decision, best));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn for_template(task: &Signals, best: Option<&ScoredCandidate>, refusal: Option<&str>) -> Vec<String> {
    let refusal = refusal.filter(|_| task.traffic == Traffic::Calm).map(str::to_owned);
    let why = refusal.unwrap_or_else(|| why_template(task, best));
    let first = format!("The template writes {}: {why}.", role_noun(task.role));
    // The expected time is irrelevant where another reason rules the model out.
    let late = |candidate: &&ScoredCandidate| {
        matches!(candidate.rejected_because, Some(Rejected::Cold | Rejected::PredictedMiss))
    };
    let second =
        best.filter(late).map(|candidate| format!("It would be {}", lowercase_first(&forecast_text(task, candidate))));
    std::iter::once(first).chain(second).collect()
}

/// Lower-cases the first letter, for use inside a sentence.
fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn forecast_text(task: &Signals, candidate: &ScoredCandidate) -> String {
    let (first, total) = (seconds(candidate.predicted_ttft_ms), seconds(candidate.predicted_total_ms));
    if task.urgency == Urgency::Batch {
        return format!(
            "First word after about {first}, done after about {total}; worth {} of 1. No deadline.",
            format_quality(candidate.quality)
        );
    }
    let left = seconds(task.left_s.max(0.0) * 1e3);
    let guess = if candidate.runs == 0 { " A guess: it was never run like this." } else { "" };
    let times = format!("first word after {first}, done after {total}, {left} left");
    format!("In time in {}: {times}.{guess}", cases(candidate))
}

/// Only where a model was chosen: otherwise the first line already names the best candidate's reason.
fn next_best(decision: &Decision, chosen: Option<&ScoredCandidate>) -> Option<String> {
    let Chosen::Model { .. } = decision.choice else { return None };
    let other = |candidate: &&ScoredCandidate| chosen.is_none_or(|chosen| !std::ptr::eq(*candidate, chosen));
    let next = decision.candidates.iter().find(other)?;
    Some(format!("Next: {}.", rejection_text::describe_rejection(next, &decision.task)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::choice::tests::{candidate, capture, learned};
    use crate::route::choice::{Candidate, decide};

    #[test]
    fn a_model_is_told_with_its_times_and_the_one_behind_it() {
        let [quick, slow] = [learned(5000.0, 147.0), learned(20.0, 3.0)];
        let models = [candidate("small:3b", 0.70, &quick), candidate("large:13b", 0.82, &slow)];
        let text = explain_briefly(&decide(&capture(), &models, None), None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("small:3b on ") && lines[0].ends_with(" writes this capture."), "{text}");
        assert!(lines[1].starts_with("In time in 9") && lines[1].contains("first word after"), "{text}");
        assert!(lines[2].starts_with("Next: large:13b "), "{text}");
    }

    #[test]
    fn a_template_is_told_with_the_reason_and_the_models_times() {
        let slow = learned(20.0, 3.0);
        let cold = Candidate { resident: Some(false), ..candidate("large:13b", 0.82, &slow) };
        let text = explain_briefly(&decide(&capture(), &[cold], None), None);
        assert!(text.starts_with("The template writes this capture: large:13b is not loaded"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("It would be in time in 0 of 100")), "{text}");
        assert_eq!(text.lines().count(), 2);
        let down = Candidate { blocked_by: Some(Rejected::BreakerOpen), ..candidate("large:13b", 0.82, &slow) };
        let text = explain_briefly(&decide(&capture(), &[down], None), None);
        assert!(text.contains("failed recently") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn where_there_is_no_candidate_the_refusal_is_the_reason_unless_it_is_not_the_time() {
        let none = decide(&capture(), &[], None);
        let text = explain_briefly(&none, Some("nothing listens at http://x"));
        assert_eq!(text, "The template writes this capture: nothing listens at http://x.\n");
        let rebase = decide(&Signals { traffic: Traffic::Rebase, ..capture() }, &[], None);
        assert!(explain_briefly(&rebase, Some("nothing listens")).contains("a rebase is under way"));
    }
}
