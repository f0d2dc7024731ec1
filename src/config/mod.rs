//! Settings: what can be set, where each value came from, and where files live.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::domain::model::{Api, Sampling};
use crate::domain::role::Role;

mod build;
mod defaults;
pub mod edit;
mod endpoints;
pub mod env;
mod error;
mod file;
pub mod keys;
pub mod layer;
pub mod paths;
pub mod secret;
pub mod validate;

pub use env::Env;
pub use error::{ConfigError, Layer, Origin};
pub use layer::{Loaded, Overrides, UserFile, load, load_over};
pub use paths::Paths;
pub use secret::ApiKey;

/// Everything that can be set, after all layers. Shapes and defaults are those of the documented file.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub capture: CaptureConfig,
    pub models: ModelsConfig,
    pub endpoints: Vec<EndpointConfig>,
    /// Per role, complete (defaults filled in).
    pub options: BTreeMap<Role, Sampling>,
    pub drafts: DraftsConfig,
    pub store: StoreConfig,
    pub retention: RetentionConfig,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CaptureConfig {
    /// `git config uro.capture false` switches a repository off.
    pub enabled: bool,
    pub budget: Duration,
    pub strategy: Strategy,
    pub refine: bool,
    pub read_ahead: ReadAhead,
    /// Globs over the work tree's absolute path.
    pub exclude_repos: Vec<String>,
    /// Globs over the work tree's absolute path; where there are any, other repositories are not captured.
    pub only_repos: Vec<String>,
    /// Globs over paths in the repository.
    pub exclude_paths: Vec<String>,
    /// The user's own commits are captured also when they arrive by pull.
    pub pulled: bool,
    /// E-mail addresses of the user beside `user.email`.
    pub identities: Vec<String>,
}

/// When a model may read what is staged before it is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAhead {
    /// While the machine is not on battery and not under pressure.
    Auto,
    Always,
    Off,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointConfig {
    pub name: String,
    pub url: String,
    /// Absent: found out by asking (`auto`).
    pub api: Option<Api>,
    pub max_in_flight: usize,
    /// Names what it computes on, where that is not simply its machine: endpoints of one device share its turns.
    pub device: Option<String>,
    /// A non-loopback address is refused unless true.
    pub remote: bool,
    /// The server's key, from `api_key` or from the variable that `api_key_env` names; absent where neither gives one.
    pub api_key: Option<ApiKey>,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftsConfig {
    pub devlog: Cadence,
    pub blog: Cadence,
    /// Local wall-clock window in which drafts are to be written. Not used yet: `draft run` writes them.
    pub window: String,
    /// Whether drafts are to be written on battery. Not used yet.
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
    /// Words about a `url` that is not used yet; `database` is where captures are stored instead.
    #[must_use]
    pub fn unused(&self, database: &Path) -> Option<String> {
        let words = || format!("store.url is not used yet: captures are stored in {}", database.display());
        (self.url != STORE_URL).then(words)
    }
}

/// The one `store.url` that is used.
pub const STORE_URL: &str = "sqlite:";

/// How long what is not a capture or a draft is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionConfig {
    /// The latency log.
    pub operations: Duration,
    /// What was sent to a model about captures (`show --wire`).
    pub prompts: Duration,
    /// Why a model was asked about a capture, or none.
    pub decisions: Duration,
    /// Things that went wrong, since they were last met.
    pub problems: Duration,
    /// Squash merges that were prepared.
    pub squashes: Duration,
    /// Copies of the store of before a migration, and damaged ones.
    pub copies: Duration,
}
