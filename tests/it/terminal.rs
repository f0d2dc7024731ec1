//! Lists as they stand on a terminal: wrapped, coloured, and through a pager that may be left early.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use nix::pty::{Winsize, openpty};
use serde_json::json;

use crate::harness::{World, write_program};

/// Columns of the terminal.
const WIDTH: usize = 80;

/// Runs the command on a terminal of its own, 80 columns wide; gives its status and what stood on the terminal.
fn on_terminal(mut command: Command) -> (ExitStatus, String) {
    let size = Winsize { ws_row: 24, ws_col: u16::try_from(WIDTH).unwrap(), ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm-256color");
    let mut child = command.spawn().unwrap();
    // The reader comes to an end when no process has the other end.
    drop((pty.slave, command));
    let reader = std::thread::spawn(move || {
        let (mut shown, mut chunk) = (Vec::new(), [0; 4096]);
        let mut terminal = File::from(pty.master);
        while let Ok(n @ 1..) = terminal.read(&mut chunk) {
            shown.extend_from_slice(&chunk[..n]);
        }
        shown
    });
    let status = child.wait().unwrap();
    (status, String::from_utf8_lossy(&reader.join().unwrap()).replace("\r\n", "\n"))
}

/// A program in a folder that stands first in PATH.
fn program(world: &World, name: &str, script: &str) -> PathBuf {
    let folder = world.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    write_program(&file, format!("#!/bin/sh\n{script}\n").as_bytes());
    folder
}

fn uro(world: &World, repo: &Path, args: &[&str]) -> Command {
    let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), repo);
    let path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path).unwrap().to_owned();
    let all = std::iter::once(world.path("bin")).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(all).unwrap()).args(args);
    command
}

/// Without the sequences that set colours.
fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("\u{1b}[") {
        kept.push_str(before);
        rest = from.split_once('m').map_or("", |(_, behind)| behind);
    }
    kept + rest
}

const LONG: &str = "Learned that the pool was never drained because its last borrower kept a handle open over the \
                    whole night while all the others waited for it in vain";

fn noted(world: &World) -> PathBuf {
    let repo = world.repo("repo");
    world.ok(&repo, &[LONG]);
    repo
}

#[test]
fn log_and_search_fit_the_terminal_and_are_coloured() {
    let world = World::without_models();
    let repo = noted(&world);
    program(&world, "less", &format!("echo \"$LESS\" >>{}/options\ncat", world.path("bin").display()));
    for args in [&["log"][..], &["search", "drained"]] {
        let (status, shown) = on_terminal(uro(&world, &repo, args));
        assert!(status.success(), "{args:?}: {shown}");
        let text = plain(&shown);
        assert!(shown.contains("\u{1b}["), "no colour: {shown}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.lines().count() > 2 && words.contains(LONG), "{text}");
    }
    let options = std::fs::read_to_string(world.path("bin/options")).unwrap();
    assert_eq!(options, "FRX\nFRX\n", "less is the pager, and has git's options");
}

#[test]
fn no_color_and_a_program_behind_a_pipe_get_plain_text() {
    let world = World::without_models();
    let repo = noted(&world);
    program(&world, "less", "cat");
    let mut command = uro(&world, &repo, &["log"]);
    command.env("NO_COLOR", "1");
    let (status, shown) = on_terminal(command);
    assert!(status.success() && !shown.contains('\u{1b}'), "{shown:?}");
    let piped = world.ok(&repo, &["log"]);
    assert!(piped.lines().count() == 1 && !piped.contains('\u{1b}'), "{piped}");
}

#[test]
fn the_pager_is_chosen_as_git_chooses_it() {
    let world = World::without_models();
    let repo = noted(&world);
    for name in ["less", "first", "second", "third"] {
        program(&world, name, &format!("echo shown by {name}; cat"));
    }
    let shown = |git_pager: Option<&str>, core: bool, pager: Option<&str>| {
        let arg = if core { &["config", "--global", "core.pager", "second"][..] } else { &["config", "--list"] };
        world.git(&repo, arg);
        let mut command = uro(&world, &repo, &["log"]);
        command.envs(git_pager.map(|pager| ("GIT_PAGER", pager))).envs(pager.map(|pager| ("PAGER", pager)));
        let (status, text) = on_terminal(command);
        assert!(status.success(), "{text}");
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(shown(None, false, None), "shown by less");
    assert_eq!(shown(None, false, Some("third")), "shown by third");
    assert_eq!(shown(Some("first"), true, Some("third")), "shown by first");
    assert_eq!(shown(None, true, Some("third")), "shown by second");
    assert!(!shown(Some("cat"), true, None).starts_with("shown by"));
}

#[test]
fn leaving_the_pager_early_is_no_error() {
    let world = World::without_models();
    let repo = noted(&world);
    // More than fits into a pipe.
    let one: serde_json::Value = serde_json::from_str(&world.ok(&repo, &["export"])).unwrap();
    let id = one["capture"]["id"].as_str().unwrap().to_owned();
    let more = (0..400).map(|n| {
        let mut other = one.clone();
        other["capture"]["id"] = json!(format!("{}{n:04x}", &id[..id.len() - 4]));
        other.to_string()
    });
    let file = world.path("more.jsonl");
    std::fs::write(&file, more.collect::<Vec<_>>().join("\n")).unwrap();
    world.ok(&repo, &["import", file.to_str().unwrap()]);
    assert!(world.ok(&repo, &["log", "-n", "0"]).len() > 64 * 1024, "the list is too short to fill a pipe");
    for leave in ["head -n 2", "exit 0", "read line; exit 1"] {
        let mut command = uro(&world, &repo, &["log", "-n", "0"]);
        command.env("GIT_PAGER", leave);
        let (status, shown) = on_terminal(command);
        assert!(status.success(), "{leave}: {status:?} {shown}");
        assert!(!shown.to_lowercase().contains("error") && !shown.contains("panicked"), "{leave}: {shown}");
        assert!(shown.lines().count() <= 2, "{leave}: {shown}");
    }
}
