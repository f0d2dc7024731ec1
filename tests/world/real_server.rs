//! The client, a commit and a draft with a real llama.cpp server.

use std::time::Duration;

use uro_capture::config::EndpointConfig;
use uro_capture::domain::model::Api;
use uro_capture::llm::{Client, Finish, LlmError, ModelRequest};

use crate::asking::{now, question};
use crate::harness::World;
use crate::harness::week::week;
use crate::llama::Llama;

const LONG: Duration = Duration::from_secs(20);

fn client_of(url: &str) -> Client {
    Client::new(&EndpointConfig::local("test", url)).unwrap()
}

fn within(time: Duration) -> ModelRequest {
    let keep_alive = Some(Duration::from_secs(600));
    ModelRequest { keep_alive, ..question(&"You describe one commit. ".repeat(8), 80, now() + time) }
}

#[tokio::test]
async fn a_real_server_answers_with_text_counts_and_plausible_times() {
    let mut llama = Llama::start(Some("Adds a retry to the login flow. Tests cover the timeout."));
    let client = client_of(llama.url());
    let server = client.server(now() + LONG).await.unwrap();
    assert_eq!((server.api, server.name.as_str()), (Api::Openai, "llama.cpp"));

    let first = client.request_answer(&within(LONG)).await.unwrap();
    assert_eq!(first.text, "Adds a retry to the login flow. Tests cover the timeout.");
    assert_eq!((first.finish, first.prompt_truncated), (Finish::Stop, false));
    // A byte is a token with this model; the template adds a few.
    let sent = within(LONG).rules.len() + within(LONG).question.len();
    let prompt = usize::try_from(first.tokens.prompt.unwrap()).unwrap();
    assert!((sent..sent + 60).contains(&prompt), "{prompt} of {sent}");
    assert!((5..=40).contains(&first.tokens.output.unwrap()), "{:?}", first.tokens);
    let (ttft, tpot) = (first.ttft.unwrap(), first.tpot.unwrap());
    assert!(Duration::ZERO < ttft && ttft <= first.elapsed && tpot < first.elapsed, "{first:?}");

    let second = client.request_answer(&within(LONG)).await.unwrap();
    assert!(second.tokens.cached.unwrap() > 100, "the prefix is cached: {:?}", second.tokens);

    let models = client.models(now() + LONG).await.unwrap();
    assert_eq!(models[0].resident, Some(true));
    assert_eq!(models[0].loaded_context, Some(4096));

    llama.stop();
    assert!(matches!(
        client.request_answer(&within(Duration::from_millis(1500))).await,
        Err(LlmError::Unreachable { .. } | LlmError::Garbled { .. })
    ));
}

#[tokio::test]
async fn a_real_server_is_cut_at_the_deadline_and_too_long_prompts_are_named() {
    let llama = Llama::start(None);
    let client = client_of(llama.url());
    let mut endless = within(Duration::from_secs(1));
    endless.sampling.max_tokens = 100_000;
    let answer = client.request_answer(&endless).await.unwrap();
    assert!(!answer.text.is_empty(), "{answer:?}");

    let mut long = within(LONG);
    long.question = "x".repeat(5000);
    assert!(matches!(client.request_answer(&long).await, Err(LlmError::PromptTooLong { .. })));
}

#[tokio::test]
async fn a_prompt_that_is_only_to_be_read_stays_read_in_a_real_server() {
    let llama = Llama::start(Some("Adds a retry to the login flow. Tests cover the timeout."));
    let client = client_of(llama.url());
    let mut read = within(LONG);
    read.sampling.max_tokens = 1;
    let one = client.request_answer(&read).await.unwrap();
    assert_eq!((one.finish, one.tokens.output), (Finish::Length, Some(1)));
    let whole = client.request_answer(&within(LONG)).await.unwrap();
    assert_eq!(whole.tokens.prompt, one.tokens.prompt);
    assert!(whole.tokens.cached.unwrap() + 1 >= one.tokens.prompt.unwrap(), "{:?}", whole.tokens);
    assert_eq!(whole.text, "Adds a retry to the login flow. Tests cover the timeout.");
}

#[test]
fn a_commit_is_captured_in_the_words_of_a_real_model_server() {
    let answer = "Adds a login function for the session and its timeout.";
    let mut llama = Llama::start(Some(answer));
    let world = World::with_endpoint(llama.url(), "auto");
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let oid = world.commit(&repo, "auth.rs", "pub fn login(session: u8, timeout: u8) {}\n", "Add login");
    let capture = world.final_capture(&repo, &oid);
    assert_eq!(provenance(&capture), ("model", "none"), "{capture:#}");
    assert_eq!(capture["summary"], format!("Add login. {answer} +1 in auth.rs."));
    assert_eq!(capture["source"], "hook");
    let timing = &capture["timing"];
    let ms = |field: &str| timing[field].as_f64().unwrap_or_else(|| panic!("{field}: {timing}"));
    assert!(ms("ttft_ms") > 0.0 && ms("ttft_ms") <= ms("model_ms"), "{timing}");
    assert!(ms("tpot_ms") > 0.0 && ms("total_ms") > 0.0, "{timing}");
    assert!(capture["tokens"]["prompt"].as_u64().unwrap() > 50, "{capture:#}");
    assert!(capture["tokens"]["output"].as_u64().unwrap() >= 3, "{capture:#}");

    llama.stop();
    let oid = world.commit(&repo, "auth.rs", "pub fn login() { check() }\n", "Check the login");
    let capture = world.final_capture(&repo, &oid);
    assert_eq!(provenance(&capture), ("template", "refused"), "{capture:#}");
    assert!(capture["summary"].as_str().unwrap().starts_with("Check the login"), "{capture:#}");
}

/// The writer of the text, and the reason for it.
fn provenance(capture: &serde_json::Value) -> (&str, &str) {
    let provenance = &capture["provenance"];
    (provenance["by"].as_str().unwrap(), provenance["reason"].as_str().unwrap())
}

#[test]
fn a_draft_is_written_by_a_real_model_server() {
    let llama = Llama::start(Some("Added step0 to the cart."));
    let world = World::with_endpoint(llama.url(), "auto");
    let repo = week(&world);
    world.json(&repo, &["draft", "new", "status", "--week", "2026-03-03"]);
    world.ok(&repo, &["draft", "run"]);
    let drafts = world.json(&repo, &["draft", "list"]);
    let status = drafts.as_array().unwrap().iter().find(|draft| draft["kind"] == "status").unwrap();
    assert!(!status["model"].is_null() && status["quality"]["score"].as_f64().unwrap() > 0.0, "{status:#}");
    assert!(status["body"].as_str().unwrap().contains("Added step0 to the cart."), "{status:#}");
}
