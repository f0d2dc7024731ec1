//! Whatever a model server does, the capture is final within its budget and the commit notices nothing.

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm};

/// Budget of a capture, ms.
const BUDGET: f64 = 2000.0;

#[test]
fn every_hostile_server_ends_in_a_final_capture_within_the_budget() {
    let hostile = [
        Behaviour::Refused,
        Behaviour::Silent,
        Behaviour::SlowHeader,
        Behaviour::FirstTokenThenStall,
        Behaviour::OneTokenPerSecond,
        Behaviour::EndlessTokens,
        Behaviour::OneEndlessLine,
        Behaviour::HeadThenSilent,
        Behaviour::HeaderFlood,
        Behaviour::EarlyClose,
        Behaviour::BrokenUtf8,
        Behaviour::InvalidJson,
        Behaviour::Status500,
        Behaviour::Redirect,
        Behaviour::GzipBomb,
    ];
    for behaviour in hostile {
        let what = format!("{behaviour:?}");
        let server = FakeLlm::start(behaviour);
        let world = World::with_fake(&server);
        let repo = world.hooked_repo("repo");
        world.start_sidecar();
        let commits: Vec<String> =
            (0..3).map(|n| world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"))).collect();
        for oid in commits {
            let capture = world.final_capture(&repo, &oid);
            let total = capture["timing"]["total_ms"].as_f64().unwrap();
            assert!(total <= BUDGET, "{what}: {total} ms: {capture:#}");
            assert_ne!(capture["provenance"]["reason"], "pending", "{what}");
            if capture["provenance"]["by"] == "template" {
                assert_ne!(capture["provenance"]["reason"], "none", "{what}");
            }
        }
    }
}
