//! `draft publish` the whole way: into directories, notes, feeds and threads, onto the clipboard, and to a webhook.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::harness::week::week;
use crate::harness::{World, socket, write_program};

/// A title with all that front matter, templates and markup could stumble over.
const TITLE: &str = "日本-api: \"{{ quotes }}\" & 'C:\\dir' {% raw %} <b> #1 [x]";

/// An accepted devlog of one day with this body, of the repository `shop`.
fn accepted(world: &World, body: &str) -> (PathBuf, String) {
    let repo = week(world);
    let draft = world.json(&repo, &["draft", "new", "devlog", "--day", "2026-03-04"]);
    world.ok(&repo, &["draft", "run"]);
    let id = draft["id"].as_str().unwrap().to_owned();
    std::fs::write(repo.join("body.md"), body).unwrap();
    world.ok(&repo, &["draft", "edit", &id, "--title", TITLE, "--body", "body.md"]);
    world.ok(&repo, &["draft", "accept", &id]);
    (repo, id)
}

fn state(world: &World, repo: &Path, id: &str) -> Value {
    world.json(repo, &["draft", "show", id])["state"].clone()
}

/// Runs into an error; returns its message.
fn fails(world: &World, repo: &Path, args: &[&str]) -> String {
    let out = world.uro_in(repo, args);
    assert!(!out.status.success(), "{args:?}: {out:?}");
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn every_format_is_a_file_of_its_own_and_the_same_a_second_time() {
    let world = World::without_models();
    let (repo, id) = accepted(&world, "Braces `{a}` and {b}.\n\n<script>alert(1)</script>\n");
    let mut written = Vec::new();
    for format in ["markdown", "html", "text", "hugo", "jekyll", "zola", "astro", "mdx", "devto", "feed"] {
        let folder = world.path(format);
        std::fs::create_dir(&folder).unwrap();
        let args = ["draft", "publish", &id, "--format", format, "--to", folder.to_str().unwrap()];
        let path = world.ok(&repo, &args);
        let content = std::fs::read_to_string(path.trim_end()).unwrap();
        assert_eq!(world.ok(&repo, &args), path);
        assert_eq!(std::fs::read_to_string(path.trim_end()).unwrap(), content, "{format}: a second time");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "{format}: nothing is left beside it");
        let printed = world.ok(&repo, &["draft", "publish", &id, "--format", format]);
        assert_eq!(printed, content, "{format}: the same on standard output");
        let name = Path::new(path.trim_end()).file_name().unwrap().to_string_lossy().into_owned();
        written.push(format!("=== {format}: {name}\n{}", content.replace(&id, "[id]")));
    }
    insta::assert_snapshot!("every_format", written.join("\n"));
    let other = world.path("feed");
    std::fs::write(other.join("feed.json"), "[]").unwrap();
    let said = fails(&world, &repo, &["draft", "publish", &id, "--format", "feed", "--to", other.to_str().unwrap()]);
    assert!(said.contains("no JSON Feed") && said.contains("--to OTHER_DIR"), "{said}");
    assert_eq!(std::fs::read_to_string(other.join("feed.json")).unwrap(), "[]");
}

#[test]
fn a_daily_note_gets_the_draft_under_a_heading_once() {
    let world = World::without_models();
    let (repo, id) = accepted(&world, "One thing.\n");
    let vault = world.path("vault");
    std::fs::create_dir(&vault).unwrap();
    let note = vault.join("2026-03-04.md");
    std::fs::write(&note, "# Wednesday\n\n## Log\n- tea\n\n## Tasks\n- [ ] more tea\n").unwrap();
    let link = vault.join("today.md");
    std::os::unix::fs::symlink(&note, &link).unwrap();
    let pattern = vault.join("%Y-%m-%d.md");
    let publish = |into: &Path, more: &[&str]| {
        let args = ["draft", "publish", &id, "--into", into.to_str().unwrap(), "--under", "Log"];
        world.ok(&repo, &[&args[..], more].concat())
    };
    let preview = publish(&pattern, &["--dry-run"]);
    assert_eq!(state(&world, &repo, &id), "accepted", "a preview publishes nothing");
    assert_eq!(publish(&pattern, &[]).trim_end(), note.to_str().unwrap());
    let once = std::fs::read_to_string(&note).unwrap();
    assert_eq!(once, preview);
    assert!(once.starts_with("# Wednesday\n\n## Log\n- tea\n\n<!-- uro-capture:"), "{once}");
    assert!(once.ends_with(" -->\n\n## Tasks\n- [ ] more tea\n"), "{once}");
    publish(&link, &[]);
    assert_eq!(std::fs::read_to_string(&note).unwrap(), once, "twice changes nothing, also behind a link");
    assert!(link.is_symlink() && std::fs::read_dir(&vault).unwrap().count() == 2);
    assert_eq!(state(&world, &repo, &id), "published");
    std::fs::write(&note, once.replace("One thing.", "One thing, by hand.")).unwrap();
    let said = fails(&world, &repo, &["draft", "publish", &id, "--into", note.to_str().unwrap(), "--under", "Log"]);
    assert!(said.contains("changed by hand") && said.contains("hint: "), "{said}");
    publish(&vault.join("%Y_%m_%d.md"), &[]);
    assert!(std::fs::read_to_string(vault.join("2026_03_04.md")).unwrap().starts_with("## Log\n"), "a new note");
    let said = fails(&world, &repo, &["draft", "publish", &id, "--into", "%Q.md"]);
    assert!(said.contains("no pattern of a date"), "{said}");
}

#[test]
fn a_thread_fits_its_network_and_the_clipboard_gets_what_would_be_printed() {
    let world = World::without_models();
    let body = "Leases are given back in time. ".repeat(20) + "\n";
    let (repo, id) = accepted(&world, &body);
    for (network, posts, limit) in [("x", 3, 280), ("bluesky", 3, 300), ("mastodon", 2, 500)] {
        let thread = world.json(&repo, &["draft", "publish", &id, "--network", network]);
        let list = thread["posts"].as_array().unwrap();
        assert_eq!(list.len(), posts, "{thread:#}");
        assert!(list.iter().all(|post| post["length"].as_u64().unwrap() <= limit), "{thread:#}");
    }
    let (copied, bin) = (world.path("copied"), world.path("bin"));
    std::fs::create_dir(&bin).unwrap();
    write_program(&bin.join("pbcopy"), format!("#!/bin/sh\ncat >'{}'\n", copied.display()).as_bytes());
    let mut copy = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
    copy.args(["draft", "publish", &id, "--network", "x", "--copy"]);
    copy.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    assert!(copy.status().unwrap().success());
    let printed = world.ok(&repo, &["draft", "publish", &id, "--network", "x"]);
    assert_eq!(std::fs::read_to_string(copied).unwrap(), printed);
}

/// A server that answers each request with the next of these, and keeps what it was sent.
fn serve(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/v1", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let answer = |answer: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            socket::prepare(&stream);
            let request = socket::read_request(&mut stream, &|| false).unwrap();
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").unwrap();
            request
        };
        answers.iter().map(answer).collect()
    });
    (url, serving)
}

#[test]
fn a_webhook_gets_the_shown_payload_only_after_a_yes() {
    let world = World::without_models();
    let token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let (repo, id) = accepted(&world, &format!("The token was {token}.\n"));
    let to_blog = ["draft", "publish", &id, "--to", "blog"];
    assert!(fails(&world, &repo, &to_blog).contains("is no directory"), "no webhook unless configured");

    let (url, serving) = serve(&["500 Broken", "204 No Content"]);
    world.configure(&format!("endpoints = []\n[publish.blog]\nurl = \"{url}\"\ntoken_env = \"BLOG_TOKEN\"\n"));
    let run = |more: &[&str]| {
        let mut run = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
        run.args(to_blog).args(more).env("BLOG_TOKEN", "s3cret").output().unwrap()
    };
    assert!(fails(&world, &repo, &[&to_blog[..], &["--yes"]].concat()).contains("BLOG_TOKEN"), "the token is missing");
    let unasked = run(&[]);
    assert_eq!(unasked.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unasked.stderr).contains("--yes"), "{unasked:?}");
    let shown = run(&["--dry-run"]).stdout;
    assert_eq!(shown, unasked.stdout, "the payload is shown first");
    let broken = run(&["--yes"]);
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    assert_eq!(state(&world, &repo, &id), "accepted", "what did not arrive is not published");
    assert!(run(&["--yes"]).status.success());
    assert_eq!(state(&world, &repo, &id), "published");

    let requests = serving.join().unwrap();
    for request in &requests {
        assert_eq!((socket::path_of(request).as_str(), socket::body_of(request)), ("/hooks/v1", &shown[..]));
        let head = String::from_utf8_lossy(request).to_lowercase();
        assert!(head.contains("authorization: bearer s3cret") && head.contains("content-type: application/json"));
    }
    let payload: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!((&payload["title"], &payload["slug"]), (&TITLE.into(), &"2026-03-04-devlog-shop".into()));
    assert!(!String::from_utf8_lossy(&shown).contains(token), "a secret leaves nowhere");
}

#[test]
fn a_webhook_elsewhere_is_refused_and_a_directory_of_its_name_is_no_guess() {
    let world = World::without_models();
    let (repo, id) = accepted(&world, "One thing.\n");
    world.configure("endpoints = []\n[publish.blog]\nurl = \"http://192.0.2.1/hook\"\n");
    let to_blog = ["draft", "publish", &id, "--to", "blog", "--yes"];
    let said = fails(&world, &repo, &to_blog);
    assert!(said.contains("not on this machine") && said.contains("config set publish.blog.remote true"), "{said}");
    assert_eq!(state(&world, &repo, &id), "accepted");
    std::fs::create_dir(repo.join("blog")).unwrap();
    let said = fails(&world, &repo, &to_blog);
    assert!(said.contains("--to ./blog"), "{said}");
}
