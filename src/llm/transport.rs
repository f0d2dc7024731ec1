//! Hardened HTTP transport for untrusted servers: no proxy, no redirect, no decompression, no referer, bounded
//! bodies, and every wait ends at the caller's deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, redirect, retry};
use serde_json::Value;

use super::address::EndpointAddress;
use super::{ClockFired, LlmError};
use crate::config::ApiKey;
use crate::redact::redact;

/// Connect timeout: a loopback server that takes longer does not accept.
const CONNECT_LOCAL: Duration = Duration::from_secs(1);
const CONNECT_REMOTE: Duration = Duration::from_secs(5);
/// Size limit of bodies that are read whole (model lists, properties, errors).
const WHOLE_CAP: usize = 1024 * 1024;
const HEADERS_CAP: usize = 64;
/// Length limit of a server's message in ours, in characters.
const MESSAGE_CAP: usize = 300;

/// A hardened client pinned to one address.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    address: EndpointAddress,
}

/// A body that was read whole.
#[derive(Debug)]
pub(super) struct WholeBody {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl WholeBody {
    /// The body as JSON; `Null` if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Transport {
    /// Resolves the address, checks it and pins the client to the result.
    ///
    /// # Errors
    /// Errors of the address resolution, or `InvalidEndpoint` if no client can be built.
    pub(super) async fn open(address: EndpointAddress, key: Option<&ApiKey>, until: Instant) -> Result<Self, LlmError> {
        let addresses = address.resolve(until).await?;
        let mut builder = hardened_builder(&address, key);
        if let Some(name) = address.name() {
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        let client = builder
            .build()
            .map_err(|error| LlmError::InvalidEndpoint { url: address.display(), message: error.to_string() })?;
        Ok(Self { client, address })
    }

    /// Fetches a small document.
    ///
    /// # Errors
    /// No answer within `until`, or more than [`WHOLE_CAP`] bytes.
    pub(super) async fn get(&self, path: &str, until: Instant) -> Result<WholeBody, LlmError> {
        let response = self.send(self.client.get(self.address.join(path)), until).await?;
        read_whole(response, until).await
    }

    /// Sends a request; the response's body is still unread.
    ///
    /// # Errors
    /// No response head within `until`.
    pub(super) async fn post(&self, path: &str, body: &Value, until: Instant) -> Result<Response, LlmError> {
        self.send(self.client.post(self.address.join(path)).json(body), until).await
    }

    /// Posts `json` to the address itself; the response's body is still unread.
    ///
    /// # Errors
    /// No response head within `until`.
    pub(super) async fn post_text(&self, json: String, until: Instant) -> Result<Response, LlmError> {
        let request = self.client.post(self.address.url()).header(CONTENT_TYPE, "application/json").body(json);
        self.send(request, until).await
    }

    async fn send(&self, request: RequestBuilder, until: Instant) -> Result<Response, LlmError> {
        let response = tokio::time::timeout_at(until.into(), request.send())
            .await
            .map_err(|_| LlmError::Deadline(ClockFired::Connect))?
            .map_err(|error| self.connection_error(&error))?;
        reject_compressed(response)
    }

    fn connection_error(&self, error: &reqwest::Error) -> LlmError {
        if error.is_timeout() {
            LlmError::Deadline(ClockFired::Connect)
        } else if error.is_connect() {
            LlmError::Unreachable { url: self.address.display() }
        } else {
            LlmError::Garbled { message: sanitise(&chain(error)) }
        }
    }
}

/// Switches off reqwest's defaults that are forbidden here: see the module's first lines.
#[expect(clippy::disallowed_methods, reason = "the one place that builds the client, hardened")]
fn hardened_builder(address: &EndpointAddress, key: Option<&ApiKey>) -> reqwest::ClientBuilder {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(bearer) = key.and_then(bearer) {
        headers.insert(AUTHORIZATION, bearer);
    }
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .http1_max_headers(HEADERS_CAP)
        .tcp_nodelay(true)
        // The server may close a kept connection just as we send, and a commit has no time for a retry.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("uro-capture/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(if address.is_remote() { CONNECT_REMOTE } else { CONNECT_LOCAL });
    if address.is_https() { with_tls(builder) } else { without_tls(builder) }
}

/// Marked as sensitive, so that debug output hides it.
fn bearer(key: &ApiKey) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// TLS by ring, roots of the platform. An already installed provider is equally good.
fn with_tls(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    builder.https_only(true)
}

/// Plain HTTP to this machine: an empty TLS setup avoids reading the platform's certificates.
fn without_tls(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    match rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
        Ok(config) => builder.tls_backend_preconfigured(
            config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
        ),
        Err(_) => with_tls(builder).https_only(false),
    }
}

/// Compressed bodies were not requested and are not decompressed.
fn reject_compressed(response: Response) -> Result<Response, LlmError> {
    match response.headers().get(CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            Err(LlmError::Garbled { message: "the body is packed, which was not asked for".to_owned() })
        }
        _ => Ok(response),
    }
}

/// Reads a whole body, bounded in bytes and time.
///
/// # Errors
/// `LimitExceeded`, `Deadline` or `MidStream`.
pub(super) async fn read_whole(mut response: Response, until: Instant) -> Result<WholeBody, LlmError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        let chunk = tokio::time::timeout_at(until.into(), response.chunk())
            .await
            .map_err(|_| LlmError::Deadline(ClockFired::Connect))?
            .map_err(|error| stream_error(&error))?;
        let Some(chunk) = chunk else { return Ok(WholeBody { status, body }) };
        if body.len() + chunk.len() > WHOLE_CAP {
            return Err(LlmError::TooMuch { limit: WHOLE_CAP });
        }
        body.extend_from_slice(&chunk);
    }
}

/// The connection ended in the middle of a body.
pub(super) fn stream_error(error: &reqwest::Error) -> LlmError {
    LlmError::MidStream { message: sanitise(&chain(error)) }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        text.push_str(": ");
        text.push_str(&next.to_string());
        source = next.source();
    }
    text
}

/// Sanitises a server's text for a message: redacted, one line, no control or direction characters, bounded.
pub(super) fn sanitise(text: &str) -> String {
    // Text far behind the displayed part needs no redaction.
    let text: String = text.chars().filter(|c| !is_invisible(*c)).take(8 * MESSAGE_CAP).collect();
    let line = redact(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(MESSAGE_CAP).collect()
}

/// Invisible characters that change how others are displayed (zero width, direction marks).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_become_one_harmless_line() {
        assert_eq!(sanitise("out\nof \u{1b}[31mmemory\u{7}"), "out of [31mmemory");
        assert_eq!(sanitise(&"x".repeat(10_000)).len(), MESSAGE_CAP);
        assert_eq!(sanitise("a\u{202e}b\u{200b}c"), "abc");
        let message = sanitise("Incorrect key: AKIAIOSFODNN7EXAMPLQ in the request");
        assert!(!message.contains("AKIAIOSFODNN7EXAMPLQ") && message.contains("in the request"), "{message}");
    }
}
