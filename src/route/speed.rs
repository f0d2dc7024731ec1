//! Prior for a model's speed before any run, from the hardware.

use serde::{Deserialize, Serialize};

/// Memory bandwidth per core while decoding, in GB/s: file size × tokens per second, measured as 22, 25 and 27 for
/// models of 1, 3 and 8 billion weights on one current desktop core; laptops reach half.
const READING_GB_PER_S: f64 = 12.0;
/// Cores beyond which a desktop's memory bandwidth is saturated.
const READING_CORES: f64 = 3.0;
/// Operations per second and core during prefill (2 × weights × tokens per second): 236 to 286 measured on the same
/// core.
const COMPUTING_GFLOPS: f64 = 150.0;
/// Graphics card: bandwidth 200 GB/s × 0.6, and 20 TFLOP/s; both at the low end of the market.
const GPU_READING_GB_PER_S: f64 = 120.0;
const GPU_COMPUTING_GFLOPS: f64 = 20_000.0;
/// Four-bit weights with their scales take about 4.9 bits.
const BYTES_PER_WEIGHT: f64 = 4.9 / 8.0;
/// Load rate from disk in GB/s; loading was measured at 1 to 2.5 s for 0.8 to 2 GB.
const LOADING_GB_PER_S: f64 = 0.8;
/// Connecting, templating, sampling: seconds before the first token of the shortest prompt.
const OVERHEAD_S: f64 = 0.05;
/// Cost of a cached prompt token relative to an uncached one.
const CACHED_SHARE: f64 = 0.01;
/// Assumed where the server does not report the number of weights.
const USUAL_WEIGHTS: f64 = 7e9;

/// Seconds per unit of work, the seed of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Constant part before the first token (b0).
    pub overhead_s: f64,
    /// Per evaluated prompt token (b1).
    pub uncached_s: f64,
    /// Per cached prompt token (b2).
    pub cached_s: f64,
    /// Per output token.
    pub tpot_s: f64,
    /// To load the model.
    pub load_s: f64,
    /// Tokens of a typical answer.
    pub answer_tokens: u32,
}

/// Tokens of a typical capture: one or two sentences.
const USUAL_ANSWER: u32 = 40;
/// Share of a larger output limit that is typically used.
const USUAL_SHARE: f64 = 0.6;
/// Output limit of a capture.
const CAPTURE_TOKENS: u32 = 200;

/// Properties of machine and model that determine the speed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ModelHardware {
    /// Cores available to the server.
    pub cores: usize,
    /// Share of the weights in a graphics card's memory, 0..=1.
    pub gpu_share: Option<f64>,
    pub parameters: Option<u64>,
    pub size_bytes: Option<u64>,
}

impl Speed {
    /// `R_tg = bandwidth / size`, `R_pp = operations / (2 × weights)`; with spilled weights the slower part counts.
    #[must_use]
    pub fn from_hardware(machine: &ModelHardware) -> Self {
        let weights = machine.parameters.map_or_else(
            || machine.size_bytes.map_or(USUAL_WEIGHTS, |bytes| bytes as f64 / BYTES_PER_WEIGHT),
            |parameters| parameters as f64,
        );
        let size = machine.size_bytes.map_or(weights * BYTES_PER_WEIGHT, |bytes| bytes as f64) / 1e9;
        let (weights, size) = (weights.clamp(1e7, 1e13) / 1e9, size.clamp(0.01, 5e3));
        let share = machine.gpu_share.filter(|share| share.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0);
        let cores = machine.cores.clamp(1, 256) as f64;
        let mixed = |cpu: f64, gpu: f64| (1.0 - share) / cpu + share / gpu;
        let uncached_s = 2.0 * weights * mixed(COMPUTING_GFLOPS * cores.min(8.0), GPU_COMPUTING_GFLOPS);
        Self {
            overhead_s: OVERHEAD_S,
            uncached_s,
            cached_s: uncached_s * CACHED_SHARE,
            tpot_s: size * mixed(READING_GB_PER_S * cores.min(READING_CORES), GPU_READING_GB_PER_S),
            load_s: 0.5 + size / LOADING_GB_PER_S,
            answer_tokens: USUAL_ANSWER,
        }
    }

    /// The same for a role that may write `max_tokens`, e.g. a blog post.
    #[must_use]
    pub fn for_output_limit(self, max_tokens: u32) -> Self {
        let long = (f64::from(max_tokens) * USUAL_SHARE) as u32;
        Self { answer_tokens: if max_tokens > CAPTURE_TOKENS { long } else { USUAL_ANSWER }, ..self }
    }

    /// The same with every value finite and positive: stored state may be damaged.
    #[must_use]
    pub fn sanitized(self) -> Self {
        let sane = |value: f64, otherwise: f64| if value > 0.0 && value < 1e4 { value } else { otherwise };
        let usual = Self::from_hardware(&ModelHardware::default());
        Self {
            overhead_s: sane(self.overhead_s, usual.overhead_s),
            uncached_s: sane(self.uncached_s, usual.uncached_s),
            cached_s: sane(self.cached_s, usual.cached_s),
            tpot_s: sane(self.tpot_s, usual.tpot_s),
            load_s: sane(self.load_s, usual.load_s),
            answer_tokens: self.answer_tokens.clamp(1, 100_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn machine(billions: u64, cores: usize, gpu: f64) -> ModelHardware {
        ModelHardware { cores, gpu_share: Some(gpu), parameters: Some(billions * 1_000_000_000), size_bytes: None }
    }

    #[test]
    fn a_laptop_writes_a_3b_model_at_ten_to_thirty_tokens_per_second() {
        let speed = Speed::from_hardware(&machine(3, 4, 0.0));
        assert!((10.0..30.0).contains(&(1.0 / speed.tpot_s)), "{}", 1.0 / speed.tpot_s);
        assert!((60.0..150.0).contains(&(1.0 / speed.uncached_s)), "{}", 1.0 / speed.uncached_s);
    }

    #[test]
    fn a_spilled_model_is_nearer_to_the_processor_than_to_the_graphics_card() {
        let [cpu, spilled, gpu] = [0.0, 0.5, 1.0].map(|share| Speed::from_hardware(&machine(8, 8, share)).tpot_s);
        assert!(gpu * 1.5 < spilled && spilled < cpu, "{gpu} {spilled} {cpu}");
    }

    proptest! {
        #[test]
        fn whatever_the_hardware_is_gives_numbers(
            cores: usize, share: f64, parameters: u64, bytes: u64,
        ) {
            let machine = ModelHardware {
                cores, gpu_share: Some(share), parameters: Some(parameters), size_bytes: Some(bytes),
            };
            let hardware = Speed::from_hardware(&machine);
            prop_assert_eq!(hardware.sanitized(), hardware);
            prop_assert!(hardware.uncached_s > 0.0 && hardware.tpot_s > 0.0 && hardware.overhead_s > 0.0);
        }
    }
}
