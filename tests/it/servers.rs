//! Servers that differ from the usual ones and are not broken: their answers count, and what they refuse is told in
//! their own words.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uro_capture::config::{ApiKey, EndpointConfig};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::Sampling;
use uro_capture::domain::model::StreamVerdict;
use uro_capture::llm::{AnswerPace, AnswerProgress, Client, ClockFired, Finish, LlmError, ModelRequest};

use crate::harness::World;
use crate::harness::scripted::{Asked, Reply, Scripted};

const SENTENCE: &str = "Adds `login` for a session and its timeout.";
const MODEL: &str = "qwen2.5:3b";
const KEY: &str = "kk-0815-secret";
const CODE: &str = "def login(session):\n    return session.open(timeout)\n";

fn question() -> ModelRequest {
    ModelRequest {
        model: MODEL.into(),
        rules: "Say what changed.".into(),
        question: "+def login():".into(),
        sampling: Sampling {
            temperature: 0.2,
            top_p: 0.9,
            top_k: 40,
            repeat_penalty: 1.0,
            num_ctx: 4096,
            max_tokens: 80,
        },
        wording: None,
        until: now() + Duration::from_secs(20),
        keep_alive: None,
        prompt_estimate: None,
    }
}

fn now() -> Instant {
    SystemClock.instant()
}

/// Ollama with one loaded model.
fn ollama(asked: &Asked, answer: impl FnOnce() -> Reply) -> Reply {
    let model = json!({"name": MODEL, "model": MODEL, "size": 1_900_000_000, "context_length": 4096});
    match asked.path.as_str() {
        "/api/version" => Reply::ok(r#"{"version":"0.12.0"}"#),
        "/api/tags" | "/api/ps" => Reply::ok(json!({"models": [model]}).to_string()),
        _ => answer(),
    }
}

/// A server of the OpenAI protocol with these rows in its list.
fn openai(asked: &Asked, rows: &Value, answer: impl FnOnce() -> Reply) -> Reply {
    match asked.path.as_str() {
        "/v1/models" => Reply::ok(json!({"object": "list", "data": rows}).to_string()),
        "/v1/chat/completions" => answer(),
        _ => Reply::status("404 Not Found", "{}"),
    }
}

fn one_row() -> Value {
    json!([{"id": MODEL, "owned_by": "vllm", "max_model_len": 8192}])
}

fn events(text: &str) -> String {
    let chunk = json!({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]});
    format!("data: {chunk}\n\ndata: [DONE]\n\n")
}

fn client(url: &str) -> Client {
    Client::new(&EndpointConfig::local("test", url)).unwrap()
}

#[tokio::test]
async fn a_template_without_a_system_role_gets_the_rules_in_the_users_message_and_that_is_remembered() {
    let refusals: [fn() -> Reply; 3] = [
        || Reply::status("400 Bad Request", r#"{"object":"error","message":"System role not supported","code":400}"#),
        || {
            Reply::status(
                "500 Internal Server Error",
                r#"{"error":{"code":500,"message":"Jinja Exception: Conversation roles must alternate user/assistant"}}"#,
            )
        },
        || Reply::ok(r#"data: {"error":{"message":"Only user and assistant roles are supported!"}}"#),
    ];
    for refusal in refusals {
        let server = Scripted::start(move |asked| {
            openai(asked, &one_row(), || match asked.body["messages"][0]["role"].as_str() {
                Some("system") => refusal(),
                _ => Reply::ok(events(SENTENCE)),
            })
        });
        let client = client(&server.url());
        for _ in 0..2 {
            assert_eq!(client.request_answer(&question()).await.unwrap().text, SENTENCE);
        }
        let questions = server.questions();
        let roles: Vec<usize> = questions.iter().map(|one| one.body["messages"].as_array().unwrap().len()).collect();
        assert_eq!(roles, [2, 1, 1], "refused once, then never asked that way again");
        let merged = questions[2].body["messages"][0]["content"].as_str().unwrap();
        assert_eq!(merged, "Say what changed.\n\n+def login():");
    }
}

#[tokio::test]
async fn a_model_that_takes_neither_form_fails_with_the_servers_words() {
    let server = Scripted::start(|asked| {
        openai(asked, &one_row(), || Reply::status("400 Bad Request", r#"{"error":"System role not supported"}"#))
    });
    let error = client(&server.url()).request_answer(&question()).await.unwrap_err();
    assert!(matches!(&error, LlmError::NoSystemRole { message } if message == "System role not supported"), "{error}");
    assert_eq!(server.questions().len(), 2);
}

fn line(content: &str, rest: &str) -> String {
    format!("{{\"model\":\"{MODEL}\",\"message\":{{\"role\":\"assistant\",\"content\":{content:?}}}{rest}}}\n")
}

#[tokio::test]
async fn the_end_of_an_answer_is_taken_in_every_form() {
    let words =
        || line("Adds `login` ", ",\"done\":false") + &line("for a session and its timeout.", ",\"done\":false");
    let chunk = |content: &str, rest: &str| {
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{content:?}}}{rest}}}]}}\n\n")
    };
    let streams = [
        (true, words() + &line("", ",\"done_reason\":\"stop\"")),
        (true, words()),
        (true, words() + "\n\n"),
        (true, line(SENTENCE, ",\"done_reason\":\"stop\"")),
        (false, chunk(SENTENCE, "")),
        (false, chunk(SENTENCE, "") + "data: [DONE]\n\n"),
        (false, chunk(SENTENCE, "") + &chunk("", ",\"finish_reason\":\"stop\"")),
        (false, chunk(SENTENCE, ",\"finish_reason\":\"stop\"")),
        (false, chunk(SENTENCE, ",\"finish_reason\":\"eos_token\"") + ": bye"),
    ];
    for (is_ollama, body) in streams {
        let sent = body.clone();
        let server = Scripted::start(move |asked| match is_ollama {
            true => ollama(asked, || Reply::ok(sent.clone())),
            false => openai(asked, &one_row(), || Reply::ok(sent.clone())),
        });
        let answer = client(&server.url()).request_answer(&question()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), (SENTENCE, Finish::Stop), "{body}");
    }
    // Without its end mark, a sentence may have been going on.
    let server = Scripted::start(|asked| ollama(asked, || Reply::ok(line("Adds `login` to", ",\"done\":false"))));
    let answer = client(&server.url()).request_answer(&question()).await.unwrap();
    assert_eq!(answer.finish, Finish::Aborted);
}

/// Gives up once no text has come for 100 ms.
struct Impatient;

impl AnswerPace for Impatient {
    fn check_progress(&self, so_far: &AnswerProgress<'_>) -> StreamVerdict {
        if so_far.silent < Duration::from_millis(100) { StreamVerdict::Wait } else { StreamVerdict::GiveUp }
    }
}

#[tokio::test]
async fn heartbeats_are_no_progress_and_do_not_prolong_an_answer() {
    for beat in
        [": ping\n\n", "event: ping\ndata: {}\n\n", "data: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n", "\n"]
    {
        let silent = Scripted::start(move |asked| openai(asked, &one_row(), || Reply::ok("").then(beat)));
        let error = client(&silent.url()).request_answer_paced(&question(), &Impatient).await.unwrap_err();
        assert!(matches!(error, LlmError::Deadline(ClockFired::Pace)), "{beat:?}: {error}");
        let ended = Scripted::start(move |asked| {
            let end = json!({"choices": [{"delta": {"content": SENTENCE}, "finish_reason": "stop"}]});
            openai(asked, &one_row(), || Reply::ok(format!("data: {end}\n\n")).then(beat))
        });
        let answer = client(&ended.url()).request_answer(&question()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), (SENTENCE, Finish::Stop), "{beat:?}");
    }
}

fn guarded(asked: &Asked) -> Reply {
    if !asked.head.contains(&format!("authorization: Bearer {KEY}")) {
        let sent = asked.head.lines().find(|line| line.starts_with("authorization")).unwrap_or("nothing").to_owned();
        return Reply::status(
            "401 Unauthorized",
            json!({"error": {"message": format!("Invalid key, got {sent}")}}).to_string(),
        );
    }
    openai(asked, &one_row(), || Reply::ok(events(SENTENCE)))
}

#[tokio::test]
async fn a_key_goes_to_its_server_and_is_not_in_what_the_server_says() {
    let server = Scripted::start(guarded);
    let with =
        |key: &str| EndpointConfig { api_key: ApiKey::parse(key), ..EndpointConfig::local("test", &server.url()) };
    assert_eq!(Client::new(&with(KEY)).unwrap().request_answer(&question()).await.unwrap().text, SENTENCE);
    let error = Client::new(&with("another-key-9")).unwrap().models(now() + Duration::from_secs(5)).await.unwrap_err();
    assert!(error.is_refused_key() && !error.to_string().contains("another-key-9"), "{error}");
}

#[test]
fn a_key_is_configured_hinted_at_and_never_printed() {
    let server = Scripted::start(guarded);
    let world = World::new();
    let endpoint =
        format!("[capture]\nread_ahead = \"off\"\n[[endpoints]]\nname = \"l\"\nurl = \"{}\"\n", server.url());
    world.configure(&endpoint);
    let refused = world.uro_in(&world.path("home"), &["models"]);
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert!(errors.contains("Invalid key") && errors.contains("hint: give \"l\" its key: api_key_env"), "{errors}");
    let doctor = String::from_utf8(world.uro_in(&world.path("home"), &["doctor"]).stdout).unwrap();
    assert!(doctor.contains("api_key_env") && !doctor.contains("ollama serve"), "{doctor}");

    world.configure(&format!("{endpoint}api_key_env = \"MY_SERVER_KEY\"\n"));
    let unset = String::from_utf8(world.uro_in(&world.path("home"), &["models"]).stderr).unwrap();
    assert!(unset.contains("hint: export MY_SERVER_KEY=KEY"), "{unset}");
    let program = env!("CARGO_BIN_EXE_uro-capture");
    let mut command = world.program(program, &world.path("home"));
    let given = command.args(["models"]).env("MY_SERVER_KEY", KEY).output().unwrap();
    assert!(String::from_utf8_lossy(&given.stdout).contains(MODEL), "{given:?}");

    world.configure(&format!("{endpoint}api_key = \"{KEY}\"\n"));
    let repo = world.repo("r");
    world.commit(&repo, "auth.py", CODE, "wip");
    assert!(world.ok(&repo, &["commit", "HEAD"]).contains(SENTENCE));
    for args in [
        &["config", "list", "--origin"][..],
        &["config", "get", "endpoints[0].api_key"],
        &["models"],
        &["doctor"],
        &["show", "--wire", "@"],
        &["config", "list", "--json"],
    ] {
        let output = world.uro_in(&repo, args);
        let all = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains(KEY), "{args:?}");
    }
}

fn configured(url: &str) -> World {
    World::with_endpoint(url, "auto")
}

/// The capture of one commit in a new repository, as `show --json` prints it.
fn captured(world: &World) -> Value {
    let repo = world.repo("r");
    let oid = world.commit(&repo, "auth.py", CODE, "wip");
    world.ok(&repo, &["commit", "HEAD"]);
    let id = world.capture_of(&repo, &oid).unwrap()["id"].as_str().unwrap().to_owned();
    world.json(&repo, &["show", &id])
}

#[test]
fn a_commit_never_makes_a_router_load_another_model() {
    let row = |id: &str, status: &str| json!({"id": id, "owned_by": "llamacpp", "status": {"value": status}});
    let all = move |small: &'static str| {
        json!([
            row("Qwen2.5-Coder-7B:Q4_K_M", "unloaded"),
            row("Qwen2.5-3B-Instruct:Q4_K_M", "unloaded"),
            row("Llama-3.2-1B:Q4_K_M", small)
        ])
    };
    for (state, expected) in [("loaded", Some("Llama-3.2-1B:Q4_K_M")), ("unloaded", None)] {
        let server = Scripted::start(move |asked| openai(asked, &all(state), || Reply::ok(events(SENTENCE))));
        let capture = captured(&configured(&server.url()));
        let asked: Vec<String> =
            server.questions().iter().map(|one| one.body["model"].as_str().unwrap().to_owned()).collect();
        assert!(asked.iter().all(|model| Some(model.as_str()) == expected), "{asked:?}");
        let reason = if expected.is_some() { "none" } else { "cold" };
        assert_eq!(capture["provenance"]["reason"], reason, "{capture:#}");
    }
}

#[test]
fn models_that_write_no_text_are_not_asked_wherever_they_stand_in_the_list() {
    let rows = json!([
        {"id": "BAAI/bge-m3", "owned_by": "vllm"},
        {"id": "text-embedding-nomic-embed-text-v1.5", "owned_by": "vllm"},
        {"id": "Systran/faster-whisper-large-v3", "owned_by": "vllm", "task": "automatic-speech-recognition"},
        {"id": "black-forest/painter-3b", "owned_by": "vllm", "type": "image"},
        {"id": "smollm2-1.7b-instruct", "owned_by": "vllm"},
        {"id": "Qwen3-Reranker-4B", "owned_by": "vllm"},
    ]);
    let server = Scripted::start(move |asked| openai(asked, &rows, || Reply::ok(events(SENTENCE))));
    let capture = captured(&configured(&server.url()));
    assert_eq!(capture["provenance"]["model"], "smollm2-1.7b-instruct", "{capture:#}");
    assert!(server.questions().iter().all(|one| one.body["model"] == "smollm2-1.7b-instruct"));
}

#[test]
fn what_a_server_says_when_it_fails_is_shown() {
    let server = Scripted::start(|asked| {
        ollama(asked, || {
            Reply::status(
                "500 Internal Server Error",
                r#"{"error":"model requires more system memory (5.6 GiB) than is available (2.1 GiB)"}"#,
            )
        })
    });
    let world = configured(&server.url());
    let capture = captured(&world);
    let words = "model requires more system memory (5.6 GiB) than is available (2.1 GiB)";
    assert!(capture["failure"].as_str().unwrap().contains(words), "{capture:#}");
    let shown = world.ok(&world.path("home"), &["show", capture["id"].as_str().unwrap()]);
    assert!(shown.contains(words), "{shown}");
}

#[test]
fn with_no_server_the_reason_is_the_same_for_one_commit_and_for_many() {
    let world = World::without_models();
    let repo = world.hooked_repo("r");
    let mut oids = vec![world.commit(&repo, "first.py", CODE, "wip")];
    world.final_capture(&repo, &oids[0]);
    for n in 0..4 {
        let oid = world.commit(&repo, &format!("f{n}.py"), CODE, "wip");
        world.final_capture(&repo, &oid);
        oids.push(oid);
    }
    // More at once than are asked about one by one.
    let pid = world.sidecar_pid().to_string();
    world.freeze_sidecar();
    oids.extend((0..14).map(|n| world.commit(&repo, &format!("s{n}.py"), CODE, "wip")));
    assert!(std::process::Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
    for oid in &oids {
        let capture = world.final_capture(&repo, oid);
        assert_eq!(capture["provenance"]["reason"], "refused", "{capture:#}");
    }
}
