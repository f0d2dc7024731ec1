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
    if let Some((range, mark)) = find_section(file, &page.id)? {
        let section = indent(&section, mark).replace('\n', newline);
        return Ok(format!("{}{section}{}", &file[..range.start], &file[range.end..]));
    }
    let (end, block) = match (wanted, at.map(|at| &headings[at])) {
        (_, Some(Heading { item: Some(item), .. })) => {
            let end = item.start + file[item.clone()].trim_end().len();
            let block = indent(&section, BLOCK).replace('\n', newline);
            let rest = without_line_end(&file[end..]);
            return Ok(format!("{}{newline}{block}{rest}", &file[..end]));
        }
        (_, Some(heading)) => {
            let ends = |next: &&Heading| next.item.is_none() && next.level <= level;
            let next = headings.iter().skip_while(|other| other.range.start <= heading.range.start).find(ends);
            (next.map_or(file.len(), |next| next.range.start), section)
        }
        (Some(wanted), None) => {
            (file.len(), format!("{} {}\n\n{section}", "#".repeat(level), markdown::inline(&wanted.text)))
        }
        (None, None) => (file.len(), section),
    };
    Ok(insert(file, end, &block.replace('\n', newline), newline))
}

/// How a block below another one begins in Logseq, whose files are one list.
const BLOCK: &str = "\t- ";

/// The lines of `block`, the first behind `mark` and the others below its text.
fn indent(block: &str, mark: &str) -> String {
    let below = mark.replace('-', " ");
    let line = |(at, line): (usize, &str)| match (at, line.trim()) {
        (0, _) => format!("{mark}{line}"),
        (_, "") => line.to_owned(),
        _ => format!("{below}{line}"),
    };
    block.split_inclusive('\n').enumerate().map(line).collect()
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

/// The lines of the draft's section, markers included, and the list mark before it.
fn find_section<'a>(file: &'a str, id: &str) -> Result<Option<(Range<usize>, &'a str)>, SectionConflict> {
    let Some(marker) = file.find(&format!("<!-- uro-capture:{id} ")) else { return Ok(None) };
    let start = file[..marker].rfind('\n').map_or(0, |at| at + 1);
    let mark = &file[start..marker];
    let end_mark = end_marker(id);
    let Some(length) = file[marker..].find(end_mark.trim_end()) else { return Err(SectionConflict::Unclosed) };
    let end = marker + length + end_mark.trim_end().len();
    let range = start..file.len() - without_line_end(&file[end..]).len();
    let below = mark.replace('-', " ");
    let lines = file[marker..end].split('\n').map(|line| line.trim_end_matches('\r'));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(&below).unwrap_or(line)).collect();
    let content = lines[1..lines.len().max(2) - 1].iter().map(|line| format!("{line}\n")).collect::<String>();
    if lines[0] != start_marker(id, &content).trim_end() {
        return Err(SectionConflict::Edited);
    }
    Ok(Some((range, mark)))
}

fn without_line_end(text: &str) -> &str {
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text)
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

/// A heading that is in no quote, and in no list but as a block of Logseq.
#[derive(Debug)]
struct Heading {
    level: usize,
    /// Without marks.
    text: String,
    range: Range<usize>,
    /// Its text as it is written.
    source: Range<usize>,
    /// The item of the file's list that it begins.
    item: Option<Range<usize>>,
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
    let mut item = None;
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
            Event::Start(Tag::Heading { level, .. }) if depth == 0 || depth == 2 && item.is_some() => {
                is_open = true;
                let item = item.take().filter(|_| depth > 0);
                headings.push(Heading { level: level as usize, text: String::new(), source: 0..0, range, item });
                depth += 1;
            }
            Event::Start(tag) => {
                item = Some(range).filter(|_| depth == 1 && tag == Tag::Item);
                depth += 1;
            }
            Event::End(tag) => {
                depth -= 1;
                is_open &= !matches!(tag, TagEnd::Heading(_));
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
    let headings: Vec<Heading> = find_headings(body).into_iter().filter(|heading| heading.item.is_none()).collect();
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

    #[test]
    fn in_logseq_the_page_is_a_block_below_the_heading() {
        let journal =
            "- 9:00 planning\n- ## Log\n  collapsed:: true\n\t- slept well\n\t\t- deep\n- ## Tasks\n\t- TODO tea\n";
        let (old, new) = (draft("The day", "First.\n\n- a\n"), draft("The day", "Second.\n"));
        let new = Draft { id: old.id, ..new };
        let once = write(journal, &old, Some("Log")).unwrap();
        assert_eq!(write(&once, &old, Some("Log")).unwrap(), once);
        insta::assert_snapshot!(once.replace(&old.id.to_string(), "ID").replace('\t', "→"), @r"
        - 9:00 planning
        - ## Log
          collapsed:: true
        →- slept well
        →→- deep
        →- <!-- uro-capture:ID 12082871 -->
        →  ### The day

        →  First.

        →  - a
        →  <!-- /uro-capture:ID -->
        - ## Tasks
        →- TODO tea
        ");
        assert_eq!(write(&once, &new, Some("Log")).unwrap(), write(journal, &new, Some("Log")).unwrap());
        assert_eq!(write(&once.replace("First", "Last"), &new, Some("Log")), Err(SectionConflict::Edited));
        let mixed = write("x\r\n- ## Log\n- y\n", &old, Some("Log")).unwrap();
        assert!(mixed.ends_with(" -->\r\n- y\n"), "{mixed:?}");
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_its_bytes_stay_and_twice_changes_nothing(
            file in "(---\n)?(#{1,2} ?[ab]{0,2}|- # ?[ab]|\t- |```|[- a<>]{0,3}|\r?\n|--- ?){0,12}",
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
