//! The batch on an in-memory store: what is written, retried, taken over.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::config::Cadence;
use crate::domain::capture::Reason;
use crate::domain::clock::{Clock, FakeClock};
use crate::domain::draft::{DraftEdit, DraftState};
use crate::drafts::in_memory_store::InMemoryDraftStore;
use crate::drafts::model::{DraftModel, ModelText, Writing};
use crate::prompt::render::RenderedPrompt;
use crate::publish::sample::{capture, note};
use crate::publish::templates::Templates;
use crate::store::WrittenDraft;

type Answer = Box<dyn Fn(u32) -> Result<String, String> + Send + Sync>;

/// Answers by the number of the call; `None` as text never arrives.
struct Scripted {
    asked: AtomicU32,
    answer: Answer,
    hangs: bool,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

fn scripted(answer: impl Fn(u32) -> Result<String, String> + Send + Sync + 'static) -> Scripted {
    let answer = Box::new(answer);
    Scripted { asked: AtomicU32::new(0), answer, hangs: false, meanwhile: Mutex::new(None) }
}

impl DraftModel for Scripted {
    fn write<'a>(&'a self, _: Role, rendered: &'a RenderedPrompt, _: Instant) -> Writing<'a> {
        Box::pin(async move {
            let call = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(!rendered.question.is_empty());
            if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
                meanwhile();
            }
            if self.hangs {
                std::future::pending::<()>().await;
            }
            let text = (self.answer)(call)?;
            Ok(ModelText { text, model: "tiny".to_owned(), endpoint: "local".to_owned(), ..ModelText::default() })
        })
    }
}

struct Scene {
    clock: FakeClock,
    config: DraftsConfig,
    templates: Templates,
    steps: Mutex<Vec<Step>>,
}

fn scene() -> Scene {
    Scene {
        clock: FakeClock::at("2026-03-11T02:30:00Z".parse().unwrap()),
        config: DraftsConfig {
            devlog: Cadence::Daily,
            blog: Cadence::Weekly,
            window: "02:00-06:00".to_owned(),
            on_battery: false,
        },
        templates: Templates::built_in(),
        steps: Mutex::new(Vec::new()),
    }
}

impl Scene {
    async fn run(&self, store: &InMemoryDraftStore, model: Option<&Scripted>) -> Result<BatchReport, StoreError> {
        self.run_within(store, model, BatchBounds::default()).await
    }

    async fn run_within(
        &self,
        store: &InMemoryDraftStore,
        model: Option<&Scripted>,
        bounds: BatchBounds,
    ) -> Result<BatchReport, StoreError> {
        let model = model.map(|model| model as &dyn DraftModel).ok_or_else(|| "no model is wanted".to_owned());
        let writer = DraftWriter {
            clock: &self.clock,
            zone: TimeZone::UTC,
            templates: &self.templates,
            model,
            links: &|_| None,
            prompt_budget: &|_| 1000,
        };
        let progress = |step: &Step| self.steps.lock().unwrap().push(step.clone());
        let batch = DraftBatch {
            shelf: store.clone(),
            writer,
            config: &self.config,
            bounds,
            chance: &|| 1.0,
            progress: &progress,
        };
        run_drafts(&batch).await
    }
}

/// A commit that says more than a page quotes.
const LEAK: &str = "fix: a leak\n\nIt was found by a test.\n\nA handle stayed open after each failed request.";

/// Three captures on Tuesday, one on Thursday: two devlogs and a blog.
fn shelf() -> InMemoryDraftStore {
    InMemoryDraftStore::with(vec![
        capture("uro", "2026-03-03T09:00:00Z", LEAK),
        capture("uro", "2026-03-03T10:00:00Z", "feat: a list"),
        note("uro", "2026-03-03T11:00:00Z", "felt quick"),
        capture("uro", "2026-03-05T10:00:00Z", "docs: a page"),
    ])
}

#[tokio::test]
async fn without_a_model_every_draft_is_a_list_of_all_its_captures() {
    let (scene, shelf) = (scene(), shelf());
    let report = scene.run(&shelf, None).await.unwrap();
    assert_eq!(report, BatchReport { queued: 3, by_template: 3, ..BatchReport::default() });
    for draft in shelf.drafts().unwrap() {
        assert_eq!((draft.state, draft.sources.len()), (DraftState::Ready, shelf.in_period(&draft)));
        assert_eq!(draft.error.as_deref(), Some("no model is wanted"));
        assert_eq!(draft.model, None);
        let quality = draft.quality.unwrap();
        assert!((quality.completeness - 1.0).abs() < 1e-9 && quality.score > 0.7, "{quality:?}");
    }
    assert!(shelf.rows().operations.iter().all(|operation| !operation.failed && operation.op.starts_with("draft.")));
}

#[tokio::test]
async fn a_second_run_has_nothing_to_do() {
    let (scene, shelf) = (scene(), shelf());
    scene.run(&shelf, None).await.unwrap();
    let before = shelf.drafts().unwrap();
    assert_eq!(scene.run(&shelf, None).await.unwrap(), BatchReport::default());
    assert_eq!(shelf.drafts().unwrap(), before);
}

/// Restates what `LEAK` says beyond the quote.
const SUPPORTED: &str = "A handle stayed open after each failed request.";

#[tokio::test]
async fn a_models_supported_sentences_are_kept_with_its_name_beside_all_captures() {
    let (scene, shelf) = (scene(), shelf());
    let model = scripted(|_| Ok(SUPPORTED.to_owned()));
    assert_eq!(scene.run(&shelf, Some(&model)).await.unwrap().by_model, 2);
    let drafts = shelf.drafts().unwrap();
    let blog = drafts.iter().find(|draft| draft.kind.as_str() == "blog").unwrap();
    assert_eq!(blog.model.as_deref(), Some("tiny"));
    for text in [SUPPORTED, "It was found by a test.", "felt quick", "fix: a leak", "docs: a page"] {
        assert!(blog.body.contains(text), "{}", blog.body);
    }
    let single = drafts.iter().find(|draft| draft.body.contains("docs: a page") && draft.id != blog.id).unwrap();
    assert_eq!((&single.model, single.error.as_deref()), (&None, None), "there is nothing to write about");
}

#[tokio::test]
async fn what_a_model_invents_is_left_out_and_the_draft_says_so() {
    let (scene, shelf) = (scene(), shelf());
    let body = "Two workers could hold one lease after the laptop slept.";
    shelf.rows().captures.push(capture("uro", "2026-03-03T12:00:00Z", &format!("fix: give a lease back\n\n{body}")));
    let model = scripted(|_| Ok("The release improved the stability of all workers.".to_owned()));
    let report = scene.run(&shelf, Some(&model)).await.unwrap();
    assert_eq!((report.by_model, report.by_template), (0, 3));
    for draft in shelf.drafts().unwrap().iter().filter(|draft| draft.body.contains("a lease back")) {
        assert!(!draft.body.contains("stability") && draft.body.contains(body), "{}", draft.body);
        assert!(draft.error.as_ref().unwrap().contains("no capture supports"), "{:?}", draft.error);
    }
    assert!(shelf.rows().operations.iter().any(|operation| operation.reason == Reason::Ungrounded));
}

#[tokio::test]
async fn a_model_that_fails_twice_in_a_row_is_left_alone_and_every_draft_still_comes_out() {
    let (scene, shelf) = (scene(), shelf());
    let day = |day: u32| {
        ["x\n\nThe first words of the day.", "y"].map(|text| capture("uro", &format!("2026-02-0{day}T09:00:00Z"), text))
    };
    let late = (2..8).flat_map(day).map(|c| Capture { captured_at: scene.clock.now(), ..c });
    shelf.rows().captures.extend(late);
    let model = scripted(|_| Err("nothing listens there".to_owned()));
    let report = scene.run(&shelf, Some(&model)).await.unwrap();
    assert_eq!(report.by_template, 10);
    assert_eq!(model.asked.load(Ordering::SeqCst), 4, "two of each kind were tried");
    let drafts = shelf.drafts().unwrap();
    assert!(drafts.iter().all(|draft| draft.state == DraftState::Ready));
    let asked = drafts.iter().filter(|draft| draft.sources.len() > 1);
    assert!(asked.clone().count() == 9 && asked.clone().all(|d| d.error.as_ref().unwrap().contains("nothing listens")));
}

#[tokio::test]
async fn an_empty_answer_gives_the_list_and_says_so() {
    let (scene, shelf) = (scene(), shelf());
    let model = scripted(|call| Ok(if call == 1 { "  ".to_owned() } else { SUPPORTED.to_owned() }));
    let report = scene.run(&shelf, Some(&model)).await.unwrap();
    assert_eq!((report.by_model, report.by_template), (1, 2));
    assert!(shelf.drafts().unwrap()[0].error.as_ref().unwrap().contains("tiny said nothing"));
}

#[tokio::test]
async fn a_model_that_never_answers_is_cut_off_at_the_end_of_the_window() {
    let (scene, shelf) = (scene(), shelf());
    let model = Scripted { hangs: true, ..scripted(|_| Ok(String::new())) };
    let bounds =
        BatchBounds { until: Some(scene.clock.instant() + Duration::from_millis(20)), ..BatchBounds::default() };
    let report = scene.run_within(&shelf, Some(&model), bounds).await.unwrap();
    assert_eq!(report.by_template, 3);
    assert!(shelf.drafts().unwrap()[0].error.as_ref().unwrap().contains("did not finish in time"));
}

#[tokio::test]
async fn after_the_window_nothing_is_begun() {
    let (scene, shelf) = (scene(), shelf());
    let bounds = BatchBounds { until: Some(scene.clock.instant()), ..BatchBounds::default() };
    let report = scene.run_within(&shelf, None, bounds).await.unwrap();
    assert_eq!(report, BatchReport { queued: 3, ..BatchReport::default() });
    assert!(shelf.states().iter().all(|state| state.ends_with("queued 0")));
}

#[tokio::test]
async fn a_stale_attempt_cannot_write() {
    let (scene, shelf) = (scene(), shelf());
    let model = scripted(|_| Ok(SUPPORTED.to_owned()));
    let (other, later) = (shelf.clone(), scene.clock.now() + SignedDuration::from_hours(1));
    *model.meanwhile.lock().unwrap() = Some(Box::new(move || {
        let lease = other.lease_draft(later, later + SignedDuration::from_hours(1)).unwrap().unwrap();
        assert_eq!(lease.attempt, 2);
        let written = WrittenDraft {
            title: "T".to_owned(),
            body: "The other worker's text.".to_owned(),
            format: "markdown".to_owned(),
            model: None,
            sources: Vec::new(),
            note: None,
            quality: None,
        };
        other.finish_draft(lease.draft.id, 2, &written, later).unwrap();
    }));
    let bounds = BatchBounds { limit: Some(1), ..BatchBounds::default() };
    let report = scene.run_within(&shelf, Some(&model), bounds).await.unwrap();
    assert_eq!((report.taken_over, report.by_model), (1, 0));
    assert_eq!(shelf.drafts().unwrap()[0].body, "The other worker's text.");
}

#[tokio::test]
async fn a_failed_write_is_tried_again_later_and_the_others_go_on() {
    let (scene, shelf) = (scene(), shelf());
    shelf.rows().full_for = 1;
    let report = scene.run(&shelf, None).await.unwrap();
    assert_eq!((report.failed, report.by_template), (1, 2));
    assert_eq!(shelf.states()[0], "blog queued 1");
    assert_eq!(shelf.drafts().unwrap()[0].error.as_deref(), Some("the disk is full: no space left"));
    assert_eq!(scene.run(&shelf, None).await.unwrap(), BatchReport::default(), "not before its time");
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.run(&shelf, None).await.unwrap().by_template, 1);
    assert_eq!(shelf.states()[0], "blog ready 2");
}

#[tokio::test]
async fn a_draft_that_always_fails_dies_and_the_queue_moves_on() {
    let (scene, shelf) = (scene(), shelf());
    shelf.rows().captures.push(capture("poison", "2026-03-10T10:00:00Z", "x"));
    shelf.rows().unreadable = Some("poison".to_owned());
    for _ in 0..lease::MAX_ATTEMPTS + 2 {
        scene.run(&shelf, None).await.unwrap();
        scene.clock.advance(Duration::from_secs(2 * 3600));
    }
    assert_eq!(shelf.states()[0], format!("devlog dead {}", lease::MAX_ATTEMPTS));
    assert!(shelf.states()[1..].iter().all(|state| state.ends_with("ready 1")), "{:?}", shelf.states());
}

#[tokio::test]
async fn workers_that_die_in_a_draft_use_up_its_attempts() {
    let (scene, shelf) = (scene(), shelf());
    let bounds = BatchBounds { limit: Some(0), ..BatchBounds::default() };
    scene.run_within(&shelf, None, bounds).await.unwrap();
    for attempt in 1..=lease::MAX_ATTEMPTS {
        // The process was killed: the lease is neither finished nor released.
        let now = scene.clock.now();
        let lease = shelf.lease_draft(now, now + SignedDuration::from_mins(11)).unwrap().unwrap();
        assert_eq!((lease.attempt, lease.draft.kind.as_str()), (attempt, "blog"));
        scene.clock.advance(Duration::from_secs(11 * 60));
    }
    scene.run(&shelf, None).await.unwrap();
    assert_eq!(shelf.states(), ["blog dead 5", "devlog ready 1", "devlog ready 1"]);
}

#[tokio::test]
async fn a_run_that_is_dropped_gives_its_draft_back_at_once() {
    let (scene, shelf) = (scene(), shelf());
    let model = Scripted { hangs: true, ..scripted(|_| Ok(String::new())) };
    let cut = tokio::time::timeout(Duration::from_millis(50), scene.run(&shelf, Some(&model))).await;
    assert!(cut.is_err());
    assert_eq!(shelf.states()[0], "blog queued 1");
    assert_eq!(scene.run(&shelf, None).await.unwrap().by_template, 3);
}

#[tokio::test]
async fn when_a_failure_cannot_even_be_stored_the_run_ends_with_it() {
    let (scene, shelf) = (scene(), shelf());
    (shelf.rows().full_for, shelf.rows().cannot_fail) = (1, true);
    assert!(matches!(scene.run(&shelf, None).await, Err(StoreError::Full(_))));
    assert_eq!(shelf.states()[0], "blog leased 1", "its lease runs out");
}

#[tokio::test]
async fn a_late_capture_goes_into_the_untouched_draft_and_never_into_an_edited_text() {
    let (scene, shelf) = (scene(), shelf());
    scene.run(&shelf, None).await.unwrap();
    let edited = shelf.rows().drafts[2].id;
    shelf.rows().drafts[2].edit = Some(DraftEdit { seconds: 9.0, distance: 0.2 });
    shelf.rows().captures.push(capture("uro", "2026-03-03T20:00:00Z", "fix: a late one"));
    let report = scene.run(&shelf, None).await.unwrap();
    assert_eq!((report.rewritten, report.queued, report.by_template), (2, 0, 2));
    for draft in shelf.drafts().unwrap() {
        assert_eq!(draft.body.contains("a late one"), draft.kind.as_str() == "blog" && draft.id != edited);
    }
    let again = scene.run(&shelf, None).await.unwrap();
    assert_eq!(again.rewritten, 0, "the sources are those of the text beside it");
}

#[test]
fn a_run_can_be_a_task_of_the_background_process() {
    fn is_send(_: &impl Send) {}
    fn check(batch: &DraftBatch<'_, InMemoryDraftStore>) {
        is_send(&run_drafts(batch));
    }
    let _: fn(&DraftBatch<'_, InMemoryDraftStore>) = check;
}

#[tokio::test]
async fn progress_tells_every_step() {
    let (scene, shelf) = (scene(), shelf());
    scene.run_within(&shelf, None, BatchBounds { limit: Some(1), ..BatchBounds::default() }).await.unwrap();
    let steps = scene.steps.lock().unwrap();
    assert_eq!(steps[0], Step::Queued { new: 3, rewritten: 0, left_out: 0 });
    assert!(matches!(&steps[1..], [Step::Started(_), Step::Written { model: None, note: Some(_), .. }]));
}

#[tokio::test]
async fn the_length_of_accepted_drafts_is_asked_for() {
    let (scene, shelf) = (scene(), shelf());
    scene.run(&shelf, None).await.unwrap();
    let devlog = shelf.rows().drafts.iter().find(|draft| draft.kind == DraftKind::Devlog).unwrap().clone();
    let accepted = Draft {
        state: DraftState::Accepted,
        edit: Some(DraftEdit { seconds: 9.0, distance: 0.2 }),
        body: "- five words of my own\n".to_owned(),
        ..devlog
    };
    assert_eq!(accepted_lengths(&[accepted.clone(), accepted.clone()]), HashMap::new(), "too few");
    let three = [accepted.clone(), accepted.clone(), accepted];
    assert_eq!(accepted_lengths(&three), HashMap::from([(DraftKind::Devlog, 6)]));
}
