//! Where model servers are looked for when no endpoint is configured.

use toml::Value;

use super::defaults::ENDPOINTS;
use super::env::{self, Env};
use super::error::{ConfigError, Origin, Result};
use super::layer::{Setting, ollama_host};
use super::validate;

/// Ollama's own default port.
const OLLAMA_PORT: u16 = 11434;

/// The endpoints to try: `OLLAMA_HOST` (or Ollama's default) first, then llama.cpp's usual ports.
///
/// # Errors
/// `OLLAMA_HOST` is no address.
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

/// The address a client means by `OLLAMA_HOST`, which may be `host`, `:port`, `host:port` or a URL, with Ollama's
/// own rules: its port where none is given, the scheme's port where a scheme is. A wildcard address
/// (`0.0.0.0`, what the server listens on) is reached through loopback.
fn url_of(host: &str) -> Result<String> {
    let wrong = || ConfigError::Invalid {
        key: "endpoints[0].url".to_owned(),
        message: format!("{host:?} is not an address"),
        origin: ollama_host(),
    };
    let (scheme, rest, port) = match host.trim().split_once("://") {
        Some(("http", rest)) => ("http", rest, 80),
        Some(("https", rest)) => ("https", rest, 443),
        Some(_) => return Err(wrong()),
        None => ("http", host.trim(), OLLAMA_PORT),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let authority = if authority.starts_with(':') || authority.is_empty() {
        format!("127.0.0.1{authority}")
    } else {
        authority.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    };
    let (name, given) = validate::host_and_port(&authority).ok_or_else(wrong)?;
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    let url = format!("{scheme}://{name}:{}{}", given.unwrap_or(port), path.trim_end_matches('/'));
    validate::address(&url).map(|_| url.clone()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ollama_host_is_read_as_ollama_reads_it() {
        for (host, url) in [
            ("127.0.0.1", "http://127.0.0.1:11434"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            (":5000", "http://127.0.0.1:5000"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("[::]:11434", "http://[::1]:11434"),
            ("[::1]", "http://[::1]:11434"),
            ("http://box", "http://box:80"),
            ("https://box/ollama/", "https://box:443/ollama"),
        ] {
            assert_eq!(url_of(host).unwrap(), url, "{host}");
        }
    }

    #[test]
    fn a_host_that_is_no_address_is_an_error_naming_the_variable() {
        for bad in ["ftp://a", "a:b", "http://me:pw@box"] {
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
