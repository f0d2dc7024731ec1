//! How many tokens a text will cost, before any server has counted it.

/// Bytes per token, on the safe side: code and English prose lie between 3.2 and 4.5
/// with the tokenizers of the Llama, Mistral and Qwen families.
const BYTES_PER_TOKEN: f64 = 3.2;

/// An estimate in tokens that is rather too high than too low.
#[must_use]
pub fn estimate(text: &str) -> u32 {
    (text.len() as f64 / BYTES_PER_TOKEN).ceil() as u32
}

/// How many bytes fit into `tokens`.
#[must_use]
pub fn bytes_in(tokens: u32) -> usize {
    (f64::from(tokens) * BYTES_PER_TOKEN) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_rather_too_high_than_too_low() {
        // 11 tokens with Llama 3's tokenizer.
        let text = "Adds a retry to the login flow after a timeout.";
        assert!((11..=20).contains(&estimate(text)));
        assert_eq!(estimate(""), 0);
    }

    #[test]
    fn what_fits_is_estimated_to_fit() {
        for tokens in [0, 1, 7, 400, 100_000] {
            assert!(estimate(&"x".repeat(bytes_in(tokens))) <= tokens);
        }
    }
}
