//! What a model is sent of a commit, and what is kept of what was noted before it.

use std::io::Write as _;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm};

/// The sources of a commit: 3 files, 4 new lines in each, none beside another.
const FILES: usize = 3;
const LINES: usize = 16;

fn source(file: usize, after: bool) -> String {
    let lines = (0..LINES).filter(|line| after || !line.is_multiple_of(4));
    lines.map(|line| format!("export const part{file}_{line} = {};\n", line * 7 + 1)).collect()
}

/// 50 MB that a package manager would write.
fn write_lockfile(path: &std::path::Path, version: &str) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for package in 0..760_000_u32 {
        writeln!(out, "\"node_modules/package-{package}\": {{ \"version\": \"{version}\", \"resolved\": \"x\" }},")
            .unwrap();
    }
    out.flush().unwrap();
    assert!(path.metadata().unwrap().len() > 50_000_000);
}

#[test]
fn all_source_of_a_commit_is_in_the_prompt_beside_a_lockfile_of_50_mb() {
    let server = FakeLlm::start(Behaviour::Answer("Changes some parts.".into()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    world.git(&repo, &["config", "core.compression", "0"]);
    std::fs::create_dir_all(repo.join("src")).unwrap();
    for after in [false, true] {
        for file in 0..FILES {
            std::fs::write(repo.join(format!("src/module_{file}.ts")), source(file, after)).unwrap();
        }
        write_lockfile(&repo.join("package-lock.json"), if after { "2.0.1" } else { "2.0.0" });
        world.git(&repo, &["add", "-A"]);
        world.git(&repo, &["commit", "-q", "-m", "wip"]);
    }
    let capture = world.json(&repo, &["commit", "HEAD"]);
    let capture = capture.as_array().map_or(&capture, |list| &list[0]);
    let shown = world.json(&repo, &["show", "--wire", capture["id"].as_str().unwrap()]);
    let wire = shown["wire"].as_str().unwrap_or_else(|| panic!("nothing was sent: {shown:#}"));
    for (file, line) in (0..FILES).flat_map(|file| (0..LINES).step_by(4).map(move |line| (file, line))) {
        let added = format!("\n+export const part{file}_{line} = {};\n", line * 7 + 1);
        assert!(wire.contains(&added), "{added}{wire}");
    }
    assert!(!wire.contains("package-lock.json") && !wire.contains("node_modules/"), "the lockfile: {wire}");
    let summary = shown["summary"].as_str().unwrap();
    assert!(summary.contains("package-lock.json"), "{summary}");
    assert!(!wire.contains("Not shown"), "{wire}");
}

#[test]
fn what_was_left_out_is_said_in_the_prompt_and_shown() {
    let server = FakeLlm::start(Behaviour::Answer("Changes some parts.".into()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    let text: String = (0..2000).map(|line| format!("export const part_{line} = compute({line}, {line});\n")).collect();
    world.commit(&repo, "src/a.ts", &text, "wip");
    let capture = world.json(&repo, &["commit", "HEAD"]);
    let capture = capture.as_array().map_or(&capture, |list| &list[0]);
    let id = capture["id"].as_str().unwrap();
    let wire = world.json(&repo, &["show", "--wire", id])["wire"].as_str().unwrap().to_owned();
    let line = wire.lines().find(|line| line.starts_with("Not shown: ")).unwrap_or_else(|| panic!("{wire}"));
    assert!(world.ok(&repo, &["show", id]).contains(line));
}

#[test]
fn a_note_is_shown_with_the_commit_it_belongs_to_and_sent_with_it() {
    let server = FakeLlm::start(Behaviour::Answer("Adds a retry.".into()));
    let world = World::with_fake(&server);
    let repo = world.repo("repo");
    let note = world.json(&repo, &["the proxy drops idle connections"]);
    std::fs::write(repo.join("a.rs"), "fn retry() {}\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    let now = world.git_now(&repo, &["commit", "-q", "-m", "wip"]);
    assert!(now.status.success());
    let capture = world.json(&repo, &["commit", "HEAD"]);
    let capture = capture.as_array().map_or(&capture, |list| &list[0]);
    assert_eq!(capture["notes"][0], note["id"], "{capture:#}");
    let id = capture["id"].as_str().unwrap();
    let text = world.ok(&repo, &["show", "--wire", id]);
    assert!(text.contains("noted  the proxy drops idle connections ("), "{text}");
    assert!(text.contains("<notes>\n- the proxy drops idle connections\n</notes>"), "{text}");
    assert!(text.contains("Noted before: “the proxy drops idle connections”."), "the template has it: {text}");
    world.ok(&repo, &["forget", "--yes", note["id"].as_str().unwrap()]);
    assert!(!world.ok(&repo, &["show", "--wire", id]).contains("idle"), "forgotten everywhere");
}
