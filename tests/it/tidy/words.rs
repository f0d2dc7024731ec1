//! Words that comments of `src` do not use, each with what is written instead.

use super::structure::has_word;
use super::{files, root};

/// Refused word or phrase, and the term to write. Only for words that are gone from every comment.
const REFUSED: &[(&str, &str)] = &[
    ("albeit", "although"),
    ("blacklist", "deny list"),
    ("borne", "done"),
    ("chores", "idle tasks"),
    ("dummy", "fake or placeholder"),
    ("eyewitness", "source of the event"),
    ("fixme", "an issue in the tracker"),
    ("fruit", "result"),
    ("gossip", "hint"),
    ("hack", "what it works around"),
    ("hitherto", "until now"),
    ("naught", "nothing"),
    ("obviously", "the reason"),
    ("rumour", "hint"),
    ("sanity", "consistency"),
    ("stranger", "another user or process"),
    ("therein", "in it"),
    ("thereof", "of it"),
    ("todo", "an issue in the tracker"),
    ("whilst", "while"),
    ("whitelist", "allow list"),
    ("whomever", "the process or the person"),
];

#[test]
fn comments_of_src_use_no_refused_word() {
    let mut found = Vec::new();
    for path in files(&root().join("src"), ".rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            let line = line.to_lowercase();
            for (word, instead) in REFUSED.iter().filter(|(word, _)| has_word(&line, word)) {
                found.push(format!("{}:{}: \"{word}\": write {instead}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
