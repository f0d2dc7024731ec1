//! File size formatting.

use crate::pipeline::sizes::Sizes;

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// `0 B`, `999 B`, `1.5 KiB`, `240 MiB`: at least two digits.
#[must_use]
pub fn words(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut number = bytes as f64 / 1024.0;
    let mut unit = 0;
    // A value that would round to 1024 moves to the next unit.
    while number >= 1023.5 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    if number < 9.95 { format!("{number:.1} {}", UNITS[unit]) } else { format!("{number:.0} {}", UNITS[unit]) }
}

/// `database 3.1 MiB, old copies 0 B, log 12 KiB, spool 96 B, drafts 4.0 KiB`.
#[must_use]
pub fn all(sizes: &Sizes) -> String {
    let Sizes { database, copies, log, spool, drafts } = *sizes;
    let parts = [("database", database), ("old copies", copies), ("log", log), ("spool", spool), ("drafts", drafts)];
    parts.map(|(name, bytes)| format!("{name} {}", words(bytes))).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_and_two_digits_at_least() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (10_188, "9.9 KiB"),
            (10_189, "10 KiB"),
            (1_048_063, "1023 KiB"),
            (1_048_064, "1.0 MiB"),
            (3 << 30, "3.0 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(words(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn every_place_is_named() {
        let sizes = Sizes { database: 3_250_586, copies: 0, log: 12_288, spool: 96, drafts: 4096 };
        assert_eq!(all(&sizes), "database 3.1 MiB, old copies 0 B, log 12 KiB, spool 96 B, drafts 4.0 KiB");
    }
}
