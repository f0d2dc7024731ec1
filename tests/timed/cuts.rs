//! How late an answer that never ends may be cut.

use std::time::Duration;

use uro_capture::config::EndpointConfig;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::Sampling;
use uro_capture::llm::{Client, ModelRequest};

use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL, Shape};
use crate::llama::Llama;

const LATE: Duration = Duration::from_millis(50);

fn soon() -> ModelRequest {
    let sampling =
        Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.0, num_ctx: 4096, max_tokens: 80 };
    ModelRequest {
        model: MODEL.into(),
        rules: "You describe one commit. ".repeat(8),
        question: "<patch>\n+retry(3)\n</patch>".into(),
        sampling,
        wording: None,
        until: SystemClock.instant() + Duration::from_millis(300),
        keep_alive: None,
        prompt_estimate: None,
    }
}

#[tokio::test]
async fn a_real_server_is_cut_at_the_deadline() {
    let llama = Llama::start(None);
    let client = Client::new(&EndpointConfig::local("test", llama.url())).unwrap();
    let mut ask = soon();
    ask.sampling.max_tokens = 100_000;
    ask.until = SystemClock.instant() + Duration::from_secs(1);
    let answer = client.request_answer(&ask).await.unwrap();
    assert!(SystemClock.instant() <= ask.until + LATE);
    assert!(!answer.text.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn whatever_a_server_does_the_question_ends_at_its_deadline() {
    use Behaviour::{EndlessTokens, FirstTokenThenStall, HeadThenSilent, OneEndlessLine, OneTokenPerSecond, Silent};
    let endless =
        [Silent, Behaviour::SlowHeader, HeadThenSilent, FirstTokenThenStall, OneTokenPerSecond, EndlessTokens];
    for behaviour in endless.into_iter().chain([Behaviour::HeaderFlood, OneEndlessLine]) {
        for (shape, everywhere) in [(Shape::Ollama, false), (Shape::Openai, false), (Shape::Ollama, true)] {
            let start = if everywhere { FakeLlm::everywhere } else { FakeLlm::start_as };
            let fake = start(shape, behaviour.clone());
            let client = Client::new(&EndpointConfig::local("test", &fake.url())).unwrap();
            let ask = soon();
            let _answer = client.request_answer(&ask).await;
            let late = SystemClock.instant().saturating_duration_since(ask.until);
            assert!(late <= LATE, "{shape:?} {behaviour:?}: {late:?} late");
        }
    }
}
