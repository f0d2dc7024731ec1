//! Page templates: built in, or the user's own in the config directory. A faulty template never costs a draft.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, UndefinedBehavior, Value, context};

use crate::domain::draft::DraftKind;

use super::entry::{Heading, ListEntry};
use super::markdown;
use super::numbers::Numbers;
use super::outline::{Group, Outline};
use super::span;

const KINDS: [DraftKind; 4] = [DraftKind::Devlog, DraftKind::Blog, DraftKind::Social, DraftKind::Status];

/// Template source for each kind of page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    own: BTreeMap<DraftKind, String>,
    complaints: Vec<String>,
}

/// A page's Markdown, and the fault of the user's own template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub markdown: String,
    /// Why the built-in template replaced the user's own.
    pub complaint: Option<String>,
}

impl Templates {
    /// The built-in ones.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// The built-in templates, replaced by files of the same name in `folder` (`devlog.md.j2`, `blog.md.j2`, …). A file
    /// that cannot be read is reported and not used.
    #[must_use]
    pub fn with_own(folder: &Path) -> Self {
        let mut templates = Self::default();
        for kind in KINDS {
            let path = folder.join(file_name(kind));
            match std::fs::read_to_string(&path) {
                Ok(text) => drop(templates.own.insert(kind, text)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => templates.complaints.push(format!("{} cannot be read: {error}", path.display())),
            }
        }
        templates
    }

    /// Faults of the folder itself.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Renders the page: with the user's own template, or with the built-in one and a complaint when it fails.
    #[must_use]
    pub fn page(&self, outline: &Outline) -> Page {
        let values = values(outline);
        let own = self.own.get(&outline.kind).map(|source| render(source, &values));
        match own {
            Some(Ok(text)) if !text.trim().is_empty() => Page { markdown: tidy(&text), complaint: None },
            Some(outcome) => {
                let why = outcome.map_or_else(|error| reason(&error), |_| "it says nothing".to_owned());
                let complaint = format!("your template {} was not used: {why}", file_name(outline.kind));
                Page { markdown: built_in_page(outline, &values), complaint: Some(complaint) }
            }
            None => Page { markdown: built_in_page(outline, &values), complaint: None },
        }
    }
}

/// The name of a kind's template file.
#[must_use]
pub fn file_name(kind: DraftKind) -> String {
    format!("{}.md.j2", kind.as_str())
}

fn built_in(kind: DraftKind) -> &'static str {
    match kind {
        DraftKind::Devlog => include_str!("../../templates/devlog.md.j2"),
        DraftKind::Blog => include_str!("../../templates/blog.md.j2"),
        DraftKind::Social => include_str!("../../templates/social.md.j2"),
        DraftKind::Status => include_str!("../../templates/status.md.j2"),
    }
}

/// A test renders each built-in template; should one fail all the same, a plain list is better than nothing.
fn built_in_page(outline: &Outline, values: &Value) -> String {
    render(built_in(outline.kind), values).map_or_else(|_| plain_list(outline), |text| tidy(&text))
}

fn plain_list(outline: &Outline) -> String {
    let notes = outline.notes.iter().map(|note| markdown::quote(note) + "\n\n");
    let entries = outline.groups.iter().flat_map(|group| group.entries.iter().map(|entry| (group.heading, entry)));
    let lines = entries.map(|(heading, entry)| format!("- {} {}\n", entry.text(heading), entry.references()));
    format!("# {}\n\n", markdown::inline(&outline.title())) + &notes.chain(lines).collect::<String>()
}

fn render(source: &str, values: &Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.render_named_str("page", source, values)
}

fn reason(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    format!("{detail}{line}")
}

/// At most one blank line in a row, none at the ends, no blanks at line ends.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && blank) {
            out.push_str(line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The variables of a template; every text is Markdown that cannot break the page.
fn values(outline: &Outline) -> Value {
    let days: Vec<Value> = outline
        .days
        .iter()
        .map(|day| {
            context! {
                title => span::weekday_day_month(day.date),
                notes => quotes(&day.notes),
                groups => groups(&day.groups),
                routine => day.routine.clone(),
                what => day.numbers.what(),
                size => day.numbers.size(),
            }
        })
        .collect();
    context! {
        title => markdown::inline(&outline.title()),
        kind => outline.kind.as_str(),
        project => markdown::inline(&outline.project),
        period => outline.span.words(),
        opening => outline.opening.as_deref().map(markdown::inline),
        notes => quotes(&outline.notes),
        groups => groups(&outline.groups),
        highlights => outline.highlights.iter().map(|entry| entry_values(entry, Heading::Theme)).collect::<Vec<_>>(),
        rest => groups(&outline.rest),
        routine => outline.routine.clone(),
        days => days,
        headlines => headlines(outline),
        ..counts(&outline.numbers),
    }
}

fn counts(numbers: &Numbers) -> Value {
    context! {
        what => numbers.what(),
        size => numbers.size(),
        themes => numbers.themes(),
        authors => numbers.authors,
        commits => numbers.commits,
        merges => numbers.merges,
    }
}

fn quotes(notes: &[String]) -> Vec<String> {
    notes.iter().map(|note| markdown::quote(note)).filter(|quote| !quote.is_empty()).collect()
}

fn groups(groups: &[Group]) -> Vec<Value> {
    let group = |group: &Group| {
        let entries: Vec<Value> = group.entries.iter().map(|entry| entry_values(entry, group.heading)).collect();
        context! { title => group.title.as_deref().map(markdown::inline), entries => entries }
    };
    groups.iter().map(group).collect()
}

/// Every entry in one sentence, in the order of the groups.
fn headlines(outline: &Outline) -> Vec<String> {
    outline.groups.iter().flat_map(|group| &group.entries).map(|entry| entry.headline(Heading::None)).collect()
}

fn entry_values(entry: &ListEntry, heading: Heading) -> Value {
    context! {
        text => entry.text(heading),
        headline => entry.headline(heading),
        more => entry.more.clone(),
        tickets => entry.tickets.iter().map(|ticket| markdown::inline(ticket)).collect::<Vec<_>>(),
        line => entry.headline(Heading::None),
        why => entry.why.clone(),
        prose => entry.prose.clone(),
        references => entry.references(),
        breaking => entry.breaking,
    }
}
