//! Ollama's own protocol: `/api/chat` as newline-separated JSON, `/api/tags` and `/api/ps`.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{AnswerBuilder, FrameEffect, FrameParser, parse_finish};
use super::frames::{Payload, PayloadParser};
use super::message_form::MessageForm;
use super::openai::PARAGRAPH;
use super::server_error::parse_reported;
use super::text_models::generates_text;
use super::{Finish, LlmError, ModelRequest};
use crate::domain::model::{ListedModel, same_model};

pub(super) const CHAT: &str = "/api/chat";
pub(super) const TAGS: &str = "/api/tags";
pub(super) const PS: &str = "/api/ps";

/// The request. `num_ctx` is the only runner option and is always sent; with `shift` it must be the
/// same in every request of a model, or the server reloads the model (Ollama, sched.go `needsReload`).
pub(super) fn body(ask: &ModelRequest, form: MessageForm) -> Value {
    let sampling = &ask.sampling;
    let mut body = json!({
        "model": ask.model,
        "messages": form.messages(ask),
        "stream": true,
        "think": false,
        "truncate": false,
        "shift": false,
        "options": {
            "num_ctx": sampling.num_ctx,
            "num_predict": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "repeat_penalty": sampling.repeat_penalty,
        },
    });
    if ask.wording.is_some() {
        body["options"]["stop"] = json!([PARAGRAPH]);
    }
    if let Some(keep_alive) = ask.keep_alive {
        body["keep_alive"] = json!(keep_alive.as_secs());
    }
    body
}

/// Parses the stream of `/api/chat`.
#[derive(Debug, Default)]
pub(super) struct OllamaStream {
    model: String,
    /// Permits answers of cloud models.
    remote: bool,
    payloads: PayloadParser,
    ending: Option<Finish>,
}

impl OllamaStream {
    pub(super) fn new(model: &str, remote: bool) -> Self {
        Self { model: model.to_owned(), remote, ..Self::default() }
    }
}

impl FrameParser for OllamaStream {
    fn parse_line(&mut self, line: &[u8], growing: &mut AnswerBuilder) -> Result<FrameEffect, LlmError> {
        let value = match self.payloads.push_line(line) {
            Payload::Nothing => return Ok(FrameEffect::More),
            Payload::Done => return Ok(FrameEffect::Done(self.ending.unwrap_or(Finish::Stop))),
            Payload::Json(text) => parse(&text)?,
        };
        if let Some(error) = parse_reported(&value) {
            return Err(error);
        }
        if !self.remote && is_remote_answer(&value) {
            return Err(LlmError::Cloud { model: self.model.clone() });
        }
        growing.reasoning += value["message"]["thinking"].as_str().map_or(0, str::len);
        growing.push_content(value["message"]["content"].as_str().unwrap_or(""));
        read_counts(&value, growing);
        let ending = parse_finish(&value)?;
        self.ending = ending.or(self.ending);
        // A reason without `done` ends the answer as well; a line with the counts may follow.
        Ok(match ending {
            Some(finish) if value["done"].as_bool() == Some(true) => FrameEffect::Done(finish),
            _ => FrameEffect::More,
        })
    }

    fn finish_reason(&self) -> Option<Finish> {
        self.ending
    }
}

/// Broken UTF-8 becomes replacement characters, so that the text around it is kept.
pub(super) fn parse(line: &[u8]) -> Result<Value, LlmError> {
    serde_json::from_str::<Value>(&String::from_utf8_lossy(line))
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| LlmError::Garbled { message: "a line is not a JSON object".to_owned() })
}

/// The server omits zero fields (Go's `omitempty`).
fn read_counts(value: &Value, growing: &mut AnswerBuilder) {
    let tokens = &mut growing.tokens;
    tokens.prompt = value["prompt_eval_count"].as_u64().or(tokens.prompt);
    tokens.output = value["eval_count"].as_u64().or(tokens.output);
    growing.load = value["load_duration"].as_u64().map(Duration::from_nanos).or(growing.load);
}

fn is_remote_answer(value: &Value) -> bool {
    ["remote_host", "remote_model"].iter().any(|key| value[*key].as_str().is_some_and(|text| !text.is_empty()))
}

/// Recognises a cloud model by its name alone (`…:cloud`, `…-cloud`).
pub(super) fn is_cloud_name(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    model.ends_with(":cloud") || model.ends_with("-cloud")
}

/// Joins the installed models (`/api/tags`) with the loaded ones (`/api/ps`; absent if it did not answer).
pub(super) fn parse_models(tags: &Value, ps: Option<&Value>) -> Vec<ListedModel> {
    list(tags).iter().filter_map(|tag| parse_model(tag, ps)).collect()
}

fn list(value: &Value) -> &[Value] {
    value["models"].as_array().map_or(&[], Vec::as_slice)
}

fn parse_model(tag: &Value, ps: Option<&Value>) -> Option<ListedModel> {
    let name = tag["name"].as_str().or_else(|| tag["model"].as_str())?;
    let loaded =
        ps.and_then(|ps| list(ps).iter().find(|row| row["name"].as_str().is_some_and(|n| same_model(n, name))));
    let details = &tag["details"];
    let text = |key: &str| details[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(ListedModel {
        name: name.to_owned(),
        digest: tag["digest"].as_str().map(str::to_owned),
        family: text("family"),
        parameters: details["parameter_size"].as_str().and_then(count),
        quantization: text("quantization_level"),
        size_bytes: tag["size"].as_u64(),
        context_length: details["context_length"].as_u64(),
        resident: ps.map(|_| loaded.is_some()),
        loaded_context: loaded.and_then(|row| row["context_length"].as_u64()),
        gpu_share: loaded.and_then(gpu_share),
        cloud: is_cloud_name(name) || is_remote_answer(tag),
        completes: generates_text(tag) != Some(false),
        loads_on_request: false,
        thinks: capabilities(tag).map(|list| list.iter().any(|capability| capability == "thinking")),
    })
}

fn gpu_share(row: &Value) -> Option<f64> {
    let size = row["size"].as_u64().filter(|size| *size > 0)?;
    Some((row["size_vram"].as_u64().unwrap_or(0) as f64 / size as f64).clamp(0.0, 1.0))
}

/// The model's capabilities, if reported; older servers omit them.
fn capabilities(tag: &Value) -> Option<&[Value]> {
    tag["capabilities"].as_array().map(Vec::as_slice).filter(|list| !list.is_empty())
}

/// Parses "3.2B" to 3 200 000 000.
pub(super) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let factor = match unit.trim().to_ascii_uppercase().as_str() {
        "T" => 1e12,
        "B" => 1e9,
        "M" => 1e6,
        "K" => 1e3,
        "" => 1.0,
        _ => return None,
    };
    let number = digits.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0)?;
    Some((number * factor).round() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::domain::clock::{Clock, SystemClock};
    use crate::domain::model::Sampling;
    use crate::llm::ModelAnswer;

    fn ask() -> ModelRequest {
        let sampling =
            Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.1, num_ctx: 4096, max_tokens: 80 };
        ModelRequest {
            model: "orca-mini:3b".into(),
            rules: "R".into(),
            question: "Q".into(),
            sampling,
            wording: None,
            until: now(),
            keep_alive: Some(Duration::from_secs(600)),
            prompt_estimate: None,
        }
    }

    fn now() -> Instant {
        SystemClock.instant()
    }

    fn read(lines: &[&str]) -> Result<(Option<Finish>, ModelAnswer), LlmError> {
        let mut stream = OllamaStream::new("m", false);
        let mut growing = AnswerBuilder::new(now());
        let mut finish = None;
        for line in lines {
            if let FrameEffect::Done(how) = stream.parse_line(line.as_bytes(), &mut growing)? {
                finish = Some(how);
            }
        }
        Ok((finish, growing.finish(Finish::Stop, &ask(), now(), None)))
    }

    #[test]
    fn the_request_never_thinks_truncates_or_shifts_and_always_sends_the_same_runner_options() {
        insta::assert_json_snapshot!(body(&ask(), MessageForm::Separate), @r#"
        {
          "keep_alive": 600,
          "messages": [
            {
              "content": "R",
              "role": "system"
            },
            {
              "content": "Q",
              "role": "user"
            }
          ],
          "model": "orca-mini:3b",
          "options": {
            "num_ctx": 4096,
            "num_predict": 80,
            "repeat_penalty": 1.1,
            "temperature": 0.2,
            "top_k": 40,
            "top_p": 0.9
          },
          "shift": false,
          "stream": true,
          "think": false,
          "truncate": false
        }
        "#);
    }

    #[test]
    fn nothing_that_may_differ_between_requests_makes_the_server_reload() {
        let capture = ask();
        let sampling =
            Sampling { max_tokens: 1200, temperature: 0.9, top_p: 0.7, top_k: 90, repeat_penalty: 1.3, num_ctx: 4096 };
        let batch = ModelRequest { sampling, question: "Q2".into(), keep_alive: None, ..capture.clone() };
        let read = ModelRequest { sampling: Sampling { max_tokens: 1, ..capture.sampling.clone() }, ..capture.clone() };
        // Ollama 0.33, sched.go `needsReload` and api/types.go `Runner`, with `shift`.
        let runner = |ask: &ModelRequest| {
            let body = body(ask, MessageForm::Separate);
            let options =
                ["num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "draft_num_predict"];
            (options.map(|name| body["options"].get(name).cloned()), body["shift"].clone(), body["model"].clone())
        };
        assert_eq!(runner(&capture).0.iter().flatten().collect::<Vec<_>>(), [&json!(4096)]);
        assert_eq!(runner(&capture), runner(&batch));
        assert_eq!(runner(&capture), runner(&read));
        let messages = |ask: &ModelRequest| body(ask, MessageForm::Separate)["messages"].clone();
        assert_eq!(messages(&capture), messages(&read));
    }

    #[test]
    fn a_stream_gives_text_and_the_servers_numbers() {
        let (finish, answer) = read(&[
            r#"{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"Adds"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":" a"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":" retry."},"done":true,"done_reason":"stop","load_duration":1500000000,"prompt_eval_count":26,"eval_count":4}"#,
        ])
        .unwrap();
        assert_eq!(finish, Some(Finish::Stop));
        assert_eq!(answer.text, "Adds a retry.");
        assert_eq!((answer.tokens.prompt, answer.tokens.output, answer.tokens.cached), (Some(26), Some(4), None));
        assert_eq!(answer.load, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn zero_fields_may_be_absent() {
        let (finish, answer) = read(&[r#"{"message":{"content":"A."},"done":true,"done_reason":"length"}"#]).unwrap();
        assert_eq!(finish, Some(Finish::Length));
        assert_eq!((answer.tokens.output, answer.load), (Some(1), None));
    }

    #[test]
    fn a_reason_without_done_ends_the_answer_and_so_does_what_other_protocols_say() {
        for last in [
            r#"{"message":{"content":""},"done_reason":"stop"}"#,
            r#"{"message":{"content":""},"done":false,"done_reason":"stop","eval_count":3}"#,
            r#"{"choices":[{"finish_reason":"stop"}]}"#,
        ] {
            let mut stream = OllamaStream::new("m", false);
            let mut growing = AnswerBuilder::new(now());
            for line in [r#"{"message":{"content":"Adds"},"done":false}"#, last] {
                assert!(matches!(stream.parse_line(line.as_bytes(), &mut growing), Ok(FrameEffect::More)), "{line}");
            }
            assert_eq!(stream.finish_reason(), Some(Finish::Stop), "{last}");
            assert!(matches!(stream.parse_line(b"data: [DONE]", &mut growing), Ok(FrameEffect::Done(Finish::Stop))));
        }
        let (finish, answer) = read(&[r#"data: {"message":{"content":"A."},"done":true}"#]).unwrap();
        assert_eq!((finish, answer.text.as_str()), (Some(Finish::Stop), "A."));
    }

    #[test]
    fn errors_inside_the_stream_are_errors() {
        let broken = read(&[r#"{"message":{"content":"A"},"done":false}"#, r#"{"error":"an error was encountered"}"#]);
        assert!(matches!(broken, Err(LlmError::MidStream { .. })));
        for garbage in ["not json", "[]", "\"x\"", "\u{0}"] {
            assert!(matches!(read(&[garbage]), Err(LlmError::Garbled { .. })), "{garbage}");
        }
    }

    #[test]
    fn an_answer_from_elsewhere_is_refused_unless_remote() {
        let line = br#"{"remote_host":"https://ollama.com:443","message":{"content":"A"},"done":false}"#;
        let read = |remote| OllamaStream::new("m", remote).parse_line(line, &mut AnswerBuilder::new(now()));
        assert!(matches!(read(false), Err(LlmError::Cloud { .. })));
        assert!(matches!(read(true), Ok(FrameEffect::More)));
    }

    #[test]
    fn names_that_mean_the_same_model() {
        assert!(same_model("llama3.2", "llama3.2:latest"));
        assert!(same_model("Orca-Mini:3B", "orca-mini:3b"));
        assert!(same_model("registry.ollama.ai/library/mistral", "mistral:latest"));
        assert!(same_model("localhost:5000/x/y", "localhost:5000/x/y:latest"));
        assert!(!same_model("orca-mini:3b", "orca-mini"));
    }

    #[test]
    fn tags_and_ps_become_one_list() {
        let tags = json!({"models": [
            {"name": "orca-mini:3b", "digest": "d1", "size": 1979946720_u64,
             "details": {"family": "llama", "parameter_size": "3.4B", "quantization_level": "Q4_0"}},
            {"name": "gpt-oss:120b-cloud", "size": 384, "remote_host": "https://ollama.com:443", "details": {"family": ""}},
            {"name": "my-alias:latest", "remote_model": "gpt-oss:120b", "details": {}},
            {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert", "parameter_size": "137M"}},
        ]});
        let ps =
            json!({"models": [{"name": "orca-mini:3b", "size": 4_000, "size_vram": 1_000, "context_length": 4096}]});
        let offered = parse_models(&tags, Some(&ps));
        let orca = &offered[0];
        assert_eq!(
            (orca.parameters, orca.resident, orca.loaded_context),
            (Some(3_400_000_000), Some(true), Some(4096))
        );
        assert_eq!((orca.gpu_share, orca.cloud, orca.completes), (Some(0.25), false, true));
        assert_eq!(offered.iter().map(|model| model.cloud).collect::<Vec<_>>(), [false, true, true, false]);
        assert_eq!((offered[3].completes, offered[3].parameters), (false, Some(137_000_000)));
        assert_eq!(offered[1].resident, Some(false));
        assert_eq!(parse_models(&tags, None)[0].resident, None);
    }

    #[test]
    fn what_a_model_can_do_is_told_by_newer_servers_only() {
        let tags = json!({"models": [
            {"name": "a:1b", "capabilities": ["completion", "tools", "thinking"]},
            {"name": "b:1b", "capabilities": ["completion"]},
            {"name": "c:1b", "capabilities": ["embedding"]},
            {"name": "d:1b", "capabilities": []},
            {"name": "e:1b", "capabilities": "completion"},
        ]});
        let abilities: Vec<_> = parse_models(&tags, None).iter().map(|model| (model.completes, model.thinks)).collect();
        let untold = (true, None);
        assert_eq!(abilities, [(true, Some(true)), (true, Some(false)), (false, Some(false)), untold, untold]);
    }
}
