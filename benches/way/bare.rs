//! What anybody's client would do: send the bytes, read the stream to its end.

use crate::report::Result;

use super::served::{Served, TOKENS};

/// A client that knows nothing.
pub struct Bare {
    client: reqwest::Client,
    url: String,
    body: Vec<u8>,
}

impl Bare {
    /// Sends what `served` was last asked.
    #[expect(clippy::disallowed_methods, reason = "what our own client is compared with")]
    pub fn new(served: &Served) -> Result<Self> {
        // Another part of this process may have installed one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { client, url: format!("http://{}/api/chat", served.address), body: served.asked() })
    }

    pub async fn once(&self) -> Result<()> {
        let request = self.client.post(&self.url).header("content-type", "application/json").body(self.body.clone());
        let mut response = request.send().await?;
        let mut lines = 0;
        while let Some(bytes) = response.chunk().await? {
            lines += bytes.iter().filter(|byte| **byte == b'\n').count();
        }
        if lines == TOKENS + 1 { Ok(()) } else { Err(format!("{lines} lines").into()) }
    }
}
