//! Accuracy score: the statements are grounded, and names are spelled as in the change.

use std::collections::BTreeSet;

use super::share;
use super::text_analysis::{TextAnalysis, segments};
use crate::domain::patch::Commit;
use crate::facts::Facts;
use crate::facts::symbols::Symbol;

/// Weights of the two halves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    grounded: f64,
    names: f64,
    /// Score for a text without names: nothing false, but nothing precise.
    nameless: f64,
}

pub(super) const RULES: Rules = Rules { grounded: 0.6, names: 0.4, nameless: 0.75 };

/// Against the commit: `faults` of the sentences are not grounded.
pub(super) fn of(rules: &Rules, analysis: &TextAnalysis<'_>, commit: &Commit, facts: &Facts, faults: usize) -> f64 {
    let files = &commit.patch.files;
    let lines = files
        .iter()
        .flat_map(|file| &file.hunks)
        .flat_map(|hunk| std::iter::once(hunk.header.as_str()).chain(hunk.lines.iter().map(|line| line.text.as_str())));
    let paths = files.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.old_path));
    let people = [&commit.message, &commit.author].into_iter().chain(&commit.branch);
    let symbols = facts.symbols.iter().flat_map(Symbol::names);
    let dependencies = facts
        .dependencies
        .iter()
        .flat_map(|change| std::iter::once(&change.name).chain(&change.from).chain(&change.to).map(String::as_str));
    let sources = lines.chain(paths.chain(people).map(String::as_str)).chain(symbols).chain(dependencies);
    weigh(rules, analysis, faults, sources)
}

/// Against the words of a note, or of the captures behind a draft.
pub(super) fn of_words<'a>(
    rules: &Rules,
    analysis: &TextAnalysis<'_>,
    sources: impl IntoIterator<Item = &'a str>,
) -> f64 {
    weigh(rules, analysis, 0, sources)
}

fn weigh<'a>(
    rules: &Rules,
    analysis: &TextAnalysis<'_>,
    faults: usize,
    sources: impl IntoIterator<Item = &'a str>,
) -> f64 {
    if analysis.words.is_empty() {
        return 0.0;
    }
    let statements = analysis.sentences.len().max(1) as f64;
    let grounded = 1.0 - (faults as f64 / statements).min(1.0);
    rules.grounded * grounded + rules.names * known_names(analysis, sources).unwrap_or(rules.nameless)
}

/// The share of names with every part spelled exactly as in the source; `None` without names.
fn known_names<'a>(analysis: &TextAnalysis<'_>, sources: impl IntoIterator<Item = &'a str>) -> Option<f64> {
    let mut missing: BTreeSet<&str> = analysis.names.iter().flat_map(|name| segments(name)).collect();
    for source in sources {
        if missing.is_empty() {
            break;
        }
        for segment in segments(source) {
            missing.remove(segment);
        }
    }
    let found = analysis.names.iter().filter(|name| !segments(name).any(|part| missing.contains(part))).count();
    (!analysis.names.is_empty()).then(|| share(found as f64, analysis.names.len() as f64, 0.0))
}
