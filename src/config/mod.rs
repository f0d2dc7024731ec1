//! Settings: typed configuration, the origin of each value, and file locations.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::domain::model::{Api, ModelsConfig, Sampling, Strategy};
use crate::domain::role::Role;

mod build;
mod defaults;
pub mod edit;
pub mod env;
mod error;
mod file;
pub mod keys;
pub mod layer;
pub mod paths;
pub mod validate;

pub use env::Env;
pub use error::{ConfigError, Layer, SettingOrigin};
pub use keys::ApiKey;
pub use layer::{Loaded, Overrides, UserFile, load, load_over};
pub use paths::Paths;

/// All settings after merging the layers. Shapes and defaults are those of the documented file.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub capture: CaptureConfig,
    pub models: ModelsConfig,
    pub endpoints: Vec<EndpointConfig>,
    /// Per role, complete (defaults filled in).
    pub options: BTreeMap<Role, Sampling>,
    pub drafts: DraftsConfig,
    /// Webhooks, by name; none unless configured.
    pub publish: Vec<WebhookConfig>,
    pub store: StoreConfig,
    pub retention: RetentionConfig,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CaptureConfig {
    /// `git config uro.capture false` disables capturing in a repository.
    pub enabled: bool,
    pub budget: Duration,
    pub strategy: Strategy,
    pub refine: bool,
    pub read_ahead: PrefillMode,
    /// Globs over the work tree's absolute path.
    pub exclude_repos: Vec<String>,
    /// Globs over the work tree's absolute path; if there are any, other repositories are not captured.
    pub only_repos: Vec<String>,
    /// Globs over paths in the repository.
    pub exclude_paths: Vec<String>,
    /// Also capture the user's own commits that arrive by pull.
    pub pulled: bool,
    /// E-mail addresses of the user beside `user.email`.
    pub identities: Vec<String>,
}

/// When the prefix cache may be filled with staged changes before the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefillMode {
    /// With mains power and without pressure on the machine.
    Auto,
    Always,
    Off,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointConfig {
    pub name: String,
    pub url: String,
    /// `None`: detected (`auto`).
    pub api: Option<Api>,
    pub max_in_flight: usize,
    /// Name of the compute device, if not simply its machine: endpoints of one device share its queue.
    pub device: Option<String>,
    /// A non-loopback address is refused unless true.
    pub remote: bool,
    /// The server's key, from `api_key` or from the variable named by `api_key_env`; absent without either.
    pub api_key: Option<ApiKey>,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
}

/// A webhook that drafts can be sent to by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    pub name: String,
    pub url: String,
    /// A non-loopback address is refused unless true.
    pub remote: bool,
    /// The environment variable that holds the bearer token.
    pub token_env: Option<String>,
    /// The token in it; absent if the variable is unset.
    pub token: Option<ApiKey>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftsConfig {
    pub devlog: Cadence,
    pub blog: Cadence,
    /// Local wall-clock window of the draft batch. Not used yet: `draft run` starts it.
    pub window: String,
    /// Whether the draft batch may run on battery. Not used yet.
    pub on_battery: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    Daily,
    Weekly,
    Off,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// Only `sqlite:` is used yet.
    pub url: String,
}

impl StoreConfig {
    /// The warning for a `url` that is not used yet; captures go to `database` instead.
    #[must_use]
    pub fn unused(&self, database: &Path) -> Option<String> {
        let message = || format!("store.url is not used yet: captures are stored in {}", database.display());
        (self.url != STORE_URL).then(message)
    }
}

/// The only supported `store.url`.
pub const STORE_URL: &str = "sqlite:";

/// Retention times of data other than captures and drafts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionConfig {
    /// The latency log.
    pub operations: Duration,
    /// Requests sent to a model for captures (`show --wire`).
    pub prompts: Duration,
    /// The router's decisions.
    pub decisions: Duration,
    /// Problems, since their last occurrence.
    pub problems: Duration,
    /// Prepared squash merges.
    pub squashes: Duration,
    /// Copies of the store from before a migration, and damaged ones.
    pub copies: Duration,
}
