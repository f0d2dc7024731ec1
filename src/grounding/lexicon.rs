//! Lexicon of a commit: every word, number and path with its side of the change; the evidence for the hallucination
//! check, built once.

use std::collections::{HashMap, HashSet};

use super::claims::Direction;
use super::instructions::InjectedText;
use super::pairs::ReplacementPairs;
use super::token::{SentenceToken, TokenKind};
use super::words::{self, key, stem};
use super::{Evidence, counts::ChangeCounts, quotes};
use crate::domain::patch::{Change, FileChange, Hunk, LineOrigin, PatchLine, UnreadReason};
use crate::facts::mentions::line::is_comment;
use crate::facts::roles::FileRole;
use crate::facts::symbols::{Symbol, SymbolChange};

/// The sides of a change on which something occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SideSet(u8);

impl SideSet {
    pub const OLD: Self = Self(1);
    pub const NEW: Self = Self(2);
    /// Unchanged text: context, hunk headers.
    pub const CONTEXT: Self = Self(4);
    /// In the author's text.
    pub const AUTHOR: Self = Self(8);
    /// In a path, or known from the facts.
    pub const FACTS: Self = Self(16);

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Before the change only.
    pub fn is_removed(self) -> bool {
        self.has(Self::OLD) && !self.has(Self::NEW)
    }

    /// After the change only.
    pub fn is_added(self) -> bool {
        self.has(Self::NEW) && !self.has(Self::OLD)
    }

    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The non-code parts of a commit.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeKinds {
    pub merge: bool,
    pub tests: bool,
    /// Documentation, or comments on changed lines.
    pub words: bool,
    /// Only documentation changed.
    pub only_docs: bool,
    /// Of source, only comments changed.
    pub only_comments: bool,
}

/// Maximum distance in lines between related words.
const WINDOW: u32 = 2;

/// The evidence of a commit.
#[derive(Debug, Default)]
pub struct Lexicon {
    words: HashMap<String, SideSet>,
    numbers: HashMap<String, SideSet>,
    /// Stems of all words and of their parts.
    stems: HashSet<String>,
    /// Stems of the old lines, changed or not, and of hunk headers and paths.
    old: HashSet<String>,
    /// The same without unchanged lines.
    supported: HashSet<String>,
    /// The lines of `text` with a stem, ascending; without unchanged lines.
    lines: HashMap<String, Vec<u32>>,
    /// Occurrences of a stem on added lines minus those on removed lines.
    balance: HashMap<String, i64>,
    grown: RunStatistics,
    /// Whether there is a change to check a text against.
    pub has_patch: bool,
    /// Stems of names that give a location: definitions, paths, hunk headers.
    anywhere: HashSet<String>,
    /// Names in hunk headers: the enclosing definitions.
    heads: HashSet<String>,
    /// Stems of human text about the change: message, notes, comments, documentation.
    human_stems: HashSet<String>,
    /// Stems of the message and the notes alone.
    author_stems: HashSet<String>,
    /// Definitions by name, in lower case.
    symbols: HashMap<String, SideSet>,
    /// Definitions that existed before and after, without any added or removed definition of the same name.
    kept: HashMap<String, bool>,
    /// The same per file: name and path in lower case.
    places: HashMap<(String, String), SideSet>,
    /// Added or removed members of types, in lower case.
    members: HashMap<String, SideSet>,
    /// Names of changed packages, in lower case.
    packages: HashSet<String>,
    /// Paths of the patch, in lower case.
    paths: Vec<(String, SideSet)>,
    /// All text except suspected instructions, in lower case, line by line.
    text: String,
    /// End offset and side of each line of `text`.
    ends: Vec<(usize, SideSet)>,
    /// The author's words, in lower case.
    author_words: String,
    pub tainted: InjectedText,
    pub kinds: ChangeKinds,
    pub pairs: ReplacementPairs,
    pub counts: ChangeCounts,
    /// Some changed lines are missing, so a one-sided occurrence proves nothing.
    pub partial: bool,
}

impl Lexicon {
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let commit = evidence.commit;
        let (counts, pairs) = (ChangeCounts::of(commit, evidence.facts), ReplacementPairs::of(commit, evidence.facts));
        let mut lexicon = Self { counts, pairs, has_patch: true, ..Self::default() };
        let (files, total) = (&commit.patch.files, commit.patch.files_total);
        lexicon.partial = files.len() < total || files.is_empty() || files.iter().any(is_cut);
        for file in &commit.patch.files {
            lexicon.file(file);
        }
        lexicon.kinds.words =
            !lexicon.human_stems.is_empty() || files.iter().any(|f| FileRole::from_path(&f.path) == FileRole::Docs);
        lexicon.kinds.only_docs =
            !files.is_empty() && files.iter().all(|file| FileRole::from_path(&file.path) == FileRole::Docs);
        lexicon.kinds.only_comments = only_comments(files);
        let branch = commit.branch.iter().map(String::as_str);
        for text in evidence.notes.iter().map(String::as_str).chain(branch).chain([commit.author.as_str()]) {
            lexicon.add_author_text(text);
        }
        lexicon.kinds.merge = commit.parents.len() > 1;
        lexicon.kinds.tests = evidence.facts.symbols.iter().any(|symbol| symbol.test)
            || files.iter().any(|file| FileRole::from_path(&file.path) == FileRole::Tests);
        lexicon.add_author_text(&commit.message);
        for symbol in &evidence.facts.symbols {
            lexicon.symbol(symbol);
        }
        for dependency in &evidence.facts.dependencies {
            lexicon.line(&dependency.name, SideSet::FACTS, false);
            lexicon.packages.insert(dependency.name.to_lowercase());
            dependency.from.iter().for_each(|from| lexicon.line(from, SideSet::OLD, false));
            dependency.to.iter().for_each(|to| lexicon.line(to, SideSet::NEW, false));
        }
        lexicon
    }

    /// A standalone text, written entirely by the user.
    pub fn of_words(texts: &[&str]) -> Self {
        let mut lexicon = Self::default();
        texts.iter().for_each(|text| lexicon.add_author_text(text));
        lexicon
    }

    fn add_author_text(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let taken = self.tainted.of_lines(&lines);
        for (line, taken) in lines.iter().zip(taken) {
            if !taken {
                self.line(line, SideSet::AUTHOR, true);
                self.author_words.push_str(&line.to_lowercase());
                self.author_words.push('\n');
                self.author_stems.extend(words::stems(line));
            }
        }
    }

    fn file(&mut self, file: &FileChange) {
        let side = match file.change {
            Change::Added => SideSet::NEW,
            Change::Deleted => SideSet::OLD,
            Change::Renamed if file.old_path.is_some() => SideSet::NEW,
            Change::Modified | Change::Renamed | Change::Copied | Change::TypeChanged => SideSet::OLD.and(SideSet::NEW),
        };
        self.path(&file.path, side);
        if let Some(old) = &file.old_path {
            self.path(old, if file.change == Change::Renamed { SideSet::OLD } else { SideSet::OLD.and(SideSet::NEW) });
        }
        let prose = FileRole::from_path(&file.path) == FileRole::Docs;
        file.hunks.iter().for_each(|hunk| self.hunk(hunk, prose));
    }

    fn path(&mut self, path: &str, side: SideSet) {
        if self.tainted.of_lines(&[path]).contains(&true) {
            return;
        }
        self.line(path, SideSet::FACTS, false);
        self.anywhere.extend(words::stems(path));
        self.paths.push((path.to_lowercase(), side));
    }

    fn hunk(&mut self, hunk: &Hunk, prose: bool) {
        let texts: Vec<&str> = hunk.lines.iter().map(|line| line.text.as_str()).collect();
        let taken = self.tainted.of_lines(&texts);
        self.grown.count_hunk(hunk);
        self.supported.extend(words::stems(&hunk.header));
        self.anywhere.extend(words::stems(&hunk.header));
        self.heads.extend(words::identifiers(&hunk.header).map(key));
        if !self.tainted.of_lines(&[&hunk.header]).contains(&true) {
            self.line(&hunk.header, SideSet::CONTEXT, false);
        }
        for (PatchLine { origin, text }, taken) in hunk.lines.iter().zip(taken) {
            let side = match origin {
                LineOrigin::Added => SideSet::NEW,
                LineOrigin::Removed => SideSet::OLD,
                LineOrigin::Context => SideSet::CONTEXT,
            };
            if !taken {
                self.line(text, side, prose && *origin != LineOrigin::Context);
                if *origin != LineOrigin::Context && !prose {
                    self.human_stems.extend(words::stems(words::comment(text)));
                }
            }
        }
    }

    fn symbol(&mut self, symbol: &Symbol) {
        let side = match symbol.change {
            SymbolChange::Added => SideSet::NEW,
            SymbolChange::Removed => SideSet::OLD,
            SymbolChange::Renamed => SideSet::NEW,
            SymbolChange::Moved | SymbolChange::Redefined | SymbolChange::Modified => SideSet::OLD.and(SideSet::NEW),
        };
        let keeps = matches!(symbol.change, SymbolChange::Redefined | SymbolChange::Modified);
        let bare = symbol.name.rsplit([':', '.', '#']).next().unwrap_or(&symbol.name);
        let names = [Some(symbol.name.as_str()), Some(bare), symbol.old_name.as_deref()];
        for name in names.into_iter().flatten() {
            *self.kept.entry(name.to_lowercase()).or_insert(true) &= keeps;
        }
        let member = |added: bool| if added { SideSet::NEW } else { SideSet::OLD };
        for part in &symbol.members {
            self.line(&part.name, member(part.added).and(SideSet::FACTS), false);
            mark(&mut self.members, part.name.to_lowercase(), member(part.added));
        }
        let names = [(Some(&symbol.name), side), (symbol.old_name.as_ref(), SideSet::OLD)];
        for (name, side) in names.into_iter().filter_map(|(name, side)| Some((name?, side))) {
            let low = name.to_lowercase();
            let last = low.rsplit([':', '.', '#']).next().filter(|last| *last != low).map(str::to_owned);
            last.into_iter().for_each(|last| mark(&mut self.symbols, last, side));
            let path = symbol.old_path.as_ref().filter(|_| side == SideSet::OLD).unwrap_or(&symbol.path).to_lowercase();
            let place = self.places.entry((low.clone(), path)).or_default();
            *place = place.and(side);
            mark(&mut self.symbols, low, side);
            self.anywhere.extend(words::stems(name));
            self.line(name, SideSet::FACTS, false);
        }
    }

    fn line(&mut self, line: &str, side: SideSet, is_author: bool) {
        let low = line.to_lowercase();
        for word in words::identifiers(line) {
            mark(&mut self.words, key(word), side);
            for part in words::split_parts(word) {
                let stem = stem(part);
                if side != SideSet::CONTEXT {
                    self.supported.insert(stem.clone());
                    let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
                    let lines = self.lines.entry(stem.clone()).or_default();
                    if lines.last() != Some(&number) {
                        lines.push(number);
                    }
                }
                let step = i64::from(side == SideSet::NEW) - i64::from(side == SideSet::OLD);
                if step != 0 {
                    *self.balance.entry(stem.clone()).or_default() += step;
                }
                if is_author && stem.len() > 2 {
                    self.human_stems.insert(stem.clone());
                }
                if side.has(SideSet::OLD) || side.has(SideSet::CONTEXT) {
                    self.old.insert(stem.clone());
                }
                self.stems.insert(stem);
            }
        }
        for joined in words::hyphenated(&low) {
            mark(&mut self.words, key(joined), side);
        }
        words::numbers(&low, &mut |number| mark(&mut self.numbers, number.to_owned(), side));
        self.text.push_str(&low);
        self.text.push('\n');
        self.ends.push((self.text.len(), side));
    }

    /// Whether the quoted words occur in this order on one side, with gaps allowed.
    pub fn has_quote(&self, low: &str) -> bool {
        quotes::is_in(low, &self.text, &self.ends)
    }

    /// Whether some path has all these components in this order, with gaps allowed.
    pub fn has_components(&self, low: &str) -> bool {
        let parts: Vec<&str> = low.split('/').filter(|part| !part.is_empty()).collect();
        parts.len() > 1
            && self.paths.iter().any(|(path, _)| {
                let mut components = path.split('/');
                let stem = |component: &str| component.split('.').next().unwrap_or(component).to_owned();
                parts.iter().all(|part| components.any(|component| component == *part || stem(component) == *part))
            })
    }

    /// The sides on which a name occurs; plurals count as their singular.
    pub fn word(&self, name: &str) -> SideSet {
        let key = key(name);
        let find = |key: &str| self.words.get(key).copied();
        find(&key).or_else(|| singulars(&key).into_iter().find_map(find)).unwrap_or_default()
    }

    /// The sides on which definitions of this name are.
    pub fn symbol_of(&self, name: &str) -> SideSet {
        self.symbols.get(&name.trim_end_matches("()").to_lowercase()).copied().unwrap_or_default()
    }

    /// Whether every definition of this name was modified, neither added nor removed.
    pub fn is_kept(&self, name: &str) -> bool {
        self.kept.get(name.trim_end_matches("()")).copied().unwrap_or(false)
    }

    /// Whether a member of this name was added or removed.
    pub fn member_of(&self, name: &str) -> SideSet {
        self.members.get(&name.to_lowercase()).copied().unwrap_or_default()
    }

    /// Whether a changed package has this lower-case name.
    pub fn is_package(&self, low: &str) -> bool {
        self.packages.contains(low)
    }

    pub fn number(&self, number: &str) -> SideSet {
        self.numbers.get(number).copied().unwrap_or_default()
    }

    /// Whether the word, or one with its stem, occurs anywhere in the commit.
    pub fn has_stem(&self, stem: &str) -> bool {
        self.stems.contains(stem)
    }

    /// Whether the word occurs on a changed line, in a path, a fact or the author's text.
    pub fn is_supported(&self, stem: &str) -> bool {
        // `centered` → `center`, `center` → `cent`: suffixes can be stacked.
        self.supported.contains(stem) || self.supported.contains(&words::stem(stem))
    }

    /// Whether the name or path was added or removed, as a definition, a file or a word.
    pub fn is_one_sided(&self, thing: &SentenceToken<'_>, direction: Direction) -> bool {
        let low = thing.low();
        let path = self.path_of(&low);
        if thing.kind == TokenKind::Path || !path.is_none() {
            return path.is_none() || direction.is_side(path);
        }
        let bare = low.trim_end_matches("()");
        let defined = self.places.iter().filter(|((name, _), _)| name == bare).map(|(_, sides)| *sides);
        let mut sides = defined.chain([self.symbol_of(&low), self.member_of(&low)]).filter(|sides| !sides.is_none());
        let word = || direction.is_side(self.word(&low));
        sides.clone().next().map_or_else(word, |_| sides.any(|sides| direction.is_side(sides)))
    }

    /// Whether neither the name nor the path existed before.
    pub fn is_new(&self, thing: &SentenceToken<'_>) -> bool {
        let low = thing.low();
        let path = self.path_of(&low);
        if !path.is_none() || thing.kind == TokenKind::Path {
            return path.is_added();
        }
        let sides = self.word(&low);
        sides.is_added()
            && !sides.has(SideSet::CONTEXT)
            && !self.is_head(&low)
            && !self.symbol_of(&low).has(SideSet::OLD)
    }

    /// Whether the word occurs on added lines and nowhere else in the patch.
    pub fn is_new_word(&self, stem: &str) -> bool {
        self.balance(stem).is_some_and(|balance| balance > 0) && !self.old.contains(stem)
    }

    /// Whether the name has definitions, but none in this file; both in lower case.
    pub fn is_elsewhere(&self, name: &str, path: &str) -> bool {
        let name = name.trim_end_matches("()");
        let mut of_it = self.places.keys().filter(|(known, _)| known == name).peekable();
        of_it.peek().is_some() && !of_it.any(|(_, place)| place.ends_with(path) || path.ends_with(place.as_str()))
    }

    /// Whether the name occurs on a line of that side on its own, not as a member (`x.name`).
    pub fn is_declared(&self, low: &str, direction: Direction) -> bool {
        let side = if direction == Direction::Added { SideSet::NEW } else { SideSet::OLD };
        let mut from = 0;
        self.ends.iter().any(|(end, sides)| {
            let line = self.text.get(std::mem::replace(&mut from, *end)..*end).unwrap_or_default();
            let own = |(at, _): (usize, &str)| {
                let bounded = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                let before = line[..at].chars().next_back();
                bounded(before) && before != Some('.') && bounded(line[at + low.len()..].chars().next())
            };
            sides.has(side) && line.match_indices(low).any(own)
        })
    }

    /// Whether the name occurs in a hunk header.
    pub fn is_head(&self, name: &str) -> bool {
        self.heads.contains(&key(name))
    }

    /// Occurrences of the word on added lines minus those on removed lines; `None` where it is on neither.
    pub fn balance(&self, stem: &str) -> Option<i64> {
        self.balance.get(stem).copied()
    }

    /// Whether both words are on one line, or at most [`WINDOW`] lines apart. Words that occur nowhere, and names of
    /// definitions and files, count as near everything.
    pub fn is_together(&self, one: &str, other: &str) -> bool {
        let free = |stem: &str| self.anywhere.contains(stem);
        let (Some(ones), Some(others)) = (self.lines.get(one), self.lines.get(other)) else { return true };
        let near = |line: &u32| {
            let from = others.partition_point(|other| *other < line.saturating_sub(WINDOW));
            others.get(from).is_some_and(|other| *other <= line.saturating_add(WINDOW))
        };
        free(one) || free(other) || ones.iter().any(near)
    }

    /// Whether anything of this kind (`tests`, `function`, `section`) was added or removed.
    pub fn shows_kind(&self, kind: &str, direction: Direction) -> bool {
        let is_new = direction == Direction::Added;
        let (side, other) = if is_new { (SideSet::NEW, SideSet::OLD) } else { (SideSet::OLD, SideSet::NEW) };
        match kind.trim_end_matches('s') {
            "function" | "method" | "clas" | "classe" | "struct" | "constant" => {
                let one_sided = |sides: &SideSet| sides.has(side) && !sides.has(other);
                self.symbols.values().chain(self.members.values()).any(one_sided)
                    || self.balance(&stem(kind)).is_some_and(|balance| direction.agrees(balance))
            }
            "line" | "entry" | "entrie" | "paragraph" if is_new => self.grown.more,
            "line" | "entry" | "entrie" | "paragraph" => self.grown.fewer,
            "section" => self.grown.headings,
            "file" => self.paths.iter().any(|(_, sides)| !sides.has(other)),
            _ => true,
        }
    }

    /// Whether the word occurs in human text: the message, a note, a changed comment, documentation.
    pub fn is_human_word(&self, stem: &str) -> bool {
        self.human_stems.contains(stem)
    }

    /// Whether the message or a note has the word.
    pub fn is_author_word(&self, stem: &str) -> bool {
        self.author_stems.contains(stem)
    }

    /// The author's text, in lower case.
    pub fn author_text(&self) -> &str {
        &self.author_words
    }

    /// Whether it occurs verbatim, without an adjacent letter or digit.
    pub fn has_literal(&self, low: &str) -> bool {
        occurs(&self.text, low)
    }

    /// Whether it occurs verbatim in an unchanged line.
    pub fn is_near(&self, low: &str) -> bool {
        let mut from = 0;
        occurs(&self.text, low)
            && self.ends.iter().any(|(end, sides)| {
                let line = self.text.get(std::mem::replace(&mut from, *end)..*end).unwrap_or_default();
                *sides == SideSet::CONTEXT && occurs(line, low)
            })
    }

    /// The sides of the files that the path matches: in full, by its last components, or as a directory.
    pub fn path_of(&self, low: &str) -> SideSet {
        let low = low.trim_start_matches("./").trim_matches('/');
        let fits = |path: &str| path == low || (path.ends_with(low) && path[..path.len() - low.len()].ends_with('/'));
        self.paths.iter().filter(|(path, _)| fits(path)).fold(SideSet::default(), |sum, (_, side)| sum.and(*side))
    }

    /// Whether the path is a directory, or several components, of a path of the patch.
    pub fn has_directory(&self, low: &str) -> bool {
        let low = low.trim_start_matches("./").trim_matches('/');
        !low.is_empty() && self.paths.iter().any(|(path, _)| occurs_between(path, low, '/'))
    }
}

/// Whether source lines changed, all of them comments.
fn only_comments(files: &[FileChange]) -> bool {
    let mut changed = files
        .iter()
        .filter(|file| FileRole::from_path(&file.path) == FileRole::Source)
        .flat_map(|file| &file.hunks)
        .flat_map(|hunk| &hunk.lines)
        .filter(|line| line.origin != LineOrigin::Context && !line.text.trim().is_empty())
        .peekable();
    changed.peek().is_some() && changed.all(|line| is_comment(line.text.trim()))
}

/// Statistics of the runs of changed lines.
#[derive(Debug, Clone, Copy, Default)]
struct RunStatistics {
    /// Some run has more added than removed lines, or fewer.
    more: bool,
    fewer: bool,
    /// A heading was added or removed.
    headings: bool,
}

impl RunStatistics {
    fn count_hunk(&mut self, hunk: &Hunk) {
        for run in hunk.lines.split(|line| line.origin == LineOrigin::Context) {
            let added = run.iter().filter(|line| line.origin == LineOrigin::Added).count();
            let removed = run.len() - added;
            self.more |= added > removed;
            self.fewer |= removed > added;
            self.headings |= run.iter().any(|line| is_heading(&line.text));
        }
    }
}

/// A heading of Markdown, or the line below one (Markdown, reStructuredText).
fn is_heading(line: &str) -> bool {
    let line = line.trim_end();
    let marks = line.trim_start_matches('#');
    let rule = |c: char| line.len() >= 4 && line.chars().all(|other| other == c);
    (marks.len() < line.len() && marks.starts_with(' ')) || ['=', '-', '~', '^'].into_iter().any(rule)
}

/// Whether some changed lines of the file are missing. Unread files (excluded, binary) are not expected to have lines
/// on the other side.
fn is_cut(file: &FileChange) -> bool {
    let changed = |line: &&PatchLine| line.origin != LineOrigin::Context;
    let kept = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(changed).count() as u64;
    match file.unread {
        Some(unread) => matches!(unread, UnreadReason::TooLarge | UnreadReason::BudgetSpent | UnreadReason::Missing),
        None => {
            file.insertions.zip(file.deletions).is_none_or(|(added, removed)| added.saturating_add(removed) != kept)
        }
    }
}

fn mark(map: &mut HashMap<String, SideSet>, key: String, side: SideSet) {
    let sides = map.entry(key).or_default();
    *sides = sides.and(side);
}

/// `routers` → `router`, `indices` stays.
fn singulars(key: &str) -> Vec<&str> {
    let ends = ["s", "es", "ed", "d", "ing"];
    ends.iter().filter_map(|end| key.strip_suffix(end)).filter(|key| key.len() > 2).collect()
}

/// Whether `needle` occurs in `text` at word boundaries, where it begins or ends with a letter or digit.
pub fn occurs(text: &str, needle: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (starts, ends) = (needle.starts_with(word), needle.ends_with(word));
    !needle.is_empty()
        && text.match_indices(needle).any(|(at, _)| {
            let before = text[..at].chars().next_back().is_some_and(word);
            let after = text[at + needle.len()..].chars().next().is_some_and(word);
            !((starts && before) || (ends && after))
        })
}

fn occurs_between(path: &str, needle: &str, bound: char) -> bool {
    path.match_indices(needle).any(|(at, _)| {
        let after = &path[at + needle.len()..];
        (at == 0 || path[..at].ends_with(bound)) && (after.is_empty() || after.starts_with(bound))
    })
}
