//! A batch in one process, a capture in another, one device between them.

use std::process::{Child, Stdio};

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually};

/// A `draft run` on its way; ends with the test.
struct Batch(Child);

impl Drop for Batch {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// What the n-th question was about.
fn asked(server: &FakeLlm, nth: usize) -> String {
    eventually(&format!("question {nth}"), || server.asked().get(nth).map(|question| question["messages"].to_string()))
}

fn is_draft(question: &str) -> bool {
    question.contains("<work>")
}

#[test]
fn a_batch_makes_way_for_a_commit_and_goes_on_after_it() {
    let answer = "Adds `add` for a price, quantity and discount.";
    // A sentence a second, for ever: a batch holds the device for minutes, and a capture is cut at its budget.
    let server = FakeLlm::start(Behaviour::SayEverySecond(answer.to_owned()));
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("shop");
    for subject in ["Add a cart", "Add a till"] {
        let mut commit = world.git_command(
            &repo,
            &["commit", "-q", "--allow-empty", "-m", subject, "-m", "Orders need a place before they are paid."],
        );
        let long_ago = "2026-03-02T10:00:00Z";
        commit.env("GIT_AUTHOR_DATE", long_ago).env("GIT_COMMITTER_DATE", long_ago).env("URO_SKIP", "1");
        assert!(commit.status().unwrap().success());
        world.ok(&repo, &["commit", "HEAD", "--no-model"]);
    }
    world.start_sidecar();

    let mut batch = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
    let _batch = Batch(batch.args(["draft", "run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let first = asked(&server, 0);
    assert!(is_draft(&first), "{first}");
    let oid = world.commit(
        &repo,
        "cart.rs",
        "fn add(price: u32, quantity: u32, discount: u32) {}\n",
        "Add an item to the cart",
    );
    // It can be asked only because the batch has let go: one request at a time.
    let capture = asked(&server, 1);
    assert!(capture.contains("What does the code do differently now?"), "{capture}");
    let capture = world.final_capture(&repo, &oid);
    assert_eq!(capture["summary"], format!("Add an item to the cart. {answer} +1 in cart.rs."), "{capture:#}");
    let again = asked(&server, 2);
    assert!(is_draft(&again) && again.starts_with(first.trim_end_matches("\"}]")), "{again}");
}
