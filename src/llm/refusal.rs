//! What a server means when it says no: its status and words become one of our errors.

use serde_json::Value;

use super::LlmError;
use super::wire::{Whole, harmless};

/// Reads the error out of a response that is not a success.
pub(super) fn refusal(whole: &Whole, model: &str) -> LlmError {
    let message = message(whole);
    let low = message.to_lowercase();
    match whole.status {
        300..=399 => LlmError::Status {
            status: whole.status,
            message: "a redirect, which is never followed: it would hand the question to another server".to_owned(),
        },
        404 if low.contains("model") => LlmError::NoSuchModel { model: model.to_owned() },
        400 | 413 if speaks_of_length(&low) => LlmError::PromptTooLong { message },
        status => LlmError::Status { status, message },
    }
}

/// Ollama and llama.cpp say it in several ways.
fn speaks_of_length(low: &str) -> bool {
    ["exceed_context", "exceeds the available context", "longer than the context", "context length", "context size"]
        .iter()
        .any(|words| low.contains(words))
}

/// `{"error":"text"}`, `{"error":{"message":"text"}}`, or the bare body.
fn message(whole: &Whole) -> String {
    match error_text(&whole.json()) {
        Some(text) => text,
        None => harmless(&String::from_utf8_lossy(&whole.body[..whole.body.len().min(2000)])),
    }
}

/// The words of an `error` field, if there is one.
pub(super) fn error_text(value: &Value) -> Option<String> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let text = error.as_str().or_else(|| error.get("message").and_then(Value::as_str));
    Some(harmless(text.map_or_else(|| error.to_string(), str::to_owned).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> LlmError {
        refusal(&Whole { status, body: body.as_bytes().to_vec() }, "m")
    }

    #[test]
    fn unknown_models_are_told_apart_from_unknown_paths() {
        assert!(matches!(refused(404, r#"{"error":"model 'm' not found"}"#), LlmError::NoSuchModel { .. }));
        assert!(matches!(refused(404, "404 page not found"), LlmError::Status { status: 404, .. }));
    }

    #[test]
    fn too_long_prompts_are_recognised_in_both_dialects() {
        for body in [
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            r#"{"error":"the prompt is longer than the context length currently available"}"#,
            r#"{"error":"{\"error\":{\"type\":\"exceed_context_size_error\",\"n_ctx\":4096}}"}"#,
        ] {
            assert!(matches!(refused(400, body), LlmError::PromptTooLong { .. }), "{body}");
        }
        assert!(matches!(refused(400, r#"{"error":"bad option"}"#), LlmError::Status { .. }));
    }

    #[test]
    fn busy_and_failing_servers_keep_their_words() {
        let busy = refused(503, r#"{"error":"server busy, please try again."}"#);
        assert_eq!(busy.to_string(), "the server answered 503: server busy, please try again.");
        assert_eq!(refused(500, "<html>no</html>").to_string(), "the server answered 500: <html>no</html>");
        assert!(refused(307, "").to_string().contains("redirect"));
    }
}
