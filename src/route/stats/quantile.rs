//! Percentiles by nearest rank: always a measured value, never an interpolation.

/// Below this many values the estimate of the 95th percentile is the maximum.
pub const N_FOR_P95: usize = 59;
/// The same for the 99th.
pub const N_FOR_P99: usize = 299;

/// Measured values, in any unit.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    values: Vec<u64>,
}

/// Percentiles of a sample; `None` where n is too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    pub n: u64,
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

impl Sample {
    pub fn push(&mut self, value: u64) {
        self.values.push(value);
    }

    #[must_use]
    pub fn n(&self) -> usize {
        self.values.len()
    }

    /// The median. Reorders the sample.
    pub fn p50(&mut self) -> Option<u64> {
        select(&mut self.values, 50)
    }

    /// Selects instead of sorting, in linear time. Reorders the sample.
    pub fn quantiles(&mut self) -> Quantiles {
        let n = self.values.len();
        let p99 = (n >= N_FOR_P99).then(|| select(&mut self.values, 99)).flatten();
        let p95 = (n >= N_FOR_P95).then(|| select(&mut self.values, 95)).flatten();
        Quantiles { n: n as u64, p50: select(&mut self.values, 50), p95, p99 }
    }
}

impl FromIterator<u64> for Sample {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

/// Index of the nearest rank, ⌈n·percent/100⌉ counted from one; `None` for an empty sample.
#[must_use]
pub fn nearest_rank(n: usize, percent: usize) -> Option<usize> {
    (n * percent).div_ceil(100).max(1).checked_sub(1).filter(|index| *index < n)
}

fn select(values: &mut [u64], percent: usize) -> Option<u64> {
    let index = nearest_rank(values.len(), percent)?;
    Some(*values.select_nth_unstable(index).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_percentile_is_absent_until_n_supports_it() {
        let quantiles = |n: u64| (1..=n).rev().collect::<Sample>().quantiles();
        assert_eq!(quantiles(0), Quantiles { n: 0, p50: None, p95: None, p99: None });
        assert_eq!(quantiles(1), Quantiles { n: 1, p50: Some(1), p95: None, p99: None });
        assert_eq!(quantiles(58).p95, None);
        assert_eq!(quantiles(59).p95, Some(57));
        assert_eq!(quantiles(298).p99, None);
        assert_eq!(quantiles(299).p99, Some(297));
    }

    #[test]
    fn known_values_of_nearest_rank() {
        let mut sample: Sample = [15, 20, 35, 40, 50].into_iter().collect();
        assert_eq!(sample.quantiles().p50, Some(35));
        assert_eq!((nearest_rank(100, 99), nearest_rank(100, 100), nearest_rank(1, 0)), (Some(98), Some(99), Some(0)));
        assert_eq!(nearest_rank(0, 50), None);
        assert_eq!([3, 1, 2].into_iter().collect::<Sample>().p50(), Some(2));
        assert_eq!(Sample::default().p50(), None);
    }

    proptest! {
        #[test]
        fn selecting_gives_what_sorting_gives(values in prop::collection::vec(0_u64..1000, 1..700)) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let at = |percent| nearest_rank(sorted.len(), percent).map(|index| sorted[index]);
            let found = values.iter().copied().collect::<Sample>().quantiles();
            prop_assert_eq!(found.p50, at(50));
            prop_assert_eq!(found.p95, at(95).filter(|_| values.len() >= N_FOR_P95));
            prop_assert_eq!(found.p99, at(99).filter(|_| values.len() >= N_FOR_P99));
        }
    }
}
