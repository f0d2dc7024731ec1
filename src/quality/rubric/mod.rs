//! How good a text about a commit is, as far as rules can tell: five scores in 0..=1, and one of them all.
//!
//! Pure functions of the text and what it is about. The rules are data and carry a hash; a judgement names the hash
//! of the rules that made it. They check form and faithfulness; whether people agree with them was not measured.

use std::sync::LazyLock;

use crate::domain::capture::Quality;
use crate::domain::patch::Commit;
use crate::facts::Facts;

mod accuracy;
mod completeness;
mod format;
mod length;
mod readability;
mod said;

use said::Said;

/// Everything that a judgement depends on. What is not data here (how the data is used) is covered by `version`.
#[derive(Debug, Clone, PartialEq)]
struct Rules {
    /// Counted up whenever the functions judge differently by the same numbers.
    version: u32,
    weights: Weights,
    accuracy: accuracy::Rules,
    format: format::Rules,
    completeness: completeness::Rules,
    readability: readability::Rules,
    length: length::Rules,
    document: length::Rules,
}

/// What each score counts in the whole; they add up to one.
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

/// Judges a summary by the facts of its commit; `faults` is how many of its statements were not grounded.
#[must_use]
pub fn commit(text: &str, commit: &Commit, facts: &Facts, faults: usize) -> Option<Quality> {
    Some(judge_commit(&RULES, text, commit, facts, faults))
}

/// Judges a note's summary by the note.
#[must_use]
pub fn note(text: &str, note: &str) -> Option<Quality> {
    let said = Said::of(text);
    Some(RULES.quality([
        accuracy::of_words(&RULES.accuracy, &said, [note]),
        format::of(&RULES.format, &said, note),
        completeness::of_note(&RULES.completeness, &said, note),
        readability::of(&RULES.readability, &said),
        length::of(&RULES.length, &said),
    ]))
}

/// Judges a draft by the summaries of the captures that it is made of.
#[must_use]
pub fn document(text: &str, sources: &[&str]) -> Option<Quality> {
    let said = Said::of(text);
    Some(RULES.quality([
        accuracy::of_words(&RULES.accuracy, &said, sources.iter().copied()),
        format::of_document(&RULES.format, &said),
        completeness::of_sources(&RULES.completeness, &said, sources),
        readability::of(&RULES.readability, &said),
        length::of(&RULES.document, &said),
    ]))
}

fn judge_commit(rules: &Rules, text: &str, commit: &Commit, facts: &Facts, faults: usize) -> Quality {
    let said = Said::of(text);
    rules.quality([
        accuracy::of(&rules.accuracy, &said, commit, facts, faults),
        format::of(&rules.format, &said, &commit.message),
        completeness::of(&rules.completeness, &said, facts),
        readability::of(&rules.readability, &said),
        length::of(&rules.length, &said),
    ])
}

/// Of the rules that judge; to put all of them in words for each judgement would cost more than judging.
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
        let hash = format!("{self:?}")
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
    }
}

/// In 0..=1 and to three decimals, whatever came in.
fn unit(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { (score.clamp(0.0, 1.0) * 1e3).round() / 1e3 }
}

/// `part` of `whole`; `otherwise` where there is no whole.
fn share(part: f64, whole: f64, otherwise: f64) -> f64 {
    if whole > 0.0 { part / whole } else { otherwise }
}

#[cfg(test)]
#[path = "rubric_tests.rs"]
mod tests;
