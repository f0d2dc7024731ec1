//! Writes one draft: a model's text of the captures of its period, else the plain list.

use std::sync::Arc;
use std::time::Instant;

use jiff::tz::TimeZone;

use crate::domain::capture::{Capture, Quality, Reason};
use crate::domain::clock::Clock;
use crate::domain::draft::Draft;
use crate::domain::operation::Operation;
use crate::domain::role::Role;
use crate::drafts::lease;
use crate::prompt::render;
use crate::publish::document::{self, Document};
use crate::publish::outline::{PageSubject, work_once};
use crate::publish::span::Span;
use crate::publish::templates::Templates;
use crate::quality::{clean, rubric};
use crate::redact::redact;
use crate::store::{CaptureQuery, WrittenDraft};

use super::model::{DraftModel, ModelText};

/// Everything that writing depends on; time, place and models are passed in.
pub struct DraftWriter<'a> {
    pub clock: &'a dyn Clock,
    pub zone: TimeZone,
    pub templates: &'a Templates,
    /// Absent: the list is written; the reason is stored with it.
    pub model: Result<&'a dyn DraftModel, String>,
    /// Prompt tokens that fit each role's context beside its answer.
    pub prompt_budget: &'a (dyn Fn(Role) -> u32 + Sync),
}

impl std::fmt::Debug for DraftWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftWriter")
            .field("zone", &self.zone)
            .field("has_model", &self.model.is_ok())
            .finish_non_exhaustive()
    }
}

/// A text to be stored, with the measurements of writing it.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftResult {
    pub written: WrittenDraft,
    pub operation: Operation,
    /// Why a model that was asked gave nothing usable.
    pub failure: Option<String>,
}

/// The captures of a draft: all live ones of its repository and period.
#[must_use]
pub fn sources(draft: &Draft) -> CaptureQuery {
    let repo = draft.repo.as_ref().map(|repo| repo.id.clone());
    CaptureQuery {
        project: repo.is_none().then(|| draft.project.clone()),
        outside: repo.is_none(),
        repo,
        since: Some(draft.period.from),
        until: Some(draft.period.to),
        ..CaptureQuery::default()
    }
}

impl DraftWriter<'_> {
    /// Writes `draft` from `captures`, by `until` at the latest. There is always a document.
    pub async fn write(&self, draft: &Draft, captures: Arc<[Capture]>, until: Option<Instant>) -> DraftResult {
        let start = self.clock.instant();
        let answer = self.ask_model(draft, &captures, until).await;
        let subject = PageSubject { kind: draft.kind, project: &draft.project, period: draft.period };
        let (document, reason) = match &answer {
            Ok((body, _)) => (document::from_model(body, &subject, &captures, &self.zone), None),
            Err(miss) => (document::list(&subject, &captures, &self.zone, self.templates), Some(miss)),
        };
        let took = self.clock.instant().saturating_duration_since(start);
        let text = answer.as_ref().map_or_else(|miss| miss.text.as_ref(), |(_, text)| Some(text));
        let operation = Operation::new(self.clock.now(), format!("draft.{}", draft.kind.as_str()), took);
        let operation = Operation {
            reason: reason.map_or(Reason::None, |miss| miss.reason),
            failed: reason.is_some_and(|miss| miss.is_failure() && miss.text.is_none()),
            ..match text {
                None => operation,
                Some(ModelText { model, endpoint, load, ttft, tpot, .. }) => {
                    operation.by_model(Some(model.clone()), Some(endpoint.clone()), [*load, *ttft, *tpot])
                }
            }
        };
        DraftResult {
            written: written(document, &captures, answer.as_ref().ok(), reason),
            operation,
            failure: reason.filter(|miss| miss.is_failure()).map(|miss| miss.words.clone()),
        }
    }

    /// The cleaned text of the role's model.
    async fn ask_model(
        &self,
        draft: &Draft,
        captures: &[Capture],
        until: Option<Instant>,
    ) -> Result<(String, ModelText), Miss> {
        if captures.is_empty() {
            return Err(Miss::new(Reason::Disabled, "the period has no captures".to_owned()));
        }
        let model = self.model.as_ref().map_err(|why| Miss::new(Reason::Disabled, why.clone()))?;
        let role = draft.kind.role();
        let period = Span::of(&draft.period, &self.zone).words();
        let captures = work_once(captures);
        let rendered = render::draft(draft.kind, &draft.project, &period, &captures, (self.prompt_budget)(role));
        let bound = self.clock.instant() + lease::model_time(role);
        let until = until.map_or(bound, |until| until.min(bound));
        let text = tokio::time::timeout_at(until.into(), model.write(role, &rendered, until))
            .await
            .map_err(|_| Miss::new(Reason::Deadline, "the model did not finish in time".to_owned()))?
            .map_err(|why| Miss::new(Reason::Refused, why))?;
        match clean::document(&text.text) {
            Ok(body) => Ok((redact(&body), text)),
            Err(why) => {
                let words = format!("the text of {} could not be used: {why}", text.model);
                Err(Miss { text: Some(text), ..Miss::new(Reason::Unusable, words) })
            }
        }
    }
}

/// Why no model's text is used.
struct Miss {
    reason: Reason,
    words: String,
    /// The text that could not be used.
    text: Option<ModelText>,
}

impl Miss {
    fn new(reason: Reason, words: String) -> Self {
        Self { reason, words, text: None }
    }

    /// A model was asked without success.
    fn is_failure(&self) -> bool {
        self.reason != Reason::Disabled
    }
}

/// `answer`: the model's cleaned text and its measurements.
fn written(
    document: Document,
    captures: &[Capture],
    answer: Option<&(String, ModelText)>,
    miss: Option<&Miss>,
) -> WrittenDraft {
    let quality = quality(&document, answer.map(|(body, _)| body.as_str()), captures);
    let notes: Vec<String> = miss.map(|miss| miss.words.clone()).into_iter().chain(document.complaint).collect();
    WrittenDraft {
        title: document.title,
        body: document.body,
        format: document::FORMAT.to_owned(),
        model: answer.map(|(_, text)| text.model.clone()),
        sources: captures.iter().map(|capture| capture.id).collect(),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        quality,
    }
}

/// The score of the page; of a model's page, without the list that follows it, because the list contains everything.
fn quality(document: &Document, own_words: Option<&str>, captures: &[Capture]) -> Option<Quality> {
    let body = own_words.map_or_else(|| document.body.clone(), |text| document::split_title(text).1);
    let sources: Vec<&str> = captures.iter().map(|capture| capture.summary.as_str()).collect();
    rubric::document(&document::page(&document.title, &body), &sources)
}
