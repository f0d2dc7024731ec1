//! Parser for subject lines: conventional commits, autosquash marks, and whether the subject is informative.

mod automatic;

pub use automatic::is_automatic;

use crate::domain::patch::Commit;
use crate::text::conventional::{self, ConventionalSubject};
use crate::text::words::{WordList, bare_word};
use crate::word_list;

/// Uninformative in a subject, alone or together.
static FILLERS: WordList = word_list!("subject_fillers");
/// Words beside a review's that do not name a change.
const BESIDE_REVIEW: [&str; 6] = ["comment", "comments", "remarks", "notes", "requested", "applied"];
/// Words of a review, which also make comments and requests uninformative.
static REVIEW: WordList = word_list!("subject_review");
/// Single words that describe a change: tools and actions.
const TELLING_ALONE: [&str; 8] =
    ["rustfmt", "gofmt", "clippy", "prettier", "isort", "goimports", "reformat", "unvendor"];

/// A parsed subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectLine {
    /// The line itself, whitespace normalised.
    pub text: String,
    /// It describes the change: not "wip", "fix", a ticket number alone, ….
    pub informative: bool,
    /// The author's own conventional-commit prefix: `fix`, `feat`, ….
    pub prefix: Option<Prefix>,
}

/// `kind(scope)!:` at the start of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    pub kind: String,
    pub scope: Option<String>,
    pub breaking: bool,
}

impl SubjectLine {
    /// Parses a message's first line.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let (prefix, rest) = conventional(&text).map_or((None, text.as_str()), |(prefix, rest)| (Some(prefix), rest));
        let own = autosquash(&text).is_none() && !is_default_merge_subject(&text);
        let informative = own && !is_automatic(rest) && is_informative(rest, prefix.is_some());
        Self { informative, prefix, text }
    }

    /// Parses a commit's subject: `Update a.md` adds nothing to the list of files.
    #[must_use]
    pub fn from_commit(commit: &Commit) -> Self {
        let subject = Self::parse(commit.subject());
        let combined = subject.text.starts_with("This is a combination of ");
        let squashed = combined || (is_default_merge_subject(&subject.text) && !super::is_merge(commit));
        let subject = if squashed { forge_title(commit.body()).unwrap_or(subject) } else { subject };
        let files = &commit.patch.files;
        let both = files.iter().flat_map(|file| [Some(file.path.as_str()), file.old_path.as_deref()]);
        let paths: Vec<&str> = both.flatten().collect();
        let rest = conventional(&subject.text).map_or(subject.text.as_str(), |(_, rest)| rest);
        let informative = subject.informative && !automatic::names_only_files(rest, &paths);
        Self { informative, ..subject }
    }
}

/// The prefix with a known type, and the text after it.
fn conventional(text: &str) -> Option<(Prefix, &str)> {
    let ConventionalSubject { kind, scope, breaking, description } = ConventionalSubject::parse(text)?;
    let kind = kind.to_ascii_lowercase();
    let is_type = conventional::TYPES.contains(&kind.as_str());
    is_type.then(|| (Prefix { kind, scope: scope.map(str::to_owned), breaking }, description))
}

/// The autosquash action of a later rebase, and the subject of its target: `fixup! Add x`.
#[must_use]
pub fn autosquash(subject: &str) -> Option<(&str, &str)> {
    let (mark, rest) = subject.split_once("! ").or_else(|| subject.strip_suffix('!').map(|mark| (mark, "")))?;
    AUTOSQUASH.contains(&mark).then(|| (mark, autosquash_target(rest)))
}

/// Git's autosquash prefixes.
const AUTOSQUASH: [&str; 3] = ["fixup", "squash", "amend"];

/// Nested fixups name the same commit.
fn autosquash_target(mut rest: &str) -> &str {
    loop {
        rest = rest.trim();
        let inner = rest.split_once("! ").or_else(|| rest.strip_suffix('!').map(|mark| (mark, "")));
        match inner.filter(|(mark, _)| AUTOSQUASH.contains(mark)) {
            Some((_, inner)) => rest = inner,
            None => return rest,
        }
    }
}

/// The title that a forge puts below the subject of a squashed merge.
fn forge_title(body: &str) -> Option<SubjectLine> {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty())?;
    let low = line.to_lowercase();
    let added = ["see merge request", "closes ", "fixes ", "refs ", "approved-by", "related work items"];
    let is_added = added.iter().any(|start| low.starts_with(start)) || low.contains("-by: ");
    let plain = !is_added && !line.starts_with(['*', '-', '#', '>', '(', '<']);
    plain.then(|| SubjectLine::parse(line)).filter(|subject| subject.informative)
}

/// Default merge subjects of git and the forges, which only name the merged branch.
fn is_default_merge_subject(text: &str) -> bool {
    let kinds = [
        "branch ",
        "branches ",
        "pull request ",
        "remote-tracking branch ",
        "tag ",
        "remote branch ",
        "commit '",
        "commits '",
        "of #",
        "pr #",
    ];
    let lower = text.to_lowercase();
    let lower = ["auto ", "auto-", "automatic ", "rollup ", "squash "]
        .iter()
        .find_map(|kind| lower.strip_prefix(kind))
        .unwrap_or(&lower);
    if lower.starts_with("merged in ") && lower.contains("(pull request #") {
        return true;
    }
    let rest = lower.strip_prefix("merge ").or_else(|| lower.strip_prefix("merged "));
    let into = |rest: &str| rest.split_whitespace().count() <= 3 && rest.contains(" into ");
    rest.is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind)) || into(rest))
}

fn is_informative(text: &str, prefixed: bool) -> bool {
    // `:tada:`
    let is_shortcode = |word: &str| word.len() > 2 && word.starts_with(':') && word.ends_with(':');
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '&' | '[' | ']' | '(' | ')'))
        .filter(|word| !is_shortcode(word) && word.contains(char::is_alphanumeric))
        .collect();
    // `Mon Nov 30`: a day or a month counts as a date beside a number.
    let dated = words.iter().any(|word| is_ticket(word) && !word.contains('#') || is_time(&bare_word(word)));
    let of_review = words.iter().any(|word| REVIEW.contains(bare_word(word).as_str()));
    let is_empty = |word: &str| {
        let bare = bare_word(word);
        is_plain_reference(word)
            || is_time(&bare)
            || (dated && DAYS_AND_MONTHS.contains(bare.as_str()))
            || FILLERS.contains(bare.as_str())
            || (of_review && (REVIEW.contains(bare.as_str()) || BESIDE_REVIEW.contains(&bare.as_str())))
    };
    let left: Vec<&str> = words.iter().copied().filter(|word| !is_empty(word)).collect();
    let fragments = left.iter().filter(|word| is_gibberish(&bare_word(word))).count();
    let alone = !prefixed && words.len() == 1 && left.first().is_some_and(|word| is_plain_word(word));
    (left.len() > fragments && !alone) || fragments > 2
}

/// A single word of letters is not informative (`nike`, `typo`), unless it names a tool.
fn is_plain_word(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let inner = bare.chars().skip(1).any(|c| c.is_ascii_uppercase()) && bare.contains(|c: char| c.is_ascii_lowercase());
    let letters = bare.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '\''));
    letters && !inner && !TELLING_ALONE.contains(&bare.to_lowercase().as_str())
}

/// A word of a date or time, in lower case: `2026-01-31`, `31/01`, `12:30`, `20260131_1230`, `t10z`, `am`, `utc`.
fn is_time(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let marks =
        |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | ':' | '_' | '.' | '+' | 't' | 'z' | '年' | '月' | '日');
    let number = word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(marks);
    // `1.2.3` is a version; a date with dots has a four-digit year at one end.
    let dotted = word.contains('.') && !word.contains([':', '/', '_', '-']);
    let parts = || word.split('.');
    let year = |part: Option<&str>| part.is_some_and(|part| part.len() == 4);
    let date = !dotted || (parts().count() == 3 && (year(parts().next()) || year(parts().next_back())));
    (number && digits > 3 && date && word.contains(|c: char| !c.is_ascii_digit())) || TIME_WORDS.contains(&word)
}

/// `am` and time zones, beside a time. Names of days and months depend on their neighbours.
const TIME_WORDS: [&str; 10] = ["am", "pm", "utc", "gmt", "cet", "cest", "est", "edt", "pst", "pdt"];
/// Days and months, whole and by their first three letters.
static DAYS_AND_MONTHS: WordList = word_list!("days_and_months");

/// A ticket, a number, or the hash of a commit.
fn is_plain_reference(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let hash = (7..=64).contains(&bare.len())
        && bare.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        && bare.bytes().any(|b| b.is_ascii_digit());
    hash || is_ticket(word)
}

/// `#123`, `ABC-123`, `GH-1`, `123`: a reference, not words.
fn is_ticket(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.strip_prefix('#').unwrap_or(word);
    let tracked = word.rsplit_once('-').is_some_and(|(project, number)| {
        digits(number) && !project.is_empty() && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    });
    digits(number) || tracked
}

/// Keyboard noise: one letter, one letter repeated, a run along the keyboard. Version numbers are excluded.
fn is_gibberish(word: &str) -> bool {
    const ROWS: [&str; 4] = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "asdfasdfasdf"];
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let first = letters.next();
    // A single ideograph is a word.
    let single = lower.len() == 1;
    let repeated = lower.is_ascii() && letters.all(|letter| Some(letter) == first);
    single || repeated || (lower.len() > 2 && ROWS.iter().any(|row| row.contains(&lower)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(corpus: &str) -> impl Iterator<Item = (&str, bool)> {
        corpus.lines().map(|line| line.trim_end_matches('$')).map(|line| (line, SubjectLine::parse(line).informative))
    }

    #[test]
    fn empty_words_are_not_informative() {
        let wrong: Vec<&str> = judged(include_str!("subject/uninformative.txt")).filter(|j| j.1).map(|j| j.0).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn words_about_the_change_are_informative() {
        let wrong: Vec<&str> = judged(include_str!("subject/informative.txt")).filter(|j| !j.1).map(|j| j.0).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_fixup_names_the_commit_it_belongs_to() {
        assert_eq!(autosquash("fixup! Add x"), Some(("fixup", "Add x")));
        assert_eq!(autosquash("fixup! fixup! Add x"), Some(("fixup", "Add x")));
        assert_eq!(autosquash("Stop! Add x"), None);
        assert_eq!(autosquash("fixup the parser"), None);
        assert_eq!(autosquash(&format!("{}Add x", "fixup! ".repeat(200_000))), Some(("fixup", "Add x")));
        assert_eq!(autosquash("amend! fixup!"), Some(("amend", "")));
    }

    #[test]
    fn a_request_made_into_one_commit_has_its_title() {
        let title = |message: &str| {
            let subject = SubjectLine::from_commit(&crate::facts::sample::commit(message, vec![]));
            subject.informative.then_some(subject.text)
        };
        for first in [
            "Merge pull request #12 from acme/pool",
            "Merge branch 'pool' into 'main'",
            "Merged in pool (pull request #12)",
            "Merge commit '1234567' into pool",
            "Auto merge of #12 - a:pool, r=b",
            "This is a combination of 2 commits.",
        ] {
            assert_eq!(
                title(&format!("{first}\n\nAdd a pool of connections")).as_deref(),
                Some("Add a pool of connections")
            );
            assert_eq!(title(&format!("{first}\n\nSee merge request acme/x!12")), None, "{first}");
            assert_eq!(title(first), None, "{first}");
        }
        assert_eq!(title("Merge sorted runs\n\nIt is faster.").as_deref(), Some("Merge sorted runs"));
    }

    #[test]
    fn an_authors_own_prefix_is_read() {
        let prefix = SubjectLine::parse("feat(cli)!: add --json").prefix.unwrap();
        assert_eq!((prefix.kind.as_str(), prefix.scope.as_deref(), prefix.breaking), ("feat", Some("cli"), true));
        assert_eq!(SubjectLine::parse("docs: say it").prefix.unwrap().kind, "docs");
        assert_eq!(SubjectLine::parse("printer: rename").prefix, None);
        assert_eq!(SubjectLine::parse("no prefix").prefix, None);
    }

    #[test]
    fn blanks_are_tidied_and_words_are_not() {
        assert_eq!(SubjectLine::parse("  Add\tthe   Router ").text, "Add the Router");
    }
}
