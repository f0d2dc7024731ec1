//! Watcher for commits that no hook reports: watches the directories of git's logs where the file system has events;
//! elsewhere the logs are polled every few seconds.

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
