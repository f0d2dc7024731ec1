//! Noise model of a run's duration: normal in the logarithm, mixed with rare slow outliers.

/// Share of outliers (another process, a page fault, a pause of the server).
const STRAGGLERS: f64 = 0.03;
/// Mean of the logarithm of an outlier's slowdown: 0.6 is a factor of 1.8.
const STRAGGLING: f64 = 0.6;

/// Density at `error` for the given spread (standard deviation of the logarithm).
pub(super) fn density(error: f64, spread: f64) -> f64 {
    let bell = (-0.5 * (error / spread).powi(2)).exp() / (spread * (2.0 * std::f64::consts::PI).sqrt());
    let tail = if error > 0.0 { (-error / STRAGGLING).exp() / STRAGGLING } else { 0.0 };
    (1.0 - STRAGGLERS) * bell + STRAGGLERS * tail
}

/// Probability of at most `error` for the given spread.
pub(super) fn at_most(error: f64, spread: f64) -> f64 {
    let tail = if error > 0.0 { 1.0 - (-error / STRAGGLING).exp() } else { 0.0 };
    ((1.0 - STRAGGLERS) * normal(error / spread) + STRAGGLERS * tail).clamp(0.0, 1.0)
}

/// The cumulative normal distribution; Abramowitz and Stegun 26.2.17, error below 7.5e-8.
fn normal(z: f64) -> f64 {
    const SERIES: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = SERIES.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    let upper = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if z >= 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_the_normal_distribution() {
        for (z, p) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.644_854, 0.05), (2.326_348, 0.99), (-9.0, 0.0)] {
            assert!((normal(z) - p).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn the_density_is_the_slope_of_the_distribution() {
        for error in [-0.3, -0.1, 0.05, 0.2, 0.9] {
            let slope = (at_most(error + 1e-4, 0.15) - at_most(error - 1e-4, 0.15)) / 2e-4;
            assert!((slope - density(error, 0.15)).abs() < 1e-2, "{error}");
        }
    }
}
