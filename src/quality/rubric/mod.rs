//! Rule-based quality rubric for a text about a commit: five scores in 0..=1, and a weighted total.
//!
//! Pure functions of the text and its source. The rules are data with a hash; a judgement names the hash of its rules.
//! They check form and faithfulness; agreement with human ratings was not measured.

use std::sync::LazyLock;

use crate::domain::capture::Quality;
use crate::domain::patch::Commit;
use crate::facts::Facts;

mod accuracy;
mod completeness;
mod format;
mod length;
mod readability;
mod text_analysis;

use text_analysis::TextAnalysis;

/// All parameters of a judgement. Logic outside this data is covered by `version`.
#[derive(Debug, Clone, PartialEq)]
struct Rules {
    /// Incremented whenever the functions score differently with the same parameters.
    version: u32,
    weights: Weights,
    accuracy: accuracy::Rules,
    format: format::Rules,
    completeness: completeness::Rules,
    readability: readability::Rules,
    length: length::Rules,
    document: length::Rules,
}

/// Weight of each score in the total; they add up to one.
#[derive(Debug, Clone, PartialEq)]
struct Weights {
    technical_accuracy: f64,
    format_compliance: f64,
    completeness: f64,
    readability: f64,
    length: f64,
}

const RULES: Rules = Rules {
    version: 2,
    weights: Weights {
        technical_accuracy: 0.35,
        format_compliance: 0.15,
        completeness: 0.25,
        readability: 0.15,
        length: 0.1,
    },
    accuracy: accuracy::RULES,
    format: format::RULES,
    completeness: completeness::RULES,
    readability: readability::RULES,
    length: length::SUMMARY,
    document: length::DOCUMENT,
};

/// Scores a summary against the facts of its commit; `faults` is the number of ungrounded statements.
#[must_use]
pub fn commit(text: &str, commit: &Commit, facts: &Facts, faults: usize) -> Option<Quality> {
    Some(judge_commit(&RULES, text, commit, facts, faults))
}

/// Scores a note's summary against the note.
#[must_use]
pub fn note(text: &str, note: &str) -> Option<Quality> {
    let analysis = TextAnalysis::of(text);
    Some(RULES.quality([
        accuracy::of_words(&RULES.accuracy, &analysis, [note]),
        format::of(&RULES.format, &analysis, note),
        completeness::of_note(&RULES.completeness, &analysis, note),
        readability::of(&RULES.readability, &analysis),
        length::of(&RULES.length, &analysis),
    ]))
}

/// Scores a draft against the summaries of its captures.
#[must_use]
pub fn document(text: &str, sources: &[&str]) -> Option<Quality> {
    let analysis = TextAnalysis::of(text);
    Some(RULES.quality([
        accuracy::of_words(&RULES.accuracy, &analysis, sources.iter().copied()),
        format::of_document(&RULES.format, &analysis),
        completeness::of_sources(&RULES.completeness, &analysis, sources),
        readability::of(&RULES.readability, &analysis),
        length::of(&RULES.document, &analysis),
    ]))
}

fn judge_commit(rules: &Rules, text: &str, commit: &Commit, facts: &Facts, faults: usize) -> Quality {
    let analysis = TextAnalysis::of(text);
    rules.quality([
        accuracy::of(&rules.accuracy, &analysis, commit, facts, faults),
        format::of(&rules.format, &analysis, &commit.message),
        completeness::of(&rules.completeness, &analysis, facts),
        readability::of(&rules.readability, &analysis),
        length::of(&rules.length, &analysis),
    ])
}

/// Hash of the rules in use, cached: formatting all rules for each judgement would cost more than scoring.
static HASH: LazyLock<String> = LazyLock::new(|| RULES.hash());

impl Rules {
    fn quality(&self, scores: [f64; 5]) -> Quality {
        let [technical_accuracy, format_compliance, completeness, readability, length] = scores.map(unit);
        let weights = &self.weights;
        let score = technical_accuracy * weights.technical_accuracy
            + format_compliance * weights.format_compliance
            + completeness * weights.completeness
            + readability * weights.readability
            + length * weights.length;
        Quality {
            technical_accuracy,
            format_compliance,
            completeness,
            readability,
            length,
            score: unit(score),
            rubric: HASH.clone(),
        }
    }

    /// Eight hexadecimal digits of the FNV-1a hash of all rules.
    fn hash(&self) -> String {
        crate::text::hash::version(&format!("{self:?}"))
    }
}

/// Clamped to 0..=1 and rounded to three decimals.
fn unit(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { (score.clamp(0.0, 1.0) * 1e3).round() / 1e3 }
}

/// `part` divided by `whole`; `otherwise` when `whole` is zero.
fn share(part: f64, whole: f64, otherwise: f64) -> f64 {
    if whole > 0.0 { part / whole } else { otherwise }
}

#[cfg(test)]
#[path = "rubric_tests.rs"]
mod tests;
