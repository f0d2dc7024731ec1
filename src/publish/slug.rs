//! File names for published drafts: stable, because they derive from a draft's identity, never from its title.

use crate::domain::draft::DraftKind;
use crate::text::hash::fnv1a_32;

use super::span::Span;

/// Longest project part, in characters.
const LONGEST: usize = 60;

/// `2026-03-03-devlog-NAME`, `2026-w10-blog-NAME`, `2026-03-02-to-2026-03-05-blog-NAME`.
///
/// Lowercase ASCII letters, digits and hyphens only, so that every file system and web server takes it.
#[must_use]
pub fn slug(kind: DraftKind, project: &str, span: &Span) -> String {
    let when = if span.is_day() {
        span.first.to_string()
    } else if span.is_week() {
        let week = span.first.iso_week_date();
        format!("{:04}-w{:02}", week.year(), week.week())
    } else {
        format!("{}-to-{}", span.first, span.last)
    };
    format!("{when}-{}-{}", kind.as_str(), name(project))
}

fn name(project: &str) -> String {
    let mut name = String::new();
    for c in project.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_matches('-');
    // No ASCII left: any two such projects must still differ.
    if name.is_empty() { format!("project-{:08x}", fnv1a_32(project)) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(first: &str, last: &str) -> Span {
        Span { first: first.parse().unwrap(), last: last.parse().unwrap() }
    }

    #[test]
    fn the_period_says_what_kind_of_page_it_is() {
        for (kind, first, last, expected) in [
            (DraftKind::Devlog, "2026-03-03", "2026-03-03", "2026-03-03-devlog-uro-capture"),
            (DraftKind::Blog, "2026-03-02", "2026-03-08", "2026-w10-blog-uro-capture"),
            (DraftKind::Blog, "2026-12-28", "2027-01-03", "2026-w53-blog-uro-capture"),
            (DraftKind::Blog, "2026-03-02", "2026-03-05", "2026-03-02-to-2026-03-05-blog-uro-capture"),
        ] {
            assert_eq!(slug(kind, "Uro_Capture", &span(first, last)), expected);
        }
    }

    #[test]
    fn projects_without_ascii_letters_keep_apart() {
        let day = span("2026-03-03", "2026-03-03");
        assert_ne!(slug(DraftKind::Devlog, "日本", &day), slug(DraftKind::Devlog, "中国", &day));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_plain_file_name_whatever_the_project_is_called(project in ".{0,90}") {
            let slug = slug(DraftKind::Devlog, &project, &span("2026-03-03", "2026-03-03"));
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{slug}");
            prop_assert!(slug.starts_with("2026-03-03-devlog-") && slug.len() > 18 && slug.len() <= 78);
            prop_assert!(!slug.ends_with('-'));
        }
    }
}
