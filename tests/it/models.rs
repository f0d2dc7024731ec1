//! The client against servers that do everything wrong.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use uro_capture::config::EndpointConfig;
use uro_capture::dispatch::pace::Paced;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::StreamVerdict;
use uro_capture::domain::model::{Api, Sampling};
use uro_capture::llm::{AnswerPace, AnswerProgress, Client, ClockFired, Finish, LlmError, ModelAnswer, ModelRequest};
use uro_capture::route::forecast::{Conditions, Forecast};
use uro_capture::route::speed::{ModelHardware, Speed};

use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL, PARTIAL, Shape};

fn client_of(url: &str) -> Client {
    client_with(url, false, None)
}

fn client_with(url: &str, remote: bool, api: Option<Api>) -> Client {
    Client::new(&EndpointConfig { api, remote, ..EndpointConfig::local("test", url) }).unwrap()
}

fn now() -> Instant {
    SystemClock.instant()
}

fn within(time: Duration) -> ModelRequest {
    ModelRequest {
        model: MODEL.into(),
        rules: "You describe one commit. ".repeat(8),
        question: "<patch>\n+retry(3)\n</patch>".into(),
        sampling: Sampling {
            temperature: 0.2,
            top_p: 0.9,
            top_k: 40,
            repeat_penalty: 1.0,
            num_ctx: 4096,
            max_tokens: 80,
        },
        wording: None,
        until: now() + time,
        keep_alive: Some(Duration::from_secs(600)),
        prompt_estimate: None,
    }
}

/// As long as what never ends is waited for: what comes at once has come by then on a busy machine, too.
fn soon() -> ModelRequest {
    within(Duration::from_millis(1500))
}

const LONG: Duration = Duration::from_secs(20);

/// What a behaviour must lead to.
type Expected = fn(&Result<ModelAnswer, LlmError>) -> bool;

fn cut_in_stream(answer: &Result<ModelAnswer, LlmError>) -> bool {
    matches!(answer, Ok(ModelAnswer { finish: Finish::Cut(ClockFired::Stream), text, .. }) if text.starts_with("Adds a retry."))
}

fn aborted_with_text(answer: &Result<ModelAnswer, LlmError>) -> bool {
    matches!(answer, Ok(ModelAnswer { finish: Finish::Aborted, text, broken_off: Some(_), .. }) if text == PARTIAL)
}

fn hostile() -> Vec<(Behaviour, Expected)> {
    vec![
        (Behaviour::Refused, |a| matches!(a, Err(LlmError::Unreachable { .. }))),
        (Behaviour::Silent, |a| matches!(a, Err(LlmError::Deadline(ClockFired::Connect)))),
        (Behaviour::SlowHeader, |a| matches!(a, Err(LlmError::Deadline(ClockFired::Connect)))),
        (Behaviour::HeaderFlood, |a| matches!(a, Err(LlmError::Garbled { .. }))),
        (Behaviour::HeadThenSilent, |a| matches!(a, Err(LlmError::Deadline(ClockFired::FirstToken)))),
        (Behaviour::FirstTokenThenStall, cut_in_stream),
        (Behaviour::OneTokenPerSecond, cut_in_stream),
        (Behaviour::EndlessTokens, |a| {
            cut_in_stream(a) || matches!(a, Ok(ModelAnswer { finish: Finish::Aborted, .. }))
        }),
        (Behaviour::OneEndlessLine, |a| matches!(a, Err(LlmError::TooMuch { limit: 65536 }))),
        (
            Behaviour::BrokenUtf8,
            |a| matches!(a, Ok(ModelAnswer { text, .. }) if text == "Adds \u{fffd}\u{fffd} a retry."),
        ),
        (Behaviour::InvalidJson, |a| matches!(a, Err(LlmError::Garbled { .. }))),
        (Behaviour::EarlyClose, |a| matches!(a, Err(LlmError::Garbled { .. }))),
        (
            Behaviour::Status500,
            |a| matches!(a, Err(LlmError::Status { status: 500, message }) if message == "out of memory"),
        ),
        (Behaviour::Status503, |a| matches!(a, Err(LlmError::Status { status: 503, .. }))),
        (Behaviour::Redirect, |a| matches!(a, Err(LlmError::Status { status: 307, .. }))),
        (Behaviour::GzipBomb, |a| matches!(a, Err(LlmError::Garbled { .. }))),
        (Behaviour::NoSuchModel, |a| matches!(a, Err(LlmError::NoSuchModel { .. }))),
        (Behaviour::PromptTooLong, |a| matches!(a, Err(LlmError::PromptTooLong { .. }))),
        (Behaviour::ErrorMidStream, aborted_with_text),
        (Behaviour::EofWithoutDone, aborted_with_text),
    ]
}

/// Only the end of the time ends it.
fn is_endless(behaviour: &Behaviour) -> bool {
    use Behaviour::{EndlessTokens, FirstTokenThenStall, HeadThenSilent, OneTokenPerSecond, Silent, SlowHeader};
    matches!(behaviour, Silent | SlowHeader | HeadThenSilent | FirstTokenThenStall | OneTokenPerSecond | EndlessTokens)
}

#[tokio::test]
async fn every_misbehaviour_ends_by_its_name_in_both_dialects() {
    for shape in [Shape::Ollama, Shape::Openai] {
        for (behaviour, expected) in hostile() {
            let fake = FakeLlm::start_as(shape, behaviour.clone());
            let client = client_of(&fake.url());
            let ask = if is_endless(&behaviour) { soon() } else { within(LONG) };
            let answer = client.request_answer(&ask).await;
            assert!(expected(&answer), "{shape:?} {behaviour:?}: {answer:?}");
            assert!(!fake.redirect_was_followed());
        }
    }
}

#[tokio::test]
async fn a_server_that_misbehaves_from_the_first_byte_ends_the_question_too() {
    for (behaviour, _) in hostile() {
        let fake = FakeLlm::everywhere(Shape::Ollama, behaviour.clone());
        let answer = client_of(&fake.url()).request_answer(&soon()).await;
        assert!(answer.is_err(), "{behaviour:?}: {answer:?}");
        assert!(!fake.redirect_was_followed());
    }
}

#[tokio::test]
async fn a_good_answer_comes_whole_in_both_dialects() {
    for shape in [Shape::Ollama, Shape::Openai] {
        let fake = FakeLlm::start_as(shape, Behaviour::Answer("Adds a retry to login.".into()));
        let client = client_of(&fake.url());
        for _ in 0..3 {
            let answer = client.request_answer(&within(LONG)).await.unwrap();
            assert_eq!((answer.text.as_str(), answer.finish), ("Adds a retry to login.", Finish::Stop));
            assert_eq!((answer.tokens.prompt, answer.tokens.output), (Some(200), Some(5)));
            assert!(answer.ttft.unwrap() < answer.elapsed);
        }
        assert_eq!(fake.questions().len(), 3);
    }
}

#[tokio::test]
async fn length_thoughts_cold_loads_and_missing_counts_are_told() {
    let text = || "Adds a retry.".to_owned();
    for shape in [Shape::Ollama, Shape::Openai] {
        let ask = async |behaviour| {
            let fake = FakeLlm::start_as(shape, behaviour);
            client_of(&fake.url()).request_answer(&within(LONG)).await.unwrap()
        };
        assert_eq!(ask(Behaviour::AnswerToLength(text())).await.finish, Finish::Length);
        assert_eq!(ask(Behaviour::Thinking(text())).await.text, "Adds a retry.");
        let uncounted = ask(Behaviour::NoUsage(text())).await;
        assert_eq!((uncounted.tokens.prompt, uncounted.tokens.output), (None, Some(3)));
        let load = Duration::from_millis(120);
        let cold = ask(Behaviour::ColdLoad(load, text())).await;
        assert!(cold.ttft.unwrap() >= load);
        assert_eq!(cold.load, (shape == Shape::Ollama).then_some(load));
    }
}

#[tokio::test]
async fn a_cloud_model_gets_no_word_of_the_question() {
    let fake = FakeLlm::start(Behaviour::CloudModel);
    let refused = client_of(&fake.url()).request_answer(&within(LONG)).await;
    assert!(matches!(refused, Err(LlmError::Cloud { .. })), "{refused:?}");
    let mut named = within(LONG);
    named.model = "gpt-oss:120b-cloud".into();
    let refused = client_of(&fake.url()).request_answer(&named).await;
    assert!(matches!(refused, Err(LlmError::Cloud { .. })), "{refused:?}");
    assert!(fake.questions().is_empty());
    assert!(fake.requests().iter().all(|bytes| !String::from_utf8_lossy(bytes).contains("retry(3)")));

    let fake = FakeLlm::start(Behaviour::CloudInStream);
    let refused = client_of(&fake.url()).request_answer(&within(LONG)).await;
    assert!(matches!(refused, Err(LlmError::Cloud { .. })), "{refused:?}");
    let allowed = client_with(&fake.url(), true, None).request_answer(&within(LONG)).await;
    assert_eq!(allowed.unwrap().text, "Adds");
}

#[tokio::test]
async fn an_unknown_model_is_named_without_sending_the_question() {
    let fake = FakeLlm::start(Behaviour::Answer("x".into()));
    let mut ask = within(LONG);
    ask.model = "nosuch:1b".into();
    assert!(matches!(client_of(&fake.url()).request_answer(&ask).await, Err(LlmError::NoSuchModel { .. })));
    assert!(fake.questions().is_empty());
}

#[tokio::test]
async fn an_error_behind_a_200_is_an_error() {
    let fake = FakeLlm::start_as(Shape::Openai, Behaviour::ErrorBehind200);
    let answer = client_of(&fake.url()).request_answer(&within(LONG)).await;
    assert!(
        matches!(&answer, Err(LlmError::MidStream { message }) if message.contains("Unexpected endpoint")),
        "{answer:?}"
    );
    let fake = FakeLlm::everywhere(Shape::Openai, Behaviour::ErrorBehind200);
    let answer = client_of(&fake.url()).request_answer(&within(LONG)).await;
    assert!(matches!(answer, Err(LlmError::NotAModelServer { .. })), "{answer:?}");
}

// On a second thread: the runtime must go on working for a connection to be closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn giving_up_closes_the_connection() {
    for behaviour in [Behaviour::Silent, Behaviour::FirstTokenThenStall] {
        let fake = FakeLlm::start(behaviour);
        let client = client_of(&fake.url());
        let _cut = client.request_answer(&soon()).await;
        assert!(fake.wait_for_hangup(Duration::from_secs(5)));
    }
    let fake = FakeLlm::start(Behaviour::FirstTokenThenStall);
    let client = client_of(&fake.url());
    let dropped = tokio::time::timeout(Duration::from_millis(200), client.request_answer(&within(LONG))).await;
    assert!(dropped.is_err());
    assert!(fake.wait_for_hangup(Duration::from_secs(5)));
}

#[tokio::test]
async fn each_request_has_the_same_runner_options_and_never_asks_to_be_packed() {
    let fake = FakeLlm::start(Behaviour::Answer("Adds a retry.".into()));
    let client = client_of(&fake.url());
    let mut other = within(LONG);
    other.question = "another".into();
    other.sampling.max_tokens = 300;
    client.request_answer(&within(LONG)).await.unwrap();
    client.request_answer(&other).await.unwrap();
    for question in fake.questions() {
        assert_eq!(question["options"]["num_ctx"], 4096);
        for absent in ["num_batch", "num_thread", "num_gpu", "use_mmap"] {
            assert!(question["options"].get(absent).is_none());
        }
        assert_eq!(
            (&question["think"], &question["shift"], &question["truncate"]),
            (&false.into(), &false.into(), &false.into())
        );
    }
    for request in fake.requests() {
        let head = String::from_utf8_lossy(&request).to_lowercase();
        assert!(head.contains("accept-encoding: identity"), "{head}");
        assert!(!head.contains("gzip") && !head.contains("referer") && !head.contains("cookie"));
    }
}

#[tokio::test]
async fn models_are_listed_with_what_is_known_of_them() {
    let fake = FakeLlm::start(Behaviour::Answer(String::new()));
    let models = client_of(&fake.url()).models(now() + LONG).await.unwrap();
    let orca = models.iter().find(|model| model.name == MODEL).unwrap();
    assert_eq!((orca.resident, orca.loaded_context, orca.gpu_share), (Some(true), Some(4096), Some(0.0)));
    assert_eq!(models.iter().filter(|model| model.resident == Some(false)).count(), 4);

    let fake = FakeLlm::start_as(Shape::Openai, Behaviour::Answer(String::new()));
    let client = client_of(&fake.url());
    let models = client.models(now() + LONG).await.unwrap();
    assert_eq!((models[0].resident, models[0].context_length), (None, Some(4096)));
    assert_eq!(client.server(now() + LONG).await.unwrap().name, "vllm");
}

#[tokio::test]
async fn a_configured_protocol_is_not_asked_for() {
    let fake = FakeLlm::start_as(Shape::Openai, Behaviour::Answer("Adds a retry.".into()));
    let client = client_with(&fake.url(), false, Some(Api::Openai));
    assert_eq!(client.request_answer(&within(LONG)).await.unwrap().text, "Adds a retry.");
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let fake = FakeLlm::start(Behaviour::Answer("x".into()));
    let answer = client_of(&fake.url()).request_answer(&within(Duration::ZERO)).await;
    assert!(matches!(answer, Err(LlmError::Deadline(ClockFired::Connect))));
    assert!(fake.requests().is_empty());
}

#[test]
fn questions_can_be_asked_from_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let client = client_of("http://127.0.0.1:1");
    let ask = soon();
    is_send(&client.request_answer(&ask));
    is_send(&client.models(now()));
}

/// The pace of a model that writes a token in five milliseconds, with everything that it said.
struct Noting {
    paced: Paced,
    verdicts: Mutex<Vec<StreamVerdict>>,
}

impl Noting {
    fn new() -> Self {
        let forecast = Forecast::from_seed(Speed { tpot_s: 0.005, ..Speed::from_hardware(&ModelHardware::default()) });
        let paced = Paced { forecast, conditions: Conditions::default(), usual: 24 };
        Self { paced, verdicts: Mutex::default() }
    }

    fn last(&self) -> Option<StreamVerdict> {
        self.verdicts.lock().unwrap().last().copied()
    }
}

impl AnswerPace for Noting {
    fn check_progress(&self, so_far: &AnswerProgress<'_>) -> StreamVerdict {
        let verdict = self.paced.check_progress(so_far);
        self.verdicts.lock().unwrap().push(verdict);
        verdict
    }
}

/// Gives up once nothing has come for 100 ms.
struct Impatient;

impl AnswerPace for Impatient {
    fn check_progress(&self, so_far: &AnswerProgress<'_>) -> StreamVerdict {
        if so_far.silent < Duration::from_millis(100) { StreamVerdict::Wait } else { StreamVerdict::GiveUp }
    }
}

#[tokio::test]
async fn a_stream_that_stalls_is_ended_before_the_deadline_with_what_it_has_said() {
    for shape in [Shape::Ollama, Shape::Openai] {
        for (text, verdict, sentence_tokens) in [
            ("Adds a retry to", StreamVerdict::GiveUp, None),
            ("Adds a retry. And the old", StreamVerdict::Keep, Some(3)),
        ] {
            let fake = FakeLlm::start_as(shape, Behaviour::SayThenStall(text.into()));
            let noting = Noting::new();
            let answer =
                client_of(&fake.url()).request_answer_paced(&within(Duration::from_secs(6)), &noting).await.unwrap();
            assert_eq!((answer.text.as_str(), answer.finish), (text, Finish::Cut(ClockFired::Pace)), "{shape:?}");
            assert_eq!((noting.last(), answer.sentence_tokens), (Some(verdict), sentence_tokens), "{shape:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_goes_on_is_heard_to_its_end() {
    let fake = FakeLlm::start(Behaviour::Answer("Adds a retry to the login. Tests cover it.".into()));
    let noting = Noting::new();
    let answer = client_of(&fake.url()).request_answer_paced(&within(LONG), &noting).await.unwrap();
    assert_eq!((answer.finish, answer.sentence_tokens), (Finish::Stop, Some(6)));
    assert_eq!(noting.last(), Some(StreamVerdict::Wait));
}

// On a second thread: the runtime must go on working for a connection to be closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn silence_is_judged_too_before_the_head_and_after_it() {
    for shape in [Shape::Ollama, Shape::Openai] {
        for behaviour in [Behaviour::Silent, Behaviour::SlowHeader, Behaviour::HeadThenSilent] {
            let fake = FakeLlm::start_as(shape, behaviour.clone());
            let ask = within(LONG);
            let given_up = client_of(&fake.url()).request_answer_paced(&ask, &Impatient).await;
            assert!(matches!(given_up, Err(LlmError::Deadline(ClockFired::Pace))), "{behaviour:?}: {given_up:?}");
            assert!(fake.wait_for_hangup(Duration::from_secs(5)), "{behaviour:?}");
        }
    }
}
