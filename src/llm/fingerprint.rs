//! Server detection by the shape of the answers, never by a status or a port.
//! (LM Studio answers unknown paths with 200 and an error text.)

use std::time::Instant;

use serde_json::Value;

use super::openai::{LLAMA_CPP, LM_STUDIO, MODELS, PROPS};
use super::server_error::refusal;
use super::transport::{Transport, WholeBody};
use super::{LlmError, Server};
use crate::domain::model::Api;

const VERSION: &str = "/api/version";

/// Sends at most three requests, the most specific one first.
///
/// # Errors
/// Any transport error; `Status` for a server that only fails; `NotAModelServer` for anything else.
pub(super) async fn fingerprint(wire: &Transport, url: &str, until: Instant) -> Result<Server, LlmError> {
    if let Some(server) = ollama(&wire.get(VERSION, until).await?) {
        return Ok(server);
    }
    if let Some(server) = llama_cpp(&wire.get(PROPS, until).await?) {
        return Ok(server);
    }
    let models = wire.get(MODELS, until).await?;
    if let Some(server) = openai(&models) {
        return Ok(server);
    }
    Err(if models.status >= 300 && models.status != 404 {
        refusal(&models, "")
    } else {
        LlmError::NotAModelServer { url: url.to_owned() }
    })
}

/// The default for a server with a configured protocol.
pub(super) fn configured(api: Api) -> Server {
    let name = match api {
        Api::Ollama => "ollama",
        Api::Openai => "openai",
    };
    Server { api, name: name.to_owned(), version: None }
}

fn ollama(whole: &WholeBody) -> Option<Server> {
    let version = whole.json()["version"].as_str()?.to_owned();
    Some(Server { version: Some(version), ..configured(Api::Ollama) })
}

fn llama_cpp(whole: &WholeBody) -> Option<Server> {
    let props = whole.json();
    props["total_slots"].as_u64()?;
    let version = props["build_info"].as_str().map(str::to_owned);
    Some(Server { api: Api::Openai, name: LLAMA_CPP.to_owned(), version })
}

fn openai(whole: &WholeBody) -> Option<Server> {
    let models = whole.json();
    let rows = models["data"].as_array()?;
    let owner = rows.first().map_or("", |row| row["owned_by"].as_str().unwrap_or(""));
    let shaped = models["object"] == "list" || rows.iter().any(|row| row["id"].is_string());
    let name = match owner {
        "vllm" => "vllm",
        "llamacpp" => LLAMA_CPP,
        "organization_owner" => LM_STUDIO,
        _ => "openai",
    };
    let version = models["version"].as_str().map(str::to_owned);
    (shaped || rows.iter().all(Value::is_object)).then(|| Server { api: Api::Openai, name: name.to_owned(), version })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(status: u16, body: &str) -> WholeBody {
        WholeBody { status, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn shapes_tell_the_servers_apart() {
        let server = ollama(&whole(200, r#"{"version":"0.33.0"}"#)).unwrap();
        assert_eq!((server.name.as_str(), server.version.as_deref()), ("ollama", Some("0.33.0")));
        let server = llama_cpp(&whole(200, r#"{"total_slots":1,"build_info":"b9000"}"#)).unwrap();
        assert_eq!((server.name.as_str(), server.version.as_deref()), ("llama.cpp", Some("b9000")));
        for (owner, name) in
            [("vllm", "vllm"), ("organization_owner", "lmstudio"), ("llamacpp", "llama.cpp"), ("me", "openai")]
        {
            let body = format!(r#"{{"object":"list","data":[{{"id":"m","owned_by":"{owner}"}}]}}"#);
            assert_eq!(openai(&whole(200, &body)).unwrap().name, name);
        }
    }

    #[test]
    fn a_status_of_200_proves_nothing() {
        let lm_studio = whole(200, r#"{"error":"Unexpected endpoint or method. Returning 200 anyway"}"#);
        assert_eq!((ollama(&lm_studio), llama_cpp(&lm_studio), openai(&lm_studio)), (None, None, None));
        let page = whole(200, "<html>It works!</html>");
        assert_eq!((ollama(&page), llama_cpp(&page), openai(&page)), (None, None, None));
    }
}
