//! `draft diff`: how two versions of a draft's text differ.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::show::{describe_version, find_version};
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::ui::{BAD, BOLD, Exit, GOOD, ID, sanitise};
use crate::domain::clock::Clock;
use crate::domain::draft::{Draft, DraftVersion};
use crate::publish::document;

/// Which versions.
#[derive(Debug, Clone, Default, Args)]
pub struct DiffArgs {
    /// A draft's id, shortened as far as it is unambiguous
    pub id: String,
    /// The older version; default: the one that was edited, else the one before
    pub from: Option<u32>,
    /// The newer version; default: the text as it is now
    pub to: Option<u32>,
}

/// A difference as `--json` shows it.
#[derive(Serialize)]
struct VersionDiff<'a> {
    from: &'a DraftVersion,
    to: &'a DraftVersion,
    distance: f64,
    diff: String,
}

/// Two long texts with nothing in common would take seconds: above this time the difference is approximate.
const DIFF_TIME: Duration = Duration::from_millis(300);

pub fn run(app: &App, args: &DiffArgs) -> Result<Exit, Failure> {
    let (store, draft) = super::open_draft(app, &args.id)?;
    let versions = store.draft_versions(draft.id)?;
    let Some((from, to)) = choose(&draft, &versions, args)? else {
        return Err(Failure::input(format!("draft {} has fewer than two versions", draft.id))
            .hint(format!("uro-capture draft show {}", draft.id)));
    };
    let [old, new] = [from, to].map(|version| document::page(&version.title, &version.body));
    let diff = unified(&old, &new, [&describe_version(from), &describe_version(to)], app.clock.as_ref());
    if app.json {
        app.ui.json(&VersionDiff { from, to, distance: distance(&old, &new, app.clock.as_ref()), diff })?;
    } else if diff.is_empty() {
        app.ui.note(&format!("versions {} and {} are equal", from.number, to.number));
    } else {
        let lines = diff.lines().map(|line| paint_line(app, line) + "\n");
        app.ui.page(&lines.collect::<String>())?;
    }
    Ok(Exit::Done)
}

/// The two versions; `None` where there is nothing to compare with.
fn choose<'a>(
    draft: &Draft,
    versions: &'a [DraftVersion],
    args: &DiffArgs,
) -> Result<Option<(&'a DraftVersion, &'a DraftVersion)>, Failure> {
    let to = match args.to {
        Some(number) => Some(find_version(draft, versions, number)?),
        None => draft.current_version(versions),
    };
    let Some(to) = to else { return Ok(None) };
    let from = match args.from {
        Some(number) => Some(find_version(draft, versions, number)?),
        None if to.base < to.number => versions.iter().find(|version| version.number == to.base),
        None => versions.iter().rev().find(|version| version.number < to.number),
    };
    Ok(from.map(|from| (from, to)))
}

/// Unified diff with three lines of context; empty for equal texts.
fn unified(old: &str, new: &str, names: [&str; 2], clock: &dyn Clock) -> String {
    let mut config = similar::TextDiff::configure();
    let diff = config.deadline(clock.instant() + DIFF_TIME).diff_lines(old, new);
    let [from, to] = names;
    diff.unified_diff().context_radius(3).header(from, to).to_string()
}

/// Normalised edit distance: the share of characters that only one of the two texts has, 0..=1.
pub fn distance(old: &str, new: &str, clock: &dyn Clock) -> f64 {
    let mut config = similar::TextDiff::configure();
    let diff = config.deadline(clock.instant() + DIFF_TIME).diff_chars(old, new);
    1.0 - f64::from(diff.ratio())
}

/// In the colours of git.
fn paint_line(app: &App, line: &str) -> String {
    let line = sanitise(line);
    let style = match line.as_bytes() {
        [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => BOLD,
        [b'@', b'@', ..] => ID,
        [b'-', ..] => BAD,
        [b'+', ..] => GOOD,
        _ => return line,
    };
    app.ui.paint(style, &line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;

    #[test]
    fn the_distance_is_zero_for_the_same_and_one_for_nothing_in_common() {
        assert!(distance("abc", "abc", &SystemClock).abs() < 1e-6);
        assert!((distance("abc", "xyz", &SystemClock) - 1.0).abs() < 1e-6);
        let some = distance("the lease ended early", "the lease ended late", &SystemClock);
        assert!(some > 0.05 && some < 0.4, "{some}");
    }

    #[test]
    fn two_long_texts_with_nothing_in_common_are_compared_in_bounded_time() {
        let long = |word: &str| (0..20_000).map(|n| format!("{word}{n} ")).collect::<String>();
        let start = SystemClock.instant();
        let found = distance(&long("alpha"), &long("OMEGA"), &SystemClock);
        assert!((0.0..=1.0).contains(&found));
        assert!(SystemClock.instant() - start < Duration::from_secs(20));
    }

    #[test]
    fn a_unified_diff_names_both_versions_and_equal_texts_have_none() {
        let diff = unified("# T\n\na\nb\n", "# T\n\na\nc\n", ["version 1, a list", "version 2"], &SystemClock);
        assert_eq!(diff, "--- version 1, a list\n+++ version 2\n@@ -1,4 +1,4 @@\n # T\n \n a\n-b\n+c\n");
        assert_eq!(unified("a\n", "a\n", ["1", "2"], &SystemClock), "");
    }
}
