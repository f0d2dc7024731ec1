//! A world whose captures are watched in its store: what each came to, and what it cost.

use std::path::PathBuf;

use uro_capture::domain::capture::{AuthoredBy, Capture, Reason};
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureArchive, CaptureQuery};

use crate::harness::fake_llm::MODEL;
use crate::harness::{World, eventually};

/// Budget of a capture, ms: a little more than usual, for machines that do other things as well.
pub const BUDGET: f64 = 3000.0;
/// True of every commit and note that is made here, and more than the templates of the commits tell.
pub const TEXT: &str = "Uses a session and a backoff delay for each retry.";

/// What the author of the past work says about it, beyond the paragraph that a page quotes.
pub const PAST_REASON: &str = "The next steps of the checkout begin in the cart, and each of them is small. The function \
                               stays empty until prices and discounts are read from the order. The currency comes from \
                               the order too, because a cart has none.";

/// See the file's head. Its sidecar ends with it.
pub struct Stage {
    pub world: World,
    pub repo: PathBuf,
    store: SqliteStore,
    made: usize,
}

/// Nothing is prepared in pauses: what a commit meets is what the commits before it have learned.
pub fn unprepared(endpoints: &str) -> String {
    settings("read_ahead = \"off\"\nrefine = false", endpoints)
}

/// Settings with one model for everything, so that nothing but its options could make a server reload it.
pub fn settings(capture: &str, endpoints: &str) -> String {
    format!("[capture]\nbudget = \"3s\"\n{capture}\n[models]\ndefault = \"{MODEL}\"\n{endpoints}")
}

/// One endpoint that speaks Ollama's protocol, on a device of its own.
pub fn endpoint(name: &str, url: &str) -> String {
    format!("[[endpoints]]\nname = \"{name}\"\nurl = \"{url}\"\napi = \"ollama\"\ndevice = \"{name}\"\n")
}

impl Stage {
    pub fn new(toml: &str) -> Self {
        let world = World::new();
        world.configure(toml);
        let repo = world.hooked_repo("repo");
        world.start_sidecar();
        let store = SqliteStore::open(&world.path("uro/data/captures.db")).unwrap().store;
        Self { world, repo, store, made: 0 }
    }

    /// Notes something, and gives what came of it.
    pub fn note(&self) -> Capture {
        let note = "Each retry in a.rs uses a session now, and waits for the backoff delay";
        let noted = self.world.ok(&self.repo, &["note", note, "--json"]);
        let capture = serde_json::from_str(&noted).unwrap();
        check(&capture);
        capture
    }

    /// Commits, and waits for nothing.
    pub fn commit_only(&mut self) -> String {
        self.made += 1;
        // A longer line than the template quotes.
        let more = ", 0".repeat(40);
        let content = format!("fn retry() {{ path({}, session, backoff(delay){more}) }}\n", self.made);
        self.world.commit(&self.repo, "a.rs", &content, "Add a retry, remove the old path")
    }

    /// Commits, and gives what came of it.
    pub fn commit(&mut self) -> Capture {
        let oid = self.commit_only();
        self.final_of(&oid)
    }

    pub fn commits(&mut self, n: usize) -> Vec<Capture> {
        (0..n).map(|_| self.commit()).collect()
    }

    /// The commit's capture once it is final, which must have been in time and must say why it is what it is.
    pub fn final_of(&self, oid: &str) -> Capture {
        let capture = eventually(&format!("capture of {oid}"), || {
            let all = self.store.captures(&CaptureQuery::default()).unwrap();
            let of_it = |capture: &Capture| capture.commit.as_ref().is_some_and(|commit| commit.oid.as_str() == oid);
            all.into_iter().find(|capture| of_it(capture) && capture.timing.total_ms.is_some())
        });
        check(&capture);
        capture
    }

    /// What the router said of it, for a person who reads a failed test.
    pub fn why(&self, capture: &Capture) -> String {
        let shown = self.world.json(&self.repo, &["show", &capture.id.to_string()]);
        format!("{:?}: {}", capture.provenance.reason, shown["decision"])
    }

    /// So many days' work of long ago, so that there are drafts to write; no model is asked about it.
    pub fn past_work(&self, days: usize) {
        for day in 0..days {
            std::fs::write(self.repo.join(format!("cart{day}.rs")), "fn cart() {}\n").unwrap();
            self.world.git(&self.repo, &["add", "-A"]);
            let mut commit = self.world.git_command(
                &self.repo,
                &["commit", "-q", "-m", "Add a cart", "-m", "It is the first step.", "-m", PAST_REASON],
            );
            let long_ago = format!("2026-{:02}-{:02}T10:00:00Z", 1 + day / 28, 1 + day % 28);
            commit.env("GIT_AUTHOR_DATE", &long_ago).env("GIT_COMMITTER_DATE", &long_ago).env("URO_SKIP", "1");
            assert!(commit.status().unwrap().success());
            self.world.ok(&self.repo, &["commit", "HEAD", "--no-model"]);
        }
    }
}

/// Final within its budget, with a true text and a reason that fits it.
pub fn check(capture: &Capture) {
    let (total, budget) = (capture.timing.total_ms.unwrap(), capture.timing.budget_ms.unwrap());
    assert!(total <= budget, "{total} of {budget} ms: {capture:#?}");
    let reason = capture.provenance.reason;
    assert_ne!(reason, Reason::Pending);
    match capture.provenance.by {
        AuthoredBy::Template => assert_ne!(reason, Reason::None, "{capture:#?}"),
        _ => assert!(matches!(reason, Reason::None | Reason::Salvaged), "{capture:#?}"),
    }
    // Whole sentences, whatever the server broke off in; what the servers say is true of each commit here.
    let summary = &capture.summary;
    let broken = ["And the", "And it", "\u{fffd}"].iter().any(|piece| summary.contains(piece));
    assert!(!summary.is_empty() && !broken, "{capture:#?}");
}

pub fn reasons(captures: &[Capture]) -> Vec<Reason> {
    captures.iter().map(|capture| capture.provenance.reason).collect()
}

/// Time that the model's part took, ms: waiting for lists and turns, the request, the stream.
pub fn model_ms(capture: &Capture) -> f64 {
    capture.timing.model_ms.unwrap_or(0.0)
}

pub fn endpoint_of(capture: &Capture) -> Option<&str> {
    capture.provenance.endpoint.as_deref()
}

/// Prints n, median, p95 and max.
pub fn report(what: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values[(values.len() - 1) * share / 100];
    println!("{what}: n {}, median {:.2}, p95 {:.2}, max {:.2}", values.len(), at(50), at(95), at(100));
}
