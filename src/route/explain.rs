//! Explanation of a routing decision in plain sentences, for `route` and for a capture's details.

use std::fmt::Write;

use super::choice::TRIALS;
use super::decision::{Chosen, Decision, Rejected, ScoredCandidate, compare_promise};
use super::number_format::{cases, format_quality, role_noun, seconds, time_left};
use super::rejection_text;
use super::signals::{Signals, Traffic, Urgency};

/// Up to this many runs the explanation states how few the forecast rests on.
const FEW_RUNS: u64 = 5;
/// Number of other candidates that are explained.
const OTHERS: usize = 4;
/// A shorter queue wait is not mentioned.
const WAIT_MS: f64 = 20.0;

/// A few sentences, then a line for each rejected candidate.
#[must_use]
pub fn explain(decision: &Decision) -> String {
    let mut text = match (&decision.choice, main_candidate(decision)) {
        (Chosen::Model { words, .. }, Some(candidate)) => explain_model(decision, candidate, *words),
        (_, best) => for_template(&decision.task, best),
    };
    let others = describe_others(decision);
    if !others.is_empty() {
        let _ = write!(text, "\n\n{}", others.join("\n"));
    }
    text.push('\n');
    text
}

/// The same for a decision without candidates; `refusal` is the reason.
#[must_use]
pub fn explain_refused(decision: &Decision, refusal: &str) -> String {
    if decision.task.traffic != Traffic::Calm && decision.task.urgency != Urgency::Batch {
        return explain(decision);
    }
    format!(
        "The template writes {}: {refusal}. A model is asked again as soon as a server answers; no commit waits for \
         that.\n",
        role_noun(decision.task.role)
    )
}

/// The candidate that the first sentences explain: the chosen one, else the most promising one.
pub(super) fn main_candidate(decision: &Decision) -> Option<&ScoredCandidate> {
    let mut all = decision.candidates.iter();
    match &decision.choice {
        Chosen::Model { model, endpoint, .. } => {
            all.find(|candidate| candidate.model == *model && candidate.endpoint == *endpoint)
        }
        Chosen::Template { .. } => all.max_by(|a, b| compare_promise(a, b)),
    }
}

fn explain_model(decision: &Decision, candidate: &ScoredCandidate, words: u32) -> String {
    let task = &decision.task;
    let mut text = format!("{} on {} writes {}.", candidate.model, candidate.endpoint, role_noun(task.role));
    let total = seconds(candidate.predicted_total_ms);
    if task.urgency == Urgency::Batch {
        let worth = format_quality(candidate.quality);
        let alone = decision.candidates.len() == 1;
        text.push_str(if alone {
            " There is no deadline:"
        } else {
            " There is no deadline, so the best writer gets the job:"
        });
        let _ = write!(text, " I value its text at {worth} of 1, and it should take about {total}.");
    } else if is_trial(candidate, task) {
        match candidate.runs {
            0 => text
                .push_str(" Its speed here is not measured yet: by an estimate from the hardware it would need about "),
            1 => text.push_str(" It has run here only once, and by that it would need about "),
            TRIALS.. => text.push_str(
                " It was not asked for a while because its last runs were slow, and by them it would need about ",
            ),
            runs => {
                let _ = write!(text, " It has run here only {runs} times, and by that it would need about ");
            }
        }
        let _ = write!(text, "{total}, and {}.", time_left(task));
        text.push_str(" So it is asked this once to measure it; if it is late, the template's text stays.");
        return text;
    } else {
        text.push_str(why_it(decision));
        let left = seconds(task.left_s * 1e3);
        let first = seconds(candidate.predicted_ttft_ms);
        let _ =
            write!(text, " It should be done after {total} of the {left} that are left (first word after {first}),");
        let _ = write!(text, " and is in time in {}.", cases(candidate));
        text.push_str(&describe_sizes(task, candidate, words));
    }
    text + &describe_circumstances(task, candidate)
}

/// It was chosen although it will probably be late, in order to measure it.
fn is_trial(candidate: &ScoredCandidate, task: &Signals) -> bool {
    candidate.p_on_time + candidate.p_salvage < task.min_in_time()
}

fn why_it(decision: &Decision) -> &'static str {
    match (decision.kept, decision.task.urgency, decision.candidates.len()) {
        (true, ..) => {
            " Another one would score a hair better, but models that take turns push each other out of memory, so I stay \
             with this one."
        }
        (_, Urgency::Urgent, 2..) => {
            " You are waiting for it, and it gives the best text of those that are surely done in time."
        }
        (_, Urgency::Urgent, _) => " You are waiting for it.",
        (_, _, 2..) => " It gives the best text of those that are done in time.",
        _ => "",
    }
}

fn for_template(task: &Signals, best: Option<&ScoredCandidate>) -> String {
    let head = format!("The template writes {}", role_noun(task.role));
    let why = why_template(task, best);
    let best = best.filter(|_| task.traffic == Traffic::Calm);
    let then = best.map(|best| describe_circumstances(task, best) + what_then(best)).unwrap_or_default();
    format!("{head}: {why}.{then}")
}

pub(super) fn why_template(task: &Signals, best: Option<&ScoredCandidate>) -> String {
    match (task.traffic, best) {
        (Traffic::Rebase, _) => {
            "a rebase is under way, and its commits are not worth a model's time until it is done".to_owned()
        }
        (Traffic::Storm, _) => {
            "commits are arriving faster than a person writes them, so no model is asked until the burst is over"
                .to_owned()
        }
        (Traffic::Calm, None) => {
            "no endpoint offers a model that could do it. `uro-capture models` shows what there is".to_owned()
        }
        (Traffic::Calm, Some(best)) => rejection_text::describe_rejection(best, task),
    }
}

fn what_then(best: &ScoredCandidate) -> &'static str {
    match best.rejected_because {
        Some(Rejected::Cold | Rejected::PredictedMiss) => {
            " The model's text can replace it later, when the machine is idle."
        }
        Some(Rejected::BreakerOpen | Rejected::Unreachable) => {
            " The sidecar probes it in the background; no commit waits for that."
        }
        Some(Rejected::SeldomUsable) => " `uro-capture models --retry MODEL` lets it try again.",
        _ => "",
    }
}

fn describe_others(decision: &Decision) -> Vec<String> {
    let task = &decision.task;
    if task.traffic != Traffic::Calm && task.urgency != Urgency::Batch {
        return Vec::new();
    }
    let main = main_candidate(decision);
    let rest = decision.candidates.iter().filter(|candidate| main.is_none_or(|main| !std::ptr::eq(*candidate, main)));
    let mut lines: Vec<String> =
        rest.map(|candidate| format!("- {}.", rejection_text::describe_rejection(candidate, task))).collect();
    let more = lines.len().saturating_sub(OTHERS);
    if more > 1 {
        lines.truncate(OTHERS);
        lines.push(format!("- {more} more, none of them better."));
    }
    lines
}

/// Prompt size and answer limit.
fn describe_sizes(task: &Signals, candidate: &ScoredCandidate, words: u32) -> String {
    let (whole, read) = (task.prompt_tokens, candidate.prompt_tokens);
    let mut text = if read < whole {
        format!(" Reading all {whole} tokens would take too long, so it gets the most telling {read}")
    } else {
        format!(" It reads all {read} tokens of the prompt")
    };
    let fresh = read.saturating_sub(candidate.cached_tokens);
    // Cached by a prefill ahead of the commit, or by an earlier prompt with the same prefix.
    match fresh {
        0 if read > 0 => text.push_str(", and has read all of them before"),
        fresh if fresh.saturating_mul(4) < read => {
            let _ = write!(text, ", and has read all but {fresh} of them before");
        }
        _ => {}
    }
    if candidate.max_tokens < task.max_tokens {
        let _ = write!(text, ", and is asked for {words} words at most, which is what the time allows");
    }
    text + "."
}

fn describe_circumstances(task: &Signals, candidate: &ScoredCandidate) -> String {
    let mut text = String::new();
    if task.pressed {
        text.push_str(" The machine is busy (a build?), so I count on less speed than usual.");
    }
    if task.on_battery {
        text.push_str(" It runs on battery, which is measured apart.");
    }
    match candidate.runs {
        0 => {
            text.push_str(
                " I have never run it like this, so its times are guessed from what is known of the machine.",
            );
        }
        1 => text.push_str(" Its times rest on a single run."),
        2..FEW_RUNS => {
            let _ = write!(text, " Its times rest on {} runs only.", candidate.runs);
        }
        _ => {}
    }
    if candidate.queue_ms > WAIT_MS && candidate.rejected_because != Some(Rejected::PredictedMiss) {
        let _ = write!(text, " It has to wait for its turn first, about {}.", seconds(candidate.queue_ms));
    }
    text
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
