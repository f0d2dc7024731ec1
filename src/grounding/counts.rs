//! Numbers that follow from a patch by counting.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::patch::{Change, Commit, FileChange};
use crate::facts::language::SymbolKind;
use crate::facts::symbols::{Symbol, SymbolChange};
use crate::facts::{Facts, role_of};
use crate::fallback::dependencies;

/// Counts for a commit, separate per counted thing.
#[derive(Debug, Default)]
pub struct ChangeCounts {
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

impl ChangeCounts {
    pub fn of(commit: &Commit, facts: &Facts) -> Self {
        let mut counts = Self::default();
        counts.files(commit);
        counts.lines(commit, facts);
        counts.symbols(&facts.symbols);
        counts.listed_definitions(&facts.symbols);
        counts.packages(commit, facts);
        counts.rest(commit, facts);
        counts
    }

    /// In total, and per kind, role, and directory.
    fn files(&mut self, commit: &Commit) {
        let files = &commit.patch.files;
        self.files.extend([commit.patch.files_total as u64, files.len() as u64]);
        let mut tally = NameTally::default();
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
        let (mut tally, mut tests, mut paths) = (NameTally::default(), NameTally::default(), BTreeMap::new());
        for symbol in symbols {
            tally.add("all".to_owned());
            tally.add(format!("{:?}", symbol.change));
            tally.add(format!("{:?} {:?}", symbol.change, symbol.kind));
            tally.add(format!("{:?} {}", symbol.change, symbol.test));
            tally.add(format!("{:?} {:?} {}", symbol.change, symbol.kind, symbol.test));
            tally.add(format!("in {} {:?}", symbol.path, symbol.change));
            if symbol.test_case {
                tests.add(format!("{:?}", symbol.change));
                tests.add("all".to_owned());
            }
            let of_fate: &mut BTreeSet<&str> = paths.entry((symbol.change, symbol.test)).or_default();
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
        let direction = |symbol: &Symbol| match symbol.change {
            SymbolChange::Added => 1_u8,
            SymbolChange::Removed => 2,
            SymbolChange::Moved | SymbolChange::Renamed => 4,
            SymbolChange::Redefined | SymbolChange::Modified => 8,
        };
        for (of, tests) in (1..16_u8).flat_map(|of| [(of, false), (of, true)]) {
            let counted = symbols.iter().filter(|symbol| direction(symbol) & of != 0 && (tests || !symbol.test));
            let paths: BTreeSet<&str> = counted.map(|symbol| symbol.path.as_str()).collect();
            self.files.insert(paths.len() as u64);
        }
    }

    /// Definitions as a summary lists them: each name with its single change, without members of types added or removed
    /// as a whole; with their files.
    fn listed_definitions(&mut self, symbols: &[Symbol]) {
        let mut ranks: BTreeMap<(&str, bool), u8> = BTreeMap::new();
        for symbol in symbols {
            let first = ranks.entry((&symbol.name, symbol.test)).or_insert(u8::MAX);
            *first = symbol.change.precedence().min(*first);
        }
        let whole: BTreeSet<(&str, SymbolChange)> =
            symbols.iter().map(|symbol| (symbol.name.as_str(), symbol.change)).collect();
        let member = |symbol: &Symbol| {
            let of = symbol.name.rsplit_once("::").or_else(|| symbol.name.rsplit_once('.')).map(|(of, _)| of);
            symbol.change != SymbolChange::Modified && of.is_some_and(|of| whole.contains(&(of, symbol.change)))
        };
        let first =
            |symbol: &Symbol| ranks.get(&(symbol.name.as_str(), symbol.test)) == Some(&symbol.change.precedence());
        let mut seen = BTreeSet::new();
        let (mut tally, mut files) = (NameTally::default(), BTreeMap::<bool, BTreeSet<&str>>::new());
        for symbol in symbols.iter().filter(|symbol| first(symbol) && !member(symbol)) {
            if seen.insert((&symbol.name, symbol.test)) {
                let functions = symbol.change == SymbolChange::Redefined && symbol.kind == SymbolKind::Function;
                tally.add(format!("{:?} {} {functions} {}", symbol.change, symbol.test, symbol.comments_only));
                tally.add(format!(
                    "{} {}",
                    symbol.change.precedence().min(SymbolChange::Redefined.precedence()),
                    symbol.test
                ));
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
                for is_named in [true, false].into_iter().filter(|is_named| *is_named || !named) {
                    lists.entry((verb, is_named)).or_default().insert(&change.name);
                }
            }
        }
        self.lists.extend(lists.into_values().map(|list| list.len() as u64));
    }

    fn rest(&mut self, commit: &Commit, facts: &Facts) {
        let hunks = |file: &FileChange| file.hunks.len() as u64;
        let dependencies = &facts.dependencies;
        let (direct, new, gone) = (
            dependencies.iter().filter(|dependency| dependency.direct).count(),
            dependencies.iter().filter(|dependency| dependency.from.is_none()).count(),
            dependencies.iter().filter(|dependency| dependency.to.is_none()).count(),
        );
        let all = dependencies.len();
        let changed = all.saturating_sub(new).saturating_sub(gone);
        for count in
            [all, direct, new, gone, changed, all.saturating_sub(direct), facts.renames.len(), facts.breaking.len()]
        {
            self.things.insert(count as u64);
        }
        self.things.insert(commit.patch.files.iter().map(hunks).sum());
        self.things.insert(commit.parents.len() as u64);
    }
}

/// New test cases, each name once; and the surplus over removed ones.
fn net_tests(symbols: &[Symbol]) -> [u64; 2] {
    let of = |fate: SymbolChange| symbols.iter().filter(move |symbol| symbol.test_case && symbol.change == fate);
    let names: BTreeSet<&str> = of(SymbolChange::Added).map(Symbol::bare).collect();
    [names.len() as u64, of(SymbolChange::Added).count().saturating_sub(of(SymbolChange::Removed).count()) as u64]
}

/// Occurrences per name.
#[derive(Debug, Default)]
struct NameTally(BTreeMap<String, u64>);

impl NameTally {
    fn add(&mut self, name: String) {
        *self.0.entry(name).or_default() += 1;
    }
}
