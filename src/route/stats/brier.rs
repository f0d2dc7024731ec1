//! Calibration of stated probabilities: Brier score and reliability table.

use serde::Serialize;

/// Bins of stated probabilities: tenths, with the last one halved because decisions are made there.
const EDGES: [f64; 12] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0];

/// Stated probabilities with their outcomes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Brier {
    lines: [Sums; EDGES.len() - 1],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    n: u64,
    stated: f64,
    happened: u64,
    squares: f64,
}

/// One line of the reliability table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reliability {
    pub from: f64,
    pub to: f64,
    pub n: u64,
    /// Mean of the probabilities stated between `from` and `to`.
    pub stated: f64,
    /// Observed frequency.
    pub seen: f64,
}

impl Brier {
    /// Adds a stated probability and its outcome; values outside 0..=1 are ignored.
    pub fn push(&mut self, chance: f64, happened: bool) {
        if !(0.0..=1.0).contains(&chance) {
            return;
        }
        let line = EDGES[1..self.lines.len()].iter().take_while(|edge| **edge <= chance).count();
        let sums = &mut self.lines[line];
        sums.n += 1;
        sums.stated += chance;
        sums.happened += u64::from(happened);
        sums.squares += (chance - f64::from(u8::from(happened))).powi(2);
    }

    /// Adds the observations of another score.
    pub fn merge(&mut self, other: &Self) {
        for (sums, more) in self.lines.iter_mut().zip(other.lines) {
            sums.n += more.n;
            sums.stated += more.stated;
            sums.happened += more.happened;
            sums.squares += more.squares;
        }
    }

    #[must_use]
    pub fn n(&self) -> u64 {
        self.lines.iter().map(|sums| sums.n).sum()
    }

    /// Brier score, the mean square of (stated − outcome): 0 is perfect, 0.25 is a constant "fifty-fifty". `None` for n
    /// = 0.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        self.mean(|sums| sums.squares)
    }

    /// Observed frequency over all.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.mean(|sums| sums.happened as f64)
    }

    /// Mean distance between stated and observed over the table, weighted by n.
    #[must_use]
    pub fn miscalibration(&self) -> Option<f64> {
        self.mean(|sums| (sums.stated - sums.happened as f64).abs())
    }

    /// Reliability table without empty lines.
    #[must_use]
    pub fn table(&self) -> Vec<Reliability> {
        let lines = self.lines.iter().zip(EDGES.windows(2)).filter(|(sums, _)| sums.n > 0);
        lines
            .map(|(sums, edge)| {
                let n = sums.n as f64;
                let (stated, seen) = (sums.stated / n, sums.happened as f64 / n);
                Reliability { from: edge[0], to: edge[1], n: sums.n, stated, seen }
            })
            .collect()
    }

    fn mean(&self, of: impl Fn(&Sums) -> f64) -> Option<f64> {
        (self.n() > 0).then(|| self.lines.iter().map(of).sum::<f64>() / self.n() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f64, bool)]) -> Brier {
        let mut brier = Brier::default();
        pairs.iter().for_each(|(chance, happened)| brier.push(*chance, *happened));
        brier
    }

    #[test]
    fn known_scores() {
        assert_eq!(of(&[(1.0, true), (0.0, false)]).score(), Some(0.0));
        assert_eq!(of(&[(0.5, true), (0.5, false)]).score(), Some(0.25));
        assert_eq!(of(&[(0.8, false)]).score().map(|score| (score * 100.0).round()), Some(64.0));
        assert_eq!(of(&[]).score(), None);
    }

    #[test]
    fn the_table_sets_what_was_stated_against_what_was_seen() {
        let table = of(&[(0.95, true), (0.99, true), (0.97, false), (1.0, true), (0.12, false)]).table();
        assert_eq!(table.len(), 2);
        assert_eq!((table[0].n, table[0].seen), (1, 0.0));
        assert_eq!((table[1].n, table[1].seen), (4, 0.75));
        assert!((table[1].stated - 0.9775).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_chance_is_ignored_and_merging_adds_up() {
        let mut one = of(&[(f64::NAN, true), (1.5, true), (-0.1, false), (0.9, true)]);
        assert_eq!(one.n(), 1);
        one.merge(&of(&[(0.9, false)]));
        assert_eq!((one.n(), one.rate()), (2, Some(0.5)));
        assert!(one.miscalibration().is_some_and(|distance| (distance - 0.4).abs() < 1e-9));
    }
}
