//! Default endpoints, used when none is configured.

use std::net::Ipv6Addr;

use toml::Value;

use super::defaults::ENDPOINTS;
use super::env::{self, Env};
use super::error::{ConfigError, Origin, Result};
use super::layer::{Setting, ollama_host};
use super::validate;

/// Ollama's default port (envconfig/config.go).
const OLLAMA_PORT: u16 = 11434;

/// The default endpoints: `OLLAMA_HOST` (or Ollama's default) first, then llama.cpp's usual ports.
///
/// # Errors
/// `OLLAMA_HOST` is not an address.
pub fn usual(env: &Env) -> Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for (index, (name, url)) in ENDPOINTS.into_iter().enumerate() {
        let (url, origin) = match env.text(env::OLLAMA_HOST) {
            Some(host) if index == 0 => (url_of(host)?, ollama_host()),
            _ => (url.to_owned(), Origin::BuiltIn),
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
    let url = meant(host);
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
fn meant(value: &str) -> String {
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
        let found = usual(&Env::of(&[(env::OLLAMA_HOST, ":1")])).unwrap();
        let urls = found.iter().filter(|s| s.key.ends_with("url")).map(|s| (&s.value, s.origin == Origin::BuiltIn));
        let urls: Vec<_> = urls.map(|(value, built_in)| (value.as_str().unwrap(), built_in)).collect();
        assert_eq!(
            urls,
            [("http://127.0.0.1:1", false), ("http://127.0.0.1:8080", true), ("http://127.0.0.1:9931", true)]
        );
    }
}
