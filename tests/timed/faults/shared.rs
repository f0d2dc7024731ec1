//! One server for everything: captures, prompts that are read ahead and drafts, through the real programs.

use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use uro_capture::domain::capture::{AuthoredBy, Capture};

use super::stage::{PAST_REASON, Stage, TEXT, endpoint, model_ms, report, settings};
use crate::harness::eventually;
use crate::harness::fake_llm::MODEL;
use crate::harness::reloading::{Asked, Ended, Reloading, Speed};

/// A paragraph that restates what the past work's author says.
pub const DRAFT: &str = PAST_REASON;

fn is_draft(asked: &Asked) -> bool {
    asked.body["messages"].to_string().contains("<work>")
}

fn is_reading(asked: &Asked) -> bool {
    asked.body["options"]["num_predict"] == 1
}

/// A `draft run` on its way; ends with the test.
pub struct Batch(Child);

impl Batch {
    pub fn start(stage: &Stage) -> Self {
        let mut batch = stage.world.program(env!("CARGO_BIN_EXE_uro-capture"), &stage.repo);
        batch.args(["draft", "run"]).stdout(Stdio::null()).stderr(Stdio::null());
        Self(batch.spawn().unwrap())
    }

    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    pub fn end(&mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn drafts(stage: &Stage) -> Vec<Value> {
    match stage.world.json(&stage.repo, &["draft", "list"]) {
        Value::Array(drafts) => drafts,
        other => panic!("{other}"),
    }
}

/// Captures, prompts that are read ahead and a batch until so many questions were asked.
fn mix(server: &Reloading, questions: usize) {
    server.say(TEXT);
    server.say_to_drafts(DRAFT);
    let url = server.url();
    let mut stage = Stage::new(&settings("read_ahead = \"always\"\nrefine = false", &endpoint("test", &url)));
    for round in 0.. {
        let before = server.asked().len();
        stage.commits(2);
        std::fs::write(stage.repo.join("b.rs"), format!("fn ahead() {{ read({round}) }}\n")).unwrap();
        stage.world.git(&stage.repo, &["add", "b.rs"]);
        let reads = |asked: &[Asked]| asked[before..].iter().any(is_reading);
        assert!(server.wait_for(reads), "what is staged is read ahead: {:#?}", server.asked());
        if round < 1 {
            stage.past_work(1);
            stage.world.ok(&stage.repo, &["draft", "run"]);
        }
        if server.asked().len() >= questions {
            break;
        }
    }
    let asked = server.asked();
    let kinds = [asked.iter().filter(|one| is_draft(one)).count(), asked.iter().filter(|one| is_reading(one)).count()];
    println!("{} questions, {kinds:?} of them for drafts and readings", asked.len());
    assert!(kinds.iter().all(|count| *count > 0));
}

#[test]
fn captures_readings_and_drafts_through_the_real_programs_never_make_a_server_reload() {
    let server = Reloading::start(Speed::FAST);
    mix(&server, 50);
    assert_eq!(server.loads(), 1);
}

#[test]
fn a_context_that_another_client_loaded_is_adopted() {
    let server = Reloading::start(Speed::FAST);
    server.load(MODEL, 2048);
    mix(&server, 12);
    assert_eq!((server.loads(), server.loaded().unwrap().1["num_ctx"].clone()), (0, 2048.into()));
}

/// So many captures, commits and notes, while a batch writes.
fn urgent(n: usize) -> Vec<Capture> {
    // A draft takes a few seconds, a capture less than one.
    let speed = Speed { read: Duration::from_micros(100), write: Duration::from_millis(30), batch: 64, ..Speed::FAST };
    let server = Reloading::start(speed);
    server.say(TEXT);
    server.say_to_drafts(DRAFT);
    server.load(MODEL, 8192);
    let mut stage = Stage::new(&settings("read_ahead = \"off\"\nrefine = false", &endpoint("test", &server.url())));
    stage.commits(2);
    stage.past_work(1 + n / 2);
    let mut batch = Batch::start(&stage);
    let captures: Vec<Capture> = (0..n).map(|nth| while_it_writes(&server, &mut stage, &mut batch, nth)).collect();
    batch.end();
    let interrupted = server.asked().iter().filter(|one| is_draft(one) && one.ended == Some(Ended::Cut)).count();
    println!("{n} captures, {interrupted} interruptions, at most {} at once", server.most_at_once());
    assert!(interrupted > 0, "they met");
    let is_past = |draft: &&Value| draft["body"].as_str().is_some_and(|body| body.contains("Add a cart"));
    drafts(&stage).iter().filter(is_past).for_each(assert_whole);
    captures
        .iter()
        .filter(|one| one.provenance.by == AuthoredBy::Template)
        .for_each(|one| println!("{}", stage.why(one)));
    captures
}

/// A capture that comes when the batch is in the middle of an answer.
fn while_it_writes(server: &Reloading, stage: &mut Stage, batch: &mut Batch, nth: usize) -> Capture {
    let writes = |asked: &[Asked]| asked.last().is_some_and(|one| is_draft(one) && one.written > 20);
    eventually("the batch writes", || (!batch.is_running() || writes(&server.asked())).then_some(()));
    assert!(batch.is_running(), "it is done after {nth} captures");
    if nth.is_multiple_of(2) { stage.commit() } else { stage.note() }
}

#[track_caller]
fn assert_whole(draft: &Value) {
    assert!(draft["model"].is_string(), "{draft:#}");
    let body = draft["body"].as_str().unwrap();
    for sentence in DRAFT.split_inclusive('.').map(str::trim) {
        assert_eq!(body.matches(sentence).count(), 1, "{sentence:?} in {body}");
    }
}

fn on_time(captures: &[Capture]) -> usize {
    captures.iter().filter(|capture| capture.provenance.by != AuthoredBy::Template).count()
}

#[test]
fn captures_are_in_time_while_a_batch_writes_and_the_batch_loses_nothing() {
    let captures = urgent(4);
    assert_eq!(on_time(&captures), 4, "{captures:#?}");
}

#[test]
#[ignore = "takes minutes: for numbers, by hand"]
fn two_hundred_captures_while_a_batch_writes() {
    let captures = urgent(200);
    report("model, ms", captures.iter().map(model_ms).collect());
    report("total, ms", captures.iter().filter_map(|capture| capture.timing.total_ms).collect());
    println!("by the model {} of {}", on_time(&captures), captures.len());
    assert!(on_time(&captures) * 100 >= captures.len() * 99);
}
