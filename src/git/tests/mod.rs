//! Tests against real git in scratch directories.

mod history;
mod hostile;
mod identity;
mod names;
mod news;
mod outside;
mod patches;
mod scratch;
mod staged;
mod tables;
