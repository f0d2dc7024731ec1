//! `status --narrate`: the window in two or three sentences.

use std::time::Duration;

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::domain::capture::{AuthoredBy, Capture};
use crate::domain::draft::{DraftKind, Period};
use crate::drafts::prose::ProseRequest;
use crate::publish::numbers::Numbers;
use crate::publish::prose::ProseSources;
use crate::publish::span::Span;
use crate::route::signals::Urgency;
use crate::sidecar::pool_client::PoolClient;
use crate::store::CaptureQuery;

/// How long a person waits for the model's sentences.
const BUDGET: Duration = Duration::from_secs(10);
/// Headlines that stand in for a model's sentences.
const HEADLINES: usize = 3;

/// The sentences, and what wrote those about the work: the counts are always exact.
#[derive(Debug, Serialize)]
pub struct Narrative {
    pub text: String,
    pub by: AuthoredBy,
    pub model: Option<String>,
    /// Why no model's sentences are used.
    pub reason: Option<String>,
}

impl Narrative {
    /// Asks the status model for the window's sentences; without them the leading headlines stand.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn write(app: &App, window: Period) -> Result<Self, Failure> {
        let services = app.services()?;
        services.models.pool().borrow_of(std::sync::Arc::new(PoolClient { run: app.paths.run.clone() }));
        let query = CaptureQuery { since: Some(window.from), until: Some(window.to), ..CaptureQuery::default() };
        let captures = services.store.captures(&query)?;
        let period = Span::of(&window, &app.zone).words();
        let role = DraftKind::Status.role();
        let request = ProseRequest {
            kind: DraftKind::Status,
            project: "",
            period: &period,
            captures: &captures,
            prompt_budget: crate::cli::draft::prompt_budget(app.config(), role),
            words: None,
        };
        let model = services.text_model(Urgency::Interactive);
        let until = app.clock.instant() + BUDGET;
        let written = app.block_on(request.ask(model.as_ref(), app.clock.as_ref(), Some(until)))?;
        let reason = written.complaint();
        let by = if written.prose.opening.is_some() { AuthoredBy::Model } else { AuthoredBy::Template };
        let model = written.first.map(|first| first.model).filter(|_| by == AuthoredBy::Model);
        Ok(Self { text: text(&captures, written.prose.opening), by, model, reason })
    }
}

/// The counts, then the model's sentences or the leading headlines.
fn text(captures: &[Capture], sentences: Option<String>) -> String {
    let numbers = Numbers::of(captures);
    let Some(what) = numbers.what() else { return "Nothing was captured.".to_owned() };
    let themes = numbers.themes().map(|themes| format!(" Among the commits: {themes}.")).unwrap_or_default();
    let work = sentences.unwrap_or_else(|| {
        let headlines = ProseSources::of(captures).headlines;
        let first: Vec<&str> = headlines.iter().take(HEADLINES).map(|line| line.trim_end_matches('.')).collect();
        if first.is_empty() { String::new() } else { format!("First of all: {}.", first.join("; ")) }
    });
    format!("{what}.{themes} {work}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::publish::sample::{capture, note};

    #[test]
    fn the_counts_are_followed_by_sentences_or_headlines() {
        let captures = [
            capture("uro", "2026-03-03T09:00:00Z", "fix: a leak"),
            capture("uro", "2026-03-03T10:00:00Z", "feat: a list"),
            note("uro", "2026-03-03T11:00:00Z", "felt quick"),
        ];
        let counts = "2 commits and 1 note. Among the commits: 1 addition and 1 fix.";
        assert_eq!(text(&captures, None), format!("{counts} First of all: feat: a list; fix: a leak; felt quick."));
        assert_eq!(text(&captures, Some("Fixed a leak.".to_owned())), format!("{counts} Fixed a leak."));
        assert_eq!(text(&[], None), "Nothing was captured.");
    }
}
