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

/// ASCII only: file systems store other characters in more than one form, and servers escape them. A name that loses
/// more than separators gets a hash of the whole, so that `日本-api`, `中国-api` and `api` keep apart.
fn name(project: &str) -> String {
    let mut name = String::new();
    let mut is_lossy = false;
    for c in project.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else {
            is_lossy |= !matches!(c, ' ' | '-' | '_' | '.' | '/');
            if !name.ends_with('-') && !name.is_empty() {
                name.push('-');
            }
        }
    }
    let name = name.trim_matches('-');
    if !is_lossy && !name.is_empty() && name.len() <= LONGEST {
        return name.to_owned();
    }
    let hash = format!("{:08x}", fnv1a_32(project));
    let start = name[..name.len().min(LONGEST - 1 - hash.len())].trim_end_matches('-');
    format!("{}-{hash}", if start.is_empty() { "project" } else { start })
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
    fn projects_that_differ_beyond_ascii_keep_apart_and_their_names_are_stable() {
        let day = span("2026-03-03", "2026-03-03");
        let of = |project| slug(DraftKind::Devlog, project, &day);
        assert_eq!(of("日本-api"), "2026-03-03-devlog-api-b62bf48c");
        let long = "x".repeat(80);
        let names = ["日本", "中国", "日本-api", "中国-api", "api", "c", "c++", "café", "cafè", &long, &long[1..]];
        let slugs: std::collections::BTreeSet<String> = names.into_iter().map(of).collect();
        assert_eq!(slugs.len(), names.len(), "{slugs:?}");
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
