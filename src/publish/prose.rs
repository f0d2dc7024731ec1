//! A model's sentences for a page: they take the place of the quotes beside the authors' own headlines.

use std::collections::BTreeMap;

use crate::domain::capture::Capture;
use crate::domain::id::CaptureId;

use super::entry;
use super::outline::work_once;
use super::work_item::{Work, WorkItem};

/// Checked sentences, as plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    pub opening: Option<String>,
    /// By the leading capture of a work item.
    pub items: BTreeMap<CaptureId, String>,
}

impl Prose {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.opening.is_none() && self.items.is_empty()
    }
}

/// What a model may read about a period's work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProseSources {
    /// One line for each work item, the leading subject as written where it says something, what a reader cares about first comes first; notes follow.
    pub headlines: Vec<String>,
    /// The items whose authors say more than a headline.
    pub items: Vec<ItemSource>,
}

/// The text of one work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemSource {
    /// The leading capture.
    pub lead: CaptureId,
    /// What every page shows without a model: the leading subject and the reason.
    pub shown: String,
    /// The leading summary, which a devlog shows too.
    pub summary: String,
    /// Per commit: the subject, and the paragraphs of prose of its message.
    pub messages: Vec<String>,
}

impl ProseSources {
    #[must_use]
    pub fn of(captures: &[Capture]) -> Self {
        let captures = work_once(captures);
        let by_id: BTreeMap<CaptureId, &Capture> = captures.iter().map(|capture| (capture.id, capture)).collect();
        let work = Work::of(captures.iter());
        let item = |item: &WorkItem| {
            let messages = item.parts.iter().filter_map(|part| Some(message(by_id.get(&part.capture)?)));
            let messages: Vec<String> = messages.collect();
            let says_more = messages.iter().any(|message| message.contains('\n'));
            let lead = item.lead();
            let shown = format!("{}\n{}", lead.subject, item.why().unwrap_or_default());
            says_more.then(|| ItemSource { lead: lead.capture, shown, summary: lead.entry.rest.clone(), messages })
        };
        let headlines = work.items.iter().map(|item| item.lead().headline_as_written());
        Self {
            headlines: headlines.chain(work.notes.iter().map(|note| note.text.clone())).collect(),
            items: work.items.iter().filter_map(item).collect(),
        }
    }
}

/// Median number of words of the paragraphs and list items of these bodies; `None` where there are none.
#[must_use]
pub fn usual_length(bodies: &[&str]) -> Option<u32> {
    let blocks = bodies.iter().flat_map(|body| body.lines()).filter(|line| !line.trim().is_empty());
    let mut words: Vec<usize> =
        blocks.filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace().count()).collect();
    words.sort_unstable();
    u32::try_from(*words.get(words.len() / 2)?).ok()
}

/// The subject and the prose of a commit's message.
fn message(capture: &Capture) -> String {
    let subject = capture.raw.trim().lines().next().unwrap_or_default().trim();
    let mut text = subject.to_owned();
    for paragraph in entry::paragraphs(&capture.raw) {
        text.push_str("\n\n");
        text.push_str(&paragraph);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::sample::{capture, note};

    #[test]
    fn what_stands_for_a_subject_without_content_is_its_headline() {
        let wip =
            Capture { summary: "Adds `b` in a.rs. +1.".to_owned(), ..capture("uro", "2026-03-03T09:00:00Z", "wip") };
        assert_eq!(ProseSources::of(&[wip]).headlines, ["Adds `b` in a.rs"]);
    }

    #[test]
    fn the_usual_length_is_the_median_of_all_blocks() {
        assert_eq!(
            usual_length(&["# Title of three words\n\n- one two\n- one two three four\n", "one two three"]),
            Some(3)
        );
        assert_eq!(usual_length(&["", "## only a heading"]), None);
    }

    #[test]
    fn a_model_reads_the_prose_of_items_that_have_some_and_the_headlines_of_all() {
        let body = "Two workers could hold one lease\nafter the laptop slept.\n\n    a block of code\n\nRefs: #4";
        let captures = [
            capture("uro", "2026-03-03T09:00:00Z", &format!("fix: give a lease back\n\n{body}")),
            capture("uro", "2026-03-03T10:00:00Z", "feat: list dead jobs"),
            note("uro", "2026-03-03T11:00:00Z", "felt quick"),
        ];
        let sources = ProseSources::of(&captures);
        assert_eq!(sources.headlines, ["feat: list dead jobs", "fix: give a lease back", "felt quick"]);
        let expected = "fix: give a lease back\n\nTwo workers could hold one lease after the laptop slept.";
        assert_eq!(sources.items.len(), 1);
        assert_eq!((sources.items[0].lead, sources.items[0].messages[0].as_str()), (captures[0].id, expected));
    }
}
