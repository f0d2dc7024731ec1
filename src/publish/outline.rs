//! Outline of a page: a period's captures grouped by theme or area, and day by day.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::capture::{AuthoredBy, Capture, CaptureKind};
use crate::domain::draft::{DraftKind, Period};
use crate::domain::id::Oid;
use crate::fallback::{merge, phrase};

use super::entry::{self, Heading, ListEntry};
use super::links::WebLinks;
use super::markdown;
use super::numbers::Numbers;
use super::prose::Prose;
use super::span::{self, Span};
use super::theme::{self, Theme};
use super::work_item::{Work, WorkItem, WorkPart};

/// Subject of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSubject<'a> {
    pub kind: DraftKind,
    pub project: &'a str,
    pub period: Period,
    /// The web pages of its repository.
    pub links: Option<&'a WebLinks>,
}

/// Everything that a template can use. `groups` and `notes` are complete, and so is `days`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    pub kind: DraftKind,
    pub project: String,
    pub links: Option<WebLinks>,
    pub span: Span,
    pub numbers: Numbers,
    /// A model's checked sentences about the whole, as plain text.
    pub opening: Option<String>,
    /// The notes' own words, oldest first, as plain text.
    pub notes: Vec<String>,
    pub groups: Vec<Group>,
    /// The entries of `groups` that a reader should see first; `rest` has the others.
    pub highlights: Vec<ListEntry>,
    pub rest: Vec<Group>,
    /// One line of Markdown for all upgrades, all merges, all automated commits, and all that was reverted again.
    pub routine: Vec<String>,
    pub days: Vec<Day>,
}

/// Entries under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Plain text; absent where the page is too short for headings.
    pub title: Option<String>,
    pub heading: Heading,
    pub entries: Vec<ListEntry>,
}

/// One local day with captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub numbers: Numbers,
    pub notes: Vec<String>,
    pub groups: Vec<Group>,
    pub routine: Vec<String>,
}

/// Most highlights of a page, and the least number of entries of a page with highlights.
const HIGHLIGHTS: usize = 3;
const LONG_PAGE: usize = 5;
/// Up to this many entries need no headings.
const SHORT_LIST: usize = 5;
/// Entries from which on an area of the project gets its heading.
const SHARED_AREA: usize = 2;
/// Entries of a day that are given with their author's reasons: the largest changes.
const REASONS_A_DAY: usize = 3;

impl Outline {
    /// Arranges `captures`, which are those of the subject's period.
    #[must_use]
    pub fn of(subject: &PageSubject<'_>, captures: &[Capture], prose: &Prose, zone: &TimeZone) -> Self {
        let captures = work_once(captures);
        let mut captures: Vec<&Capture> = captures.iter().collect();
        captures.sort_by_key(|capture| (capture.at, capture.id));
        let work = Work::of(captures.iter().copied());
        let (highlights, rest) = split_highlights(entries(&work, prose));
        Self {
            kind: subject.kind,
            project: subject.project.to_owned(),
            links: subject.links.cloned(),
            span: Span::of(&subject.period, zone),
            numbers: Numbers::of(captures.iter().copied()),
            opening: prose.opening.clone(),
            notes: notes(&captures),
            highlights,
            rest: group(rest),
            groups: group(entries(&work, prose)),
            routine: routine(&work, subject.links),
            days: days(&captures, prose, subject.links, zone),
        }
    }

    /// The page's title, as plain text.
    #[must_use]
    pub fn title(&self) -> String {
        let (project, when) = (self.project.split_whitespace().collect::<Vec<_>>().join(" "), self.span.words());
        match self.kind {
            DraftKind::Devlog => format!("Devlog {project}, {when}"),
            DraftKind::Blog => format!("What happened in {project}, {when}"),
            DraftKind::Social => format!("{project}, {when}"),
            DraftKind::Status => format!("Status of {project}, {when}"),
        }
    }
}

/// The captures, with a merge whose branches are among them reduced to what it merged, because those describe the work.
/// A merge of other branches keeps its text, and so does one that the user edited.
#[must_use]
pub fn work_once(captures: &[Capture]) -> Vec<Capture> {
    let told: HashSet<&Oid> = captures.iter().filter_map(|c| c.commit.as_ref()).map(|commit| &commit.oid).collect();
    let reduced = |capture: &Capture| {
        let commit = capture.commit.as_ref().filter(|commit| commit.parents.len() > 1)?;
        let repeats = commit.parents.iter().skip(1).all(|parent| told.contains(parent));
        (repeats && capture.provenance.by != AuthoredBy::Human).then(|| {
            let body = capture.raw.trim_start().split_once('\n').map_or("", |(_, body)| body.trim());
            let summary = phrase::sentence(&merge::merge_sentence(&commit.subject, body, commit.parents.len()));
            Capture { summary, ..capture.clone() }
        })
    };
    captures.iter().map(|capture| reduced(capture).unwrap_or_else(|| capture.clone())).collect()
}

fn notes(captures: &[&Capture]) -> Vec<String> {
    captures
        .iter()
        .filter(|capture| capture.kind == CaptureKind::Note)
        .map(|note| entry::note_text(note).to_owned())
        .collect()
}

/// The work items, what a reader cares about first.
fn entries(work: &Work, prose: &Prose) -> Vec<ListEntry> {
    let entry = |item: &WorkItem| {
        let prose = prose.items.get(&item.lead().capture).map(|text| markdown::inline(text));
        ListEntry { prose, ..item.entry() }
    };
    work.items.iter().map(entry).collect()
}

/// Breaking changes and changes with a reason, of a page that is too long to be read as a whole.
fn split_highlights(entries: Vec<ListEntry>) -> (Vec<ListEntry>, Vec<ListEntry>) {
    if entries.len() < LONG_PAGE {
        return (Vec::new(), entries);
    }
    let mut highlights = Vec::new();
    let mut rest = Vec::new();
    for entry in entries {
        let tells = entry.breaking || entry.why.is_some() && entry.theme <= Theme::Changed;
        if tells && highlights.len() < HIGHLIGHTS { highlights.push(entry) } else { rest.push(entry) }
    }
    (highlights, rest)
}

/// "Upgrades: serde from 1.0.1 to 1.0.2 (`e35b061f9c`)." Every commit is named.
fn routine(work: &Work, links: Option<&WebLinks>) -> Vec<String> {
    let line = |label: &str, parts: Vec<&WorkPart>| {
        let mut entries: Vec<ListEntry> = Vec::new();
        for part in parts {
            let entry = routine_entry(part);
            match entries.iter_mut().find(|known| known.says_the_same(&entry)) {
                Some(known) => known.absorb(entry),
                None => entries.push(entry),
            }
        }
        let named = entries.iter().map(|entry| {
            format!("{} {}", entry.headline(Heading::Area), entry.references(links)).trim_end().to_owned()
        });
        let named: Vec<String> = named.collect();
        (!named.is_empty()).then(|| format!("{label}: {}.", named.join("; ")))
    };
    let of = |is: &dyn Fn(Theme) -> bool| work.routine.iter().filter(|part| is(part.entry.theme)).collect();
    let automated = |theme| !matches!(theme, Theme::Upgrades | Theme::Merges);
    [
        line("Upgrades", of(&|theme| theme == Theme::Upgrades)),
        line("Merges", of(&|theme| theme == Theme::Merges)),
        line("Automated", of(&automated)),
        line("Done and reverted again", work.reverted.iter().collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A part as its line names it: a merge without the verb, an upgrade whose summary names no versions by its subject.
fn routine_entry(part: &WorkPart) -> ListEntry {
    let entry = part.entry.clone();
    if entry.theme == Theme::Merges {
        // The line's label says what these are.
        let first = entry.first.strip_prefix("Merges ").unwrap_or(&entry.first).to_owned();
        return ListEntry { rest: first.clone(), first, ..entry };
    }
    let read = theme::parse_subject(&part.subject);
    let subject = part.subject.strip_prefix(read.prefix).unwrap_or(&part.subject);
    let names_versions = entry.first.contains('→') || entry.first.contains(" to ");
    if entry.theme != Theme::Upgrades || names_versions || subject.trim().is_empty() {
        return entry;
    }
    ListEntry { first: subject.to_owned(), rest: subject.to_owned(), ..entry }
}

/// Groups by the author's prefixes; without them by area of the project where several entries share one; else by first
/// words.
fn group(entries: Vec<ListEntry>) -> Vec<Group> {
    if entries.len() <= SHORT_LIST {
        return flat(entries);
    }
    let areas = shared_areas(&entries);
    let mut by_theme: BTreeMap<Theme, Vec<ListEntry>> = BTreeMap::new();
    let mut by_area: BTreeMap<String, Vec<ListEntry>> = BTreeMap::new();
    for entry in entries {
        match entry.area.as_ref().filter(|area| !entry.typed && areas.contains(*area)) {
            Some(area) => by_area.entry(area.clone()).or_default().push(entry),
            None => by_theme.entry(entry.theme).or_default().push(entry),
        }
    }
    gather_strays(&mut by_theme);
    headed(by_theme, by_area)
}

fn flat(entries: Vec<ListEntry>) -> Vec<Group> {
    if entries.is_empty() { Vec::new() } else { vec![Group { title: None, heading: Heading::None, entries }] }
}

fn shared_areas(entries: &[ListEntry]) -> Vec<String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for area in entries.iter().filter(|entry| !entry.typed).filter_map(|entry| entry.area.as_ref()) {
        *counts.entry(area).or_default() += 1;
    }
    counts.into_iter().filter(|(_, n)| *n >= SHARED_AREA).map(|(area, _)| area.clone()).collect()
}

/// A lone test or upkeep change gets no section of its own.
fn gather_strays(by_theme: &mut BTreeMap<Theme, Vec<ListEntry>>) {
    let lone =
        |(theme, entries): (&Theme, &Vec<ListEntry>)| (*theme > Theme::Changed && entries.len() == 1).then_some(*theme);
    let strays: Vec<Theme> = by_theme.iter().filter_map(lone).collect();
    for theme in strays {
        let stray = by_theme.remove(&theme).unwrap_or_default();
        by_theme.entry(Theme::Changed).or_default().extend(stray);
    }
}

/// Themes up to `ChangedRows`, then the areas, the busiest first, then the rest.
fn headed(by_theme: BTreeMap<Theme, Vec<ListEntry>>, by_area: BTreeMap<String, Vec<ListEntry>>) -> Vec<Group> {
    let theme = |(theme, entries): (Theme, Vec<ListEntry>)| {
        // Entries under "Changed" are of several kinds: they keep their own prefix.
        let heading = if theme == Theme::Changed { Heading::None } else { Heading::Theme };
        (theme, Group { title: Some(theme.heading().to_owned()), heading, entries })
    };
    let (first, last): (Vec<_>, Vec<_>) =
        by_theme.into_iter().map(theme).partition(|(theme, _)| *theme < Theme::Changed);
    let mut areas: Vec<Group> = by_area
        .into_iter()
        .map(|(area, entries)| Group { title: Some(area), heading: Heading::Area, entries })
        .collect();
    areas.sort_by_key(|group| std::cmp::Reverse(group.entries.len()));
    let groups: Vec<Group> = first
        .into_iter()
        .map(|(_, group)| group)
        .chain(areas)
        .chain(last.into_iter().map(|(_, group)| group))
        .collect();
    if groups.len() == 1 { flat(groups.into_iter().flat_map(|group| group.entries).collect()) } else { groups }
}

fn days(captures: &[&Capture], prose: &Prose, links: Option<&WebLinks>, zone: &TimeZone) -> Vec<Day> {
    let mut days: BTreeMap<Date, Vec<&Capture>> = BTreeMap::new();
    for capture in captures {
        days.entry(span::date(capture.at, zone)).or_default().push(capture);
    }
    let day = |(date, captures): (Date, Vec<&Capture>)| Day {
        date,
        numbers: Numbers::of(captures.iter().copied()),
        notes: notes(&captures),
        groups: group(with_few_reasons(entries(&Work::of(captures.iter().copied()), prose))),
        routine: routine(&Work::of(captures.iter().copied()), links),
    };
    days.into_iter().map(day).collect()
}

/// Keeps only the reasons of the largest changes: a post is for reading, a log for reference.
fn with_few_reasons(mut entries: Vec<ListEntry>) -> Vec<ListEntry> {
    let mut sizes: Vec<u64> = entries.iter().filter(|entry| entry.why.is_some()).map(|entry| entry.lines).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let least = sizes.get(REASONS_A_DAY - 1).copied().unwrap_or(0);
    let mut kept = 0;
    for entry in &mut entries {
        if entry.lines < least || kept == REASONS_A_DAY {
            entry.why = None;
        }
        kept += usize::from(entry.why.is_some());
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::sample::{capture, note};

    fn outline(captures: &[Capture]) -> Outline {
        let period =
            Period { from: "2026-03-02T00:00:00Z".parse().unwrap(), to: "2026-03-09T00:00:00Z".parse().unwrap() };
        Outline::of(
            &PageSubject { kind: DraftKind::Blog, project: "uro", period, links: None },
            captures,
            &Prose::default(),
            &TimeZone::UTC,
        )
    }

    fn commits(subjects: &[&str]) -> Vec<Capture> {
        let at = |n: usize| format!("2026-03-03T09:{n:02}:00Z");
        subjects.iter().enumerate().map(|(n, subject)| capture("uro", &at(n), subject)).collect()
    }

    fn shape(groups: &[Group]) -> Vec<(String, usize)> {
        groups.iter().map(|group| (group.title.clone().unwrap_or_default(), group.entries.len())).collect()
    }

    #[test]
    fn a_short_list_has_no_headings_and_keeps_the_prefixes() {
        let outline = outline(&commits(&["fix: a", "feat: b", "wip"]));
        assert_eq!(shape(&outline.groups), [(String::new(), 3)]);
        assert_eq!(outline.groups[0].entries[0].text(outline.groups[0].heading), "feat: b");
    }

    #[test]
    fn themes_come_in_the_readers_order_and_lone_upkeep_joins_the_rest() {
        let outline = outline(&commits(&[
            "ci: cache", "fix: a", "feat: b", "docs: c", "docs: d", "fix: e", "Rework the lease", "feat: f",
        ]));
        let expected = [("Added", 2), ("Fixed", 2), ("Changed", 2), ("Documentation", 2)];
        assert_eq!(shape(&outline.groups), expected.map(|(title, n)| (title.to_owned(), n)));
    }

    #[test]
    fn without_prefixes_a_shared_area_is_the_heading() {
        let outline = outline(&commits(&["net: a", "net: b", "fs: c", "fs: d", "fs: e", "mm: f", "Fix g", "Fix h"]));
        let expected = [("Fixed", 2), ("fs", 3), ("net", 2), ("Changed", 1)];
        assert_eq!(shape(&outline.groups), expected.map(|(title, n)| (title.to_owned(), n)));
    }

    #[test]
    fn one_kind_only_needs_no_heading() {
        assert_eq!(shape(&outline(&commits(&["a", "b", "c", "d", "e", "f", "g"])).groups), [(String::new(), 7)]);
    }

    #[test]
    fn notes_go_to_their_day_in_their_own_words() {
        let mut captures = commits(&["fix: a"]);
        captures.push(note("uro", "2026-03-04T08:00:00Z", "slept on it"));
        let outline = outline(&captures);
        assert_eq!(outline.notes, ["slept on it"]);
        assert_eq!(outline.days.len(), 2);
        assert_eq!((outline.days[1].notes.len(), outline.days[1].groups.len()), (1, 0));
    }

    #[test]
    fn a_day_gives_the_reasons_of_its_largest_changes() {
        let mut captures = commits(&["a", "b", "c", "d", "e"]);
        for (n, capture) in captures.iter_mut().enumerate() {
            capture.raw = format!("{}\n\nBecause of reason number {n}.", capture.summary);
            capture.commit.as_mut().unwrap().insertions = Some([5, 50, 1, 40, 30][n]);
        }
        let outline = outline(&captures);
        let reasons: Vec<bool> = outline.days[0].groups[0].entries.iter().map(|entry| entry.why.is_some()).collect();
        assert_eq!(reasons, [true, true, true, false, false], "the largest come first");
    }

    /// Work on a branch, and the merge of it under `message`; both summaries come from their facts.
    fn merged(message: &str) -> Vec<Capture> {
        let mut captures = commits(&["Start", "feat: add c"]);
        captures[1].summary = "Adds `c` in c.py. +1.".to_owned();
        let parents = captures.iter().map(|capture| capture.commit.clone().unwrap().oid).collect();
        let mut merge = capture("uro", "2026-03-03T10:00:00Z", message);
        (merge.kind, merge.summary) = (CaptureKind::Merge, "Adds `c` in c.py. +1 in 1 source file.".to_owned());
        merge.commit.as_mut().unwrap().parents = parents;
        captures.push(merge);
        captures
    }

    fn texts(captures: &[Capture]) -> Vec<String> {
        let outline = outline(captures);
        let of = |groups: &[Group]| -> Vec<String> {
            groups.iter().flat_map(|group| group.entries.iter().map(|entry| entry.text(group.heading))).collect()
        };
        assert_eq!(of(&outline.groups), of(&outline.days[0].groups));
        assert_eq!(outline.routine, outline.days[0].routine);
        of(&outline.groups).into_iter().chain(outline.routine).collect()
    }

    #[test]
    fn merged_work_is_told_once_and_the_merge_as_a_merge() {
        for (message, told) in [
            ("feat: add c (#179)", "Merges “feat: add c (#179)”"),
            ("Merge branch 'one'", "Merges branch 'one'"),
            ("Merged in one (pull request #7)\n\nAdd c", "Merges one (pull request #7): Add c"),
        ] {
            let id = merged(message)[2].commit.clone().unwrap().oid;
            let merges = format!("Merges: {} (`{}`).", told.trim_start_matches("Merges "), id.short());
            assert_eq!(texts(&merged(message)), ["Adds `c` in c.py. +1.", "Start", merges.as_str()]);
        }
    }

    #[test]
    fn a_merge_of_what_is_not_on_the_page_keeps_its_text() {
        let text = "Adds `c` in c.py. +1 in 1 source file.";
        let mut alone = merged("Merge branch 'one'");
        alone.remove(1);
        assert_eq!(texts(&alone), ["Start", text]);
        let mut octopus = merged("Merge branches 'one' and 'two'");
        let elsewhere = "2".repeat(40).parse().unwrap();
        octopus[2].commit.as_mut().unwrap().parents.push(elsewhere);
        assert_eq!(texts(&octopus)[2], text);
        let mut edited = merged("Merge branch 'one'");
        edited[2].provenance.by = AuthoredBy::Human;
        assert_eq!(texts(&edited)[2], text);
    }

    #[test]
    fn titles_say_what_and_when() {
        assert_eq!(outline(&[]).title(), "What happened in uro, 2–8 March 2026");
    }
}
