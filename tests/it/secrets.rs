//! No secret that was committed or written reaches the wire, the disk or the log.

use std::path::Path;

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm};

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

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
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
