//! Daemonization: releases the starter's descriptors. A caller that captures a commit's output waits until every copy
//! of its pipe is closed.

use std::path::Path;

/// Closes every inherited descriptor above stderr and leaves the terminal's session.
/// The first act of a detached sidecar, before any thread or file of its own exists.
pub fn let_go() {
    for descriptor in inherited() {
        // An already closed descriptor is fine.
        let _ = nix::unistd::close(descriptor);
    }
    // Fails only for a process-group leader, which has no controlling terminal to lose.
    let _ = nix::unistd::setsid();
}

fn inherited() -> Vec<i32> {
    let listing = ["/proc/self/fd", "/dev/fd"].into_iter().find_map(|dir| std::fs::read_dir(Path::new(dir)).ok());
    let Some(listing) = listing else { return (3..64).collect() };
    listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(|fd| *fd > 2).collect()
}
