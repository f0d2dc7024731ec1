//! Latency forecast: distribution of a run's duration over load, queue, prefill and decoding.
//!
//! The shape (cost of a prompt token against an output token) is a recursive least-squares regression with slow
//! forgetting; the machine's current speed is a [`Level`] that follows within one or two runs; a [`Conformal`]
//! correction calibrates the stated probabilities. A run that was cut teaches the speed of the streamed part, never its
//! own end as a duration.

use serde::{Deserialize, Serialize};

use super::observation::{Observation, RunEnd, positive};
use super::speed::Speed;
use crate::route::stats::conformal::Conformal;
use crate::route::stats::lengths::Lengths;
use crate::route::stats::level::Level;
use crate::route::stats::rls::{Rls, Row};

/// Ridge prior: the seed's weight for a term, in observations.
const RIDGE: f64 = 0.5;
/// Lower bound of a term as a share of its seed: noise must not make a prompt free.
const CHEAPEST: f64 = 0.02;
/// An answer with fewer tokens is requested as one sentence and has its own length distribution.
pub const ONE_SENTENCE_BELOW: u32 = 48;
/// Tokens of a typical first sentence.
const USUAL_SENTENCE: u32 = 24;
/// Initial slowdown under pressure (logarithm of 2), until measured.
const PRESSURE: f64 = std::f64::consts::LN_2;
/// Gain with which the pressure factor follows observations.
const PRESSURE_GAIN: f64 = 0.1;
/// Uncertainty of a seed from the hardware: scale of the logarithm.
const SEED_SCALE: f64 = 0.6;
/// Standard normal quantiles at the midpoints of five equal parts.
const FIFTHS: [f64; 5] = [-1.281_55, -0.524_4, 0.0, 0.524_4, 1.281_55];
/// Uncertainty of a load time: standard deviation of its logarithm.
const LOAD_SPREAD: f64 = 0.5;

/// Learned state for one forecast key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    seed: Speed,
    prefill: Rls,
    decode: Rls,
    level: Level,
    conformal: Conformal,
    /// Lengths of answers and of first sentences; index 0 where one sentence was requested.
    answers: [Lengths; 2],
    sentences: [Lengths; 2],
    log_load: f64,
    /// Logarithm of the factor by which pressure slows this model.
    pressure: f64,
    n: u64,
}

/// Tokens to read and to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    pub uncached: u32,
    pub cached: u32,
    /// Limit of output tokens.
    pub allowed: u32,
}

/// Circumstances of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Conditions {
    /// Seconds until the deadline.
    pub left_s: f64,
    /// Seconds of waiting in the queue.
    pub queue_s: f64,
    /// The model has to be loaded first.
    pub cold: bool,
    /// The machine is under pressure.
    pub pressed: bool,
    /// Minutes since the last run under this key.
    pub idle_min: f64,
}

/// Predicted duration of one run, with the probability of success.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outlook {
    /// Medians, from sending; both include load and queue.
    pub ttft_s: f64,
    pub total_s: f64,
    pub load_s: f64,
    /// Probability that the whole answer is in time.
    pub p_on_time: f64,
    /// Probability that only its first sentence is in time.
    pub p_salvage: f64,
}

impl Outlook {
    /// Probability of any usable text in time.
    #[must_use]
    pub fn p_useful(&self) -> f64 {
        (self.p_on_time + self.p_salvage).clamp(0.0, 1.0)
    }
}

impl Forecast {
    /// Starts from a guessed or probed speed.
    #[must_use]
    pub fn from_seed(seed: Speed) -> Self {
        let seed = seed.sanitized();
        Self {
            seed,
            prefill: Rls::new([1.0; 3], [RIDGE; 3]),
            decode: Rls::new([1.0, 0.0, 0.0], [RIDGE; 3]),
            level: Level::about(SEED_SCALE),
            conformal: Conformal::default(),
            answers: [Lengths::about(USUAL_SENTENCE), Lengths::about(seed.answer_tokens)],
            sentences: [Lengths::about(USUAL_SENTENCE), Lengths::about(USUAL_SENTENCE)],
            log_load: seed.load_s.ln(),
            pressure: PRESSURE,
            n: 0,
        }
    }

    /// A copy with wider uncertainty, as a start for a similar key: another digest, other options, another power
    /// source.
    #[must_use]
    pub fn widened(&self) -> Self {
        Self {
            prefill: self.prefill.widened(),
            decode: self.decode.widened(),
            level: self.level.widened(),
            n: 0,
            ..self.clone()
        }
    }

    /// Number of learned runs.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Whether all values are finite: stored state may be damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.prefill.is_sound()
            && self.decode.is_sound()
            && self.conformal.is_sound()
            && self.answers.iter().chain(&self.sentences).all(Lengths::is_sound)
            && self.log_load.abs() < 20.0
            && (0.0..=3.0).contains(&self.pressure)
            && self.seed.sanitized() == self.seed
    }

    /// Tokens of a typical first sentence of an answer with at most `allowed` tokens.
    #[must_use]
    pub fn usual_sentence(&self, allowed: u32) -> u32 {
        to_tokens(self.sentences[class(allowed)].mean(allowed).ceil())
    }

    /// Seconds per output token under these conditions.
    #[must_use]
    pub fn tpot_s(&self, conditions: &Conditions) -> f64 {
        self.usual_tpot_s() * self.slower(0.5, conditions)
    }

    /// Updates the forecast with one run.
    pub fn learn(&mut self, run: &Observation) {
        self.n = self.n.saturating_add(1);
        if let Some(load) = run.load_s.filter(|load| run.was_cold() && load.is_finite()) {
            let more = load.clamp(0.01, 1e4).ln() - self.log_load;
            // A load that was cut takes longer than observed (censored).
            self.log_load += 0.4 * if run.ttft_s.is_none() { more.max(0.0) } else { more };
        }
        self.learn_lengths(run);
        match self.log_slowdown(run) {
            Some((log_ratio, true)) => self.learn_censored(log_ratio, run.idle_min),
            Some((log_ratio, false)) => {
                self.learn_level(log_ratio, run);
                self.learn_shape(run);
            }
            None => {}
        }
    }

    /// Predicts `work` under `conditions`.
    #[must_use]
    pub fn outlook(&self, work: &Work, conditions: &Conditions) -> Outlook {
        let class = class(work.allowed);
        let p_on_time = self.chance(&self.answers[class], work, conditions, false);
        let p_useful = self.chance(&self.sentences[class], work, conditions, true);
        let (slower, load_s) = (self.slower(0.5, conditions), self.load_s(0.0, conditions));
        let before = positive(conditions.queue_s) + load_s;
        let answer = self.answers[class].mean(work.allowed);
        Outlook {
            ttft_s: before + slower * self.usual_prefill_s(work),
            total_s: before + slower * (self.usual_prefill_s(work) + answer * self.usual_tpot_s()),
            load_s,
            p_on_time,
            p_salvage: (p_useful - p_on_time).max(0.0),
        }
    }

    /// `m* = ⌊(D/q − (b0 + b1·uncached + b2·cached)) / tpot⌋`: output tokens that fit in time with `confidence`.
    #[must_use]
    pub fn tokens_in(&self, work: &Work, conditions: &Conditions, confidence: f64) -> u32 {
        let left = self.usual_s_in(conditions, confidence) - self.usual_prefill_s(work);
        to_tokens(left / self.usual_tpot_s())
    }

    /// Prompt tokens that can be evaluated in time with `confidence` while leaving time to write `work.allowed`.
    #[must_use]
    pub fn prompt_in(&self, work: &Work, conditions: &Conditions, confidence: f64) -> u32 {
        let written = f64::from(work.allowed) * self.usual_tpot_s();
        let rest = self.usual_prefill_s(&Work { uncached: 0, ..*work });
        let per_token = self.usual_prefill_s(&Work { uncached: 1, ..*work }) - rest;
        to_tokens((self.usual_s_in(conditions, confidence) - rest - written) / per_token)
    }

    /// `D/q`: the time left, in seconds of the machine's usual speed.
    fn usual_s_in(&self, conditions: &Conditions, confidence: f64) -> f64 {
        let left = conditions.left_s - positive(conditions.queue_s) - self.load_s(1.281_55, conditions);
        left / self.slower(self.conformal.stated(confidence), conditions)
    }

    /// Slowdown factor that is not exceeded with the given (uncorrected) probability.
    fn slower(&self, chance: f64, conditions: &Conditions) -> f64 {
        (self.level.quantile(chance, conditions.idle_min) + self.pressure_now(conditions.pressed)).exp()
    }

    /// Probability that a text with these `lengths` is written in time. Lengths beyond `work.allowed` never succeed if
    /// the end is `needed`; otherwise they are cut there.
    fn chance(&self, lengths: &Lengths, work: &Work, conditions: &Conditions, needed: bool) -> f64 {
        let loads: &[f64] = if conditions.cold { &FIFTHS } else { &[0.0] };
        let (prefill, tpot) = (self.usual_prefill_s(work), self.usual_tpot_s());
        let mut sum = 0.0;
        for z in loads {
            let left = conditions.left_s - positive(conditions.queue_s) - self.load_s(*z, conditions);
            for (length, chance) in lengths.chances() {
                let written = f64::from(length.min(work.allowed).saturating_sub(1));
                if left > 0.0 && !(needed && length > work.allowed) {
                    let ratio = left / (prefill + written * tpot);
                    sum += chance * self.p_at_most(ratio.ln(), conditions);
                }
            }
        }
        (sum / loads.len() as f64).clamp(0.0, 1.0)
    }

    fn p_at_most(&self, log_ratio: f64, conditions: &Conditions) -> f64 {
        let log_ratio = log_ratio - self.pressure_now(conditions.pressed);
        self.conformal.corrected(self.level.at_most(log_ratio, conditions.idle_min))
    }

    fn load_s(&self, z: f64, conditions: &Conditions) -> f64 {
        if conditions.cold { (self.log_load + z * LOAD_SPREAD).exp() } else { 0.0 }
    }

    fn pressure_now(&self, pressed: bool) -> f64 {
        if pressed { self.pressure } else { 0.0 }
    }

    fn terms(&self, uncached: u32, cached: u32) -> Row {
        let Speed { overhead_s, uncached_s, cached_s, .. } = self.seed;
        [overhead_s, uncached_s * f64::from(uncached), cached_s * f64::from(cached)]
    }

    fn usual_prefill_s(&self, work: &Work) -> f64 {
        let costs = self.prefill.coefficients().map(|share| share.max(CHEAPEST));
        self.terms(work.uncached, work.cached).iter().zip(costs).map(|(term, share)| term * share).sum()
    }

    fn usual_tpot_s(&self) -> f64 {
        self.seed.tpot_s * self.decode.coefficients()[0].max(CHEAPEST)
    }

    /// Logarithm of observed ÷ usual time, and whether it is only a lower bound (censored). `None` where nothing ran.
    fn log_slowdown(&self, run: &Observation) -> Option<(f64, bool)> {
        let work = Work { uncached: run.uncached, cached: run.cached, allowed: run.allowed };
        let prefill = self.usual_prefill_s(&work);
        let written = prefill + f64::from(run.written.saturating_sub(1)) * self.usual_tpot_s();
        let ran = run.took_s - run.before_s();
        let slowdown = match run.until_last_s() {
            // No first token: prefill takes at least this long.
            None => (ran / prefill, true),
            // The stream had stalled long before the cut: the missing token takes at least that long.
            Some(last) if run.end == RunEnd::Cut && is_stall(run.took_s - last, run) => {
                (ran / (written + self.usual_tpot_s()), true)
            }
            Some(last) => ((last - run.before_s()) / written, false),
        };
        let log_ratio = slowdown.0.ln() - self.pressure_now(run.pressed);
        log_ratio.is_finite().then_some((log_ratio, slowdown.1))
    }

    fn learn_censored(&mut self, log_ratio: f64, idle_min: f64) {
        self.conformal.learn_censored(self.level.at_most(log_ratio, idle_min));
        self.level.learn_censored(log_ratio, idle_min);
    }

    fn learn_level(&mut self, log_ratio: f64, run: &Observation) {
        self.conformal.learn(self.level.at_most(log_ratio, run.idle_min));
        if run.pressed {
            let surprise = (log_ratio - self.level.mean()).clamp(-1.0, 1.0);
            self.pressure = (self.pressure + PRESSURE_GAIN * surprise).clamp(0.0, 3.0);
        }
        self.level.learn(log_ratio, run.idle_min);
    }

    /// Updates the regressions as if the machine ran at its usual speed, in shares of the expected time, so that a slow
    /// machine's seconds weigh no more than a fast one's.
    fn learn_shape(&mut self, run: &Observation) {
        let usual = (-(self.level.mean() + self.pressure_now(run.pressed))).exp();
        let work = Work { uncached: run.uncached, cached: run.cached, allowed: run.allowed };
        if let Some(ttft) = run.ttft_s {
            let expected = self.usual_prefill_s(&work);
            let terms = self.terms(run.uncached, run.cached).map(|term| term / expected);
            let target = (ttft - run.before_s()).max(1e-3) * usual / expected;
            self.prefill.learn(terms, target.min(20.0));
        }
        if let Some(tpot) = run.tpot_s.filter(|tpot| run.written > 2 && *tpot > 0.0) {
            let expected = self.usual_tpot_s();
            self.decode.learn([self.seed.tpot_s / expected, 0.0, 0.0], (tpot * usual / expected).min(20.0));
        }
    }

    fn learn_lengths(&mut self, run: &Observation) {
        let class = class(run.allowed);
        let (answers, sentences) = (&mut self.answers[class], &mut self.sentences[class]);
        match (run.end, run.sentence) {
            (RunEnd::Done, sentence) => {
                answers.learn(run.written);
                sentences.learn(sentence.unwrap_or(run.written));
            }
            (RunEnd::Length | RunEnd::Cut, sentence) => {
                answers.learn_censored(run.written);
                match sentence {
                    Some(length) => sentences.learn(length),
                    None => sentences.learn_censored(run.written),
                }
            }
        }
    }
}

fn class(allowed: u32) -> usize {
    usize::from(allowed >= ONE_SENTENCE_BELOW)
}

/// A pause of several tokens that exceeds scheduling jitter.
fn is_stall(silence_s: f64, run: &Observation) -> bool {
    silence_s > (4.0 * run.tpot_s.unwrap_or(0.0)).max(0.2)
}

/// A number of tokens; NaN counts as 0.
fn to_tokens(tokens: f64) -> u32 {
    // `as` saturates and maps NaN to 0.
    tokens.floor() as u32
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
