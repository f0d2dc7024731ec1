//! A model server that only streams: as little of Ollama's protocol as one request needs, in this process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::report::Result;

/// Tokens of every answer.
pub const TOKENS: usize = 40;
pub const MODEL: &str = "model:1b";

/// Serves until it is dropped.
pub struct Served {
    pub address: SocketAddr,
    /// The last question, so that somebody else can ask the same.
    asked: Arc<Mutex<Vec<u8>>>,
    _serving: JoinSet<()>,
}

impl Served {
    pub async fn start(per_token: Duration) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, per_token, Arc::clone(&asked)));
        Ok(Self { address, asked, _serving: serving })
    }

    pub fn asked(&self) -> Vec<u8> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(listener: TcpListener, per_token: Duration, asked: Arc<Mutex<Vec<u8>>>) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let asked = Arc::clone(&asked);
        open.spawn(async move {
            // Whoever hangs up has had enough.
            let _ = answer_all(stream, per_token, &asked).await;
        });
    }
}

async fn answer_all(mut stream: TcpStream, per_token: Duration, asked: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    while let Some((path, body)) = request(&mut stream, &mut bytes).await? {
        if path == "/api/chat" {
            *asked.lock().unwrap_or_else(PoisonError::into_inner) = body;
            chat(&mut stream, per_token).await?;
        } else {
            let document = document(&path).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                document.len()
            );
            stream.write_all((head + &document).as_bytes()).await?;
        }
    }
    Ok(())
}

/// The next request's path and body; nothing when the other side has closed.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            if bytes.len() >= whole {
                let body = bytes[end + 4..whole].to_vec();
                bytes.drain(..whole);
                return Ok(Some((head.split(' ').nth(1).unwrap_or("/").to_owned(), body)));
            }
        }
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
}

fn document(path: &str) -> Value {
    let details =
        json!({"format": "gguf", "family": "llama", "parameter_size": "1.2B", "quantization_level": "Q4_K_M"});
    let model = json!({
        "name": MODEL, "model": MODEL, "digest": "0123456789ab", "size": 800_000_000, "size_vram": 800_000_000,
        "context_length": 4096, "details": details, "capabilities": ["completion"],
    });
    match path {
        "/api/version" => json!({"version": "0.33.0"}),
        _ => json!({"models": [model]}),
    }
}

async fn chat(stream: &mut TcpStream, per_token: Duration) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    for token in 0..TOKENS {
        if !per_token.is_zero() {
            tokio::time::sleep(per_token).await;
        }
        let text = if token + 1 == TOKENS { " end." } else { " word" };
        let message = json!({"role": "assistant", "content": text});
        let line = json!({"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": false});
        chunk(stream, &line).await?;
    }
    let last = json!({
        "model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": ""},
        "done": true, "done_reason": "stop", "total_duration": 50_000_000, "load_duration": 1_000_000,
        "prompt_eval_count": 300, "prompt_eval_duration": 2_000_000, "eval_count": TOKENS, "eval_duration": 40_000_000,
    });
    chunk(stream, &last).await?;
    stream.write_all(b"0\r\n\r\n").await
}

async fn chunk(stream: &mut TcpStream, line: &Value) -> std::io::Result<()> {
    let line = format!("{line}\n");
    stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await
}
