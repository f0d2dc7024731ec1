//! What happens inside the server that reloads: the queue before its one slot, loading, reading, writing.

use std::collections::VecDeque;
use std::io::{ErrorKind, Result};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use uro_capture::domain::clock::{Clock, SystemClock};

use super::socket;

/// Bytes that are one token of a prompt.
const TOKEN: usize = 4;
/// How often it looks for a client that has gone.
const LOOK: Duration = Duration::from_millis(5);

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    pub load: Duration,
    /// Per token of the prompt that is not in the cache.
    pub read: Duration,
    /// Per word written.
    pub write: Duration,
    /// Prompt tokens that are read at once: only between two batches is it noticed that a client has gone.
    pub batch: usize,
}

/// One question and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub body: Value,
    /// The model had to be loaded for it.
    pub loaded: bool,
    /// Tokens of the prompt: all of it, and the part of it that was known.
    pub prompt: usize,
    pub cached: usize,
    pub written: usize,
    pub ended: Option<Ended>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// The client went, or the server crashed, in the queue or on the way.
    Cut,
    Refused,
}

/// The one runner behind all connections.
#[derive(Debug)]
pub struct Runner {
    state: Mutex<State>,
    pub bell: Condvar,
}

#[derive(Debug)]
pub struct State {
    pub speed: Speed,
    pub text: String,
    pub draft: Option<String>,
    pub loaded: Option<Loaded>,
    pub loads: usize,
    pub asked: Vec<Asked>,
    pub most: usize,
    pub down: bool,
    /// Whose turn it is, and who waits; by their places in `asked`.
    queue: VecDeque<usize>,
}

#[derive(Debug)]
pub struct Loaded {
    pub model: String,
    pub options: Value,
    /// The prompt that was read last, as far as it was read.
    read: Vec<u8>,
}

impl Loaded {
    /// With the options of somebody who names nothing but the context.
    pub fn by_others(model: &str, context: u64) -> Self {
        let options = json!({"num_ctx": context, "shift": false});
        Self { model: model.to_owned(), options, read: Vec::new() }
    }
}

impl State {
    fn text_for(&self, body: &Value) -> String {
        let asked = body["messages"].as_array().and_then(|all| all.last()?["content"].as_str()).unwrap_or_default();
        self.draft.as_ref().filter(|_| asked.contains("<work>")).unwrap_or(&self.text).clone()
    }
}

pub fn state(runner: &Runner) -> MutexGuard<'_, State> {
    runner.state.lock().unwrap()
}

/// What makes a server reload a model.
fn runner_options(body: &Value) -> Value {
    let mut options = json!({"num_ctx": 4096, "shift": body.get("shift").unwrap_or(&json!(true))});
    for name in ["num_ctx", "num_batch", "num_thread", "num_gpu", "use_mmap"] {
        if let Some(value) = body["options"].get(name) {
            options[name] = value.clone();
        }
    }
    options
}

fn prompt_of(body: &Value) -> Vec<u8> {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let parts = messages.iter().map(|message| {
        format!(
            "{}: {}\n",
            message["role"].as_str().unwrap_or_default(),
            message["content"].as_str().unwrap_or_default()
        )
    });
    parts.collect::<String>().into_bytes()
}

impl Runner {
    pub fn new(speed: Speed) -> Self {
        let state = State {
            speed,
            text: "Adds a retry to the login.".to_owned(),
            draft: None,
            loaded: None,
            loads: 0,
            asked: Vec::new(),
            most: 0,
            down: false,
            queue: VecDeque::new(),
        };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    pub fn is_down(&self) -> bool {
        state(self).down
    }

    /// One request at `/api/chat`, from its arrival to its end.
    pub fn chat(&self, stream: &mut TcpStream, body: &Value, offered: bool) -> Result<()> {
        let me = self.arrive(body);
        let served = if offered { self.serve(stream, me, body) } else { refuse(stream, body).map(|()| Ended::Refused) };
        let mut state = state(self);
        state.queue.retain(|place| *place != me);
        state.asked[me].ended = Some(*served.as_ref().unwrap_or(&Ended::Cut));
        drop(state);
        self.bell.notify_all();
        served.map(drop)
    }

    fn arrive(&self, body: &Value) -> usize {
        let prompt = prompt_of(body).len() / TOKEN;
        let mut state = state(self);
        let asked = Asked { body: body.clone(), loaded: false, prompt, cached: 0, written: 0, ended: None };
        state.asked.push(asked);
        let me = state.asked.len() - 1;
        state.queue.push_back(me);
        state.most = state.most.max(state.queue.len());
        drop(state);
        self.bell.notify_all();
        me
    }

    fn serve(&self, stream: &mut TcpStream, me: usize, body: &Value) -> Result<Ended> {
        while state(self).queue.front() != Some(&me) {
            self.pause(stream, LOOK)?;
        }
        let context = runner_options(body)["num_ctx"].as_u64().unwrap_or(4096);
        if state(self).asked[me].prompt as u64 > context {
            let error = r#"{"error":"the prompt exceeds the available context size"}"#;
            return socket::whole(stream, "400 Bad Request", "application/json", error).map(|()| Ended::Refused);
        }
        let began = SystemClock.instant();
        self.load(stream, me, body)?;
        let load = SystemClock.instant().duration_since(began);
        let began = SystemClock.instant();
        self.read(stream, me, &prompt_of(body))?;
        let read = SystemClock.instant().duration_since(began);
        self.write(stream, me, body, load, read)
    }

    fn load(&self, stream: &TcpStream, me: usize, body: &Value) -> Result<()> {
        let (model, options) = (body["model"].as_str().unwrap_or_default(), runner_options(body));
        let fits = |loaded: &Loaded| loaded.model == model && loaded.options == options;
        let load = {
            let mut state = state(self);
            if state.loaded.as_ref().is_some_and(fits) {
                return Ok(());
            }
            (state.loaded, state.loads, state.asked[me].loaded) = (None, state.loads + 1, true);
            state.speed.load
        };
        self.pause(stream, load)?;
        state(self).loaded = Some(Loaded { model: model.to_owned(), options, read: Vec::new() });
        Ok(())
    }

    /// Batch by batch; what was read stays read, whoever goes. The last token is always read anew.
    fn read(&self, stream: &TcpStream, me: usize, prompt: &[u8]) -> Result<()> {
        let mut at = {
            let mut state = state(self);
            let Some(loaded) = state.loaded.as_mut() else { return Err(ErrorKind::ConnectionReset.into()) };
            let common = loaded.read.iter().zip(prompt).take_while(|(one, other)| one == other).count();
            let cached = (common / TOKEN).min((prompt.len() / TOKEN).saturating_sub(1));
            loaded.read.truncate(cached * TOKEN);
            state.asked[me].cached = cached;
            cached * TOKEN
        };
        while at < prompt.len() {
            let speed = state(self).speed;
            let next = prompt.len().min(at + speed.batch * TOKEN);
            let gone = self.pause_through(stream, speed.read * u32::try_from((next - at) / TOKEN).unwrap_or(u32::MAX));
            if let Some(loaded) = state(self).loaded.as_mut() {
                loaded.read.extend_from_slice(&prompt[at..next]);
            }
            gone?;
            at = next;
        }
        Ok(())
    }

    fn write(&self, stream: &mut TcpStream, me: usize, body: &Value, load: Duration, read: Duration) -> Result<Ended> {
        let most = body["options"]["num_predict"].as_u64().unwrap_or(u64::MAX);
        let text = state(self).text_for(body);
        let words: Vec<&str> = text.split_inclusive(' ').collect();
        let (mut written, began) = (0_u64, SystemClock.instant());
        // The head comes with the first token, as the real one's does.
        socket::chunked(stream, "application/x-ndjson")?;
        for word in words.iter().take(usize::try_from(most).unwrap_or(usize::MAX)) {
            // Not in the call: the lock would be held while it waits.
            let write = state(self).speed.write;
            self.pause(stream, write)?;
            line(
                stream,
                &json!({"model": body["model"], "message": {"role": "assistant", "content": word}, "done": false}),
            )?;
            written += 1;
            state(self).asked[me].written += 1;
        }
        let cut = written < words.len() as u64;
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let prompt = state(self).asked[me].prompt;
        line(
            stream,
            &json!({"model": body["model"], "message": {"role": "assistant", "content": ""}, "done": true,
            "done_reason": if cut { "length" } else { "stop" }, "load_duration": nanos(load),
            "prompt_eval_count": prompt, "prompt_eval_duration": nanos(read),
            "eval_count": written, "eval_duration": nanos(SystemClock.instant().duration_since(began))}),
        )?;
        socket::end(stream).map(|()| Ended::Done)
    }

    /// Waits; an error as soon as the client has gone or the server is down.
    fn pause(&self, stream: &TcpStream, time: Duration) -> Result<()> {
        let end = SystemClock.instant() + time;
        loop {
            let left = end.saturating_duration_since(SystemClock.instant());
            self.rest(left.min(LOOK))?;
            if socket::hung_up(stream) {
                return Err(ErrorKind::ConnectionReset.into());
            }
            if left <= LOOK {
                return Ok(());
            }
        }
    }

    /// Waits to the end, and only then looks who has gone.
    fn pause_through(&self, stream: &TcpStream, time: Duration) -> Result<()> {
        self.rest(time)?;
        if socket::hung_up(stream) { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    fn rest(&self, time: Duration) -> Result<()> {
        let (state, _) = self.bell.wait_timeout_while(state(self), time, |state| !state.down).unwrap();
        if state.down { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

fn line(stream: &mut TcpStream, value: &Value) -> Result<()> {
    socket::chunk(stream, format!("{value}\n").as_bytes())
}

fn refuse(stream: &mut TcpStream, body: &Value) -> Result<()> {
    let error = json!({"error": format!("model {} not found", body["model"])});
    socket::whole(stream, "404 Not Found", "application/json", &error.to_string())
}
