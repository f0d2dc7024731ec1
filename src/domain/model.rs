//! Plain data about models and model servers that settings, router and client share.

use std::collections::BTreeMap;

use serde::Serialize;

use super::role::Role;

/// Wire protocol of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    Ollama,
    Openai,
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

/// How models are assigned to roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// One model (`models.default`) for all roles.
    Single,
    /// A model per role.
    Multi,
    Adaptive,
}

/// The models that the settings name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsConfig {
    pub roles: BTreeMap<Role, String>,
    pub default: Option<String>,
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
            completes: !names_other_kind(name),
            thinks: None,
        }
    }
}

/// True if two names denote the same model: case, `:latest` and the default registry do not matter.
#[must_use]
pub fn same_model(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

fn normal(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    let name = name.strip_prefix("registry.ollama.ai/").unwrap_or(&name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { name.to_owned() } else { format!("{name}:latest") }
}

/// What to do with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wait,
    /// Cut it now and salvage the complete sentences.
    Keep,
    /// Cut it now: no sentence will end in time.
    GiveUp,
}

/// Words (split at everything but letters and digits) that occur only in names of other kinds of model.
const NAMES: [&str; 40] = [
    "embed", "embedder", "embedding", "embeddings", "rerank", "reranker", "ranker", "colbert", "bert", "roberta",
    "minilm", "mpnet", "bge", "gte", "e5", "sbert", "whisper", "parakeet", "wav2vec2", "canary", "tts", "kokoro",
    "piper", "bark", "vits", "xtts", "stt", "asr", "sdxl", "diffusion", "flux", "dall", "clip", "siglip", "vae",
    "mmproj", "moderation", "guard", "shieldgemma", "reward",
];

/// Whether the name is that of a model that writes no text (embeddings, speech, images).
#[must_use]
pub fn names_other_kind(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // The last part of a path is the model; an organisation's name before it (`bert-labs/…`) does not count.
    let model = name.rsplit('/').next().unwrap_or(&name);
    let mut words = model.split(|c: char| !c.is_ascii_alphanumeric());
    let is_other =
        |word: &str| NAMES.contains(&word) || NAMES.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
    words.any(is_other) || model.contains("embed")
}
