//! Settings schema: every key with its shape; the single list behind the file, git, the environment and flags.

use crate::domain::role::{ROLES, Role};

/// Type and range of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueShape {
    Switch,
    /// `2s`, `90d`: within these bounds, in milliseconds.
    Duration {
        min: u64,
        max: u64,
    },
    Count {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    Choice(&'static [&'static str]),
    /// A list of globs.
    Globs,
    /// A list of non-empty texts.
    Names,
    /// `02:00-06:00`, may cross midnight.
    Window,
    /// A non-empty text.
    Name,
    /// A non-empty text that is never shown: no message quotes it.
    Secret,
    /// The name of an environment variable.
    Variable,
    /// `http://host:port[/path]`.
    Endpoint,
    /// `sqlite:[PATH]` or `postgres://…`.
    Store,
}

/// A key of the schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettingKey {
    pub shape: ValueShape,
    /// True if a repository may set it. Data destinations and the machine's working times are for the user alone.
    pub by_repository: bool,
}

pub const STRATEGIES: &[&str] = &["single", "multi", "adaptive"];
/// When a prompt may be prefilled before its commit exists: with spare capacity and mains power, always, or
/// never.
pub const READ_AHEAD: &[&str] = &["auto", "always", "off"];
pub const CADENCES: &[&str] = &["daily", "weekly", "off"];
pub const APIS: &[&str] = &["auto", "ollama", "openai"];

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// Range of the retention times.
const KEPT: ValueShape = ValueShape::Duration { min: DAY, max: 36_500 * DAY };

/// Keys outside `endpoints`, `models` and `options`.
const PLAIN: &[(&str, ValueShape, bool)] = &[
    ("capture.enabled", ValueShape::Switch, true),
    ("capture.budget", ValueShape::Duration { min: 100, max: 60 * SECOND }, true),
    ("capture.strategy", ValueShape::Choice(STRATEGIES), true),
    ("capture.refine", ValueShape::Switch, true),
    ("capture.read_ahead", ValueShape::Choice(READ_AHEAD), false),
    ("capture.exclude_repos", ValueShape::Globs, false),
    ("capture.only_repos", ValueShape::Globs, false),
    ("capture.exclude_paths", ValueShape::Globs, true),
    ("capture.pulled", ValueShape::Switch, true),
    ("capture.identities", ValueShape::Names, true),
    ("drafts.devlog", ValueShape::Choice(CADENCES), true),
    ("drafts.blog", ValueShape::Choice(CADENCES), true),
    ("drafts.window", ValueShape::Window, false),
    ("drafts.on_battery", ValueShape::Switch, false),
    ("store.url", ValueShape::Store, false),
    ("retention.operations", KEPT, false),
    ("retention.prompts", KEPT, false),
    ("retention.decisions", KEPT, false),
    ("retention.problems", KEPT, false),
    ("retention.squashes", KEPT, false),
    ("retention.copies", KEPT, false),
];

/// Options of one role. Ranges are those that every supported server accepts; 0 disables `top_k`.
const SAMPLING: &[(&str, ValueShape)] = &[
    ("temperature", ValueShape::Number { min: 0.0, max: 2.0 }),
    ("top_p", ValueShape::Number { min: 0.01, max: 1.0 }),
    ("top_k", ValueShape::Count { min: 0, max: 1_000 }),
    ("repeat_penalty", ValueShape::Number { min: 0.5, max: 2.0 }),
    ("num_ctx", ValueShape::Count { min: 512, max: 1 << 20 }),
    ("max_tokens", ValueShape::Count { min: 1, max: 32_768 }),
];

/// Fields of one `[[endpoints]]` entry.
pub const ENDPOINT: &[(&str, ValueShape)] = &[
    ("name", ValueShape::Name),
    ("url", ValueShape::Endpoint),
    ("api", ValueShape::Choice(APIS)),
    ("max_in_flight", ValueShape::Count { min: 1, max: 64 }),
    ("device", ValueShape::Name),
    ("remote", ValueShape::Switch),
    ("api_key", ValueShape::Secret),
    ("api_key_env", ValueShape::Variable),
];

/// The sections of the file.
pub const SECTIONS: &[&str] = &["capture", "models", "endpoints", "options", "drafts", "store", "retention"];

/// The shape of the key `name` (`capture.budget`, `options.blog.top_p`, `endpoints[0].url`), if it exists.
#[must_use]
pub fn find_key(name: &str) -> Option<SettingKey> {
    if let Some((_, field)) = endpoint_field(name) {
        return shape_in(ENDPOINT, field).map(|shape| SettingKey { shape, by_repository: false });
    }
    if let Some((_, shape, by_repository)) = PLAIN.iter().find(|(key, ..)| *key == name) {
        return Some(SettingKey { shape: *shape, by_repository: *by_repository });
    }
    let shape = match name.split('.').collect::<Vec<_>>().as_slice() {
        ["models", role] if *role == "default" || parse_role(role).is_some() => Some(ValueShape::Name),
        ["options", role, field] if parse_role(role).is_some() => shape_in(SAMPLING, field),
        _ => None,
    }?;
    Some(SettingKey { shape, by_repository: true })
}

/// True if the value of this key must not be shown.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    // A misspelt name may have been meant as a secret key, too.
    find_key(name).map_or_else(|| name.to_lowercase().contains("key"), |key| key.shape == ValueShape::Secret)
}

/// Splits `endpoints[2].url` into 2 and `url`.
#[must_use]
pub fn endpoint_field(name: &str) -> Option<(usize, &str)> {
    let (index, field) = name.strip_prefix("endpoints[")?.split_once("].")?;
    Some((index.parse().ok()?, field))
}

/// All keys with a fixed name: all except the endpoints' fields.
pub fn fixed() -> impl Iterator<Item = String> {
    let plain = PLAIN.iter().map(|(key, ..)| (*key).to_owned());
    let models = ROLES.iter().map(|role| format!("models.{}", role.as_str()));
    let options = ROLES
        .iter()
        .flat_map(|role| SAMPLING.iter().map(move |(field, _)| format!("options.{}.{field}", role.as_str())));
    plain.chain(models).chain(["models.default".to_owned()]).chain(options)
}

/// The environment variable of a key: `capture.budget` → `URO_CAPTURE_BUDGET`.
#[must_use]
pub fn env_name(key: &str) -> String {
    format!("URO_{}", key.replace('.', "_").to_uppercase())
}

/// Maps a name in git's configuration to its key. Git allows no underscores in names and ignores their case:
/// `capture.excludePaths`, `capture.exclude-paths` → `capture.exclude_paths`; `capture` alone → `capture.enabled`.
#[must_use]
pub fn from_git_name(name: &str) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let wanted = plain(name);
    if wanted == "capture" {
        return Some("capture.enabled".to_owned());
    }
    fixed().find(|key| plain(key) == wanted)
}

#[must_use]
pub fn parse_role(name: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role.as_str() == name)
}

fn shape_in(fields: &[(&str, ValueShape)], field: &str) -> Option<ValueShape> {
    fields.iter().find(|(name, _)| *name == field).map(|(_, shape)| *shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixed_key_is_found_and_has_its_own_environment_name() {
        let names: std::collections::BTreeSet<_> = fixed().map(|key| env_name(&key)).collect();
        assert_eq!(names.len(), fixed().count());
        assert!(fixed().all(|key| find_key(&key).is_some()));
        assert!(names.contains("URO_CAPTURE_BUDGET") && names.contains("URO_MODELS_CAPTURE"));
    }

    #[test]
    fn git_names_are_matched_without_case_and_separators() {
        for (git, key) in [
            ("capture", "capture.enabled"),
            ("capture.budget", "capture.budget"),
            ("capture.excludepaths", "capture.exclude_paths"),
            ("capture.exclude-paths", "capture.exclude_paths"),
            ("capture.pulled", "capture.pulled"),
            ("options.blog.topp", "options.blog.top_p"),
        ] {
            assert_eq!(from_git_name(git).as_deref(), Some(key));
        }
        assert_eq!(from_git_name("capture.bugdet"), None);
    }

    #[test]
    fn a_repository_may_not_say_where_data_goes() {
        for key in ["store.url", "endpoints[0].url", "endpoints[0].remote", "drafts.window", "retention.operations"] {
            assert!(!find_key(key).unwrap().by_repository, "{key}");
        }
        assert!(find_key("capture.enabled").unwrap().by_repository);
    }

    #[test]
    fn what_is_no_key_is_not_found() {
        for name in
            ["", "capture", "capture.bugdet", "models.captur", "options.blog", "options.x.top_p", "endpoints[x].url"]
        {
            assert_eq!(find_key(name), None, "{name}");
        }
    }
}
