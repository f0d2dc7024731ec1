//! What came of it.

use std::fmt;

use uro_capture::route::stats::brier::Brier;

use super::world::Outcome;

/// Chances that were stated before a run.
#[derive(Debug, Clone, Copy)]
pub struct Stated {
    pub whole: f64,
    pub useful: f64,
}

/// Counts over all captures.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub captures: u64,
    pub attempts: u64,
    pub salvaged: u64,
    pub misses: u64,
    /// In the 40 commits after the machine became slower.
    pub after_captures: u64,
    pub after_attempts: u64,
    pub after_misses: u64,
    pub quality: f64,
    /// Whether the answer was whole, and whether anything useful came.
    pub whole: Brier,
    pub useful: Brier,
}

impl Tally {
    pub fn push(&mut self, outcome: Outcome, quality: f64, stated: Option<Stated>, after: bool) {
        let attempt = u64::from(outcome != Outcome::Template);
        let miss = u64::from(outcome == Outcome::Miss);
        self.captures += 1;
        self.attempts += attempt;
        self.misses += miss;
        self.salvaged += u64::from(outcome == Outcome::Salvaged);
        if after {
            self.after_captures += 1;
            self.after_attempts += attempt;
            self.after_misses += miss;
        }
        let template = super::machine::TEMPLATE_QUALITY;
        self.quality += if matches!(outcome, Outcome::Whole | Outcome::Salvaged) { quality } else { template };
        if let Some(stated) = stated {
            self.whole.push(stated.whole.min(1.0), outcome == Outcome::Whole);
            self.useful.push(stated.useful.min(1.0), outcome != Outcome::Miss);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.captures += other.captures;
        self.attempts += other.attempts;
        self.salvaged += other.salvaged;
        self.misses += other.misses;
        self.after_captures += other.after_captures;
        self.after_attempts += other.after_attempts;
        self.after_misses += other.after_misses;
        self.quality += other.quality;
        self.whole.merge(&other.whole);
        self.useful.merge(&other.useful);
    }

    /// Captures whose text was final when it was due: the template at once, or the model's, whole or salvaged.
    pub fn on_time(&self) -> f64 {
        1.0 - ratio(self.misses, self.captures)
    }

    /// Captures for which a model was asked and gave something useful in time.
    pub fn used(&self) -> f64 {
        ratio(self.attempts - self.misses, self.captures)
    }

    pub fn misses_after(&self) -> f64 {
        ratio(self.after_misses, self.after_attempts)
    }

    pub const HEAD: &'static str = "on time  model used  salvaged  misses/attempt  after the shift: used  misses/attempt (n)   quality   Brier, off by";
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| format!("{:.2} %", part * 100.0);
        write!(
            f,
            "{:>7}  {:>10}  {:>8}  {:>14}  {:>21}  {:>18}   {:>7.3}   {}",
            percent(self.on_time()),
            percent(self.used()),
            percent(ratio(self.salvaged, self.captures)),
            percent(ratio(self.misses, self.attempts)),
            percent(ratio(self.after_attempts - self.after_misses, self.after_captures)),
            format!("{} ({})", percent(self.misses_after()), self.after_attempts),
            self.quality / self.captures.max(1) as f64,
            self.useful
                .score()
                .zip(self.useful.miscalibration())
                .map_or_else(|| "states no chance".to_owned(), |(score, off)| format!("{score:.4}, {off:.4}")),
        )
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
