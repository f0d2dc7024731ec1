//! File watch limits of the system (inotify), and whether they are sufficient.

use super::Finding;

const WATCHES: &str = "/proc/sys/fs/inotify/max_user_watches";
const INSTANCES: &str = "/proc/sys/fs/inotify/max_user_instances";
/// Watched directories of a repository with a linked worktree or two.
const PER_REPOSITORY: u64 = 8;
/// Other programs' share: editors and file managers watch too, and the limits are per user.
const OTHERS: u64 = 4096;
/// Watcher instances: the sidecar needs one; a desktop uses some dozens.
const ENOUGH_INSTANCES: u64 = 64;

/// `None` on systems without such limits.
pub fn inotify(repositories: usize) -> Vec<Finding> {
    let read = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse().ok();
    judge(repositories as u64, read(WATCHES), read(INSTANCES))
}

fn judge(repositories: u64, watches: Option<u64>, instances: Option<u64>) -> Vec<Finding> {
    let needed = repositories * PER_REPOSITORY + OTHERS;
    let mut findings = Vec::new();
    if let Some(watches) = watches.filter(|watches| *watches < needed && repositories > 0) {
        let what = format!("{watches} watched directories are allowed, {repositories} repositories want {needed}");
        let fix = format!("sudo sysctl fs.inotify.max_user_watches={}", needed.next_power_of_two());
        findings.push(Finding::wrong("sidecar", what, fix));
    }
    if let Some(instances) = instances.filter(|instances| *instances < ENOUGH_INSTANCES && repositories > 0) {
        let what = format!("{instances} programs may watch directories at a time");
        findings.push(Finding::wrong("sidecar", what, "sudo sysctl fs.inotify.max_user_instances=128"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_judged_by_what_is_registered() {
        assert_eq!(judge(10, Some(65_536), Some(128)), []);
        assert_eq!(judge(10, None, None), [], "no such limits here");
        assert_eq!(judge(0, Some(1), Some(1)), [], "nothing is watched");
        let found = judge(1000, Some(8192), Some(8));
        assert_eq!(found[0].fix.as_deref(), Some("sudo sysctl fs.inotify.max_user_watches=16384"));
        assert_eq!((found.len(), found[1].ok), (2, false));
    }
}
