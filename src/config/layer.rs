//! Layered settings: built-in < user file < repository < environment < flags.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Value;

use super::env::{self, Env};
use super::error::{ConfigError, Result, SettingOrigin};
use super::keys::HIDDEN;
use super::paths::Paths;
use super::{Config, build, defaults, file, keys, validate};

/// One value in one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub key: String,
    pub value: Value,
    pub origin: SettingOrigin,
}

/// The effective settings with their origins.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub config: Config,
    /// By key: `capture.budget`, `options.blog.top_p`, `endpoints[0].url`; a server's key is masked.
    pub values: BTreeMap<String, Value>,
    /// By the same keys.
    pub origins: BTreeMap<String, SettingOrigin>,
}

/// The layers above the repository's, constant for the whole process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    pub env: Env,
    /// `KEY=VALUE` each.
    pub flags: Vec<String>,
}

/// Reads all layers.
///
/// `git_settings` is the output of `git config uro.*` without the `uro.`.
///
/// # Errors
/// A layer has an unknown key or an invalid value, values contradict each other, or the file cannot be read.
pub fn load(paths: &Paths, git_settings: &[(String, String)], over: &Overrides) -> Result<Loaded> {
    load_over(&UserFile::load_file(paths)?, git_settings, over)
}

/// As [`load`], with an already parsed user file.
///
/// # Errors
/// As [`load`].
pub fn load_over(user: &UserFile, git_settings: &[(String, String)], over: &Overrides) -> Result<Loaded> {
    merge_layers(
        vec![
            built_in()?,
            user.0.clone(),
            repository_layer(git_settings)?,
            environment_layer(&over.env)?,
            over.flags.iter().map(|flag| parse_flag(flag)).collect::<Result<_>>()?,
        ],
        &over.env,
    )
}

/// The user's file as a layer: parsed and validated.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFile(Vec<Setting>);

impl UserFile {
    /// Empty without a file.
    ///
    /// # Errors
    /// The file cannot be read, or has an unknown key or an invalid value.
    pub fn load_file(paths: &Paths) -> Result<Self> {
        file::read_settings(&paths.config_file()).map(Self)
    }
}

/// Validates all layers with `text` as the user's file.
///
/// # Errors
/// As [`load`].
pub fn check_file(text: &str, path: &Path) -> Result<Loaded> {
    merge_layers(vec![built_in()?, file::parse(text, path)?], &Env::default())
}

fn merge_layers(layers: Vec<Vec<Setting>>, env: &Env) -> Result<Loaded> {
    let mut top: BTreeMap<String, Setting> = BTreeMap::new();
    for setting in layers.into_iter().flatten() {
        top.insert(setting.key.clone(), setting);
    }
    if !top.keys().any(|key| keys::endpoint_field(key).is_some()) {
        top.extend(defaults::default_endpoints(env)?.into_iter().map(|setting| (setting.key.clone(), setting)));
    }
    let config = build::build(&top, env)?;
    // Secrets are masked here, so that no command that shows settings can print them.
    let masked = |key: &str, value: &Value| match keys::is_secret(key) {
        true => Value::String(HIDDEN.to_owned()),
        false => value.clone(),
    };
    let values = top.iter().map(|(key, setting)| (key.clone(), masked(key, &setting.value))).collect();
    let origins = top.into_iter().map(|(key, setting)| (key, setting.origin)).collect();
    Ok(Loaded { config, values, origins })
}

fn built_in() -> Result<Vec<Setting>> {
    let mut settings = file::parse(defaults::TEXT, Path::new("defaults.toml"))?;
    for setting in &mut settings {
        setting.origin = SettingOrigin::BuiltIn;
    }
    Ok(settings)
}

fn repository_layer(entries: &[(String, String)]) -> Result<Vec<Setting>> {
    let mut settings: Vec<Setting> = Vec::new();
    for (name, text) in entries {
        let origin = SettingOrigin::Repository { name: format!("uro.{name}") };
        let Some(key) = keys::from_git_name(name) else { return Err(unknown(name, origin)) };
        if !keys::find_key(&key).is_some_and(|spec| spec.by_repository) {
            return Err(ConfigError::NotForRepositories { key, origin });
        }
        let mut setting = from_text(key, text, origin)?;
        // A list in several git entries is concatenated, as git does.
        if let Some(before) = settings.iter().find(|before| before.key == setting.key)
            && let (Value::Array(new), Value::Array(old)) = (&mut setting.value, &before.value)
        {
            new.splice(0..0, old.iter().cloned());
        }
        settings.retain(|before| before.key != setting.key);
        settings.push(setting);
    }
    Ok(settings)
}

fn environment_layer(env: &Env) -> Result<Vec<Setting>> {
    keys::fixed()
        .filter_map(|key| {
            let name = keys::env_name(&key);
            let text = env.text(&name)?.to_owned();
            Some(from_text(key, &text, SettingOrigin::Environment { name }))
        })
        .collect()
}

fn parse_flag(flag: &str) -> Result<Setting> {
    let shown = match flag.split_once('=') {
        Some((key, _)) if keys::is_secret(key) => format!("{key}={HIDDEN}"),
        _ => flag.to_owned(),
    };
    let origin = SettingOrigin::Flag { text: format!("--config {shown}") };
    let Some((key, text)) = flag.split_once('=') else {
        return Err(ConfigError::Syntax { message: "expected KEY=VALUE".to_owned(), origin });
    };
    match keys::find_key(key) {
        // A single field of an endpoint would hide the user's endpoints.
        Some(_) if keys::endpoint_field(key).is_none() => from_text(key.to_owned(), text, origin),
        _ => Err(unknown(key, origin)),
    }
}

fn unknown(name: &str, origin: SettingOrigin) -> ConfigError {
    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
    file::unknown(section, key, origin)
}

fn from_text(key: String, text: &str, origin: SettingOrigin) -> Result<Setting> {
    let Some(spec) = keys::find_key(&key) else { return Err(unknown(&key, origin)) };
    match validate::from_text(spec.shape, text) {
        Ok(value) => Ok(Setting { key, value, origin }),
        Err(message) => Err(ConfigError::Invalid { key, message, origin }),
    }
}

/// Origin of an address from Ollama's own variable.
pub(super) fn ollama_host() -> SettingOrigin {
    SettingOrigin::Environment { name: env::OLLAMA_HOST.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::error::Layer;
    use crate::domain::model::Strategy;
    use std::time::Duration;

    fn git(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn over(env: &[(&str, &str)], flags: &[&str]) -> Overrides {
        Overrides { env: Env::from_pairs(env), flags: flags.iter().map(|flag| (*flag).to_owned()).collect() }
    }

    fn home(file: &str) -> (tempfile::TempDir, Paths) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::from_home(dir.path());
        std::fs::create_dir_all(&paths.config).unwrap();
        std::fs::write(paths.config_file(), file).unwrap();
        (dir, paths)
    }

    #[test]
    fn nothing_set_gives_the_built_in_values() {
        let loaded = load(&Paths::from_home(Path::new("/nowhere")), &[], &over(&[], &[])).unwrap();
        assert_eq!(loaded.config, Config::default());
        assert!(loaded.origins.values().all(|origin| *origin == SettingOrigin::BuiltIn));
        assert_eq!(loaded.values.len(), loaded.origins.len());
    }

    #[test]
    fn each_layer_wins_over_the_ones_below_and_is_named() {
        let (_dir, paths) = home("[capture]\nbudget = \"3s\"\n");
        let in_git = git(&[("capture.budget", "4s")]);
        let env = [("URO_CAPTURE_BUDGET", "5s")];
        for (seconds, layer, loaded) in [
            (3, Layer::UserFile, load(&paths, &[], &over(&[], &[]))),
            (4, Layer::Repository, load(&paths, &in_git, &over(&[], &[]))),
            (5, Layer::Environment, load(&paths, &in_git, &over(&env, &[]))),
            (6, Layer::Flag, load(&paths, &in_git, &over(&env, &["capture.budget=6s"]))),
        ] {
            let loaded = loaded.unwrap();
            assert_eq!(loaded.config.capture.budget, Duration::from_secs(seconds));
            assert_eq!(loaded.origins["capture.budget"].layer(), layer);
            assert_eq!(loaded.origins["capture.refine"].layer(), Layer::BuiltIn);
        }
    }

    #[test]
    fn a_repository_can_switch_captures_off() {
        let loaded = load(&Paths::from_home(Path::new("/x")), &git(&[("capture", "false")]), &over(&[], &[])).unwrap();
        assert!(!loaded.config.capture.enabled);
    }

    #[test]
    fn a_repository_may_not_redirect_data_and_misspellings_are_errors() {
        let load = |pairs: &[(&str, &str)]| {
            load(&Paths::from_home(Path::new("/x")), &git(pairs), &over(&[], &[])).unwrap_err().to_string()
        };
        assert_eq!(
            load(&[("store.url", "sqlite:/tmp/x")]),
            "store.url cannot be set by a repository: git config uro.store.url"
        );
        assert_eq!(
            load(&[("capture.bugdet", "2s")]),
            "unknown key \"bugdet\" in [capture]: git config uro.capture.bugdet"
        );
    }

    #[test]
    fn lists_in_git_add_up_and_scalars_take_the_last() {
        let pairs = git(&[
            ("capture.excludepaths", "a/**"),
            ("capture.strategy", "single"),
            ("capture.excludepaths", "b/**"),
            ("capture.strategy", "multi"),
        ]);
        let loaded = load(&Paths::from_home(Path::new("/x")), &pairs, &over(&[], &[])).unwrap();
        assert_eq!(loaded.config.capture.exclude_paths, ["a/**", "b/**"]);
        assert_eq!(loaded.config.capture.strategy, Strategy::Multi);
    }

    #[test]
    fn a_flag_needs_a_known_key_and_a_value() {
        let load =
            |flag: &str| load(&Paths::from_home(Path::new("/x")), &[], &over(&[], &[flag])).unwrap_err().to_string();
        assert_eq!(load("capture.budget"), "expected KEY=VALUE: --config capture.budget");
        assert_eq!(load("capture.bugdet=1s"), "unknown key \"bugdet\" in [capture]: --config capture.bugdet=1s");
        assert!(load("endpoints[0].url=http://a").starts_with("unknown key"));
    }
}
