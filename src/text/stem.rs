//! Stemmer: the forms of an English word share one stem (Snowball, "Porter 2").

use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

/// The stem of a word in any case. Agent nouns count as their verb (`parser`, `parse`), as one stands for the other
/// in code and prose; Snowball does so for long words alone.
pub fn stem(word: &str) -> String {
    static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));
    let low = word.to_lowercase();
    // Snowball takes `adding` to `ad`: in a verb of three letters the last two belong to it (`add`, `err`, `egg`).
    if let Some(verb) = low.strip_suffix("ing").or_else(|| low.strip_suffix("ed"))
        && let [vowel, first, second] = verb.as_bytes()
        && b"aeiou".contains(vowel)
        && first == second
    {
        return verb.to_owned();
    }
    let stem = ENGLISH.stem(&low);
    match stem.strip_suffix("er").filter(|verb| verb.chars().count() > 3) {
        Some(verb) => verb.to_owned(),
        None => stem.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn forms_of_a_word_share_their_stem() {
        for family in [
            ["removes", "removed", "removing"],
            ["stop", "stopped", "stopping"],
            ["retry", "retries", "retried"],
            ["redirects", "redirect", "Redirected"],
            ["parsing", "parse", "parser"],
            ["builds", "builder", "building"],
            ["entries", "entry", "entry"],
            ["classes", "class", "class"],
            ["caches", "cache", "caching"],
            ["adds", "add", "adding"],
            ["err", "erred", "erring"],
            ["tests", "testing", "tester"],
        ] {
            assert_eq!((stem(family[1]), stem(family[2])), (stem(family[0]), stem(family[0])), "{family:?}");
        }
        for (one, other) in [("status", "stat"), ("parser", "part"), ("user", "use")] {
            assert_ne!(stem(one), stem(other));
        }
    }
}
