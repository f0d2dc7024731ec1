//! Output check of a model's answer: clean or salvage it, redact it, and drop ungrounded sentences.

use std::collections::HashSet;
use std::sync::Arc;

use super::grounding;
use super::job::Job;
use super::services::Services;
use super::subject::Subject;
use crate::dispatch::{Attempt, Unanswered, reason_for};
use crate::domain::capture::Reason;
use crate::fallback::variants::Variants;
use crate::grounding::{Fault, Grounded, Ungrounded};
use crate::llm::{Finish, LlmError, ModelAnswer};
use crate::quality::clean;
use crate::quality::expected::ExpectedStyle;
use crate::redact::redact;
use crate::text::sentences;

/// Result of checking one answer.
#[derive(Debug)]
pub struct CheckedAnswer {
    /// The text that is stored.
    pub text: Option<String>,
    /// The model's own sentences that passed the checks.
    pub checked: Option<String>,
    /// `none` for a whole answer, `salvaged` for a part of one, else why nothing is kept.
    pub reason: Reason,
    /// Sentences that are not grounded.
    pub faults: Vec<Ungrounded>,
}

/// Checks an answer; names are looked up in the repository off the event loop.
pub(super) async fn check_answer(services: &Services, job: &Arc<Job>, attempt: &Attempt) -> CheckedAnswer {
    let (text, reason) = match &attempt.result {
        Ok(answer) => usable_text(answer, &ExpectedStyle::of(job.subject.raw())),
        Err(why) => (None, reason_for(why)),
    };
    let Some(text) = text else { return CheckedAnswer { text: None, checked: None, reason, faults: Vec::new() } };
    let (aside, clock) = (Arc::clone(job), Arc::clone(&services.clock));
    let held = tokio::task::spawn_blocking(move || grounding::check_grounding(&aside, &text, clock.as_ref())).await;
    // Without a verdict no sentence counts as true.
    let held = held.unwrap_or(Grounded { text: None, faults: Vec::new() });
    composed(&job.subject, &services.capture_templates(), held, reason)
}

/// Checks a recorded answer by the current rules. `known` returns those of the names that the repository contains.
#[must_use]
pub fn recheck_answer(
    subject: &Subject,
    answer: &ModelAnswer,
    known: &dyn Fn(&[String]) -> HashSet<String>,
) -> CheckedAnswer {
    let (text, reason) = usable_text(answer, &ExpectedStyle::of(subject.raw()));
    let Some(text) = text else { return CheckedAnswer { text: None, checked: None, reason, faults: Vec::new() } };
    composed(subject, Variants::built_in(), grounding::against(subject, &text, known), reason)
}

/// The text to store: the first checked sentence that adds something, with the author's subject and the figures of the
/// change.
fn composed(subject: &Subject, wording: &Variants, held: Grounded, reason: Reason) -> CheckedAnswer {
    let Grounded { text: checked, mut faults } = held;
    let mut text = checked.clone().filter(|_| subject.work().is_none());
    for sentence in sentences::split(checked.as_deref().unwrap_or_default()) {
        if text.is_some() {
            break;
        }
        text = subject.with_sentence(wording, sentence);
        if text.is_none() {
            faults.push(Ungrounded { sentence: sentence.to_owned(), word: String::new(), fault: Fault::Repeated });
        }
    }
    let reason = if text.is_some() { reason } else { Reason::Ungrounded };
    CheckedAnswer { text, checked, reason, faults }
}

/// The usable text of an answer, and the reason to record with it.
fn usable_text(answer: &ModelAnswer, expected: &ExpectedStyle) -> (Option<String>, Reason) {
    if answer.prompt_truncated {
        return (None, Reason::Overflow);
    }
    let (text, whole, otherwise) = match answer.finish {
        Finish::Stop => (clean::clean(&answer.text, expected).ok(), Reason::None, Reason::Unusable),
        Finish::Length => (clean::salvage(&answer.text, expected), Reason::Salvaged, Reason::Unusable),
        Finish::Cut(_) => (clean::salvage(&answer.text, expected), Reason::Salvaged, Reason::Deadline),
        Finish::Aborted => (clean::salvage(&answer.text, expected), Reason::Salvaged, Reason::Unusable),
    };
    let reason = if text.is_some() { whole } else { otherwise };
    // A model may know secrets that its prompt did not contain, or join ones from pieces.
    (text.as_deref().map(redact), reason)
}

/// A fault as `show` prints it.
pub(super) fn describe_fault(wrong: &Ungrounded) -> String {
    let Ungrounded { sentence, word, fault } = wrong;
    let what = if word.is_empty() { fault.as_str().to_owned() } else { format!("{} {word:?}", fault.as_str()) };
    format!("{sentence} ({what})")
}

/// Whether the server or the request failed, as opposed to the text being unusable.
pub(super) fn failed(attempt: Option<&Attempt>, reason: Reason) -> bool {
    let answer = attempt.and_then(|attempt| attempt.result.as_ref().ok());
    let wrote = answer.is_some_and(|answer| answer.finish != Finish::Aborted);
    matches!(reason, Reason::Refused | Reason::Overflow) || (reason == Reason::Unusable && !wrote)
}

/// The error of the server or the request; `None` where it was only too slow.
pub(super) fn failure(attempt: &Attempt) -> Option<String> {
    match &attempt.result {
        Ok(answer) => answer.broken_off.clone(),
        Err(Unanswered::Failed(LlmError::Deadline(_)) | Unanswered::Unasked(_)) => None,
        Err(Unanswered::Failed(error)) => Some(error.to_string()),
    }
}

/// The exact prompt sent; `None` where the request never left.
pub(super) fn wire(attempt: &Attempt) -> Option<String> {
    let never_left = matches!(
        attempt.result,
        Err(Unanswered::Unasked(_)
            | Unanswered::Failed(LlmError::Unreachable { .. } | LlmError::NotLoopback { .. } | LlmError::Cloud { .. }))
    );
    let prompt = attempt.prompt.as_ref().filter(|_| !never_left && attempt.endpoint.is_some())?;
    Some(format!("{}\n{}", prompt.rules, prompt.question))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::PrefillOutcome;
    use crate::llm::ClockFired;
    use crate::prompt::render::RenderedPrompt;

    fn answer(text: &str, finish: Finish) -> ModelAnswer {
        ModelAnswer::unmeasured(text, finish)
    }

    #[test]
    fn what_may_be_kept_depends_on_how_the_answer_ended() {
        const WHOLE: &str = "Adds a retry to the client.";
        const CUT: &str = "Adds a retry to the client. It waits";
        let cut = Finish::Cut(ClockFired::Stream);
        let cases = [
            (WHOLE, Finish::Stop, Some(WHOLE), Reason::None),
            (CUT, cut, Some(WHOLE), Reason::Salvaged),
            (CUT, Finish::Length, Some(WHOLE), Reason::Salvaged),
            (CUT, Finish::Aborted, Some(WHOLE), Reason::Salvaged),
            ("Adds a retry to", cut, None, Reason::Deadline),
            ("Adds a retry to", Finish::Length, None, Reason::Unusable),
            ("Adds a retry to", Finish::Aborted, None, Reason::Unusable),
            ("", Finish::Stop, None, Reason::Unusable),
        ];
        for (text, finish, whole, reason) in cases {
            let (text, why) = usable_text(&answer(text, finish), &ExpectedStyle::default());
            assert_eq!((text.as_deref(), why), (whole, reason), "{finish:?}");
        }
    }

    #[test]
    fn an_answer_to_a_prompt_that_the_server_cut_is_no_answer() {
        let cut = ModelAnswer { prompt_truncated: true, ..answer("Adds a retry to the client.", Finish::Stop) };
        assert_eq!(usable_text(&cut, &ExpectedStyle::default()), (None, Reason::Overflow));
    }

    #[test]
    fn a_text_that_cannot_be_used_is_no_failure_of_the_server() {
        let wrote =
            |finish| Attempt { result: Ok(answer("Sure!", finish)), ..attempt(LlmError::Deadline(ClockFired::Pace)) };
        assert!(!failed(Some(&wrote(Finish::Stop)), Reason::Unusable));
        assert!(!failed(Some(&wrote(Finish::Length)), Reason::Unusable));
        assert!(failed(Some(&wrote(Finish::Aborted)), Reason::Unusable));
        let garbled = attempt(LlmError::Garbled { message: String::new() });
        assert!(failed(Some(&garbled), Reason::Unusable) && failed(None, Reason::Refused));
        assert!(!failed(Some(&garbled), Reason::Deadline) && !failed(Some(&wrote(Finish::Stop)), Reason::Ungrounded));
    }

    fn attempt(why: LlmError) -> Attempt {
        let prompt = RenderedPrompt {
            rules: "Rules.".into(),
            question: "Patch.".into(),
            fixed: 0,
            wording: None,
            version: "v".into(),
            left_out: String::new(),
            prompt_tokens: 3,
        };
        let (model, endpoint) = (Some("m".into()), Some("e".into()));
        Attempt {
            model,
            endpoint,
            result: Err(why.into()),
            prompt: Some(prompt),
            decision: None,
            ahead: PrefillOutcome::None,
        }
    }

    #[test]
    fn the_wire_shows_what_was_sent_and_nothing_where_nothing_was() {
        let sent = attempt(LlmError::Status { status: 500, message: String::new() });
        assert_eq!(wire(&sent).as_deref(), Some("Rules.\nPatch."));
        assert_eq!(wire(&attempt(LlmError::Unreachable { url: String::new() })), None);
        assert_eq!(wire(&attempt(LlmError::Cloud { model: String::new() })), None);
    }
}
