//! Capabilities of a model, from its server's metadata, its name, family and size.

use serde::Serialize;

use crate::domain::model::ListedModel;

/// What a model was trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Specialty {
    /// Trained on code: precise about it.
    Code,
    /// Trained to converse: lively.
    Chat,
    /// Follows instructions and formats.
    Instruct,
    /// The name gives no hint.
    General,
    /// Base model: continues text without instruction tuning.
    Base,
}

/// Properties of a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Traits {
    pub bent: Specialty,
    /// Reasoning model: its reasoning delays the first token by seconds unless disabled.
    pub thinks: bool,
    /// Number of weights, reported or parsed from the name.
    pub parameters: Option<u64>,
    /// Bytes of memory that it takes while loaded.
    pub needs_bytes: Option<u64>,
}

/// Parts of names, most specific first.
const SPECIALTY_NAMES: [(Specialty, &[&str]); 4] = [
    (Specialty::Code, &["code", "coder", "starcoder", "codestral", "devstral", "sqlcoder"]),
    (Specialty::Chat, &["chat", "zephyr", "vicuna", "openhermes"]),
    (Specialty::Instruct, &["instruct", "orca", "dolphin", "hermes", "-it", ":it", "wizard"]),
    (Specialty::Base, &["-base", ":base", ":text", "-text", "-pt"]),
];
const THINKING: [&str; 8] =
    ["deepseek-r1", "qwq", "thinking", "reasoning", "gpt-oss", "magistral", "marco-o1", "phi4-mini-reasoning"];

/// Memory beside the weights: context cache and server buffers. Measured as about a fifth for the weights' repacking
/// and half a gigabyte for the rest at a context of some thousand tokens.
const OVER_WEIGHTS: f64 = 1.2;
const BESIDE_BYTES: f64 = 0.5e9;
/// Four-bit weights with their scales.
const BYTES_PER_WEIGHT: f64 = 4.9 / 8.0;

impl Traits {
    #[must_use]
    pub fn from_offer(model: &ListedModel) -> Self {
        let name = model.name.to_lowercase();
        let any = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        let parameters = model.parameters.or_else(|| parameters_in(&name));
        let weights = model.size_bytes.map(|bytes| bytes as f64);
        let weights = weights.or(parameters.map(|count| count as f64 * BYTES_PER_WEIGHT));
        Self {
            bent: SPECIALTY_NAMES.iter().find(|(_, parts)| any(parts)).map_or(Specialty::General, |(bent, _)| *bent),
            thinks: model.thinks.unwrap_or_else(|| any(&THINKING)),
            parameters,
            needs_bytes: weights.map(|bytes| (bytes * OVER_WEIGHTS + BESIDE_BYTES) as u64),
        }
    }

    /// Billions of weights; 7 where unknown.
    #[must_use]
    pub fn billions(&self) -> f64 {
        self.parameters.map_or(7.0, |count| count as f64 / 1e9)
    }
}

/// `llama3.2:3b-instruct` → 3 · 10⁹; `8x7b` → 56 · 10⁹; `360m` → 360 · 10⁶.
fn parameters_in(name: &str) -> Option<u64> {
    let words = name.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.filter_map(size).max()
}

fn size(word: &str) -> Option<u64> {
    let (number, unit) = match word.strip_suffix('b') {
        Some(number) => (number, 1e9),
        None => (word.strip_suffix('m')?, 1e6),
    };
    let (experts, each) = number.split_once('x').unwrap_or(("1", number));
    let weights = experts.parse::<f64>().ok()? * each.parse::<f64>().ok()? * unit;
    (1e6..1e13).contains(&weights).then_some(weights as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(name: &str) -> Traits {
        Traits::from_offer(&ListedModel::named(name))
    }

    #[test]
    fn names_tell_what_a_model_was_made_for() {
        for (name, bent) in [
            ("codellama:7b", Specialty::Code),
            ("qwen2.5-coder:7b-instruct-q4_K_M", Specialty::Code),
            ("starcoder2:3b", Specialty::Code),
            ("neural-chat:7b", Specialty::Chat),
            ("zephyr", Specialty::Chat),
            ("orca-mini:3b", Specialty::Instruct),
            ("dolphin-mistral", Specialty::Instruct),
            ("gemma-2-2b-it", Specialty::Instruct),
            ("llama2:13b", Specialty::General),
            ("mistral:latest", Specialty::General),
            ("llama2:7b-text", Specialty::Base),
        ] {
            assert_eq!(traits(name).bent, bent, "{name}");
        }
    }

    #[test]
    fn sizes_are_parsed_from_names_without_metadata() {
        for (name, billions) in [
            ("orca-mini:3b", Some(3.0)),
            ("llama3.2:1b-instruct-q4_K_M", Some(1.0)),
            ("Qwen2.5-0.5B-Instruct-GGUF", Some(0.5)),
            ("mixtral:8x7b", Some(56.0)),
            ("smollm:360m", Some(0.36)),
            ("mistral:latest", None),
            ("b", None),
            ("999999999999b", None),
            ("xb:x7b", None),
        ] {
            let found = traits(name).parameters.map(|count| count as f64 / 1e9);
            assert_eq!(
                found.map(|size| (size * 100.0).round()),
                billions.map(|size: f64| (size * 100.0).round()),
                "{name}"
            );
        }
        let offer = ListedModel { parameters: Some(3_200_000_000), ..ListedModel::named("llama3.2:1b") };
        assert_eq!(Traits::from_offer(&offer).parameters, Some(3_200_000_000));
    }

    #[test]
    fn thinkers_are_recognised() {
        assert!(traits("deepseek-r1:8b").thinks && traits("qwen3-4b-thinking").thinks && !traits("qwen3:4b").thinks);
    }

    #[test]
    fn what_the_server_tells_counts_for_more_than_the_name() {
        let thinks_by_offer = |name: &str, thinks| {
            Traits::from_offer(&ListedModel { thinks: Some(thinks), ..ListedModel::named(name) }).thinks
        };
        assert!(thinks_by_offer("qwen3:4b", true) && !thinks_by_offer("qwen3-4b-thinking", false));
    }

    #[test]
    fn a_model_needs_more_memory_than_its_weights() {
        let gigabytes = |name: &str| traits(name).needs_bytes.map(|bytes| (bytes as f64 / 1e9).round());
        assert_eq!([gigabytes("a:3b"), gigabytes("a:7b"), gigabytes("a:13b")], [Some(3.0), Some(6.0), Some(10.0)]);
        assert_eq!(gigabytes("mistral"), None);
    }
}
