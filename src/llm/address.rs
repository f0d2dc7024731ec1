//! Loopback guard: validates and resolves the address of a model server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use reqwest::Url;

use super::{ClockFired, LlmError};

/// An endpoint's address after the checks that need no resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EndpointAddress {
    /// Scheme, host, port and path prefix, without a trailing slash in the path.
    base: Url,
    host: Host,
    port: u16,
    remote: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// A numeric address or `localhost`: needs no resolver.
    Known(Vec<IpAddr>),
    Name(String),
}

impl EndpointAddress {
    /// Parses `url`; a missing scheme means `http`, a trailing `/v1` is dropped.
    ///
    /// # Errors
    /// `InvalidEndpoint` for other schemes, credentials, queries and `https` without `remote`;
    /// `NotLoopback` for a numeric address elsewhere without `remote`.
    pub(super) fn parse(url: &str, remote: bool) -> Result<Self, LlmError> {
        let mut address = Self::exact(url, remote)?;
        trim_path(&mut address.base);
        Ok(address)
    }

    /// As [`Self::parse`], with the path as it is: the address of one document.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(super) fn exact(url: &str, remote: bool) -> Result<Self, LlmError> {
        let invalid = |message: &str| LlmError::InvalidEndpoint { url: url.to_owned(), message: message.to_owned() };
        let mut base = parse_url(url).map_err(|message| invalid(&message))?;
        match base.scheme() {
            "http" => {}
            "https" if remote => {}
            "https" => return Err(invalid("https is for remote endpoints; use http, or set remote = true")),
            _ => return Err(invalid("the scheme must be http or https")),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(invalid("credentials do not belong into the address"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(invalid("a query or fragment makes no sense here"));
        }
        let host = connectable(&mut base).ok_or_else(|| invalid("the host is missing or unreadable"))?;
        let port = base.port_or_known_default().ok_or_else(|| invalid("the port is missing"))?;
        let address = Self { base, host, port, remote };
        if let Host::Known(ips) = &address.host {
            address.require_loopback(ips)?;
        }
        Ok(address)
    }

    /// The whole address.
    pub(super) fn url(&self) -> Url {
        self.base.clone()
    }

    /// The address of `path`, which starts with a slash.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url
    }

    pub(super) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    pub(super) fn is_remote(&self) -> bool {
        self.remote
    }

    /// Display form for messages.
    pub(super) fn display(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// The host name to pin, if the address has one.
    pub(super) fn name(&self) -> Option<&str> {
        self.base.domain()
    }

    /// All addresses of the host, each checked. Names are resolved on a blocking thread of
    /// the runtime, bounded by `until`.
    ///
    /// # Errors
    /// `NotLoopback` when any address is elsewhere and `remote` is off; `Unreachable` for unknown names.
    pub(super) async fn resolve(&self, until: Instant) -> Result<Vec<SocketAddr>, LlmError> {
        let ips = match &self.host {
            Host::Known(ips) => ips.clone(),
            Host::Name(name) => {
                let lookup = tokio::net::lookup_host((name.clone(), self.port));
                let found = tokio::time::timeout_at(until.into(), lookup)
                    .await
                    .map_err(|_| LlmError::Deadline(ClockFired::Connect))?
                    .map_err(|_| LlmError::Unreachable { url: self.display() })?;
                found.map(|address| address.ip()).collect()
            }
        };
        self.require_loopback(&ips)?;
        Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, self.port)).collect())
    }

    /// Every address must be loopback: a name with one remote address counts as remote.
    fn require_loopback(&self, ips: &[IpAddr]) -> Result<(), LlmError> {
        if ips.is_empty() {
            return Err(LlmError::Unreachable { url: self.display() });
        }
        if self.remote || ips.iter().all(|ip| ip.to_canonical().is_loopback()) {
            return Ok(());
        }
        Err(LlmError::NotLoopback { url: self.display() })
    }
}

fn parse_url(url: &str) -> Result<Url, String> {
    let url = url.trim();
    let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    Url::parse(&full).map_err(|error| error.to_string())
}

/// Rewrites "any address" to loopback, as Ollama's ConnectableHost does, and drops a trailing dot.
fn connectable(base: &mut Url) -> Option<Host> {
    let text = base.host_str()?.to_owned();
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        let ip = match ip.to_canonical() {
            IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            other => other,
        };
        base.set_ip_host(ip).ok()?;
        return Some(Host::Known(vec![ip]));
    }
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    base.set_host(Some(&name)).ok()?;
    if name == "localhost" || name.ends_with(".localhost") {
        // RFC 6761: these names are loopback by definition; a resolver must not override that.
        return Some(Host::Known(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]));
    }
    (!name.is_empty()).then_some(Host::Name(name))
}

fn trim_path(base: &mut Url) {
    let path = base.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
    base.set_path(&path);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::clock::{Clock, SystemClock};

    fn soon() -> Instant {
        SystemClock.instant() + Duration::from_secs(2)
    }

    #[test]
    fn addresses_of_this_machine_pass_in_every_spelling() {
        for url in [
            "http://127.0.0.1:11434",
            "127.0.0.1:11434",
            "http://127.8.9.10:80",
            "http://[::1]:1234/",
            "http://[::ffff:127.0.0.1]:1",
            "http://2130706433:11434",
            "http://0x7f.1:11434",
            "http://localhost:8080",
            "localhost:8080",
            "http://LOCALHOST.:8080",
            "http://api.localhost:1",
            "http://0.0.0.0:11434",
            "http://[::]:11434",
        ] {
            assert!(EndpointAddress::parse(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn numeric_addresses_elsewhere_are_refused_in_every_spelling() {
        for url in [
            "http://8.8.8.8:11434",
            "http://8.8.8.8.:11434",
            "http://[::ffff:8.8.8.8]:11434",
            "http://[::ffff:808:808]:11434",
            "http://134744072:11434",
            "http://0x08080808:1",
            "http://010.8.8.8:1",
            "http://192.168.1.5:11434",
            "http://[fe80::1]:1",
            "http://[2001:db8::1]:1",
        ] {
            let refused = EndpointAddress::parse(url, false);
            assert!(matches!(refused, Err(LlmError::NotLoopback { .. })), "{url}: {refused:?}");
            assert!(EndpointAddress::parse(url, true).is_ok(), "{url} with remote");
        }
    }

    #[test]
    fn names_that_only_look_local_need_the_resolver() {
        for url in ["http://localhost.evil:1", "http://127.0.0.1.evil.example:1", "http://mylocalhost:1"] {
            let address = EndpointAddress::parse(url, false).unwrap();
            assert!(matches!(address.host, Host::Name(_)), "{url}");
        }
    }

    #[test]
    fn one_foreign_address_makes_a_name_foreign() {
        let address = EndpointAddress::parse("http://localhost.evil:1", false).unwrap();
        let local = IpAddr::from([127, 0, 0, 1]);
        let mapped: IpAddr = "::ffff:8.8.8.8".parse().unwrap();
        assert!(address.require_loopback(&[local]).is_ok());
        assert!(matches!(address.require_loopback(&[local, mapped]), Err(LlmError::NotLoopback { .. })));
        assert!(matches!(address.require_loopback(&[]), Err(LlmError::Unreachable { .. })));
    }

    #[test]
    fn what_is_no_plain_server_address_is_invalid() {
        for url in [
            "http://127.0.0.1@evil.example:1",
            "http://user:pw@127.0.0.1:1",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "http://127.0.0.1:1/?a=b",
            "http://127.0.0.1:1/#x",
            "http://",
            "",
            "http://127.0.0.1:99999",
            "https://127.0.0.1:1",
        ] {
            let refused = EndpointAddress::parse(url, false);
            assert!(matches!(refused, Err(LlmError::InvalidEndpoint { .. })), "{url}: {refused:?}");
        }
        assert!(EndpointAddress::parse("https://models.example", true).is_ok());
    }

    #[test]
    fn any_address_is_rewritten_to_one_that_can_be_connected() {
        let join = |url| EndpointAddress::parse(url, false).unwrap().join("/api/chat").to_string();
        assert_eq!(join("http://0.0.0.0:11434"), "http://127.0.0.1:11434/api/chat");
        assert_eq!(join("http://[::]:11434"), "http://[::1]:11434/api/chat");
        assert_eq!(join("http://localhost.:1/ollama/"), "http://localhost:1/ollama/api/chat");
        assert_eq!(join("http://localhost:1/v1"), "http://localhost:1/api/chat");
        let exact = |url| EndpointAddress::exact(url, false).unwrap().url().to_string();
        assert_eq!(exact("http://localhost:1/hooks/v1"), "http://localhost:1/hooks/v1");
        assert_eq!(exact("http://0.0.0.0:1/hooks/"), "http://127.0.0.1:1/hooks/");
    }

    #[tokio::test]
    async fn localhost_is_pinned_without_asking_a_resolver() {
        let found = EndpointAddress::parse("http://localhost:7", false).unwrap().resolve(soon()).await.unwrap();
        assert_eq!(found, ["127.0.0.1:7".parse().unwrap(), "[::1]:7".parse().unwrap()]);
    }
}
