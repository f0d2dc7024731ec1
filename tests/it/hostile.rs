//! Repositories that mean harm: nothing of theirs is run, nothing of theirs reaches the terminal, nothing is fetched.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{World, copy_program, eventually, write_program};

const FORMATS: [&str; 3] = ["--ref-format=files", "--ref-format=reftable", "--object-format=sha256"];

fn repo_of(world: &World, name: &str, format: &str) -> PathBuf {
    let repo = world.path(name);
    std::fs::create_dir_all(&repo).unwrap();
    world.git(&repo, &["init", "-q", format]);
    repo
}

/// A program that leaves a file behind when anybody runs it.
fn tripwire(world: &World) -> (String, PathBuf) {
    let (program, sprung) = (world.path("tripwire"), world.path("sprung"));
    write_program(&program, format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", sprung.display()).as_bytes());
    (program.to_str().unwrap().to_owned(), sprung)
}

/// Everything by which git's configuration names a program.
fn poison(world: &World, repo: &Path, program: &str) {
    let hooks = world.path("evil-hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in
        ["post-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-commit", "fsmonitor"]
    {
        copy_program(Path::new(program), &hooks.join(hook));
    }
    let settings = [
        ("core.fsmonitor", program),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.pager", program),
        ("core.editor", program),
        ("core.sshCommand", program),
        ("core.askPass", program),
        ("core.alternateRefsCommand", program),
        ("diff.external", program),
        ("diff.evil.command", program),
        ("diff.evil.textconv", program),
        ("filter.evil.clean", program),
        ("filter.evil.smudge", program),
        ("filter.evil.process", program),
        ("filter.evil.required", "true"),
        ("gpg.program", program),
        ("log.showSignature", "true"),
        ("credential.helper", program),
        ("pager.log", program),
        ("trailer.evil.command", program),
        ("interactive.diffFilter", program),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", &format!("ext::{program}")),
        ("protocol.ext.allow", "always"),
    ];
    for (key, value) in settings {
        world.git(repo, &["config", key, value]);
    }
    std::fs::write(repo.join(".git/info/attributes"), "* diff=evil filter=evil\n").unwrap();
}

#[test]
fn nothing_that_a_repositorys_configuration_names_is_run_and_the_patch_is_the_same() {
    for format in FORMATS {
        let world = World::without_models();
        let (program, sprung) = tripwire(&world);
        let mut seen = Vec::new();
        for name in ["harmless", "hostile"] {
            let repo = repo_of(&world, name, format);
            world.commit(&repo, "src/a.rs", "fn one() {}\n", "Begin");
            world.commit(&repo, "src/a.rs", "fn one() { two() }\nfn two() {}\n", "Add two");
            if name == "hostile" {
                poison(&world, &repo, &program);
            }
            world.start_sidecar();
            hook(&world, &repo);
            seen.push(eventually(&format!("{format} {name}"), || {
                world.log(&repo).into_iter().find(|capture| !capture["timing"]["total_ms"].is_null())
            }));
            let id = seen.last().unwrap()["id"].as_str().unwrap().to_owned();
            for args in [&["commit", "HEAD"][..], &["commit", "HEAD~1..HEAD"], &["status"], &["show", &id]] {
                world.ok(&repo, args);
            }
            // These may end degraded; what matters is what they run.
            for args in [&["doctor"][..], &["init"], &["deinit"], &["draft", "run"]] {
                world.uro_in(&repo, args);
            }
            world.ok(&repo, &["sidecar", "stop"]);
        }
        let sprung = std::fs::read_to_string(&sprung).unwrap_or_default();
        assert_eq!(sprung, "", "{format}");
        let visible = |capture: &Value| {
            let commit = &capture["commit"];
            let fields = ["files", "insertions", "deletions", "patch_id"];
            (capture["summary"].clone(), fields.map(|field| commit[field].clone()))
        };
        assert_eq!(visible(&seen[0]), visible(&seen[1]), "{format}");
        assert_eq!(seen[0]["commit"]["insertions"], 2, "{format}: {:#}", seen[0]);
    }
}

/// As git would call it after a commit.
fn hook(world: &World, repo: &Path) {
    let out = world.program(env!("CARGO_BIN_EXE_uro-hook"), repo).arg("post-commit").output().unwrap();
    assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
}

/// ANSI, OSC 8 and 52, carriage return, bell, C1, bidirectional overrides, a zero-width space.
const NASTY: &str = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]52;c;ZXZpbA==\x1b\\ \r overwritten \u{9b}2J \u{202e}txt.exe\u{202c} \u{2066}x\u{2069}";

/// A commit object as only `hash-object` makes it: `git commit` would tidy the message.
fn crafted(world: &World, repo: &Path, author: &[u8], message: &[u8]) -> String {
    let tree = world.git(repo, &["write-tree"]);
    let parent = world.git(repo, &["rev-parse", "HEAD"]);
    let who = |role: &str| [role.as_bytes(), b" ", author, b" <e@example.com> 1772366400 +0000\n"].concat();
    let head = format!("tree {tree}\nparent {parent}\n").into_bytes();
    let object = [head, who("author"), who("committer"), b"\n".to_vec(), message.to_vec()].concat();
    let mut command = world.git_command(repo, &["hash-object", "-t", "commit", "-w", "--literally", "--stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&object).unwrap();
    let oid = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned();
    world.git(repo, &["update-ref", "HEAD", &oid]);
    oid
}

#[test]
fn no_control_character_of_a_message_a_name_or_a_path_reaches_the_terminal() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.git(&repo, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
    world.git(&repo, &["checkout", "-q", "-b", "branch\u{202e}desrever"]);
    let name = "a\x1b[2J\nb\u{202e}.rs";
    std::fs::write(repo.join(name), format!("fn {}() {{}}\n", NASTY.replace(['\r', '\n'], ""))).unwrap();
    world.git(&repo, &["add", "-A"]);
    let messages: [Vec<u8>; 3] = [
        format!("{NASTY}\n\nBody {NASTY}\n").into_bytes(),
        [b"Broken \xff\xfe\xc3( bytes ".as_slice(), NASTY.as_bytes()].concat(),
        [b"Latin-1 \xe9t\xe9 and a NUL \0 in it\n".as_slice(), b"\x9b31m"].concat(),
    ];
    for message in messages {
        let author = format!("Eve{}", NASTY.replace(['\r', '\n'], ""));
        let oid = crafted(&world, &repo, author.as_bytes(), &message);
        world.ok(&repo, &["commit", &oid]);
    }
    world.ok(&repo, &[&format!("a note {NASTY}")]);
    let mut commands: Vec<Vec<String>> = ["log", "status", "export", "draft run", "draft list", "search red"]
        .iter()
        .flat_map(|line| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let json = [words.clone(), vec!["--json".to_owned()]].concat();
            [words, json]
        })
        .collect();
    for capture in world.log(&repo) {
        let id = capture["id"].as_str().unwrap().to_owned();
        commands.push(vec!["show".into(), id.clone()]);
        commands.push(vec!["show".into(), "--wire".into(), id.clone()]);
        commands.push(vec!["--json".into(), "show".into(), id]);
    }
    for args in commands {
        let out = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo).args(&args).output().unwrap();
        let text = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        let nasty =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let found: Vec<char> = text.chars().filter(|c| nasty(*c)).collect();
        assert!(found.is_empty(), "{args:?}: {found:?} in {text:?}");
    }
}

#[test]
fn a_commit_that_was_collected_before_it_was_read_stands_in_nobodys_way() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let base = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    world.final_capture(&repo, &base);
    let pid = world.sidecar_pid();
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
    };
    signal("-STOP");
    let gone = world.commit(&repo, "a.rs", "fn gone() {}\n", "Add what goes");
    world.git(&repo, &["reset", "-q", "--hard", &base]);
    world.git(&repo, &["reflog", "expire", "--expire=now", "--all"]);
    world.git(&repo, &["gc", "-q", "--prune=now"]);
    signal("-CONT");
    let next = world.commit(&repo, "a.rs", "fn next() {}\n", "Add the next");
    world.final_capture(&repo, &next);
    assert!(world.capture_of(&repo, &gone).is_none());
    let status = world.ok(&repo, &["--json", "status"]);
    assert!(status.contains("removed before it could be read"), "{status}");
}

#[test]
fn shallow_and_partial_clones_are_captured_without_fetching() {
    let world = World::without_models();
    let (program, sprung) = tripwire(&world);
    let origin = world.repo("origin");
    world.git(&origin, &["config", "uploadpack.allowFilter", "true"]);
    for n in 0..3 {
        world.commit(&origin, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
    }
    let url = format!("file://{}", origin.display());
    for how in [&["--depth=1"][..], &["--filter=blob:none", "--no-checkout"], &["--filter=tree:0", "--no-checkout"]] {
        let clone = world.path(&format!("clone{}", how[0]));
        let args = [&["clone", "-q"], how, &[&url, clone.to_str().unwrap()]].concat();
        world.git(&world.path("home"), &args);
        world.git(&clone, &["config", "remote.origin.url", &format!("ext::{program} %S")]);
        world.git(&clone, &["config", "protocol.ext.allow", "always"]);
        let objects = || walk(&clone.join(".git/objects"));
        let before = objects();
        world.ok(&clone, &["commit", "HEAD"]);
        let capture = world.log(&clone).remove(0);
        assert!(capture["summary"].as_str().unwrap().contains("Add f2"), "{how:?}: {capture:#}");
        assert_eq!(objects(), before, "{how:?}");
    }
    assert!(!sprung.exists(), "{}", std::fs::read_to_string(&sprung).unwrap());
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}
