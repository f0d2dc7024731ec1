//! Sentences about special formats: pointers, translations, notebooks.

use std::collections::BTreeSet;

use super::phrase::{count, cut, list, list_up_to, number, one_line, path};
use crate::facts::Facts;
use crate::facts::formats::pointer::{PointerChange, PointerSide, PointerTool};
use crate::facts::formats::translation::{Message, MetadataChange, Translations};
use crate::facts::formats::{FormatChange, FormatDetail, notebook::CellChanges};

/// Limit of names per verb; more become a number.
const NAMES: usize = 3;
/// Limits of a quoted message, in words and characters.
const QUOTED: (usize, usize) = (8, 60);
/// Limit of format sentences per text.
const SENTENCES: usize = 2;

/// The sentences, without the last full stop; `None` without format changes.
pub fn format_sentences(facts: &Facts) -> Option<String> {
    let mut sentences = pointers(&facts.formats);
    sentences.extend(links(&facts.formats));
    sentences.extend(translations(&facts.formats));
    sentences.extend(notebooks(&facts.formats));
    sentences.truncate(SENTENCES);
    (!sentences.is_empty()).then(|| sentences.join(". "))
}

fn noun(keeper: PointerTool) -> &'static str {
    match keeper {
        PointerTool::Lfs => "LFS object",
        PointerTool::Annex => "git-annex object",
        PointerTool::Dvc => "DVC object",
    }
}

/// Path of the content: DVC's pointers are beside it.
fn content_path(change: &FormatChange) -> String {
    path(change.path.strip_suffix(".dvc").unwrap_or(&change.path))
}

/// In decimal units, as on forges.
fn size(bytes: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let tenths = bytes.saturating_mul(10) / unit;
        if tenths < 100 {
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        } else {
            format!("{} {name}", number(tenths / 10))
        }
    };
    match bytes {
        0..1_000 => count(usize::try_from(bytes).unwrap_or(0), "byte"),
        1_000..1_000_000 => scaled(1_000, "kB"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "MB"),
        _ => scaled(1_000_000_000, "GB"),
    }
}

/// Pointers of one keeper with a common verb.
type Group<'a> = ((&'static str, PointerTool), Vec<(&'a FormatChange, &'a PointerChange)>);

fn pointers(formats: &[FormatChange]) -> Vec<String> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for change in formats {
        let FormatDetail::Pointer(moved) = &change.detail else { continue };
        let group = (verb(moved), moved.keeper);
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, of)) => of.push((change, moved)),
            None => groups.push((group, vec![(change, moved)])),
        }
    }
    groups.iter().map(|((verb, keeper), of)| group(verb, *keeper, of)).collect()
}

fn verb(moved: &PointerChange) -> &'static str {
    match (moved.from, moved.to) {
        (PointerSide::Content, _) => "into",
        (_, PointerSide::Content) => "out",
        (PointerSide::Absent, _) => "Adds",
        (_, PointerSide::Absent) => "Deletes",
        _ => "Changes",
    }
}

fn group(verb: &str, keeper: PointerTool, of: &[(&FormatChange, &PointerChange)]) -> String {
    let place = match keeper {
        PointerTool::Lfs => "Git LFS",
        PointerTool::Annex => "git-annex",
        PointerTool::Dvc => "DVC",
    };
    let names: Vec<String> = of.iter().map(|(change, _)| content_path(change)).collect();
    match verb {
        "into" => format!("Moves {} into {place}", list_up_to(NAMES, names, true)),
        "out" => format!("Takes {} out of {place}", list_up_to(NAMES, names, true)),
        _ => {
            let each = of.iter().map(|(change, moved)| format!("{}{}", content_path(change), sizes(moved))).collect();
            let the = if of.len() == 1 {
                format!("the {}", noun(keeper))
            } else {
                format!("{}:", count(of.len(), noun(keeper)))
            };
            format!("{verb} {the} {}", list_up_to(NAMES, each, true))
        }
    }
}

/// ` (5.2 MB → 6.5 MB)`.
fn sizes(moved: &PointerChange) -> String {
    let of = |side: PointerSide| match side {
        PointerSide::Pointer(bytes) => bytes.map(size),
        PointerSide::Absent | PointerSide::Content => None,
    };
    match (of(moved.from), of(moved.to)) {
        (Some(from), Some(to)) if from != to => format!(" ({from} → {to})"),
        (Some(one), _) | (None, Some(one)) => format!(" ({one})"),
        (None, None) => String::new(),
    }
}

fn links(formats: &[FormatChange]) -> Option<String> {
    let of = |change: &FormatChange| {
        let FormatDetail::Link { from, to } = &change.detail else { return None };
        let name = content_path(change);
        Some(match (from, to) {
            (Some(from), Some(to)) => format!("points the link {name} to {} instead of {}", path(to), path(from)),
            (None, Some(to)) => format!("adds the link {name} to {}", path(to)),
            (Some(from), None) => format!("deletes the link {name} to {}", path(from)),
            (None, None) => format!("changes the link {name}"),
        })
    };
    let all: Vec<String> = formats.iter().filter_map(of).collect();
    let clause = if all.len() > NAMES { format!("changes {}", count(all.len(), "symbolic link")) } else { list(&all) };
    (!all.is_empty()).then(|| super::phrase::capitalized(&clause))
}

fn places(of: &[&FormatChange], noun: &str) -> String {
    if of.len() > NAMES {
        count(of.len(), noun)
    } else {
        list(&of.iter().map(|change| content_path(change)).collect::<Vec<_>>())
    }
}

fn translations(formats: &[FormatChange]) -> Option<String> {
    let all = formats.iter().filter_map(|change| match &change.detail {
        FormatDetail::Translations(changes) => Some((change, changes)),
        _ => None,
    });
    let all: Vec<(&FormatChange, &Translations)> = all.collect();
    let telling: Vec<_> = all.iter().filter(|(_, changes)| !changes.is_silent()).collect();
    if telling.is_empty() {
        let files: Vec<&FormatChange> = all.iter().map(|(change, _)| *change).collect();
        let marks: BTreeSet<MetadataChange> =
            all.iter().flat_map(|(_, changes)| changes.metadata.iter().copied()).collect();
        return (!files.is_empty())
            .then(|| format!("{} in {}", describe_metadata(&marks), places(&files, "translation file")));
    }
    let files: Vec<&FormatChange> = telling.iter().map(|(change, _)| *change).collect();
    let place = places(&files, "translation file");
    let messages = |kind: fn(&Translations) -> &Vec<Message>| -> Vec<&Message> {
        telling.iter().flat_map(|(_, changes)| kind(changes)).collect()
    };
    let (changed, added, removed) = (messages(|t| &t.changed), messages(|t| &t.added), messages(|t| &t.removed));
    if let ([one], [], []) = (changed.as_slice(), added.as_slice(), removed.as_slice()) {
        return Some(format!("{} in {place}", describe_message(one)));
    }
    let clause = |verb: &str, of: &[&Message]| {
        let named: Vec<String> = of.iter().filter_map(|message| quoted(&message.key)).take(NAMES - 1).collect();
        let names = if named.is_empty() {
            String::new()
        } else if named.len() < of.len() {
            format!(" (such as {})", list(&named))
        } else {
            format!(" ({})", list(&named))
        };
        (!of.is_empty()).then(|| format!("{verb} {}{names}", count(of.len(), "translated message")))
    };
    let clauses = [clause("changes", &changed), clause("adds", &added), clause("removes", &removed)];
    let changes: Vec<String> = clauses.into_iter().flatten().collect();
    Some(format!("{} in {place}", super::phrase::capitalized(&list(&changes))))
}

/// Metadata changes without any message change.
fn describe_metadata(marks: &BTreeSet<MetadataChange>) -> String {
    let name = |mark: &MetadataChange| match mark {
        MetadataChange::References => "references to source lines",
        MetadataChange::Dates => "dates",
        MetadataChange::States => "states of translations",
        MetadataChange::Comments => "comments",
        MetadataChange::Header => "fields of the header",
        MetadataChange::Obsolete => "obsolete entries",
        MetadataChange::Layout => "the layout",
    };
    let names: Vec<String> = marks.iter().map(|mark| name(mark).to_owned()).collect();
    match names.as_slice() {
        [] => "No message changes".to_owned(),
        [_] if marks.contains(&MetadataChange::Layout) => "Only the layout changes".to_owned(),
        names => format!("Only {} change", list(names)),
    }
}

/// A message with a changed, added or removed translation.
fn describe_message(message: &Message) -> String {
    let key = quoted(&message.key).unwrap_or_else(|| "one message".to_owned());
    match (quoted(&message.from), quoted(&message.to)) {
        (Some(from), Some(to)) => format!("Changes the translation of {key} from {from} to {to}"),
        (None, Some(to)) if message.from.is_empty() => format!("Translates {key} as {to}"),
        _ => format!("Changes the translation of {key}"),
    }
}

/// Quoted and shortened; `None` for an empty text.
fn quoted(text: &str) -> Option<String> {
    let text = one_line(text);
    let plain = text.trim_matches(['“', '”', '"']);
    let is_quotable = !plain.is_empty() && !plain.contains("[redacted:");
    is_quotable.then(|| format!("“{}”", cut(plain, QUOTED.0, QUOTED.1)))
}

fn notebooks(formats: &[FormatChange]) -> Option<String> {
    let all = formats.iter().filter_map(|change| match &change.detail {
        FormatDetail::Notebook(cells) => Some((change, *cells)),
        _ => None,
    });
    let all: Vec<(&FormatChange, CellChanges)> = all.collect();
    let telling: Vec<_> = all.iter().filter(|(_, cells)| !cells.is_silent()).collect();
    let files = if telling.is_empty() {
        all.iter().map(|(c, _)| *c).collect()
    } else {
        telling.iter().map(|(c, _)| *c).collect::<Vec<_>>()
    };
    let place = places(&files, "notebook");
    if telling.is_empty() {
        let any = |of: fn(&CellChanges) -> bool| all.iter().any(|(_, cells)| of(cells));
        let what = match (any(|cells| cells.outputs), any(|cells| cells.metadata)) {
            (true, true) => "outputs, execution counts and metadata change",
            (true, false) => "outputs and execution counts change",
            (false, true) => "metadata changes",
            (false, false) => "the layout changes",
        };
        return (!all.is_empty()).then(|| format!("Only {what} in {place}"));
    }
    let sum = |of: fn(&CellChanges) -> usize| telling.iter().map(|(_, cells)| of(cells)).sum::<usize>();
    let clause = |verb: &str, n: usize| (n > 0).then(|| format!("{verb} {}", count(n, "cell")));
    let clauses = [
        clause("changes", sum(|c| c.changed)),
        clause("adds", sum(|c| c.added)),
        clause("removes", sum(|c| c.removed)),
    ];
    let clauses: Vec<String> = clauses.into_iter().flatten().collect();
    Some(format!("{} in {place}", super::phrase::capitalized(&list(&clauses))))
}

#[cfg(test)]
mod tests {
    use crate::domain::patch::{Change, FileChange, UnreadReason};
    use crate::facts;
    use crate::facts::sample::{commit, counted, file, unread, versions};

    fn format_text(files: Vec<FileChange>) -> String {
        let commit = commit("wip", files);
        crate::fallback::template::summarize_commit(
            &commit,
            &facts::extract_facts(&commit, &crate::domain::clock::SystemClock),
        )
    }

    fn pointer(path: &str, from: u64, to: u64) -> FileChange {
        let version = "version https://git-lfs.github.com/spec/v1";
        file(path, &format!("@@\n {version}\n-oid sha256:{from}\n-size {from}\n+oid sha256:{to}\n+size {to}"))
    }

    #[test]
    fn an_object_kept_elsewhere_is_told_by_its_size() {
        let one = || pointer("model.bin", 5_242_880, 6_500_000);
        assert_eq!(format_text(vec![one()]), "Changes the LFS object model.bin (5.2 MB → 6.5 MB).");
        let added = "@@\n+version https://git-lfs.github.com/spec/v1\n+oid sha256:a\n+size 812";
        let added = |change| FileChange { change, ..file("data.csv", added) };
        assert_eq!(format_text(vec![added(Change::Added)]), "Adds the LFS object data.csv (812 bytes).");
        assert!(format_text(vec![added(Change::Modified)]).starts_with("Moves data.csv into Git LFS."));
        let many: Vec<_> = (1..6).map(|n| pointer(&format!("{n}.bin"), n, n + 10)).collect();
        let text = format_text(many);
        assert!(text.starts_with("Changes 5 LFS objects: 1.bin (1 byte → 11 bytes), 2.bin"), "{text}");
        assert!(text.contains("and 2 more"), "{text}");
    }

    #[test]
    fn a_pointer_beside_other_changes_is_told_after_them() {
        let text = format_text(vec![counted("src/a.rs", 1, 0), pointer("model.bin", 5_242_880, 6_500_000)]);
        assert_eq!(text, "Changes the LFS object model.bin (5.2 MB → 6.5 MB). +1 in src/a.rs.");
    }

    #[test]
    fn a_link_says_where_it_points() {
        let hunks = file("current", "@@\n-v1\n+v2").hunks;
        let link = FileChange { hunks, ..unread("current", Change::Modified, UnreadReason::Symlink) };
        assert_eq!(format_text(vec![link]), "Points the link current to v2 instead of v1.");
    }

    #[test]
    fn translations_are_told_by_their_messages() {
        let moved = "@@\n-#: src/cart.c:10\n+#: src/cart.c:14\n msgid \"Cart\"\n msgstr \"Warenkorb\"";
        assert_eq!(format_text(vec![file("de.po", moved)]), "Only references to source lines change in de.po. +1 −1.");
        let one =
            "@@\n-#: src/cart.c:10\n+#: src/cart.c:14\n msgid \"Checkout\"\n-msgstr \"Kasse\"\n+msgstr \"Zur Kasse\"";
        assert_eq!(
            format_text(vec![file("de.po", one)]),
            "Changes the translation of “Checkout” from “Kasse” to “Zur Kasse” in de.po. +2 −2."
        );
        let more = format!(
            "{one}\n \n msgid \"Cart\"\n-msgstr \"\"\n+msgstr \"Warenkorb\"\n \n+msgid \"Total\"\n+msgstr \"Summe\""
        );
        let text = format_text(vec![file("de.po", &more)]);
        let start =
            "Changes 2 translated messages (“Checkout” and “Cart”) and adds 1 translated message (“Total”) in de.po.";
        assert!(text.starts_with(start), "{text}");
    }

    #[test]
    fn a_notebook_is_told_by_its_cells() {
        let notebook = |count: u32, source: &str| {
            format!(
                "{{\n \"cells\": [\n  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": {count},\n   \"outputs\": [],\n   \"source\": [\n    \"{source}\"\n   ]\n  }}\n ]\n}}\n"
            )
        };
        let text = format_text(vec![versions("a.ipynb", &notebook(1, "load()"), &notebook(2, "load()"))]);
        assert!(text.starts_with("Only outputs and execution counts change in a.ipynb."), "{text}");
        let text = format_text(vec![versions("a.ipynb", &notebook(1, "load()"), &notebook(2, "load_all()"))]);
        assert_eq!(text, "Changes 1 cell in a.ipynb. +2 −2.");
    }
}
