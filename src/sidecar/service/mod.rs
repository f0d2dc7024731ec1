//! The sidecar as a user service: the files and commands for systemd or launchd.
//!
//! Everything here is pure but [`files`]: the files can be shown, tested and compared before they are written.

pub mod commands;
pub mod files;
pub mod launchd;
pub mod systemd;

use std::path::{Path, PathBuf};

use crate::config::env::{self, Env};
use crate::config::{ConfigError, Paths, paths};

/// The supported service managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    Systemd,
    Launchd,
}

/// Why the service cannot be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("{} cannot be written into a service file: it is not plain text", .0.display())]
    NotPlain(PathBuf),
    #[error("cannot {doing} {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` failed: {message}")]
    Manager { command: String, message: String },
    #[error(transparent)]
    Home(#[from] ConfigError),
}

/// Values of the service's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The sidecar's program.
    pub program: String,
    /// Runtime directory; `None`: the one that the manager gives its services.
    pub run: Option<String>,
    /// Log file, where the manager keeps no journal.
    pub log: String,
    /// Variables without which the service would use other directories than hooks and commands.
    pub environment: Vec<(&'static str, String)>,
    pub home: PathBuf,
    /// The configuration directory of the user's programs.
    pub config: PathBuf,
    pub user: u32,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFile {
    pub path: PathBuf,
    pub text: String,
}

impl ServiceSettings {
    /// The values for this user, on this machine.
    ///
    /// # Errors
    /// No home directory is known, or a path cannot be written into a line of text.
    pub fn from_env(env: &Env, paths: &Paths, program: &Path) -> Result<Self, ServiceError> {
        let home = paths::home(env)?;
        let user = nix::unistd::getuid().as_raw();
        let environment = environment(env, paths, &home, user)?;
        let is_own = environment.iter().any(|(name, _)| [env::URO_HOME, env::XDG_RUNTIME_DIR].contains(name));
        Ok(Self {
            program: plain(program)?,
            run: if is_own { Some(plain(&paths.run)?) } else { None },
            log: plain(&paths.service_log())?,
            environment,
            config: env.xdg(env::XDG_CONFIG_HOME).unwrap_or_else(|| home.join(".config")),
            home,
            user,
        })
    }
}

/// `URO_HOME`, else the non-default XDG directories; and the address of Ollama.
fn environment(env: &Env, paths: &Paths, home: &Path, user: u32) -> Result<Vec<(&'static str, String)>, ServiceError> {
    let usual = [
        (env::XDG_CONFIG_HOME, home.join(".config")),
        (env::XDG_DATA_HOME, home.join(".local/share")),
        (env::XDG_STATE_HOME, home.join(".local/state")),
        (env::XDG_RUNTIME_DIR, PathBuf::from(format!("/run/user/{user}"))),
    ];
    let mut variables = Vec::new();
    match (env.path(env::URO_HOME), paths.run.parent()) {
        (Some(_), Some(root)) => variables.push((env::URO_HOME, plain(root)?)),
        _ => {
            for (name, usual) in usual {
                if let Some(dir) = env.xdg(name).filter(|dir| *dir != usual) {
                    variables.push((name, plain(&dir)?));
                }
            }
        }
    }
    if let Some(host) = env.text(env::OLLAMA_HOST) {
        variables.push((env::OLLAMA_HOST, plain(Path::new(host))?));
    }
    Ok(variables)
}

/// The path on one line; an error where a unit or a plist cannot hold it.
fn plain(path: &Path) -> Result<String, ServiceError> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    text.map(str::to_owned).ok_or_else(|| ServiceError::NotPlain(path.to_owned()))
}

impl Manager {
    /// The manager of this machine, by its program on the search path.
    #[must_use]
    pub fn here(env: &Env) -> Option<Self> {
        let (manager, program) =
            if cfg!(target_os = "macos") { (Self::Launchd, "launchctl") } else { (Self::Systemd, "systemctl") };
        let path = env.path(env::PATH)?;
        std::env::split_paths(&path).any(|dir| dir.join(program).is_file()).then_some(manager)
    }

    /// The service's files with their texts.
    #[must_use]
    pub fn files(self, setting: &ServiceSettings) -> Vec<ServiceFile> {
        match self {
            Self::Systemd => systemd::files(setting),
            Self::Launchd => vec![launchd::file(setting)],
        }
    }
}

#[cfg(test)]
pub(super) mod sample {
    use super::*;

    /// A user with the usual directories.
    pub fn setting() -> ServiceSettings {
        ServiceSettings {
            program: "/home/ada/.local/bin/uro-capture".into(),
            run: None,
            log: "/home/ada/.local/state/uroboro/sidecar.service.log".into(),
            environment: Vec::new(),
            home: "/home/ada".into(),
            config: "/home/ada/.config".into(),
            user: 1000,
        }
    }

    /// A user with directories that hold everything that has to be quoted.
    pub fn awkward() -> ServiceSettings {
        ServiceSettings {
            program: "/home/ada/my bin/100% $HOME/uro-capture".into(),
            run: Some("/home/ada/it's \"here\" 100%/run".into()),
            environment: vec![
                ("URO_HOME", "/home/ada/it's \"here\" 100% a\\b <&>".into()),
                ("OLLAMA_HOST", "127.0.0.1:1".into()),
            ],
            ..setting()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ServiceSettings, ServiceError> {
        let env = Env::from_pairs(pairs);
        let paths = Paths::resolve(&env, Path::new("/cwd")).unwrap();
        ServiceSettings::from_env(&env, &paths, Path::new("/bin/uro-capture"))
    }

    #[test]
    fn usual_places_are_not_told() {
        let runtime = format!("/run/user/{}", nix::unistd::getuid());
        let pairs = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/h/.config"), ("XDG_RUNTIME_DIR", &runtime)];
        let setting = read(&pairs).unwrap();
        assert_eq!((setting.environment, setting.run), (vec![], None));
        assert_eq!(setting.config, Path::new("/h/.config"));
    }

    #[test]
    fn other_places_and_the_model_server_are_told() {
        let pairs =
            [("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_RUNTIME_DIR", "/r"), ("OLLAMA_HOST", "127.0.0.1:9")];
        let setting = read(&pairs).unwrap();
        let variables = [("XDG_DATA_HOME", "/d"), ("XDG_RUNTIME_DIR", "/r"), ("OLLAMA_HOST", "127.0.0.1:9")];
        assert_eq!(setting.environment, variables.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(setting.run.as_deref(), Some("/r/uroboro"));
    }

    #[test]
    fn a_home_of_ones_own_is_told_as_an_absolute_path_and_alone() {
        let setting = read(&[("HOME", "/h"), ("URO_HOME", "u"), ("XDG_DATA_HOME", "/d")]).unwrap();
        assert_eq!(setting.environment, [("URO_HOME", "/cwd/u".to_owned())]);
        assert_eq!(setting.run.as_deref(), Some("/cwd/u/run"));
    }

    #[test]
    fn a_path_that_would_break_out_of_its_line_is_refused() {
        let error = read(&[("HOME", "/h"), ("URO_HOME", "/u\nExecStart=/bin/evil")]).unwrap_err();
        assert!(matches!(error, ServiceError::NotPlain(_)), "{error}");
    }
}
