//! Negative controls: texts that must score lower than the correct one, each in the score of its fault.

use proptest::prelude::*;

use super::*;
use crate::domain::clock::SystemClock;
use crate::facts;
use crate::facts::author::Author;
use crate::facts::language::SymbolKind;
use crate::facts::sample::{commit as a_commit, counted, file};
use crate::facts::symbols::{Fate, Symbol};

const TRUE: &str = "Adds `Router::choose`, which picks the model with the fewest requests, and removes `select_model`. The tests cover both.";

fn sample() -> (Commit, Facts) {
    let patch = "@@ impl Router {\n+    pub fn choose(&self) -> Model {\n+        self.fewest_requests()\n+    }\n@@\n-fn select_model() {\n-    first()\n-}";
    let files = vec![file("src/route.rs", patch), counted("tests/route.rs", 31, 0)];
    let commit = a_commit("Pick the model with the fewest requests", files);
    // Only the rules are tested: the facts are fixed, independent of the extraction.
    let symbols = vec![symbol("Router::choose", Fate::Added), symbol("select_model", Fate::Removed)];
    let facts = facts::of(&commit, &SystemClock);
    let (mentions, dependencies, breaking) = (Vec::new(), Vec::new(), Vec::new());
    let facts = Facts { symbols, mentions, dependencies, breaking, author: Author::default(), ..facts };
    (commit, facts)
}

fn symbol(name: &str, fate: Fate) -> Symbol {
    Symbol {
        name: name.to_owned(),
        kind: SymbolKind::Function,
        fate,
        public: true,
        test: false,
        test_case: false,
        path: "src/route.rs".to_owned(),
        old_name: None,
        old_path: None,
        lines: 3,
        members: Vec::new(),
        comments_only: false,
    }
}

fn score(text: &str, faults: usize) -> Quality {
    let (commit, facts) = sample();
    super::commit(text, &commit, &facts, faults).unwrap()
}

#[test]
fn a_true_text_scores_high_everywhere() {
    let quality = score(TRUE, 0);
    for part in [quality.technical_accuracy, quality.format_compliance, quality.readability, quality.length] {
        assert!(part >= 0.9, "{quality:?}");
    }
    assert!(quality.completeness >= 0.8 && quality.score >= 0.9, "{quality:?}");
}

/// The score that a control affects.
type Part = (&'static str, fn(&Quality) -> f64);
const ACCURACY: Part = ("accuracy", |quality| quality.technical_accuracy);
const FORMAT: Part = ("format", |quality| quality.format_compliance);
const COMPLETENESS: Part = ("completeness", |quality| quality.completeness);
const READABILITY: Part = ("readability", |quality| quality.readability);
const LENGTH: Part = ("length", |quality| quality.length);

#[test]
fn every_control_scores_lower_where_its_fault_lies_and_as_a_whole() {
    let all_names = "`Router`, `choose`, `Model`, `fewest_requests`, `select_model`, `first`, `src/route.rs`, `tests/route.rs`, `Router::choose`, `self`";
    let diff = "@@ impl Router {\n+    pub fn choose(&self) -> Model {\n+        self.fewest_requests()\n-fn select_model() {\n-    first()";
    let padded = format!("{TRUE} {TRUE} {TRUE}");
    let invented = TRUE.replace("select_model", "pick_random");
    let misspelled = TRUE.replace("Router::choose", "Router::chose");
    let controls: [(&str, &str, usize, Part); 21] = [
        ("empty", "", 0, LENGTH),
        ("blank", " \n ", 0, FORMAT),
        ("praise", "This great change significantly enhances the overall robustness of the codebase.", 0, FORMAT),
        (
            "boilerplate",
            "Various improvements and changes were made to the code in some of the files.",
            0,
            COMPLETENESS,
        ),
        (
            "shuffled",
            "and The choose. requests cover the fewest which removes Adds both the with `select_model` picks model the tests of",
            0,
            READABILITY,
        ),
        (
            "another commit",
            "Fixes the `parse_header` timeout in `src/http/client.rs` when the server sends no length.",
            2,
            ACCURACY,
        ),
        ("another commit, not noticed", "Fixes the `parse_header` timeout in `src/http/client.rs`.", 0, ACCURACY),
        (
            "another commit, told little",
            "Fixes the timeout of the client when the server sends no length.",
            0,
            COMPLETENESS,
        ),
        ("polarity swapped", "Removes `Router::choose`, and adds `select_model`. The tests cover both.", 1, ACCURACY),
        ("invented symbol", &invented, 0, ACCURACY),
        ("misspelled symbol", &misspelled, 0, ACCURACY),
        ("all names", all_names, 0, READABILITY),
        ("copied diff", diff, 0, FORMAT),
        ("truncated", "Adds `Router::choose`, which picks the model with the", 0, FORMAT),
        ("repeated", &padded, 0, READABILITY),
        ("repeated and long", &padded, 0, FORMAT),
        ("German", "Fügt eine Funktion für die Auswahl des Modells mit den wenigsten Anfragen hinzu.", 0, FORMAT),
        ("Chinese", "添加了选择请求最少的模型的函数。", 0, FORMAT),
        ("list", "- Adds `Router::choose`\n- Removes `select_model`", 0, FORMAT),
        ("first person", "I added `Router::choose` and we removed `select_model`, as requested.", 0, FORMAT),
        ("one word", "Refactoring", 0, LENGTH),
    ];
    let good = score(TRUE, 0);
    for (name, text, faults, (part, of)) in controls {
        let bad = score(text, faults);
        assert!(of(&bad) < of(&good) - 0.09, "{name}: {part} {bad:?}");
        assert!(bad.score < good.score, "{name}: {bad:?}");
    }
}

#[test]
fn shuffled_words_read_worse_whatever_the_order() {
    let words: Vec<&str> = TRUE.split_whitespace().collect();
    let good = score(TRUE, 0);
    for step in [3, 5, 7, 11, 13] {
        let shuffled: Vec<&str> = (0..words.len()).map(|at| words[at * step % words.len()]).collect();
        let bad = score(&shuffled.join(" "), 0);
        assert!(bad.readability < good.readability - 0.05, "{shuffled:?} {bad:?}");
        assert!(bad.score < good.score);
    }
}

#[test]
fn a_fault_counts_and_telling_more_counts() {
    assert!(score(TRUE, 1).technical_accuracy < score(TRUE, 0).technical_accuracy);
    assert!(score(TRUE, 9).technical_accuracy < score(TRUE, 1).technical_accuracy);
    let less = "Picks the model with the fewest requests in the router of the project.";
    assert!(score(less, 0).completeness < score(TRUE, 0).completeness);
}

#[test]
fn a_note_is_judged_by_its_words() {
    let note = "moved the pool to `hikari`, 3s -> 200ms at startup";
    let kept = super::note("The pool moved to `hikari`; startup takes 200ms instead of 3s.", note).unwrap();
    let lost = super::note("The pool moved to `dbcp` in the application.", note).unwrap();
    assert!(kept.score > lost.score && kept.technical_accuracy > lost.technical_accuracy);
    assert!(kept.completeness > lost.completeness);
}

#[test]
fn a_draft_is_judged_by_its_captures() {
    let sources = ["Adds `Router::choose`.", "Removes the old cache of tokens."];
    let text = "# Week 9\n\nThe router has a new function, `Router::choose`, that picks a model for each of the requests.\n\nThe old cache of tokens is gone, because nothing used it any more and it cost memory at every start.";
    let good = document(text, &sources).unwrap();
    let bad = document("Sure! Here is an amazing post about `Nothing::real`.", &sources).unwrap();
    assert!(good.score > 0.9 && bad.score < good.score - 0.3, "{good:?} {bad:?}");
    assert!(bad.completeness < good.completeness && bad.technical_accuracy < good.technical_accuracy);
}

#[test]
fn the_hash_names_the_rules_and_moves_with_any_of_them() {
    let mut weighed = RULES;
    weighed.weights.length = 0.2;
    let mut listed = RULES;
    listed.version += 1;
    assert_eq!(RULES.hash(), RULES.clone().hash());
    assert_ne!(weighed.hash(), RULES.hash());
    assert_ne!(listed.hash(), RULES.hash());
    let weights = &RULES.weights;
    let sum = weights.technical_accuracy
        + weights.format_compliance
        + weights.completeness
        + weights.readability
        + weights.length;
    assert!((sum - 1.0).abs() < 1e-9);
}

/// After a change of the functions: raise the rules' version, then update these numbers.
#[test]
fn the_same_version_judges_the_same() {
    let texts = [TRUE, "Fixes it.", "Great work that improves everything!", "Removes `select_model`."];
    let judged: Vec<String> = texts
        .iter()
        .map(|text| score(text, 0))
        .map(|q| {
            format!(
                "{} {} {} {} {} {}",
                q.technical_accuracy, q.format_compliance, q.completeness, q.readability, q.length, q.score
            )
        })
        .collect();
    insta::assert_snapshot!(format!("{} {}\n{}", RULES.version, RULES.hash(), judged.join("\n")), @r"
    2 e18e59c9
    1 1 1 1 1 1
    0.9 0.7 0 1 0.25 0.595
    0.9 0.7 0 1 0.625 0.633
    1 0.7 0.458 0.96 0.25 0.739
    ");
}

proptest! {
    #[test]
    fn scores_are_always_numbers_between_nothing_and_all(text in "(?s).{0,200}", faults in 0usize..5) {
        let (commit, facts) = sample();
        let judged = [super::commit(&text, &commit, &facts, faults), note(&text, &text), document(&text, &[&text])];
        for q in judged.into_iter().flatten() {
            for part in [q.technical_accuracy, q.format_compliance, q.completeness, q.readability, q.length, q.score] {
                prop_assert!((0.0..=1.0).contains(&part), "{q:?}");
            }
        }
    }
}
