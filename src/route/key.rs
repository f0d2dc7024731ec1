//! Key of a latency forecast: endpoint, model, digest, options and power source.

use serde::{Deserialize, Serialize};

use crate::domain::model::Sampling;
use crate::text::hash::fnv1a;

/// Runs with the same key are comparable; a new digest or other options start a new forecast.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForecastKey {
    pub endpoint: String,
    pub model: String,
    /// `None` where the server does not report it.
    pub digest: Option<String>,
    /// [`options_hash`] of the options that affect a model's speed.
    pub options: u64,
    pub on_battery: bool,
}

impl ForecastKey {
    /// Whether both are the same model on the same endpoint, with any digest, options or power source.
    #[must_use]
    pub fn is_same_model(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint && self.model == other.model
    }
}

/// Hash of a role's options, stable across program versions (FNV-1a).
///
/// The output limit is excluded: it varies with the time left and is modelled separately.
#[must_use]
pub fn options_hash(sampling: &Sampling) -> u64 {
    let bits = [sampling.temperature.to_bits(), sampling.top_p.to_bits(), sampling.repeat_penalty.to_bits()];
    let counts = [u64::from(sampling.top_k), u64::from(sampling.num_ctx)];
    let bytes = bits.into_iter().chain(counts).flat_map(u64::to_le_bytes);
    fnv1a(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling() -> Sampling {
        Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.1, num_ctx: 4096, max_tokens: 120 }
    }

    #[test]
    fn options_that_reload_a_model_change_the_hash_and_the_length_of_the_answer_does_not() {
        let hash = options_hash(&sampling());
        assert_ne!(hash, options_hash(&Sampling { num_ctx: 8192, ..sampling() }));
        assert_ne!(hash, options_hash(&Sampling { temperature: 0.3, ..sampling() }));
        assert_eq!(hash, options_hash(&Sampling { max_tokens: 24, ..sampling() }));
        // Stored forecasts depend on this value.
        assert_eq!(hash, 0x718d_252c_66e2_7e31, "{hash:#x}");
    }
}
