//! Tests against real git in scratch directories.

mod backend_cli;
mod collect;
mod history;
mod hostile;
mod identity;
mod name_search;
mod patches;
mod scratch;
mod staged;
mod tables;
