//! What one forecast is about: a model on an endpoint, with its options, on this kind of power.

use serde::{Deserialize, Serialize};

use crate::domain::model::Sampling;

/// Runs with the same key are comparable; a new digest or other options are another thing to measure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    pub endpoint: String,
    pub model: String,
    /// Absent where the server does not tell.
    pub digest: Option<String>,
    /// Of the options that decide how a server runs a model: [`options_hash`].
    pub options: u64,
    pub on_battery: bool,
}

impl Key {
    /// Whether the other one is the same model on the same endpoint, though with another digest, options or power.
    #[must_use]
    pub fn is_kin_of(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint && self.model == other.model
    }
}

/// A hash of the options of one role that is the same in every version of the program (FNV-1a).
///
/// The number of tokens to write is not part of it: it varies with the time that is left, and is accounted for.
#[must_use]
pub fn options_hash(sampling: &Sampling) -> u64 {
    let bits = [sampling.temperature.to_bits(), sampling.top_p.to_bits(), sampling.repeat_penalty.to_bits()];
    let counts = [u64::from(sampling.top_k), u64::from(sampling.num_ctx)];
    let bytes = bits.into_iter().chain(counts).flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
        // Forecasts are stored under it.
        assert_eq!(hash, 0x718d_252c_66e2_7e31, "{hash:#x}");
    }
}
