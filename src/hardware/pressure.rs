//! Linux pressure stall information (PSI): share of the last seconds in which tasks waited
//! (<https://docs.kernel.org/accounting/psi.html>).

use std::path::Path;

use serde::Serialize;

/// Percent of the last ten seconds in which at least one task waited; absent without kernel support.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Pressure {
    pub cpu: Option<f64>,
    pub memory: Option<f64>,
}

impl Pressure {
    /// Reads the running system.
    #[must_use]
    pub fn read() -> Self {
        Self::read_from(Path::new("/proc/pressure"))
    }

    fn read_from(dir: &Path) -> Self {
        let some = |name| some_avg10(&std::fs::read_to_string(dir.join(name)).ok()?);
        Self { cpu: some("cpu"), memory: some("memory") }
    }
}

/// Parses `some avg10=1.53 avg60=…` to 1.53.
fn some_avg10(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split(' ').find_map(|field| field.strip_prefix("avg10="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_second_average_is_read() {
        let text =
            "some avg10=12.02 avg60=3.96 avg300=1.17 total=19519858\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(some_avg10(text), Some(12.02));
    }

    #[test]
    fn what_is_not_there_or_not_understood_is_absent() {
        for text in ["", "full avg10=1.0\n", "some avg60=1.0\n", "some avg10=x\n"] {
            assert_eq!(some_avg10(text), None, "{text:?}");
        }
        assert_eq!(Pressure::read_from(Path::new("/nonexistent")), Pressure::default());
    }
}
