//! Capture lists: grouped by day and wrapped for a terminal, one line each for programs.

use std::collections::HashMap;

use clap::builder::styling::Style;
use jiff::Zoned;
use jiff::civil::Date;

use super::capture_line::{describe_reason, short_ids};
use super::ui::{Align, BOLD, DIM, ID, Table, one_line, paint_line};
use super::when;
use super::wrap::{self, StyledLine, TextPiece};
use crate::dispatch::NEVER_ANSWERED;
use crate::domain::capture::{AuthoredBy, Capture, CaptureState, Reason};
use crate::domain::id::RepoId;
use crate::domain::project::ProjectLabels;
use crate::publish::entry;

/// What a list shows of each capture.
#[derive(Debug)]
pub struct CaptureList<'a> {
    pub captures: &'a [Capture],
    pub names: &'a ProjectLabels,
    pub now: &'a Zoned,
    /// A model server has answered on this machine, so a template text needs an explanation.
    pub expects_model: bool,
    /// Show the author of each text, also the expected one.
    pub verbose: bool,
}

/// Columns before the text of an entry: `  09:41  `.
const INDENT: usize = 9;
/// Minimum text width in columns, however narrow the terminal is.
const LEAST: usize = 20;

impl CaptureList<'_> {
    /// One line each, for programs: id, time, project (if there are several) and text.
    #[must_use]
    pub fn program_table(&self) -> Table {
        let unexplained = self.first_unexplained();
        self.table(|at, capture| {
            let mut marks = self.collect_notices(capture);
            marks.extend((unexplained == Some(at)).then(|| NEVER_ANSWERED.to_owned()));
            let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
            vec![(when::short(capture.at, self.now), DIM), (format!("{}{marks}", capture.summary), text_style(capture))]
        })
    }

    /// One line each: the id and the subject, as `git log --oneline` has them.
    #[must_use]
    pub fn oneline(&self) -> Table {
        self.table(|_, capture| vec![(entry::subject_and_details(capture).0, text_style(capture))])
    }

    /// `cells` formats the columns after the id; the project comes before its last cell.
    fn table(&self, cells: impl Fn(usize, &Capture) -> Vec<(String, Style)>) -> Table {
        let labels = self.labels();
        let columns = vec![("", Align::Left); 4];
        let mut table = Table::new(&columns);
        for (at, (capture, id)) in
            self.captures.iter().zip(short_ids(self.captures.iter().map(|capture| capture.id))).enumerate()
        {
            let mut row = vec![(id, ID)];
            row.extend(cells(at, capture));
            if let Some(labels) = &labels {
                row.insert(row.len() - 1, (labels[at].clone(), BOLD));
            }
            table.styled(row);
        }
        table
    }

    /// Groups by day in at most `columns` columns. Days and captures keep the order of the list. Each capture has its
    /// subject first, then its details with the id and notices.
    #[must_use]
    pub fn by_day(&self, columns: usize, color: bool) -> String {
        let room = columns.saturating_sub(INDENT).max(LEAST);
        let labels = self.labels();
        let mut days: Vec<(Date, String)> = Vec::new();
        let mut places: HashMap<Date, usize> = HashMap::new();
        for (at, (capture, id)) in
            self.captures.iter().zip(short_ids(self.captures.iter().map(|capture| capture.id))).enumerate()
        {
            let local = capture.at.to_zoned(self.now.time_zone().clone());
            let place = *places.entry(local.date()).or_insert_with(|| {
                days.push((local.date(), String::new()));
                days.len() - 1
            });
            let time = local.strftime("%H:%M").to_string();
            let lines = self.entry(capture, &id, labels.as_ref().map(|labels| labels[at].as_str()), room);
            for (n, line) in lines.into_iter().enumerate() {
                let margin = if n == 0 { (format!("  {time}"), DIM) } else { (" ".repeat(INDENT - 2), Style::new()) };
                let all: StyledLine = [margin, ("  ".to_owned(), Style::new())].into_iter().chain(line).collect();
                days[place].1.push_str(&paint_line(color, &all));
            }
        }
        let today = self.now.date();
        let heading = |day: &Date| -> String {
            let lines = wrap::lines(&[TextPiece::words(&when::day(*day, today), BOLD)], INDENT + room);
            lines.iter().map(|line| paint_line(color, line)).collect()
        };
        let mut page = days.iter().map(|(day, entries)| format!("{}\n{entries}", heading(day))).collect::<Vec<_>>();
        if self.first_unexplained().is_some() {
            let pieces = [TextPiece::words(NEVER_ANSWERED, DIM)];
            page.extend(wrap::lines(&pieces, columns.max(LEAST)).iter().map(|line| paint_line(color, line)));
        }
        page.join("\n")
    }

    fn entry(&self, capture: &Capture, id: &str, label: Option<&str>, room: usize) -> Vec<StyledLine> {
        let (subject, details) = entry::subject_and_details(capture);
        let (subject, details) = (one_line(&subject), one_line(&details));
        let mut head: Vec<TextPiece> = label.map(|label| TextPiece::words(label, BOLD)).into_iter().collect();
        head.push(TextPiece::words(&subject, text_style(capture)).after(2));
        let mut about = vec![id.to_owned()];
        about.extend(self.collect_notices(capture).iter().map(|mark| one_line(mark)));
        let about = TextPiece::whole(&about.join(" · "), DIM);
        if details.is_empty() {
            head.push(about);
            return wrap::lines(&head, room);
        }
        let mut lines = wrap::lines(&head, room);
        lines.extend(wrap::lines(&[TextPiece::words(&details, DIM), about], room));
        lines
    }

    /// Notices besides the text.
    fn collect_notices(&self, capture: &Capture) -> Vec<String> {
        let provenance = &capture.provenance;
        let wrote = match (provenance.by, provenance.reason) {
            (AuthoredBy::Model, Reason::Salvaged) => Some("cut short".to_owned()),
            (AuthoredBy::Human, _) => Some("edited".to_owned()),
            (AuthoredBy::Template, Reason::Pending) => Some("pending".to_owned()),
            (AuthoredBy::Template, Reason::Disabled) if !self.verbose => None,
            (AuthoredBy::Template, reason) => {
                (self.expects_model || self.verbose).then(|| format!("template: {}", describe_reason(reason)))
            }
            (AuthoredBy::Model, _) => None,
        };
        let model = provenance.model.clone().filter(|_| self.verbose && provenance.by == AuthoredBy::Model);
        let superseded = (capture.state == CaptureState::Superseded).then(|| "superseded".to_owned());
        wrote.into_iter().chain(model).chain(superseded).collect()
    }

    /// The first capture with an unexplained template text: the reason is shown once.
    fn first_unexplained(&self) -> Option<usize> {
        let in_vain = |capture: &Capture| {
            let reason = capture.provenance.reason;
            let expected = !matches!(reason, Reason::Pending | Reason::None | Reason::Disabled);
            capture.provenance.by == AuthoredBy::Template && expected
        };
        if self.expects_model || self.verbose { None } else { self.captures.iter().position(in_vain) }
    }

    /// The project of each capture, if there are several.
    fn labels(&self) -> Option<Vec<String>> {
        let origin = |capture: &Capture| (capture.project.clone(), capture.repo.as_ref().map(|repo| repo.id.clone()));
        let mut labels_by_origin: HashMap<(String, Option<RepoId>), String> = HashMap::new();
        let mut label = |capture: &Capture| {
            let origin = origin(capture);
            labels_by_origin
                .entry(origin)
                .or_insert_with_key(|(project, repo)| self.names.label(project, repo.as_ref()))
                .clone()
        };
        let labels: Vec<String> = self.captures.iter().map(&mut label).collect();
        (labels_by_origin.len() > 1).then_some(labels)
    }
}

fn text_style(capture: &Capture) -> Style {
    if capture.state == CaptureState::Superseded { DIM } else { Style::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::capture_line::tests::capture;
    use crate::domain::capture::{CaptureKind, RepoRef};
    use crate::domain::project::ProjectOrigin;

    /// Converts escape sequences to readable tags: `\u{1b}[2m` → `<2>`.
    fn visible(text: &str) -> String {
        text.replace('\u{1b}', "").replace("[0m", "</>").replace("[1m", "<bold>").replace("[2m", "<dim>")
    }

    fn sample_capture(n: u32, at: &str, subject: &str, summary: &str) -> Capture {
        let mut capture = capture();
        capture.id = format!("019d4a00-{n:04}-7000-8000-000000000001").parse().unwrap();
        capture.at = at.parse().unwrap();
        capture.commit.as_mut().unwrap().subject = subject.to_owned();
        (capture.raw, capture.summary) = (subject.to_owned(), summary.to_owned());
        (capture.provenance.by, capture.provenance.reason) = (AuthoredBy::Template, Reason::Refused);
        capture
    }

    fn captures() -> Vec<Capture> {
        let pool = "Skip dead connections. Taking one cost a request, because the balancer had closed it long before. \
                    Changes `Pool::take` in src/pool.rs. +1 −1. Refers to #87. Noted before: “The load balancer cuts \
                    connections that are idle for 30 s”.";
        let mut note = sample_capture(3, "2026-04-01T06:01:00Z", "", "The load balancer cuts idle connections.");
        (note.kind, note.commit) = (CaptureKind::Note, None);
        let mut edited = sample_capture(5, "2026-03-31T08:00:00Z", "wip", "My own words. Both of them.");
        edited.provenance.by = AuthoredBy::Human;
        let mut superseded =
            sample_capture(6, "2026-03-31T07:30:00Z", "Try another way", "Try another way. +1 in a.rs.");
        superseded.state = CaptureState::Superseded;
        let mut model = sample_capture(
            7,
            "2025-12-30T23:30:00Z",
            "Cut the timeout",
            "Auth now times out after 200 ms. It was 3 s.",
        );
        (model.provenance.by, model.provenance.reason) = (AuthoredBy::Model, Reason::None);
        vec![
            sample_capture(1, "2026-04-01T11:05:00Z", "Skip dead connections", pool),
            sample_capture(
                2,
                "2026-04-01T06:05:00Z",
                "登录超时缩短",
                "把登录超时从三秒缩短到二百毫秒，并且删除旧的连接池实现以及它的全部测试用例文件。修改了 `auth.py`，共一个文件。",
            ),
            note,
            sample_capture(
                4,
                "2026-03-31T22:00:00Z",
                "fix",
                "Updates `a/very/long/path/without/any/blank/that/is/wider/than/a/narrow/terminal/can/show/in/one/line.rs` 👩‍👩‍👧. +1 −1.",
            ),
            edited,
            superseded,
            model,
        ]
    }

    fn now() -> Zoned {
        "2026-04-01T14:30:00+02:00[Europe/Berlin]".parse().unwrap()
    }

    fn shown<T>(
        captures: &[Capture],
        (expects_model, verbose): (bool, bool),
        show: impl Fn(&CaptureList<'_>) -> T,
    ) -> T {
        let names = ProjectLabels::of(captures.iter().map(origin).collect());
        show(&CaptureList { captures, names: &names, now: &now(), expects_model, verbose })
    }

    fn origin(capture: &Capture) -> ProjectOrigin {
        ProjectOrigin { project: capture.project.clone(), repo: capture.repo.clone() }
    }

    #[test]
    fn at_80_columns_without_colour() {
        insta::assert_snapshot!(shown(&captures(), (false, false), |list| list.by_day(80, false)));
    }

    #[test]
    fn at_120_columns_without_colour() {
        insta::assert_snapshot!(shown(&captures(), (true, false), |list| list.by_day(120, false)));
    }

    #[test]
    fn at_80_columns_with_colour() {
        insta::assert_snapshot!(visible(&shown(&captures(), (true, false), |list| list.by_day(80, true))));
    }

    #[test]
    fn at_120_columns_with_colour() {
        insta::assert_snapshot!(visible(&shown(&captures(), (false, true), |list| list.by_day(120, true))));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_escape_sequence_is_cut() {
        for columns in [29, 33, 40, 57, 80, 120, 200] {
            let plain = shown(&captures(), (true, true), |list| list.by_day(columns, false));
            for line in plain.lines() {
                assert!(wrap::width(line) <= columns, "{columns}: {line:?}");
            }
            let coloured = shown(&captures(), (true, true), |list| list.by_day(columns, true));
            let mut bare = coloured.clone();
            for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m"] {
                bare = bare.replace(code, "");
            }
            assert_eq!(bare, plain);
        }
        let at = |columns| shown(&captures(), (true, false), |list| list.by_day(columns, false));
        assert_eq!(at(1), at(29), "narrower than that is not readable");
    }

    #[test]
    fn programs_get_one_line_each_that_begins_with_the_id() {
        let table = shown(&captures(), (false, false), |list| list.program_table().render(false));
        insta::assert_snapshot!(table);
        let ids: Vec<&str> = table.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(ids, short_ids(captures().iter().map(|capture| capture.id)));
        insta::assert_snapshot!(shown(&captures(), (false, false), |list| list.oneline().render(false)));
    }

    #[test]
    fn why_a_template_stands_is_said_where_a_model_is_expected_else_once() {
        let all = |expects| shown(&captures(), (expects, false), |list| list.program_table().render(false));
        assert_eq!(all(true).matches("[template: no model answered").count(), 5);
        assert_eq!(all(false).matches("no model answered").count(), 1);
        let mut unasked = captures();
        for capture in &mut unasked {
            capture.provenance.reason = Reason::Disabled;
        }
        for expects in [true, false] {
            let text =
                shown(&unasked, (expects, false), |list| list.program_table().render(false) + &list.by_day(80, false));
            assert!(!text.contains("model"), "{text}");
        }
        let text = shown(&unasked, (false, true), |list| list.program_table().render(false));
        assert_eq!(text.matches("[template: no model was asked").count(), 5);
        assert!(text.contains("[orca-mini:3b]"), "{text}");
    }

    #[test]
    fn days_come_once_in_the_order_of_what_was_found() {
        let mut found = captures();
        found.swap(0, 4);
        let days = shown(&found, (true, false), |list| list.by_day(80, false));
        let headings: Vec<&str> = days.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic())).collect();
        assert_eq!(
            headings,
            ["Yesterday, Tuesday 31 March 2026", "Today, Wednesday 1 April 2026", "Wednesday, 31 December 2025"]
        );
    }

    #[test]
    fn repositories_of_one_name_are_told_apart() {
        let mut mixed = captures()[..2].to_vec();
        mixed[1].repo = Some(RepoRef { path: "/other/api".into(), id: RepoId::from_stored("other".into()) });
        let text = shown(&mixed, (true, false), |list| list.program_table().render(false) + &list.by_day(80, false));
        assert_eq!((text.matches("src/api").count(), text.matches("other/api").count()), (2, 2), "{text}");
    }

    #[test]
    fn foreign_text_drives_no_terminal() {
        let mut captures = captures();
        captures[0].summary = "a\u{1b}[31mb\u{202e}c\u{9b}. Second\u{7}\nline.".to_owned();
        captures[0].commit.as_mut().unwrap().subject = "a\u{1b}[31mb\u{202e}c".to_owned();
        for text in [
            shown(&captures, (true, false), |list| list.by_day(80, false)),
            shown(&captures, (true, false), |list| list.program_table().render(false)),
            shown(&captures, (true, false), |list| list.oneline().render(false)),
        ] {
            assert!(!text.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{text:?}");
        }
    }
}
