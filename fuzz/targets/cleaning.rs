//! A model's answer, whatever it is: one printable line within bounds that stays as it is, or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uro_capture::quality::clean::{clean, document, salvage};
use uro_capture::quality::expected::Expected;
use uro_capture::quality::rubric;
use uro_capture_fuzz::assert_line;

/// Marks that no reader may see outside code.
const LEAKS: [&str; 8] = ["<|", "<think", "</think", "```", "[INST", "</s>", "\u{fffd}", "\u{202e}"];

fuzz_target!(|text: &str| {
    let (answer, author) = text.split_once("\n===\n").unwrap_or((text, ""));
    let expected = Expected::of(author);
    if let Ok(line) = clean(answer, &expected) {
        check(&line, &expected);
    }
    if let Some(line) = salvage(answer, &expected) {
        check(&line, &expected);
    }
    if let Ok(text) = document(answer) {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert_scores(rubric::document(&text, &[author]));
    }
    assert_scores(rubric::note(answer, author));
});

fn check(line: &str, expected: &Expected) {
    assert_line(line);
    assert!(!line.is_empty() && line.chars().count() <= 400, "{line:?}");
    assert_eq!(clean(line, expected).as_deref(), Ok(line), "what is clean stays as it is");
    let prose: String = line.split('`').step_by(2).collect();
    for leak in LEAKS {
        assert!(line.matches('`').count() % 2 == 1 || !prose.contains(leak), "{leak:?} in {line:?}");
    }
}

fn assert_scores(quality: Option<uro_capture::domain::capture::Quality>) {
    if let Some(q) = quality {
        for score in [q.technical_accuracy, q.format_compliance, q.completeness, q.readability, q.length, q.score] {
            assert!((0.0..=1.0).contains(&score), "{q:?}");
        }
    }
}
