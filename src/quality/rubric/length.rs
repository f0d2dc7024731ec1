//! Length score: full marks within a range of words.

use super::text_analysis::TextAnalysis;

/// Range of words with the full score.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    least: f64,
    most: f64,
}

/// A summary of one to three sentences.
pub(super) const SUMMARY: Rules = Rules { least: 8.0, most: 60.0 };
/// A draft, from a status report to a blog post.
pub(super) const DOCUMENT: Rules = Rules { least: 30.0, most: 900.0 };

/// 1 within the range; below it proportional, above it range end divided by length.
pub(super) fn of(rules: &Rules, analysis: &TextAnalysis<'_>) -> f64 {
    let words = analysis.words.len() as f64;
    if words < rules.least { words / rules.least } else { rules.most / words.max(rules.most) }
}
