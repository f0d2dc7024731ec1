//! Retry delay of a failed draft: exponential backoff with full jitter, so that many failures do not return at once.

use std::time::Duration;

/// The first upper bound; it doubles with each attempt.
const UNIT: Duration = Duration::from_secs(60);
/// The last upper bound.
const CAP: Duration = Duration::from_secs(3600);
/// Never sooner than this, so that one run does not burn all attempts on one fault.
const FLOOR: Duration = Duration::from_secs(15);

/// Time to wait after `attempt` (counted from 1) failed. `fraction` is the caller's random number in 0..1;
/// anything outside is arrived_commits inside.
///
/// "Full jitter": uniform between (almost) zero and a bound that doubles from a minute up to an hour.
#[must_use]
pub fn full_jitter(attempt: u32, fraction: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let bound = UNIT.saturating_mul(1 << doublings).min(CAP);
    let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 1.0 };
    bound.mul_f64(fraction).max(FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bound_doubles_up_to_an_hour() {
        let bounds: Vec<u64> = (1..=9).map(|attempt| full_jitter(attempt, 1.0).as_secs()).collect();
        assert_eq!(bounds, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    }

    #[test]
    fn half_the_chance_is_half_the_wait() {
        assert_eq!(full_jitter(4, 0.5), Duration::from_secs(240));
    }

    proptest! {
        #[test]
        fn whatever_comes_in_the_wait_is_between_the_floor_and_the_cap(attempt: u32, fraction: f64) {
            let wait = full_jitter(attempt, fraction);
            prop_assert!((FLOOR..=CAP).contains(&wait));
        }
    }
}
