//! Facts and the template of an arbitrary commit: they name only what occurs in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uro_capture::domain::clock::SystemClock;
use uro_capture::facts;
use uro_capture::facts::breaking::Breaking;
use uro_capture::fallback::template;
use uro_capture::quality::rubric;
use uro_capture_fuzz::{assert_line, assert_occurs, commit, everything, spoken};

fuzz_target!(|text: &str| {
    let commit = commit(text);
    let all = spoken(&everything(&commit));
    let facts = facts::of(&commit, &SystemClock);
    for name in facts.symbols.iter().flat_map(|symbol| symbol.names()) {
        assert_occurs(name, &all);
    }
    for mention in &facts.mentions {
        assert_occurs(&mention.text, &all);
        assert!(mention.weight.is_finite(), "{mention:?}");
    }
    for change in &facts.dependencies {
        for name in [Some(&change.name), change.from.as_ref(), change.to.as_ref()].into_iter().flatten() {
            assert_occurs(name, &all);
        }
    }
    for breaking in &facts.breaking {
        match breaking {
            Breaking::Said(name) | Breaking::Flag(name) | Breaking::Variable(name) | Breaking::Migration(name) => {
                assert_occurs(name, &all);
            }
        }
    }
    let message = spoken(&commit.message);
    for word in facts.author.numbers.iter().chain(&facts.author.tickets).chain(&facts.author.why) {
        assert_occurs(word, &message);
    }
    let said = template::commit(&commit, &facts);
    assert_line(&said);
    assert!(!said.is_empty());
    // Quoted words of the author may hold a lone backtick; then nothing tells where code begins.
    for code in said.split('`').skip(1).step_by(2).filter(|_| !all.contains('`')) {
        assert_occurs(code, &all);
    }
    let quality = rubric::commit(&said, &commit, &facts, 0).map(|quality| quality.score);
    assert!(quality.is_none_or(|score| (0.0..=1.0).contains(&score)));
});
