//! A model server on a raw socket that does exactly what its script says, however hostile.
//! It keeps every byte it was sent, with the time of arrival.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uro_capture::domain::clock::{Clock, SystemClock};

use super::socket;

/// The model that every fake offers, loaded.
pub const MODEL: &str = "orca-mini:3b";
/// Also offered, not loaded: the defaults of the other roles.
const OTHERS: [&str; 4] = ["codellama:7b", "llama2:13b", "neural-chat:7b", "mistral:latest"];

/// Whose protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Ollama,
    Openai,
}

/// What happens when a question is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Streams the text word by word and closes properly.
    Answer(String),
    /// The same, but cut at the token limit.
    AnswerToLength(String),
    /// Nothing listens.
    Refused,
    /// Accepts, reads, says nothing.
    Silent,
    /// A byte of the response head every 50 ms, for ever.
    SlowHeader,
    /// The head at once, then nothing.
    HeadThenSilent,
    FirstTokenThenStall,
    /// Streams the text word by word, then nothing more.
    SayThenStall(String),
    /// A sentence every second, for ever.
    OneTokenPerSecond,
    /// The same with this sentence.
    SayEverySecond(String),
    /// Tokens as fast as they are taken, for ever.
    EndlessTokens,
    /// A line that never ends.
    OneEndlessLine,
    /// Headers that never end.
    HeaderFlood,
    BrokenUtf8,
    InvalidJson,
    /// Reads the question and hangs up.
    EarlyClose,
    Status500,
    Status503,
    /// 307 to a second server, which notes whether it was ever contacted.
    Redirect,
    /// A packed body that unpacks to far more than it is.
    GzipBomb,
    /// Takes the time to load the model, says so, then answers.
    ColdLoad(Duration, String),
    /// 404 although the model is listed.
    NoSuchModel,
    /// 400: the prompt is longer than the context.
    PromptTooLong,
    /// Two sentences, then an error inside the stream.
    ErrorMidStream,
    /// Two sentences, then the end without the closing message.
    EofWithoutDone,
    /// The list says that the model runs elsewhere.
    CloudModel,
    /// Only the stream says so.
    CloudInStream,
    /// Hidden thoughts first, then the text.
    Thinking(String),
    /// 200 with an error text, as LM Studio does for paths it does not know.
    ErrorBehind200,
    /// Streams the text but never counts tokens.
    NoUsage(String),
}

/// Two whole sentences and a piece of a third: what some behaviours manage to say.
pub const PARTIAL: &str = "Adds a login function for the session and its timeout. Removes the old path. And the";

/// A running fake; it stops when dropped.
#[derive(Debug)]
pub struct FakeLlm {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    trap: Option<JoinHandle<()>>,
    trap_address: Option<SocketAddr>,
}

#[derive(Debug)]
struct Shared {
    shape: Shape,
    behaviour: Behaviour,
    /// Misbehave at every path, not only where questions are asked.
    everywhere: bool,
    trap: Option<SocketAddr>,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<(Instant, Vec<u8>)>,
    hangups: usize,
    trapped: bool,
    stop: bool,
}

impl FakeLlm {
    /// An Ollama server that behaves so when asked, and well otherwise.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_as(Shape::Ollama, behaviour)
    }

    pub fn start_as(shape: Shape, behaviour: Behaviour) -> Self {
        Self::launch(shape, behaviour, false)
    }

    /// It behaves so at every path: not even its fingerprint can be taken.
    pub fn everywhere(shape: Shape, behaviour: Behaviour) -> Self {
        Self::launch(shape, behaviour, true)
    }

    fn launch(shape: Shape, behaviour: Behaviour, everywhere: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let trap = (behaviour == Behaviour::Redirect).then(|| TcpListener::bind("127.0.0.1:0").unwrap());
        let trap_address = trap.as_ref().map(|trap| trap.local_addr().unwrap());
        let refused = behaviour == Behaviour::Refused;
        let shared = Arc::new(Shared {
            shape,
            behaviour,
            everywhere,
            trap: trap_address,
            state: Mutex::default(),
            bell: Condvar::new(),
        });
        let trap = trap.map(|trap| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || spring(&trap, &shared))
        });
        let acceptor = if refused {
            drop(listener);
            socket::wait_until_refused(address);
            None
        } else {
            let shared = Arc::clone(&shared);
            Some(std::thread::spawn(move || accept(&listener, &shared)))
        };
        Self { address, shared, acceptor, trap, trap_address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bytes of every request, in the order of arrival.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.arrivals().into_iter().map(|(_, bytes)| bytes).collect()
    }

    /// The same with the time at which each was complete.
    pub fn arrivals(&self) -> Vec<(Instant, Vec<u8>)> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// The bodies of the questions that were asked.
    pub fn questions(&self) -> Vec<Value> {
        let requests = self.requests();
        let asked = requests.iter().filter(|bytes| is_question(&socket::path_of(bytes)));
        asked.filter_map(|bytes| serde_json::from_slice(socket::body_of(bytes)).ok()).collect()
    }

    /// Of the questions those that want a text: others only let the model read, and want one token.
    pub fn asked(&self) -> Vec<Value> {
        self.questions().into_iter().filter(|question| most(question) != Some(1)).collect()
    }

    /// Whether the target of the redirect was ever contacted.
    pub fn redirect_was_followed(&self) -> bool {
        self.shared.state.lock().unwrap().trapped
    }

    /// Waits until a client has hung up on an unfinished answer.
    pub fn wait_for_hangup(&self, at_most: Duration) -> bool {
        let state = self.shared.state.lock().unwrap();
        let waited = self.shared.bell.wait_timeout_while(state, at_most, |state| state.hangups == 0).unwrap();
        waited.0.hangups > 0
    }
}

impl Drop for FakeLlm {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().stop = true;
        self.shared.bell.notify_all();
        // A connection wakes each accept call.
        for (thread, address) in [(self.acceptor.take(), Some(self.address)), (self.trap.take(), self.trap_address)] {
            if let (Some(thread), Some(address)) = (thread, address) {
                drop(TcpStream::connect(address));
                let _panicked = thread.join();
            }
        }
    }
}

impl Shared {
    /// The last request only lets the model read.
    fn wants_one_token(&self) -> bool {
        let state = self.state.lock().unwrap();
        let last = state
            .requests
            .last()
            .and_then(|(_, request)| serde_json::from_slice::<Value>(socket::body_of(request)).ok());
        last.is_some_and(|question| most(&question) == Some(1))
    }

    fn stopped(&self) -> bool {
        self.state.lock().unwrap().stop
    }

    /// Waits as the script says; an error when the fake was stopped or the client hung up meanwhile.
    fn pause(&self, stream: &mut TcpStream, time: Duration) -> std::io::Result<()> {
        let end = SystemClock.instant() + time;
        loop {
            let left = end.saturating_duration_since(SystemClock.instant()).min(Duration::from_millis(20));
            let state = self.state.lock().unwrap();
            let (state, _) = self.bell.wait_timeout_while(state, left, |state| !state.stop).unwrap();
            if state.stop {
                return Err(ErrorKind::Interrupted.into());
            }
            drop(state);
            if socket::hung_up(stream) {
                return Err(ErrorKind::ConnectionReset.into());
            }
            if SystemClock.instant() >= end {
                return Ok(());
            }
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopped() {
            break;
        }
        let shared = Arc::clone(shared);
        threads.push(std::thread::spawn(move || serve(stream, &shared)));
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

fn spring(trap: &TcpListener, shared: &Shared) {
    while trap.accept().is_ok() && !shared.stopped() {
        shared.state.lock().unwrap().trapped = true;
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    socket::prepare(&stream);
    while let Some(request) = socket::read_request(&mut stream, &|| shared.stopped()) {
        let path = socket::path_of(&request);
        shared.state.lock().unwrap().requests.push((SystemClock.instant(), request));
        let misbehaves = shared.everywhere || is_question(&path);
        let served = if misbehaves { behave(&mut stream, shared) } else { document(&mut stream, &path, shared) };
        if served.is_err() {
            shared.state.lock().unwrap().hangups += 1;
            shared.bell.notify_all();
            return;
        }
        if misbehaves && !matches!(shared.behaviour, Behaviour::Answer(_)) {
            return;
        }
    }
}

/// Tokens that the answer may have.
fn most(question: &Value) -> Option<u64> {
    question["options"]["num_predict"].as_u64().or(question["max_tokens"].as_u64())
}

fn is_question(path: &str) -> bool {
    matches!(path, "/api/chat" | "/api/generate" | "/v1/chat/completions")
}

/// The documents of a server that behaves.
fn document(stream: &mut TcpStream, path: &str, shared: &Shared) -> std::io::Result<()> {
    let found = match (shared.shape, path) {
        (Shape::Ollama, "/api/version") => Some(json!({"version": "0.33.0"})),
        (Shape::Ollama, "/api/tags") => Some(tags(shared)),
        (Shape::Ollama, "/api/ps") => Some(json!({"models": [
            {"name": MODEL, "model": MODEL, "size": 3_000_000_000_u64, "size_vram": 0, "context_length": 4096}]})),
        (Shape::Openai, "/v1/models") => Some(json!({"object": "list", "data": [
            {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": 4096}]})),
        _ => None,
    };
    match found {
        Some(value) => socket::whole(stream, "200 OK", "application/json", &value.to_string()),
        None => socket::whole(stream, "404 Not Found", "text/plain", "404 page not found"),
    }
}

fn tags(shared: &Shared) -> Value {
    let mut models: Vec<Value> = std::iter::once(MODEL).chain(OTHERS).map(tag).collect();
    if shared.behaviour == Behaviour::CloudModel {
        for model in &mut models {
            model["remote_host"] = json!("https://ollama.com:443");
        }
    }
    json!({"models": models})
}

fn tag(name: &str) -> Value {
    json!({"name": name, "model": name, "size": 2_000_000_000_u64, "digest": "d",
        "details": {"format": "gguf", "family": "llama", "parameter_size": "3.4B", "quantization_level": "Q4_0"}})
}

fn behave(stream: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let forever = Duration::from_secs(3600);
    match &shared.behaviour {
        Behaviour::Refused | Behaviour::EarlyClose => Ok(()),
        Behaviour::Silent => shared.pause(stream, forever),
        Behaviour::SlowHeader => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ")?;
            endless(stream, shared, Duration::from_millis(50), b"x")
        }
        Behaviour::HeaderFlood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            endless(stream, shared, Duration::ZERO, b"X-Flood: 0123456789012345678901234567890123456789\r\n")
        }
        Behaviour::Status500 => {
            socket::whole(stream, "500 Internal Server Error", "application/json", r#"{"error":"out of memory"}"#)
        }
        Behaviour::Status503 => socket::whole(
            stream,
            "503 Service Unavailable",
            "application/json",
            r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
        ),
        Behaviour::Redirect => redirect(stream, shared),
        Behaviour::GzipBomb => gzip_bomb(stream),
        Behaviour::NoSuchModel => socket::whole(
            stream,
            "404 Not Found",
            "application/json",
            &format!(r#"{{"error":"model '{MODEL}' not found"}}"#),
        ),
        Behaviour::PromptTooLong => socket::whole(
            stream,
            "400 Bad Request",
            "application/json",
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
        ),
        Behaviour::ErrorBehind200 => socket::whole(
            stream,
            "200 OK",
            "application/json",
            r#"{"error":"Unexpected endpoint or method. Returning 200 anyway"}"#,
        ),
        behaviour => Script { stream, shared, tokens: 0 }.play(behaviour),
    }
}

fn endless(stream: &mut TcpStream, shared: &Shared, every: Duration, bytes: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(bytes)?;
        if !every.is_zero() {
            shared.pause(stream, every)?;
        } else if shared.stopped() {
            return Ok(());
        }
    }
}

fn redirect(stream: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let target = shared.trap.unwrap();
    write!(stream, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{target}/api/chat\r\nContent-Length: 0\r\n\r\n")
}

/// A deflate stream of stored zeros would be unpacked to megabytes; nobody should try.
fn gzip_bomb(stream: &mut TcpStream) -> std::io::Result<()> {
    let body = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xed; 4096]].concat();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// A streamed answer in the fake's dialect.
struct Script<'a> {
    stream: &'a mut TcpStream,
    shared: &'a Shared,
    tokens: u64,
}

impl Script<'_> {
    fn play(&mut self, behaviour: &Behaviour) -> std::io::Result<()> {
        let forever = Duration::from_secs(3600);
        match behaviour {
            Behaviour::ColdLoad(time, text) => {
                self.shared.pause(self.stream, *time)?;
                self.head()?;
                self.say(text)?;
                self.close("stop", Some(*time), true)
            }
            Behaviour::HeadThenSilent => {
                self.head()?;
                self.shared.pause(self.stream, forever)
            }
            Behaviour::FirstTokenThenStall => {
                self.head()?;
                self.token("Adds a retry. And")?;
                self.shared.pause(self.stream, forever)
            }
            Behaviour::SayThenStall(text) => {
                self.head()?;
                self.say(text)?;
                self.shared.pause(self.stream, forever)
            }
            Behaviour::OneTokenPerSecond => self.say_every_second("Adds a retry. "),
            Behaviour::SayEverySecond(text) => self.say_every_second(&format!("{text} ")),
            Behaviour::EndlessTokens => {
                self.head()?;
                while !self.shared.stopped() {
                    self.token("Adds a retry. ")?;
                }
                Ok(())
            }
            Behaviour::OneEndlessLine => {
                self.head()?;
                self.chunk(b"{\"message\":{\"content\":\"")?;
                while !self.shared.stopped() {
                    self.chunk(&[b'x'; 1024])?;
                }
                Ok(())
            }
            Behaviour::BrokenUtf8 => self.broken_utf8(),
            Behaviour::InvalidJson => {
                self.head()?;
                self.chunk(b"data: {\"choices\": nonsense\n\n")?;
                self.end()
            }
            Behaviour::ErrorMidStream => {
                self.head()?;
                self.say(PARTIAL)?;
                self.frame(&json!({"error": "an error was encountered while running the model"}))?;
                self.end()
            }
            Behaviour::EofWithoutDone => {
                self.head()?;
                self.say(PARTIAL)?;
                self.end()
            }
            Behaviour::CloudInStream => {
                self.head()?;
                self.frame(
                    &json!({"remote_host": "https://ollama.com:443", "message": {"content": "Adds"}, "done": false}),
                )?;
                self.close("stop", None, true)
            }
            Behaviour::Thinking(text) => {
                self.head()?;
                self.think("Let me look at the patch.")?;
                self.say(text)?;
                self.close("stop", None, true)
            }
            Behaviour::AnswerToLength(text) => self.answer(text, "length", true),
            Behaviour::NoUsage(text) => self.answer(text, "stop", false),
            Behaviour::Answer(text) => self.answer(text, "stop", true),
            other => unreachable!("{other:?} has no stream"),
        }
    }

    fn answer(&mut self, text: &str, finish: &str, usage: bool) -> std::io::Result<()> {
        self.head()?;
        self.say(text)?;
        self.close(finish, None, usage)
    }

    fn say_every_second(&mut self, text: &str) -> std::io::Result<()> {
        self.head()?;
        loop {
            self.token(text)?;
            if self.shared.wants_one_token() {
                return self.close("length", None, true);
            }
            self.shared.pause(self.stream, Duration::from_secs(1))?;
        }
    }

    fn broken_utf8(&mut self) -> std::io::Result<()> {
        self.head()?;
        let line: &[u8] = match self.shared.shape {
            Shape::Ollama => b"{\"message\":{\"content\":\"Adds \xff\xfe a retry.\"},\"done\":false}\n",
            Shape::Openai => b"data: {\"choices\":[{\"delta\":{\"content\":\"Adds \xff\xfe a retry.\"}}]}\n\n",
        };
        self.chunk(line)?;
        self.tokens += 4;
        self.close("stop", None, true)
    }

    fn head(&mut self) -> std::io::Result<()> {
        let kind = match self.shared.shape {
            Shape::Ollama => "application/x-ndjson",
            Shape::Openai => "text/event-stream",
        };
        socket::chunked(self.stream, kind)?;
        if self.shared.shape == Shape::Openai {
            self.chunk(b": a comment\n\n")?;
            self.frame(
                &json!({"choices": [{"delta": {"role": "assistant", "content": null}, "finish_reason": null}]}),
            )?;
        }
        Ok(())
    }

    /// Word by word, a few milliseconds apart.
    fn say(&mut self, text: &str) -> std::io::Result<()> {
        for word in text.split_inclusive(' ') {
            self.token(word)?;
            self.shared.pause(self.stream, Duration::from_millis(2))?;
        }
        Ok(())
    }

    fn token(&mut self, text: &str) -> std::io::Result<()> {
        self.tokens += 1;
        self.frame(&match self.shared.shape {
            Shape::Ollama => json!({"model": MODEL, "created_at": "2026-03-01T12:00:00Z",
                "message": {"role": "assistant", "content": text}, "done": false}),
            Shape::Openai => json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]}),
        })
    }

    fn think(&mut self, text: &str) -> std::io::Result<()> {
        self.frame(&match self.shared.shape {
            Shape::Ollama => json!({"message": {"role": "assistant", "content": "", "thinking": text}, "done": false}),
            Shape::Openai => json!({"choices": [{"delta": {"reasoning_content": text}}]}),
        })
    }

    fn close(&mut self, finish: &str, load: Option<Duration>, usage: bool) -> std::io::Result<()> {
        let tokens = self.tokens;
        match self.shared.shape {
            Shape::Ollama => {
                let mut done = json!({"model": MODEL, "message": {"role": "assistant", "content": ""}, "done": true,
                    "done_reason": finish, "total_duration": 5_000_000});
                if usage {
                    done["prompt_eval_count"] = json!(200);
                    done["eval_count"] = json!(tokens);
                }
                if let Some(load) = load {
                    done["load_duration"] = json!(u64::try_from(load.as_nanos()).unwrap());
                }
                self.frame(&done)?;
            }
            Shape::Openai => {
                self.frame(&json!({"choices": [{"delta": {}, "finish_reason": finish}]}))?;
                if usage {
                    self.frame(&json!({"choices": [], "usage": {"prompt_tokens": 200, "completion_tokens": tokens,
                        "prompt_tokens_details": {"cached_tokens": 150}}}))?;
                }
                self.chunk(b"data: [DONE]\n\n")?;
            }
        }
        self.end()
    }

    fn frame(&mut self, value: &Value) -> std::io::Result<()> {
        match self.shared.shape {
            Shape::Ollama => self.chunk(format!("{value}\n").as_bytes()),
            Shape::Openai => self.chunk(format!("data: {value}\n\n").as_bytes()),
        }
    }

    fn chunk(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        socket::chunk(self.stream, bytes)
    }

    fn end(&mut self) -> std::io::Result<()> {
        socket::end(self.stream)
    }
}
