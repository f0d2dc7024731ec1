//! Local model servers: model lists, and one streamed answer under one deadline. Only this module uses `reqwest`.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::domain::timing::Tokens;
use crate::domain::wording::Wording;

mod address;
mod answer;
mod client;
mod fingerprint;
mod form;
mod frames;
mod grammar;
mod ollama;
mod openai;
mod pace;
mod refusal;
mod wire;
mod writing;

pub use client::Client;
pub use ollama::same_model;
pub use pace::{Pace, SoFar};

/// Wire protocol of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    Ollama,
    Openai,
}

/// The detected server of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    pub api: Api,
    /// `ollama`, `llama.cpp`, `vllm`, `lmstudio`, `openai`.
    pub name: String,
    pub version: Option<String>,
}

/// A model that an endpoint offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offered {
    pub name: String,
    pub digest: Option<String>,
    pub family: Option<String>,
    /// Number of weights, if reported.
    pub parameters: Option<u64>,
    pub quantization: Option<String>,
    pub size_bytes: Option<u64>,
    pub context_length: Option<u64>,
    /// Loaded at present; absent if unknown.
    pub resident: Option<bool>,
    /// Not loaded, but loadable on request (a router), perhaps in exchange for another model.
    pub loads_on_request: bool,
    /// Context length of the loaded runner.
    pub loaded_context: Option<u64>,
    /// Share of the weights in GPU memory, 0..=1, for loaded models.
    pub gpu_share: Option<f64>,
    /// Runs on a remote machine (an Ollama cloud model).
    pub cloud: bool,
    /// A text generation model (not: embeddings, speech, images), by the server's data or its name.
    pub completes: bool,
    /// Has a reasoning mode; absent if unknown.
    pub thinks: Option<bool>,
}

impl Offered {
    /// A model known by its name only.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            digest: None,
            family: None,
            parameters: None,
            quantization: None,
            size_bytes: None,
            context_length: None,
            resident: None,
            loads_on_request: false,
            loaded_context: None,
            gpu_share: None,
            cloud: false,
            completes: writing::by_name(name) != Some(false),
            thinks: None,
        }
    }
}

/// Options of one role; constant per role, so that no server reloads a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sampling {
    pub temperature: f64,
    pub top_p: f64,
    pub top_k: u32,
    pub repeat_penalty: f64,
    /// Context window in tokens: a runner option, must not vary between requests.
    pub num_ctx: u32,
    /// Maximum tokens of the answer.
    pub max_tokens: u32,
}

/// One request. The rules come first and are byte-stable, for the server's prefix cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
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
pub struct Answer {
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
    pub took: Duration,
    /// The server evaluated noticeably fewer prompt tokens than were sent: it truncated the prompt.
    pub prompt_truncated: bool,
    /// Error after text had arrived (`Finish::Aborted`): the server's message or the violated limit.
    pub broken_off: Option<String>,
}

impl Answer {
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
            took: Duration::ZERO,
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
    #[error("{}", out_of_time(*.0))]
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

fn out_of_time(clock: ClockFired) -> String {
    match clock {
        ClockFired::Pace => "given up before the deadline: nothing would have been ready in time".to_owned(),
        clock => format!("the deadline passed while waiting for: {clock}"),
    }
}
