//! API key of a model server: sent to that server in one header, never printed.

/// Bearer token of one endpoint. `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Placeholder for a key wherever settings are shown.
pub const HIDDEN: &str = "(hidden)";

impl ApiKey {
    /// Parses the key in `text`, trimmed; `None` if it is empty or not valid in a header.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
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
    use crate::config::EndpointConfig;

    #[test]
    fn a_key_is_visible_ascii_and_is_not_printed_by_debug() {
        assert_eq!(ApiKey::of(" kk\n").unwrap().expose(), "kk");
        for bad in ["", "  ", "a b", "a\nb", "sch\u{fc}ssel", "a\u{0}"] {
            assert_eq!(ApiKey::of(bad), None, "{bad:?}");
        }
        let endpoint = EndpointConfig { api_key: ApiKey::of("s3cret-key"), ..EndpointConfig::local("l", "http://a") };
        assert!(!format!("{endpoint:?}").contains("s3cret"));
    }
}
