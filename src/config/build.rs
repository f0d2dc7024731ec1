//! Config builder: turns validated values by key into a typed `Config`; contradictory values are an error here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use toml::Value;

use super::env::Env;
use super::error::{ConfigError, Result, SettingOrigin};
use super::layer::Setting;
use super::{
    ApiKey, Cadence, CaptureConfig, Config, DraftsConfig, EndpointConfig, PrefillMode, RetentionConfig, StoreConfig,
    WebhookConfig, keys, validate,
};
use crate::domain::model::{Api, ModelsConfig, Sampling, Strategy};
use crate::domain::role::{ROLES, Role};

/// The effective values, by key.
pub(super) type Values = BTreeMap<String, Setting>;

/// Builds the configuration.
///
/// # Errors
/// Values contradict each other.
pub(super) fn build(values: &Values, env: &Env) -> Result<Config> {
    let read = SettingsReader { values };
    let model = |role: &str| read.text(&format!("models.{role}")).ok().map(str::to_owned);
    Ok(Config {
        capture: capture(&read)?,
        models: ModelsConfig {
            roles: ROLES.into_iter().filter_map(|role| Some((role, model(role.as_str())?))).collect(),
            default: model("default"),
        },
        endpoints: endpoints(&read, env)?,
        options: ROLES.into_iter().map(|role| Ok((role, sampling(&read, role)?))).collect::<Result<_>>()?,
        drafts: drafts(&read)?,
        publish: webhooks(&read, env)?,
        store: StoreConfig { url: read.text("store.url")?.to_owned() },
        retention: RetentionConfig {
            operations: read.duration("retention.operations")?,
            prompts: read.duration("retention.prompts")?,
            decisions: read.duration("retention.decisions")?,
            problems: read.duration("retention.problems")?,
            squashes: read.duration("retention.squashes")?,
            copies: read.duration("retention.copies")?,
        },
    })
}

fn capture(read: &SettingsReader<'_>) -> Result<CaptureConfig> {
    Ok(CaptureConfig {
        enabled: read.switch("capture.enabled")?,
        budget: read.duration("capture.budget")?,
        strategy: match read.text("capture.strategy")? {
            "single" => Strategy::Single,
            "multi" => Strategy::Multi,
            _ => Strategy::Adaptive,
        },
        refine: read.switch("capture.refine")?,
        read_ahead: match read.text("capture.read_ahead")? {
            "always" => PrefillMode::Always,
            "off" => PrefillMode::Off,
            _ => PrefillMode::Auto,
        },
        exclude_repos: read.list("capture.exclude_repos")?,
        only_repos: read.list("capture.only_repos")?,
        exclude_paths: read.list("capture.exclude_paths")?,
        pulled: read.switch("capture.pulled")?,
        identities: read.list("capture.identities")?,
    })
}

fn drafts(read: &SettingsReader<'_>) -> Result<DraftsConfig> {
    let cadence = |key| {
        Ok(match read.text(key)? {
            "daily" => Cadence::Daily,
            "weekly" => Cadence::Weekly,
            _ => Cadence::Off,
        })
    };
    Ok(DraftsConfig {
        devlog: cadence("drafts.devlog")?,
        blog: cadence("drafts.blog")?,
        window: read.text("drafts.window")?.to_owned(),
        on_battery: read.switch("drafts.on_battery")?,
    })
}

fn sampling(read: &SettingsReader<'_>, role: Role) -> Result<Sampling> {
    let key = |field: &str| format!("options.{}.{field}", role.as_str());
    let (num_ctx, max_tokens) = (read.count(&key("num_ctx"))?, read.count(&key("max_tokens"))?);
    if max_tokens >= num_ctx {
        let message = format!("an answer of {max_tokens} tokens leaves no room for a question in num_ctx = {num_ctx}");
        return Err(read.contradiction(&[key("max_tokens"), key("num_ctx")], message));
    }
    Ok(Sampling {
        temperature: read.number(&key("temperature"))?,
        top_p: read.number(&key("top_p"))?,
        top_k: read.count(&key("top_k"))?,
        repeat_penalty: read.number(&key("repeat_penalty"))?,
        num_ctx,
        max_tokens,
    })
}

fn endpoints(read: &SettingsReader<'_>, env: &Env) -> Result<Vec<EndpointConfig>> {
    let indexes = read.values.keys().filter_map(|key| keys::endpoint_field(key)).map(|(index, _)| index);
    let count = indexes.max().map_or(0, |last| last + 1);
    let mut found: Vec<EndpointConfig> = Vec::with_capacity(count);
    for index in 0..count {
        let next = endpoint(read, index, env)?;
        for (field, same) in [
            ("name", found.iter().any(|other| other.name == next.name)),
            ("url", found.iter().any(|other| other.url == next.url)),
        ] {
            if same {
                let key = format!("endpoints[{index}].{field}");
                return Err(read.contradiction(&[key], format!("an earlier endpoint has the same {field}")));
            }
        }
        found.push(next);
    }
    Ok(found)
}

fn endpoint(read: &SettingsReader<'_>, index: usize, env: &Env) -> Result<EndpointConfig> {
    let key = |field: &str| format!("endpoints[{index}].{field}");
    let api = match read.text(&key("api")) {
        Ok("ollama") => Some(Api::Ollama),
        Ok("openai") => Some(Api::Openai),
        _ => None,
    };
    let url = read.text(&key("url"))?.trim_end_matches('/').to_owned();
    if api == Some(Api::Ollama) && url.ends_with("/v1") {
        let message = "an address that ends in /v1 speaks the OpenAI protocol, not Ollama's".to_owned();
        return Err(read.contradiction(&[key("api"), key("url")], message));
    }
    let variable = read.text(&key("api_key_env")).ok();
    let from_settings = read.text(&key("api_key")).ok();
    if from_settings.is_some() && variable.is_some() {
        let message = "an endpoint has its key from api_key or from api_key_env, not from both".to_owned();
        return Err(read.contradiction(&[key("api_key_env"), key("api_key")], message));
    }
    let from_env = variable.and_then(|name| env.settings_variable(name));
    Ok(EndpointConfig {
        api_key: from_settings.or(from_env.as_deref()).and_then(ApiKey::parse),
        api_key_env: variable.map(str::to_owned),
        name: read.text(&key("name"))?.to_owned(),
        url,
        api,
        max_in_flight: read.count(&key("max_in_flight")).map_or(1, |n| n as usize),
        device: read.text(&key("device")).ok().map(str::to_owned),
        remote: read.switch(&key("remote")).unwrap_or(false),
    })
}

fn webhooks(read: &SettingsReader<'_>, env: &Env) -> Result<Vec<WebhookConfig>> {
    let names: BTreeSet<&str> =
        read.values.keys().filter_map(|key| keys::webhook_field(key)).map(|(name, _)| name).collect();
    let webhook = |name: &str| {
        let key = |field: &str| format!("publish.{name}.{field}");
        let token_env = read.text(&key("token_env")).ok();
        Ok(WebhookConfig {
            name: name.to_owned(),
            url: read.text(&key("url"))?.to_owned(),
            remote: read.switch(&key("remote")).unwrap_or(false),
            token: token_env.and_then(|name| env.settings_variable(name)).as_deref().and_then(ApiKey::parse),
            token_env: token_env.map(str::to_owned),
        })
    };
    names.into_iter().map(webhook).collect()
}

/// Typed access. Values were validated layer by layer, so an error here is a missing key.
struct SettingsReader<'a> {
    values: &'a Values,
}

impl SettingsReader<'_> {
    fn get<'v, T>(&'v self, key: &str, take: impl FnOnce(&'v Value) -> Option<T>) -> Result<T> {
        self.values.get(key).and_then(|setting| take(&setting.value)).ok_or_else(|| self.missing(key))
    }

    fn text(&self, key: &str) -> Result<&str> {
        self.get(key, Value::as_str)
    }

    fn switch(&self, key: &str) -> Result<bool> {
        self.get(key, Value::as_bool)
    }

    fn count(&self, key: &str) -> Result<u32> {
        self.get(key, |value| u32::try_from(value.as_integer()?).ok())
    }

    fn number(&self, key: &str) -> Result<f64> {
        self.get(key, |value| value.as_float().or_else(|| value.as_integer().map(|n| n as f64)))
    }

    fn list(&self, key: &str) -> Result<Vec<String>> {
        self.get(key, |value| value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect())
    }

    fn duration(&self, key: &str) -> Result<Duration> {
        self.get(key, |value| validate::duration(value.as_str()?, 0, u64::MAX).ok())
    }

    fn missing(&self, key: &str) -> ConfigError {
        let section = key.rsplit_once('.').map_or("", |(section, _)| section);
        let nearby = self.values.iter().find(|(name, _)| name.starts_with(section));
        let origin = nearby.map_or(SettingOrigin::BuiltIn, |(_, setting)| setting.origin.clone());
        ConfigError::Invalid { key: key.to_owned(), message: "is missing".to_owned(), origin }
    }

    /// The error names the value of the highest layer, and the first of `keys` within one layer.
    fn contradiction(&self, keys: &[String], message: String) -> ConfigError {
        let blamed = keys.iter().rev().max_by_key(|key| self.values.get(*key).map(|setting| setting.origin.layer()));
        let key = blamed.cloned().unwrap_or_default();
        let origin = self.values.get(&key).map_or(SettingOrigin::BuiltIn, |setting| setting.origin.clone());
        ConfigError::Invalid { key, message, origin }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::layer::check_file;

    fn error(text: &str) -> String {
        check_file(text, Path::new("c.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_documented_file_is_accepted_and_means_what_it_says() {
        let text = r#"
            [capture]
            budget = "2s"
            strategy = "multi"
            refine = false
            exclude_repos = ["/secret/**"]
            exclude_paths = ["*.lock", "dist/**"]
            [models]
            capture = "orca-mini:3b"
            default = "mistral:latest"
            [[endpoints]]
            name = "local"
            url = "http://127.0.0.1:11434/"
            api = "auto"
            max_in_flight = 2
            remote = false
            [options.blog]
            temperature = 1
            [drafts]
            devlog = "off"
            [store]
            url = "sqlite:"
            [publish.blog]
            url = "https://blog.example/hooks/v1"
            remote = true
            token_env = "BLOG_TOKEN"
            [retention]
            operations = "30d"
            prompts = "2w"
            copies = "7d"
        "#;
        let config = check_file(text, Path::new("c.toml")).unwrap().config;
        assert_eq!(config.capture.strategy, Strategy::Multi);
        assert!(!config.capture.refine);
        assert_eq!(config.models.roles[&Role::Capture], "orca-mini:3b");
        assert_eq!(config.models.default.as_deref(), Some("mistral:latest"));
        let expected = EndpointConfig { max_in_flight: 2, ..EndpointConfig::local("local", "http://127.0.0.1:11434") };
        assert_eq!(config.endpoints, [expected]);
        assert!((config.options[&Role::Blog].temperature - 1.0).abs() < f64::EPSILON);
        assert_eq!(config.options[&Role::Blog].max_tokens, 2000, "what is not set stays built-in");
        assert_eq!(config.drafts.devlog, Cadence::Off);
        let webhook = WebhookConfig {
            name: "blog".to_owned(),
            url: "https://blog.example/hooks/v1".to_owned(),
            remote: true,
            token_env: Some("BLOG_TOKEN".to_owned()),
            token: None,
        };
        assert_eq!(config.publish, [webhook]);
        let days = |n: u64| Duration::from_secs(n * 86_400);
        let expected = RetentionConfig {
            operations: days(30),
            prompts: days(14),
            decisions: days(90),
            problems: days(90),
            squashes: days(90),
            copies: days(7),
        };
        assert_eq!(config.retention, expected);
    }

    #[test]
    fn contradictions_name_the_line() {
        let twice = |field: &str| {
            let entry = |n: u8| {
                let (name, url) = if field == "name" { (0, n) } else { (n, 0) };
                format!("[[endpoints]]\nname = \"e{name}\"\nurl = \"http://127.0.0.1:8{url}\"\n")
            };
            entry(1) + &entry(2)
        };
        for (text, expected) in [
            (twice("name"), "endpoints[1].name: an earlier endpoint has the same name: c.toml, line 5"),
            (twice("url"), "endpoints[1].url: an earlier endpoint has the same url: c.toml, line 6"),
            (
                "[options.blog]\nnum_ctx = 1024\n".to_owned(),
                "options.blog.num_ctx: an answer of 2000 tokens leaves no room for a question in num_ctx = 1024: c.toml, line 2",
            ),
            (
                "[[endpoints]]\nname = \"a\"\nurl = \"http://127.0.0.1:1/v1\"\napi = \"ollama\"\n".to_owned(),
                "endpoints[0].api: an address that ends in /v1 speaks the OpenAI protocol, not Ollama's: c.toml, line 4",
            ),
            ("[[endpoints]]\nname = \"a\"\n".to_owned(), "endpoints[0].url: is missing: c.toml, line 2"),
            ("[publish.blog]\nremote = true\n".to_owned(), "publish.blog.url: is missing: c.toml, line 2"),
        ] {
            assert_eq!(error(&text), expected);
        }
    }

    #[test]
    fn an_empty_endpoint_entry_is_an_error() {
        assert!(
            error("[[endpoints]]\n[[endpoints]]\nname = \"b\"\nurl = \"http://127.0.0.1:1\"\n").contains("is missing")
        );
    }
}
