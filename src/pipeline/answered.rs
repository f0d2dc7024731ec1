//! The stored answer of a model: redacted and bounded, with the parts that the text does not use and why.

use super::output_check;
use crate::dispatch::Attempt;
use crate::domain::capture::Reason;
use crate::llm::{Finish, ModelAnswer};
use crate::quality::clean;
use crate::quality::dropped;
use crate::quality::expected::ExpectedStyle;
use crate::redact::redact;
use crate::route::decision::DecisionRecord;

/// Longest answer that is kept, in bytes.
const KEPT: usize = 4096;
/// Bytes of an answer that are searched for secrets: one that begins within the kept part ends within this.
const READ: usize = 4 * KEPT;

/// What is stored of one attempt beside the text.
#[derive(Debug, Default)]
pub(super) struct AnswerRecord {
    answer: Option<String>,
    dropped: Vec<String>,
}

impl AnswerRecord {
    /// `text` is what is kept of the answer, `reason` the judgement, and `told` the ungrounded sentences that were left
    /// out: they are listed elsewhere. `raw` are the author's words.
    pub fn of(attempt: &Attempt, raw: &str, (text, reason): (Option<&str>, Reason), refused: &[&str]) -> Self {
        let Ok(answer) = &attempt.result else { return Self::default() };
        let shown = redact(&answer.text[..answer.text.floor_char_boundary(READ)]);
        let expected = ExpectedStyle::of(raw);
        let mut all: Vec<String> = reason_for_all(answer, reason, &expected).into_iter().collect();
        if !matches!(reason, Reason::Overflow | Reason::Deadline) {
            all.extend(dropped::pieces(&shown, text, refused, &expected));
        }
        Self { answer: Some(shorten(&shown)), dropped: all }
    }

    /// Decision, failure and answer as they are stored (JSON); `None` where there is none of them.
    pub fn reasoned(&self, attempt: &Attempt) -> Option<String> {
        let Self { answer, dropped } = self;
        let (decision, failure) = (attempt.decision.clone(), output_check::failure(attempt));
        if decision.is_none() && failure.is_none() && answer.is_none() {
            return None;
        }
        let reasoned = DecisionRecord { decision, failure, answer: answer.clone(), dropped: dropped.clone() };
        serde_json::to_string(&reasoned).ok()
    }

    /// The stored decision of a capture with this answer in place of the earlier one. The reason of the first template
    /// and unknown fields stay.
    pub fn instead(&self, stored: Option<&str>) -> Option<String> {
        let stored = stored.and_then(|stored| serde_json::from_str(stored).ok());
        let mut fields: serde_json::Map<String, serde_json::Value> = stored.unwrap_or_default();
        fields.remove("failure");
        fields.insert("answer".to_owned(), self.answer.clone().into());
        fields.insert("dropped".to_owned(), self.dropped.clone().into());
        serde_json::to_string(&fields).ok()
    }
}

fn shorten(text: &str) -> String {
    let kept = &text[..text.floor_char_boundary(KEPT)];
    if kept.len() < text.len() { format!("{kept}\u{2026}") } else { kept.to_owned() }
}

/// Why nothing of the answer is kept, where one reason holds for all of it.
fn reason_for_all(answer: &ModelAnswer, reason: Reason, expected: &ExpectedStyle) -> Option<String> {
    let piece = || answer.finish != Finish::Stop && clean::salvage(&answer.text, expected).is_some();
    let why = match reason {
        Reason::Deadline | Reason::Unusable if piece() => "its whole sentences say less than the template".to_owned(),
        Reason::Overflow => "the server cut the prompt".to_owned(),
        Reason::Deadline => "no whole sentence came in time".to_owned(),
        Reason::Unusable => match clean::clean(&answer.text, expected) {
            Err(why) if answer.finish == Finish::Stop => why.to_string(),
            _ => "it has no whole sentence".to_owned(),
        },
        _ => return None,
    };
    Some(format!("the whole answer ({why})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::PrefillOutcome;
    use crate::llm::LlmError;

    fn attempt(text: &str, finish: Finish) -> Attempt {
        let result = Ok(ModelAnswer::unmeasured(text, finish));
        Attempt { model: None, endpoint: None, result, prompt: None, decision: None, ahead: PrefillOutcome::None }
    }

    fn stored(attempt: &Attempt, text: Option<&str>, reason: Reason) -> DecisionRecord {
        let answered = AnswerRecord::of(attempt, "Adds a retry", (text, reason), &[]);
        serde_json::from_str(&answered.reasoned(attempt).unwrap()).unwrap()
    }

    #[test]
    fn an_answer_that_is_refused_is_kept_with_why() {
        let refused = attempt("I'm sorry, but I can't help with that.", Finish::Stop);
        let kept = stored(&refused, None, Reason::Unusable);
        assert_eq!(kept.answer.as_deref(), Some("I'm sorry, but I can't help with that."));
        assert_eq!(kept.dropped[0], "the whole answer (the model refused)");
        let late = stored(&attempt("Adds a re", Finish::Length), None, Reason::Deadline);
        assert_eq!(late.dropped, ["the whole answer (no whole sentence came in time)"]);
        let piece = stored(&attempt("Adds a retry. It wa", Finish::Length), None, Reason::Unusable);
        assert_eq!(piece.dropped[0], "the whole answer (its whole sentences say less than the template)");
    }

    #[test]
    fn an_answer_is_redacted_and_bounded() {
        let secret = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        let text = format!("{} {secret}", "Adds a retry. ".repeat(291));
        let kept = stored(&attempt(&text, Finish::Stop), Some("Adds a retry."), Reason::None);
        let answer = kept.answer.unwrap();
        assert!(answer.len() <= KEPT + 3 && answer.ends_with('\u{2026}') && !answer.contains("ghp_a1"), "{answer}");
    }

    #[test]
    fn without_an_answer_only_what_failed_is_kept() {
        let result = Err(LlmError::Garbled { message: "no JSON".into() }.into());
        let failed = Attempt { result, ..attempt("", Finish::Stop) };
        let kept = stored(&failed, None, Reason::Unusable);
        assert!(kept.failure.is_some() && kept.answer.is_none() && kept.dropped.is_empty(), "{kept:?}");
        let late = Attempt { result: Err(LlmError::Deadline(crate::llm::ClockFired::Stream).into()), ..failed };
        assert_eq!(AnswerRecord::of(&late, "", (None, Reason::Deadline), &[]).reasoned(&late), None);
    }

    #[test]
    fn a_later_answer_takes_the_place_of_the_first_and_the_decision_stays() {
        let better = attempt("Adds a retry.", Finish::Stop);
        let answered = AnswerRecord::of(&better, "Adds a retry", (Some("Adds a retry."), Reason::None), &[]);
        let before = r#"{"reason":"cold","later":1,"failure":"no","answer":"Once.","dropped":["a (b)"]}"#;
        let after: serde_json::Value = serde_json::from_str(&answered.instead(Some(before)).unwrap()).unwrap();
        let wanted = serde_json::json!({"reason": "cold", "later": 1, "answer": "Adds a retry.", "dropped": []});
        assert_eq!(after, wanted);
        assert!(answered.instead(Some("no JSON")).unwrap().contains("Adds a retry."));
    }
}
