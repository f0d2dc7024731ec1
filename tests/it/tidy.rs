//! The rules of the house, enforced: layers, absences, names, counts of the structure, words of comments.

mod source;
mod structure;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Lower never imports higher.
const LAYERS: [&[&str]; 5] = [
    &["hook", "spool"],
    &["domain", "facts", "prompt", "route", "fallback", "quality", "grounding", "redact", "text"],
    &["config", "git", "githooks", "llm", "store", "publish", "hardware"],
    &["dispatch", "drafts", "pipeline", "sidecar"],
    &["cli"],
];

/// An outside thing has one room.
const ENDS_HERE: [(&str, &str); 4] =
    [("git2", "git"), ("reqwest", "llm"), ("rusqlite", "store"), ("notify", "sidecar")];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whole files that only tests are compiled with.
fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["conformance", "/tests", "_tests.rs", "samples.rs", "in_memory_store.rs"].iter().any(|part| text.contains(part))
}

/// Room → its files' texts without comments and without their unit tests.
fn rooms() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let src = root().join("src");
    let mut rooms: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for path in files(&src, ".rs").into_iter().filter(|path| !is_test(path)) {
        let relative = path.strip_prefix(&src).unwrap().to_owned();
        let mut parts = relative.components();
        let (Some(room), Some(_)) = (parts.next(), parts.next()) else { continue };
        let room = room.as_os_str().to_string_lossy().into_owned();
        rooms.entry(room).or_default().push((relative, code(&path)));
    }
    rooms.remove("bin");
    rooms
}

fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let tested = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..tested].lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn layer(room: &str) -> usize {
    LAYERS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("{room} is in no layer"))
}

#[test]
fn lower_layers_never_import_higher_ones() {
    let rooms = rooms();
    let mut broken = Vec::new();
    for (room, files) in &rooms {
        for other in rooms.keys().filter(|other| *other != room) {
            let beside = layer(room) == 2 && layer(other) == 2 && other != "config";
            if !(layer(other) > layer(room) || beside) {
                continue;
            }
            for (path, text) in files.iter().filter(|(_, text)| text.contains(&format!("crate::{other}::"))) {
                let _ = text;
                broken.push(format!("{} imports {other}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_hooks_rooms_use_std_alone() {
    let crates = ["serde", "tokio", "clap", "git2", "rusqlite", "reqwest", "jiff", "regex", "nix", "thiserror"];
    for room in LAYERS[0] {
        for (path, text) in &rooms()[*room] {
            for foreign in crates {
                assert!(!uses(text, foreign), "{} uses {foreign}", path.display());
            }
        }
    }
}

/// Whether a path of the crate is named, and not only of one whose name ends like it (`unix::` is not `nix::`).
fn uses(text: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    text.match_indices(&path).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn each_outside_thing_has_one_room() {
    for (room, files) in rooms() {
        for (outside, home) in ENDS_HERE.iter().filter(|(_, home)| **home != room) {
            for (path, text) in &files {
                assert!(!uses(text, outside), "{} uses {outside}, which ends in {home}/", path.display());
            }
        }
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for dir in ["src", "tests", "benches"] {
        for path in files(&root().join(dir), ".rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
        }
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    for path in files(&root().join("src"), ".rs") {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let empty = ["util", "utils", "helper", "helpers", "common", "misc", "manager"];
        assert!(!empty.contains(&stem.as_str()), "{}", path.display());
    }
}

#[test]
fn only_one_file_prints() {
    for (_, files) in rooms() {
        for (path, text) in files.iter().filter(|(path, _)| !path.ends_with("cli/ui.rs")) {
            for printing in ["println!(", "print!(", "eprintln!(", "eprint!(", "io::stdout()", "io::stderr()"] {
                assert!(!text.contains(printing), "{} prints with {printing}", path.display());
            }
        }
    }
}

#[test]
fn every_file_of_src_is_a_module() {
    let files = files(&root().join("src"), ".rs");
    let all: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for path in files.iter().filter(|path| !path.parent().unwrap().ends_with("bin")) {
        let name = path.file_stem().unwrap().to_string_lossy();
        let named = all.contains(&format!("mod {name};")) || all.contains(&format!("/{name}.rs\"]"));
        let named = named || all.contains(&format!("\"{name}.rs\"]"));
        assert!(["mod", "lib", "main"].contains(&&*name) || named, "{} is compiled nowhere", path.display());
    }
}

#[test]
fn every_integration_test_file_is_part_of_the_binary() {
    for target in ["tests/it", "tests/timed", "tests/world"] {
        let main = std::fs::read_to_string(root().join(target).join("main.rs")).unwrap();
        for path in files(&root().join(target), ".rs") {
            let relative = path.strip_prefix(root().join(target)).unwrap();
            if relative.components().count() == 1 && relative != Path::new("main.rs") {
                let stem = relative.file_stem().unwrap().to_string_lossy();
                assert!(main.contains(&format!("mod {stem};")), "{target}: {stem} is forgotten");
            }
        }
    }
}

/// What an assertion about a time looks like.
const TIMED: &[&str] = &[".elapsed()", "elapsed <", "took <", "late <", "now() <", "LATE"];

/// Such a test fails when the machine is busy: it belongs to `tests/timed`.
#[test]
fn no_assertion_of_the_default_run_depends_on_how_long_something_took() {
    for path in files(&root().join("tests/it"), ".rs").into_iter().filter(|path| !path.ends_with("tidy.rs")) {
        if path.components().any(|part| part.as_os_str() == "harness") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let timed = line.contains("assert") && TIMED.iter().any(|sign| line.contains(sign));
            assert!(!timed, "{}: {line}", path.display());
        }
    }
}

#[test]
fn nothing_looks_for_updates_or_reports_home() {
    let telemetry = ["segment.", "sentry", "posthog", "telemetry.", "analytics"];
    for (_, files) in rooms() {
        // The redactor has to know by name whose keys it takes out.
        for (path, text) in files.iter().filter(|(path, _)| !path.to_string_lossy().contains("redact/secrets/")) {
            for word in telemetry {
                assert!(!text.contains(word), "{} mentions {word}", path.display());
            }
        }
    }
}
