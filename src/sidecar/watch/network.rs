//! Detects network file systems: changes by other machines cause no events there, so they are polled.

use std::path::{Path, PathBuf};

/// Types in `/proc/self/mountinfo` beside those that begin with `fuse.` (but for what is local below FUSE).
const NETWORK: [&str; 18] = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "vboxsf", "vmhgfs", "afs", "coda", "ceph", "gfs2",
    "ocfs2", "lustre", "glusterfs", "autofs", "fuse",
];
const LOCAL_FUSE: [&str; 4] = ["fuse.bindfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs"];

/// Mount points of such file systems. Read from the kernel's table, because any call on a dead server's mount, even a
/// stat, does not return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts(Vec<(PathBuf, bool)>);

impl Mounts {
    /// The mounts of this machine now; none where there is no such table.
    #[must_use]
    pub fn read() -> Self {
        std::fs::read("/proc/self/mountinfo").map(|table| Self::parse(&table)).unwrap_or_default()
    }

    /// In the order of the table: a later mount hides an earlier one at the same path.
    #[must_use]
    pub fn parse(table: &[u8]) -> Self {
        Self(table.split(|byte| *byte == b'\n').filter_map(mount).collect())
    }

    /// Whether `path` (absolute, canonical) lies on one.
    #[must_use]
    pub fn is_network(&self, path: &Path) -> bool {
        let around = self.0.iter().filter(|(mount, _)| path.starts_with(mount));
        // The last of the longest.
        around.max_by_key(|(mount, _)| mount.as_os_str().len()).is_some_and(|(_, network)| *network)
    }
}

/// `36 35 98:0 /root /mount/point options [optional …] - type source options`
fn mount(line: &[u8]) -> Option<(PathBuf, bool)> {
    use std::os::unix::ffi::OsStringExt;
    let mut fields = line.split(|byte| *byte == b' ');
    let point = unescape(fields.nth(4)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let kind = std::str::from_utf8(kind).ok()?;
    let network = NETWORK.contains(&kind) || (kind.starts_with("fuse.") && !LOCAL_FUSE.contains(&kind));
    Some((std::ffi::OsString::from_vec(point).into(), network))
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            plain.push(byte);
            rest = &tail[3..];
        } else {
            plain.push(*first);
            rest = tail;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:40 / /home/me/far\\040away rw shared:2 master:1 - nfs4 server:/x rw\n\
        31 22 0:41 / /home/me/sshfs rw - fuse.sshfs me@host: rw\n\
        32 30 8:2 / /home/me/far\\040away/near rw - btrfs /dev/sdb rw\n\
        33 22 0:43 / /mnt/vault rw - fuse.gocryptfs vault rw\n\
        34 22 8:3 / /mnt/usb rw - fuseblk /dev/sdc rw\n\
        35 22 0:44 / /srv rw - autofs systemd-1 rw\n\
        36 35 8:4 / /srv rw - xfs /dev/sdd rw\n\
        nonsense\n";

    #[test]
    fn the_innermost_last_mount_around_a_path_decides() {
        let mounts = Mounts::parse(TABLE);
        for (path, network) in [
            ("/home/me/r/.git", false),
            ("/home/me/far away/r/.git", true),
            ("/home/me/far away/near/r/.git", false),
            ("/home/me/far awayish/.git", false),
            ("/home/me/sshfs/r/.git", true),
            ("/mnt/vault/r/.git", false),
            ("/mnt/usb/r/.git", false),
            ("/srv/git/r.git", false),
        ] {
            assert_eq!(mounts.is_network(Path::new(path)), network, "{path}");
        }
    }

    #[test]
    fn without_a_table_nothing_is_on_the_network() {
        assert!(!Mounts::default().is_network(Path::new("/r/.git")));
        assert!(!Mounts::read().is_network(Path::new("/proc")));
    }
}
