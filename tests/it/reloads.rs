//! The client against an Ollama that reloads its model when the options differ; and that server itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uro_capture::config::EndpointConfig;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::Sampling;
use uro_capture::llm::{Ask, Client, Finish, LlmError};

use crate::harness::fake_llm::MODEL;
use crate::harness::reloading::{Asked, Ended, Reloading, Speed};

const LONG: Duration = Duration::from_secs(20);

fn client_of(server: &Reloading) -> Client {
    Client::new(&EndpointConfig::local("test", &server.url())).unwrap()
}

fn now() -> Instant {
    SystemClock.instant()
}

fn ask(question: &str) -> Ask {
    let sampling =
        Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.0, num_ctx: 4096, max_tokens: 80 };
    Ask {
        model: MODEL.into(),
        rules: "You describe one commit. ".repeat(40),
        question: question.into(),
        sampling,
        wording: None,
        until: now() + LONG,
        keep_alive: Some(Duration::from_secs(600)),
        prompt_estimate: None,
    }
}

fn reading(question: &str) -> Ask {
    let mut ask = ask(question);
    ask.sampling.max_tokens = 1;
    ask
}

/// What a capture, a prompt that is read ahead and a batch differ in.
fn mixed(n: usize) -> Ask {
    let mut ask = ask(&format!("Commit {n}"));
    let sampling = &mut ask.sampling;
    match n % 3 {
        0 => {}
        1 => (sampling.max_tokens, ask.keep_alive) = (1, None),
        _ => (sampling.max_tokens, sampling.temperature, sampling.top_k, sampling.top_p) = (1200, 0.7, 60, 0.95),
    }
    ask
}

#[tokio::test]
async fn captures_prompts_read_ahead_and_batches_never_make_it_reload() {
    let server = Reloading::start(Speed::FAST);
    let client = client_of(&server);
    for n in 0..50 {
        client.ask(&mixed(n)).await.unwrap();
    }
    assert_eq!(server.loads(), 1);
    assert_eq!(server.asked().iter().map(|asked| asked.loaded).collect::<Vec<_>>()[..3], [true, false, false]);
}

#[tokio::test]
async fn other_runner_options_and_other_models_do_make_it_reload() {
    let server = Reloading::start(Speed::FAST);
    let client = client_of(&server);
    client.ask(&ask("a")).await.unwrap();
    let mut wider = ask("a");
    wider.sampling.num_ctx = 8192;
    let answer = client.ask(&wider).await.unwrap();
    assert!(answer.load.unwrap() >= Speed::FAST.load);
    assert_eq!(server.loaded().unwrap().1["num_ctx"], 8192);
    let models = client.models(now() + LONG).await.unwrap();
    let orca = models.iter().find(|model| model.name == MODEL).unwrap();
    assert_eq!((orca.resident, orca.loaded_context, orca.thinks), (Some(true), Some(8192), Some(false)));
    let mut other = ask("a");
    other.model = "codellama:7b".into();
    client.ask(&other).await.unwrap();
    assert_eq!((server.loads(), server.loaded().unwrap().0.as_str()), (3, "codellama:7b"));
    server.unload();
    client.ask(&other).await.unwrap();
    assert_eq!(server.loads(), 4);
}

#[tokio::test]
async fn what_was_read_ahead_is_not_read_again() {
    let server = Reloading::start(Speed::FAST);
    let client = client_of(&server);
    let one = client.ask(&reading("<patch>\n+retry(3)\n</patch>\n")).await.unwrap();
    assert_eq!((one.finish, one.tokens.output), (Finish::Length, Some(1)));
    let whole = client.ask(&ask("<patch>\n+retry(3)\n</patch>\nAdd a retry")).await.unwrap();
    assert_eq!((whole.finish, whole.text.as_str()), (Finish::Stop, "Adds a retry to the login."));
    let asked = server.asked();
    assert_eq!(asked[0].cached, 0);
    assert!(asked[1].cached + 5 >= asked[0].prompt, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_reader_who_goes_leaves_the_batches_that_were_begun() {
    let server = Reloading::start(Speed { batch: 64, read: Duration::from_millis(1), ..Speed::FAST });
    let client = client_of(&server);
    client.ask(&reading("a")).await.unwrap();
    let mut other = ask(&"x".repeat(4000));
    other.rules = "Something else entirely. ".into();
    let gone = tokio::time::timeout(Duration::from_millis(150), client.ask(&other)).await;
    assert!(gone.is_err());
    assert!(server.wait_for(|asked| asked[1].ended == Some(Ended::Cut)));
    client.ask(&other).await.unwrap();
    let again = server.asked().remove(2);
    assert!(again.cached > 0 && again.cached < again.prompt - 64, "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_and_who_leaves_the_queue_is_not_served() {
    let server = Reloading::start(Speed { write: Duration::from_millis(100), ..Speed::FAST });
    let client = Arc::new(client_of(&server));
    client.ask(&reading("warm")).await.unwrap();
    let first = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.ask(&ask("long")).await }
    });
    assert!(server.wait_for(|asked| asked.len() == 2));
    let second = tokio::time::timeout(Duration::from_millis(100), client.ask(&ask("waiting"))).await;
    assert!(second.is_err() && first.await.unwrap().is_ok());
    assert!(server.wait_for(|asked| asked.iter().all(|asked| asked.ended.is_some())));
    let ended: Vec<(Option<Ended>, usize)> = server.asked().iter().map(|asked| (asked.ended, asked.written)).collect();
    assert_eq!(ended, [(Some(Ended::Done), 1), (Some(Ended::Done), 6), (Some(Ended::Cut), 0)]);
    assert_eq!(server.most_at_once(), 2);
}

#[tokio::test]
async fn killed_it_refuses_and_revived_it_loads_again() {
    let mut server = Reloading::start(Speed::FAST);
    let client = client_of(&server);
    client.ask(&ask("a")).await.unwrap();
    server.kill();
    assert!(matches!(client.ask(&ask("a")).await, Err(LlmError::Unreachable { .. })));
    server.revive();
    server.say("Removes it.");
    assert_eq!(client.ask(&ask("a")).await.unwrap().text, "Removes it.");
    assert_eq!(server.loads(), 2);
    let refused = |asked: &Asked| asked.ended == Some(Ended::Refused);
    let mut long = ask(&"x".repeat(20_000));
    assert!(matches!(client.ask(&long).await, Err(LlmError::PromptTooLong { .. })));
    assert!(server.wait_for(|asked| asked.last().is_some_and(refused)));
    long.until = now() + Duration::from_millis(200);
    server.set_speed(Speed::FAST.slower(1000));
    assert!(client.ask(&Ask { question: "b".into(), ..long }).await.is_err());
}
