//! Recap of a period across projects, without a model: as a standup, a list, a table or a brag document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::capture::Capture;
use crate::domain::draft::Period;
use crate::domain::project::ProjectLabels;
use crate::fallback::phrase;

use super::entry::Heading;
use super::links::{self, WebLinks};
use super::markdown;
use super::span::{self, Span};
use super::theme::Theme;
use super::work_item::{Work, WorkItem, WorkNote, WorkPart};

/// Headings of a recap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecapGrouping {
    Project,
    Ticket,
    Day,
}

/// Shape of a recap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecapStyle {
    /// What was achieved, an item a line, routine work counted, open ends last.
    Standup,
    /// Every capture with its time and commit.
    List,
    /// A Markdown table of the items.
    Table,
    /// By theme, with reasons, evidence and links, for a review of one's own.
    Brag,
}

/// What is still open at the end of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenEnd {
    pub project: String,
    /// `branch` or `note`.
    pub kind: &'static str,
    pub text: String,
}

/// Everything that a recap shows.
#[derive(Debug)]
pub struct Recap<'a> {
    pub period: Period,
    pub zone: &'a TimeZone,
    pub labels: &'a ProjectLabels,
    /// Web addresses by repository id.
    pub links: &'a BTreeMap<String, WebLinks>,
    pub work: Work,
    pub open: Vec<OpenEnd>,
}

/// The last working day before `today`: the newest weekday before it with work, but for a weekend's work that is newer.
/// On a Monday that is usually Friday. A period starts on that day, so that weekend work is in it.
#[must_use]
pub fn find_last_working_day(today: Date, has_work: impl Fn(Date) -> bool) -> Date {
    let is_weekend = |day: Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let yesterday = today.yesterday().unwrap_or(today);
    let mut day = yesterday;
    for _ in 0..DAYS_OFF {
        if !is_weekend(day) && has_work(day) {
            return day;
        }
        day = day.yesterday().unwrap_or(day);
    }
    // No work in a month: the day before this one, which says so.
    yesterday
}

/// Longest holiday that the default period reaches over.
const DAYS_OFF: u32 = 31;
/// Titles of further commits below an item in a standup.
const FURTHER: usize = 3;

impl Recap<'_> {
    /// The recap as Markdown.
    #[must_use]
    pub fn markdown(&self, style: RecapStyle, grouping: RecapGrouping) -> String {
        let mut out = format!("# {}\n", markdown::inline(&self.title(style)));
        if self.work.is_empty() {
            out.push_str("\nNothing was captured in this period.\n");
        } else {
            match style {
                RecapStyle::Brag => self.write_brag(&mut out),
                RecapStyle::Table => self.write_table(&mut out, grouping),
                RecapStyle::Standup | RecapStyle::List => self.write_sections(&mut out, style, grouping),
            }
        }
        if !self.open.is_empty() {
            out.push_str("\n## Still open\n\n");
            for end in &self.open {
                out.push_str(&format!("- {}: {}\n", markdown::inline(&end.project), markdown::inline(&end.text)));
            }
        }
        out
    }

    fn title(&self, style: RecapStyle) -> String {
        let span = Span::of(&self.period, self.zone);
        let when = span.words();
        match style {
            RecapStyle::Brag => format!("What I did, {when}"),
            _ if span.is_day() => format!("{}, {when}", span.first.strftime("%A")),
            _ => when,
        }
    }

    fn write_sections(&self, out: &mut String, style: RecapStyle, grouping: RecapGrouping) {
        for (heading, section) in self.sections(grouping) {
            out.push_str(&format!("\n## {}\n\n", markdown::inline(&heading)));
            match style {
                RecapStyle::List => self.write_list(out, &section, grouping),
                _ => self.write_standup(out, &section, grouping),
            }
        }
    }

    fn write_standup(&self, out: &mut String, section: &Work, grouping: RecapGrouping) {
        for item in &section.items {
            let project = self.project_prefix(item.lead(), grouping);
            out.push_str(&format!("- {project}{}\n", self.item_line(item)));
            let others = item.other_titles();
            for title in others.iter().take(FURTHER) {
                out.push_str(&format!("  - {title}\n"));
            }
            if others.len() > FURTHER {
                out.push_str(&format!("  - and {} more\n", others.len() - FURTHER));
            }
        }
        // A note that asks something is under "Still open".
        for note in section.notes.iter().filter(|note| !note.is_open()) {
            out.push_str(&format!("- Note: {}\n", markdown::inline(&phrase::one_line(&note.text))));
        }
        if let Some(routine) = routine_line(&section.routine, &section.reverted) {
            out.push_str(&format!("- {routine}\n"));
        }
    }

    fn item_line(&self, item: &WorkItem) -> String {
        let mut line = item.title();
        let missing: Vec<String> = item
            .tickets()
            .into_iter()
            .filter(|ticket| !line.contains(ticket.trim_start_matches('#')))
            .map(|ticket| self.ticket_link(item.lead(), ticket))
            .collect();
        if !missing.is_empty() {
            line.push_str(&format!(" ({})", missing.join(", ")));
        }
        line
    }

    fn write_list(&self, out: &mut String, section: &Work, grouping: RecapGrouping) {
        let parts = section.items.iter().flat_map(|item| &item.parts).chain(&section.routine).chain(&section.reverted);
        let mut lines: Vec<(Timestamp, String)> = parts
            .map(|part| {
                let text = part.entry.headline(Heading::None);
                let project = self.project_prefix(part, grouping);
                (part.at, format!("{project}{text} {}", self.commit_link(part)).trim_end().to_owned())
            })
            .collect();
        for note in &section.notes {
            let project = match grouping {
                RecapGrouping::Project => String::new(),
                _ => format!("**{}** ", markdown::inline(&self.labels.label(&note.project, note.repo.as_ref()))),
            };
            lines.push((note.at, format!("{project}Note: {}", markdown::inline(&phrase::one_line(&note.text)))));
        }
        lines.sort_by_key(|(at, _)| *at);
        let with_date = grouping != RecapGrouping::Day && !Span::of(&self.period, self.zone).is_day();
        for (at, line) in lines {
            let format = if with_date { "%Y-%m-%d %H:%M" } else { "%H:%M" };
            out.push_str(&format!("- {} {line}\n", self.zone.to_datetime(at).strftime(format)));
        }
    }

    fn write_table(&self, out: &mut String, grouping: RecapGrouping) {
        out.push_str("\n| day | project | what | tickets | commits |\n|---|---|---|---|---|\n");
        // Pipes are escaped already, as in all inline text.
        let cell = phrase::one_line;
        for (_, section) in self.sections(grouping) {
            for item in &section.items {
                let lead = item.lead();
                let tickets: Vec<String> =
                    item.tickets().into_iter().map(|ticket| self.ticket_link(lead, ticket)).collect();
                let commits: Vec<String> = item.parts.iter().map(|part| self.commit_link(part)).collect();
                let what = item.title();
                let cells = [&*cell(&what), &tickets.join(", "), &commits.join(" ")];
                self.push_row(out, lead.at, &self.label(lead), cells);
            }
            for part in section.routine.iter().chain(&section.reverted) {
                let what = part.entry.headline(Heading::None);
                self.push_row(out, part.at, &self.label(part), [&cell(&what), "", &self.commit_link(part)]);
            }
            for note in &section.notes {
                let what = format!("Note: {}", markdown::inline(&note.text));
                let project = self.labels.label(&note.project, note.repo.as_ref());
                self.push_row(out, note.at, &project, [&cell(&what), "", ""]);
            }
        }
    }

    fn push_row(&self, out: &mut String, at: Timestamp, project: &str, [what, tickets, commits]: [&str; 3]) {
        let day = span::date(at, self.zone);
        out.push_str(&format!("| {day} | {} | {what} | {tickets} | {commits} |\n", markdown::inline(project)));
    }

    fn write_brag(&self, out: &mut String) {
        let mut by_theme: BTreeMap<(bool, Theme), Vec<&WorkItem>> = BTreeMap::new();
        for item in &self.work.items {
            by_theme.entry((!item.is_breaking(), item.lead().entry.theme)).or_default().push(item);
        }
        for ((compatible, theme), items) in by_theme {
            let heading = if compatible { theme.heading() } else { "Breaking changes" };
            out.push_str(&format!("\n## {heading}\n\n"));
            for item in items {
                let commits: Vec<String> = item.parts.iter().map(|part| self.commit_link(part)).collect();
                let day = span::date(item.last_at(), self.zone);
                let project = self.label(item.lead());
                out.push_str(&format!(
                    "- **{}** {} ({day}, {})\n",
                    markdown::inline(&project),
                    self.item_line(item),
                    commits.join(" ")
                ));
                if let Some(why) = item.why() {
                    out.push_str(&format!("  > {why}\n"));
                }
                for title in item.other_titles() {
                    out.push_str(&format!("  - {title}\n"));
                }
            }
        }
        if !self.work.notes.is_empty() {
            out.push_str("\n## In my own words\n\n");
            for note in &self.work.notes {
                let text = markdown::inline(&phrase::one_line(&note.text));
                out.push_str(&format!("- {}: {text}\n", span::date(note.at, self.zone)));
            }
        }
        if let Some(routine) = routine_line(&self.work.routine, &self.work.reverted) {
            out.push_str(&format!("\n{routine}\n"));
        }
    }

    /// The work under its headings, in the order of the page.
    fn sections(&self, grouping: RecapGrouping) -> Vec<(String, Work)> {
        let day = |at: Timestamp| span::date(at, self.zone).strftime("%Y-%m-%d %A").to_string();
        let item_key = |item: &WorkItem| match grouping {
            RecapGrouping::Project => self.label(item.lead()),
            RecapGrouping::Ticket => item.tickets().first().map_or_else(|| NO_TICKET.to_owned(), |t| (*t).to_owned()),
            RecapGrouping::Day => day(item.last_at()),
        };
        let part_key = |part: &WorkPart| match grouping {
            RecapGrouping::Project => self.label(part),
            RecapGrouping::Ticket => NO_TICKET.to_owned(),
            RecapGrouping::Day => day(part.at),
        };
        let note_key = |note: &WorkNote| match grouping {
            RecapGrouping::Project => self.labels.label(&note.project, note.repo.as_ref()),
            RecapGrouping::Ticket => NO_TICKET.to_owned(),
            RecapGrouping::Day => day(note.at),
        };
        let mut sections: BTreeMap<String, Work> = BTreeMap::new();
        for item in &self.work.items {
            sections.entry(item_key(item)).or_default().items.push(item.clone());
        }
        for part in &self.work.routine {
            sections.entry(part_key(part)).or_default().routine.push(part.clone());
        }
        for part in &self.work.reverted {
            sections.entry(part_key(part)).or_default().reverted.push(part.clone());
        }
        for note in &self.work.notes {
            sections.entry(note_key(note)).or_default().notes.push(note.clone());
        }
        let mut sections: Vec<(String, Work)> = sections.into_iter().collect();
        match grouping {
            // The project with most work first.
            RecapGrouping::Project => sections.sort_by_key(|(_, work)| std::cmp::Reverse(work.items.len())),
            RecapGrouping::Ticket => sections.sort_by_key(|(ticket, _)| ticket == NO_TICKET),
            RecapGrouping::Day => {}
        }
        if grouping == RecapGrouping::Day {
            // "2026-03-03 Tuesday" sorts by date; people read "Tuesday, 3 March".
            let named = |text: &str| text.split(' ').next().and_then(|date| date.parse().ok());
            sections.iter_mut().for_each(|(heading, _)| {
                if let Some(date) = named(heading) {
                    *heading = span::weekday_day_month(date);
                }
            });
        }
        sections
    }

    fn label(&self, part: &WorkPart) -> String {
        self.labels.label(&part.project, part.repo.as_ref())
    }

    /// The project before an item whose heading does not name it.
    fn project_prefix(&self, part: &WorkPart, grouping: RecapGrouping) -> String {
        match grouping {
            RecapGrouping::Project => String::new(),
            _ => format!("**{}** ", markdown::inline(&self.label(part))),
        }
    }

    fn links_of(&self, part: &WorkPart) -> Option<&WebLinks> {
        self.links.get(part.repo.as_ref()?.as_str())
    }

    fn commit_link(&self, part: &WorkPart) -> String {
        let Some(oid) = &part.oid else { return String::new() };
        links::commit_link(self.links_of(part), oid)
    }

    fn ticket_link(&self, part: &WorkPart, ticket: &str) -> String {
        links::ticket_link(self.links_of(part), ticket)
    }

    /// The items as rows of a machine's table: one a work item, routine commit, reverted commit or note.
    #[must_use]
    pub fn rows(&self) -> Vec<RecapRow> {
        let row = |part: &WorkPart, kind: &'static str, title: String, parts: &[WorkPart]| RecapRow {
            at: part.at,
            project: self.label(part),
            kind,
            theme: part.entry.theme.heading(),
            breaking: parts.iter().any(|part| part.entry.breaking),
            title,
            why: parts.iter().find_map(|part| part.entry.why.as_deref()).map(markdown::plain),
            tickets: parts.iter().flat_map(|part| part.tickets.clone()).fold(Vec::new(), |mut all, ticket| {
                if !all.contains(&ticket) {
                    all.push(ticket);
                }
                all
            }),
            branch: part.branch.clone(),
            commits: parts.iter().filter_map(|part| part.oid.as_ref()).map(|oid| oid.as_str().to_owned()).collect(),
            captures: parts.iter().map(|part| part.capture.to_string()).collect(),
        };
        let one = |part: &WorkPart, kind| {
            row(part, kind, markdown::plain(&part.entry.headline(Heading::None)), std::slice::from_ref(part))
        };
        let items = self.work.items.iter();
        let mut rows: Vec<RecapRow> =
            items.map(|item| row(item.lead(), "work", markdown::plain(&item.title()), &item.parts)).collect();
        rows.extend(self.work.routine.iter().map(|part| one(part, "routine")));
        rows.extend(self.work.reverted.iter().map(|part| one(part, "reverted")));
        rows.extend(self.work.notes.iter().map(|note| RecapRow {
            at: note.at,
            project: self.labels.label(&note.project, note.repo.as_ref()),
            kind: "note",
            theme: "Note",
            breaking: false,
            title: phrase::one_line(&note.text),
            why: None,
            tickets: Vec::new(),
            branch: None,
            commits: Vec::new(),
            captures: vec![note.capture.to_string()],
        }));
        rows
    }
}

const NO_TICKET: &str = "Without a ticket";

/// One row for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecapRow {
    pub at: Timestamp,
    pub project: String,
    /// `work`, `routine`, `reverted` or `note`.
    pub kind: &'static str,
    pub theme: &'static str,
    pub breaking: bool,
    pub title: String,
    pub why: Option<String>,
    pub tickets: Vec<String>,
    pub branch: Option<String>,
    pub commits: Vec<String>,
    pub captures: Vec<String>,
}

/// "Routine: 3 upgrades and 1 merge. 2 commits were reverted again." Absent when there is none.
fn routine_line(routine: &[WorkPart], reverted: &[WorkPart]) -> Option<String> {
    let of = |is: &dyn Fn(Theme) -> bool| routine.iter().filter(|part| is(part.entry.theme)).count();
    let upgrades = of(&|theme| theme == Theme::Upgrades);
    let merges = of(&|theme| theme == Theme::Merges);
    let counts = [(upgrades, "upgrade"), (merges, "merge"), (routine.len() - upgrades - merges, "automated commit")];
    let counts: Vec<String> =
        counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| phrase::count(n, noun)).collect();
    let mut sentences = Vec::new();
    if !counts.is_empty() {
        sentences.push(format!("Routine: {}.", phrase::list(&counts)));
    }
    if !reverted.is_empty() {
        sentences.push(format!("Reverted within the period: {}.", phrase::count(reverted.len(), "commit")));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// The captures of `period` and, before it, the time in which open branches are looked for.
#[must_use]
pub fn split_period(captures: Vec<Capture>, period: &Period) -> (Vec<Capture>, Vec<Capture>) {
    captures.into_iter().partition(|capture| capture.at >= period.from && capture.at < period.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::CommitRef;
    use crate::publish::sample::{capture, note};

    fn on_branch(branch: &str, capture: Capture) -> Capture {
        let commit = capture.commit.clone().map(|commit| CommitRef { branch: Some(branch.to_owned()), ..commit });
        Capture { commit, ..capture }
    }

    fn captures() -> Vec<Capture> {
        vec![
            on_branch(
                "lease",
                capture(
                    "harbour",
                    "2026-03-03T08:10:00Z",
                    "fix(lease): give an expired lease back\n\nTwo workers could hold one lease after the laptop slept.\n\nFixes: #12",
                ),
            ),
            on_branch("lease", capture("harbour", "2026-03-03T09:10:00Z", "test(lease): two workers")),
            on_branch(
                "lease",
                capture("harbour", "2026-03-03T09:20:00Z", "fixup! fix(lease): give an expired lease back"),
            ),
            capture("harbour", "2026-03-03T10:00:00Z", "feat(cli)!: rename --all to --everywhere"),
            capture("harbour", "2026-03-03T10:30:00Z", "Use a ring buffer"),
            capture("harbour", "2026-03-03T10:50:00Z", "Revert \"Use a ring buffer\"\n\nIt loses entries."),
            capture("harbour", "2026-03-03T11:00:00Z", "chore(deps): bump serde from 1.0.1 to 1.0.2"),
            capture("shop", "2026-03-02T16:00:00Z", "Add a cart | with pipes (SHOP-7)"),
            note("shop", "2026-03-03T12:00:00Z", "should a cart expire?"),
        ]
    }

    fn shown(style: RecapStyle, grouping: RecapGrouping) -> String {
        let (zone, labels) = (TimeZone::UTC, ProjectLabels::default());
        let period =
            Period { from: "2026-03-02T00:00:00Z".parse().unwrap(), to: "2026-03-04T00:00:00Z".parse().unwrap() };
        let work = Work::of(&captures());
        let open =
            vec![OpenEnd { project: "harbour".into(), kind: "branch", text: "lease is not merged (3 commits)".into() }];
        Recap { period, zone: &zone, labels: &labels, links: &BTreeMap::new(), work, open }.markdown(style, grouping)
    }

    #[test]
    fn a_standup_names_each_item_once_and_counts_the_routine() {
        insta::assert_snapshot!(shown(RecapStyle::Standup, RecapGrouping::Project), @r"
            # 2–3 March 2026

            ## harbour

            - **Breaking:** cli: rename --all to --everywhere
            - lease: give an expired lease back (#12)
              - lease: two workers
            - Routine: 1 upgrade. Reverted within the period: 2 commits.

            ## shop

            - Add a cart \| with pipes (SHOP-7)

            ## Still open

            - harbour: lease is not merged (3 commits)
            ");
    }

    #[test]
    fn a_list_has_every_capture_and_a_table_escapes_its_cells() {
        insta::assert_snapshot!(shown(RecapStyle::List, RecapGrouping::Day), @r#"
            # 2–3 March 2026

            ## Monday, 2 March

            - 16:00 **shop** Add a cart \| with pipes (SHOP-7) `57cb8e3126`

            ## Tuesday, 3 March

            - 08:10 **harbour** fix(lease): give an expired lease back `f33d0c7379`
            - 09:10 **harbour** test(lease): two workers `585d048cef`
            - 09:20 **harbour** fixup! fix(lease): give an expired lease back `bd3caa8063`
            - 10:00 **harbour** **Breaking:** feat(cli)!: rename --all to --everywhere `9f1f398c90`
            - 10:30 **harbour** Use a ring buffer `a9ff0ce269`
            - 10:50 **harbour** Revert "Use a ring buffer" `c98a1675ef`
            - 11:00 **harbour** chore(deps): bump serde from 1.0.1 to 1.0.2 `9a0216dac1`
            - 12:00 **shop** Note: should a cart expire?

            ## Still open

            - harbour: lease is not merged (3 commits)
            "#);
        insta::assert_snapshot!(shown(RecapStyle::Table, RecapGrouping::Ticket), @r#"
            # 2–3 March 2026

            | day | project | what | tickets | commits |
            |---|---|---|---|---|
            | 2026-03-03 | harbour | lease: give an expired lease back | #12 | `f33d0c7379` `585d048cef` `bd3caa8063` |
            | 2026-03-02 | shop | Add a cart \| with pipes (SHOP-7) | SHOP-7 | `57cb8e3126` |
            | 2026-03-03 | harbour | **Breaking:** cli: rename --all to --everywhere |  | `9f1f398c90` |
            | 2026-03-03 | harbour | chore(deps): bump serde from 1.0.1 to 1.0.2 |  | `9a0216dac1` |
            | 2026-03-03 | harbour | Use a ring buffer |  | `a9ff0ce269` |
            | 2026-03-03 | harbour | Revert "Use a ring buffer" |  | `c98a1675ef` |
            | 2026-03-03 | shop | Note: should a cart expire? |  |  |

            ## Still open

            - harbour: lease is not merged (3 commits)
            "#);
    }

    #[test]
    fn a_brag_document_is_by_theme_with_reasons() {
        insta::assert_snapshot!(shown(RecapStyle::Brag, RecapGrouping::Project), @r"
            # What I did, 2–3 March 2026

            ## Breaking changes

            - **harbour** **Breaking:** cli: rename --all to --everywhere (2026-03-03, `9f1f398c90`)

            ## Added

            - **shop** Add a cart \| with pipes (SHOP-7) (2026-03-02, `57cb8e3126`)

            ## Fixed

            - **harbour** lease: give an expired lease back (#12) (2026-03-03, `f33d0c7379` `585d048cef` `bd3caa8063`)
              > Two workers could hold one lease after the laptop slept.
              - lease: two workers

            ## In my own words

            - 2026-03-03: should a cart expire?

            Routine: 1 upgrade. Reverted within the period: 2 commits.

            ## Still open

            - harbour: lease is not merged (3 commits)
            ");
    }

    #[test]
    fn the_last_working_day_reaches_over_weekends_and_days_off() {
        let date = |text: &str| -> Date { text.parse().unwrap() };
        let every_day = |_| true;
        assert_eq!(find_last_working_day(date("2026-11-25"), every_day), date("2026-11-24"));
        // A Monday: Friday, although there was work on Sunday.
        assert_eq!(find_last_working_day(date("2026-11-30"), every_day), date("2026-11-27"));
        assert_eq!(find_last_working_day(date("2026-11-29"), every_day), date("2026-11-27"));
        let holiday = |day: Date| day <= date("2026-11-18");
        assert_eq!(find_last_working_day(date("2026-11-30"), holiday), date("2026-11-18"));
        assert_eq!(find_last_working_day(date("2026-11-30"), |_| false), date("2026-11-29"));
    }

    #[test]
    fn rows_for_programs_cover_every_capture() {
        let (zone, labels, links) = (TimeZone::UTC, ProjectLabels::default(), BTreeMap::new());
        let period =
            Period { from: "2026-03-02T00:00:00Z".parse().unwrap(), to: "2026-03-04T00:00:00Z".parse().unwrap() };
        let captures = captures();
        let recap =
            Recap { period, zone: &zone, labels: &labels, links: &links, work: Work::of(&captures), open: vec![] };
        let mut shown: Vec<String> = recap.rows().into_iter().flat_map(|row| row.captures).collect();
        let mut all: Vec<String> = captures.iter().map(|capture| capture.id.to_string()).collect();
        shown.sort();
        all.sort();
        assert_eq!(shown, all);
    }
}
