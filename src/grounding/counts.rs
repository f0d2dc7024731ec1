//! Numbers that follow from a patch by counting.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::patch::{Change, Commit, FileChange};
use crate::facts::language::SymbolKind;
use crate::facts::symbols::{Fate, Symbol};
use crate::facts::{Facts, role_of};
use crate::fallback::dependencies;

/// Counts for a commit, separate per counted thing.
#[derive(Debug, Default)]
pub struct Counts {
    pub files: BTreeSet<u64>,
    pub lines: BTreeSet<u64>,
    pub insertions: BTreeSet<u64>,
    pub deletions: BTreeSet<u64>,
    /// Insertions paired with the deletions of the same file, role, or patch.
    pub sides: BTreeSet<(u64, u64)>,
    /// Possible lengths of a list of definitions that the summary truncates.
    pub lists: BTreeSet<u64>,
    /// Definitions, tests, dependencies, renames, hunks.
    pub things: BTreeSet<u64>,
    /// Test cases by kind of change; empty where no test case is known.
    pub tests: BTreeSet<u64>,
}

impl Counts {
    pub fn of(commit: &Commit, facts: &Facts) -> Self {
        let mut counts = Self::default();
        counts.files(commit);
        counts.lines(commit, facts);
        counts.symbols(&facts.symbols);
        counts.told(&facts.symbols);
        counts.packages(commit, facts);
        counts.rest(commit, facts);
        counts
    }

    /// In total, and per kind, role, and directory.
    fn files(&mut self, commit: &Commit) {
        let files = &commit.patch.files;
        self.files.extend([commit.patch.files_total as u64, files.len() as u64]);
        let mut tally = Tally::default();
        for file in files {
            tally.add(format!("{:?}", file.change));
            tally.add(format!("{:?}", role_of(file)));
            tally.add(format!("{:?} {:?}", role_of(file), file.change));
            tally.add(format!("{:?}", file.unread));
            for (at, _) in file.path.match_indices('/').take(12) {
                tally.add(format!("{}/", &file.path[..at]));
            }
        }
        self.files.extend(tally.0.into_values());
        let pure = files.iter().filter(|file| file.change == Change::Renamed && file.hunks.is_empty()).count();
        self.files.insert(pure as u64);
    }

    fn lines(&mut self, commit: &Commit, facts: &Facts) {
        let patch = &commit.patch;
        let mut sides = vec![(patch.insertions, patch.deletions)];
        sides.extend(facts.shares.iter().map(|share| (share.insertions, share.deletions)));
        sides.extend(patch.files.iter().map(|file| (file.insertions, file.deletions)));
        let mut others = (0_u64, 0_u64);
        for share in &facts.shares {
            others.0 += share.insertions.unwrap_or(0);
            others.1 += share.deletions.unwrap_or(0);
        }
        sides.push((Some(others.0), Some(others.1)));
        for (added, removed) in sides {
            self.sides.extend(added.zip(removed));
            self.insertions.extend(added);
            self.deletions.extend(removed);
            self.lines.extend(added.into_iter().chain(removed));
            self.lines.extend(added.zip(removed).map(|(added, removed)| added.saturating_add(removed)));
        }
    }

    fn symbols(&mut self, symbols: &[Symbol]) {
        let (mut tally, mut tests, mut paths) = (Tally::default(), Tally::default(), BTreeMap::new());
        for symbol in symbols {
            tally.add("all".to_owned());
            tally.add(format!("{:?}", symbol.fate));
            tally.add(format!("{:?} {:?}", symbol.fate, symbol.kind));
            tally.add(format!("{:?} {}", symbol.fate, symbol.test));
            tally.add(format!("{:?} {:?} {}", symbol.fate, symbol.kind, symbol.test));
            tally.add(format!("in {} {:?}", symbol.path, symbol.fate));
            if symbol.test_case {
                tests.add(format!("{:?}", symbol.fate));
                tests.add("all".to_owned());
            }
            let of_fate: &mut BTreeSet<&str> = paths.entry((symbol.fate, symbol.test)).or_default();
            of_fate.insert(&symbol.path);
        }
        self.things.extend(tally.0.into_values());
        self.tests.extend(tests.0.into_values());
        self.things.extend(&self.tests);
        self.files.extend(paths.values().map(|paths| paths.len() as u64));
        self.tests.extend(net_tests(symbols));
        self.places(symbols);
    }

    /// Number of files with definitions for one, two, three or all directions of change.
    fn places(&mut self, symbols: &[Symbol]) {
        let direction = |symbol: &Symbol| match symbol.fate {
            Fate::Added => 1_u8,
            Fate::Removed => 2,
            Fate::Moved | Fate::Renamed => 4,
            Fate::Redefined | Fate::Modified => 8,
        };
        for (of, tests) in (1..16_u8).flat_map(|of| [(of, false), (of, true)]) {
            let told = symbols.iter().filter(|symbol| direction(symbol) & of != 0 && (tests || !symbol.test));
            let paths: BTreeSet<&str> = told.map(|symbol| symbol.path.as_str()).collect();
            self.files.insert(paths.len() as u64);
        }
    }

    /// Definitions as a summary lists them: each name with its single change, without members of types added or removed
    /// as a whole; with their files.
    fn told(&mut self, symbols: &[Symbol]) {
        let mut ranks: BTreeMap<(&str, bool), u8> = BTreeMap::new();
        for symbol in symbols {
            let first = ranks.entry((&symbol.name, symbol.test)).or_insert(u8::MAX);
            *first = symbol.fate.precedence().min(*first);
        }
        let whole: BTreeSet<(&str, Fate)> = symbols.iter().map(|symbol| (symbol.name.as_str(), symbol.fate)).collect();
        let member = |symbol: &Symbol| {
            let of = symbol.name.rsplit_once("::").or_else(|| symbol.name.rsplit_once('.')).map(|(of, _)| of);
            symbol.fate != Fate::Modified && of.is_some_and(|of| whole.contains(&(of, symbol.fate)))
        };
        let first =
            |symbol: &Symbol| ranks.get(&(symbol.name.as_str(), symbol.test)) == Some(&symbol.fate.precedence());
        let mut seen = BTreeSet::new();
        let (mut tally, mut files) = (Tally::default(), BTreeMap::<bool, BTreeSet<&str>>::new());
        for symbol in symbols.iter().filter(|symbol| first(symbol) && !member(symbol)) {
            if seen.insert((&symbol.name, symbol.test)) {
                let functions = symbol.fate == Fate::Redefined && symbol.kind == SymbolKind::Function;
                tally.add(format!("{:?} {} {functions} {}", symbol.fate, symbol.test, symbol.comments_only));
                tally.add(format!("{} {}", symbol.fate.precedence().min(Fate::Redefined.precedence()), symbol.test));
                files.entry(symbol.test).or_default().insert(&symbol.path);
            }
        }
        self.lists.extend(tally.0.into_values());
        self.files.extend(files.into_values().map(|files| files.len() as u64));
    }

    /// Packages that a summary groups: by kind of change, without transitive ones, with or without those that the
    /// author names.
    fn packages(&mut self, commit: &Commit, facts: &Facts) {
        let mut lists: BTreeMap<(&str, bool), BTreeSet<&str>> = BTreeMap::new();
        let direct = facts.dependencies.iter().any(|change| change.direct);
        for change in facts.dependencies.iter().filter(|change| change.direct || !direct) {
            let named = commit.message.contains(&change.name);
            let updated = change.from.is_some() && change.to.is_some();
            for verb in [Some(dependencies::verb(change)), updated.then_some("touches")].into_iter().flatten() {
                for said in [true, false].into_iter().filter(|said| *said || !named) {
                    lists.entry((verb, said)).or_default().insert(&change.name);
                }
            }
        }
        self.lists.extend(lists.into_values().map(|list| list.len() as u64));
    }

    fn rest(&mut self, commit: &Commit, facts: &Facts) {
        let hunks = |file: &FileChange| file.hunks.len() as u64;
        let dependencies = &facts.dependencies;
        let (direct, came, went) = (
            dependencies.iter().filter(|dependency| dependency.direct).count(),
            dependencies.iter().filter(|dependency| dependency.from.is_none()).count(),
            dependencies.iter().filter(|dependency| dependency.to.is_none()).count(),
        );
        let all = dependencies.len();
        let changed = all.saturating_sub(came).saturating_sub(went);
        for count in
            [all, direct, came, went, changed, all.saturating_sub(direct), facts.renames.len(), facts.breaking.len()]
        {
            self.things.insert(count as u64);
        }
        self.things.insert(commit.patch.files.iter().map(hunks).sum());
        self.things.insert(commit.parents.len() as u64);
    }
}

/// New test cases, each name once; and the surplus over removed ones.
fn net_tests(symbols: &[Symbol]) -> [u64; 2] {
    let of = |fate: Fate| symbols.iter().filter(move |symbol| symbol.test_case && symbol.fate == fate);
    let names: BTreeSet<&str> = of(Fate::Added).map(Symbol::bare).collect();
    [names.len() as u64, of(Fate::Added).count().saturating_sub(of(Fate::Removed).count()) as u64]
}

/// Occurrences per name.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, u64>);

impl Tally {
    fn add(&mut self, name: String) {
        *self.0.entry(name).or_default() += 1;
    }
}
