//! Where model servers are looked for when no endpoint is configured.

use toml::Value;

use super::defaults::ENDPOINTS;
use super::env::{self, Env};
use super::error::{ConfigError, Origin, Result};
use super::layer::{Setting, ollama_host};
use super::validate;
use crate::llm;

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

/// The address a client means by `OLLAMA_HOST`, read as Ollama reads it.
fn url_of(host: &str) -> Result<String> {
    let url = llm::ollama_host(host);
    // Of `name:password@host` the name would be taken for the host.
    match validate::address(&url) {
        Ok(_) if !host.contains('@') => Ok(url),
        _ => Err(ConfigError::Invalid {
            key: "endpoints[0].url".to_owned(),
            message: format!("{host:?} is not an address"),
            origin: ollama_host(),
        }),
    }
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
        for bad in ["http://me:pw@box", "a b"] {
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
