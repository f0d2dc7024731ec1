//! Writes one draft: the outline of its captures, with a model's sentences where they are supported.

use std::sync::Arc;
use std::time::Instant;

use jiff::tz::TimeZone;

use crate::domain::capture::{Capture, Quality, Reason, RepoRef};
use crate::domain::clock::Clock;
use crate::domain::draft::Draft;
use crate::domain::operation::Operation;
use crate::domain::role::Role;
use crate::publish::document::{self, Document};
use crate::publish::links::WebLinks;
use crate::publish::outline::PageSubject;
use crate::publish::span::Span;
use crate::publish::templates::Templates;
use crate::quality::rubric;
use crate::store::{CaptureQuery, WrittenDraft};

use super::model::{DraftModel, ModelText};
use super::prose::{ModelProse, ProseRequest};

/// Everything that writing depends on; time, place and models are passed in.
pub struct DraftWriter<'a> {
    pub clock: &'a dyn Clock,
    pub zone: TimeZone,
    pub templates: &'a Templates,
    /// Absent: the authors' own words are used; the reason is stored with the draft.
    pub model: Result<&'a dyn DraftModel, String>,
    /// The web pages of a repository.
    pub links: &'a (dyn Fn(&RepoRef) -> Option<WebLinks> + Sync),
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
    /// Writes `draft` from `captures`, by `until` at the latest. There is always a document. `words`: most words of a
    /// model's paragraph.
    pub async fn write(
        &self,
        draft: &Draft,
        captures: Arc<[Capture]>,
        words: Option<u32>,
        until: Option<Instant>,
    ) -> DraftResult {
        let start = self.clock.instant();
        let (came, refusal) = self.ask_model(draft, &captures, words, until).await;
        let links = draft.repo.as_ref().and_then(self.links);
        let subject =
            PageSubject { kind: draft.kind, project: &draft.project, period: draft.period, links: links.as_ref() };
        let document = document::document(&subject, &captures, &came.prose, &self.zone, self.templates);
        let took = self.clock.instant().saturating_duration_since(start);
        let failure = came.failure.as_ref().map(|(_, why)| why.clone());
        let operation = Operation::new(self.clock.now(), format!("draft.{}", draft.kind.as_str()), took);
        let operation = Operation {
            reason: match (&refusal, &came.failure) {
                (Some(_), _) => Reason::Disabled,
                (None, Some((reason, _))) => *reason,
                (None, None) if came.prose.is_empty() => Reason::Ungrounded,
                (None, None) => Reason::None,
            },
            failed: failure.is_some() && came.first.is_none(),
            ..match &came.first {
                None => operation,
                Some(ModelText { model, endpoint, load, ttft, tpot, .. }) => {
                    operation.by_model(Some(model.clone()), Some(endpoint.clone()), [*load, *ttft, *tpot])
                }
            }
        };
        let notes: Vec<String> =
            refusal.or_else(|| came.complaint()).into_iter().chain(document.complaint.clone()).collect();
        let written = WrittenDraft {
            quality: quality(&document, &captures),
            title: document.title,
            body: document.body,
            format: document::FORMAT.to_owned(),
            model: came.first.filter(|_| !came.prose.is_empty()).map(|first| first.model),
            sources: captures.iter().map(|capture| capture.id).collect(),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        };
        DraftResult { written, operation, failure }
    }

    /// The checked sentences of the role's model, or why it was not asked.
    async fn ask_model(
        &self,
        draft: &Draft,
        captures: &[Capture],
        words: Option<u32>,
        until: Option<Instant>,
    ) -> (ModelProse, Option<String>) {
        let unasked = |why: String| (ModelProse::default(), Some(why));
        if captures.is_empty() {
            return unasked("the period has no captures".to_owned());
        }
        let model = match &self.model {
            Ok(model) => *model,
            Err(why) => return unasked(why.clone()),
        };
        let period = Span::of(&draft.period, &self.zone).words();
        let prompt_budget = (self.prompt_budget)(draft.kind.role());
        let request =
            ProseRequest { kind: draft.kind, project: &draft.project, period: &period, captures, prompt_budget, words };
        (request.ask(model, self.clock, until).await, None)
    }
}

/// The score of the page against the summaries of its captures.
fn quality(document: &Document, captures: &[Capture]) -> Option<Quality> {
    let sources: Vec<&str> = captures.iter().map(|capture| capture.summary.as_str()).collect();
    rubric::document(&document::page(&document.title, &document.body), &sources)
}
