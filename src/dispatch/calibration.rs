//! Tokenizer calibration: bytes per token, per model and endpoint, learned from the servers' own counts.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

use super::Attempt;
use crate::prompt::tokens::{ReportedCounts, TokenScale};
use crate::route::offer::ModelChoice;
use crate::store::RouterState;

/// The learned scales, kept in the store across processes.
pub struct Calibration {
    store: Arc<dyn RouterState>,
    /// By endpoint and model.
    counts_by_model: Mutex<HashMap<(String, String), ReportedCounts>>,
}

impl std::fmt::Debug for Calibration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calibration").finish_non_exhaustive()
    }
}

impl Calibration {
    /// Loads what was learned before. Blocking. When the store cannot be read, the safe constant holds.
    #[must_use]
    pub fn of(store: Arc<dyn RouterState>) -> Self {
        let counts_by_model = store.token_counts().unwrap_or_default();
        let counts_by_model =
            counts_by_model.into_iter().map(|count| ((count.endpoint, count.model), count.counts)).collect();
        Self { store, counts_by_model: Mutex::new(counts_by_model) }
    }

    /// The scale of a model; the safe one while too little is known.
    #[must_use]
    pub fn scale(&self, choice: &ModelChoice) -> TokenScale {
        let counts_by_model = self.counts_by_model.lock();
        let key = (choice.endpoint.clone(), choice.model.clone());
        counts_by_model.get(&key).copied().map(TokenScale::of).unwrap_or_default()
    }

    /// Adds a server's token count of one prompt. Blocking.
    pub fn learn(&self, lesson: &Lesson) {
        // Without the store the next process starts from the safe constant: only precision is lost.
        let Ok(counts) = self.store.count_tokens(&lesson.endpoint, &lesson.model, lesson.bytes, lesson.tokens) else {
            return;
        };
        let mut counts_by_model = self.counts_by_model.lock();
        counts_by_model.insert((lesson.endpoint.clone(), lesson.model.clone()), counts);
    }
}

/// A prompt that a server counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    endpoint: String,
    model: String,
    bytes: u64,
    tokens: u64,
}

impl Lesson {
    /// The lesson of an attempt; `None` where no answer came, the prompt was cut, or the count cannot be that of the
    /// whole prompt.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Option<Self> {
        let prompt = attempt.prompt.as_ref()?;
        let answer = attempt.result.as_ref().ok().filter(|answer| !answer.prompt_truncated)?;
        let (bytes, tokens) = (prompt.bytes(), answer.tokens.prompt?);
        let (endpoint, model) = (attempt.endpoint.clone()?, attempt.model.clone()?);
        ReportedCounts::is_plausible(bytes, tokens).then_some(Self { endpoint, model, bytes, tokens })
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::domain::operation::PrefillOutcome;
    use crate::domain::timing::Tokens;
    use crate::llm::{Finish, ModelAnswer};
    use crate::prompt::render::{self, RenderedPrompt};
    use crate::store::sqlite::SqliteStore;

    fn attempt(prompt: &RenderedPrompt, counted: Option<u64>, prompt_truncated: bool) -> Attempt {
        let tokens = Tokens { prompt: counted, ..Tokens::default() };
        let answer = ModelAnswer { tokens, prompt_truncated, ..ModelAnswer::unmeasured("", Finish::Stop) };
        let (model, endpoint) = (Some("m".into()), Some("e".into()));
        let prompt = Some(prompt.clone());
        Attempt { model, endpoint, result: Ok(answer), prompt, decision: None, ahead: PrefillOutcome::None }
    }

    fn choice(model: &str) -> ModelChoice {
        ModelChoice { endpoint: "e".into(), model: model.into() }
    }

    #[test]
    fn what_a_server_counts_is_the_scale_of_that_model_in_this_process_and_the_next() {
        let home = tempfile::tempdir().unwrap();
        let store: Arc<dyn RouterState> = Arc::new(SqliteStore::open(&home.path().join("captures.db")).unwrap().store);
        let calibration = Calibration::of(Arc::clone(&store));
        assert_eq!(calibration.scale(&choice("m")), TokenScale::default());
        let prompt = render::note(&"a word and another one ".repeat(120), "p");
        let lesson = Lesson::of(&attempt(&prompt, Some(prompt.bytes() / 2), false)).unwrap();
        calibration.learn(&lesson);
        let learned = calibration.scale(&choice("m"));
        assert!(learned.bytes_in(1000) < TokenScale::default().bytes_in(1000), "{learned:?}");
        assert_eq!(calibration.scale(&choice("other")), TokenScale::default());
        assert_eq!(Calibration::of(store).scale(&choice("m")), learned);
    }

    #[test]
    fn a_count_that_is_none_teaches_nothing() {
        let prompt = render::note("a word", "p");
        for (counted, truncated) in [(None, false), (Some(200), true), (Some(2), false)] {
            assert_eq!(Lesson::of(&attempt(&prompt, counted, truncated)), None);
        }
    }
}
