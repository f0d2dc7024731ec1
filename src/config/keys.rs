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
    /// One sentence in Markdown for the settings reference (`docs/settings.md`).
    pub about: &'static str,
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

/// Keys outside `endpoints`, `models` and `options`: name, shape, whether a repository may set it, what it is for.
const PLAIN: &[(&str, ValueShape, bool, &str)] = &[
    ("capture.enabled", ValueShape::Switch, true, "Capture commits. In git: `git config uro.capture false`."),
    (
        "capture.budget",
        ValueShape::Duration { min: 100, max: 60 * SECOND },
        true,
        "Time from the hook's stamp or the key press until the text is final.",
    ),
    (
        "capture.strategy",
        ValueShape::Choice(STRATEGIES),
        true,
        "Which models are asked, see [Strategies](models.md#strategies).",
    ),
    (
        "capture.refine",
        ValueShape::Switch,
        true,
        "Replace a template by a model's text later, when the machine is idle.",
    ),
    (
        "capture.read_ahead",
        ValueShape::Choice(READ_AHEAD),
        false,
        "Let the model read the staged change while you write the message; `auto`: not on battery or under load.",
    ),
    ("capture.exclude_repos", ValueShape::Globs, false, "Repositories that are never captured."),
    ("capture.only_repos", ValueShape::Globs, false, "If not empty, no other repository is captured."),
    (
        "capture.exclude_paths",
        ValueShape::Globs,
        true,
        "Files that are never in a prompt. Files that only `*.lock` matches are read for their packages, others not.",
    ),
    ("capture.pulled", ValueShape::Switch, true, "Also capture your own commits that a pull brings."),
    ("capture.identities", ValueShape::Names, true, "Your mail addresses besides git's `user.email`."),
    ("drafts.devlog", ValueShape::Choice(CADENCES), true, "How often a devlog is due."),
    ("drafts.blog", ValueShape::Choice(CADENCES), true, "How often a blog post is due."),
    ("drafts.window", ValueShape::Window, false, "When drafts may be written. Not used yet."),
    ("drafts.on_battery", ValueShape::Switch, false, "Write drafts on battery. Not used yet."),
    (
        "store.url",
        ValueShape::Store,
        false,
        "Where captures are stored. Only `sqlite:`, a file of this machine, is used yet.",
    ),
    ("retention.operations", KEPT, false, "The log behind `uro-capture latency`."),
    ("retention.prompts", KEPT, false, "What `uro-capture show --wire` prints."),
    ("retention.decisions", KEPT, false, "Why a model was asked, or none."),
    ("retention.problems", KEPT, false, "Problems in `uro-capture status`, counted from the last time they occurred."),
    ("retention.squashes", KEPT, false, "Squash merges that were prepared."),
    ("retention.copies", KEPT, false, "Database files from before a migration, and damaged ones."),
];

/// Options of one role. Ranges are those that every supported server accepts; 0 disables `top_k`.
const SAMPLING: &[(&str, ValueShape, &str)] = &[
    ("temperature", ValueShape::Number { min: 0.0, max: 2.0 }, "Higher values make the text more varied."),
    ("top_p", ValueShape::Number { min: 0.01, max: 1.0 }, "Share of the probability that tokens are drawn from."),
    ("top_k", ValueShape::Count { min: 0, max: 1_000 }, "Number of tokens that are drawn from; 0: no limit."),
    ("repeat_penalty", ValueShape::Number { min: 0.5, max: 2.0 }, "Values above 1 make repetitions less likely."),
    ("num_ctx", ValueShape::Count { min: 512, max: 1 << 20 }, "Context length in tokens, prompt and answer together."),
    ("max_tokens", ValueShape::Count { min: 1, max: 32_768 }, "Longest answer in tokens; less than `num_ctx`."),
];

/// Fields of one `[[endpoints]]` entry.
pub const ENDPOINT: &[(&str, ValueShape, &str)] = &[
    ("name", ValueShape::Name, "How messages call it; required and unique."),
    ("url", ValueShape::Endpoint, "Its address; required and unique."),
    ("api", ValueShape::Choice(APIS), "The protocol; `auto` finds out by asking."),
    ("max_in_flight", ValueShape::Count { min: 1, max: 64 }, "Requests at a time."),
    (
        "device",
        ValueShape::Name,
        "What it computes on: endpoints of one device share a queue. Without it, those of one host do.",
    ),
    ("remote", ValueShape::Switch, "Allow an address that is not loopback."),
    ("api_key", ValueShape::Secret, "The key that the server wants. Never printed or logged."),
    ("api_key_env", ValueShape::Variable, "The variable that holds the key, instead of `api_key`."),
];

/// Fields of one `[publish.NAME]` section.
pub const WEBHOOK: &[(&str, ValueShape, &str)] = &[
    ("url", ValueShape::Endpoint, "Where `draft publish --to NAME` posts a draft; required."),
    ("remote", ValueShape::Switch, "Allow an address that is not loopback."),
    ("token_env", ValueShape::Variable, "The variable that holds the bearer token, if the server wants one."),
];

/// The sections of the file.
pub const SECTIONS: &[&str] = &["capture", "models", "endpoints", "options", "drafts", "publish", "store", "retention"];

/// The shape of the key `name` (`capture.budget`, `options.blog.top_p`, `endpoints[0].url`), if it exists.
#[must_use]
pub fn find_key(name: &str) -> Option<SettingKey> {
    if let Some((_, field)) = endpoint_field(name) {
        return key_in(ENDPOINT, field, false);
    }
    if let Some((_, field)) = webhook_field(name) {
        return key_in(WEBHOOK, field, false);
    }
    if let Some(&(_, shape, by_repository, about)) = PLAIN.iter().find(|(key, ..)| *key == name) {
        return Some(SettingKey { shape, by_repository, about });
    }
    let model = |about| Some(SettingKey { shape: ValueShape::Name, by_repository: true, about });
    match name.split('.').collect::<Vec<_>>().as_slice() {
        ["models", "default"] => model("The only model of `capture.strategy = \"single\"`."),
        ["models", role] if parse_role(role).is_some() => {
            model("The role's model; without it, chosen from those offered.")
        }
        ["options", role, field] if parse_role(role).is_some() => key_in(SAMPLING, field, true),
        _ => None,
    }
}

/// True if the value of this key must not be shown.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    // A misspelt name may have been meant as a secret key, too.
    find_key(name).map_or_else(
        || ["key", "token"].iter().any(|word| name.to_lowercase().contains(word)),
        |key| key.shape == ValueShape::Secret,
    )
}

/// Splits `endpoints[2].url` into 2 and `url`.
#[must_use]
pub fn endpoint_field(name: &str) -> Option<(usize, &str)> {
    let (index, field) = name.strip_prefix("endpoints[")?.split_once("].")?;
    Some((index.parse().ok()?, field))
}

/// Splits `publish.blog.url` into `blog` and `url`.
#[must_use]
pub fn webhook_field(name: &str) -> Option<(&str, &str)> {
    let (name, field) = name.strip_prefix("publish.")?.split_once('.')?;
    is_webhook_name(name).then_some((name, field))
}

/// Letters, digits, `-` and `_`, and no `-` first: that would be standard output, or an option.
#[must_use]
pub fn is_webhook_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_part)
}

/// All keys with a fixed name: all except the fields of endpoints and webhooks.
pub fn fixed() -> impl Iterator<Item = String> {
    let plain = PLAIN.iter().map(|(key, ..)| (*key).to_owned());
    let models = ROLES.iter().map(|role| format!("models.{}", role.as_str()));
    let options = ROLES
        .iter()
        .flat_map(|role| SAMPLING.iter().map(move |(field, ..)| format!("options.{}.{field}", role.as_str())));
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

fn key_in(fields: &[(&str, ValueShape, &'static str)], field: &str, by_repository: bool) -> Option<SettingKey> {
    let &(_, shape, about) = fields.iter().find(|(name, ..)| *name == field)?;
    Some(SettingKey { shape, by_repository, about })
}

/// Bearer token of one endpoint. `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Placeholder for a key wherever settings are shown.
pub const HIDDEN: &str = "(hidden)";

impl ApiKey {
    /// Parses the key in `text`, trimmed; `None` if it is empty or not valid in a header.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// The key itself, for the request's header and for redacting a server's messages.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
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
        for key in [
            "store.url", "endpoints[0].url", "endpoints[0].remote", "publish.blog.url", "publish.blog.remote",
            "drafts.window", "retention.operations",
        ] {
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

#[cfg(test)]
mod secret_tests {
    use super::*;
    use crate::config::EndpointConfig;

    #[test]
    fn a_key_is_visible_ascii_and_is_not_printed_by_debug() {
        assert_eq!(ApiKey::parse(" kk\n").unwrap().expose(), "kk");
        for bad in ["", "  ", "a b", "a\nb", "sch\u{fc}ssel", "a\u{0}"] {
            assert_eq!(ApiKey::parse(bad), None, "{bad:?}");
        }
        let endpoint =
            EndpointConfig { api_key: ApiKey::parse("s3cret-key"), ..EndpointConfig::local("l", "http://a") };
        assert!(!format!("{endpoint:?}").contains("s3cret"));
    }
}
