//! Settings of a repository that change what git says, or name programs: what is captured stays the same, and
//! nothing is run.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::program;
use crate::harness::{World, copy_program};

/// One setting at a time, because two may hide each other. `CANARY` is a program that must never run.
const VARIANTS: &[(&str, &[(&str, &str)])] = &[
    ("nothing", &[]),
    ("colours", &[("color.ui", "always"), ("color.diff", "always")]),
    ("no prefix", &[("diff.noprefix", "true")]),
    ("mnemonic prefixes", &[("diff.mnemonicPrefix", "true")]),
    ("own prefixes", &[("diff.srcPrefix", "x/"), ("diff.dstPrefix", "y/")]),
    ("external diff", &[("diff.external", "CANARY")]),
    ("fsmonitor", &[("core.fsmonitor", "CANARY")]),
    ("textconv", &[("diff.evil.textconv", "CANARY"), ("diff.evil.cachetextconv", "true")]),
    ("diff command", &[("diff.evil.command", "CANARY")]),
    ("pager", &[("core.pager", "CANARY"), ("pager.log", "true"), ("pager.diff-tree", "true")]),
    ("hooks inside the repository", &[("core.hooksPath", "evil-hooks")]),
    ("included settings", &[("includeIf.gitdir:/.path", "included")]),
    ("another algorithm", &[("diff.algorithm", "patience"), ("diff.indentHeuristic", "false")]),
    ("more context", &[("diff.context", "17"), ("diff.interHunkContext", "9")]),
    ("copies", &[("diff.renames", "copies"), ("diff.renameLimit", "1")]),
    ("no renames", &[("diff.renames", "false")]),
    ("order of files", &[("diff.orderFile", "order")]),
    ("words", &[("diff.wordRegex", "."), ("diff.wsErrorHighlight", "all"), ("diff.colorMoved", "zebra")]),
    ("relative paths", &[("diff.relative", "true")]),
    ("unquoted paths", &[("core.quotePath", "false")]),
    ("function names", &[("diff.evil.xfuncname", "^never$")]),
    ("short ids", &[("core.abbrev", "4"), ("log.date", "relative"), ("log.showSignature", "true")]),
    ("another encoding", &[("i18n.logOutputEncoding", "UTF-16"), ("i18n.commitEncoding", "ISO-8859-1")]),
    ("program for signatures", &[("gpg.program", "CANARY"), ("log.showSignature", "true")]),
    ("statistics", &[("diff.statGraphWidth", "1"), ("diff.dirstat", "lines"), ("diff.suppressBlankEmpty", "true")]),
];

#[test]
fn no_setting_of_a_repository_changes_what_is_captured_or_runs_anything() {
    let mut first = None;
    for format in ["--ref-format=files", "--ref-format=reftable"] {
        let world = World::without_models();
        let sprung = world.path("sprung");
        let canary = program(&world, "canary", &format!("echo \"$0 $*\" >> '{}'\ncat", sprung.display()));
        let mut results = Vec::new();
        for (name, settings) in VARIANTS {
            let repo = repo_of_two_commits(&world, name, format);
            twist(&world, &repo, settings, &canary);
            world.ok(&repo, &["commit", "HEAD"]);
            let capture = world.log(&repo).remove(0);
            let commit = &capture["commit"];
            let counts = ["files", "insertions", "deletions", "patch_id"].map(|field| commit[field].clone());
            assert!(!counts.iter().any(Value::is_null), "{format}, {name}: {capture:#}");
            results.push((*name, capture["summary"].clone(), counts));
            assert!(!sprung.exists(), "{format}, {name}: {}", std::fs::read_to_string(&sprung).unwrap());
        }
        // One truth for both ways of reading: libgit2's and the child's.
        let first = first.get_or_insert_with(|| results[0].clone());
        for (name, summary, counts) in &results {
            assert_eq!((summary, counts), (&first.1, &first.2), "{format}, {name}");
        }
    }
}

/// Renamed, changed in two places, added, and removed: whatever a setting could show in another way.
fn repo_of_two_commits(world: &World, name: &str, format: &str) -> PathBuf {
    let repo = world.path(&format!("{name}{format}/repo"));
    std::fs::create_dir_all(&repo).unwrap();
    world.git(&repo, &["init", "-q", format]);
    let lines = |changed: &str| (0..40).map(|n| format!("fn f{n}() {{ {changed}{} }}\n\n", n % 20)).collect::<String>();
    std::fs::write(repo.join("kept.rs"), lines("call")).unwrap();
    std::fs::write(repo.join("old name.txt"), "the same\n".repeat(30)).unwrap();
    std::fs::write(repo.join("removed.txt"), "gone\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    world.git(&repo, &["commit", "-q", "-m", "Begin"]);
    std::fs::write(repo.join("kept.rs"), lines("call").replace("call3 ", "other ")).unwrap();
    std::fs::rename(repo.join("old name.txt"), repo.join("new name.txt")).unwrap();
    std::fs::remove_file(repo.join("removed.txt")).unwrap();
    std::fs::write(repo.join("added-é.rs"), "pub fn added() {}\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    world.git(&repo, &["commit", "-q", "-m", "Change a lot – für Ümläute"]);
    repo
}

fn twist(world: &World, repo: &Path, settings: &[(&str, &str)], canary: &Path) {
    let git_dir = repo.join(".git");
    for (key, value) in settings {
        let value = if *value == "CANARY" { canary.to_str().unwrap() } else { value };
        world.git(repo, &["config", key, value]);
    }
    if settings.is_empty() {
        return;
    }
    std::fs::create_dir_all(git_dir.join("info")).unwrap();
    std::fs::write(git_dir.join("info/attributes"), "* diff=evil\n").unwrap();
    let included =
        format!("[diff]\n\texternal = {0}\n\tnoprefix = true\n[core]\n\tfsmonitor = {0}\n", canary.display());
    std::fs::write(git_dir.join("included"), included).unwrap();
    std::fs::write(repo.join("order"), "removed*\nkept*\n").unwrap();
    std::fs::create_dir(repo.join("evil-hooks")).unwrap();
    for hook in ["post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"] {
        copy_program(canary, &repo.join("evil-hooks").join(hook));
    }
}
