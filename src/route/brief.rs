//! Short explanation of a routing decision, two or three lines: chosen model, expected time, next best candidate.

use super::decision::{Chosen, Considered, Decision, Rejected};
use super::explain::{told, why_template};
use super::objection;
use super::signals::{Signals, Traffic, Urgency};
use super::wording::{cases, seconds, what, worth};

/// `refusal`: why there was no candidate.
#[must_use]
pub fn brief(decision: &Decision, refusal: Option<&str>) -> String {
    let task = &decision.task;
    let best = told(decision);
    let mut lines = match (&decision.choice, best) {
        (Chosen::Model { model, endpoint, .. }, Some(one)) => {
            vec![format!("{model} on {endpoint} writes {}.", what(task.role)), expected(task, one)]
        }
        _ => for_template(task, best, refusal),
    };
    lines.extend(next_best(decision, best));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn for_template(task: &Signals, best: Option<&Considered>, refusal: Option<&str>) -> Vec<String> {
    let refusal = refusal.filter(|_| task.traffic == Traffic::Calm).map(str::to_owned);
    let why = refusal.unwrap_or_else(|| why_template(task, best));
    let first = format!("The template writes {}: {why}.", what(task.role));
    // The expected time is irrelevant where another reason rules the model out.
    let late = |one: &&Considered| matches!(one.rejected_because, Some(Rejected::Cold | Rejected::PredictedMiss));
    let second = best.filter(late).map(|one| format!("It would be {}", lower(&expected(task, one))));
    std::iter::once(first).chain(second).collect()
}

/// Lower-cases the first letter, for use inside a sentence.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn expected(task: &Signals, one: &Considered) -> String {
    let (first, total) = (seconds(one.predicted_ttft_ms), seconds(one.predicted_total_ms));
    if task.urgency == Urgency::Batch {
        return format!(
            "First word after about {first}, done after about {total}; worth {} of 1. No deadline.",
            worth(one.quality)
        );
    }
    let left = seconds(task.left_s.max(0.0) * 1e3);
    let guess = if one.runs == 0 { " A guess: it was never run like this." } else { "" };
    let times = format!("first word after {first}, done after {total}, {left} left");
    format!("In time in {}: {times}.{guess}", cases(one))
}

/// Only where a model was chosen: otherwise the first line already names the best candidate's reason.
fn next_best(decision: &Decision, chosen: Option<&Considered>) -> Option<String> {
    let Chosen::Model { .. } = decision.choice else { return None };
    let other = |one: &&Considered| chosen.is_none_or(|chosen| !std::ptr::eq(*one, chosen));
    let next = decision.candidates.iter().find(other)?;
    Some(format!("Next: {}.", objection::to(next, &decision.task)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::choice::tests::{candidate, capture, known};
    use crate::route::choice::{Candidate, decide};

    #[test]
    fn a_model_is_told_with_its_times_and_the_one_behind_it() {
        let [quick, slow] = [known(5000.0, 147.0), known(20.0, 3.0)];
        let models = [candidate("small:3b", 0.70, &quick), candidate("large:13b", 0.82, &slow)];
        let text = brief(&decide(&capture(), &models, None), None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("small:3b on ") && lines[0].ends_with(" writes this capture."), "{text}");
        assert!(lines[1].starts_with("In time in 9") && lines[1].contains("first word after"), "{text}");
        assert!(lines[2].starts_with("Next: large:13b "), "{text}");
    }

    #[test]
    fn a_template_is_told_with_the_reason_and_the_models_times() {
        let slow = known(20.0, 3.0);
        let cold = Candidate { resident: Some(false), ..candidate("large:13b", 0.82, &slow) };
        let text = brief(&decide(&capture(), &[cold], None), None);
        assert!(text.starts_with("The template writes this capture: large:13b is not loaded"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("It would be in time in 0 of 100")), "{text}");
        assert_eq!(text.lines().count(), 2);
        let down = Candidate { barred: Some(Rejected::BreakerOpen), ..candidate("large:13b", 0.82, &slow) };
        let text = brief(&decide(&capture(), &[down], None), None);
        assert!(text.contains("failed lately") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn where_there_is_no_candidate_the_refusal_is_the_reason_unless_it_is_not_the_time() {
        let none = decide(&capture(), &[], None);
        let text = brief(&none, Some("nothing listens at http://x"));
        assert_eq!(text, "The template writes this capture: nothing listens at http://x.\n");
        let rebase = decide(&Signals { traffic: Traffic::Rebase, ..capture() }, &[], None);
        assert!(brief(&rebase, Some("nothing listens")).contains("a rebase is under way"));
    }
}
