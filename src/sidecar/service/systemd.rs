//! systemd user units: the service, and the socket that activates it.

use super::{Setting, Text};

pub const SERVICE: &str = "uro-capture.service";
pub const SOCKET: &str = "uro-capture.socket";

/// Longest path of a socket (`sun_path` without its terminating zero), in bytes.
const LONGEST: usize = 107;

/// Symlinks that enabling creates, below the directory of the units.
pub const LINKS: [&str; 2] = ["default.target.wants/uro-capture.service", "sockets.target.wants/uro-capture.socket"];

/// Both units; the service alone where the path of the doorbell is too long for a socket's.
#[must_use]
pub fn files(setting: &Setting) -> Vec<Text> {
    let dir = setting.config.join("systemd/user");
    let bell = bell(setting);
    let mut files = vec![Text { path: dir.join(SERVICE), text: service(setting, bell.is_some()) }];
    if let Some(bell) = bell {
        files.push(Text { path: dir.join(SOCKET), text: socket(&bell) });
    }
    files
}

/// The doorbell for socket activation, as a unit writes it. A line there is trimmed and cannot quote.
fn bell(setting: &Setting) -> Option<String> {
    match &setting.run {
        None => Some("%t/uroboro/bell.sock".to_owned()),
        Some(run) => {
            Some(format!("{run}/bell.sock")).filter(|bell| bell.len() <= LONGEST).map(|bell| specifiers(&bell))
        }
    }
}

/// The watchdog's six seconds fit a heartbeat every second that counts as missed after two and a half. Capturing is
/// urgent: neither its processor time nor its I/O has a lowered priority. No sandbox of mount or user namespaces,
/// because it could hide repositories.
fn service(setting: &Setting, has_socket: bool) -> String {
    let needs = if has_socket { format!("Requires={SOCKET}\nAfter={SOCKET}\n") } else { String::new() };
    let environment: String = setting
        .environment
        .iter()
        .map(|(name, value)| format!("Environment={}\n", quoted(&format!("{name}={value}"))))
        .collect();
    let also = if has_socket { format!("Also={SOCKET}\n") } else { String::new() };
    format!(
        "[Unit]\n\
         Description=Captures every Git commit (uro-capture)\n\
         {needs}\
         \n\
         [Service]\n\
         Type=notify\n\
         ExecStart={command}\n\
         {environment}\
         Restart=on-failure\n\
         RestartSec=200ms\n\
         WatchdogSec=6\n\
         WatchdogSignal=SIGKILL\n\
         TimeoutStopSec=5\n\
         UMask=0077\n\
         MemoryMax=1G\n\
         NoNewPrivileges=yes\n\
         LockPersonality=yes\n\
         RestrictRealtime=yes\n\
         RestrictSUIDSGID=yes\n\
         RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n\
         SystemCallArchitectures=native\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n\
         {also}",
        command = command(&setting.program),
    )
}

fn socket(bell: &str) -> String {
    format!(
        "[Unit]\n\
         Description=Doorbell of uro-capture\n\
         \n\
         [Socket]\n\
         ListenDatagram={bell}\n\
         SocketMode=0600\n\
         DirectoryMode=0700\n\
         \n\
         [Install]\n\
         WantedBy=sockets.target\n"
    )
}

/// systemd runs no program with a quote or a backslash in its path, whatever its quoting; `env` does.
fn command(program: &str) -> String {
    const ARGUMENTS: &str = "sidecar run --service";
    if program.contains(['"', '\'', '\\']) {
        return format!("/usr/bin/env {} {ARGUMENTS}", quoted(&program.replace('$', "$$")));
    }
    // The colon keeps what follows from being expanded as variables.
    let prefix = if program.contains('$') { ":" } else { "" };
    format!("{} {ARGUMENTS}", quoted(&format!("{prefix}{program}")))
}

/// One word of a unit's value (systemd.syntax(7), "Quoting").
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,@:=".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("\"{}\"", specifiers(&word.replace('\\', "\\\\").replace('"', "\\\"")))
}

fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{awkward, setting};
    use super::*;

    fn all(setting: &Setting) -> String {
        files(setting).iter().map(|file| format!("# {}\n{}\n", file.path.display(), file.text)).collect()
    }

    #[test]
    fn the_units_of_a_person_with_the_usual_places() {
        insta::assert_snapshot!(all(&setting()));
    }

    #[test]
    fn the_units_of_a_person_with_awkward_places() {
        insta::assert_snapshot!(all(&awkward()));
    }

    #[test]
    fn a_doorbell_too_deep_for_a_socket_leaves_the_service_alone() {
        let deep = Setting { run: Some(format!("/{}", "d".repeat(96))), ..setting() };
        assert_eq!(files(&deep).len(), 2, "107 bytes");
        let deeper = Setting { run: Some(format!("/{}", "d".repeat(97))), ..setting() };
        let [service] = files(&deeper).try_into().expect("one file");
        assert!(!service.text.contains(SOCKET), "{}", service.text);
    }

    #[test]
    fn what_systemd_refuses_to_run_is_run_by_env() {
        assert_eq!(command("/a/b"), "/a/b sidecar run --service");
        assert_eq!(command("/a b/c"), "\"/a b/c\" sidecar run --service");
        assert_eq!(command("/$a"), "\":/$a\" sidecar run --service");
        assert_eq!(command("/it's $5"), "/usr/bin/env \"/it's $$5\" sidecar run --service");
    }
}
