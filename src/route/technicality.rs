//! Technicality score of a commit: prose about code needs a code model, a changed README does not.

use crate::facts::Facts;
use crate::facts::roles::FileRole;

/// Definitions or changed lines at which the score saturates.
const MANY_SYMBOLS: f64 = 6.0;

/// 0..=1: share of source and tests in the change, and number of definitions touched; breaking changes and changed
/// dependencies are always technical.
#[must_use]
pub fn of(facts: &Facts) -> f64 {
    let lines = |code: bool| -> f64 {
        let shares =
            facts.shares.iter().filter(|share| !code || matches!(share.role, FileRole::Source | FileRole::Tests));
        shares.map(|share| (share.insertions.unwrap_or(0).saturating_add(share.deletions.unwrap_or(0))) as f64).sum()
    };
    let all = lines(false);
    let code = if all > 0.0 { lines(true) / all } else { 0.0 };
    let named = (facts.symbols.len() as f64 / MANY_SYMBOLS).min(1.0);
    let at_least = if !facts.breaking.is_empty() || !facts.dependencies.is_empty() { 0.6 } else { 0.0 };
    (0.6 * code + 0.4 * named).max(at_least).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::domain::patch::FileChange;
    use crate::facts::sample::{commit, counted, file};

    fn technicality(files: Vec<FileChange>) -> f64 {
        of(&crate::facts::of(&commit("Change", files), &SystemClock))
    }

    #[test]
    fn code_is_technical_and_prose_is_not() {
        let prose = technicality(vec![counted("README.md", 30, 2)]);
        let mixed = technicality(vec![counted("README.md", 30, 2), counted("src/a.rs", 30, 2)]);
        let code = technicality(vec![file("src/a.rs", "@@\n+pub fn parse() {}\n+pub fn render() {}")]);
        assert!(prose < 0.1 && prose < mixed && mixed < code, "{prose} {mixed} {code}");
        assert!(technicality(vec![]).abs() < 1e-9);
    }
}
