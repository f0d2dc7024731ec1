//! The room against real git in scratch directories.

mod history;
mod hostile;
mod outside;
mod patches;
mod scratch;
