//! `draft show`: one draft with its text, the versions of it, or the captures behind each sentence.

use clap::Args;
use serde::Serialize;

use super::listing;
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::ui::{Align, BOLD, DIM, Exit, ID, Table, WARN, one_line, sanitise};
use crate::domain::capture::{AuthoredBy, Capture};
use crate::domain::draft::{Draft, DraftState, DraftVersion};
use crate::publish::numbers::count;
use crate::publish::sources::{self, Claim, Evidence, Part};
use crate::store::{Store, StoreError};

/// Which draft, and what of it.
#[derive(Debug, Clone, Default, Args)]
pub struct ShowArgs {
    /// A draft's id, shortened as far as it is unambiguous
    pub id: String,
    /// Under each sentence the captures behind it
    #[arg(long)]
    pub sources: bool,
    /// The versions of the text, oldest first
    #[arg(long, conflicts_with_all = ["sources", "version"])]
    pub versions: bool,
    /// The text of this version
    #[arg(long, value_name = "N")]
    pub version: Option<u32>,
}

/// A draft as `--json` shows it.
#[derive(Serialize)]
struct ShownDraft<'a> {
    #[serde(flatten)]
    draft: &'a Draft,
    /// Number of the version whose text is shown.
    version: Option<u32>,
    versions: Vec<VersionSummary<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentences: Option<Vec<Claim>>,
}

/// A version without its text.
#[derive(Serialize)]
struct VersionSummary<'a> {
    number: u32,
    at: jiff::Timestamp,
    by: AuthoredBy,
    model: Option<&'a str>,
    base: u32,
    title: &'a str,
    words: usize,
}

impl<'a> VersionSummary<'a> {
    fn of(version: &'a DraftVersion) -> Self {
        Self {
            number: version.number,
            at: version.at,
            by: version.by,
            model: version.model.as_deref(),
            base: version.base,
            title: &version.title,
            words: version.body.split_whitespace().count(),
        }
    }
}

pub fn run(app: &App, args: &ShowArgs) -> Result<Exit, Failure> {
    let (store, mut draft) = super::open_draft(app, &args.id)?;
    let versions = store.draft_versions(draft.id)?;
    let mut shown = draft.current_version(&versions);
    if let Some(number) = args.version {
        let version = find_version(&draft, &versions, number)?;
        (draft.title, draft.body) = (version.title.clone(), version.body.clone());
        shown = Some(version);
    }
    let captures = if args.sources { source_captures(store.as_ref(), &draft)? } else { Vec::new() };
    if app.json {
        let sentences = args.sources.then(|| {
            let claim = |part| if let Part::Claim(claim) = part { Some(claim) } else { None };
            sources::trace(&draft.body, &captures).into_iter().filter_map(claim).collect()
        });
        let version = shown.map(|version| version.number);
        let versions = versions.iter().map(VersionSummary::of).collect();
        app.ui.json(&ShownDraft { draft: &draft, version, versions, sentences })?;
        return Ok(Exit::Done);
    }
    app.ui.line(&listing::line(app, &draft))?;
    for fact in facts(app, &draft, &versions, args.version) {
        app.ui.line(&app.ui.paint(DIM, &one_line(&fact)))?;
    }
    if args.versions {
        app.ui.table(&version_table(app, &draft, &versions))?;
    } else if !draft.title.is_empty() {
        app.ui.line("")?;
        app.ui.line(&app.ui.paint(BOLD, &format!("# {}", one_line(&draft.title))))?;
        app.ui.line("")?;
        if args.sources {
            print_sources(app, &draft.body, &captures)?;
        } else {
            app.ui.raw(sanitise(&draft.body).as_bytes())?;
        }
    }
    Ok(Exit::Done)
}

/// The version of this number.
pub fn find_version<'a>(draft: &Draft, versions: &'a [DraftVersion], number: u32) -> Result<&'a DraftVersion, Failure> {
    versions.iter().find(|version| version.number == number).ok_or_else(|| {
        let known = count(versions.len() as u64, "version", "versions");
        Failure::input(format!("draft {} has {known}, and none with the number {number}", draft.id))
            .hint(format!("uro-capture draft show {} --versions", draft.id))
    })
}

/// "version 2, by llama3.2:3b".
pub fn describe_version(version: &DraftVersion) -> String {
    format!("version {}, {}", version.number, author(version))
}

fn author(version: &DraftVersion) -> String {
    match (version.by, &version.model) {
        (AuthoredBy::Human, _) => format!("edited from version {}", version.base),
        (AuthoredBy::Model, Some(model)) => format!("by {}", one_line(model)),
        (AuthoredBy::Model | AuthoredBy::Template, _) => "a list".to_owned(),
    }
}

fn facts(app: &App, draft: &Draft, versions: &[DraftVersion], chosen: Option<u32>) -> Vec<String> {
    let by = match &draft.model {
        Some(model) => format!("written by {model}"),
        None => "a list, no model's text".to_owned(),
    };
    let sources = count(draft.sources.len() as u64, "capture", "captures");
    let written = (!draft.title.is_empty()).then(|| format!("{by}, from {sources}"));
    let edited = draft.edit.map(|edit| {
        // Zero only for zero.
        let share = match edit.distance {
            part if part > 0.0 && part < 0.01 => "less than 1 %".to_owned(),
            part => format!("{:.0} %", part * 100.0),
        };
        format!("edited: {share} of the text, {:.0} s", edit.seconds)
    });
    let tried = (draft.attempt > 1).then(|| format!("attempt {} of {}", draft.attempt, draft.max_attempts));
    let next = draft.next_at.filter(|_| draft.state == DraftState::Queued && draft.attempt > 0);
    let next = next.map(|at| format!("tried again at {}", at.to_zoned(app.zone.clone()).strftime("%F %R")));
    let current = draft.current_version(versions).map(|current| current.number);
    let shown = chosen.filter(|chosen| Some(*chosen) != current).map(|chosen| {
        format!("this is version {chosen}; it becomes the text: uro-capture draft edit {} --restore {chosen}", draft.id)
    });
    let beside = draft.alternative_version(versions).zip(current).map(|(new, current)| {
        format!("another text was written after the edit: uro-capture draft diff {} {current} {}", draft.id, new.number)
    });
    [written, draft.error.clone(), edited, tried, next, shown, beside].into_iter().flatten().collect()
}

fn version_table(app: &App, draft: &Draft, versions: &[DraftVersion]) -> Table {
    let current = draft.current_version(versions).map(|current| current.number);
    let mut table =
        Table::new(&[("", Align::Right), ("", Align::Left), ("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    for version in versions {
        let words = count(version.body.split_whitespace().count() as u64, "word", "words");
        let mark = if Some(version.number) == current { "current" } else { "" };
        table.styled(vec![
            (version.number.to_string(), ID),
            (version.at.to_zoned(app.zone.clone()).strftime("%F %R").to_string(), DIM),
            (author(version), clap::builder::styling::Style::new()),
            (words, DIM),
            (mark.to_owned(), BOLD),
        ]);
    }
    table
}

/// The captures that the draft was written from; one that is damaged is left out, and `status` names it.
fn source_captures(store: &dyn Store, draft: &Draft) -> Result<Vec<Capture>, Failure> {
    let mut found = Vec::with_capacity(draft.sources.len());
    for id in &draft.sources {
        match store.capture(&id.to_string()) {
            Ok(record) => found.push(record.capture),
            Err(StoreError::NotFound { .. } | StoreError::Corrupt(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

fn print_sources(app: &App, body: &str, captures: &[Capture]) -> Result<(), Failure> {
    for part in sources::trace(body, captures) {
        let claim = match part {
            Part::Line(line) => {
                app.ui.line(&sanitise(line))?;
                continue;
            }
            Part::Claim(claim) => claim,
        };
        app.ui.line(&one_line(&claim.text))?;
        match claim.by {
            None => app.ui.line(&app.ui.paint(WARN, "    no source"))?,
            Some(Evidence::Count) => app.ui.line(&app.ui.paint(DIM, "    counted from all captures"))?,
            Some(Evidence::Commit | Evidence::Words) => {
                for capture in captures.iter().filter(|capture| claim.sources.contains(&capture.id)) {
                    app.ui.line(&format!(
                        "    {}  {}",
                        app.ui.paint(ID, &capture.id.to_string()),
                        app.ui.paint(DIM, &title(capture))
                    ))?;
                }
            }
        }
    }
    Ok(())
}

/// The subject of a commit, the first line of a note.
fn title(capture: &Capture) -> String {
    let first = || capture.raw.trim().lines().next().unwrap_or_default();
    one_line(capture.commit.as_ref().map_or_else(first, |commit| commit.subject.as_str()))
}
