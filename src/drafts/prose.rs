//! Asks the role's model for the sentences of a draft, piece by piece, and keeps those that the captures support.
//!
//! A devlog or blog post is written work item by work item, so that what an answer may say is known, the prompt fits every
//! context, and a failure costs one paragraph: there the authors' own words stay. A social post or status is one request
//! about the leading headlines; above a list of all items such sentences would only say them twice.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::domain::capture::{Capture, Reason};
use crate::domain::clock::Clock;
use crate::domain::draft::DraftKind;
use crate::grounding::paraphrase::ParaphraseCheck;
use crate::grounding::{Grounded, Ungrounded, words};
use crate::prompt::render::{self, RenderedPrompt};
use crate::publish::numbers::count;
use crate::publish::prose::{ItemSource, Prose, ProseSources};
use crate::quality::clean::clean;
use crate::quality::expected::ExpectedStyle;
use crate::redact::redact;
use crate::text::sentences;
use crate::text::words::WordList;
use crate::word_list;

use super::lease;
use super::model::{DraftModel, ModelText};

/// Most items of one draft that a model writes about; the others keep their authors' words.
const MOST_ITEMS: usize = 12;
/// Headlines that the sentences about the whole are chosen from: the most important ones, because small models pick
/// anything from a long list.
const MOST_HEADLINES: usize = 5;
/// A sentence about an item has at least so many words that the page does not show without it.
const NEW_WORDS: usize = 2;
/// Most characters of a social post (Bluesky's 300 with room for a link's dots; X counts 280).
const LONGEST_POST: usize = 280;

/// The kept sentences, and the measurements of the requests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelProse {
    pub prose: Prose,
    /// Of the first answer; `None` when no request was answered.
    pub first: Option<ModelText>,
    /// Why a request was not answered: the later ones were not made.
    pub failure: Option<(Reason, String)>,
    /// Sentences that no capture supports.
    pub dropped: usize,
}

/// What one request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A paragraph about one work item.
    Item(ItemSource),
    /// The sentences about the whole, from one line per item.
    Whole(Vec<String>),
}

/// What of an answer may stand in a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    pub text: Option<String>,
    /// Sentences that no capture supports.
    pub faults: Vec<Ungrounded>,
}

impl Piece {
    /// Holds an answer against the captures. `about`: the project and the period, in words.
    #[must_use]
    pub fn judge(&self, kind: DraftKind, about: &str, answer: &str) -> Judged {
        match self {
            Self::Item(item) => judge_item(kind, item, answer),
            Self::Whole(lines) => judge_whole(kind, lines, about, answer),
        }
    }
}

/// The sentences that restate the item's messages and say more than the page shows without them.
fn judge_item(kind: DraftKind, item: &ItemSource, answer: &str) -> Judged {
    let Ok(text) = clean(answer, &ExpectedStyle::of(&item.messages.join("\n"))) else { return Judged::default() };
    let sources: Vec<&str> = item.messages.iter().map(String::as_str).collect();
    let Grounded { text: grounded, faults } = ParaphraseCheck::of(&sources, "").check(&text);
    let grounded = grounded.unwrap_or_default();
    let grounded = sentences::split(&grounded);
    let summary = if kind == DraftKind::Devlog { item.summary.as_str() } else { "" };
    let known: BTreeSet<String> = [item.shown.as_str(), summary].into_iter().flat_map(words::stems).collect();
    let is_new =
        |sentence: &str| words::stems(sentence).iter().filter(|stem| !known.contains(*stem)).count() >= NEW_WORDS;
    let mut kept: Vec<&str> = Vec::new();
    let mut follows = false;
    for sentence in sentences::split(&text) {
        follows = grounded.contains(&sentence) && is_new(sentence) && (follows || !refers_back(sentence));
        kept.extend(follows.then_some(sentence));
    }
    Judged { text: (!kept.is_empty()).then(|| redact(&kept.join(" "))), faults }
}

/// "None of those …", "It …": says nothing by itself.
fn refers_back(sentence: &str) -> bool {
    static WORDS: WordList = word_list!("references_back");
    let first = words::identifiers(sentence).next().unwrap_or_default().to_lowercase();
    WORDS.contains(first.as_str())
}

/// The supported sentences about the whole.
fn judge_whole(kind: DraftKind, lines: &[String], about: &str, answer: &str) -> Judged {
    let Ok(text) = clean(answer, &ExpectedStyle::of(&lines.join("\n"))) else { return Judged::default() };
    let sources: Vec<&str> = lines.iter().map(String::as_str).collect();
    let Grounded { text, faults } = ParaphraseCheck::of(&sources, about).check_summary(&text);
    let most = if kind == DraftKind::Social { LONGEST_POST } else { usize::MAX };
    let text = text.and_then(|text| first_sentences(&text, most)).map(|text| redact(&text));
    Judged { text, faults }
}

/// The parts of a draft that do not depend on the model.
#[derive(Debug)]
pub struct ProseRequest<'a> {
    pub kind: DraftKind,
    /// Empty for the work of several.
    pub project: &'a str,
    /// The period in words.
    pub period: &'a str,
    pub captures: &'a [Capture],
    /// Prompt tokens that fit the role's context beside its answer.
    pub prompt_budget: u32,
    /// Most words of a paragraph; `None` leaves the length to the rules.
    pub words: Option<u32>,
}

impl ProseRequest<'_> {
    /// Asks until all pieces are written, time is over or a request fails.
    pub async fn ask(&self, model: &dyn DraftModel, clock: &dyn Clock, until: Option<Instant>) -> ModelProse {
        let role = self.kind.role();
        let bound = clock.instant() + lease::model_time(role);
        let until = until.map_or(bound, |until| until.min(bound));
        let mut written = ModelProse::default();
        for piece in self.pieces() {
            let rendered = self.render(&piece);
            let answer = match tokio::time::timeout_at(until.into(), model.write(role, &rendered, until)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(why)) => {
                    written.failure = Some((Reason::Refused, why));
                    break;
                }
                Err(_) => {
                    written.failure = Some((Reason::Deadline, "the model did not finish in time".to_owned()));
                    break;
                }
            };
            let about = format!("{} {}", self.project, self.period);
            let Judged { text, faults } = piece.judge(self.kind, &about, &answer.text);
            written.dropped += faults.len();
            match piece {
                Piece::Item(item) => written.prose.items.extend(text.map(|text| (item.lead, text))),
                Piece::Whole(_) => written.prose.opening = text,
            }
            written.first.get_or_insert(answer);
        }
        written
    }

    fn pieces(&self) -> Vec<Piece> {
        let ProseSources { mut headlines, items } = ProseSources::of(self.captures);
        match self.kind {
            DraftKind::Devlog | DraftKind::Blog => items.into_iter().take(MOST_ITEMS).map(Piece::Item).collect(),
            // A single headline is its own summary.
            DraftKind::Social | DraftKind::Status if headlines.len() < 2 => Vec::new(),
            DraftKind::Social | DraftKind::Status => {
                headlines.truncate(MOST_HEADLINES);
                vec![Piece::Whole(headlines)]
            }
        }
    }

    fn render(&self, piece: &Piece) -> RenderedPrompt {
        let (kind, budget) = (self.kind, self.prompt_budget);
        match piece {
            Piece::Item(item) => render::paragraph(kind, &item.messages, budget).with_word_limit(self.words),
            Piece::Whole(headlines) => render::summary(kind, self.project, self.period, headlines, budget),
        }
    }
}

impl ModelProse {
    /// Why the model's sentences are missing or incomplete, in words for the draft list.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let asked = self.first.as_ref().map_or("the model", |first| first.model.as_str());
        let nothing = self.prose.is_empty();
        match &self.failure {
            Some((_, why)) if nothing => Some(why.clone()),
            Some((_, why)) => Some(format!("{asked} wrote a part: {why}")),
            None if nothing && self.dropped > 0 => {
                let sentences = count(self.dropped as u64, "sentence", "sentences");
                Some(format!("no capture supports the {sentences} of {asked}"))
            }
            None if nothing && self.first.is_some() => Some(format!("{asked} said nothing beyond the headlines")),
            None => None,
        }
    }
}

/// As many whole sentences as fit.
fn first_sentences(text: &str, most: usize) -> Option<String> {
    let ends = sentences::ends(text).into_iter().chain([text.len()]);
    let end = ends.take_while(|end| text[..*end].chars().count() <= most).last()?;
    Some(text[..end].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::domain::id::CaptureId;

    fn item() -> Piece {
        let body = "It was found by a test.\n\nA handle stayed open after each failed request.";
        Piece::Item(ItemSource {
            lead: CaptureId::fresh(&SystemClock),
            shown: "fix: a leak\nIt was found by a test.".to_owned(),
            summary: "a leak. A handle stayed open.".to_owned(),
            messages: vec![format!("fix: a leak\n\n{body}")],
        })
    }

    #[test]
    fn a_sentence_is_kept_that_says_more_than_the_page_shows_and_invents_nothing() {
        for (answer, kept) in [
            ("A handle stayed open after each failed request.", true),
            ("Fixed a leak. It was found by a test.", false),
            ("A handle stayed open, which made the program slow.", false),
            ("The handle did not stay open after each failed request.", false),
            ("It stayed open after each failed request.", false),
            ("", false),
        ] {
            let judged = item().judge(DraftKind::Devlog, "uro March", answer);
            assert_eq!(judged.text.as_deref(), kept.then_some(answer), "{answer}");
        }
        let text = |kind| item().judge(kind, "uro March", "A handle stayed open.").text;
        assert_eq!(text(DraftKind::Devlog), None, "its summary says so");
        assert!(text(DraftKind::Blog).is_some(), "a post shows no summary");
    }

    #[test]
    fn a_post_is_cut_at_the_end_of_a_sentence() {
        let text = "Added a list. Fixed a leak in it. Removed";
        for (most, expected) in [(99, Some(text)), (40, Some("Added a list. Fixed a leak in it.")), (12, None)] {
            assert_eq!(first_sentences(text, most).as_deref(), expected, "{most}");
        }
    }
}
