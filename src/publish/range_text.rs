//! Texts about a range of commits: a pull request, release notes, and the table that accounts for every commit.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::capture::Capture;
use crate::fallback::phrase;

use super::entry::Heading;
use super::links::WebLinks;
use super::markdown;
use super::theme::Theme;
use super::work_item::{Work, WorkItem, WorkPart};

/// Shape of release notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotesStyle {
    /// The headings of <https://keepachangelog.com/en/1.1.0/>.
    KeepAChangelog,
    /// A list with one heading a kind of change, and thanks.
    Plain,
}

/// The net result of a range.
#[derive(Debug)]
pub struct RangeText<'a> {
    pub work: Work,
    pub links: Option<&'a WebLinks>,
    /// Name of the user, who is not thanked.
    pub own_name: Option<String>,
}

/// Sections of release notes, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Breaking,
    Added,
    Changed,
    Removed,
    Fixed,
    Security,
    Dependencies,
}

impl Section {
    fn of(item: &WorkItem) -> Option<Self> {
        if item.is_breaking() { Some(Self::Breaking) } else { Self::of_part(item.lead()) }
    }

    fn of_part(part: &WorkPart) -> Option<Self> {
        match part.entry.theme {
            Theme::Added => Some(Self::Added),
            Theme::Fixed | Theme::Reverted => Some(Self::Fixed),
            Theme::Performance | Theme::Changed => Some(Self::Changed),
            Theme::Removed => Some(Self::Removed),
            Theme::Security => Some(Self::Security),
            Theme::Upgrades => Some(Self::Dependencies),
            // Of no interest to those who use the program.
            Theme::Release
            | Theme::Refactoring
            | Theme::Documentation
            | Theme::Tests
            | Theme::Upkeep
            | Theme::Merges => None,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking changes",
            Self::Added => "Added",
            Self::Changed => "Changed",
            Self::Removed => "Removed",
            Self::Fixed => "Fixed",
            Self::Security => "Security",
            Self::Dependencies => "Dependencies",
        }
    }
}

/// Mark before a breaking change in a list of other changes.
const BREAKING: &str = "**Breaking:** ";

/// Items of one section.
type Sections<'a> = BTreeMap<Section, Vec<&'a WorkItem>>;

impl RangeText<'_> {
    #[must_use]
    pub fn of<'a>(captures: &[Capture], links: Option<&'a WebLinks>, own_name: Option<String>) -> RangeText<'a> {
        RangeText { work: Work::of_range(captures), links, own_name }
    }

    /// Release notes; `version` is the heading.
    #[must_use]
    pub fn release_notes(&self, version: &str, date: Date, style: NotesStyle) -> String {
        let mut out = match style {
            NotesStyle::KeepAChangelog => format!("## [{}] - {date}\n", markdown::inline(version)),
            NotesStyle::Plain => format!("# {}\n", markdown::inline(version)),
        };
        let mark = if style == NotesStyle::KeepAChangelog { "###" } else { "##" };
        for (section, items) in self.sections(style) {
            out.push_str(&format!("\n{mark} {}\n\n", section.heading()));
            for item in items {
                let line = self.item_line(item);
                let bare = line.strip_prefix(BREAKING).filter(|_| section == Section::Breaking);
                out.push_str(&format!("- {}\n", bare.unwrap_or(&line)));
                for part in item.parts.iter().skip(1).filter(|part| Section::of_part(part).is_some()) {
                    let title = part.title();
                    if !part.is_fixup() && title != item.title() {
                        out.push_str(&format!("  - {title}\n"));
                    }
                }
            }
        }
        let upgrades = self.upgrades();
        if !upgrades.is_empty() {
            out.push_str(&format!("\n{mark} {}\n\n", Section::Dependencies.heading()));
            for title in upgrades {
                out.push_str(&format!("- {title}\n"));
            }
        }
        if out.lines().count() == 1 {
            out.push_str("\nNothing that users of the program would notice.\n");
        }
        if style == NotesStyle::Plain
            && let Some(thanks) = self.thanks()
        {
            out.push_str(&format!("\n{thanks}\n"));
        }
        out
    }

    /// Title and body of a pull request: the net result, not the way there.
    #[must_use]
    pub fn pull_request(&self) -> (String, String) {
        let title = self.work.items.first().map(|item| item.lead().subject.clone());
        let title = title.or_else(|| {
            let routine = self.work.routine.first()?;
            Some(routine.subject.clone())
        });
        let mut out = String::new();
        let single = self.work.items.len() == 1 && self.work.items[0].other_titles().is_empty();
        for item in &self.work.items {
            if !single {
                out.push_str(&format!("- {}\n", self.item_line(item)));
                for title in item.other_titles() {
                    out.push_str(&format!("  - {title}\n"));
                }
            }
            if let Some(why) = item.why() {
                out.push_str(&if single { format!("{why}\n") } else { format!("  > {why}\n") });
            }
        }
        let upgrades = self.upgrades();
        if !upgrades.is_empty() {
            out.push_str(&format!("\nDependencies: {}.\n", phrase::list(&upgrades)));
        }
        let tickets = self.tickets();
        if !tickets.is_empty() {
            out.push_str(&format!("\nTickets: {}.\n", phrase::list(&tickets)));
        }
        (title.unwrap_or_default(), out.trim_start().to_owned())
    }

    /// One row a commit: where it went.
    #[must_use]
    pub fn account(&self) -> Vec<(String, String, String)> {
        let mut rows: Vec<(jiff::Timestamp, (String, String, String))> = Vec::new();
        let mut add = |part: &WorkPart, place: &str| {
            let oid = part.oid.as_ref().map(|oid| oid.short().to_owned()).unwrap_or_default();
            let subject = markdown::plain(&part.entry.headline(Heading::None));
            rows.push((part.at, (oid, subject, place.to_owned())));
        };
        for item in &self.work.items {
            let place = Section::of(item).map_or("not listed", Section::heading);
            for (at, part) in item.parts.iter().enumerate() {
                let with = || format!("{place}, with {}", item.lead().oid.as_ref().map_or("", |oid| oid.short()));
                add(part, &if at == 0 { place.to_owned() } else { with() });
            }
        }
        for part in &self.work.routine {
            let place =
                if part.entry.theme == Theme::Upgrades { Section::Dependencies.heading() } else { "not listed" };
            add(part, place);
        }
        for part in &self.work.reverted {
            add(part, "reverted in the range");
        }
        rows.sort_by_key(|(at, _)| *at);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Keep a Changelog has no heading for breaking changes: there they are under "Changed", marked.
    fn sections(&self, style: NotesStyle) -> Sections<'_> {
        let mut sections = Sections::new();
        for item in &self.work.items {
            let listed = Section::of(item).map(|section| match (style, section) {
                (NotesStyle::KeepAChangelog, Section::Breaking) => Section::Changed,
                _ => section,
            });
            if let Some(section) = listed {
                sections.entry(section).or_default().push(item);
            }
        }
        sections
    }

    fn item_line(&self, item: &WorkItem) -> String {
        let title = item.title();
        let mut missing: Vec<String> = Vec::new();
        for ticket in item.tickets().into_iter().filter(|ticket| !title.contains(ticket)) {
            let text = markdown::inline(ticket);
            let link = self.links.and_then(|links| links.ticket(ticket));
            missing.push(link.map_or_else(|| text.clone(), |link| format!("[{text}]({link})")));
        }
        if missing.is_empty() { title } else { format!("{title} ({})", missing.join(", ")) }
    }

    /// Titles of dependency bumps, each once.
    fn upgrades(&self) -> Vec<String> {
        let bumps = self.work.routine.iter().filter(|part| part.entry.theme == Theme::Upgrades);
        bumps.map(|part| part.entry.headline(Heading::Area)).fold(Vec::new(), |mut all, title| {
            if !all.contains(&title) {
                all.push(title);
            }
            all
        })
    }

    fn tickets(&self) -> Vec<String> {
        let mut tickets: Vec<String> = Vec::new();
        for ticket in self.work.items.iter().flat_map(WorkItem::tickets) {
            if !tickets.iter().any(|known| known == ticket) {
                tickets.push(ticket.to_owned());
            }
        }
        tickets
    }

    /// "Thanks to A, B and C." The authors other than the user, those with most commits first; no bots.
    fn thanks(&self) -> Option<String> {
        let parts = self.work.items.iter().flat_map(|item| &item.parts).chain(&self.work.routine);
        let mut commits: BTreeMap<&str, usize> = BTreeMap::new();
        for author in parts.filter_map(|part| part.author.as_deref()) {
            let is_bot = author.ends_with("[bot]") || author.to_lowercase().ends_with("-bot");
            if !is_bot && self.own_name.as_deref() != Some(author) {
                *commits.entry(author).or_default() += 1;
            }
        }
        let mut authors: Vec<(&str, usize)> = commits.into_iter().collect();
        authors.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let names: Vec<String> = authors.into_iter().map(|(name, _)| markdown::inline(name)).collect();
        (!names.is_empty()).then(|| format!("Thanks to {}.", phrase::list(&names)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::CommitRef;
    use crate::publish::sample::capture;

    fn by(author: &str, minute: u32, message: &str) -> Capture {
        let capture = capture("harbour", &format!("2026-03-03T08:{minute:02}:00Z"), message);
        let commit = capture.commit.clone().map(|commit| CommitRef { author: author.to_owned(), ..commit });
        Capture { commit, ..capture }
    }

    fn captures() -> Vec<Capture> {
        vec![
            by("Ann", 1, "feat(cli)!: rename --all to --everywhere"),
            by("Ann", 2, "feat: list dead jobs (#7)"),
            by(
                "Ben",
                3,
                "fix(lease): give an expired lease back\n\nTwo workers could hold one lease after the laptop slept.\n\nFixes: #12",
            ),
            by("Ben", 4, "fixup! fix(lease): give an expired lease back"),
            by("Ann", 5, "Use a ring buffer"),
            by("Ann", 6, "Revert \"Use a ring buffer\""),
            by("dependabot[bot]", 7, "chore(deps): bump serde from 1.0.1 to 1.0.2"),
            by("Cem", 8, "docs: explain leases"),
            by("Ann", 9, "perf: read the index once"),
        ]
    }

    fn date() -> Date {
        "2026-03-04".parse().unwrap()
    }

    #[test]
    fn release_notes_are_the_net_result_by_kind() {
        let text = RangeText::of(&captures(), None, Some("Ann".to_owned()));
        insta::assert_snapshot!(text.release_notes("1.1.0", date(), NotesStyle::KeepAChangelog), @r"
            ## [1.1.0] - 2026-03-04

            ### Added

            - List dead jobs (#7)

            ### Changed

            - **Breaking:** cli: rename --all to --everywhere
            - Read the index once

            ### Fixed

            - lease: give an expired lease back (#12)

            ### Dependencies

            - bump serde from 1.0.1 to 1.0.2
            ");
        insta::assert_snapshot!(text.release_notes("1.1.0", date(), NotesStyle::Plain), @r"
            # 1.1.0

            ## Breaking changes

            - cli: rename --all to --everywhere

            ## Added

            - List dead jobs (#7)

            ## Changed

            - Read the index once

            ## Fixed

            - lease: give an expired lease back (#12)

            ## Dependencies

            - bump serde from 1.0.1 to 1.0.2

            Thanks to Ben and Cem.
            ");
        let nothing = RangeText::of(&captures()[7..8], None, Some("Cem".to_owned()));
        let notes = nothing.release_notes("1.1.1", date(), NotesStyle::Plain);
        assert_eq!(notes, "# 1.1.1\n\nNothing that users of the program would notice.\n");
    }

    #[test]
    fn a_pull_request_names_the_result_with_its_reasons() {
        let text = RangeText::of(&captures(), None, None);
        let (title, body) = text.pull_request();
        assert_eq!(title, "feat(cli)!: rename --all to --everywhere");
        insta::assert_snapshot!(body, @r"
            - **Breaking:** cli: rename --all to --everywhere
            - List dead jobs (#7)
            - lease: give an expired lease back (#12)
              > Two workers could hold one lease after the laptop slept.
            - Read the index once
            - Explain leases

            Dependencies: bump serde from 1.0.1 to 1.0.2.

            Tickets: #7 and #12.
            ");
        let single = RangeText::of(&captures()[2..4], None, None).pull_request();
        assert_eq!(single.0, "fix(lease): give an expired lease back");
        assert_eq!(single.1, "Two workers could hold one lease after the laptop slept.\n\nTickets: #12.\n");
    }

    #[test]
    fn every_commit_is_accounted_for() {
        let account = RangeText::of(&captures(), None, None).account();
        assert_eq!(account.len(), captures().len());
        let places: Vec<&str> = account.iter().map(|(_, _, place)| place.split(',').next().unwrap()).collect();
        assert_eq!(
            places,
            [
                "Breaking changes", "Added", "Fixed", "Fixed", "reverted in the range", "reverted in the range",
                "Dependencies", "not listed", "Changed"
            ]
        );
    }
}
