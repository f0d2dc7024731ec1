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

/// Former names, each with the one in use.
const FORMER_NAMES: &[(&str, &str)] = &[
    ("Bent", "Specialty"),
    ("Brought", "NewCommits"),
    ("Came", "Added"),
    ("ChoreOutcome", "IdleTaskOutcome"),
    ("ClassCode", "CaptureClass"),
    ("Deaf", "WatchError"),
    ("Deed", "RefChange or FsChange"),
    ("DraftShelf", "DraftStore"),
    ("Ears", "DirWatcher"),
    ("Eyes", "SystemSampler"),
    ("Fruit", "IdleTaskOutcome"),
    ("Heart", "Heartbeat"),
    ("InHand", "PoisonEventGuard"),
    ("Kin", "RelatedCaptures"),
    ("Life", "Sidecar"),
    ("Means", "HookMode"),
    ("MemoryShelf", "InMemoryDraftStore"),
    ("Night", "DraftBatch"),
    ("Nobody", "Unavailable"),
    ("Ours", "Authorship"),
    ("Pauses", "IdleTasks"),
    ("Pulse", "Health"),
    ("Staging", "IndexDebounce"),
    ("Traces", "WatchPaths"),
    ("Unhurried", "BatchModel"),
    ("foresee", "preview"),
    ("roster", "registry"),
    ("sewn", "joined_parts"),
    ("succession", "takeover"),
];

#[test]
fn code_of_src_uses_no_former_name() {
    let mut found = Vec::new();
    for path in files(&root().join("src"), ".rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            // Words in strings are not names.
            let code: String = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
            for (name, now) in FORMER_NAMES.iter().filter(|(name, _)| has_word(&code, name)) {
                found.push(format!("{}:{}: {name} is now {now}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

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
