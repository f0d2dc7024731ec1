//! The counts of a structural review, recomputed from the sources. Print them with
//! `cargo test --locked --test it -- tidy::structure --nocapture`.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, sources};
use super::{files, root};

/// Functions per 1,000 production lines, and what well-known programs of this kind stay below.
const FUNCTIONS: Limit = Limit { at_most: 60.6, goal: 45.0 };
/// Production lines of `src`: with comments and blank lines, without what only tests are compiled with.
const LINES: Limit = Limit { at_most: 72_500.0, goal: 54_000.0 };
/// Percent of comment lines in which a person word stands for a thing.
const PERSON_LINES: Limit = Limit { at_most: 0.5, goal: 0.5 };
/// Groups of rooms that import each other, directly or over others.
const CIRCLES: Limit = Limit { at_most: 0.0, goal: 0.0 };
/// Rooms in those groups.
const ROOMS_IN_CIRCLES: Limit = Limit { at_most: 0.0, goal: 0.0 };

/// Words for people.
const PERSON_WORDS: [&str; 7] = ["who", "whom", "whoever", "nobody", "somebody", "anybody", "everybody"];

/// A line that names a person may use person words: singular and plural.
const PEOPLE: [&str; 10] =
    ["author", "committer", "contributor", "developer", "engineer", "human", "people", "person", "reader", "user"];

/// A ratchet: the limit may only be lowered. The goal is where it leads.
#[derive(Debug, Clone, Copy)]
struct Limit {
    at_most: f64,
    goal: f64,
}

/// What is counted of some files.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    files: usize,
    lines: usize,
    functions: usize,
    comments: usize,
    blank: usize,
    person_lines: usize,
}

impl Counts {
    fn of<'a>(sources: impl Iterator<Item = &'a Source>) -> Self {
        sources.filter(|source| !source.lines.is_empty()).fold(Self::default(), |sum, source| Self {
            files: sum.files + 1,
            lines: sum.lines + source.lines.len(),
            functions: sum.functions + source.code().filter(|line| defines_function(line)).count(),
            comments: sum.comments + source.comments().count(),
            blank: sum.blank + source.code().filter(|line| line.is_empty()).count(),
            person_lines: sum.person_lines + source.comments().filter(|line| gives_thing_a_person_word(line)).count(),
        })
    }

    fn functions_per_1000(&self) -> f64 {
        share(self.functions, self.lines) * 1000.0
    }

    fn person_percent(&self) -> f64 {
        share(self.person_lines, self.comments) * 100.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Whether a line of code begins the definition or declaration of a function.
fn defines_function(line: &str) -> bool {
    let named = |rest: &str| {
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        name > 0 && rest[name..].starts_with(['(', '<'])
    };
    let qualifiers = ["pub", "const", "async"];
    let Some((before, rest)) = line.split_once("fn ") else { return false };
    let only_qualifiers = before.split_whitespace().all(|word| {
        let word = word.strip_prefix("pub(").map_or(word, |_| "pub");
        qualifiers.contains(&word) || word.ends_with(')')
    });
    only_qualifiers && named(rest)
}

/// Whether the word, or the phrase, stands in the text by itself; both in lower case.
pub fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let behind = &text[at + word.len()..];
        !text[..at].ends_with(is_part) && !behind.starts_with(is_part)
    })
}

fn gives_thing_a_person_word(comment: &str) -> bool {
    let comment = comment.to_lowercase();
    let names_people =
        || PEOPLE.iter().any(|person| has_word(&comment, person) || has_word(&comment, &format!("{person}s")));
    PERSON_WORDS.iter().any(|word| has_word(&comment, word)) && !names_people()
}

/// Room → the other rooms that it imports, each with the number of lines that do.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

fn imports(sources: &[Source]) -> Imports<'_> {
    let rooms: BTreeSet<&str> = sources.iter().filter_map(Source::room).collect();
    let mut imports: Imports<'_> = rooms.iter().map(|room| (*room, BTreeMap::new())).collect();
    for source in sources {
        let Some(room) = source.room() else { continue };
        for line in source.code() {
            for (at, _) in line.match_indices("crate::") {
                let path = &line[at + "crate::".len()..];
                assert!(!path.starts_with('{'), "{}: {line}: one room in one line", source.path.display());
                let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
                if let Some(other) = rooms.get(&path[..end]).filter(|other| **other != room) {
                    *imports.entry(room).or_default().entry(other).or_default() += 1;
                }
            }
        }
    }
    imports
}

/// The strongly connected components of more than one room.
fn circles<'a>(imports: &Imports<'a>) -> Vec<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(room) = open.pop() {
            open.extend(imports[room].keys().copied().filter(|next| reached.insert(*next)));
        }
        reached
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> = imports.keys().map(|room| (*room, reached(room))).collect();
    let with = |room: &'a str| reach[room].iter().copied().filter(|other| reach[other].contains(room)).collect();
    let all: BTreeSet<BTreeSet<&str>> = imports.keys().map(|room| with(room)).collect();
    all.into_iter().filter(|circle: &BTreeSet<&str>| circle.len() > 1).collect()
}

/// Of the production lines per file.
fn median(sources: &[Source]) -> usize {
    let mut lengths: Vec<usize> = sources.iter().map(|source| source.lines.len()).filter(|n| *n > 0).collect();
    lengths.sort_unstable();
    lengths[lengths.len() / 2]
}

/// Lines of tests, in `src` and in `tests`.
fn test_lines(sources: &[Source]) -> usize {
    let of_file = |path| std::fs::read_to_string(path).unwrap().lines().count();
    let outside: usize = files(&root().join("tests"), ".rs").iter().map(of_file).sum();
    outside + sources.iter().map(|source| source.test_lines).sum::<usize>()
}

#[test]
fn the_counts_stay_within_their_limits() {
    let sources = sources();
    let counts = Counts::of(sources.iter());
    let imports = imports(&sources);
    let circles = circles(&imports);
    let in_circles = circles.iter().map(BTreeSet::len).sum();
    let limited = [
        ("functions per 1,000 lines", counts.functions_per_1000(), FUNCTIONS),
        ("production lines of src", share(counts.lines, 1), LINES),
        ("% of comment lines with person words", counts.person_percent(), PERSON_LINES),
        ("circles between rooms", share(circles.len(), 1), CIRCLES),
        ("rooms in circles", share(in_circles, 1), ROOMS_IN_CIRCLES),
    ];
    println!("\n{:<38} {:>10} {:>10} {:>10}", "", "now", "limit", "goal");
    for (what, now, Limit { at_most, goal }) in limited {
        println!("{what:<38} {now:>10.1} {at_most:>10.1} {goal:>10.1}");
    }
    println!("{:<38} {:>10}", "comment lines", counts.comments);
    println!("{:<38} {:>10}", "blank lines", counts.blank);
    println!("{:<38} {:>10}", "production files", counts.files);
    println!("{:<38} {:>10}", "median lines of a file", median(&sources));
    println!("{:<38} {:>10.2}", "test lines per production line", share(test_lines(&sources), counts.lines));
    for circle in &circles {
        println!("circle: {}", circle.iter().copied().collect::<Vec<_>>().join(", "));
        for room in circle {
            for (other, lines) in imports[room].iter().filter(|(other, _)| circle.contains(*other)) {
                println!("  {room} imports {other} in {lines} lines");
            }
        }
    }
    println!("\n{:<12} {:>6} {:>7} {:>12} {:>13}", "room", "files", "lines", "fn per 1,000", "person lines");
    for room in imports.keys() {
        let of = Counts::of(sources.iter().filter(|source| source.room() == Some(room)));
        let functions = of.functions_per_1000();
        println!("{room:<12} {:>6} {:>7} {functions:>12.1} {:>13}", of.files, of.lines, of.person_lines);
    }
    for (what, now, limit) in limited {
        assert!(now <= limit.at_most, "{what}: {now:.2} is more than {}, and the limit is never raised", limit.at_most);
    }
}

#[test]
fn functions_person_words_and_circles_are_found() {
    for line in ["fn a() {", "pub fn b<T>(x: T)", "pub(in crate::x) const fn c(", "async fn d();", "pub async fn e("] {
        assert!(defines_function(line), "{line}");
    }
    for line in ["run: fn(&mut X),", "let f = fn_of(1);", "\"fn a() {\",", "x.map(fn foo(", "fn $name() {"] {
        assert!(!defines_function(line), "{line}");
    }
    assert!(gives_thing_a_person_word("// Nobody's lease."));
    assert!(!gives_thing_a_person_word("// Whose turn it is") && !gives_thing_a_person_word("// Users who wait"));
    let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a"), ("c", "e")];
    let mut imports: Imports<'_> = "a b c d e".split(' ').map(|room| (room, BTreeMap::new())).collect();
    for (from, to) in edges {
        imports.get_mut(from).unwrap().insert(to, 1);
    }
    assert_eq!(circles(&imports), [BTreeSet::from(["b", "c"])]);
}
