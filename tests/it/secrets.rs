//! No secret that was committed or written reaches the wire, the disk or the log.

use std::path::Path;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::planted;

/// Each kind in a settings file, cut into two literals, in the message, in a branch and in a note.
#[test]
fn every_kind_of_secret_is_gone_from_wire_disk_and_output() {
    let planted = planted::planted(7);
    assert!(planted.len() >= 80, "{}", planted.len());
    let server = FakeLlm::start(Behaviour::Answer("Adds settings.".to_owned()));
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let settings: String = planted.iter().map(|of| format!("{} = \"{}\"\n", of.name, of.written)).collect();
    let first = world.commit(&repo, "settings.py", &settings, "Add settings");
    world.final_capture(&repo, &first);
    let halves = |of: &planted::Planted| {
        let (one, two) = of.halves();
        format!("{} = \"{one}\" + \\\n    \"{two}\"\n", of.name)
    };
    let alone = || planted.iter().filter(|of| of.stands_alone());
    let words: String = alone().map(|of| format!("It needs {}\n", of.written)).collect();
    let second =
        world.commit(&repo, "split.py", &planted.iter().map(halves).collect::<String>(), &format!("Split\n\n{words}"));
    world.final_capture(&repo, &second);
    let third = world.commit(&repo, "settings.py", "plain = 1\n", "Remove the settings");
    let capture = world.final_capture(&repo, &third);
    for of in alone().take(30) {
        world.ok(&repo, &[&format!("tried {} in vain", of.written)]);
    }
    let id = capture["id"].as_str().unwrap();
    let shown = world.ok(&repo, &["show", "--wire", id]) + &world.ok(&repo, &["export"]) + &world.ok(&repo, &["log"]);
    world.ok(&repo, &["sidecar", "stop"]);
    assert!(server.questions().len() >= 3);
    assert!(shown.contains("[redacted:"), "{shown}");
    let half = |of: &planted::Planted| of.secret.split_at(of.secret.len() / 2).1.to_owned();
    let secrets: Vec<(&str, String)> = planted
        .iter()
        .flat_map(|of| [(of.kind, of.secret.clone()), (of.kind, half(of))])
        .filter(|(_, secret)| secret.len() >= 6)
        .collect();
    assert_gone(&world, &server, &shown, &secrets);
}

/// Made up, in the providers' shapes. Assembled at run time so that no scanner takes this file for a leak.
fn planted() -> Vec<(&'static str, String)> {
    let pem_body = "MIIEowIBAAKCAQEA7bq1Yk0c3dUQ2Jc9vJ8sKp4mZt6xWnRfLhGyTbAeVuIoPqXz";
    vec![
        ("AWS", format!("AKIA{}", "Q3EGRIO7MZ5XWJ2T")),
        ("AWS secret", format!("wJalrXUtnFEMI/K7MDENG/bPx{}", "RfiCYzQk8sTvWnLp")),
        ("GitHub", format!("ghp_{}", "a8Kd93jfLq0Zx7Wm2Vb5Nc1Rt6Yu4Io9Pe3s")),
        ("PEM", pem_body.to_owned()),
        (
            "JWT",
            format!(
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{}",
                "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
            ),
        ),
        ("URL password", "hunter2-very-long-Pa55".to_owned()),
    ]
}

#[test]
fn planted_secrets_are_gone_from_wire_disk_and_output() {
    let server = FakeLlm::start(Behaviour::Answer("Adds settings.".to_owned()));
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let secrets = planted();
    let of = |name: &str| secrets.iter().find(|(kind, _)| *kind == name).unwrap().1.clone();
    let content = format!(
        "key = \"{}\"\naws_secret_access_key = \"{}\"\ntoken = '{}'\njwt = {}\n\
         url = \"postgres://app:{}@db.example.com/prod\"\n\
         -----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
        of("AWS"),
        of("AWS secret"),
        of("GitHub"),
        of("JWT"),
        of("URL password"),
        of("PEM"),
    );
    let message = format!("Add settings\n\nThe token is {}", of("GitHub"));
    let oid = world.commit(&repo, "settings.py", &content, &message);
    let capture = world.final_capture(&repo, &oid);
    world.ok(&repo, &[&format!("deployed with {} and {}", of("AWS"), of("GitHub"))]);
    let id = capture["id"].as_str().unwrap();
    let shown = world.ok(&repo, &["show", "--wire", id]) + &world.ok(&repo, &["export"]) + &world.ok(&repo, &["log"]);
    world.ok(&repo, &["sidecar", "stop"]);

    for (kind, secret) in &secrets {
        for (n, request) in server.requests().iter().enumerate() {
            assert!(!contains(request, secret), "{kind} on the wire, request {n}");
        }
        assert!(!shown.contains(secret.as_str()), "{kind} in the output");
        for (path, bytes) in files(&world.path("uro")) {
            assert!(!contains(&bytes, secret), "{kind} in {path}");
        }
    }
    assert!(!server.requests().is_empty(), "the model was asked at all");
    assert!(shown.contains("[redacted:"), "{shown}");
}

/// Looks for `secrets` in all that was sent, printed or written.
fn assert_gone(world: &World, server: &FakeLlm, shown: &str, secrets: &[(&str, String)]) {
    for (kind, secret) in secrets {
        for (n, request) in server.requests().iter().enumerate() {
            assert!(!contains(request, secret), "{kind} on the wire, request {n}: {}", around(request, secret));
        }
        assert!(!shown.contains(secret.as_str()), "{kind} in the output: {}", around(shown.as_bytes(), secret));
        for (path, bytes) in files(&world.path("uro")) {
            assert!(!contains(&bytes, secret), "{kind} in {path}: {}", around(&bytes, secret));
        }
    }
}

/// What stands before a leak, to tell where it came from.
fn around(bytes: &[u8], secret: &str) -> String {
    let at = bytes.windows(secret.len()).position(|window| window == secret.as_bytes()).unwrap_or(0);
    String::from_utf8_lossy(&bytes[at.saturating_sub(80)..at]).into_owned()
}

/// Lines of a key as openssl writes them; each is a secret of its own.
fn pem_lines() -> Vec<String> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 7_u64;
    let mut line = || {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(alphabet[usize::try_from(state >> 58).unwrap()])
        };
        (0..64).map(|_| next()).collect::<String>()
    };
    (0..50).map(|_| line()).collect()
}

fn key_file(lines: &[String]) -> String {
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"))
}

#[test]
fn a_key_that_changes_in_several_places_is_gone_from_every_hunk() {
    let server = FakeLlm::start(Behaviour::Answer("Rotates the key.".to_owned()));
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    let old = pem_lines();
    let first = world.commit(&repo, "id_rsa", &key_file(&old), "Add the key");
    world.final_capture(&repo, &first);
    let mut new = old.clone();
    for at in [5, 6, 25, 44] {
        new[at] = old[at].chars().rev().collect();
    }
    let second = world.commit(&repo, "id_rsa", &key_file(&new), "Change the key here and there");
    world.final_capture(&repo, &second);
    std::fs::remove_file(repo.join("id_rsa")).unwrap();
    let third = world.commit(&repo, "README", "No key here\n", "Remove the key");
    let capture = world.final_capture(&repo, &third);
    let shown = world.ok(&repo, &["show", "--wire", capture["id"].as_str().unwrap()]) + &world.ok(&repo, &["export"]);
    world.ok(&repo, &["sidecar", "stop"]);
    let secrets: Vec<(&str, String)> = old.into_iter().chain(new).map(|line| ("key line", line)).collect();
    assert!(server.questions().len() >= 3);
    assert_gone(&world, &server, &shown, &secrets);
}

#[test]
fn secrets_in_names_bodies_removed_lines_piped_notes_and_drafts_are_gone() {
    let token = |n: u8| format!("ghp_{}{n}", "Zx7Wm2Vb5Nc1Rt6Yu4Io9Pe3sa8Kd93jfL");
    let secrets: Vec<(&str, String)> = vec![
        ("path", token(1)),
        ("branch", token(2)),
        ("author", token(3)),
        ("body", "correct-Horse-42-battery".to_owned()),
        ("removed", token(4)),
        ("context", token(5)),
        ("piped note", token(6)),
        ("note's password", "Tr0ub4dor-and-3-more".to_owned()),
        ("model's answer", token(7)),
        ("hunk header", token(8)),
        ("email", token(9)),
        ("edited", token(0)),
    ];
    let of = |name: &str| secrets.iter().find(|(kind, _)| *kind == name).unwrap().1.clone();
    // A model may know what nobody told it.
    let server =
        FakeLlm::start(Behaviour::Answer(format!("Sets the token to {} for the deploy.", of("model's answer"))));
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let body: String = (0..30).map(|n| format!("    let line{n} = {n};\n")).collect();
    let before = format!(
        "fn f(token: &str = \"{}\") {{\n{body}}}\nlet keep = \"{}\";\nlet old = \"{}\";\nfn end() {{}}\n",
        of("hunk header"),
        of("context"),
        of("removed")
    );
    let first = world.commit(&repo, "a.rs", &before, "Begin");
    world.final_capture(&repo, &first);
    world.git(&repo, &["checkout", "-q", "-b", &format!("feature/{}", of("branch"))]);
    world.git(&repo, &["config", "user.name", &format!("Eve {}", of("author"))]);
    world.git(&repo, &["config", "user.email", &format!("{}@example.com", of("email"))]);
    let after =
        before.replace(&format!("let old = \"{}\";\n", of("removed")), "").replace("line25 = 25", "line25 = 52");
    std::fs::write(repo.join("a.rs"), after).unwrap();
    let message = format!("Clean up\n\nSee https://deploy:{}@host.example.com/x\nand {}", of("body"), of("removed"));
    let second = world.commit(&repo, &format!("deploy/{}.txt", of("path")), "one\n", &message);
    let capture = world.final_capture(&repo, &second);
    pipe(&world, &repo, &["-"], &format!("curl -H 'Authorization: Bearer {}' worked\n", of("piped note")));
    world.ok(&repo, &[&format!("password = \"{}\" did not work", of("note's password"))]);
    let id = capture["id"].as_str().unwrap();
    world.ok(&repo, &["edit", id, "-m", &format!("Used {} by mistake", of("edited"))]);
    let mut shown = String::new();
    for args in [
        &["draft", "new", "devlog", "--from", "2026-03-01"][..],
        &["draft", "run"],
        &["draft", "list", "--json"],
        &["show", "--wire", id],
        &["export"],
        &["log", "--all"],
        &["status"],
        &["doctor"],
    ] {
        let out = world.uro_in(&repo, args);
        shown += &String::from_utf8_lossy(&[out.stdout, out.stderr].concat());
    }
    world.ok(&repo, &["sidecar", "stop"]);
    assert!(shown.contains("[redacted:"), "{shown}");
    assert!(server.questions().len() >= 3);
    assert_gone(&world, &server, &shown, &secrets);
}

fn pipe(world: &World, repo: &Path, args: &[&str], text: &str) {
    use std::io::Write;
    use std::process::Stdio;
    let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), repo);
    let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    aho_corasick::AhoCorasick::new([needle]).unwrap().is_match(haystack)
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
    found
}
