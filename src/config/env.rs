//! Every environment variable that is read, in one place; raw reads elsewhere are banned.

use std::ffi::OsString;

/// What a `git` child keeps of the environment: where programs are, and whose settings count.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn of_git_child() -> Vec<(&'static str, OsString)> {
    ["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect()
}
