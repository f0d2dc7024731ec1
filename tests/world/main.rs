//! The integration tests that need programs beyond git (a real llama.cpp server, hook managers, site generators, jj, Python, systemd), and
//! the matrix of git's operations, which takes minutes. `tests/run` installs the programs and runs this target
//! (`cargo test --test world`); the default run has none of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and measures real time"
)]

#[expect(dead_code, unused_imports, reason = "shared with the other integration tests; each target needs only a part")]
#[path = "../it/harness/mod.rs"]
mod harness;

mod ahead;
mod asking;
mod jj;
mod llama;
mod matrix;
mod real_server;
mod recall;
mod service_manager;
mod setups;
mod sites;
mod stuck;
