//! Seeing commits that no hook reports: the directories that git's logs lie in are watched, where events come from
//! there; elsewhere the logs are looked at every few seconds.

pub mod dirty;
pub mod ears;
pub mod listener;
pub mod look;
pub mod network;
pub mod pace;
pub mod reading;
pub mod roster;
pub mod staging;
pub mod watcher;
pub mod watching;
