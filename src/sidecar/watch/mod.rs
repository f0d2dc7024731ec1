//! Watcher for commits that no hook reports: watches the directories of git's logs where the file system has events;
//! elsewhere the logs are polled every few seconds.

pub mod dirty_set;
pub mod index_debounce;
pub mod listener;
pub mod network;
pub mod poll;
pub mod scheduler;
pub mod watched_repos;
pub mod watcher;
