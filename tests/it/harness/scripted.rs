//! A model server whose every response is what a function makes of the request.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::socket;

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    /// The request line and the headers.
    pub head: String,
    /// `Null` for requests without a body.
    pub body: Value,
}

/// One response, which ends with its connection.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: &'static str,
    pub body: String,
    /// Sent every 5 ms after the body, until the client hangs up.
    pub heartbeat: Option<&'static str>,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self { status: "200 OK", body: body.into(), heartbeat: None }
    }

    pub fn status(status: &'static str, body: impl Into<String>) -> Self {
        Self { status, ..Self::ok(body) }
    }

    pub fn then(self, heartbeat: &'static str) -> Self {
        Self { heartbeat: Some(heartbeat), ..self }
    }
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A running server; it stops when dropped.
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Asked>>,
    stop: AtomicBool,
}

impl Scripted {
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { script: Box::new(script), asked: Mutex::default(), stop: AtomicBool::new(false) });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || {
            let mut threads = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if accepting.stop.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&accepting);
                threads.push(std::thread::spawn(move || serve(stream, &shared)));
            }
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far that carry a question.
    pub fn questions(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().iter().filter(|asked| asked.body["messages"].is_array()).cloned().collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.acceptor.take() {
            let _panicked = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    socket::prepare(&stream);
    let stopped = || shared.stop.load(Ordering::Relaxed);
    let Some(request) = socket::read_request(&mut stream, &stopped) else { return };
    let body = serde_json::from_slice(socket::body_of(&request)).unwrap_or_default();
    let head = String::from_utf8_lossy(&request).split("\r\n\r\n").next().unwrap_or_default().to_owned();
    let asked = Asked { path: socket::path_of(&request), head, body };
    shared.asked.lock().unwrap().push(asked.clone());
    let reply = (shared.script)(&asked);
    let head = format!("HTTP/1.1 {}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n", reply.status);
    if stream.write_all((head + &reply.body).as_bytes()).is_err() {
        return;
    }
    while let Some(beat) = reply.heartbeat.filter(|_| !stopped() && !socket::hung_up(&stream)) {
        if stream.write_all(beat.as_bytes()).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
