//! Default settings: `defaults.toml` as the lowest layer, as typed values, and the endpoints where none is configured.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use toml::Value;

use super::env::{self, Env};
use super::error::{ConfigError, Result, SettingOrigin};
use super::layer::{Setting, ollama_host};
use super::{
    Cadence, CaptureConfig, Config, DraftsConfig, EndpointConfig, PrefillMode, RetentionConfig, StoreConfig, validate,
};
use crate::domain::model::{ModelsConfig, Sampling, Strategy};
use crate::domain::role::{ROLES, Role};

/// The lowest layer.
pub(super) const TEXT: &str = include_str!("defaults.toml");

/// Default addresses of model servers: (name, address). Ollama's own default port, and for
/// llama.cpp's server its default port and that of its Python package's server. The server behind an address is
/// detected by requests.
pub(super) const ENDPOINTS: [(&str, &str); 3] = [
    ("ollama", "http://127.0.0.1:11434"),
    ("llama.cpp", "http://127.0.0.1:8080"),
    ("llama.cpp-9931", "http://127.0.0.1:9931"),
];

impl Config {
    /// Fail-safe settings while the file is unreadable and no earlier settings are known: nothing is captured, sent to
    /// a model or prefilled.
    #[must_use]
    pub fn fail_safe() -> Self {
        let everything = || vec!["**".to_owned()];
        let capture = CaptureConfig {
            enabled: false,
            refine: false,
            read_ahead: PrefillMode::Off,
            exclude_repos: everything(),
            exclude_paths: everything(),
            ..CaptureConfig::default()
        };
        Self { capture, endpoints: Vec::new(), ..Self::default() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capture: CaptureConfig::default(),
            models: ModelsConfig::default(),
            endpoints: ENDPOINTS.iter().map(|(name, url)| EndpointConfig::local(name, url)).collect(),
            options: ROLES.into_iter().map(|role| (role, sampling(role))).collect::<BTreeMap<_, _>>(),
            drafts: DraftsConfig::default(),
            publish: Vec::new(),
            store: StoreConfig { url: "sqlite:".to_owned() },
            retention: RetentionConfig::default(),
        }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        Self {
            operations: days(90),
            prompts: days(90),
            decisions: days(90),
            problems: days(90),
            squashes: days(90),
            copies: days(30),
        }
    }
}

impl Default for CaptureConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            budget: Duration::from_secs(2),
            strategy: Strategy::Adaptive,
            refine: true,
            read_ahead: PrefillMode::Auto,
            exclude_repos: Vec::new(),
            only_repos: Vec::new(),
            exclude_paths: vec!["*.lock".to_owned(), "dist/**".to_owned()],
            pulled: false,
            identities: Vec::new(),
        }
    }
}

impl Default for DraftsConfig {
    fn default() -> Self {
        Self { devlog: Cadence::Daily, blog: Cadence::Weekly, window: "02:00-06:00".to_owned(), on_battery: false }
    }
}

impl EndpointConfig {
    /// An endpoint with all defaults: api detected, one request at a time, not remote, no key.
    #[must_use]
    pub fn local(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            api: None,
            max_in_flight: 1,
            device: None,
            remote: false,
            api_key: None,
            api_key_env: None,
        }
    }
}

fn sampling(role: Role) -> Sampling {
    let (num_ctx, max_tokens) = match role {
        Role::Capture => (4096, 80),
        Role::Devlog => (8192, 800),
        Role::Blog => (8192, 2000),
        Role::Social => (8192, 300),
        Role::Status => (8192, 600),
    };
    // Every text is held against what it is about: names and words come from there, and a penalty on repetition would
    // forbid just that.
    Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.0, num_ctx, max_tokens }
}

/// Ollama's default port (envconfig/config.go).
const OLLAMA_PORT: u16 = 11434;

/// The default endpoints: `OLLAMA_HOST` (or Ollama's default) first, then llama.cpp's usual ports.
///
/// # Errors
/// `OLLAMA_HOST` is not an address.
pub fn default_endpoints(env: &Env) -> Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for (index, (name, url)) in ENDPOINTS.into_iter().enumerate() {
        let (url, origin) = match env.text(env::OLLAMA_HOST) {
            Some(host) if index == 0 => (url_of(host)?, ollama_host()),
            _ => (url.to_owned(), SettingOrigin::BuiltIn),
        };
        for (field, value) in [("name", name.to_owned()), ("url", url)] {
            let key = format!("endpoints[{index}].{field}");
            settings.push(Setting { key, value: Value::String(value), origin: origin.clone() });
        }
    }
    Ok(settings)
}

/// Parses and validates `OLLAMA_HOST`. An address with credentials is refused: its password would parse as a port.
fn url_of(host: &str) -> Result<String> {
    let url = normalise_host(host);
    match validate::address(&url) {
        Ok(_) if !host.contains('@') => Ok(url),
        _ => Err(ConfigError::Invalid {
            key: "endpoints[0].url".to_owned(),
            message: format!("{host:?} is not an address"),
            origin: ollama_host(),
        }),
    }
}

/// Normalises `OLLAMA_HOST` as Ollama's clients do (its envconfig and test table):
/// no scheme → http and port 11434; `http://h` → 80; `https://h` → 443; a bad port → the default.
fn normalise_host(value: &str) -> String {
    let value = value.trim().trim_matches(['"', '\'']).trim();
    let (scheme, rest, default_port) = match value.split_once("://") {
        None if value == "ollama.com" => ("https", value, 443),
        None => ("http", value, OLLAMA_PORT),
        Some(("http", rest)) => ("http", rest, 80),
        Some(("https", rest)) => ("https", rest, 443),
        Some((_, rest)) => ("http", rest, OLLAMA_PORT),
    };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let (host, port) = split_port(authority, default_port);
    let host = match host.as_str() {
        "" | "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "::1".to_owned(),
        _ => host,
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let path = path.trim_end_matches('/');
    if path.is_empty() { format!("{scheme}://{host}:{port}") } else { format!("{scheme}://{host}:{port}/{path}") }
}

fn split_port(authority: &str, default_port: u16) -> (String, u16) {
    let bare = |host: &str| host.trim_matches(['[', ']']).to_owned();
    if authority.parse::<Ipv6Addr>().is_ok() || authority.ends_with(']') {
        return (bare(authority), default_port);
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (bare(host), port.parse().unwrap_or(default_port)),
        None => (bare(authority), default_port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ollama_host_is_read_as_ollama_reads_it() {
        for (value, url) in [
            ("", "http://127.0.0.1:11434"),
            ("1.2.3.4", "http://1.2.3.4:11434"),
            (":1234", "http://127.0.0.1:1234"),
            ("1.2.3.4:1234", "http://1.2.3.4:1234"),
            ("http://1.2.3.4", "http://1.2.3.4:80"),
            ("http://1.2.3.4:1234", "http://1.2.3.4:1234"),
            ("https://1.2.3.4", "https://1.2.3.4:443"),
            ("https://1.2.3.4:1234", "https://1.2.3.4:1234"),
            ("https://example.com/ollama", "https://example.com:443/ollama"),
            ("example.com", "http://example.com:11434"),
            ("example.com:1234", "http://example.com:1234"),
            ("example.com/", "http://example.com:11434"),
            ("[::1]", "http://[::1]:11434"),
            ("::1", "http://[::1]:11434"),
            ("[::1]:1337", "http://[::1]:1337"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("[::]:1", "http://[::1]:1"),
            ("0.0.0.0:66000", "http://127.0.0.1:11434"),
            ("0.0.0.0:-1", "http://127.0.0.1:11434"),
            ("  \"1.2.3.4\"  ", "http://1.2.3.4:11434"),
            ("' 1.2.3.4 '", "http://1.2.3.4:11434"),
            ("ollama.com", "https://ollama.com:443"),
        ] {
            assert_eq!(url_of(value).unwrap(), url, "{value:?}");
        }
    }

    #[test]
    fn a_host_that_is_no_address_is_an_error_naming_the_variable() {
        for bad in ["http://me:pw@box", "a b", "http://a?b"] {
            assert!(url_of(bad).unwrap_err().to_string().ends_with("environment variable OLLAMA_HOST"), "{bad}");
        }
    }

    #[test]
    fn only_the_first_endpoint_follows_the_variable() {
        let found = default_endpoints(&Env::from_pairs(&[(env::OLLAMA_HOST, ":1")])).unwrap();
        let urls =
            found.iter().filter(|s| s.key.ends_with("url")).map(|s| (&s.value, s.origin == SettingOrigin::BuiltIn));
        let urls: Vec<_> = urls.map(|(value, built_in)| (value.as_str().unwrap(), built_in)).collect();
        assert_eq!(
            urls,
            [("http://127.0.0.1:1", false), ("http://127.0.0.1:8080", true), ("http://127.0.0.1:9931", true)]
        );
    }
}
