//! A page as a section of a Markdown file that belongs to a person: a daily note of Obsidian or Logseq, a changelog.
//!
//! The section stands between two comments with the draft's id and a hash of its content. Written twice it changes
//! nothing; a newer version replaces it; what a person changed within it is never overwritten. All other bytes stay.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::draft_page::DraftPage;
use super::markdown;
use super::rich_text::DIALECT;
use crate::text::hash;

/// Why a section cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionConflict {
    /// A person changed the text between the markers.
    Edited,
    /// The end marker is missing.
    Unclosed,
}

/// `file` with the page's section: in its place if it is there, else at the end of the part under `heading`, which is
/// added at the end of the file if it is missing. Without a heading the section stands at the end of the file.
///
/// # Errors
/// The section in the file is not as it was written.
pub fn with_page(file: &str, page: &DraftPage<'_>, heading: Option<&str>) -> Result<String, SectionConflict> {
    let newline = if file.contains("\r\n") { "\r\n" } else { "\n" };
    let headings = find_headings(file);
    let wanted = heading.map(WantedHeading::parse);
    let at = wanted.as_ref().and_then(|wanted| headings.iter().position(|heading| wanted.is_same(heading)));
    let level = match (&wanted, at) {
        (_, Some(at)) => headings[at].level,
        (Some(wanted), None) => wanted.level.unwrap_or(2),
        (None, None) => 0,
    };
    let section = render(page, level);
    if let Some(range) = find_section(file, &page.id)? {
        return Ok(format!("{}{}{}", &file[..range.start], section.replace('\n', newline), &file[range.end..]));
    }
    let (end, block) = match (wanted, at) {
        (_, Some(at)) => {
            let next = headings[at + 1..].iter().find(|heading| heading.level <= level);
            (next.map_or(file.len(), |heading| heading.range.start), section)
        }
        (Some(wanted), None) => {
            (file.len(), format!("{} {}\n\n{section}", "#".repeat(level), markdown::inline(&wanted.text)))
        }
        (None, None) => (file.len(), section),
    };
    Ok(insert(file, end, &block.replace('\n', newline), newline))
}

/// The markers with the page between them, its headings below one of `level`.
fn render(page: &DraftPage<'_>, level: usize) -> String {
    let title = format!("{} {}", "#".repeat((level + 1).min(6)), markdown::inline(page.title));
    let body = page.body.replace('\r', "");
    let content = format!("{title}\n\n{}\n", demote(body.trim(), level + 2));
    format!("{}{content}{}", start_marker(&page.id, &content), end_marker(&page.id))
}

fn start_marker(id: &str, content: &str) -> String {
    format!("<!-- uro-capture:{id} {} -->\n", hash::version(content))
}

fn end_marker(id: &str) -> String {
    format!("<!-- /uro-capture:{id} -->\n")
}

/// Where the draft's section stands, markers included.
fn find_section(file: &str, id: &str) -> Result<Option<Range<usize>>, SectionConflict> {
    let Some(start) = file.find(&format!("<!-- uro-capture:{id} ")) else { return Ok(None) };
    let marker = file[start..].split_inclusive('\n').next().unwrap_or_default();
    let end_mark = end_marker(id);
    let Some(length) = file[start..].find(end_mark.trim_end()) else { return Err(SectionConflict::Unclosed) };
    let content = file[start..start + length].strip_prefix(marker).unwrap_or_default().replace("\r\n", "\n");
    if marker.trim_end() != start_marker(id, &content).trim_end() {
        return Err(SectionConflict::Edited);
    }
    let end = start + length + end_mark.trim_end().len();
    let rest = &file[end..];
    let line_end = rest.len() - rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n').unwrap_or(rest).len();
    Ok(Some(start..end + line_end))
}

/// Puts `block` at `at` with one empty line before and after it.
fn insert(file: &str, at: usize, block: &str, newline: &str) -> String {
    let (before, after) = file.split_at(at);
    let mut out = before.to_owned();
    if !before.is_empty() && !before.ends_with('\n') {
        out.push_str(newline);
    }
    let is_apart = before.trim().is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
    if !is_apart {
        out.push_str(newline);
    }
    out.push_str(block);
    if !after.is_empty() {
        out.push_str(newline);
    }
    out + after
}

/// A heading that is in no quote and no list.
#[derive(Debug)]
struct Heading {
    level: usize,
    /// Without marks.
    text: String,
    range: Range<usize>,
    /// Its text as it is written.
    source: Range<usize>,
}

/// The heading that a person named: `Log`, or `## Log` for one of this level.
#[derive(Debug)]
struct WantedHeading {
    level: Option<usize>,
    text: String,
}

impl WantedHeading {
    fn parse(text: &str) -> Self {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.split_once(' ') {
            Some((marks, rest)) if marks.len() <= 6 && marks.bytes().all(|byte| byte == b'#') => {
                Self { level: Some(marks.len()), text: rest.to_owned() }
            }
            _ => Self { level: None, text: words },
        }
    }

    fn is_same(&self, heading: &Heading) -> bool {
        self.text == heading.text && self.level.is_none_or(|level| level == heading.level)
    }
}

fn find_headings(file: &str) -> Vec<Heading> {
    let start = front_matter_end(file);
    let mut headings: Vec<Heading> = Vec::new();
    let (mut depth, mut is_open) = (0_usize, false);
    for (event, range) in Parser::new_ext(&file[start..], DIALECT).into_offset_iter() {
        let range = range.start + start..range.end + start;
        if let (true, Some(heading)) = (is_open, headings.last_mut()) {
            match &event {
                Event::Text(text) | Event::Code(text) => heading.text.push_str(text),
                Event::SoftBreak | Event::HardBreak => heading.text.push(' '),
                _ => {}
            }
            let from = if heading.source.is_empty() { range.start } else { heading.source.start };
            if !matches!(event, Event::End(TagEnd::Heading(_))) {
                heading.source = from..range.end.max(heading.source.end);
            }
        }
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 => {
                is_open = true;
                headings.push(Heading { level: level as usize, text: String::new(), source: 0..0, range });
                depth += 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => {
                depth -= 1;
                is_open &= depth > 0;
            }
            _ => {}
        }
    }
    headings
}

/// The length of YAML front matter, in which `#` begins a comment.
fn front_matter_end(file: &str) -> usize {
    let mut lines = file.split_inclusive('\n');
    if lines.next().map(str::trim_end) != Some("---") {
        return 0;
    }
    let mut end = file.find('\n').map_or(file.len(), |at| at + 1);
    for line in lines {
        end += line.len();
        if line.trim_end() == "---" {
            return end;
        }
    }
    0
}

/// The body with its highest headings at `level`, and the others below them as before as far as there are levels.
fn demote(body: &str, level: usize) -> String {
    let headings = find_headings(body);
    let highest = headings.iter().map(|heading| heading.level).min().unwrap_or(1);
    let mut out = String::with_capacity(body.len() + 8);
    let mut at = 0;
    for heading in headings {
        let marks = "#".repeat((heading.level - highest + level).min(6));
        let text = body[heading.source].split_whitespace().collect::<Vec<_>>().join(" ");
        let line_end = if body[heading.range.clone()].ends_with('\n') { "\n" } else { "" };
        out.push_str(&format!("{}{marks} {text}{line_end}", &body[at..heading.range.start]));
        at = heading.range.end;
    }
    out + &body[at..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::Draft;
    use crate::publish::sample::draft;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn write(file: &str, draft: &Draft, heading: Option<&str>) -> Result<String, SectionConflict> {
        with_page(file, &DraftPage::of(draft, &TimeZone::UTC), heading)
    }

    const NOTE: &str = "---\n# a comment\ntags: [day]\n---\n# 3 March\n\n## Log\n- slept well\n```\n## Log in code\n```\n### Later\nx\n## Tasks\n- [ ] buy tea\n";

    #[test]
    fn a_page_stands_under_its_heading_and_a_second_time_changes_nothing() {
        let draft = draft("The day", "First.\n\nAdded\n-----\n\n- a\n\n### Deep\n\n```\n# code\n```\n");
        let once = write(NOTE, &draft, Some("Log")).unwrap();
        assert_eq!(write(&once, &draft, Some("Log")).unwrap(), once);
        assert_eq!(write(NOTE, &draft, Some("## Log")).unwrap(), once);
        insta::assert_snapshot!(once.replace(&draft.id.to_string(), "ID"), @r"
        ---
        # a comment
        tags: [day]
        ---
        # 3 March

        ## Log
        - slept well
        ```
        ## Log in code
        ```
        ### Later
        x

        <!-- uro-capture:ID 26320541 -->
        ### The day

        First.

        #### Added

        - a

        ##### Deep

        ```
        # code
        ```
        <!-- /uro-capture:ID -->

        ## Tasks
        - [ ] buy tea
        ");
    }

    #[test]
    fn a_missing_heading_or_file_is_made() {
        let draft = draft("The day", "First.\n");
        let once = write("", &draft, Some("Log")).unwrap();
        assert!(once.starts_with("## Log\n\n<!-- uro-capture:"), "{once}");
        assert_eq!(write(&once, &draft, Some("Log")).unwrap(), once);
        let plain = write("Mine", &draft, None).unwrap();
        assert!(plain.starts_with("Mine\n\n<!-- uro-capture:") && plain.contains("\n# The day\n"), "{plain}");
        assert_eq!(write(&plain, &draft, None).unwrap(), plain);
        assert!(write(NOTE, &draft, Some("# Log")).unwrap().contains("\n# Log\n"), "a heading of another rank");
    }

    #[test]
    fn a_newer_text_replaces_the_section_unless_a_person_changed_it() {
        let (old, new) = (draft("The day", "First.\n"), draft("The day", "Second.\n"));
        let new = Draft { id: old.id, ..new };
        let once = write(NOTE, &old, Some("Log")).unwrap();
        assert_eq!(write(&once, &new, Some("Log")).unwrap(), write(NOTE, &new, Some("Log")).unwrap());
        let edited = once.replace("First.", "First, and by hand.");
        assert_eq!(write(&edited, &new, Some("Log")), Err(SectionConflict::Edited));
        let cut = once.replace("<!-- /uro-capture", "<!-- gone");
        assert_eq!(write(&cut, &new, Some("Log")), Err(SectionConflict::Unclosed));
        let beside = draft("The evening", "Third.\n");
        let both = write(&once, &beside, Some("Log")).unwrap();
        assert_eq!(write(&both, &old, Some("Log")).unwrap(), both, "each draft has its own section");
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_its_bytes_stay_and_twice_changes_nothing(
            file in "(---\n)?(# ?[ab]{0,2}|```|[- a<>]{0,3}|\r?\n|--- ?){0,12}",
            heading in prop::option::of("#{0,3} ?[ab]{1,2}"),
        ) {
            let draft = draft("A", "Done.\n\n# B\n");
            let once = write(&file, &draft, heading.as_deref()).unwrap();
            prop_assert_eq!(&write(&once, &draft, heading.as_deref()).unwrap(), &once);
            let mut rest = once.chars();
            prop_assert!(file.chars().all(|c| rest.any(|other| other == c)), "{once}");
        }
    }
}
