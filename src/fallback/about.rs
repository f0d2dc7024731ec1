//! What the changed lines are about, where the author said nothing: in their own names and words.

use super::cover::Cover;
use super::phrase::{code, list, list_up_to, path, words};
use crate::domain::patch::{Commit, FileChange};
use crate::facts::case::Case;
use crate::facts::mentions::{Kind, Mention};
use crate::facts::roles::FileRole;
use crate::facts::symbols::Fate;
use crate::facts::{Facts, role_of};

/// Words that the whole summary may have.
const WORDS: usize = 60;
/// Sentences about what the lines name, and names in one of them.
const SENTENCES: usize = 2;
const NAMES: usize = 4;
/// Below this a sentence is not worth reading.
const WORTH: f64 = 0.25;
/// Up to so many changed lines single corrections are worth telling.
const CORRECTED: u64 = 16;
/// Up to so many changed lines a change is small, or tiny.
const SMALL: u64 = 10;
const TINY: u64 = 4;
/// Below this a name tells nothing new.
const NEWS: f64 = 0.5;

/// One or two sentences, without the last full stop; absent where what was `said` says it.
pub fn of(commit: &Commit, facts: &Facts, said: &str) -> Option<String> {
    if is_told_by_its_case(facts.case) {
        return None;
    }
    let mut cover = Cover::after(facts, said);
    let mut room = WORDS.saturating_sub(words(said));
    let mut told: Vec<String> = Vec::new();
    let mut asked = ASKED.to_vec();
    while told.len() < SENTENCES {
        let texts = asked.iter().enumerate().filter_map(|(at, ask)| Some((at, ask(commit, facts, &cover)?)));
        let fitting = texts.filter(|(_, text)| words(text) <= room);
        let worth = |text: &str| (cover.gain(text) + quoted(text)) / (6.0 + words(text) as f64).sqrt();
        let best = fitting.max_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)));
        let Some((at, text)) = best.filter(|(_, text)| worth(text) > WORTH) else { break };
        asked.remove(at);
        room -= words(&text);
        cover.say(&text);
        told.push(text);
    }
    (!told.is_empty()).then(|| told.join(". "))
}

/// What is worth telling though its words weigh little: what became of what.
fn quoted(text: &str) -> f64 {
    if [
        " gives way to ",
        "” becomes “",
        " goes from ",
        "It pins ",
        "It no longer pins ",
        SECTION,
        "It changes the value of ",
    ]
    .iter()
    .any(|verb| text.contains(verb))
    {
        1.5
    } else {
        0.0
    }
}

fn is_told_by_its_case(case: Case) -> bool {
    matches!(
        case,
        Case::Merge
            | Case::Unknown
            | Case::Empty
            | Case::RenameOnly
            | Case::ModeOnly
            | Case::SubmoduleOnly
            | Case::BinaryOnly
            | Case::WhitespaceOnly
    )
}

type Ask = fn(&Commit, &Facts, &Cover<'_>) -> Option<String>;
const ASKED: [Ask; 7] = [entry, swap, opaque, section, names, tests, prose];

/// The mention of these kinds that adds most to what was said.
fn best<'a>(facts: &'a Facts, cover: &Cover<'_>, is: impl Fn(&Mention) -> bool) -> Option<&'a Mention> {
    facts
        .mentions
        .iter()
        .filter(|mention| is(mention))
        .rev()
        .max_by(|a, b| cover.gain(&a.text).total_cmp(&cover.gain(&b.text)))
}

fn entry(_: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    let entry = best(facts, cover, |mention| mention.kind == Kind::Entry)?;
    Some(format!("The changelog says “{}”", entry.text))
}

/// Names by the side they are on: what only new lines have is not said of what was there before.
fn names(commit: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    let mut after = Cover::after(facts, "");
    after.also(cover);
    let names: Vec<&Mention> = facts.mentions.iter().filter(|mention| mention.kind == Kind::Name).collect();
    let chosen =
        after.choose((NAMES, news(commit)), names, |cover, mention| novelty(cover, mention), |mention| &mention.text);
    let all_imported = chosen.iter().all(|mention| mention.imported);
    let on = |side: Option<bool>| {
        let of_side = chosen.iter().filter(|mention| mention.added == side);
        of_side.map(|mention| code(&mention.text)).collect::<Vec<_>>()
    };
    let (new, old, both) = (on(Some(true)), on(Some(false)), on(None));
    let imports =
        |names: &[String]| format!("{} of {}", if names.len() == 1 { "the import" } else { "imports" }, list(names));
    match (new.is_empty(), old.is_empty(), both.is_empty()) {
        (true, true, true) => None,
        (false, true, true) if all_imported => Some(format!("It adds {}", imports(&new))),
        (true, false, true) if all_imported => Some(format!("It removes {}", imports(&old))),
        (false, true, true) => Some(format!("Its new lines mention {}", list(&new))),
        (true, false, true) => Some(format!("The lines it removes mention {}", list(&old))),
        (false, false, true) => Some(format!("Its new lines mention {}, the old ones {}", list(&new), list(&old))),
        _ => {
            Some(format!("It concerns {}", list(&chosen.iter().map(|mention| code(&mention.text)).collect::<Vec<_>>())))
        }
    }
}

/// How much a name must add: of a small change also what tells little is told.
fn news(commit: &Commit) -> f64 {
    match changed(commit) {
        lines if lines <= TINY => NEWS / 20.0,
        lines if lines <= SMALL => NEWS / 4.0,
        _ => NEWS,
    }
}

/// Changed lines that people wrote; endless where they are not known.
fn changed(commit: &Commit) -> u64 {
    let written = commit.patch.files.iter().filter(|file| role_of(file) != FileRole::Generated);
    let lines = |file: &FileChange| {
        file.insertions.zip(file.deletions).map_or(u64::MAX, |(added, removed)| added.saturating_add(removed))
    };
    written.map(lines).fold(0, u64::saturating_add)
}

/// What a name adds, by the words it has: one long name is not worth two short ones.
fn novelty(cover: &Cover<'_>, mention: &Mention) -> f64 {
    let whole: f64 = mention.stems.iter().map(|(_, weight)| weight).sum();
    if whole > 0.0 { cover.gain(&mention.text) / whole * mention.weight } else { 0.0 }
}

/// New tests, by their names or what they say of themselves.
fn tests(_: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    if let Some(title) = best(facts, cover, |mention| mention.kind == Kind::Title) {
        let subject = if title.added == Some(true) { "A new test" } else { "A test now" };
        return Some(format!("{subject} says “{}”", title.text));
    }
    // In a file that lost tests as well, one that came may be one that went under another name.
    let lost = |path: &str| {
        facts.symbols.iter().any(|symbol| symbol.test_case && symbol.fate == Fate::Removed && symbol.path == path)
    };
    let new = facts.symbols.iter().filter(|symbol| symbol.test_case && symbol.fate == Fate::Added);
    let new = new.filter(|symbol| !lost(&symbol.path));
    let mut after = Cover::after(facts, "");
    after.also(cover);
    let new = after.choose((2, NEWS), new.collect(), |cover, symbol| cover.gain(&symbol.name), |symbol| &symbol.name);
    let names: Vec<String> = new.iter().map(|symbol| code(&symbol.name)).collect();
    let noun = if names.len() == 1 { "A new test is" } else { "New tests are" };
    (!names.is_empty()).then(|| format!("{noun} {}", list(&names)))
}

/// Corrections, where the commit is little else.
fn swap(commit: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    let is_swap = |mention: &&Mention| matches!(mention.kind, Kind::Swap | Kind::Correction);
    // "Renames `a` to `b`" says it already.
    let before_said = |mention: &Mention| mention.before.as_deref().is_some_and(|before| cover.has(before));
    let is_new = |mention: &&Mention| !(cover.has(&mention.text) && (mention.key.is_some() || before_said(mention)));
    let swaps = || facts.mentions.iter().filter(is_swap).filter(is_new);
    if changed(commit) > CORRECTED {
        return None;
    }
    let mut keyed: Vec<String> = swaps().filter_map(keyed).collect();
    keyed.dedup();
    keyed.truncate(2);
    let swap = best(facts, cover, |mention| is_swap(&mention) && is_new(&mention))?;
    let before = swap.before.as_deref()?;
    Some(match (keyed.is_empty(), swap.kind) {
        (false, _) => list(&keyed),
        (true, Kind::Correction) if before.is_empty() => format!("It adds the words “{}”", swap.text),
        (true, Kind::Correction) if swap.text.is_empty() => format!("It removes the words “{before}”"),
        (true, Kind::Correction) => format!("“{before}” becomes “{}”", swap.text),
        (true, _) => format!("{} gives way to {}", code(before), code(&swap.text)),
    })
}

const SECTION: &str = "It adds the section ";

/// A heading that documentation gained.
fn section(_: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    let is_new = |mention: &Mention| mention.kind == Kind::Heading && mention.added == Some(true);
    let heading = best(facts, cover, |mention| is_new(mention) && !cover.has(&mention.text))?;
    (words(&heading.text) < 9).then(|| format!("{SECTION}“{}”", heading.text))
}

/// What has another digest, or another secret.
fn opaque(_: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    let all =
        || facts.mentions.iter().filter(|mention| mention.kind == Kind::Opaque && !cover.has(&code(&mention.text)));
    let mut phrases: Vec<&str> = all().filter_map(|mention| mention.before.as_deref()).collect();
    phrases.sort_unstable();
    phrases.dedup();
    phrases.truncate(SENTENCES);
    let told = |phrase: &str| {
        let same = all().filter(|mention| mention.before.as_deref() == Some(phrase));
        let names: Vec<String> = same.map(|mention| code(&mention.text)).collect();
        phrase.replace("{}", &list_up_to(NAMES, names, true))
    };
    (!phrases.is_empty()).then(|| phrases.into_iter().map(told).collect::<Vec<_>>().join(". "))
}

/// `serde` goes from 1.0.1 to 1.0.2.
fn keyed(swap: &Mention) -> Option<String> {
    Some(format!("{} goes from {} to {}", code(swap.key.as_deref()?), swap.before.as_deref()?, swap.text))
}

/// What documentation or a comment says now.
fn prose(_: &Commit, facts: &Facts, cover: &Cover<'_>) -> Option<String> {
    let prose = best(facts, cover, |mention| matches!(mention.kind, Kind::Prose | Kind::Comment))?;
    let text = &prose.text;
    Some(match (prose.kind, FileRole::of(&prose.path), prose.added) {
        (Kind::Comment, _, Some(false)) => format!("It removes the comment “{text}”"),
        (Kind::Comment, _, Some(true)) => format!("A new comment says “{text}”"),
        (Kind::Comment, ..) => format!("A comment now says “{text}”"),
        (_, _, Some(false)) => format!("It removes the words “{text}”"),
        (_, FileRole::Docs, _) => match heading(facts, &prose.path).filter(|heading| !cover.has(heading)) {
            Some(heading) => format!("Under “{heading}” {} now says “{text}”", speaker(facts, &prose.path)),
            None => said_by(&speaker(facts, &prose.path), text),
        },
        _ => format!("Its text now says “{text}”"),
    })
}

/// A path keeps its letters.
fn said_by(speaker: &str, text: &str) -> String {
    format!("{} now says “{text}”", if speaker == "it" { "It" } else { speaker })
}

/// The file that says it, where there are others.
fn speaker(facts: &Facts, file: &str) -> String {
    if facts.files_total == 1 { "it".to_owned() } else { path(file) }
}

fn heading<'a>(facts: &'a Facts, path: &str) -> Option<&'a str> {
    let heading = facts.mentions.iter().find(|mention| mention.kind == Kind::Heading && mention.path == path)?;
    (words(&heading.text) < 7).then_some(heading.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::facts;
    use crate::facts::sample::{commit, file};

    fn told(files: Vec<FileChange>, said: &str) -> Option<String> {
        let commit = commit("wip", files);
        of(&commit, &facts::of(&commit, &SystemClock), said)
    }

    fn text(path: &str, patch: &str) -> String {
        told(vec![file(path, patch)], path).unwrap_or_default()
    }

    #[test]
    fn what_only_new_lines_name_is_told_as_that() {
        assert_eq!(
            text("src/a.rs", "@@ fn a() {\n+    walker.follow_links();"),
            "Its new lines mention `follow_links` and `walker`"
        );
        assert_eq!(
            text("src/a.rs", "@@ fn a() {\n-    walker.follow_links();"),
            "The lines it removes mention `follow_links` and `walker`"
        );
    }

    #[test]
    fn what_the_context_names_is_not_told_as_new() {
        let told = text("src/a.rs", "@@ fn a() {\n     follow_links();\n+    follow_links();");
        assert_eq!(told, "It concerns `follow_links`");
    }

    #[test]
    fn imports_are_told_as_imports() {
        assert_eq!(text("a.py", "@@\n-import threading\n a = 1"), "It removes the import of `threading`");
        assert_eq!(text("a.py", "@@\n+import threading\n a = 1"), "It adds the import of `threading`");
    }

    #[test]
    fn a_value_is_told_from_what_to_what() {
        assert_eq!(text("a.toml", "@@\n-depth = 3\n+depth = 9"), "`depth` goes from 3 to 9");
        assert_eq!(text("a.rs", "@@\n-    get(Kind::Old);\n+    get(Kind::New);"), "`Old` gives way to `New`");
        assert_eq!(text("a.md", "@@\n-You recieve it.\n+You receive it."), "“recieve” becomes “receive”");
    }

    #[test]
    fn a_changelog_and_documentation_speak_for_themselves() {
        assert_eq!(
            text("CHANGES.md", "@@\n+- Retry when the server is busy."),
            "The changelog says “Retry when the server is busy”"
        );
        let guide = text("docs/guide.md", "@@\n ## Installing\n \n+Use the package of your system.");
        assert_eq!(guide, "Under “Installing” it now says “Use the package of your system”");
    }

    #[test]
    fn a_section_beside_another_one_like_it_is_told_by_its_heading() {
        let told = text("Garden.md", "@@\n ## Compost 1\n \n Turn it weekly.\n+\n+## Compost 2\n+\n+Turn it weekly.");
        assert!(told.contains("“Compost 2”"), "{told}");
    }

    #[test]
    fn a_pin_and_a_secret_are_told_by_their_names() {
        let digests = ["09ab".repeat(16), "4e69".repeat(16)];
        let [old, new] = digests.map(|digest| format!("FROM node:20@sha256:{digest}"));
        assert_eq!(text("Dockerfile", &format!("@@\n-{old}\n+{new}")), "It pins `node:20` to another digest");
        let both = format!(
            "@@\n-image: {}\n+image: {}\n-password: [redacted:value]\n+password: [redacted:value]",
            &old[5..],
            &new[5..]
        );
        let both = both.replace("\n-password", "\n a: b\n-password");
        assert_eq!(text("a.yml", &both), "It changes the value of `password`. It pins `node:20` to another digest");
        let secret = "@@\n-password: [redacted:value]\n+password: [redacted:value]";
        assert_eq!(text("app.yml", secret), "It changes the value of `password`");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let patch = "@@ fn a() {\n+    walker.follow_links();";
        assert_eq!(told(vec![file("src/a.rs", patch)], "Changes `Walker::follow_links`"), None);
    }

    #[test]
    fn what_a_case_tells_needs_no_more() {
        assert_eq!(told(vec![file("src/a.rs", "@@\n-a b\n+ab")], ""), None);
        assert_eq!(told(vec![], ""), None);
    }
}
