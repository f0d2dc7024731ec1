//! The one integration binary: the built programs, a real git, real sockets, real kills.

mod harness;

mod budget;
mod commands;
mod drafts;
mod hook;
mod kill;
mod models;
mod secrets;
mod sidecar;
mod spine;
mod tidy;
