//! The gate for an arbitrary text about an arbitrary commit: what passes is made of what was said, and passes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uro_capture::domain::clock::SystemClock;
use uro_capture::facts;
use uro_capture::fallback::template;
use uro_capture::quality::ground::{Evidence, check};
use uro_capture_fuzz::commit;

fuzz_target!(|text: &str| {
    let (said, rest) = text.split_once("\n---\n").unwrap_or(("", text));
    let commit = commit(rest);
    let facts = facts::of(&commit, &SystemClock);
    let known = |_: &str| false;
    let evidence = Evidence { commit: &commit, facts: &facts, notes: &[], known: &known };
    for text in [said, &template::commit(&commit, &facts)] {
        let grounded = check(text, &evidence);
        if grounded.faults.is_empty() {
            assert_eq!(grounded.text.as_deref(), Some(text), "what has no fault is not touched");
        }
        if let Some(kept) = grounded.text {
            assert!(kept.len() <= text.len() + 1, "{kept:?} of {text:?}");
            let again = check(&kept, &evidence);
            assert!(again.faults.is_empty(), "{:?} of what was kept: {kept:?}", again.faults);
        }
    }
});
