//! Token estimate: a safe constant until a server has reported counts, then the measured ratio.

/// Upper bound on the measured ratio: servers that omit cached tokens report too few.
const MOST: f64 = 4.5;
/// Safety margin for the next prompt.
const MARGIN: f64 = 0.95;
/// Minimum counted tokens for a measured ratio.
const ENOUGH: f64 = 200.0;
/// Weight of older counts against the next one (exponential decay).
pub const FADE: f64 = 0.9;

/// Counts of a server: bytes sent and tokens reported, with decay.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    pub bytes: f64,
    pub tokens: f64,
}

impl Counts {
    /// Whether a count covers the whole prompt: some servers omit cached tokens, and a truncated prompt is no measure.
    #[must_use]
    pub fn is_plausible(bytes: u64, tokens: u64) -> bool {
        tokens > 0 && (1.0..=8.0).contains(&(bytes as f64 / tokens as f64))
    }

    /// Adds one prompt.
    #[must_use]
    pub fn and(self, bytes: u64, tokens: u64) -> Self {
        Self { bytes: self.bytes * FADE + bytes as f64, tokens: self.tokens * FADE + tokens as f64 }
    }
}

/// Bytes per token of one model at one server. In steps of a tenth: a prompt's budget, and with it the prefix cache,
/// must not change with every answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

impl Default for Scale {
    fn default() -> Self {
        Self::SAFE
    }
}

impl Scale {
    /// 3.2 bytes, a conservative value: code and English prose lie between 3.2 and 4.5 with the tokenizers of the
    /// Llama, Mistral and Qwen families.
    pub const SAFE: Self = Self(3.2);

    /// Conservative value from the counts, which include the chat template's tokens.
    #[must_use]
    pub fn of(counts: Counts) -> Self {
        let ratio = counts.bytes / counts.tokens * MARGIN;
        if counts.tokens < ENOUGH || !ratio.is_finite() {
            return Self::default();
        }
        Self((ratio.clamp(1.0, MOST) * 10.0).floor() / 10.0)
    }

    /// A conservative (high) estimate in tokens.
    #[must_use]
    pub fn tokens(self, text: &str) -> u32 {
        self.tokens_of(text.len())
    }

    /// The same for a number of bytes.
    #[must_use]
    pub fn tokens_of(self, bytes: usize) -> u32 {
        (bytes as f64 / self.0).ceil() as u32
    }

    /// Number of bytes that fit into `tokens`.
    #[must_use]
    pub fn bytes_in(self, tokens: u32) -> usize {
        (f64::from(tokens) * self.0) as usize
    }
}

/// Maximum tokens of a capture's prompt. With prompts of 60 to 580 tokens, real models of 0.5 and 1.5 billion
/// parameters gave no better sentences from the longer ones, and each token costs 10 to 40 ms on two cores.
pub const CAPTURE_PROMPT: u32 = 420;

/// Prompt budget, in tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    pub tokens: u32,
    pub scale: Scale,
}

impl From<u32> for Budget {
    fn from(tokens: u32) -> Self {
        Self { tokens, scale: Scale::default() }
    }
}

/// An estimate for an unknown model.
#[must_use]
pub fn estimate(text: &str) -> u32 {
    Scale::default().tokens(text)
}

/// Number of bytes that fit into `tokens` of an unknown model.
#[must_use]
pub fn bytes_in(tokens: u32) -> usize {
    Scale::default().bytes_in(tokens)
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
        for scale in [Scale::default(), Scale(1.0), Scale(4.1)] {
            for tokens in [0, 1, 7, 400, 100_000] {
                assert!(scale.tokens(&"x".repeat(scale.bytes_in(tokens))) <= tokens);
            }
        }
    }

    #[test]
    fn counts_replace_the_constant_on_the_safe_side_and_in_steps() {
        let scale = |bytes, tokens| Scale::of(Counts::default().and(bytes, tokens));
        assert_eq!(scale(400, 100), Scale::default(), "too little was counted");
        assert_eq!(scale(4000, 1000), Scale(3.8));
        assert_eq!(scale(4030, 1000), Scale(3.8), "the same step");
        assert_eq!(scale(2000, 1000), Scale(1.9));
        assert_eq!(scale(8000, 1000), Scale(MOST));
        assert_eq!(Scale::of(Counts { bytes: f64::NAN, tokens: 300.0 }), Scale::default());
    }

    #[test]
    fn older_counts_fade() {
        let old = (0..50).fold(Counts::default(), |counts, _| counts.and(4000, 1000));
        let new = (0..50).fold(old, |counts, _| counts.and(3000, 1000));
        assert_eq!((Scale::of(old), Scale::of(new)), (Scale(3.8), Scale(2.8)));
    }

    #[test]
    fn a_count_that_left_out_what_was_cached_is_none() {
        assert!(Counts::is_plausible(4000, 1000));
        assert!(!Counts::is_plausible(4000, 12) && !Counts::is_plausible(4000, 0) && !Counts::is_plausible(10, 300));
    }
}
