//! Error mapping: the single place that turns an error into an exit code and a hint.

use std::error::Error;
use std::io::ErrorKind;

use crate::config::{ConfigError, EndpointConfig, SettingOrigin};
use crate::git::GitError;
use crate::githooks::GithooksError;
use crate::llm::LlmError;
use crate::pipeline::capture::CaptureError;
use crate::sidecar::SidecarError;
use crate::store::StoreError;

/// Kind of failure; determines the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Broken pipe: the reader of our output closed it, as `| head` does; no error.
    OutputClosed,
    /// The user's input, or the state of the machine.
    Environment,
    /// Command line usage.
    Usage,
    /// Internal error.
    Bug,
}

/// Why a command failed: message, causes, and a hint with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
    /// Outermost first.
    pub causes: Vec<String>,
    pub hint: Option<String>,
}

impl Failure {
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// Exit code 1: the user's input, or the state of the machine.
    #[must_use]
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Environment, message)
    }

    /// Exit code 2: command line usage.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// Exit code 70.
    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Bug, message).hint("please report this with the output of `uro-capture doctor --json`")
    }

    /// Exit code 1, from any error with its sources.
    #[must_use]
    pub fn from_error(error: &dyn Error) -> Self {
        Self { causes: chain(error), ..Self::input(error.to_string()) }
    }

    /// Sets the hint: an exact command.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    #[must_use]
    pub fn code(&self) -> u8 {
        match self.kind {
            FailureKind::OutputClosed => 0,
            FailureKind::Environment => 1,
            FailureKind::Usage => 2,
            FailureKind::Bug => 70,
        }
    }
}

/// The error's causes; one that only repeats the message above it is left out.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut last = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !last.ends_with(&text) {
            causes.push(text.clone());
        }
        last = text;
        next = cause.source();
    }
    causes
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = match &error {
            ConfigError::UnknownKey { suggestion: Some(name), .. } => format!("did you mean {name:?}?"),
            other => repair_command(other),
        };
        Self::from_error(&error).hint(hint)
    }
}

/// The command that repairs invalid settings.
#[must_use]
pub fn repair_command(error: &ConfigError) -> String {
    match error {
        ConfigError::Read { path, .. } => format!("ls -l {}", quoted(path)),
        ConfigError::Write { path, source } => write_hint(path, source),
        ConfigError::NotForRepositories { key, .. } => format!("uro-capture config set {key} VALUE"),
        ConfigError::NoHome => "URO_HOME=DIR uro-capture …".to_owned(),
        ConfigError::UnknownKey { origin, .. }
        | ConfigError::Invalid { origin, .. }
        // Resets an invalid value. Listing the settings would fail on it too.
        | ConfigError::Syntax { origin, .. } => match origin {
            SettingOrigin::UserFile { path, line } => format!("${{EDITOR:-vi}} +{line} {}", quoted(path)),
            SettingOrigin::Repository { name } => format!("git config --unset {name}"),
            SettingOrigin::Environment { name } => format!("unset {name}"),
            SettingOrigin::BuiltIn | SettingOrigin::Flag { .. } => "uro-capture config list --origin".to_owned(),
        },
    }
}

/// What to check if a file cannot be written.
#[must_use]
pub fn write_hint(path: &std::path::Path, error: &std::io::Error) -> String {
    let near = path.ancestors().find(|dir| dir.exists()).unwrap_or(path);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => format!("df -h {}", quoted(near)),
        ErrorKind::AlreadyExists => "give the name of a file that does not exist yet".to_owned(),
        _ => format!("ls -ld {}", quoted(near)),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::NotFound { what: "draft", .. } => "uro-capture draft list",
            StoreError::NotFound { .. } => "uro-capture log --everywhere --all",
            StoreError::Ambiguous { .. } => "write more of it",
            StoreError::Conflict(_) => "uro-capture draft list",
            StoreError::TooNew { .. } => "update uro-capture, or point URO_HOME at another directory",
            StoreError::Full(_) => "df -h, then make room and try again",
            StoreError::Corrupt(_) | StoreError::Unavailable(_) | StoreError::Other(_) => "uro-capture doctor",
        };
        Self::from_error(&error).hint(hint)
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let hint = match &error {
            GitError::NotARepository { .. } => "uro-capture -C DIR …, or git init".to_owned(),
            GitError::ForeignOwner { path } => {
                format!("git config --global --add safe.directory {}", quoted(path))
            }
            GitError::NoSuchCommit { .. } | GitError::Missing(_) => "git log --oneline".to_owned(),
            GitError::Unborn => "git commit first".to_owned(),
            GitError::Git { .. } => "git fsck".to_owned(),
        };
        Self::from_error(&error).hint(hint)
    }
}

impl From<LlmError> for Failure {
    fn from(error: LlmError) -> Self {
        Self::from_error(&error).hint(server_hint(&error, None))
    }
}

/// The command that starts a model server.
pub const START_SERVER: &str = "ollama serve, or llama-server -m MODEL.gguf";

/// Hint for a server without an answer.
#[must_use]
pub fn server_hint(error: &LlmError, endpoint: Option<&EndpointConfig>) -> String {
    match error {
        LlmError::NotLoopback { .. } | LlmError::Cloud { .. } => {
            "only if your text may leave this machine: remote = true in its [[endpoints]]".to_owned()
        }
        _ if error.is_refused_key() => key_hint(endpoint),
        LlmError::Unreachable { .. } => START_SERVER.to_owned(),
        LlmError::NotAModelServer { .. } | LlmError::InvalidEndpoint { .. } => {
            "uro-capture config list --origin".to_owned()
        }
        _ => "uro-capture models".to_owned(),
    }
}

/// Hint for a server that requires a key, or rejected this one.
fn key_hint(endpoint: Option<&EndpointConfig>) -> String {
    let name = endpoint.map_or("the server".to_owned(), |endpoint| format!("{:?}", endpoint.name));
    match endpoint.map(|endpoint| (&endpoint.api_key, &endpoint.api_key_env)) {
        Some((Some(_), Some(variable))) => format!("check ${variable}: {name} refuses the key in it"),
        Some((Some(_), None)) => format!("{name} refuses its api_key: uro-capture config path"),
        Some((None, Some(variable))) => format!("export {variable}=KEY, the key of {name}"),
        Some((None, None)) | None => {
            format!("give {name} its key: api_key_env = \"VARIABLE\" (or api_key = \"…\") in its [[endpoints]]")
        }
    }
}

impl From<GithooksError> for Failure {
    fn from(error: GithooksError) -> Self {
        let hint = match &error {
            GithooksError::Io { path, .. } | GithooksError::NotADirectory(path) => format!("ls -ld {}", quoted(path)),
            GithooksError::NotAProgram(_) => "install uro-hook beside uro-capture".to_owned(),
            GithooksError::Locked(lock) => format!("try again; if no git is running: rm {}", quoted(lock)),
            GithooksError::ReadOnly(path) | GithooksError::NotAConfiguration(path) => {
                format!("ls -lL {}", quoted(path))
            }
        };
        Self::from_error(&error).hint(hint)
    }
}

impl From<CaptureError> for Failure {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Git(error) => error.into(),
            CaptureError::Store(error) => error.into(),
            CaptureError::Settings(ref error) => Self::from_error(error).hint(&error.hint),
        }
    }
}

impl From<SidecarError> for Failure {
    fn from(error: SidecarError) -> Self {
        match error {
            SidecarError::Store(error) => error.into(),
            SidecarError::Io { ref path, ref source, .. } => Self::from_error(&error).hint(write_hint(path, source)),
            // In the foreground the sidecar prints the cause.
            SidecarError::NotUp { .. } => Self::from_error(&error).hint("uro-capture sidecar run"),
            other => Self::from_error(&other).hint("uro-capture sidecar stop && uro-capture sidecar start"),
        }
    }
}

/// Quotes a path or another word for a shell.
#[must_use]
pub fn quoted(word: impl AsRef<std::path::Path>) -> String {
    let text = word.as_ref().display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%=:".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::cli::ui::Exit;

    #[test]
    fn every_kind_has_its_exit_code() {
        let code = |kind| Failure::new(kind, "x").code();
        assert_eq!(code(FailureKind::OutputClosed), 0);
        assert_eq!(code(FailureKind::Environment), 1);
        assert_eq!(code(FailureKind::Usage), 2);
        assert_eq!(code(FailureKind::Bug), 70);
        assert_eq!((Exit::Done.code(), Exit::Degraded.code()), (0, 3));
    }

    #[test]
    fn every_rooms_error_exits_with_one_and_has_a_hint() {
        let boxed = || Box::<dyn Error + Send + Sync>::from("disk I/O error");
        let io = || std::io::Error::other("no");
        let line = || SettingOrigin::UserFile { path: "/c.toml".into(), line: 2 };
        let id = || "x".to_owned();
        let failures: Vec<Failure> = vec![
            StoreError::NotFound { what: "capture", id: id() }.into(),
            StoreError::Ambiguous { what: "capture", id: id(), candidates: vec![id()] }.into(),
            StoreError::Conflict(id()).into(),
            StoreError::TooNew { found: 2, known: 1 }.into(),
            StoreError::Corrupt(boxed()).into(),
            StoreError::Full(boxed()).into(),
            StoreError::Unavailable(boxed()).into(),
            StoreError::Other(boxed()).into(),
            GitError::NotARepository { path: PathBuf::new() }.into(),
            GitError::ForeignOwner { path: PathBuf::new() }.into(),
            GitError::NoSuchCommit { rev: id() }.into(),
            GitError::Unborn.into(),
            GitError::Git { doing: id(), source: boxed() }.into(),
            LlmError::NotLoopback { url: id() }.into(),
            LlmError::Unreachable { url: id() }.into(),
            LlmError::Garbled { message: id() }.into(),
            GithooksError::NotAProgram(PathBuf::new()).into(),
            GithooksError::Locked(PathBuf::from("/c.lock")).into(),
            GithooksError::ReadOnly(PathBuf::from("/c")).into(),
            SidecarError::Unresponsive { pid: 1 }.into(),
            ConfigError::NoHome.into(),
            ConfigError::Read { path: PathBuf::new(), source: io() }.into(),
            ConfigError::UnknownKey { key: id(), section: None, origin: line(), suggestion: None }.into(),
            ConfigError::Invalid { key: id(), message: id(), origin: line() }.into(),
            ConfigError::Syntax { message: id(), origin: SettingOrigin::BuiltIn }.into(),
        ];
        for failure in failures {
            assert_eq!(failure.code(), 1, "{failure:?}");
            assert!(failure.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{failure:?}");
        }
    }

    #[test]
    fn a_misspelt_key_is_answered_with_what_was_meant() {
        let error = ConfigError::UnknownKey {
            key: "bugdet".into(),
            section: Some("capture".into()),
            origin: SettingOrigin::UserFile { path: "/c.toml".into(), line: 2 },
            suggestion: Some("budget".into()),
        };
        let failure = Failure::from(error);
        assert_eq!(failure.message, "unknown key \"bugdet\" in [capture]: /c.toml, line 2");
        assert_eq!(failure.hint.as_deref(), Some("did you mean \"budget\"?"));
    }

    #[test]
    fn a_broken_file_is_opened_at_its_line() {
        let origin = SettingOrigin::UserFile { path: "/my dir/c.toml".into(), line: 7 };
        let failure = Failure::from(ConfigError::Syntax { message: "x".into(), origin });
        assert_eq!(failure.hint.as_deref(), Some("${EDITOR:-vi} +7 '/my dir/c.toml'"));
    }

    #[test]
    fn a_wrong_value_is_taken_back_where_it_was_written() {
        let hint = |origin| Failure::from(ConfigError::Invalid { key: "x".into(), message: "y".into(), origin }).hint;
        let repository = SettingOrigin::Repository { name: "uro.capture".into() };
        assert_eq!(hint(repository).as_deref(), Some("git config --unset uro.capture"));
        assert_eq!(
            hint(SettingOrigin::Environment { name: "OLLAMA_HOST".into() }).as_deref(),
            Some("unset OLLAMA_HOST")
        );
    }

    #[test]
    fn what_to_look_at_depends_on_why_a_file_cannot_be_written() {
        let hint = |kind: ErrorKind| write_hint(Path::new("/nowhere/at/all"), &kind.into());
        assert_eq!(hint(ErrorKind::StorageFull), "df -h /");
        assert_eq!(hint(ErrorKind::PermissionDenied), "ls -ld /");
        assert!(hint(ErrorKind::AlreadyExists).contains("does not exist yet"));
    }

    #[test]
    fn causes_are_listed_once() {
        let failure = Failure::from(StoreError::Unavailable("read-only file system".into()));
        assert_eq!(failure.message, "the store cannot be written");
        assert_eq!(failure.causes, ["read-only file system"]);
        assert!(Failure::from(StoreError::Other("gone".into())).causes.is_empty(), "transparent errors repeat nothing");
    }

    #[test]
    fn paths_are_quoted_for_the_shell_where_needed() {
        assert_eq!(quoted(Path::new("/a/b-c.toml")), "/a/b-c.toml");
        assert_eq!(quoted(Path::new("/it's here")), "'/it'\\''s here'");
    }
}
