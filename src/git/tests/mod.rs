//! Tests against real git in scratch directories.

mod history;
mod hostile;
mod identity;
mod name_search;
mod collect;
mod backend_cli;
mod patches;
mod scratch;
mod staged;
mod tables;
