//! The one integration binary: the built programs, a real git, real sockets, real kills.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and measures real time"
)]

#[expect(dead_code, reason = "shared with the other integration tests; each target needs only a part")]
mod harness;

mod agent;
mod broken_settings;
mod clients;
mod commands;
mod coverage;
mod crash;
mod damage;
mod docs;
mod drafts;
mod formats;
mod goldens;
mod hook;
mod hostile;
mod identity;
mod install;
mod kept;
mod kill;
mod leaving;
mod lifetime;
mod loopback;
mod models;
mod opted_out;
mod orders;
mod packing;
mod pauses;
mod places;
mod planted;
mod preempt;
mod publish;
mod reasons;
mod recap;
mod refine;
mod reloads;
mod review;
mod rings;
mod route;
mod routing;
mod secrets;
mod servers;
mod service;
mod sidecar;
mod spine;
mod terminal;
mod tidy;
mod watch;
