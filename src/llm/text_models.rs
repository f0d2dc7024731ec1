//! Text generation check of a listed model: by the server's data, else by its name.

use crate::domain::model::names_other_kind;
use serde_json::Value;

/// Model kinds as servers name them in `type`, `task`, `pipeline_tag` and `capabilities`: LM Studio (`llm`, `vlm`,
/// `embeddings`), Ollama and llama.cpp (`completion`, `embedding`), vLLM (`generate`, `embed`, `score`), Hugging Face's
/// servers (its pipeline tags).
const WRITING: [&str; 13] = [
    "llm", "vlm", "chat", "completion", "completions", "generate", "text-generation", "text2text-generation",
    "image-text-to-text", "conversational", "language", "chat-completion", "text-to-text",
];
const OTHER: [&str; 25] = [
    "embedding",
    "embeddings",
    "embed",
    "feature-extraction",
    "sentence-similarity",
    "rerank",
    "reranker",
    "reranking",
    "text-ranking",
    "score",
    "classify",
    "text-classification",
    "token-classification",
    "reward",
    "image",
    "text-to-image",
    "image-generation",
    "audio",
    "tts",
    "text-to-speech",
    "stt",
    "transcription",
    "automatic-speech-recognition",
    "moderation",
    "draft",
];

/// Encoder architectures, which cannot generate text (older Ollama servers list only the family, no capabilities).
const ENCODERS: [&str; 8] =
    ["bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "xlm-roberta", "clip", "whisper", "t5encoder"];

/// `Some(true)`: a text model by the server's data; `Some(false)`: another kind, by the server's data or the name.
#[must_use]
pub(super) fn generates_text(row: &Value) -> Option<bool> {
    by_output(row)
        .or_else(|| by_kind(row))
        .or_else(|| by_family(row))
        .or_else(|| names_other_kind(listed_name(row)?).then_some(false))
}

/// Output modalities (`architecture.output_modalities` of llama.cpp's router and others).
fn by_output(row: &Value) -> Option<bool> {
    let places = [&row["architecture"]["output_modalities"], &row["output_modalities"]];
    let outputs = places.into_iter().find_map(Value::as_array).filter(|outputs| !outputs.is_empty())?;
    Some(outputs.iter().any(|output| output == "text"))
}

fn by_kind(row: &Value) -> Option<bool> {
    let single = ["type", "task", "pipeline_tag", "model_type", "mode"].iter().filter_map(|field| row[*field].as_str());
    let listed = ["capabilities", "tasks", "supported_tasks"].iter().flat_map(|field| kinds(&row[*field]));
    let kinds: Vec<String> =
        single.chain(listed).map(|kind| kind.to_ascii_lowercase().replace(['_', ' '], "-")).collect();
    let any = |known: &[&str]| kinds.iter().any(|kind| known.contains(&kind.as_str()));
    if any(&WRITING) {
        return Some(true);
    }
    any(&OTHER).then_some(false)
}

/// A list of kinds, or an object of switches (`{"completion": true}`).
fn kinds(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        Value::Object(all) => all.iter().filter(|(_, on)| **on == true).map(|(kind, _)| kind.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn by_family(row: &Value) -> Option<bool> {
    let details = &row["details"];
    let listed = details["families"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let families: Vec<&str> = details["family"].as_str().into_iter().chain(listed).filter(|f| !f.is_empty()).collect();
    // A vision model has `clip` beside the family of its text model.
    let encodes = |family: &&str| ENCODERS.contains(family);
    (!families.is_empty() && families.iter().all(encodes)).then_some(false)
}

fn listed_name(row: &Value) -> Option<&str> {
    ["id", "name", "model"].iter().find_map(|field| row[*field].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_that_tells_is_believed_before_the_name() {
        for (row, expected) in [
            (json!({"id": "m", "type": "llm"}), Some(true)),
            (json!({"id": "m", "type": "embeddings"}), Some(false)),
            (json!({"name": "m", "capabilities": ["embedding"]}), Some(false)),
            (json!({"name": "embedded-c-coder", "capabilities": ["completion", "tools"]}), Some(true)),
            (json!({"id": "m", "task": "automatic-speech-recognition"}), Some(false)),
            (json!({"id": "m", "architecture": {"output_modalities": ["text"]}}), Some(true)),
            (json!({"id": "m", "architecture": {"output_modalities": ["image"]}}), Some(false)),
            (json!({"name": "m", "details": {"family": "nomic-bert", "families": ["nomic-bert"]}}), Some(false)),
            (json!({"name": "llava:7b", "details": {"family": "llama", "families": ["llama", "clip"]}}), None),
            (json!({"id": "m", "type": "model", "object": "model"}), None),
        ] {
            assert_eq!(generates_text(&row), expected, "{row}");
        }
    }

    #[test]
    fn a_name_tells_by_whole_words() {
        for other in [
            "nomic-embed-text:latest",
            "text-embedding-nomic-embed-text-v1.5",
            "BAAI/bge-m3",
            "bge-reranker-v2-m3",
            "all-minilm",
            "intfloat/multilingual-e5-large",
            "Systran/faster-whisper-large-v3",
            "hexgrad/Kokoro-82M",
            "stabilityai/stable-diffusion-xl",
            "FLUX.1-dev",
            "llama-guard3:8b",
            "Qwen3-Reranker-0.6B-GGUF:Q8_0",
            "snowflake-arctic-embed2",
            "mmproj-model-f16",
            "embeddinggemma-300m",
            "jina-embeddings-v3",
        ] {
            assert_eq!(generates_text(&json!({"id": other})), Some(false), "{other}");
        }
        for model in [
            "qwen2.5-coder:7b", "google/gemma-2-2b-it", "Llama-3.2-1B-Instruct", "phi-4-mini", "bert-labs/writer-7b",
            "mistral-nemo", "smollm2:1.7b", "deepseek-r1", "granite-code:3b", "codestral", "gpt-oss-20b",
        ] {
            assert_eq!(generates_text(&json!({"id": model})), None, "{model}");
        }
    }
}
