//! Posts one JSON document to an address that the settings name, through the same hardened transport.

use std::time::Instant;

use super::LlmError;
use super::address::EndpointAddress;
use super::server_error::refusal;
use super::transport::{Transport, read_whole};
use crate::config::{ApiKey, keys::HIDDEN};

/// Posts `json` to `url` and returns after a status of success. Never repeated, never redirected.
///
/// # Errors
/// The address is invalid or, without `remote`, not on this machine; no answer before `until`; another status.
pub async fn post_json(
    url: &str,
    remote: bool,
    token: Option<&ApiKey>,
    json: String,
    until: Instant,
) -> Result<(), LlmError> {
    let address = EndpointAddress::exact(url, remote)?;
    let response = Transport::open(address, token, until).await?.post_text(json, until).await?;
    // Accepted is accepted, whatever becomes of the rest of the answer.
    if response.status().is_success() {
        return Ok(());
    }
    let answer = read_whole(response, until).await?;
    let mut error = refusal(&answer, "");
    if let (Some(message), Some(token)) = (error.message_mut(), token) {
        *message = message.replace(token.expose(), HIDDEN);
    }
    // The other errors of a refusal are about models.
    Err(match error {
        LlmError::Status { .. } => error,
        other => LlmError::Status { status: answer.status, message: other.to_string() },
    })
}
