//! Just enough HTTP for fake servers: requests read whole, documents and chunks written.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Sets a connection up so that nothing on it blocks for long.
pub fn prepare(stream: &TcpStream) {
    let _fresh = stream.set_nodelay(true);
    let _fresh = stream.set_read_timeout(Some(Duration::from_millis(50)));
    let _fresh = stream.set_write_timeout(Some(Duration::from_millis(200)));
}

/// Waits until an address that was closed refuses connections: a child that another test forks inherits the socket and
/// keeps it open until it calls exec.
pub fn wait_until_refused(address: SocketAddr) {
    super::eventually("connections are refused", || TcpStream::connect(address).is_err().then_some(()));
}

/// The client has closed its side: there is nothing left to read.
pub fn hung_up(stream: &TcpStream) -> bool {
    let _fresh = stream.set_nonblocking(true);
    let peeked = stream.peek(&mut [0]);
    let _fresh = stream.set_nonblocking(false);
    match peeked {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// The next request, whole; nothing when the client has gone or the server `stopped`.
pub fn read_request(stream: &mut TcpStream, stopped: &dyn Fn() -> bool) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !is_complete(&bytes) {
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && !stopped() => {}
            Err(_) => return None,
        }
    }
    Some(bytes)
}

fn is_complete(bytes: &[u8]) -> bool {
    let Some(head) = head_of(bytes) else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body_of(bytes).len() >= length.unwrap_or(0)
}

fn head_of(bytes: &[u8]) -> Option<String> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

pub fn body_of(bytes: &[u8]) -> &[u8] {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(&[], |end| &bytes[end + 4..])
}

pub fn path_of(bytes: &[u8]) -> String {
    head_of(bytes).unwrap_or_default().split_whitespace().nth(1).unwrap_or_default().to_owned()
}

/// A whole response.
pub fn whole(stream: &mut TcpStream, status: &str, kind: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The head of a response that comes in chunks.
pub fn chunked(stream: &mut TcpStream, kind: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n")
}

pub fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    stream.write_all(&chunk)
}

pub fn end(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"0\r\n\r\n")
}
