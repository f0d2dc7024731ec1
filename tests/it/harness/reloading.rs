//! An Ollama server with one place for a model and one slot, that reloads the model whenever its runner options differ
//! from the loaded ones, as the real one does. It reads prompts and writes answers at a speed that a test may change,
//! keeps what it has read, notices who hangs up, and can be killed and revived at the same address.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake_llm::MODEL;
pub use super::runner::{Asked, Ended, Speed};
use super::runner::{Loaded, Runner, state};
use super::{PATIENCE, socket};

/// Everything that it offers: weights in billions, and what it can do.
const OFFERED: [(&str, &str, &[&str]); 6] = [
    (MODEL, "3.4B", &["completion"]),
    ("codellama:7b", "7B", &["completion"]),
    ("llama2:13b", "13B", &["completion"]),
    ("neural-chat:7b", "7B", &["completion"]),
    ("deepseek-r1:8b", "8B", &["completion", "thinking"]),
    ("nomic-embed-text:latest", "137M", &["embedding"]),
];

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Reloading {
    address: SocketAddr,
    runner: Arc<Runner>,
    acceptor: Option<JoinHandle<()>>,
}

impl Reloading {
    /// Nothing is loaded yet.
    pub fn start(speed: Speed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Self { address, runner: Arc::new(Runner::new(speed)), acceptor: None };
        server.listen(listener);
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it answers from now on.
    pub fn say(&self, text: &str) {
        text.clone_into(&mut state(&self.runner).text);
    }

    /// What it answers to whoever writes a draft; without this, the same as to everybody.
    pub fn say_to_drafts(&self, text: &str) {
        state(&self.runner).draft = Some(text.to_owned());
    }

    /// Loads a model with this context, as another client's request would.
    pub fn load(&self, model: &str, context: u64) {
        state(&self.runner).loaded = Some(Loaded::by_others(model, context));
    }

    /// How fast it is from now on, running requests too.
    pub fn set_speed(&self, speed: Speed) {
        state(&self.runner).speed = speed;
    }

    /// How often a model was loaded: once is what it takes.
    pub fn loads(&self) -> usize {
        state(&self.runner).loads
    }

    /// The model that is loaded, with the runner options that it was loaded with.
    pub fn loaded(&self) -> Option<(String, Value)> {
        state(&self.runner).loaded.as_ref().map(|loaded| (loaded.model.clone(), loaded.options.clone()))
    }

    /// Frees the memory, as Ollama does when nobody has asked for a while.
    pub fn unload(&self) {
        state(&self.runner).loaded = None;
    }

    /// Every question so far, in the order of arrival; those that still run have not `ended`.
    pub fn asked(&self) -> Vec<Asked> {
        state(&self.runner).asked.clone()
    }

    /// The most requests that were there at the same time, in the slot and in the queue before it.
    pub fn most_at_once(&self) -> usize {
        state(&self.runner).most
    }

    /// Waits until what was asked looks as `wanted`; whether it ever did.
    pub fn wait_for(&self, wanted: impl Fn(&[Asked]) -> bool) -> bool {
        let state = state(&self.runner);
        let waited = self.runner.bell.wait_timeout_while(state, PATIENCE, |state| !wanted(&state.asked)).unwrap();
        wanted(&waited.0.asked)
    }

    /// Crashes: the port is closed, all connections are cut, nothing is loaded any more.
    pub fn kill(&mut self) {
        let mut state = state(&self.runner);
        (state.down, state.loaded) = (true, None);
        drop(state);
        self.runner.bell.notify_all();
        if let Some(acceptor) = self.acceptor.take() {
            // A connection wakes the accept call.
            drop(TcpStream::connect(self.address));
            let _panicked = acceptor.join();
            socket::wait_until_refused(self.address);
        }
    }

    /// Starts it again where it was.
    pub fn revive(&mut self) {
        state(&self.runner).down = false;
        self.listen(TcpListener::bind(self.address).unwrap());
    }

    fn listen(&mut self, listener: TcpListener) {
        let runner = Arc::clone(&self.runner);
        self.acceptor = Some(std::thread::spawn(move || accept(&listener, &runner)));
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Speed {
    /// So fast that only the order of events matters.
    pub const FAST: Self = Self {
        load: Duration::from_millis(20),
        read: Duration::from_micros(20),
        write: Duration::from_millis(1),
        batch: 512,
    };

    /// Everything takes so much longer.
    pub fn slower(self, factor: u32) -> Self {
        Self { load: self.load * factor, read: self.read * factor, write: self.write * factor, ..self }
    }
}

fn accept(listener: &TcpListener, runner: &Arc<Runner>) {
    let mut threads = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if runner.is_down() {
            break;
        }
        let runner = Arc::clone(runner);
        threads.push(std::thread::spawn(move || serve(stream, &runner)));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

fn serve(mut stream: TcpStream, runner: &Runner) {
    socket::prepare(&stream);
    while let Some(request) = socket::read_request(&mut stream, &|| runner.is_down()) {
        let path = socket::path_of(&request);
        let served = match path.as_str() {
            "/api/chat" => {
                let body: Value = serde_json::from_slice(socket::body_of(&request)).unwrap_or_default();
                let offers = |name: &str| OFFERED.iter().any(|(offered, ..)| *offered == name);
                runner.chat(&mut stream, &body, offers(body["model"].as_str().unwrap_or_default()))
            }
            path => document(&mut stream, path, runner),
        };
        if served.is_err() {
            return;
        }
    }
}

fn document(stream: &mut TcpStream, path: &str, runner: &Runner) -> std::io::Result<()> {
    let found = match path {
        "/api/version" => Some(json!({"version": "0.33.0"})),
        "/api/tags" => Some(json!({"models": OFFERED.map(|(name, size, can)| tag(name, size, can))})),
        "/api/ps" => Some(json!({"models": state(runner).loaded.as_ref().map(|loaded| json!({
            "name": loaded.model, "model": loaded.model, "size": 3_000_000_000_u64, "size_vram": 0,
            "context_length": loaded.options["num_ctx"]})).into_iter().collect::<Vec<_>>()})),
        _ => None,
    };
    match found {
        Some(value) => socket::whole(stream, "200 OK", "application/json", &value.to_string()),
        None => socket::whole(stream, "404 Not Found", "text/plain", "404 page not found"),
    }
}

fn tag(name: &str, size: &str, capabilities: &[&str]) -> Value {
    json!({"name": name, "model": name, "size": 2_000_000_000_u64, "digest": format!("sha-{name}"),
        "capabilities": capabilities,
        "details": {"format": "gguf", "family": "llama", "parameter_size": size, "quantization_level": "Q4_0"}})
}
