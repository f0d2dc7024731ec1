//! Values of the templates: complete sentences, and plain facts for custom templates.

use minijinja::{Value, context};

use super::headline::{self, Headline};
use super::line_details::{self, LineDetail, QuotedLines};
use super::phrase::{self, capitalized, count, cut, list_up_to, number, one_line, path, sentence, words};
use super::variants::{Variant, WORDS};
use super::{breaking, dependencies, distribution, formats, merge, purpose, quoted_note};
use crate::domain::context::Context;
use crate::domain::patch::{Change, Commit, FileChange};
use crate::facts::Facts;
use crate::facts::case::{self, Case};
use crate::facts::roles::FileRole;
use crate::facts::subject;

/// Limit of the subject's words.
const SUBJECT_WORDS: usize = 40;
/// Limit of the subject's characters: a line without blanks is a single word.
const SUBJECT_CHARS: usize = 300;
/// Limit of named tickets; a longer list refers to other work.
const TICKETS: usize = 3;
/// Limit of paths available to a custom template.
const PATHS: usize = 20;

/// Each is a complete sentence, or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateValues {
    pub lead: String,
    pub why: String,
    pub deed: String,
    pub about: String,
    pub dependencies: String,
    pub version: String,
    pub breaking: String,
    pub tickets: String,
    pub split: String,
    pub noted: String,
}

impl TemplateValues {
    #[must_use]
    pub fn of(commit: &Commit, facts: &Facts, context: &Context) -> Self {
        let lead = lead(commit, facts);
        let breaking = as_sentence(breaking::breaking_sentence(facts, &lead));
        let dependencies = as_sentence(dependencies::dependency_sentence(facts, &lead, facts.all_dependencies));
        let version = as_sentence(version(facts, &lead));
        let (deed, about) = deed_and_about(commit, facts, &lead, &[&breaking, &dependencies, &version]);
        let split = as_sentence(split(commit, facts, format!("{deed} {about}").trim()));
        let why = why(facts, &lead, &breaking, words(&lead) + words(&deed) + words(&breaking));
        let mut pieces = Self {
            about,
            dependencies,
            version,
            tickets: as_sentence(tickets(facts, &[&lead, &why])),
            split,
            why,
            breaking,
            deed,
            lead,
            noted: String::new(),
        };
        pieces.noted = quoted_note::note_sentence(context, &pieces.all().join(" ")).unwrap_or_default();
        pieces
    }

    /// Inserts a model's sentence before the headline; it replaces the headline if `instead`, or if the author's
    /// subject leads and the sentence names the first changed symbol.
    pub fn with_sentence(mut self, commit: &Commit, facts: &Facts, sentence: &str, instead: bool) -> Self {
        let named = facts.symbols.first().is_none_or(|symbol| sentence.contains(symbol.bare()));
        let stands_for_it = instead || self.deed.is_empty() || (named && !self.lead.is_empty());
        self.deed = if stands_for_it { sentence.to_owned() } else { format!("{sentence} {}", self.deed) };
        self.split = as_sentence(split(commit, facts, format!("{} {}", self.deed, self.about).trim()));
        self
    }

    /// The author's words, and the generated ones.
    pub fn split_by_source(&self) -> (String, String) {
        let own = [&self.deed, &self.dependencies, &self.version, &self.about, &self.breaking, &self.split];
        (format!("{} {}", self.lead, self.why), own.map(String::as_str).join(" "))
    }

    /// All pieces, in the usual order of the templates.
    pub fn all(&self) -> [&str; 10] {
        [
            &self.lead, &self.why, &self.breaking, &self.deed, &self.dependencies, &self.version, &self.about,
            &self.split, &self.tickets, &self.noted,
        ]
    }

    /// The template values of a commit.
    #[must_use]
    pub fn values(&self, commit: &Commit, facts: &Facts) -> Value {
        let prefix = facts.subject.prefix.as_ref();
        let scope = prefix.and_then(|prefix| prefix.scope.clone()).unwrap_or_default();
        let paths: Vec<String> = commit.patch.files.iter().take(PATHS).map(|file| path(&file.path)).collect();
        context! {
            lead => self.lead.as_str(),
            why => self.why.as_str(),
            deed => self.deed.as_str(),
            about => self.about.as_str(),
            dependencies => self.dependencies.as_str(),
            version => self.version.as_str(),
            breaking => self.breaking.as_str(),
            tickets => self.tickets.as_str(),
            split => self.split.as_str(),
            noted => self.noted.as_str(),
            subject => one_line(&facts.subject.text),
            body => commit.body(),
            kind => prefix.map_or("", |prefix| prefix.kind.as_str()),
            scope => scope,
            case => case_name(facts.case),
            files => facts.files_total,
            insertions => commit.patch.insertions,
            deletions => commit.patch.deletions,
            numbers => &facts.author.numbers,
            paths => paths,
        }
    }
}

/// What the commit does, from its facts alone: the generated sentences about its changes.
#[must_use]
pub fn describe_changes(commit: &Commit, facts: &Facts) -> String {
    let (dependencies, version) = (
        as_sentence(dependencies::dependency_sentence(facts, "", facts.all_dependencies)),
        as_sentence(version(facts, "")),
    );
    let (deed, about) = deed_and_about(commit, facts, "", &[&dependencies, &version]);
    let sentences = [deed, dependencies, version, about].into_iter().filter(|sentence| !sentence.is_empty());
    sentences.collect::<Vec<_>>().join(" ")
}

/// Words reserved for the distribution over roles.
const SPLIT: usize = 12;

/// The headline, and one detail from lines, names or prose. Beside an informative subject the detail must be new, and
/// must fit beside the author's reason.
fn deed_and_about(commit: &Commit, facts: &Facts, lead: &str, lead_text: &[&str]) -> (String, String) {
    let deed = headline_with_formats(commit, facts, lead);
    let has_more = matches!(Variant::for_case(facts.case), Variant::Commit | Variant::Docs | Variant::Initial);
    let versioned = facts.version.is_some() || !facts.dependencies.is_empty();
    if !has_more || purpose::needs_no_detail(facts.case) || (versioned && !lead.is_empty()) {
        return (as_sentence(deed.text), String::new());
    }
    let lead_text = lead_text.join(" ");
    let open = deed.vague || deed.text.is_none();
    let detail = line_details::find_detail(commit, facts, &lead_text)
        .filter(|detail| open || matches!(detail, LineDetail::Beside(_)));
    let vague = versioned && open;
    if !lead.is_empty() {
        return beside_lead(commit, facts, &format!("{lead} {lead_text}"), deed, detail);
    }
    let by_lines = matches!(detail, Some(LineDetail::Whole(_))) && !vague;
    let (deed, more) = match detail {
        _ if vague => (None, None),
        None => (deed.text, None),
        Some(detail) => combine_details(commit, deed, detail),
    };
    let (deed, more) = (as_sentence(deed), as_sentence(more));
    let room = WORDS.saturating_sub(SPLIT + words(&lead_text) + words(&deed) + words(&more));
    let known = format!("{lead_text} {deed} {more}");
    // Versions that the manifest states are already reported.
    let of = if by_lines { purpose::beside_lines } else { purpose::find_purpose };
    let purpose = as_sentence(of(commit, facts, &known, room).filter(|_| !vague || facts.version.is_some()));
    // New tests are counted if none is named.
    let deed = if purpose.starts_with("Adds the test") { deed.replace(&headline::new_tests(facts), "") } else { deed };
    (deed, format!("{more} {purpose}").trim().to_owned())
}

fn beside_lead(
    commit: &Commit,
    facts: &Facts,
    lead: &str,
    deed: Headline,
    detail: Option<LineDetail>,
) -> (String, String) {
    let plain = as_sentence(deed.text.clone());
    let reason = facts.author.why.as_deref().map_or(0, words);
    let room = WORDS.saturating_sub(SPLIT + words(lead) + reason);
    let detail = detail
        .filter(|detail| !matches!(detail, LineDetail::Vague(_)))
        .map(|detail| combine_details(commit, deed, detail));
    let (by_lines, more) =
        detail.map_or((String::new(), String::new()), |(deed, more)| (as_sentence(deed), as_sentence(more)));
    let new = by_lines.strip_prefix(plain.trim_end_matches('.')).unwrap_or(&by_lines);
    let fits = words(&by_lines) + words(&more) <= room;
    if fits && adds_words(&format!("{new} {more}"), &format!("{lead} {plain}")) {
        return (by_lines, more);
    }
    let room = room.saturating_sub(words(&plain));
    let purpose = as_sentence(purpose::beside_lead(commit, facts, &format!("{lead} {plain}"), room));
    (plain, purpose)
}

/// The quotation contains a word that is new.
fn adds_words(text: &str, known: &str) -> bool {
    let known = known.to_lowercase();
    let quoted = text.split(['`', '“', '”']).skip(1).step_by(2);
    let mut words = quoted.flat_map(|quote| quote.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase);
    words.any(|word| word.chars().count() > 2 && !known.contains(&word))
}

/// Combines the headline with a line detail.
fn combine_details(commit: &Commit, deed: Headline, detail: LineDetail) -> (Option<String>, Option<String>) {
    match (detail, deed.text, deed.only) {
        // A value carries its owner's name.
        (LineDetail::Whole(text) | LineDetail::Vague(text), _, _) => (Some(text), None),
        (LineDetail::Beside(more), text, _) => (text, Some(more)),
        (LineDetail::Quoted { what, path }, Some(text), Some(symbol)) if symbol.path == path => {
            let file = commit.patch.files.iter().find(|file| file.path == path);
            match file.filter(|file| line_details::belongs_to_definition(file, symbol.lines)) {
                Some(_) => (Some(format!("{text}{}", what.as_supplement())), None),
                None => {
                    let more = what.as_sentence(&path, &text);
                    (Some(text), Some(more))
                }
            }
        }
        (LineDetail::Quoted { what, path }, text, _) => {
            let more = what.as_sentence(&path, text.as_deref().unwrap_or(""));
            // A merely edited file is named by its line detail.
            let only = text.as_ref().is_none_or(|text| *text == format!("Edits {}", phrase::path(&path)));
            if only {
                return (Some(what.as_sentence(&path, "")), None);
            }
            // With several definitions, the condition's owner is unknown.
            (text, Some(more).filter(|_| !matches!(what, QuotedLines::NewCondition(_))))
        }
    }
}

fn as_sentence(text: Option<String>) -> String {
    text.map(|text| sentence(&one_line(&text))).unwrap_or_default()
}

/// The author's subject as a sentence; empty if uninformative.
fn lead(commit: &Commit, facts: &Facts) -> String {
    let subject = one_line(&facts.subject.text);
    let text = match facts.case {
        Case::Merge => Some(merge::merge_sentence(&subject, commit.body(), commit.parents.len())),
        Case::Initial if is_customary_start(&subject) => None,
        Case::Revert if !facts.subject.informative => {
            case::reverted(commit).map(|hash| format!("Reverts commit {}", &hash[..hash.len().min(10)]))
        }
        Case::Fixup => fixup(&subject),
        _ => facts.subject.informative.then_some(subject),
    };
    text.map(|text| sentence(&cut(&text, SUBJECT_WORDS, SUBJECT_CHARS))).unwrap_or_default()
}

/// `fixup! Add x`: the autosquash action and its target.
fn fixup(subject: &str) -> Option<String> {
    let (mark, named) = subject::autosquash(subject)?;
    let what = match mark {
        "squash" => "To be squashed into",
        "amend" => "Amends",
        _ => "A fixup of",
    };
    (!named.is_empty()).then(|| format!("{what} \"{named}\""))
}

fn is_customary_start(subject: &str) -> bool {
    let plain = subject.trim_end_matches(['.', '!']).to_lowercase();
    matches!(
        plain.as_str(),
        "initial commit" | "first commit" | "initial" | "init" | "initial import" | "start" | "import"
    )
}

/// The body's sentence with a reason, if it fits beside the mandatory parts.
fn why(facts: &Facts, lead: &str, breaking: &str, taken: usize) -> String {
    let Some(why) = facts.author.why.as_deref().map(one_line) else { return String::new() };
    let title = why.trim_end_matches('.');
    // `BREAKING CHANGE: …` has its own sentence.
    let labelled = title.split_once(": ").map_or(title, |(_, rest)| rest).to_lowercase();
    let is_stated = title.is_empty() || lead.contains(title) || breaking.to_lowercase().contains(&labelled);
    let hash = |word: &str| word.len() >= 20 && word.chars().all(|c| c.is_ascii_hexdigit());
    let quoted = why.split(|c: char| !c.is_alphanumeric()).any(hash);
    if is_stated || quoted || taken + words(&why) > WORDS { String::new() } else { sentence(&capitalized(&why)) }
}

/// The headline, with the format sentences.
fn headline_with_formats(commit: &Commit, facts: &Facts, lead: &str) -> Headline {
    let of_formats = if facts.case == Case::Initial { None } else { formats::format_sentences(facts) };
    let only_formats = facts.formats.len() == facts.files_total && facts.symbols.is_empty();
    let deed = if of_formats.is_some() && only_formats { Headline::default() } else { plain_deed(commit, facts, lead) };
    if of_formats.is_none() {
        return deed;
    }
    let both: Vec<String> = deed.text.into_iter().chain(of_formats).collect();
    Headline { text: Some(both.join(". ")), ..Headline::default() }
}

fn plain_deed(commit: &Commit, facts: &Facts, lead: &str) -> Headline {
    let files = &commit.patch.files;
    let special = match facts.case {
        Case::ImportOrder => format!("Only reorders imports in {}", places(files)),
        Case::Vendored => vendored(commit),
        // The dependency sentence covers it.
        Case::Dependencies => return Headline::default(),
        Case::Generated if !facts.dependencies.is_empty() => return Headline::default(),
        _ => return headline::compose_headline(commit, facts, lead),
    };
    Headline { text: Some(special), ..Headline::default() }
}

fn places(files: &[FileChange]) -> String {
    match files {
        [one] => path(&one.path),
        [one, two] => format!("{} and {}", path(&one.path), path(&two.path)),
        many => count(many.len(), "file"),
    }
}

fn vendored(commit: &Commit) -> String {
    let files = &commit.patch.files;
    let all = |change: Change| files.iter().all(|file| file.change == change);
    let verb = if all(Change::Added) {
        "Adds"
    } else if all(Change::Deleted) {
        "Removes"
    } else {
        "Changes"
    };
    let lines = match (commit.patch.insertions, commit.patch.deletions) {
        (Some(added), Some(removed)) if added + removed > 0 => {
            format!(" (+{} −{})", number(added), number(removed))
        }
        _ => String::new(),
    };
    match files.as_slice() {
        [one] => format!("{verb} the vendored file {}{lines}", path(&one.path)),
        many => format!("{verb} {}{lines}", count(many.len(), "vendored file")),
    }
}

/// Vendored files are not called generated.
fn split(commit: &Commit, facts: &Facts, deed: &str) -> Option<String> {
    (facts.case != Case::Vendored).then(|| distribution::distribution_sentence(commit, facts, deed)).flatten()
}

/// The old version is stated even if the author names the new one.
fn version(facts: &Facts, lead: &str) -> Option<String> {
    let version = facts.version.as_ref()?;
    let to = &version.to;
    match &version.from {
        Some(from) if lead.contains(from.as_str()) && lead.contains(to.as_str()) => None,
        Some(from) => Some(format!("Sets the version from {} to {}", one_line(from), one_line(to))),
        None if lead.contains(to.trim_start_matches('v')) => None,
        None => Some(format!("Version {}", one_line(to))),
    }
}

fn tickets(facts: &Facts, sentences: &[&str]) -> Option<String> {
    let is_named = |ticket: &String| sentences.iter().any(|text| text.contains(ticket.as_str()));
    let new: Vec<String> = facts.author.tickets.iter().filter(|ticket| !is_named(ticket)).cloned().collect();
    (!new.is_empty()).then(|| format!("Refers to {}", list_up_to(TICKETS, new, true)))
}

fn case_name(case: Case) -> &'static str {
    match case {
        Case::Merge => "merge",
        Case::Unknown => "unknown",
        Case::Empty => "empty",
        Case::Revert => "revert",
        Case::Initial => "initial",
        Case::Fixup => "fixup",
        Case::Release => "release",
        Case::Dependencies => "dependencies",
        Case::RenameOnly => "renames",
        Case::ModeOnly => "modes",
        Case::SubmoduleOnly => "submodules",
        Case::BinaryOnly => "binary",
        Case::WhitespaceOnly => "whitespace",
        Case::ImportOrder => "imports",
        Case::Vendored => "vendored",
        Case::Generated => "generated",
        Case::Only(FileRole::Docs) => "docs",
        Case::Only(FileRole::Tests) => "tests",
        Case::Only(FileRole::Ci) => "ci",
        Case::Only(FileRole::Config) => "config",
        Case::Only(FileRole::Source) => "source",
        Case::Only(_) | Case::Ordinary => "ordinary",
    }
}
