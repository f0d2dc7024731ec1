//! Completeness score: the share of the most important facts of a change that the text mentions.

use super::share;
use super::text_analysis::{TextAnalysis, content};
use crate::facts::Facts;
use crate::facts::breaking::BreakingHint;
use crate::facts::roles::FileRole;

/// Weight per fact, and maximum facts per kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    /// Total weight for a full score: two sentences cannot mention everything.
    enough: f64,
    subject: f64,
    /// By rank: the first symbol, the second, ….
    symbols: &'static [f64],
    dependencies: &'static [f64],
    breaking: &'static [f64],
    renames: &'static [f64],
    mentions: &'static [f64],
    numbers: &'static [f64],
    why: f64,
    roles: f64,
    /// Share of a source's words from which it counts as mentioned.
    source: f64,
}

pub(super) const RULES: Rules = Rules {
    enough: 6.0,
    subject: 3.0,
    symbols: &[3.0, 2.0, 1.0, 1.0],
    dependencies: &[3.0, 1.0],
    breaking: &[2.0, 1.0],
    renames: &[2.0, 1.0],
    mentions: &[1.0, 1.0, 1.0],
    numbers: &[1.0],
    why: 2.0,
    roles: 1.0,
    source: 0.3,
};

/// Total weight of the facts, and weight of those mentioned.
#[derive(Debug, Default)]
struct FactTally {
    all: f64,
    mentioned: f64,
}

impl FactTally {
    fn count(&mut self, weight: f64, mentioned: f64) {
        self.all += weight;
        self.mentioned += weight * mentioned;
    }

    fn count_each<'a>(&mut self, weights: &[f64], analysis: &TextAnalysis<'_>, names: impl Iterator<Item = &'a str>) {
        for (weight, name) in weights.iter().zip(names) {
            self.count(*weight, analysis.mention_share(name));
        }
    }
}

/// The weighted recall of the facts.
pub(super) fn of(rules: &Rules, analysis: &TextAnalysis<'_>, facts: &Facts) -> f64 {
    if analysis.words.is_empty() {
        return 0.0;
    }
    let mut tally = FactTally::default();
    if facts.subject.informative && !content(&facts.subject.text).is_empty() {
        tally.count(rules.subject, analysis.mentioned_words(&facts.subject.text));
    }
    tally.count_each(rules.symbols, analysis, facts.symbols.iter().map(|symbol| symbol.name.as_str()));
    tally.count_each(rules.dependencies, analysis, facts.dependencies.iter().map(|change| change.name.as_str()));
    tally.count_each(rules.breaking, analysis, facts.breaking.iter().map(words_of));
    tally.count_each(rules.renames, analysis, facts.renames.iter().map(|(_, to)| stem_of(to)));
    tally.count_each(rules.mentions, analysis, facts.mentions.iter().map(|mention| mention.text.as_str()));
    let numbers = facts.author.numbers.iter().chain(&facts.author.tickets);
    tally.count_each(rules.numbers, analysis, numbers.map(String::as_str));
    if let Some(why) = &facts.author.why {
        tally.count(rules.why, analysis.mentioned_words(why));
    }
    count_roles(rules, &mut tally, analysis, facts);
    share(tally.mentioned, tally.all.min(rules.enough), 1.0)
}

/// Whether the text mentions that a change goes beyond source files.
fn count_roles(rules: &Rules, tally: &mut FactTally, analysis: &TextAnalysis<'_>, facts: &Facts) {
    let words = |role: FileRole| -> &[&str] {
        match role {
            FileRole::Tests => &["test", "tests"],
            FileRole::Docs => &["docs", "documentation", "readme", "changelog"],
            FileRole::Ci => &["ci", "workflow"],
            FileRole::Config => &["config", "configuration", "settings"],
            _ => &[],
        }
    };
    let others: Vec<&[&str]> = facts.shares.iter().map(|share| words(share.role)).filter(|w| !w.is_empty()).collect();
    if facts.shares.len() > 1 && !others.is_empty() {
        let mentioned = others.iter().filter(|words| words.iter().any(|word| analysis.has_word(word))).count();
        tally.count(rules.roles, share(mentioned as f64, others.len() as f64, 0.0));
    }
}

fn words_of(breaking: &BreakingHint) -> &str {
    match breaking {
        BreakingHint::Declared(words) if words.is_empty() => "breaking",
        BreakingHint::Declared(words) | BreakingHint::Flag(words) | BreakingHint::Variable(words) => words,
        BreakingHint::Migration(path) => stem_of(path),
    }
}

/// A file's name without directory and extension.
fn stem_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// The share of the note's words that the text keeps.
pub(super) fn of_note(_rules: &Rules, analysis: &TextAnalysis<'_>, note: &str) -> f64 {
    match (analysis.words.is_empty(), content(note).is_empty()) {
        (true, _) => 0.0,
        (false, true) => 1.0,
        (false, false) => analysis.mentioned_words(note),
    }
}

/// The share of the sources that the text mentions.
pub(super) fn of_sources(rules: &Rules, analysis: &TextAnalysis<'_>, sources: &[&str]) -> f64 {
    let mentioned = sources.iter().filter(|source| analysis.mentioned_words(source) >= rules.source).count();
    share(mentioned as f64, sources.len() as f64, if analysis.words.is_empty() { 0.0 } else { 1.0 })
}
