//! Default settings: `defaults.toml` as the lowest layer, and as typed values.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cadence, CaptureConfig, Config, DraftsConfig, EndpointConfig, ReadAhead, RetentionConfig, StoreConfig};
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
    pub fn closed() -> Self {
        let everything = || vec!["**".to_owned()];
        let capture = CaptureConfig {
            enabled: false,
            refine: false,
            read_ahead: ReadAhead::Off,
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
            read_ahead: ReadAhead::Auto,
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
    let (temperature, repeat_penalty, num_ctx, max_tokens) = match role {
        // A single sentence, with names only from the facts.
        Role::Capture => (0.2, 1.0, 4096, 80),
        Role::Devlog => (0.3, 1.1, 8192, 800),
        Role::Blog => (0.7, 1.1, 8192, 2000),
        Role::Social => (0.8, 1.1, 8192, 300),
        Role::Status => (0.3, 1.1, 8192, 600),
    };
    Sampling { temperature, top_p: 0.9, top_k: 40, repeat_penalty, num_ctx, max_tokens }
}
