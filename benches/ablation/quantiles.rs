//! Empirical quantiles of the last runs: how many times as long as guessed from the hardware the first token took, the
//! time per written token, load times, and lengths of answers. No model of the machine, no correction.

use std::collections::VecDeque;

use uro_capture::route::observation::{End, Observation};
use uro_capture::route::speed::Speed;

pub use uro_capture::route::forecast::{Conditions, ONE_SENTENCE_BELOW, Outlook, Work};

/// Standard normal quantiles at the middles of five equal parts: a guess as five values.
const FIFTHS: [f64; 5] = [-1.281_55, -0.524_4, 0.0, 0.524_4, 1.281_55];

/// Which runs count.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The last so many.
    pub runs: usize,
    /// Each counts so many times as much as the one after it.
    pub fading: f64,
}

#[derive(Debug, Clone)]
pub struct Forecast {
    kind: Kind,
    seed: Speed,
    runs: Window<Run>,
    loads: Window<f64>,
    /// The first of each where one sentence was asked for.
    answers: [Window<f64>; 2],
    sentences: [Window<f64>; 2],
    n: u64,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    /// Times as long as the seed says until the first token.
    reading: f64,
    tpot_s: f64,
}

impl Forecast {
    /// Of the last 50 runs.
    pub fn seeded(seed: Speed) -> Self {
        Self::of(seed, Kind { runs: 50, fading: 1.0 })
    }

    pub fn of(seed: Speed, kind: Kind) -> Self {
        let about = |middle: f64, spread: f64| Window::guessed(FIFTHS.map(|z| middle * (spread * z).exp()), kind.runs);
        let lengths = |tokens: u32| about(f64::from(tokens), 0.35);
        let run = |z: f64| {
            let reading = (0.6 * z).exp();
            Run { reading, tpot_s: seed.tpot_s * reading }
        };
        Self {
            kind,
            seed,
            runs: Window::guessed(FIFTHS.map(run), kind.runs),
            loads: about(seed.load_s, 0.5),
            answers: [lengths(24), lengths(seed.answer_tokens)],
            sentences: [lengths(24), lengths(24)],
            n: 0,
        }
    }

    pub fn n(&self) -> u64 {
        self.n
    }

    pub fn learn(&mut self, seen: &Observation) {
        self.n += 1;
        if let Some(load) = seen.load_s.filter(|_| seen.was_cold()) {
            self.loads.push(if seen.ttft_s.is_none() { beyond(self.loads.iter(), load) } else { load });
        }
        self.learn_lengths(seen);
        let work = Work { uncached: seen.uncached, cached: seen.cached, allowed: seen.allowed };
        let ran = seen.ttft_s.unwrap_or(seen.took_s) - seen.before_s();
        let reading = ran / self.guessed_s(&work);
        let usual = quantile(self.runs.iter().map(|run| (run.tpot_s, 1.0)).collect(), 0.5);
        let tpot_s = seen.tpot_s.filter(|_| seen.written > 2).or(usual).unwrap_or(self.seed.tpot_s);
        let cut = seen.ttft_s.is_none();
        if ran > 0.0 {
            let reading = if cut { beyond(self.runs.iter().map(|run| run.reading), reading) } else { reading };
            self.runs.push(Run { reading, tpot_s });
        }
    }

    fn learn_lengths(&mut self, seen: &Observation) {
        let (class, written) = (class(seen.allowed), f64::from(seen.written));
        let (answers, sentences) = (&mut self.answers[class], &mut self.sentences[class]);
        let done = seen.end == End::Done;
        answers.push(if done { written } else { beyond(answers.iter(), written) });
        let sentence = seen.sentence.map(f64::from).or(done.then_some(written));
        sentences.push(sentence.unwrap_or_else(|| beyond(sentences.iter(), written)));
    }

    pub fn outlook(&self, work: &Work, conditions: &Conditions) -> Outlook {
        let class = class(work.allowed);
        let p_on_time = self.chance(&self.answers[class], work, conditions, false);
        let p_useful = self.chance(&self.sentences[class], work, conditions, true);
        let load_s = self.load_s(conditions, 0.5);
        let before = conditions.queue_s.max(0.0) + load_s;
        let reading = quantile(self.runs().map(|(run, weight)| (run.reading, weight)).collect(), 0.5).unwrap_or(1.0);
        let tpot_s = quantile(self.runs().map(|(run, weight)| (run.tpot_s, weight)).collect(), 0.5).unwrap_or(0.0);
        let answer = quantile(self.answers[class].iter().map(|length| (length, 1.0)).collect(), 0.5).unwrap_or(0.0);
        let ttft_s = before + reading * self.guessed_s(work);
        let total_s = ttft_s + answer.min(f64::from(work.allowed)) * tpot_s;
        Outlook { ttft_s, total_s, load_s, p_on_time, p_salvage: (p_useful - p_on_time).max(0.0) }
    }

    /// Tokens that are written in time with `confidence`.
    pub fn tokens_in(&self, work: &Work, conditions: &Conditions, confidence: f64) -> u32 {
        let left = self.left_s(conditions);
        let tokens = |run: Run| (left - run.reading * self.guessed_s(work)) / run.tpot_s;
        self.least(tokens, confidence)
    }

    /// Prompt tokens that can be read in time with `confidence`, so that `work.allowed` can be written.
    pub fn prompt_in(&self, work: &Work, conditions: &Conditions, confidence: f64) -> u32 {
        let left = self.left_s(conditions);
        let rest = self.guessed_s(&Work { uncached: 0, ..*work });
        let tokens = |run: Run| {
            let reading = (left - f64::from(work.allowed) * run.tpot_s) / run.reading;
            (reading - rest) / self.seed.uncached_s
        };
        self.least(tokens, confidence)
    }

    fn least(&self, tokens: impl Fn(Run) -> f64, confidence: f64) -> u32 {
        let all = self.runs().map(|(run, weight)| (tokens(run), weight)).collect();
        quantile(all, 1.0 - confidence).unwrap_or(0.0) as u32
    }

    fn left_s(&self, conditions: &Conditions) -> f64 {
        conditions.left_s - conditions.queue_s.max(0.0) - self.load_s(conditions, 0.9)
    }

    fn load_s(&self, conditions: &Conditions, p: f64) -> f64 {
        let loads = || self.loads.iter().map(|load| (load, 1.0)).collect();
        if conditions.cold { quantile(loads(), p).unwrap_or(0.0) } else { 0.0 }
    }

    fn chance(&self, lengths: &Window<f64>, work: &Work, conditions: &Conditions, needed: bool) -> f64 {
        let (mut sum, mut all) = (0.0, 0.0);
        let allowed = f64::from(work.allowed);
        let loads: Vec<f64> = if conditions.cold { self.loads.iter().collect() } else { vec![0.0] };
        for (at, (run, weight)) in self.runs().enumerate() {
            let left = conditions.left_s - conditions.queue_s.max(0.0) - loads[at % loads.len()];
            let fit = (left - run.reading * self.guessed_s(work)) / run.tpot_s + 1.0;
            let is_in_time = |length: f64| length.min(allowed) <= fit && !(needed && length > allowed);
            let share = lengths.iter().filter(|length| is_in_time(*length)).count() as f64 / lengths.len() as f64;
            sum += weight * if left > 0.0 { share } else { 0.0 };
            all += weight;
        }
        sum / all
    }

    /// Runs with their weights.
    fn runs(&self) -> impl Iterator<Item = (Run, f64)> {
        self.runs.iter().enumerate().map(|(age, run)| (run, self.kind.fading.powi(age as i32)))
    }

    fn guessed_s(&self, work: &Work) -> f64 {
        let Speed { overhead_s, uncached_s, cached_s, .. } = self.seed;
        overhead_s + uncached_s * f64::from(work.uncached) + cached_s * f64::from(work.cached)
    }
}

fn class(allowed: u32) -> usize {
    usize::from(allowed >= ONE_SENTENCE_BELOW)
}

/// The last values, newest last. Guesses are replaced by the first values.
#[derive(Debug, Clone)]
struct Window<T> {
    values: VecDeque<T>,
    guesses: usize,
    most: usize,
}

impl<T: Copy> Window<T> {
    fn guessed(guesses: [T; 5], most: usize) -> Self {
        Self { values: guesses.into(), guesses: guesses.len(), most }
    }

    fn push(&mut self, value: T) {
        if self.guesses > 0 || self.values.len() >= self.most {
            self.values.pop_front();
            self.guesses = self.guesses.saturating_sub(1);
        }
        self.values.push_back(value);
    }

    /// The values, newest first.
    fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.values.iter().rev().copied()
    }

    fn len(&self) -> usize {
        self.values.len()
    }
}

/// A value for what is known to be above `least` only: the median of the known values above, else 1.5 times as much.
fn beyond(values: impl Iterator<Item = f64>, least: f64) -> f64 {
    quantile(values.filter(|value| *value > least).map(|value| (value, 1.0)).collect(), 0.5).unwrap_or(least * 1.5)
}

/// The least value that at most the share `p` of the weight exceeds.
fn quantile(mut values: Vec<(f64, f64)>, p: f64) -> Option<f64> {
    values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let wanted = p * values.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut sum = 0.0;
    let found = values.iter().find(|(_, weight)| {
        sum += weight;
        sum >= wanted - 1e-9
    });
    found.or(values.last()).map(|(value, _)| *value)
}
