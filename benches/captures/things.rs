//! What a subject names, and whether a text names it too.
//!
//! Things are the words of at least four letters of the author's subject, stemmed, without stop words, that also
//! occur, stemmed, among the words of the changed lines or the paths; all split at `snake_case` and `camelCase`.

use std::collections::BTreeSet;

use rust_stemmers::{Algorithm, Stemmer};
use uro_capture::domain::patch::{Commit, LineOrigin};

/// Common English words, and the verbs by which commits are told (a template says them without knowing anything).
const STOP: &str = "about above after again against also been before being below between both cannot could does doing \
    done down during each even from further have having here into itself just less like more most much need needs \
    once only other over same should since some still such than that their them then there these they this those \
    through under until very were what when where which while will with without would your \
    added adding adds removed removes remove removing changed changes change changing moved moves move moving renamed \
    renames rename renaming deleted deletes delete edits edit edited fixes fixed fixing updated updates update updating \
    merge merges merged revert reverts reverted make makes made making uses used using";

/// Words as things are counted.
pub struct Things {
    stemmer: Stemmer,
}

impl Things {
    pub fn new() -> Self {
        Self { stemmer: Stemmer::create(Algorithm::English) }
    }

    /// What the subject names that the patch changes.
    pub fn of(&self, subject: &str, commit: &Commit) -> BTreeSet<String> {
        let patch = self.changed(commit);
        self.words(subject).into_iter().filter(|word| patch.contains(word)).collect()
    }

    fn changed(&self, commit: &Commit) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for file in &commit.patch.files {
            words.extend(self.words(&file.path));
            words.extend(self.words(file.old_path.as_deref().unwrap_or("")));
            let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
            for line in lines.filter(|line| line.origin != LineOrigin::Context) {
                words.extend(self.words(&line.text));
            }
        }
        words
    }

    /// The stems of a text; an identifier counts as a whole, too.
    pub fn words(&self, text: &str) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for token in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
            let parts = parts(token);
            let whole: String = parts.concat();
            for word in parts.into_iter().chain([whole]) {
                if word.chars().count() >= 4 && word.chars().any(char::is_alphabetic) && !is_stop(&word) {
                    words.insert(self.stemmer.stem(&word).into_owned());
                }
            }
        }
        words
    }
}

fn is_stop(word: &str) -> bool {
    STOP.split_whitespace().any(|stop| stop == word)
}

/// `snake_case`, `camelCase` and `HTTPServer` in lower-case parts.
fn parts(token: &str) -> Vec<String> {
    let chars: Vec<char> = token.chars().collect();
    let mut parts = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        let after_small = at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_numeric());
        let before_small = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        let starts = c.is_uppercase() && at > 0 && (after_small || (chars[at - 1].is_uppercase() && before_small));
        if c == '_' || starts {
            parts.push(String::new());
        }
        if c != '_' {
            parts.last_mut().into_iter().for_each(|part| part.extend(c.to_lowercase()));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
