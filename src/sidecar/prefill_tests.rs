//! Start, cancellation and retry of reading ahead, over real repositories and with a recording reader.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::config::Config;
use crate::dispatch::{PromptOf, Size};
use crate::domain::clock::SystemClock;
use crate::domain::id::Oid;
use crate::pipeline::read_ahead::ReadFuture;
use crate::pipeline::tests::{PipelineFixture, TestRepo};

/// Generous: a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Records its prompts, and reads until it is released.
#[derive(Default)]
struct Recorder {
    asked: Mutex<Vec<(Oid, String)>>,
    dropped: AtomicUsize,
    blocks: AtomicBool,
    fails: AtomicBool,
}

struct ReadGuard<'a>(&'a Recorder);

impl Drop for ReadGuard<'_> {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl PromptReader for Recorder {
    fn read_prompt<'a>(&'a self, _: &'a Config, tree: &'a Oid, prompt: &'a PromptOf<'a>, _: Instant) -> ReadFuture<'a> {
        let size = Size { budget: 500.into(), words: None };
        self.asked.lock().unwrap().push((tree.clone(), prompt(&size).stable_prefix().to_owned()));
        let dropped = ReadGuard(self);
        Box::pin(async move {
            if self.blocks.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            drop(dropped);
            !self.fails.load(Ordering::SeqCst)
        })
    }
}

impl Recorder {
    fn trees(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(tree, _)| tree.to_string()).collect()
    }
}

struct Stage {
    scene: PipelineFixture,
    recorder: Arc<Recorder>,
    ahead: PrefillScheduler,
}

impl Stage {
    fn new(has_room: HasRoom) -> Self {
        let scene = PipelineFixture::new();
        let recorder = Arc::new(Recorder::default());
        let debounce = Arc::new(IndexDebounce::new(Arc::new(SystemClock)));
        let reader = Arc::clone(&recorder) as Arc<dyn PromptReader>;
        let ahead = PrefillScheduler::with(scene.services.clone(), debounce, reader, has_room);
        Self { scene, recorder, ahead }
    }

    fn repo(&self, name: &str) -> TestRepo<'_> {
        let place = self.scene.repo(name);
        place.commit("a.rs", "fn one() {}\n", "Begin");
        stage(&place, "fn two() {}\n");
        place
    }

    /// Reports a write in this worktree that is due for inspection.
    fn mark_due(&self, place: &str) {
        let git_dir = self.scene.path(place).join(".git");
        self.ahead.debounce.again(&git_dir, StagingMoment::Settled, self.scene.services.clock.instant());
    }

    async fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let all = async {
            while !condition(self) {
                let _ = tokio::time::timeout(Duration::from_millis(5), self.ahead.step(false)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, all).await.is_ok(), "{what}");
    }

    /// Until no inspection runs or is due.
    async fn look(&mut self) {
        self.ahead.rests_until = None;
        self.until("looked", |stage| {
            !stage.ahead.looking
                && stage.ahead.debounce.take_due(stage.scene.services.clock.instant()) == NextWorktree::At(None)
        })
        .await;
    }
}

fn stage(place: &TestRepo<'_>, content: &str) {
    place.write("a.rs", content).git(&["add", "a.rs"]);
}

fn tree(place: &TestRepo<'_>) -> String {
    place.git(&["write-tree"])
}

#[tokio::test]
async fn what_is_staged_is_read_once_and_again_when_it_changes() {
    let mut at = Stage::new(|| true);
    let first = tree(&at.repo("r"));
    at.mark_due("r");
    at.until("read", |at| at.recorder.trees() == [first.clone()]).await;
    assert!(at.recorder.asked.lock().unwrap()[0].1.contains("fn two()"));
    at.mark_due("r");
    at.look().await;
    assert_eq!(at.recorder.trees().len(), 1, "it was read already");
    stage(&at.scene.at("r"), "fn three() {}\n");
    at.mark_due("r");
    at.until("read", |at| at.recorder.trees().len() == 2).await;
    at.scene.at("r").git(&["commit", "-q", "-m", "Done"]);
    at.mark_due("r");
    at.look().await;
    assert_eq!(at.recorder.trees().len(), 2, "it is committed");
}

#[tokio::test]
async fn the_newest_wins_and_the_older_reading_ends() {
    let mut at = Stage::new(|| true);
    at.recorder.blocks.store(true, Ordering::SeqCst);
    at.repo("r");
    at.repo("other");
    at.mark_due("r");
    at.until("read", |at| at.recorder.trees().len() == 1).await;
    at.mark_due("r");
    at.look().await;
    assert_eq!((at.recorder.trees().len(), at.recorder.dropped.load(Ordering::SeqCst)), (1, 0), "it goes on");
    stage(&at.scene.at("other"), "fn elsewhere() {}\n");
    at.mark_due("other");
    at.until("the other", |at| at.recorder.trees().len() == 2).await;
    at.until("ended", |at| at.recorder.dropped.load(Ordering::SeqCst) == 1).await;
    at.ahead.stop();
    at.until("ended", |at| at.recorder.dropped.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn beside_a_capture_nothing_is_begun() {
    let mut at = Stage::new(|| true);
    at.repo("r");
    at.mark_due("r");
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(1), at.ahead.step(true)).await.is_err());
    }
    assert!(!at.ahead.looking && at.recorder.trees().is_empty());
    at.until("afterwards", |at| at.recorder.trees().len() == 1).await;
}

#[tokio::test]
async fn on_battery_and_under_pressure_nothing_is_read_unless_the_settings_say_so() {
    let mut at = Stage::new(|| false);
    at.repo("r");
    let git_dir = at.scene.path("r").join(".git");
    at.mark_due("r");
    at.until("looked", |at| at.ahead.last.contains_key(&git_dir) && !at.ahead.looking).await;
    assert!(at.recorder.trees().is_empty());
    assert_eq!(at.ahead.debounce.expects(&git_dir), Some(StagingMoment::Settled), "later");
    at.ahead.debounce.record_head_move(&git_dir);
    at.scene.configure("[capture]\nread_ahead = \"always\"\n");
    at.mark_due("r");
    at.until("read", |at| at.recorder.trees().len() == 1).await;
}

#[tokio::test]
async fn switched_off_it_stays_off() {
    let mut at = Stage::new(|| true);
    at.repo("r");
    at.scene.configure("[capture]\nread_ahead = \"off\"\n");
    at.mark_due("r");
    at.until("looked", |at| at.ahead.rests_until.is_some()).await;
    assert!(at.recorder.trees().is_empty());
}

#[tokio::test]
async fn a_reading_that_came_to_nothing_is_tried_again_a_few_times_and_then_left() {
    let mut at = Stage::new(|| true);
    at.recorder.fails.store(true, Ordering::SeqCst);
    at.repo("r");
    let git_dir = at.scene.path("r").join(".git");
    for tries in 1..=RETRIES as usize + 1 {
        at.ahead.rests_until = None;
        at.mark_due("r");
        at.until("read", |at| at.recorder.trees().len() == tries && at.ahead.reading.is_none()).await;
        let again = at.ahead.debounce.expects(&git_dir).is_some();
        assert_eq!(again, tries <= RETRIES as usize, "{tries}");
        at.ahead.debounce.record_head_move(&git_dir);
    }
}
