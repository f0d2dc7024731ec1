//! Promises in seconds and milliseconds, tried in real time: run alone and one after another, by
//! `cargo test --test timed -- --test-threads=1`. The default run has none of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and measures real time"
)]

#[expect(dead_code, reason = "shared with the other integration tests; each target needs only a part")]
#[path = "../it/harness/mod.rs"]
mod harness;
#[path = "../world/llama.rs"]
mod llama;

mod budget;
mod cuts;
mod faults;
mod limits;
mod storm;
