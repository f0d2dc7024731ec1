//! Dependency sentence: `Updates tokio 1.40 → 1.42 and adds serde 1.0, with 2 transitive changes`.

use std::collections::HashMap;

use super::phrase::{capitalized, count, list, list_up_to, number, one_line};
use crate::facts::Facts;
use crate::facts::case::Case;
use crate::facts::dependencies::DependencyChange;

/// Limit of names per verb; more become a number.
const NAMES: usize = 3;

/// The sentence, without its full stop; `None` without changes, or if the lead names them all.
pub fn dependency_sentence(facts: &Facts, lead: &str, exact: bool) -> Option<String> {
    let direct: Vec<&DependencyChange> = facts.dependencies.iter().filter(|change| change.direct).collect();
    let arrived_commits = facts.dependencies.len() - direct.len();
    // Changes only in a lockfile are omitted beside other changes.
    if direct.is_empty() && !matches!(facts.case, Case::Dependencies | Case::Generated) {
        return None;
    }
    let reported = if direct.is_empty() { facts.dependencies.iter().collect() } else { direct };
    let reported: Vec<&DependencyChange> = reported.into_iter().filter(|change| !names_package(lead, change)).collect();
    let along = if reported.len() == facts.dependencies.len() { 0 } else { arrived_commits };
    match (reported.is_empty(), along) {
        (true, 0) => None,
        // The lead names the direct ones.
        (true, _) => (facts.case == Case::Dependencies).then(|| format!("{} with it", count_transitive(along, exact))),
        (false, 0) => Some(capitalized(&clauses(&reported, exact))),
        (false, _) => {
            let along = if exact { count(along, "transitive change") } else { "transitive changes".to_owned() };
            Some(format!("{}, with {along}", capitalized(&clauses(&reported, exact))))
        }
    }
}

/// A truncated lockfile is not counted.
fn count_transitive(n: usize, exact: bool) -> String {
    match n {
        _ if !exact => "Transitive dependencies changed".to_owned(),
        1 => "1 transitive dependency changed".to_owned(),
        n => format!("{} transitive dependencies changed", number(n as u64)),
    }
}

/// Whether the author's text names the package and its new version.
fn names_package(lead: &str, change: &DependencyChange) -> bool {
    let has = |text: &str| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@');
        lead.split(|c: char| !word(c)).any(|found| found.trim_end_matches('.').trim_start_matches('v') == text)
    };
    let version = |version: &String| has(bare(version)) || !has_number(version);
    has(&change.name) && change.to.as_ref().is_none_or(version)
}

/// The version without operator.
fn bare(version: &str) -> &str {
    version.trim_start_matches(|c: char| !c.is_ascii_digit())
}

fn has_number(version: &str) -> bool {
    version.contains(|c: char| c.is_ascii_digit())
}

fn clauses(changes: &[&DependencyChange], exact: bool) -> String {
    let mut clauses = Vec::new();
    let mut lists = 0;
    for verb in ["updates", "downgrades", "changes", "adds", "removes"] {
        let of = phrases(changes.iter().copied().filter(|change| self::verb(change) == verb));
        if !of.is_empty() {
            lists += usize::from(of.len() > 1);
            clauses.push(format!("{verb} {}", list_up_to(NAMES, of, exact)));
        }
    }
    if lists > 1 || (lists == 1 && clauses.len() > 1) { clauses.join("; ") } else { list(&clauses) }
}

/// Verb for a package change.
pub(crate) fn verb(change: &DependencyChange) -> &'static str {
    match (&change.from, &change.to) {
        (None, _) => "adds",
        (_, None) => "removes",
        (Some(from), Some(to)) => direction(from, to),
    }
}

/// Upgrade or downgrade, by the version numbers.
fn direction(from: &str, to: &str) -> &'static str {
    let single = |text: &str| !text.contains([',', '|', ' ', '*']) && !text.starts_with(['<', '>', '!']);
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let plain = bare(text).split(['-', '+']).next()?;
        let mut numbers: Vec<u64> = plain.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(numbers)
    };
    match (numbers(from), numbers(to)) {
        (Some(from), Some(to_numbers)) if single(to) => match to_numbers.cmp(&from) {
            std::cmp::Ordering::Greater => "updates",
            std::cmp::Ordering::Less if !from.starts_with(&to_numbers) => "downgrades",
            _ => "changes",
        },
        _ => "changes",
    }
}

/// Each package once: the changes in several manifests combined, if they agree.
fn phrases<'a>(changes: impl Iterator<Item = &'a DependencyChange>) -> Vec<String> {
    let mut order: Vec<&str> = Vec::new();
    let mut by_name: HashMap<&str, Vec<&DependencyChange>> = HashMap::new();
    for change in changes {
        let same_name = by_name.entry(&change.name).or_default();
        if same_name.is_empty() {
            order.push(&change.name);
        }
        same_name.push(change);
    }
    let of = |name: &str| match by_name.get(name).map(Vec::as_slice) {
        Some([one]) => phrase(one),
        Some([first, rest @ ..]) if rest.iter().all(|change| change.to == first.to) => {
            let to = first.to.as_deref().filter(|version| has_number(version));
            to.map_or_else(|| one_line(name), |to| format!("{} to {}", one_line(name), one_line(strip_pin(to))))
        }
        _ => one_line(name),
    };
    order.into_iter().map(of).collect()
}

/// A pinned version without its operator.
fn strip_pin(version: &str) -> &str {
    version.trim_start_matches(['=', ' '])
}

fn phrase(change: &DependencyChange) -> String {
    let name = one_line(&change.name);
    let version = |version: &Option<String>| {
        version.clone().filter(|version| has_number(version)).map(|v| one_line(strip_pin(&v)))
    };
    match (version(&change.from), version(&change.to)) {
        (Some(from), Some(to)) => format!("{name} {from} → {to}"),
        (None, Some(to)) => format!("{name} {to}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::domain::patch::FileChange;
    use crate::facts;
    use crate::facts::sample::{commit, counted, file};

    fn dependency_text(lead: &str, files: Vec<FileChange>) -> Option<String> {
        dependency_sentence(&facts::extract_facts(&commit(lead, files), &SystemClock), lead, true)
    }

    fn manifest(lines: &str) -> FileChange {
        file("Cargo.toml", &format!("@@\n [dependencies]\n{lines}"))
    }

    fn locked(names: &[&str]) -> FileChange {
        let block = |name: &&str| {
            format!(
                "@@\n [[package]]\n name = \"{name}\"\n-version = \"1.0.0\"\n+version = \"1.0.1\"\n source = \"x\"\n"
            )
        };
        file("Cargo.lock", &names.iter().map(block).collect::<String>())
    }

    #[test]
    fn what_changed_is_said_by_verb() {
        let lines =
            "-a = \"1.0\"\n+a = \"1.2\"\n-b = \"2.0\"\n+b = \"1.9\"\n+c = \"1\"\n-d = \"1\"\n+e = { path = \"e\" }";
        assert_eq!(
            dependency_text("wip", vec![manifest(lines)]).as_deref(),
            Some("Updates a 1.0 → 1.2; downgrades b 2.0 → 1.9; adds c 1 and e; removes d")
        );
        assert_eq!(
            dependency_text("wip", vec![manifest("-a = \"1.0\"\n+a = \"1.2\"\n-d = \"1\"")]).as_deref(),
            Some("Updates a 1.0 → 1.2 and removes d")
        );
    }

    #[test]
    fn what_the_author_names_is_not_said_twice() {
        let bump = || manifest("-a = \"1.0\"\n+a = \"1.2\"");
        assert_eq!(dependency_text("Bump a from 1.0 to 1.2", vec![bump()]), None);
        assert_eq!(dependency_text("Bump a", vec![bump()]).as_deref(), Some("Updates a 1.0 → 1.2"));
        assert_eq!(
            dependency_text("Bump a to 1.2", vec![bump(), locked(&["x", "y"])]).as_deref(),
            Some("2 transitive dependencies changed with it")
        );
    }

    #[test]
    fn what_was_brought_along_is_counted_or_told_alone() {
        let bump = manifest("-a = \"1.0\"\n+a = \"1.2\"");
        assert_eq!(
            dependency_text("wip", vec![bump, locked(&["x", "y"])]).as_deref(),
            Some("Updates a 1.0 → 1.2, with 2 transitive changes")
        );
        assert_eq!(
            dependency_text("cargo update", vec![locked(&["w", "x", "y", "z"])]).as_deref(),
            Some("Updates w 1.0.0 → 1.0.1, x 1.0.0 → 1.0.1, y 1.0.0 → 1.0.1 and 1 more")
        );
        assert_eq!(dependency_text("Fix it all now", vec![counted("src/a.rs", 1, 1), locked(&["x"])]), None);
    }

    #[test]
    fn a_package_of_several_manifests_is_named_once() {
        let of = |path: &str, from: &str| file(path, &format!("@@\n [dependencies]\n-a = \"{from}\"\n+a = \"=1.6\""));
        assert_eq!(
            dependency_text("wip", vec![of("x/Cargo.toml", "1.1"), of("y/Cargo.toml", "1.5")]).as_deref(),
            Some("Updates a to 1.6")
        );
    }

    #[test]
    fn what_was_not_read_to_its_end_is_not_counted() {
        let facts = |lead: &str| {
            let bump = manifest("-a = \"1.0\"\n+a = \"1.2\"");
            facts::extract_facts(&commit(lead, vec![bump, locked(&["x", "y"])]), &SystemClock)
        };
        assert_eq!(
            dependency_sentence(&facts("wip"), "wip", false).as_deref(),
            Some("Updates a 1.0 → 1.2, with transitive changes")
        );
        let lead = "Bump a to 1.2";
        assert_eq!(
            dependency_sentence(&facts(lead), lead, false).as_deref(),
            Some("Transitive dependencies changed with it")
        );
    }

    #[test]
    fn ranges_only_change() {
        assert_eq!(direction(">=1,<2", ">=1,<3"), "changes");
        assert_eq!(direction("1.2.3", "1.2"), "changes");
        assert_eq!(direction("^1.2", "^2.0"), "updates");
        assert_eq!(direction("0.15", "0.15.0"), "changes");
        assert_eq!(direction("1.10", "1.9.5"), "downgrades");
    }
}
