//! An answer that does not begin to come is asked for once more, on another device, and the first one is dropped.

use std::sync::Arc;
use std::time::Duration;

use uro_capture::config::{Config, EndpointConfig, Overrides, Paths};
use uro_capture::dispatch::{Attempt, Size, Task};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::role::Role;
use uro_capture::llm::{Ask, Client};
use uro_capture::pipeline::services::Services;
use uro_capture::prompt::render::note;
use uro_capture::route::forecast::{Conditions, Work};
use uro_capture::route::signals::{Traffic, Urgency};

use crate::harness::fake_llm::MODEL;
use crate::harness::reloading::{Ended, Reloading, Speed};

fn endpoint(name: &str, server: &Reloading) -> EndpointConfig {
    let device = Some(format!("card {name}"));
    EndpointConfig { device, ..EndpointConfig::local(name, &server.url()) }
}

fn config(servers: [&Reloading; 2]) -> Config {
    let endpoints = vec![endpoint("a", servers[0]), endpoint("b", servers[1])];
    let mut config = Config { endpoints, ..Config::default() };
    config.models.roles.insert(Role::Capture, MODEL.into());
    config
}

/// Loads the model there, with the options of everybody.
async fn load(config: &Config, server: &Reloading) {
    let sampling = config.options[&Role::Capture].clone();
    let ask = Ask {
        model: MODEL.into(),
        rules: String::new(),
        question: "hello".into(),
        sampling,
        wording: None,
        until: SystemClock.instant() + Duration::from_secs(20),
        keep_alive: None,
        prompt_estimate: None,
    };
    Client::new(&endpoint("loader", server)).unwrap().ask(&ask).await.unwrap();
}

async fn capture(services: &Services, config: &Config, n: usize) -> Attempt {
    ask(services, config, Urgency::Interactive, &format!("Commit {n}")).await
}

async fn ask(services: &Services, config: &Config, urgency: Urgency, text: &str) -> Attempt {
    let budget = Duration::from_secs(20);
    let prompt = |_: &Size| note(text, "shop");
    let task = Task {
        role: Role::Capture,
        urgency,
        traffic: Traffic::Calm,
        budget,
        until: SystemClock.instant() + budget,
        technicality: 0.5,
        template_quality: 0.5,
        tree: None,
        prompt: &prompt,
    };
    services.models.ask(config, &task).await
}

fn services(home: &tempfile::TempDir) -> Services {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Services::open(Paths::under(home.path()), Overrides::default(), clock).unwrap()
}

// More than one thread: a connection is closed by a task of its own, also while the test waits.
#[tokio::test(flavor = "multi_thread")]
async fn where_no_first_token_comes_another_device_is_asked() {
    let [a, b] = [Reloading::start(Speed::FAST), Reloading::start(Speed::FAST)];
    let config = config([&a, &b]);
    load(&config, &a).await;
    load(&config, &b).await;
    let home = tempfile::tempdir().unwrap();
    let services = services(&home);
    for n in 0..5 {
        let attempt = capture(&services, &config, n).await;
        assert_eq!((attempt.endpoint.as_deref(), attempt.result.is_ok()), (Some("a"), true), "{attempt:#?}");
    }
    assert_eq!(b.asked().len(), 1, "nothing but the loading");

    // It reads a token per second now.
    a.set_speed(Speed { read: Duration::from_secs(1), batch: 1, ..Speed::FAST });
    let attempt = capture(&services, &config, 6).await;
    assert_eq!((attempt.endpoint.as_deref(), attempt.result.is_ok()), (Some("b"), true), "{attempt:#?}");
    assert_eq!((a.asked().len(), b.asked().len()), (7, 2), "{:#?} {attempt:#?}", a.asked());
    assert!(a.wait_for(|asked| asked.last().is_some_and(|last| last.ended.is_some())));
    assert_eq!(a.asked().last().unwrap().ended, Some(Ended::Cut), "it was dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_was_read_in_steps_does_not_make_reading_look_free() {
    let speed = Speed { read: Duration::from_millis(5), ..Speed::FAST };
    let [a, b] = [Reloading::start(speed), Reloading::start(speed)];
    let config = config([&a, &b]);
    load(&config, &a).await;
    let home = tempfile::tempdir().unwrap();
    let services = services(&home);
    let mut pressed = false;
    for n in 0..4 {
        let text = format!("{n} ") + &"Adds one more retry to the client of the shop. ".repeat(12);
        let attempt = ask(&services, &config, Urgency::Batch, &text).await;
        assert!(attempt.result.is_ok(), "{attempt:#?}");
        pressed = attempt.decision.expect("decided").task.pressed;
    }
    let steps = a.asked().iter().filter(|asked| asked.body["options"]["num_predict"] == 1).count();
    assert!(steps >= 4, "read in steps: {steps}");
    // Of this server nobody learns how much it had in its cache.
    let ledger = services.store.forecasts().unwrap();
    let (_, forecast, _) = ledger.iter().max_by_key(|(_, forecast, _)| forecast.n()).unwrap();
    let (work, conditions) =
        (Work { uncached: 400, cached: 0, allowed: 1 }, Conditions { pressed, ..Conditions::default() });
    let first = forecast.outlook(&work, &conditions).ttft_s;
    assert!(first > 1.9, "400 tokens of 5 ms take 2 s, not {first} s");
}
