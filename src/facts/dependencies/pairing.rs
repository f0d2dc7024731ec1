//! Pairs removed and added dependency entries into changes.

use crate::text::version::is_version_range;
use std::collections::{HashMap, HashSet};

use super::entry::DependencyEntry;
use super::{DependencyChange, Ecosystem};

/// With more versions of one package the pairing would be a guess.
const VERSIONS: usize = 8;

/// The changes of one file, in its order.
pub fn pair(ecosystem: Ecosystem, removed: Vec<DependencyEntry>, new: Vec<DependencyEntry>) -> Vec<DependencyChange> {
    let mut order: Vec<String> = Vec::new();
    let mut distinct: HashSet<(String, String, bool)> = HashSet::new();
    let mut sides: HashMap<String, (Vec<DependencyEntry>, Vec<DependencyEntry>)> = HashMap::new();
    let both = removed.into_iter().map(|entry| (entry, false)).chain(new.into_iter().map(|entry| (entry, true)));
    for (entry, is_new) in both {
        if !sides.contains_key(&entry.name) {
            order.push(entry.name.clone());
        }
        let (removed, new) = sides.entry(entry.name.clone()).or_default();
        if distinct.insert((entry.name.clone(), entry.version.clone(), is_new)) {
            if is_new { new.push(entry) } else { removed.push(entry) }
        }
    }
    let changes = order.into_iter().filter_map(|name| sides.remove(&name).map(|(removed, new)| (name, removed, new)));
    let different = changes.map(|(name, mut removed, mut new)| {
        drop_common(&mut removed, &mut new);
        (name, removed, new)
    });
    let few = different.filter(|(_, removed, new)| removed.len() <= VERSIONS && new.len() <= VERSIONS);
    few.flat_map(|(name, removed, new)| pair_by_name(ecosystem, &name, removed, new)).collect()
}

/// An entry on both sides was only moved, or changed in something other than its version.
fn drop_common(removed: &mut Vec<DependencyEntry>, new: &mut Vec<DependencyEntry>) {
    removed.retain(|old| match new.iter().position(|entry| entry.version == old.version) {
        Some(at) => {
            new.remove(at);
            false
        }
        None => true,
    });
}

fn pair_by_name(
    ecosystem: Ecosystem,
    name: &str,
    mut removed: Vec<DependencyEntry>,
    mut new: Vec<DependencyEntry>,
) -> Vec<DependencyChange> {
    let direct = removed.iter().chain(&new).any(|entry| entry.direct);
    let change = |from: Option<DependencyEntry>, to: Option<DependencyEntry>| DependencyChange {
        ecosystem,
        name: name.to_owned(),
        from: from.map(|entry| entry.version),
        to: to.map(|entry| entry.version),
        direct,
    };
    match (removed.len(), new.len()) {
        (1, 1) => vec![change(removed.pop(), new.pop())],
        // A package locked in several versions: versions are paired only within one major.
        _ => {
            let mut changes = Vec::new();
            for old in removed {
                let same = new.iter().position(|entry| major(&entry.version) == major(&old.version));
                let to = same.map(|at| new.remove(at));
                changes.push(change(Some(old), to));
            }
            changes.extend(new.into_iter().map(|entry| change(None, Some(entry))));
            changes
        }
    }
}

fn major(version: &str) -> &str {
    version.trim_start_matches(|c: char| !c.is_ascii_digit()).split(['.', '-', '+']).next().unwrap_or("")
}

/// All changes of a commit: from manifests first, then those only in lockfiles.
pub fn merge(asked: &[DependencyChange], arrived_commits: Vec<DependencyChange>) -> Vec<DependencyChange> {
    let asked = merge_manifests(asked);
    let asked_names: HashSet<(Ecosystem, String)> =
        asked.iter().map(|change| (change.ecosystem, change.name.clone())).collect();
    let unknown =
        arrived_commits.into_iter().filter(|change| !asked_names.contains(&(change.ecosystem, change.name.clone())));
    let mut distinct: HashSet<DependencyChange> = HashSet::new();
    let mut all: Vec<DependencyChange> = Vec::new();
    for change in asked.iter().cloned().chain(unknown) {
        if distinct.insert(change.clone()) {
            all.push(change);
        }
    }
    // go.mod marks indirect dependencies itself.
    all.sort_by_key(|change| !change.direct);
    all
}

/// A dependency removed from one manifest and added to another moved within the project; one whose version is now
/// written elsewhere (`workspace = true`) did not change here.
fn merge_manifests(asked: &[DependencyChange]) -> Vec<DependencyChange> {
    let key = |change: &DependencyChange| (change.ecosystem, change.name.clone());
    let names = |keep: fn(&DependencyChange) -> bool| -> HashSet<(Ecosystem, String)> {
        asked.iter().filter(|change| keep(change)).map(key).collect()
    };
    let (taken, dropped) = (names(|change| change.from.is_none()), names(|change| change.to.is_none()));
    let written = |version: &Option<String>| version.as_deref().is_none_or(is_version_range);
    let moved = |change: &DependencyChange| taken.contains(&key(change)) && dropped.contains(&key(change));
    let elsewhere = |change: &DependencyChange| {
        change.from.is_some() && change.to.is_some() && !(written(&change.from) && written(&change.to))
    };
    asked.iter().filter(|change| !moved(change) && !elsewhere(change)).cloned().collect()
}
