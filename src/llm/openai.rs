//! OpenAI-compatible protocol of llama.cpp's server, LM Studio, vLLM and others: `/v1/chat/completions`
//! as server-sent events, and `/v1/models`.

use serde_json::{Value, json};

use super::answer::{AnswerBuilder, FrameEffect, FrameParser, parse_finish};
use super::frames::{Payload, PayloadParser};
use super::grammar;
use super::message_form::MessageForm;
use super::ollama::parse;
use super::server_error::parse_reported;
use super::text_models::generates_text;
use super::{Finish, LlmError, ModelRequest, Server};
use crate::domain::model::ListedModel;

pub(super) const CHAT: &str = "/v1/chat/completions";
pub(super) const MODELS: &str = "/v1/models";
pub(super) const PROPS: &str = "/props";
/// LM Studio's own list, which reports loaded models; its `/v1/models` also lists loadable ones.
pub(super) const LM_STUDIO_MODELS: &str = "/api/v0/models";
pub(super) const LM_STUDIO: &str = "lmstudio";

/// Detected name of llama.cpp's server, which accepts more than the common options.
pub(super) const LLAMA_CPP: &str = "llama.cpp";

/// Builds the request. Servers that reject unknown fields get only the common ones.
pub(super) fn body(ask: &ModelRequest, server: &Server, form: MessageForm) -> Value {
    let sampling = &ask.sampling;
    let mut body = json!({
        "model": ask.model,
        "messages": form.messages(ask),
        "stream": true,
        "stream_options": {"include_usage": true},
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    });
    if server.name == LLAMA_CPP {
        body["cache_prompt"] = json!(true);
        body["chat_template_kwargs"] = json!({"enable_thinking": false});
        body["top_k"] = json!(sampling.top_k);
        body["repeat_penalty"] = json!(sampling.repeat_penalty);
    }
    match &ask.wording {
        Some(wording) if server.name == LLAMA_CPP => body["grammar"] = json!(grammar::render_grammar(wording)),
        Some(_) => body["stop"] = json!([PARAGRAPH]),
        None => {}
    }
    body
}

/// Stop sequence of a one-paragraph answer.
pub(super) const PARAGRAPH: &str = "\n\n";

/// Parses the event stream.
#[derive(Debug, Default)]
pub(super) struct OpenaiStream {
    payloads: PayloadParser,
    ending: Option<Finish>,
}

impl FrameParser for OpenaiStream {
    fn parse_line(&mut self, line: &[u8], growing: &mut AnswerBuilder) -> Result<FrameEffect, LlmError> {
        match self.payloads.push_line(line) {
            Payload::Nothing => Ok(FrameEffect::More),
            Payload::Done => Ok(FrameEffect::Done(self.ending.unwrap_or(Finish::Stop))),
            Payload::Json(text) => self.chunk(&parse(&text)?, growing),
        }
    }

    fn finish_reason(&self) -> Option<Finish> {
        self.ending
    }
}

impl OpenaiStream {
    fn chunk(&mut self, value: &Value, growing: &mut AnswerBuilder) -> Result<FrameEffect, LlmError> {
        if let Some(error) = parse_reported(value) {
            return Err(error);
        }
        let choice = &value["choices"][0];
        for part in ["delta", "message"] {
            growing.push_content(choice[part]["content"].as_str().unwrap_or(""));
            for hidden in ["reasoning_content", "reasoning"] {
                growing.reasoning += choice[part][hidden].as_str().map_or(0, str::len);
            }
        }
        read_counts(value, growing);
        self.ending = parse_finish(value)?.or(self.ending);
        Ok(FrameEffect::More)
    }
}

/// `usage` is the standard; `timings` is llama.cpp's.
fn read_counts(value: &Value, growing: &mut AnswerBuilder) {
    let (usage, timings, tokens) = (&value["usage"], &value["timings"], &mut growing.tokens);
    let cached = usage["prompt_tokens_details"]["cached_tokens"].as_u64().or_else(|| timings["cache_n"].as_u64());
    let prompt = timings["prompt_n"].as_u64().map(|evaluated| evaluated + timings["cache_n"].as_u64().unwrap_or(0));
    tokens.prompt = usage["prompt_tokens"].as_u64().or(prompt).or(tokens.prompt);
    tokens.cached = cached.or(tokens.cached);
    tokens.output = usage["completion_tokens"].as_u64().or_else(|| timings["predicted_n"].as_u64()).or(tokens.output);
}

/// Parses a model list; `props` is llama.cpp's: its one model is always loaded.
pub(super) fn parse_models(models: &Value, props: Option<&Value>) -> Vec<ListedModel> {
    let rows = models["data"].as_array().map_or(&[][..], Vec::as_slice);
    rows.iter().filter_map(|row| parse_model(row, props)).collect()
}

fn parse_model(row: &Value, props: Option<&Value>) -> Option<ListedModel> {
    let name = row["id"].as_str()?;
    let meta = &row["meta"];
    let loaded = is_loaded(row);
    let context = props.and_then(|props| props["default_generation_settings"]["n_ctx"].as_u64());
    Some(ListedModel {
        name: name.to_owned(),
        digest: None,
        family: None,
        parameters: meta["n_params"].as_u64(),
        quantization: meta["ftype"].as_str().or_else(|| row["quantization"].as_str()).map(str::to_owned),
        size_bytes: meta["size"].as_u64(),
        context_length: first_number(row, &["max_model_len", "max_context_length"])
            .or_else(|| meta["n_ctx_train"].as_u64()),
        resident: loaded.or_else(|| props.map(|_| true)),
        loads_on_request: loaded == Some(false),
        loaded_context: context
            .or_else(|| props.and_then(|_| meta["n_ctx"].as_u64()))
            .or_else(|| row["loaded_context_length"].as_u64()),
        gpu_share: None,
        cloud: false,
        completes: generates_text(row) != Some(false),
        thinks: None,
    })
}

fn first_number(row: &Value, fields: &[&str]) -> Option<u64> {
    fields.iter().find_map(|field| row[*field].as_u64())
}

/// Loaded state per model, if reported: llama.cpp's router has `status.value` (`loaded`,
/// `loading`, `unloaded`, `sleeping`), LM Studio's own list has `state` (`loaded`, `not-loaded`), others a flag.
fn is_loaded(row: &Value) -> Option<bool> {
    if let Some(flag) = row["loaded"].as_bool() {
        return Some(flag);
    }
    let places = [&row["status"]["value"], &row["status"], &row["state"]];
    match places.into_iter().find_map(Value::as_str)?.to_ascii_lowercase().replace(['_', ' '], "-").as_str() {
        "loaded" | "running" | "ready" | "active" => Some(true),
        "unloaded" | "not-loaded" | "loading" | "sleeping" | "stopped" | "idle" | "failed" | "downloading" => {
            Some(false)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::domain::clock::{Clock, SystemClock};
    use crate::domain::model::{Api, Sampling};
    use crate::llm::ModelAnswer;

    fn ask() -> ModelRequest {
        let sampling =
            Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.1, num_ctx: 4096, max_tokens: 80 };
        ModelRequest {
            model: "m".into(),
            rules: "R".into(),
            question: "Q".into(),
            sampling,
            wording: None,
            until: now(),
            keep_alive: None,
            prompt_estimate: None,
        }
    }

    fn now() -> Instant {
        SystemClock.instant()
    }

    fn server(name: &str) -> Server {
        Server { api: Api::Openai, name: name.into(), version: None }
    }

    fn read(lines: &[&str]) -> Result<(Option<Finish>, Finish, ModelAnswer), LlmError> {
        let mut stream = OpenaiStream::default();
        let mut growing = AnswerBuilder::new(now());
        let mut done = None;
        for line in lines {
            if let FrameEffect::Done(how) = stream.parse_line(line.as_bytes(), &mut growing)? {
                done = Some(how);
            }
        }
        let end = stream.finish_reason().unwrap_or(Finish::Aborted);
        Ok((done, end, growing.finish(Finish::Stop, &ask(), now(), None)))
    }

    #[test]
    fn only_llama_cpp_gets_more_than_the_common_options() {
        let llama = body(&ask(), &server(LLAMA_CPP), MessageForm::Separate);
        assert_eq!(llama["chat_template_kwargs"], json!({"enable_thinking": false}));
        assert_eq!((&llama["cache_prompt"], &llama["top_k"]), (&json!(true), &json!(40)));
        let common = body(&ask(), &server("openai"), MessageForm::Separate);
        let mut keys: Vec<&str> = common.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["max_tokens", "messages", "model", "stream", "stream_options", "temperature", "top_p"]);
    }

    #[test]
    fn a_prompt_that_is_only_read_differs_in_nothing_but_its_length() {
        for name in [LLAMA_CPP, "openai"] {
            let read = ModelRequest { sampling: Sampling { max_tokens: 1, ..ask().sampling }, ..ask() };
            let mut read = body(&read, &server(name), MessageForm::Separate);
            assert_eq!(read["max_tokens"], 1);
            read["max_tokens"] = json!(80);
            assert_eq!(read.to_string(), body(&ask(), &server(name), MessageForm::Separate).to_string());
        }
    }

    #[test]
    fn comments_role_chunks_and_reasoning_are_not_text() {
        let (done, _, answer) = read(&[
            ": ping",
            r#"data: {"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#,
            r#"data: {"choices":[{"delta":{"reasoning_content":"let me think"}}]}"#,
            r#"data: {"choices":[{"delta":{"content":""}}]}"#,
            r#"data: {"choices":[{"delta":{"content":"Adds a"}}]}"#,
            "",
            r#"data: {"choices":[{"delta":{"content":" retry."}}]}"#,
            r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":28}},"timings":{"cache_n":28,"prompt_n":2}}"#,
            "data: [DONE]",
        ])
        .unwrap();
        assert_eq!(done, Some(Finish::Stop));
        assert_eq!(answer.text, "Adds a retry.");
        assert_eq!((answer.tokens.prompt, answer.tokens.cached, answer.tokens.output), (Some(30), Some(28), Some(5)));
    }

    #[test]
    fn timings_stand_in_for_usage_and_chunks_for_both() {
        let timings = r#"data: {"choices":[{"delta":{"content":"A."},"finish_reason":"length"}],"timings":{"cache_n":7,"prompt_n":3,"predicted_n":9}}"#;
        let (_, end, answer) = read(&[timings]).unwrap();
        assert_eq!(end, Finish::Length);
        assert_eq!((answer.tokens.prompt, answer.tokens.cached, answer.tokens.output), (Some(10), Some(7), Some(9)));
        let (_, end, answer) = read(&[r#"data: {"choices":[{"delta":{"content":"A."}}]}"#]).unwrap();
        assert_eq!((end, answer.tokens.output), (Finish::Aborted, Some(1)));
    }

    #[test]
    fn errors_are_seen_in_the_stream_and_behind_a_200() {
        for line in [
            r#"data: {"error":{"code":500,"message":"context shift","type":"server_error"}}"#,
            r#"{"error":"Unexpected endpoint or method. (POST /v1/chat/completions). Returning 200 anyway"}"#,
        ] {
            assert!(matches!(read(&[line]), Err(LlmError::MidStream { .. })), "{line}");
        }
        assert!(matches!(read(&["data: nonsense"]), Err(LlmError::Garbled { .. })));
        assert!(matches!(read(&["<html>"]), Err(LlmError::Garbled { .. })));
    }

    #[test]
    fn a_server_that_ignores_stream_answers_in_one_object() {
        let whole = r#"{"choices":[{"message":{"role":"assistant","content":"Adds a retry."},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
        let (done, end, answer) = read(&[whole]).unwrap();
        assert_eq!((done, end, answer.text.as_str()), (None, Finish::Stop, "Adds a retry."));
    }

    #[test]
    fn models_carry_what_the_server_tells() {
        let models = json!({"data": [{"id": "t.gguf", "owned_by": "llamacpp",
            "meta": {"n_ctx": 4096, "n_ctx_train": 8192, "n_params": 426_624, "size": 17, "ftype": "Q4_K_M"}}]});
        let props = json!({"default_generation_settings": {"n_ctx": 2048}, "total_slots": 1});
        let model = &parse_models(&models, Some(&props))[0];
        assert_eq!((model.resident, model.loaded_context, model.context_length), (Some(true), Some(2048), Some(8192)));
        assert_eq!((model.parameters, model.quantization.as_deref()), (Some(426_624), Some("Q4_K_M")));
        assert_eq!(parse_models(&models, None)[0].resident, None);
    }
}
