//! Name lookup in a repository at a commit.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::scratch::Scratch;
use crate::domain::clock::{Clock, SystemClock};
use crate::git::NameSearchBounds;

fn found_names(
    scratch: &Scratch,
    names: &[&str],
    bytes: u64,
    until: Instant,
    excluded: &dyn Fn(&str) -> bool,
) -> HashSet<String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let within = NameSearchBounds { clock: &SystemClock, until, bytes, excluded };
    scratch.open().find_names(&scratch.rev("HEAD"), &names, &within).unwrap()
}

fn soon() -> Instant {
    SystemClock.instant() + Duration::from_secs(60)
}

fn set(names: &[&str]) -> HashSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn scratch(options: &[&str]) -> Scratch {
    let scratch = Scratch::with(options);
    scratch.write("src/route.rs", "fn Choose_Model() {}\n").write("docs/guide.md", "Set RETRY_LIMIT.\n");
    scratch.write("src/gone.rs", "fn farewell() {}\n").commit("Start");
    scratch.git(&["rm", "-q", "src/gone.rs"]);
    scratch.write("src/new.rs", "fn now() {}\n").commit("Go on");
    scratch
}

#[test]
fn paths_and_words_of_the_tree_are_known_and_what_the_commit_took_away() {
    let asked = [
        "choose_model", "retry_limit", "route.rs", "docs/guide.md", "docs", "farewell", "gone.rs", "choose", "limit",
        "guid",
    ];
    for options in [&[][..], &["--object-format=sha256"]] {
        let found = found_names(&scratch(options), &asked, 1 << 20, soon(), &|_| false);
        let all = ["choose_model", "retry_limit", "route.rs", "docs/guide.md", "docs", "farewell", "gone.rs"];
        assert_eq!(found, set(&all), "{options:?}");
    }
}

#[test]
fn bounds_of_bytes_and_time_are_kept_and_excluded_files_stay_closed() {
    let scratch = scratch(&[]);
    let asked = ["now", "retry_limit", "route.rs"];
    assert_eq!(found_names(&scratch, &asked, 0, soon(), &|_| false), set(&["route.rs"]));
    assert_eq!(found_names(&scratch, &asked, 1 << 20, SystemClock.instant(), &|_| false), set(&["route.rs"]));
    let closed = found_names(&scratch, &asked, 1 << 20, soon(), &|path| path.ends_with(".md"));
    assert_eq!(closed, set(&["now", "route.rs"]));
}
