//! Vocabulary for constrained decoding: the words allowed in a sentence about a patch. Without verbs for addition a
//! model cannot claim one where lines were only removed, and the same holds for renames; without other words it can
//! invent neither names nor purposes.

use std::collections::HashSet;

use crate::domain::patch::{Change, FileChange, LineOrigin, Patch};
use crate::domain::wording::{NameGroup, Object, SentenceForm, Wording};
use crate::facts;
use crate::facts::roles::FileRole;
use crate::facts::symbols::{Symbol, SymbolChange};
use crate::text::identifiers::split_parts;

use NameGroup::{Added, Removed, Unchanged};
use Object::{Becomes, Names, Renamed};

/// Verbs that fit any changed lines.
const ANY: Verbs = (&["Changes", "Fixes", "Handles", "Updates", "Corrects", "Disables"], Names(&[Unchanged]));
/// Verbs of addition, which need new lines.
const ADDS: Verbs = (&["Adds", "Defines", "Exports"], Names(&[Added]));
/// Verbs that need new lines.
const DOES: Verbs = (
    &[
        "Tests", "Checks", "Supports", "Enables", "Uses", "Returns", "Sets", "Passes", "Prints", "Reads", "Writes",
        "Calls", "Shows", "Skips", "Ignores", "Accepts", "Rejects", "Raises", "Throws", "Logs",
    ],
    Names(&[Added, Unchanged]),
);
/// Verbs that need old lines.
const GOES: Verbs = (&["Removes", "Drops", "Deletes"], Names(&[Removed]));
const STOPS: Verbs = (&["Stops"], Names(&[Removed, Unchanged]));
/// Verbs that need both.
const REPLACES: Verbs = (&["Replaces"], Becomes("with"));
const SWITCHES: Verbs = (&["Switches", "Converts"], Becomes("to"));
const VARIES: Verbs = (&["Lowers", "Increases", "Decreases", "Reorders"], Names(&[Unchanged]));
/// Verbs that need a moved or renamed thing, or another version.
const MOVES: Verbs = (&["Moves", "Extracts", "Splits"], Names(&[Added, Removed, Unchanged]));
const RENAMES: Verbs = (&["Renames"], Renamed);
const BUMPS: Verbs = (&["Bumps", "Upgrades", "Downgrades"], Names(&[Removed, Unchanged]));
/// Verbs for documentation: a model that reads about an option there would claim that the option was added.
const DOCS: Verbs =
    (&["Describes", "Mentions", "Explains", "Lists", "Links", "Corrects", "Updates"], Names(&[Added, Unchanged]));
const TESTS: Verbs = (&["Tests", "Covers", "Checks", "Updates", "Corrects", "Changes"], Names(&[Added, Unchanged]));
const MENDS: Verbs = (&["Corrects", "Updates"], Names(&[Removed, Unchanged]));

type Verbs = (&'static [&'static str], Object);

/// Maximum words taken from one change: a grammar is compiled for each request.
const MOST: usize = 400;
/// Maximum length of a word and of a name (characters).
const LONGEST: usize = 48;

/// The vocabulary for an answer about `patch` (`prompt/render`): the shown names, and the words of the facts and the
/// author.
#[must_use]
pub fn build_vocabulary(patch: &Patch, symbols: &[Symbol], question: &str) -> Wording {
    let mut words = WordList::default();
    let prose = ["message", "notes", "facts"].map(|tag| section(question, tag));
    let shown = section(question, "patch");
    prose.iter().for_each(|text| words.take_prose(text));
    words.take_code(shown);
    [FUNCTION, WORK, KINDS].iter().flat_map(|list| list.split_whitespace()).for_each(|word| words.add(word));
    let text = format!("{shown}\n{}", prose.join("\n")).to_lowercase();
    let mut forms = forms(patch, symbols);
    forms
        .iter_mut()
        .for_each(|form| form.openers.retain(|verb| !SAID.contains(verb) || text.contains(&verb_root(verb))));
    forms.retain(|form| !form.openers.is_empty());
    let renamed: Vec<(&str, &str)> = renamed(patch, symbols).collect();
    let (names, words) = words.list.into_iter().partition::<Vec<_>, _>(|word| word.starts_with('`'));
    let sides = NameSides::of(patch, &renamed);
    let mut wording = Wording { forms, words, prepositions: LINKS.to_vec(), ..Wording::default() };
    wording.renamed = renamed.iter().map(|(old, new)| format!("`{old}` to `{new}`")).collect();
    for name in names {
        match sides.of_name(name.trim_matches('`')) {
            Added => wording.added.push(name),
            Removed => wording.removed.push(name),
            Unchanged => wording.unchanged.push(name),
        }
    }
    wording
}

/// The text between the tags of this name.
fn section<'a>(question: &'a str, tag: &str) -> &'a str {
    let inner = question.split_once(&format!("<{tag}")).and_then(|(_, rest)| rest.split_once(">\n"));
    let inner = inner.and_then(|(_, rest)| rest.split_once(&format!("</{tag}")));
    inner.map_or("", |(inner, _)| inner)
}

/// Old and new names of renamed definitions and files.
fn renamed<'a>(patch: &'a Patch, symbols: &'a [Symbol]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let symbols = symbols.iter().filter(|symbol| symbol.change == SymbolChange::Renamed);
    let files = patch.files.iter().filter(|file| file.change == Change::Renamed);
    symbols
        .filter_map(|symbol| Some((symbol.old_name.as_deref()?, symbol.name.as_str())))
        .chain(files.filter_map(|file| Some((file.old_path.as_deref()?, file.path.as_str()))))
        .filter(|(old, new)| old.len() + new.len() <= 2 * LONGEST && !format!("{old}{new}").contains(['`', '\n']))
}

/// The sides of the patch on which the names occur.
#[derive(Debug, Default)]
struct NameSides<'a> {
    added: HashSet<&'a str>,
    removed: HashSet<&'a str>,
    unchanged: HashSet<&'a str>,
}

impl<'a> NameSides<'a> {
    fn of(patch: &'a Patch, renamed: &[(&'a str, &'a str)]) -> Self {
        let mut sides = Self::default();
        for hunk in patch.files.iter().flat_map(|file| &file.hunks) {
            sides.unchanged.extend(names(&hunk.header));
            for line in &hunk.lines {
                let side = match line.origin {
                    LineOrigin::Added => &mut sides.added,
                    LineOrigin::Removed => &mut sides.removed,
                    LineOrigin::Context => &mut sides.unchanged,
                };
                side.extend(names(&line.text));
            }
        }
        sides.unchanged.extend(renamed.iter().flat_map(|(old, new)| names(old).chain(names(new))));
        sides
    }

    /// A compound name such as `Router::choose` counts where its last part occurs.
    fn of_name(&self, name: &str) -> NameGroup {
        let last = names(name).last().unwrap_or_default();
        match (self.added.contains(last), self.removed.contains(last)) {
            _ if self.unchanged.contains(last) => Unchanged,
            (true, false) => Added,
            (false, true) => Removed,
            _ => Unchanged,
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_letter(c)).filter(|name| !name.is_empty())
}

/// Verbs for behaviour, offered only where the change or its author uses them.
const SAID: &[&str] = &[
    "Checks", "Supports", "Enables", "Disables", "Returns", "Passes", "Prints", "Reads", "Writes", "Calls", "Shows",
    "Skips", "Ignores", "Accepts", "Rejects", "Raises", "Throws", "Logs", "Defines", "Exports", "Handles", "Stops",
    "Lowers", "Increases", "Decreases", "Reorders", "Explains", "Covers", "Links", "Lists", "Mentions", "Converts",
    "Switches", "Extracts", "Splits",
];

/// Raises → rais, as in raise, raised and raising.
fn verb_root(verb: &str) -> String {
    let low = verb.to_lowercase();
    low.strip_suffix("es").or_else(|| low.strip_suffix('s')).unwrap_or(&low).to_owned()
}

/// Unique words in order of first occurrence.
#[derive(Debug, Default)]
struct WordList {
    list: Vec<String>,
    distinct: HashSet<String>,
}

impl WordList {
    fn add(&mut self, word: &str) {
        let fits = word.contains(char::is_alphanumeric)
            && !word.contains(['\u{201c}', '\u{201d}'])
            && word.chars().count() <= LONGEST
            && !word.contains(char::is_control);
        if fits && self.distinct.insert(word.to_owned()) {
            self.list.push(word.to_owned());
        }
    }

    /// Words of human text, verbatim and, at the start of a sentence, in lower case; names in backticks.
    fn take_prose(&mut self, text: &str) {
        for name in text.split('`').skip(1).step_by(2) {
            self.add(&format!("`{name}`"));
        }
        let edge = |c: char| !c.is_alphanumeric();
        for word in text.split(|c: char| {
            c.is_whitespace() || matches!(c, '`' | '"' | '(' | ')' | ',' | ';' | '\u{201c}' | '\u{201d}')
        }) {
            if self.list.len() >= MOST {
                return;
            }
            let word = word.trim_matches(edge);
            self.add(word);
            let mut letters = word.chars();
            if letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase) {
                self.add(&word.to_lowercase());
            }
        }
    }

    /// Code names in backticks, and their components as plain words.
    fn take_code(&mut self, text: &str) {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '-' | '/' | ':');
        for word in text.split(|c: char| !is_name(c)) {
            if self.list.len() >= MOST {
                return;
            }
            let name = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$'));
            if name.chars().count() < 3 {
                continue;
            }
            if name.contains('/') || !name.contains(char::is_alphabetic) {
                self.add(name);
            } else {
                self.add(&format!("`{name}`"));
            }
            let parts = split_parts(name).into_iter();
            parts
                .filter(|part| part.chars().count() > 2 && !part.contains(char::is_numeric))
                .for_each(|part| self.add(&part.to_lowercase()));
        }
    }
}

/// Words after which a sentence may continue with any names.
const LINKS: &[&str] = &[
    "in", "to", "for", "from", "on", "by", "with", "when", "if", "as", "into", "at", "where", "before", "after",
    "between", "within",
];
/// Articles, connectives, numbers in words. Excludes those that begin a second clause (which, so, because, while,
/// without): a model fills it with guesses.
const FUNCTION: &str = "the a an of and or instead that is are not no only its it their both all each per than also out \
    up off two three four one more other same new old first last any every there this these longer";
/// Generic verbs for changes, without participles, which begin second clauses too.
const WORK: &str = "use uses used add remove removed change changed replace replaced move moved set handle handles check \
    checks checked return returns returned pass passes passed call calls called support supports allow allows keep keeps \
    include includes take takes give gives given read reads write writes print prints show shows skip skips ignore ignores \
    match matches start starts end ends fall falls back fail fails update updates contain contains default";
/// Nouns for parts of a change.
const KINDS: &str = "function functions method methods class classes type types field fields parameter parameters \
    argument arguments option options flag flags variable constant test tests case cases file files line lines section \
    example examples error errors message value values version comment comments documentation check condition name \
    names list string number call calls import module package dependency dependencies key keys link links";

/// The sentences that the patch allows. Where the patch is incomplete, either kind of line may be present.
fn forms(patch: &Patch, symbols: &[Symbol]) -> Vec<SentenceForm> {
    let whole = !patch.truncated && patch.files.iter().all(|file| file.unread.is_none());
    let (added, removed) = (!whole || has(patch, LineOrigin::Added), !whole || has(patch, LineOrigin::Removed));
    let fate = |fate: SymbolChange| symbols.iter().any(|symbol| symbol.change == fate);
    let renamed = patch.files.iter().any(|file| file.change == Change::Renamed);
    let only = |role: FileRole| !patch.files.is_empty() && patch.files.iter().all(|file| facts::role_of(file) == role);
    let (docs, tests) = (only(FileRole::Docs), only(FileRole::Tests));
    let code = !docs && !tests;
    let allowed = [
        (docs && added, DOCS),
        (docs && removed && !added, MENDS),
        (tests, TESTS),
        (code, ANY),
        (code && added, ADDS),
        (code && added, DOES),
        (removed, GOES),
        (removed, STOPS),
        (added && removed, REPLACES),
        (added && removed, SWITCHES),
        (added && removed, VARIES),
        (renamed || fate(SymbolChange::Moved), MOVES),
        (renamed || fate(SymbolChange::Renamed), RENAMES),
        (patch.files.iter().any(has_versions), BUMPS),
    ];
    let allowed = allowed.iter().filter(|(allowed, _)| *allowed);
    allowed.map(|(_, (openers, object))| SentenceForm { openers: openers.to_vec(), object: *object }).collect()
}

fn lines(file: &FileChange, origin: LineOrigin) -> impl Iterator<Item = &str> {
    let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    lines.filter(move |line| line.origin == origin).map(|line| line.text.as_str())
}

/// Added or removed files count as lines of one kind, even when empty.
fn has(patch: &Patch, origin: LineOrigin) -> bool {
    let alone = if origin == LineOrigin::Added { Change::Added } else { Change::Deleted };
    patch.files.iter().any(|file| file.change == alone || lines(file, origin).next().is_some())
}

/// A version on a removed line and one on an added line.
fn has_versions(file: &FileChange) -> bool {
    let version = |text: &str| {
        let digits = |part: &str| part.chars().next().is_some_and(|c| c.is_ascii_digit());
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .any(|word| word.split('.').filter(|part| digits(part)).count() >= 2)
    };
    lines(file, LineOrigin::Removed).any(version) && lines(file, LineOrigin::Added).any(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::facts::{self, sample};

    fn verbs(patch: &Patch, symbols: &[Symbol]) -> Vec<&'static str> {
        forms(patch, symbols).into_iter().flat_map(|form| form.openers).collect()
    }

    fn asked(patch: &str, message: &str) -> String {
        format!("<patch>\n{patch}\n</patch>\n<message>\n{message}\n</message>\nWhat does the code do?")
    }

    fn openers(patch: &str) -> Vec<&'static str> {
        let commit = sample::commit("wip", vec![sample::file("src/a.rs", patch)]);
        verbs(&commit.patch, &facts::extract_facts(&commit, &SystemClock).symbols)
    }

    #[test]
    fn a_side_that_has_no_lines_has_no_verbs() {
        let added = openers("@@\n+one();\n");
        assert!(added.contains(&"Adds") && !added.contains(&"Removes") && !added.contains(&"Replaces"));
        let removed = openers("@@\n-one();\n");
        assert!(removed.contains(&"Removes") && !removed.contains(&"Adds") && !removed.contains(&"Replaces"));
        let both = openers("@@\n-one();\n+two();\n");
        assert!(["Adds", "Removes", "Replaces"].iter().all(|verb| both.contains(verb)));
    }

    #[test]
    fn words_are_the_changes_the_authors_and_those_of_any_change() {
        let commit = sample::commit("wip", vec![sample::file("src/a.rs", "@@\n+let maxRetryCount = 3;\n")]);
        let wording =
            build_vocabulary(&commit.patch, &[], &asked("+let maxRetryCount = 3;", "Retry `login` twice (#12)"));
        let has = |word: &str| wording.words.iter().any(|known| known == word);
        assert!(["Retry", "retry", "twice", "12", "max", "count", "the"].iter().all(|word| has(word)));
        assert_eq!(
            (wording.added, wording.unchanged),
            (vec!["`let`".to_owned(), "`maxRetryCount`".to_owned()], vec!["`login`".to_owned()])
        );
        assert!(!has("performance") && !has("in"));
    }

    #[test]
    fn documentation_adds_no_options() {
        let docs = sample::commit("wip", vec![sample::file("README.md", "@@\n+`--fast` is fast.\n")]);
        let docs = verbs(&docs.patch, &[]);
        assert!(docs.contains(&"Describes") && !docs.contains(&"Adds"), "{docs:?}");
    }

    #[test]
    fn nothing_is_renamed_moved_or_bumped_that_is_not() {
        let both = openers("@@\n-one();\n+two();\n");
        assert!(!["Renames", "Moves", "Bumps"].iter().any(|verb| both.contains(verb)), "{both:?}");
        assert!(openers("@@\n-v = \"1.2.3\"\n+v = \"1.3.0\"\n").contains(&"Bumps"));
        let renamed = sample::commit("wip", vec![sample::renamed("a.rs", "b.rs")]);
        assert!(verbs(&renamed.patch, &[]).contains(&"Renames"));
    }

    #[test]
    fn a_name_stands_on_the_side_on_which_the_whole_patch_has_it() {
        let patch = "@@ fn outer()\n-old(kept);\n+fresh(kept);\n";
        let commit = sample::commit("wip", vec![sample::file("src/a.rs", patch)]);
        let wording = build_vocabulary(&commit.patch, &[], &asked(patch, ""));
        assert_eq!((wording.added, wording.removed), (vec!["`fresh`".to_owned()], vec!["`old`".to_owned()]));
        assert!(["`outer`", "`kept`"].iter().all(|name| wording.unchanged.iter().any(|unchanged| unchanged == name)));
    }

    #[test]
    fn the_old_name_of_what_was_renamed_did_not_go() {
        let mut commit = sample::commit("wip", vec![sample::file("src/a.rs", "@@\n-fn old() {}\n+fn fresh() {}\n")]);
        commit.patch.files.push(sample::renamed("a.rs", "b.rs"));
        let symbols = facts::extract_facts(&commit, &SystemClock).symbols;
        let wording = build_vocabulary(&commit.patch, &symbols, &asked("-fn old() {}\n+fn fresh() {}", ""));
        assert!(wording.renamed.contains(&"`a.rs` to `b.rs`".to_owned()), "{:?}", wording.renamed);
        let renamed = symbols.iter().any(|symbol| symbol.change == SymbolChange::Renamed);
        assert_eq!(wording.removed.contains(&"`old`".to_owned()), !renamed);
    }
}
