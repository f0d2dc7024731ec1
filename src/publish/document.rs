//! Renders a draft, with or without a model's sentences, and the published page.

use jiff::tz::TimeZone;

use crate::domain::capture::Capture;

use super::markdown;
use super::outline::{Outline, PageSubject};
use super::prose::Prose;
use super::templates::Templates;

/// Content of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Plain text.
    pub title: String,
    /// Markdown, without the title.
    pub body: String,
    /// Why the user's own template was not used.
    pub complaint: Option<String>,
}

/// Format of a draft's body.
pub const FORMAT: &str = "markdown";

/// The page of a period: every capture is in it, in the words of its author or of `prose`.
#[must_use]
pub fn document(
    subject: &PageSubject<'_>,
    captures: &[Capture],
    prose: &Prose,
    zone: &TimeZone,
    templates: &Templates,
) -> Document {
    let outline = Outline::of(subject, captures, prose, zone);
    let page = templates.page(&outline);
    let (title, body) = split_title(&page.markdown);
    Document { title: title.unwrap_or_else(|| outline.title()), body, complaint: page.complaint }
}

/// The leading heading of first rank, as plain text, and the rest.
#[must_use]
pub fn split_title(markdown: &str) -> (Option<String>, String) {
    let text = markdown.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.trim_end().strip_prefix("# ").map(str::trim) {
        Some(title) if !title.is_empty() => (Some(markdown::plain(title)), body(rest)),
        _ => (None, body(text)),
    }
}

fn body(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// The page as it is published: the title as its first heading, then the body.
#[must_use]
pub fn page(title: &str, body: &str) -> String {
    format!("# {}\n\n{}\n", markdown::inline(title), body.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::{CaptureKind, CaptureState};
    use crate::domain::draft::{DraftKind, Period};
    use crate::publish::entry::Heading;
    use crate::publish::links::WebLinks;
    use crate::publish::sample::{capture, note};

    use proptest::prelude::*;

    fn subject(kind: DraftKind, from: &str, to: &str) -> PageSubject<'static> {
        let midnight = |date: &str| format!("{date}T00:00:00Z").parse().unwrap();
        PageSubject { kind, project: "harbour", period: Period { from: midnight(from), to: midnight(to) }, links: None }
    }

    fn day() -> PageSubject<'static> {
        subject(DraftKind::Devlog, "2026-03-03", "2026-03-04")
    }

    fn week() -> PageSubject<'static> {
        subject(DraftKind::Blog, "2026-03-02", "2026-03-09")
    }

    fn written(subject: &PageSubject<'_>, captures: &[Capture]) -> String {
        let written = document(subject, captures, &Prose::default(), &TimeZone::UTC, &Templates::built_in());
        assert_eq!(written.complaint, None);
        page(&written.title, &written.body)
    }

    /// A commit with the summary that the template would give it.
    fn commit(moment: &str, message: &str, facts: &str) -> Capture {
        let capture = capture("harbour", moment, message);
        let summary = format!("{}. {facts}", capture.summary);
        Capture { summary, ..capture }
    }

    fn captures() -> Vec<Capture> {
        vec![
            commit(
                "2026-03-03T08:10:00Z",
                "fix(lease): give an expired lease back\n\nTwo workers could hold one lease after the laptop slept,\nbecause expiry was read from the monotonic clock.\n\nSigned-off-by: A U Thor <a@example.com>",
                "Changes `Lease::expired` in src/lease.rs. +12 −3 in 1 source file, tests +40.",
            ),
            commit("2026-03-03T08:40:00Z", "feat(cli)!: rename --all to --everywhere", "+9 −9 in 2 source files."),
            commit("2026-03-03T09:05:00Z", "fix: say which file is in the way", "+4 −1 in 1 source file."),
            note("harbour", "2026-03-03T09:30:00Z", "lease bug found: 3 s to 200 ms\n\n# not a heading"),
            commit("2026-03-03T10:00:00Z", "docs: explain leases", "+30 −0 in 1 document."),
            commit("2026-03-03T11:00:00Z", "feat: list dead jobs", "Adds `Queue::dead`. +55 −2 in 2 source files."),
            commit("2026-03-03T12:00:00Z", "Rework [the] queue's *inner* loop", "+80 −75 in 1 source file."),
            Capture {
                kind: CaptureKind::Merge,
                ..commit("2026-03-03T13:00:00Z", "Merge branch 'lease'", "Merges 2 commits.")
            },
            commit("2026-03-05T10:00:00Z", "chore(deps): bump serde from 1.0.1 to 1.0.2", "+3 −3 in a lockfile."),
            commit("2026-03-05T11:00:00Z", "chore(deps): bump serde from 1.0.1 to 1.0.2", "+3 −3 in a lockfile."),
        ]
    }

    #[test]
    fn a_devlog_without_a_model_is_a_useful_list() {
        insta::assert_snapshot!(written(&day(), &captures()[..8]), @r"
        # Devlog harbour, 3 March 2026

        6 commits, 1 merge and 1 note. +60 −24 lines in 12 file changes.

        > lease bug found: 3 s to 200 ms
        >
        > \# not a heading

        ## Added

        - **Breaking:** cli: rename --all to --everywhere. +9 −9 in 2 source files. (`d8206219ad`)
        - list dead jobs. Adds `Queue::dead`. +55 −2 in 2 source files. (`0287a7721b`)

        ## Fixed

        - lease: give an expired lease back. Changes `Lease::expired` in src/lease.rs. +12 −3 in 1 source file, tests +40. (`58168b6438`)
          > Two workers could hold one lease after the laptop slept, because expiry was read from the monotonic clock.
        - say which file is in the way. +4 −1 in 1 source file. (`99863ca195`)

        ## Changed

        - Rework \[the\] queue's \*inner\* loop. +80 −75 in 1 source file. (`70ceefedf4`)
        - docs: explain leases. +30 −0 in 1 document. (`71e94db1bb`)

        Merges: Merge branch 'lease' (`1e3d78e4e6`).
        ");
    }

    #[test]
    fn a_post_without_a_model_tells_the_week_day_by_day() {
        insta::assert_snapshot!(written(&week(), &captures()), @r"
        # What happened in harbour, 2–8 March 2026

        8 commits, 1 merge and 1 note on 2 days. Among the commits: 2 additions, 2 fixes, 2 upgrades and 1 documentation change. +80 −32 lines in 16 file changes.

        > lease bug found: 3 s to 200 ms
        >
        > \# not a heading

        ## Highlights

        **Breaking:** cli: rename --all to --everywhere (`d8206219ad`)

        **lease: give an expired lease back** (`58168b6438`)

        Two workers could hold one lease after the laptop slept, because expiry was read from the monotonic clock.

        ## Also

        - feat: list dead jobs (`0287a7721b`)
        - fix: say which file is in the way (`99863ca195`)
        - Rework \[the\] queue's \*inner\* loop (`70ceefedf4`)
        - docs: explain leases (`71e94db1bb`)

        Upgrades: bump serde from 1.0.1 to 1.0.2 (`e35b061f9c`, `bcfdffc58f`).

        Merges: Merge branch 'lease' (`1e3d78e4e6`).
        ");
    }

    #[test]
    fn a_status_and_a_social_text_are_short() {
        let status = subject(DraftKind::Status, "2026-03-02", "2026-03-09");
        insta::assert_snapshot!(written(&status, &captures()[8..]), @r"
        # Status of harbour, 2–8 March 2026

        2 commits. Among the commits: 2 upgrades.

        Upgrades: bump serde from 1.0.1 to 1.0.2 (`e35b061f9c`, `bcfdffc58f`).
        ");
        let social = subject(DraftKind::Social, "2026-03-02", "2026-03-09");
        insta::assert_snapshot!(written(&social, &captures()), @r"
        # harbour, 2–8 March 2026

        harbour, 2–8 March 2026: 8 commits, 1 merge and 1 note. Among the commits: 2 additions, 2 fixes, 2 upgrades and 1 documentation change.

        > lease bug found: 3 s to 200 ms
        >
        > \# not a heading

        - **Breaking:** feat(cli)!: rename --all to --everywhere
        - feat: list dead jobs
        - fix(lease): give an expired lease back
        - fix: say which file is in the way
        - Rework \[the\] queue's \*inner\* loop
        - and 1 more
        ");
    }

    #[test]
    fn an_empty_period_is_said_to_be_empty() {
        for kind in [DraftKind::Devlog, DraftKind::Blog, DraftKind::Social, DraftKind::Status] {
            let subject = subject(kind, "2026-03-03", "2026-03-04");
            assert!(written(&subject, &[]).ends_with("\n\nNothing was captured in this period.\n"), "{kind:?}");
        }
    }

    #[test]
    fn a_models_sentences_stand_beside_the_headlines_and_every_commit_is_still_named() {
        let captures = captures();
        let prose = Prose {
            opening: Some("Dead jobs are listed.".to_owned()),
            items: [(captures[0].id, "The {{ monotonic }} clock stood still.".to_owned())].into(),
        };
        for subject in [day(), week(), subject(DraftKind::Status, "2026-03-02", "2026-03-09")] {
            let document = document(&subject, &captures, &prose, &TimeZone::UTC, &Templates::built_in());
            let is_short = subject.kind == DraftKind::Status;
            assert_eq!(document.body.contains("Dead jobs are listed.\n"), is_short, "{}", document.body);
            for commit in captures.iter().filter_map(|capture| capture.commit.as_ref()) {
                assert!(document.body.contains(commit.oid.short()), "{}", document.body);
            }
            assert_eq!(document.body.contains("clock stood still"), !is_short, "{}", document.body);
            assert!(!document.body.contains("{{"), "{}", document.body);
        }
    }

    #[test]
    fn commits_and_tickets_are_links_where_their_pages_are_known() {
        let links = WebLinks::from_remote("git@github.com:acme/harbour.git");
        let captures = [commit("2026-03-03T08:10:00Z", "fix: give a lease back\n\nFixes #4", "+1.")];
        let subject = PageSubject { links: links.as_ref(), ..day() };
        let body = document(&subject, &captures, &Prose::default(), &TimeZone::UTC, &Templates::built_in()).body;
        let oid = &captures[0].commit.as_ref().unwrap().oid;
        let page = format!("[`{}`](https://github.com/acme/harbour/commit/{oid})", oid.short());
        assert!(body.contains(&page) && body.contains("[#4](https://github.com/acme/harbour/"), "{body}");
    }

    #[test]
    fn a_page_holds_no_delimiter_of_a_template_language() {
        let words = [
            "Use {{< figure >}} and {{% notice %}} in the gallery",
            "Read {{ .Values.image }} and {% raw %} from the chart",
            "Show `{{% note %}}` in the manual",
            "Render {props.children} in <Gallery> and <% footer %>",
            "fix({{scope}}): keep {# comments #}",
        ];
        let of = |n: usize, text: &str| commit(&format!("2026-03-03T0{n}:00:00Z"), text, "Adds `{{ x }}` in a.html.");
        let mut captures: Vec<Capture> = words.iter().enumerate().map(|(n, text)| of(n, text)).collect();
        captures.push(note("{% project %}", "2026-03-03T09:30:00Z", "{{ note }}\n{% second line %}"));
        let project = PageSubject { project: "{{ project }}", ..day() };
        for kind in [DraftKind::Devlog, DraftKind::Blog, DraftKind::Social, DraftKind::Status] {
            let page = written(&PageSubject { kind, ..project.clone() }, &captures);
            for mark in ["{{", "}}", "{%", "%}", "{#", "#}", "<%", "{props", "\n<", " <"] {
                assert!(!page.contains(mark), "{mark} in\n{page}");
            }
            assert!(page.contains("Values.image") && page.contains("gallery"), "{page}");
        }
    }

    #[test]
    fn only_a_heading_of_first_rank_is_the_title() {
        assert_eq!(split_title("## Two\n\nx"), (None, "## Two\n\nx\n".to_owned()));
        assert_eq!(split_title("\n# a\\_b\nx"), (Some("a_b".to_owned()), "x\n".to_owned()));
        assert_eq!(split_title("#\nx").0, None);
        assert_eq!(split_title(""), (None, String::new()));
    }

    #[test]
    fn a_persons_own_template_is_used_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("devlog.md.j2");
        for (source, title, complaint) in [
            ("# Mine: {{ commits }}\n\n{{ what }}", "Mine: 6", None),
            ("{% for x in %}", "Devlog harbour, 3 March 2026", Some("unexpected")),
            ("# {{ nothing.there }}", "Devlog harbour, 3 March 2026", Some("undefined")),
            ("  ", "Devlog harbour, 3 March 2026", Some("it says nothing")),
        ] {
            std::fs::write(&path, source).unwrap();
            let document = document(
                &day(),
                &captures()[..8],
                &Prose::default(),
                &TimeZone::UTC,
                &Templates::with_own(folder.path()),
            );
            assert_eq!(document.title, title, "{source}");
            let said = document.complaint.unwrap_or_default();
            assert!(
                complaint.map_or(said.is_empty(), |words| said.contains(words) && said.contains("devlog.md.j2")),
                "{said}"
            );
        }
    }

    #[test]
    fn a_template_file_that_cannot_be_read_is_complained_of() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("blog.md.j2"), [0xff, 0xfe]).unwrap();
        let templates = Templates::with_own(folder.path());
        assert_eq!(templates.complaints().len(), 1);
        assert!(templates.complaints()[0].contains("blog.md.j2"));
        assert_eq!(Templates::with_own(&folder.path().join("absent")), Templates::built_in());
    }

    /// Line by line without escapes, which depend on a text's position in its line.
    fn plain(text: &str) -> String {
        text.lines().map(|line| markdown::plain(line) + "\n").collect()
    }

    fn any_capture() -> impl Strategy<Value = Capture> {
        let prefix = prop::sample::select(vec!["", "fix: ", "feat(x): ", "net: ", "docs: ", "Add ", "Merge branch "]);
        (0u32..7 * 24 * 60, prefix, "[ -~é\\n]{1,80}", 0u8..10).prop_map(|(minute, prefix, text, kind)| {
            let from: jiff::Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
            let moment = (from + jiff::SignedDuration::from_mins(i64::from(minute))).to_string();
            match kind {
                0 => note("harbour", &moment, &text),
                1 => Capture { kind: CaptureKind::Merge, ..capture("harbour", &moment, &format!("{prefix}{text}")) },
                _ => capture("harbour", &moment, &format!("{prefix}{text}")),
            }
        })
    }

    proptest! {
        #[test]
        fn no_capture_is_ever_lost(captures in prop::collection::vec(any_capture(), 1..50)) {
            for subject in [week(), subject(DraftKind::Devlog, "2026-03-02", "2026-03-09")] {
                let text = written(&subject, &captures);
                for capture in &captures {
                    let id = capture.commit.as_ref().map_or("", |commit| commit.oid.short());
                    prop_assert!(text.contains(id), "{id} in\n{text}");
                }
                for line in captures.iter().filter(|c| c.kind == CaptureKind::Note).flat_map(|note| note.raw.trim().lines()) {
                    prop_assert!(text.contains(&markdown::inline(line)), "{line} in\n{text}");
                }
            }
            let devlog = plain(&written(&subject(DraftKind::Devlog, "2026-03-02", "2026-03-09"), &captures));
            for capture in captures.iter().filter(|capture| capture.kind != CaptureKind::Note) {
                // Without the type of change, which a heading may say.
                let entry = crate::publish::entry::ListEntry::of(capture);
                let said = plain(&entry.headline(Heading::Area)).to_lowercase();
                let said = said.trim_end().trim_start_matches("breaking: ");
                prop_assert!(devlog.to_lowercase().contains(said), "{said} in\n{devlog}");
            }
        }

        #[test]
        fn the_page_has_only_the_headings_that_it_was_given(captures in prop::collection::vec(any_capture(), 1..20)) {
            let text = written(&week(), &captures);
            prop_assert_eq!(text.lines().filter(|line| line.starts_with("# ")).count(), 1);
            let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
            let own = ["Highlights", "Also", "Added", "Changed", "Fixed", "Documentation", "Merges", "Tests", "Upgrades"];
            prop_assert!(headings.iter().all(|heading| own.contains(heading) || ["net", "x"].contains(heading)), "{headings:?}");
            prop_assert!(captures.iter().all(|capture| capture.state == CaptureState::Live));
        }
    }
}
