//! Formats the numbers of a decision for people.

use super::decision::ScoredCandidate;
use super::signals::Signals;
use crate::domain::role::Role;

/// Duration with a sensible precision: 85 ms, 0.42 s, 1.6 s, 34 s, 2 min.
pub(super) fn seconds(ms: f64) -> String {
    match ms {
        ms if !ms.is_finite() => "forever".to_owned(),
        ms if ms < 99.5 => format!("{ms:.0} ms"),
        ms if ms < 995.0 => format!("{:.2} s", ms / 1e3),
        ms if ms < 9_950.0 => format!("{:.1} s", ms / 1e3),
        ms if ms < 120_000.0 => format!("{:.0} s", ms / 1e3),
        ms => format!("{:.0} min", ms / 60e3),
    }
}

/// Percentage, never 0 or 100.
pub(super) fn percent(chance: f64) -> u32 {
    (chance * 100.0).round().clamp(0.0, 99.0) as u32
}

/// "97 of 100 cases", with the share of the rest that can be salvaged.
pub(super) fn cases(candidate: &ScoredCandidate) -> String {
    let whole = format!("{} of 100 cases", percent(candidate.p_on_time));
    if candidate.p_salvage < 0.01 {
        return whole;
    }
    format!("{whole} (in {} more at least with its first sentence)", percent(candidate.p_salvage).max(1))
}

/// A quality between 0 and 1.
pub(super) fn format_quality(value: f64) -> String {
    format!("{:.2}", value.clamp(0.0, 1.0))
}

/// "only 1.6 s are left", also when the time is over.
pub(super) fn time_left(task: &Signals) -> String {
    let left = task.left_s * 1e3;
    if left > 0.0 { format!("{} are left", seconds(left)) } else { "the time is over".to_owned() }
}

pub(super) fn role_noun(role: Role) -> &'static str {
    match role {
        Role::Capture => "this capture",
        Role::Devlog => "the devlog",
        Role::Blog => "the blog post",
        Role::Social => "the social post",
        Role::Status => "the overview",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_precise_as_they_deserve() {
        let times = [0.0, 85.4, 99.9, 421.0, 999.0, 1_640.0, 34_400.0, 200_000.0, f64::INFINITY].map(seconds);
        assert_eq!(times, ["0 ms", "85 ms", "0.10 s", "0.42 s", "1.0 s", "1.6 s", "34 s", "3 min", "forever"]);
    }

    #[test]
    fn nothing_is_certain() {
        assert_eq!([0.0, 0.5, 0.999, 1.0, f64::NAN].map(percent), [0, 50, 99, 99, 0]);
    }
}
