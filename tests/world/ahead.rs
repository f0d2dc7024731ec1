//! While somebody writes a commit's message, the model reads the commit: the whole way, with git's editor, the sidecar
//! and a real llama.cpp server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{World, eventually};
use crate::llama::Llama;

const SAID: &str = "Changes the timeout of the session check in all login functions.";
/// What becomes of it for each commit but the first.
const TEXT: &str = "Change what is checked. Changes the timeout of the session check in all login functions. Changes \
                    `login_0`, `login_10`, `login_11` and 17 more in auth.rs. +20 −20.";

/// A world with a server that may read ahead however busy this machine is.
fn world(llama: &Llama) -> World {
    let world = World::new();
    world.configure(&format!(
        "[capture]\nread_ahead = \"always\"\n[[endpoints]]\nname = \"test\"\nurl = \"{}\"\napi = \"openai\"\n",
        llama.url()
    ));
    world
}

fn repo(world: &World) -> PathBuf {
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let oid = world.commit(&repo, "auth.rs", &functions(0), "Begin");
    world.final_capture(&repo, &oid);
    eventually("the repository is watched", || (world.sidecar_status()["watched"] == 1).then_some(()));
    repo
}

/// Forty lines of code, every second one different for every `n`.
fn functions(n: usize) -> String {
    (0..20).map(|line| format!("pub fn login_{line}() {{\n    check(session, timeout({line}, {n}));\n}}\n")).collect()
}

fn stage(world: &World, repo: &Path, n: usize) {
    std::fs::write(repo.join("auth.rs"), functions(n)).unwrap();
    world.git(repo, &["add", "auth.rs"]);
}

/// How many readings ahead ended: of this tree, or of any.
fn readings(world: &World, of: &str) -> usize {
    let log = std::fs::read_to_string(world.path("uro/state/sidecar.log")).unwrap_or_default();
    log.lines().filter(|line| line.contains("read ahead of the commit") && line.contains(of)).count()
}

/// `git commit` with its editor open.
struct Editing<'a> {
    world: &'a World,
    repo: &'a Path,
    git: Child,
}

impl<'a> Editing<'a> {
    fn begin(world: &'a World, repo: &'a Path, args: &[&str]) -> Self {
        let editor = world.path("editor");
        // It says that it is open, waits for a line, and writes the message.
        std::fs::write(&editor, "echo open; read -r line; echo 'Change what is checked' > \"$1\"\n").unwrap();
        let mut git = world.git_command(repo, &["commit", "-q"]);
        git.args(args).env("GIT_EDITOR", format!("sh '{}'", editor.display()));
        let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(git.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        Self { world, repo, git }
    }

    /// Writes the message; gives the capture.
    fn end(mut self) -> Value {
        self.git.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(self.git.wait().unwrap().success());
        let oid = self.world.git(self.repo, &["rev-parse", "HEAD"]);
        self.world.final_capture(self.repo, &oid)
    }
}

fn tokens(capture: &Value, which: &str) -> u64 {
    capture["tokens"][which].as_u64().unwrap_or_else(|| panic!("{which}: {capture:#}"))
}

/// All but the message, the question and the end of the chat template.
#[track_caller]
fn assert_read_ahead(capture: &Value) {
    assert_eq!(capture["summary"], TEXT, "{capture:#}");
    let (prompt, cached) = (tokens(capture, "prompt"), tokens(capture, "cached"));
    assert!(prompt > 1000 && prompt - cached < 100, "{cached} of {prompt}: {capture:#}");
}

#[test]
fn while_the_editor_is_open_the_change_is_read_and_only_the_message_is_left() {
    let llama = Llama::start(Some(SAID));
    let world = world(&llama);
    let repo = repo(&world);
    for (n, args) in [&[][..], &["--all"], &["--amend"], &["--only", "auth.rs"]].iter().enumerate() {
        std::fs::write(repo.join("auth.rs"), functions(n + 1)).unwrap();
        if args.is_empty() || args.contains(&"--amend") {
            world.git(&repo, &["add", "auth.rs"]);
        }
        let editing = Editing::begin(&world, &repo, args);
        eventually("the change is read", || (readings(&world, "whole=true") == n + 1).then_some(()));
        assert_read_ahead(&editing.end());
    }
}

#[test]
fn a_commit_with_its_message_at_hand_reads_nothing_ahead() {
    let llama = Llama::start(Some(SAID));
    let world = world(&llama);
    let repo = repo(&world);
    for n in 1..=5 {
        let oid = world.commit(&repo, "auth.rs", &functions(n), "Change what is checked");
        let capture = world.final_capture(&repo, &oid);
        assert_eq!(capture["summary"], TEXT, "{capture:#}");
    }
    // Something that is read comes after whatever might have been read before it.
    stage(&world, &repo, 11);
    eventually("what is staged is read", || (readings(&world, "") > 0).then_some(()));
    let tree = world.git(&repo, &["write-tree"]);
    assert_eq!((readings(&world, ""), readings(&world, &tree)), (1, 1));
}

#[test]
fn what_is_staged_is_read_once_it_has_settled_and_serves_the_commit_that_follows() {
    let llama = Llama::start(Some(SAID));
    let world = world(&llama);
    let repo = repo(&world);
    for n in 1..=8 {
        stage(&world, &repo, n);
    }
    let tree = world.git(&repo, &["write-tree"]);
    // A reading that had to make way is taken up again, and told as well.
    let whole = format!("tree={tree} whole=true");
    let mut polls = 0;
    eventually("what is staged is read", || {
        polls += 1;
        // What was staged before the watch began is not heard of.
        if polls % 100 == 0 {
            stage(&world, &repo, 8);
        }
        (readings(&world, &whole) == 1).then_some(())
    });
    // `git status` writes the index, too.
    world.git(&repo, &["status"]);
    let oid = {
        world.git(&repo, &["commit", "-q", "-m", "Change what is checked"]);
        world.git(&repo, &["rev-parse", "HEAD"])
    };
    assert_read_ahead(&world.final_capture(&repo, &oid));
    assert_eq!(readings(&world, "whole=true"), 1, "a burst is one reading");
}

#[test]
fn in_a_linked_worktree_the_change_is_read_too() {
    let llama = Llama::start(Some(SAID));
    let world = world(&llama);
    let repo = repo(&world);
    let other = world.path("other");
    world.git(&repo, &["worktree", "add", "-q", "-b", "other", other.to_str().unwrap()]);
    // It is watched when a commit there is seen.
    let oid = world.commit(&other, "auth.rs", &functions(70), "Begin there");
    world.final_capture(&other, &oid);
    std::fs::write(other.join("auth.rs"), functions(7)).unwrap();
    let editing = Editing::begin(&world, &other, &["--all"]);
    eventually("the change is read", || (readings(&world, "whole=true") == 1).then_some(()));
    assert_read_ahead(&editing.end());
}
