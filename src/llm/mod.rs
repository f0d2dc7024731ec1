//! Local model servers: model lists, and one streamed answer under one deadline. Only this module uses `reqwest`.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::domain::model::{Api, Sampling};
use crate::domain::timing::Tokens;
use crate::domain::wording::Wording;

mod address;
mod answer;
mod client;
mod fingerprint;
mod frames;
mod grammar;
mod message_form;
mod ollama;
mod openai;
mod pace;
mod post;
mod server_error;
mod text_models;
mod transport;

pub use client::Client;
pub use pace::{AnswerPace, AnswerProgress};
pub use post::post_json;

/// The detected server of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    pub api: Api,
    /// `ollama`, `llama.cpp`, `vllm`, `lmstudio`, `openai`.
    pub name: String,
    pub version: Option<String>,
}

/// One request. The rules come first and are byte-stable, for the server's prefix cache.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    pub model: String,
    pub rules: String,
    pub question: String,
    pub sampling: Sampling,
    /// Vocabulary of the answer, if one sentence is wanted. Servers with grammar support are constrained to it, others
    /// stop at the first empty line.
    pub wording: Option<Wording>,
    /// Deadline: the answer is cut at this instant.
    pub until: Instant,
    /// How long the server should keep the model loaded (Ollama's `keep_alive`).
    pub keep_alive: Option<Duration>,
    /// Our own estimate of the prompt in tokens; a far lower count of the server means truncation.
    pub prompt_estimate: Option<u32>,
}

/// The clock that ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFired {
    /// While connecting or waiting for headers.
    Connect,
    /// While waiting for the first content.
    FirstToken,
    /// While content was arriving.
    Stream,
    /// The pace: the rest would not have arrived in time.
    Pace,
}

impl std::fmt::Display for ClockFired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::FirstToken => "first token",
            Self::Stream => "stream",
            Self::Pace => "pace",
        })
    }
}

/// Finish reason of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model stopped by itself (end of sequence).
    Stop,
    /// It reached `max_tokens`.
    Length,
    /// Cut by the deadline or a pace.
    Cut(ClockFired),
    /// The stream ended without its closing message.
    Aborted,
}

/// The answer with its measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    pub text: String,
    pub finish: Finish,
    pub tokens: Tokens,
    /// The server's own load time.
    pub load: Option<Duration>,
    /// Request sent → first non-empty content.
    pub ttft: Option<Duration>,
    /// (e2e − ttft) / (n − 1).
    pub tpot: Option<Duration>,
    /// Chunks of content up to the end of the first sentence; one chunk is about one token.
    pub sentence_tokens: Option<u64>,
    /// Request sent → end.
    pub elapsed: Duration,
    /// The server evaluated noticeably fewer prompt tokens than were sent: it truncated the prompt.
    pub prompt_truncated: bool,
    /// Error after text had arrived (`Finish::Aborted`): the server's message or the violated limit.
    pub broken_off: Option<String>,
}

impl ModelAnswer {
    /// A text without measurements.
    #[must_use]
    pub fn unmeasured(text: &str, finish: Finish) -> Self {
        Self {
            text: text.to_owned(),
            finish,
            tokens: Tokens::default(),
            load: None,
            ttft: None,
            tpot: None,
            sentence_tokens: None,
            elapsed: Duration::ZERO,
            prompt_truncated: false,
            broken_off: None,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    #[error("{url} is not on this machine")]
    NotLoopback { url: String },
    #[error("model {model:?} runs in the cloud")]
    Cloud { model: String },
    #[error("nothing listens at {url}")]
    Unreachable { url: String },
    #[error("{}", deadline_message(*.0))]
    Deadline(ClockFired),
    #[error("the server answered {status}: {message}")]
    Status { status: u16, message: String },
    #[error("the server has no model {model:?}")]
    NoSuchModel { model: String },
    #[error("the model's chat template takes no system message: {message}")]
    NoSystemRole { message: String },
    #[error("the prompt does not fit the model's context: {message}")]
    PromptTooLong { message: String },
    #[error("the server broke off: {message}")]
    MidStream { message: String },
    #[error("the answer violates the protocol: {message}")]
    Garbled { message: String },
    #[error("the answer exceeds {limit} bytes")]
    TooMuch { limit: usize },
    #[error("{url} does not answer like a model server")]
    NotAModelServer { url: String },
    #[error("invalid endpoint {url:?}: {message}")]
    InvalidEndpoint { url: String, message: String },
}

impl LlmError {
    /// The server requires a key, or rejected this one (401, 403).
    #[must_use]
    pub fn is_refused_key(&self) -> bool {
        matches!(self, Self::Status { status: 401 | 403, .. })
    }

    /// The server's message.
    fn message_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Status { message, .. }
            | Self::NoSystemRole { message }
            | Self::PromptTooLong { message }
            | Self::MidStream { message }
            | Self::Garbled { message } => Some(message),
            _ => None,
        }
    }
}

fn deadline_message(clock: ClockFired) -> String {
    match clock {
        ClockFired::Pace => "given up before the deadline: nothing would have been ready in time".to_owned(),
        clock => format!("the deadline passed while waiting for: {clock}"),
    }
}
