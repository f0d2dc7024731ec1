//! One endpoint: what it is, what it offers, and one streamed answer under one deadline.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::address::Address;
use super::answer::{Flow, Frames, Growing};
use super::fingerprint::{configured, fingerprint};
use super::frames::{Lines, TooMuch, body_cap};
use super::refusal::{error_text, refusal};
use super::wire::{Whole, Wire, broken, read_whole};
use super::{Answer, Api, Ask, ClockFired, Finish, LlmError, Offered, Server, ollama, openai};
use crate::config::EndpointConfig;
use crate::domain::clock::{Clock, SystemClock};

/// How long a model that was found on this machine is believed to still be here: a name can be
/// made to mean a cloud model, but not between two commits without somebody doing it.
const LOCAL_FOR: Duration = Duration::from_secs(60);

/// A client of one endpoint. Cheap to keep, safe to share; dropping a future closes its connection,
/// which makes every server in scope stop generating.
#[derive(Debug)]
pub struct Client {
    address: Address,
    api: Option<Api>,
    wire: OnceCell<Wire>,
    server: OnceCell<Server>,
    /// Models that ran on the server's own machine when last looked at.
    local: Mutex<HashMap<String, Instant>>,
}

impl Client {
    /// Checks the address as far as that needs no resolver; connects to nothing.
    ///
    /// # Errors
    /// `InvalidEndpoint` and `NotLoopback`.
    pub fn new(endpoint: &EndpointConfig) -> Result<Self, LlmError> {
        Ok(Self {
            address: Address::parse(&endpoint.url, endpoint.remote)?,
            api: endpoint.api,
            wire: OnceCell::new(),
            server: OnceCell::new(),
            local: Mutex::new(HashMap::new()),
        })
    }

    /// What answers here; asked once, remembered after success.
    ///
    /// # Errors
    /// When nothing answers like a model server before `until`.
    pub async fn server(&self, until: Instant) -> Result<Server, LlmError> {
        let ask = async || match self.api {
            Some(api) => Ok(configured(api)),
            None => fingerprint(self.wire(until).await?, &self.address.display(), until).await,
        };
        self.server.get_or_try_init(ask).await.cloned()
    }

    /// What the server offers.
    ///
    /// # Errors
    /// When the server does not answer before `until`, or answers with something else than a list.
    pub async fn models(&self, until: Instant) -> Result<Vec<Offered>, LlmError> {
        match self.server(until).await? {
            Server { api: Api::Ollama, .. } => {
                let tags = self.document(ollama::TAGS, "models", until).await?;
                let ps = self.document(ollama::PS, "models", until).await.ok();
                Ok(ollama::offered(&tags, ps.as_ref()))
            }
            server => {
                let models = self.document(openai::MODELS, "data", until).await?;
                let props = match server.name.as_str() {
                    openai::LLAMA_CPP => self.document(openai::PROPS, "total_slots", until).await.ok(),
                    _ => None,
                };
                Ok(openai::offered(&models, props.as_ref()))
            }
        }
    }

    /// Asks, and collects the answer until it ends or `ask.until` has come, whichever is first.
    /// Text that has arrived is never lost: once there is some, only a cloud model is an error.
    ///
    /// # Errors
    /// When there is no text at all: which clock fired, or what the server said or did instead.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, LlmError> {
        if SystemClock.instant() >= ask.until {
            return Err(LlmError::Deadline(ClockFired::Connect));
        }
        // Somebody else may be finding these things out with far more time than we have.
        let known = tokio::time::timeout_at(ask.until.into(), self.prepare(ask)).await;
        let (wire, server) = known.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect)))?;
        let sent;
        let (response, mut frames): (_, Box<dyn Frames + Send>) = match server.api {
            Api::Ollama => {
                sent = SystemClock.instant();
                let frames = ollama::Stream { model: ask.model.clone(), remote: self.address.is_remote() };
                (wire.post(ollama::CHAT, &ollama::body(ask), ask.until).await?, Box::new(frames))
            }
            Api::Openai => {
                sent = SystemClock.instant();
                let body = openai::body(ask, &server);
                (wire.post(openai::CHAT, &body, ask.until).await?, Box::<openai::Stream>::default())
            }
        };
        if !response.status().is_success() {
            return Err(refused(response, ask).await);
        }
        collect(response, frames.as_mut(), ask, sent).await
    }

    /// Everything that must be known before the question may leave.
    async fn prepare(&self, ask: &Ask) -> Result<(&Wire, Server), LlmError> {
        let wire = self.wire(ask.until).await?;
        let server = self.server(ask.until).await?;
        if server.api == Api::Ollama {
            self.stays_here(&ask.model, ask.until).await?;
        }
        Ok((wire, server))
    }

    async fn wire(&self, until: Instant) -> Result<&Wire, LlmError> {
        self.wire.get_or_try_init(async || Wire::open(self.address.clone(), until).await).await
    }

    /// Reads a JSON document that must have `field`.
    async fn document(&self, path: &str, field: &str, until: Instant) -> Result<Value, LlmError> {
        let whole = self.wire(until).await?.get(path, until).await?;
        let value = whole.json();
        if whole.status != 200 {
            return Err(refusal(&whole, ""));
        }
        if value.get(field).is_none() {
            let message = error_text(&value).unwrap_or_else(|| format!("{path} has no field {field:?}"));
            return Err(LlmError::Garbled { message });
        }
        Ok(value)
    }

    /// Ollama hands cloud models' questions on to another machine: such a model is told by its name,
    /// or by its entry in the list, before a word of the question is sent.
    async fn stays_here(&self, model: &str, until: Instant) -> Result<(), LlmError> {
        if self.address.is_remote() {
            return Ok(());
        }
        if ollama::is_cloud_name(model) {
            return Err(LlmError::Cloud { model: model.to_owned() });
        }
        let now = SystemClock.instant();
        if self.known_local(model).is_some_and(|seen| now.saturating_duration_since(seen) < LOCAL_FOR) {
            return Ok(());
        }
        let tags = self.document(ollama::TAGS, "models", until).await?;
        let offered = ollama::offered(&tags, None);
        match offered.iter().find(|offered| ollama::same_model(&offered.name, model)) {
            None => Err(LlmError::NoSuchModel { model: model.to_owned() }),
            Some(offered) if offered.cloud => Err(LlmError::Cloud { model: model.to_owned() }),
            Some(_) => {
                self.local.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), now);
                Ok(())
            }
        }
    }

    fn known_local(&self, model: &str) -> Option<Instant> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }
}

/// The error behind a status; the status alone when its body does not come in time.
async fn refused(response: Response, ask: &Ask) -> LlmError {
    let status = response.status().as_u16();
    let whole = read_whole(response, ask.until).await.unwrap_or(Whole { status, body: Vec::new() });
    refusal(&whole, &ask.model)
}

/// Reads the stream to its end or the deadline. Returning drops the response, which closes the connection.
async fn collect(
    mut response: Response,
    frames: &mut (dyn Frames + Send),
    ask: &Ask,
    sent: Instant,
) -> Result<Answer, LlmError> {
    let mut lines = Lines::new(body_cap(ask.sampling.max_tokens));
    let mut growing = Growing::new(sent);
    loop {
        let chunk = tokio::time::timeout_at(ask.until.into(), response.chunk()).await;
        let now = SystemClock.instant();
        growing.at(now);
        let step = match chunk {
            Ok(Ok(Some(bytes))) => {
                lines.push(&bytes);
                feed(&mut lines, frames, &mut growing)
            }
            Ok(Ok(None)) => last(&mut lines, frames, &mut growing).map(Flow::Done),
            Ok(Err(error)) => Err(broken(&error)),
            Err(_) => return cut(growing, ask, now),
        };
        match step {
            Ok(Flow::Done(finish)) => return Ok(growing.finish(finish, ask, now, None)),
            // A stream that is always ready never yields to the timer.
            Ok(Flow::More) if now >= ask.until => return cut(growing, ask, now),
            Ok(Flow::More) => {}
            Err(error) => return ended_badly(error, growing, ask, now),
        }
    }
}

fn feed(lines: &mut Lines, frames: &mut (dyn Frames + Send), growing: &mut Growing) -> Result<Flow, LlmError> {
    while let Some(line) = lines.next().map_err(|TooMuch { limit }| LlmError::TooMuch { limit })? {
        if let Flow::Done(finish) = frames.line(line, growing)? {
            return Ok(Flow::Done(finish));
        }
    }
    Ok(Flow::More)
}

/// The body has ended: its last line may lack its newline, its closing message may be missing.
fn last(lines: &mut Lines, frames: &mut (dyn Frames + Send), growing: &mut Growing) -> Result<Finish, LlmError> {
    let rest = lines.rest();
    if !rest.is_empty()
        && let Flow::Done(finish) = frames.line(rest, growing)?
    {
        return Ok(finish);
    }
    match frames.at_end() {
        Finish::Aborted => Err(LlmError::MidStream { message: "the stream ended without its closing message".into() }),
        finish => Ok(finish),
    }
}

fn cut(growing: Growing, ask: &Ask, now: Instant) -> Result<Answer, LlmError> {
    if growing.has_text() {
        Ok(growing.finish(Finish::Cut(ClockFired::Stream), ask, now, None))
    } else {
        Err(LlmError::Deadline(ClockFired::FirstToken))
    }
}

fn ended_badly(error: LlmError, growing: Growing, ask: &Ask, now: Instant) -> Result<Answer, LlmError> {
    if growing.has_text() && !matches!(error, LlmError::Cloud { .. }) {
        Ok(growing.finish(Finish::Aborted, ask, now, Some(error.to_string())))
    } else {
        Err(error)
    }
}
