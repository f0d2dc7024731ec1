//! Error mapping: a server's status and error text become an `LlmError`.

use serde_json::Value;

use super::LlmError;
use super::transport::{WholeBody, sanitise};

/// Parses the error of an unsuccessful response.
pub(super) fn refusal(whole: &WholeBody, model: &str) -> LlmError {
    let raw = raw_message(whole);
    let message = sanitise(template_message(&raw));
    let low = raw.to_lowercase();
    match whole.status {
        300..=399 => LlmError::Status {
            status: whole.status,
            message: "a redirect, which is never followed: it would hand the question to another server".to_owned(),
        },
        401 | 403 => LlmError::Status { status: whole.status, message },
        404 if low.contains("model") => LlmError::NoSuchModel { model: model.to_owned() },
        400 | 413 if is_length_error(&low) => LlmError::PromptTooLong { message },
        // A busy server has not looked at the messages.
        429 | 503 => LlmError::Status { status: whole.status, message },
        400.. if refuses_system_role(&low) => LlmError::NoSystemRole { message },
        status => LlmError::Status { status, message },
    }
}

/// Parses the error in a stream line, or in a body with status 200.
pub(super) fn parse_reported(value: &Value) -> Option<LlmError> {
    let raw = raw_error(value)?;
    let message = sanitise(template_message(&raw));
    let low = raw.to_lowercase();
    Some(if refuses_system_role(&low) { LlmError::NoSystemRole { message } } else { LlmError::MidStream { message } })
}

/// Ollama and llama.cpp have several messages for it.
fn is_length_error(low: &str) -> bool {
    ["exceed_context", "exceeds the available context", "longer than the context", "context length", "context size"]
        .iter()
        .any(|words| low.contains(words))
}

/// True if the chat template rejected the system message. Templates raise it in their own words ("System role not
/// supported", "Conversation roles must alternate user/assistant", "Only user and assistant roles are supported!"), and
/// servers wrap it: llama.cpp as status 500 with the place in the template, vLLM as 400, LM Studio as "Error rendering
/// prompt with jinja template". A retry with one message is harmless if the cause was another.
fn refuses_system_role(low: &str) -> bool {
    let any = |words: &[&str]| words.iter().any(|words| low.contains(words));
    let of_template = any(&["jinja", "raise_exception", "templateerror", "chat template", "rendering prompt"]);
    let of_roles = any(&["role", "system message", "system prompt", "system instruction"])
        && any(&[
            "not supported", "unsupported", "alternate", "are supported", "is supported", "not allowed", "unknown",
            "invalid", "unexpected", "not accept", "must be", "must start", "doesn't support", "does not support",
            "not implemented", "no system", "expected",
        ]);
    of_template || of_roles
}

/// The template's message, without the excerpt that llama.cpp puts before it.
fn template_message(raw: &str) -> &str {
    ["Jinja Exception: ", "TemplateError: "]
        .iter()
        .find_map(|mark| raw.rfind(mark).and_then(|at| raw.get(at + mark.len()..)))
        .unwrap_or(raw)
}

/// The server's message, or the bare body.
fn raw_message(whole: &WholeBody) -> String {
    let json = whole.json();
    raw_error(&json)
        .or_else(|| ["message", "detail", "msg", "title"].iter().find_map(|field| nested_text(&json[*field])))
        .unwrap_or_else(|| String::from_utf8_lossy(&whole.body[..whole.body.len().min(2000)]).into_owned())
}

/// `{"error":"text"}`, `{"error":{"message":"text"}}`, and vLLM's `{"object":"error","message":"text"}`.
fn raw_error(value: &Value) -> Option<String> {
    if value["object"] == "error" {
        return nested_text(&value["message"]);
    }
    let error = value.get("error").filter(|error| !error.is_null() && **error != Value::Bool(false))?;
    Some(nested_text(error).or_else(|| nested_text(&value["message"])).unwrap_or_else(|| error.to_string()))
}

/// Nested text: a string, `{"message": …}`, or a list of such (FastAPI).
fn nested_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Object(fields) => {
            ["message", "msg", "detail", "error"].iter().find_map(|name| nested_text(fields.get(*name)?))
        }
        Value::Array(all) => all.iter().find_map(nested_text),
        _ => None,
    }
}

/// The text of an `error` field, if there is one.
pub(super) fn error_text(value: &Value) -> Option<String> {
    raw_error(value).map(|text| sanitise(template_message(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> LlmError {
        refusal(&WholeBody { status, body: body.as_bytes().to_vec() }, "m")
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
    fn a_template_without_a_system_role_is_recognised_however_it_is_said() {
        for (status, body) in [
            (400, r#"{"object":"error","message":"System role not supported","code":400}"#),
            (400, r#"{"error":{"message":"System role not supported","type":"BadRequestError","code":400}}"#),
            (400, r#"{"detail":"Conversation roles must alternate user/assistant/user/assistant/..."}"#),
            (422, r#"{"detail":[{"loc":["body","messages",0,"role"],"msg":"role 'system' is not allowed"}]}"#),
            (400, r#"{"error":"Only user, assistant and tool roles are supported, got system."}"#),
            (400, r#"{"error":"Error rendering prompt with jinja template: \"Only user and assistant roles!\""}"#),
            (
                500,
                r#"{"error":{"code":500,"message":"\n---\nWhile executing CallExpression at line 4, column 32:\n...raise_exception('System role not supported') }}\nError: Jinja Exception: System role not supported","type":"server_error"}}"#,
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"Unable to generate parser for this template. Automatic parser generation failed: \n------------\nWhile executing CallExpression at line 1, column 96 in source:\n...\nError: Jinja Exception: System role not supported","type":"invalid_request_error"}}"#,
            ),
            (500, r#"{"error":{"code":500,"message":"Failed to apply chat template"}}"#),
            (400, r#"{"error":"{\"error\":{\"code\":500,\"message\":\"Unknown role: system\"}}"}"#),
            (400, "jinja2.exceptions.TemplateError: System role not supported"),
        ] {
            assert!(matches!(refused(status, body), LlmError::NoSystemRole { .. }), "{status} {body}");
        }
        for (status, body) in [
            (401, r#"{"error":"your role does not support this"}"#),
            (404, r#"{"error":"model 'm' not found"}"#),
            (500, r#"{"error":"out of memory"}"#),
            (400, r#"{"error":{"message":"the request exceeds the available context size, chat template included"}}"#),
        ] {
            assert!(!matches!(refused(status, body), LlmError::NoSystemRole { .. }), "{status} {body}");
        }
        let inside = serde_json::json!({"error": {"message": "System role not supported"}});
        assert!(matches!(parse_reported(&inside), Some(LlmError::NoSystemRole { .. })));
        assert!(matches!(parse_reported(&serde_json::json!({"error": "gone"})), Some(LlmError::MidStream { .. })));
        assert!(parse_reported(&serde_json::json!({"error": null, "choices": []})).is_none());
    }

    #[test]
    fn the_words_of_a_refusal_are_found_wherever_servers_put_them() {
        for (body, words) in [
            (r#"{"error":{"code":401,"message":"Invalid API Key"}}"#, "Invalid API Key"),
            (r#"{"object":"error","message":"no","code":400}"#, "no"),
            (r#"{"detail":"Not authenticated"}"#, "Not authenticated"),
            (r#"{"detail":[{"msg":"field required"}]}"#, "field required"),
            (r#"{"error":true,"message":"busy"}"#, "busy"),
        ] {
            assert_eq!(refused(418, body).to_string(), format!("the server answered 418: {words}"));
        }
        let long = format!("{}\nError: Jinja Exception: No tools here", "x".repeat(900));
        let body = serde_json::json!({"error": {"message": long}}).to_string();
        assert!(matches!(refused(500, &body), LlmError::NoSystemRole { message } if message == "No tools here"));
    }

    #[test]
    fn busy_and_failing_servers_keep_their_words() {
        let busy = refused(503, r#"{"error":"server busy, please try again."}"#);
        assert_eq!(busy.to_string(), "the server answered 503: server busy, please try again.");
        assert_eq!(refused(500, "<html>no</html>").to_string(), "the server answered 500: <html>no</html>");
        assert!(refused(307, "").to_string().contains("redirect"));
    }
}
