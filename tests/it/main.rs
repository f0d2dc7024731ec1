//! The one integration binary: the built programs, a real git, real sockets, real kills.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and measures real time"
)]

mod harness;

mod ahead;
mod budget;
mod clients;
mod commands;
mod coverage;
mod crash;
mod damage;
mod drafts;
mod faults;
mod formats;
mod hedging;
mod hook;
mod hostile;
mod identity;
mod install;
mod kill;
mod leaving;
mod loopback;
mod matrix;
mod models;
mod orders;
mod packing;
mod pauses;
mod places;
mod planted;
mod preempt;
mod refine;
mod reloads;
mod rings;
mod route;
mod routing;
mod secrets;
mod service;
mod setups;
mod sidecar;
mod spine;
mod storm;
mod tidy;
mod watch;
