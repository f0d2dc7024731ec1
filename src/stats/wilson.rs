//! The Wilson score interval of a rate: honest also for few tries and for rates near 0 and 1.

/// The two-sided 95 % quantile of the normal distribution.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Lower and upper end of the interval for `successes` of `n`; absent when nothing was tried.
///
/// E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
#[must_use]
pub fn interval(successes: u64, n: u64, z: f64) -> Option<(f64, f64)> {
    if n == 0 || successes > n {
        return None;
    }
    let (n, p) = (n as f64, successes as f64 / n as f64);
    let z2 = z * z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<(f64, f64)>, low: f64, high: f64) {
        let (l, h) = found.unwrap();
        assert!((l - low).abs() < 5e-4 && (h - high).abs() < 5e-4, "{l} {h}");
    }

    #[test]
    fn it_agrees_with_published_values() {
        // R. G. Newcombe, Two-sided confidence intervals for the single proportion (1998), table I.
        near(interval(81, 263, Z95), 0.2553, 0.3662);
        near(interval(15, 148, Z95), 0.0624, 0.1605);
        near(interval(0, 20, Z95), 0.0, 0.1611);
        near(interval(1, 29, Z95), 0.0061, 0.1718);
    }

    #[test]
    fn nothing_tried_or_nonsense_says_nothing() {
        assert_eq!(interval(0, 0, Z95), None);
        assert_eq!(interval(2, 1, Z95), None);
    }
}
