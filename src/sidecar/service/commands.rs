//! Service manager commands: systemctl and launchctl lines, and whether the manager can be reached.

use std::process::{Command, Stdio};

use super::{Manager, ServiceError, ServiceSettings, launchd, systemd};
use crate::config::env;

/// A command line, word by word.
pub type Words = Vec<String>;

impl Manager {
    /// Commands that make the installed files a running service, which an older sidecar gives way to.
    #[must_use]
    pub fn start(self, setting: &ServiceSettings) -> Vec<Words> {
        match self {
            Self::Systemd => {
                let units = units(setting);
                vec![
                    systemctl(&["daemon-reload"], &[]),
                    systemctl(&["enable"], &units),
                    systemctl(&["restart"], &units),
                ]
            }
            Self::Launchd => {
                let file = launchd::file(setting).path.display().to_string();
                vec![words(&["launchctl", "bootstrap", &domain(setting), &file])]
            }
        }
    }

    /// Commands that end the service, before its files are removed.
    #[must_use]
    pub fn stop(self, setting: &ServiceSettings) -> Vec<Words> {
        match self {
            Self::Systemd => vec![systemctl(&["disable", "--now"], &units(setting))],
            Self::Launchd => vec![words(&["launchctl", "bootout", &format!("{}/{}", domain(setting), launchd::LABEL)])],
        }
    }

    /// Commands that make the manager forget the removed files.
    #[must_use]
    pub fn forget(self) -> Vec<Words> {
        match self {
            Self::Systemd => vec![systemctl(&["daemon-reload"], &[])],
            Self::Launchd => Vec::new(),
        }
    }

    /// Whether the manager of the user's session answers.
    #[must_use]
    pub fn is_reachable(self, setting: &ServiceSettings) -> bool {
        let question = match self {
            Self::Systemd => systemctl(&["show", "--property=Version"], &[]),
            Self::Launchd => words(&["launchctl", "print", &domain(setting)]),
        };
        run(&question).is_ok()
    }
}

fn units(setting: &ServiceSettings) -> Vec<String> {
    let files = systemd::files(setting);
    // The socket first: the service depends on it.
    let names = files.iter().rev().filter_map(|file| file.path.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

fn systemctl(verb: &[&str], units: &[String]) -> Words {
    let mut line = words(&["systemctl", "--user"]);
    line.extend(verb.iter().map(|word| (*word).to_owned()));
    line.extend_from_slice(units);
    line
}

fn domain(setting: &ServiceSettings) -> String {
    format!("gui/{}", setting.user)
}

fn words(line: &[&str]) -> Words {
    line.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs one of the manager's commands to its end.
///
/// # Errors
/// It cannot be run, or exits with another code than 0; its output is in the error.
pub fn run(line: &[String]) -> Result<(), ServiceError> {
    let failed = |message: String| ServiceError::Manager { command: line.join(" "), message };
    let Some((program, arguments)) = line.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    for name in env::git_variables() {
        command.env_remove(name);
    }
    let out = command.output().map_err(|error| failed(error.to_string()))?;
    if out.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&out.stderr).trim().to_owned();
    Err(failed(if message.is_empty() { out.status.to_string() } else { message }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::setting;
    use super::*;

    fn lines(commands: &[Words]) -> Vec<String> {
        commands.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn systemd_is_told_of_both_units_and_of_the_service_alone_where_there_is_no_socket() {
        let both = "uro-capture.socket uro-capture.service";
        let start = lines(&Manager::Systemd.start(&setting()));
        let expected = ["daemon-reload".to_owned(), format!("enable {both}"), format!("restart {both}")];
        assert_eq!(start, expected.map(|verb| format!("systemctl --user {verb}")));
        let deep = ServiceSettings { run: Some(format!("/{}", "d".repeat(120))), ..setting() };
        assert_eq!(lines(&Manager::Systemd.stop(&deep)), ["systemctl --user disable --now uro-capture.service"]);
    }

    #[test]
    fn launchd_is_told_of_the_agent_in_the_persons_own_domain() {
        let plist = "/home/ada/Library/LaunchAgents/dev.uroboro.capture.plist";
        assert_eq!(lines(&Manager::Launchd.start(&setting())), [format!("launchctl bootstrap gui/1000 {plist}")]);
        assert_eq!(lines(&Manager::Launchd.stop(&setting())), ["launchctl bootout gui/1000/dev.uroboro.capture"]);
    }

    #[test]
    fn what_a_command_says_when_it_fails_is_told() {
        let error = run(&words(&["sh", "-c", "echo 'no bus' >&2; exit 1"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo 'no bus' >&2; exit 1` failed: no bus");
        assert!(run(&words(&["/nonexistent/systemctl"])).is_err());
        assert!(run(&words(&["true"])).is_ok());
    }
}
