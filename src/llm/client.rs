//! Model server client: detection, model list, and one streamed answer per request under one deadline.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::address::Address;
use super::answer::{Flow, Frames, Growing};
use super::fingerprint::{configured, fingerprint};
use super::form::Form;
use super::frames::{Lines, TooMuch, body_cap};
use super::pace::{Patient, STEP};
use super::refusal::{error_text, refusal};
use super::wire::{Whole, Wire, broken, read_whole};
use super::{Answer, Ask, ClockFired, Finish, LlmError, Pace, Server, ollama, openai};
use crate::config::{ApiKey, EndpointConfig, secret::HIDDEN};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::model::{Api, Offered, Verdict, same_model};

/// How long a model that was found local counts as local: a name can be reassigned to a cloud model, but only by
/// the user's own action.
const LOCAL_FOR: Duration = Duration::from_secs(60);
/// How long to wait for token counts after the server's finish reason.
const COUNTS: Duration = Duration::from_millis(100);

/// Client of one endpoint. Cheap to keep and shareable; dropping a future closes its connection,
/// which makes every server in scope stop generating (cancellation).
#[derive(Debug)]
pub struct Client {
    address: Address,
    api: Option<Api>,
    key: Option<ApiKey>,
    wire: OnceCell<Wire>,
    server: OnceCell<Server>,
    /// Models that ran on the server's own machine at the last check.
    local: Mutex<HashMap<String, Instant>>,
    /// Models with a chat template that rejects system messages.
    merged: Mutex<HashSet<String>>,
}

impl Client {
    /// Checks the address without a resolver; opens no connection.
    ///
    /// # Errors
    /// `InvalidEndpoint` and `NotLoopback`.
    pub fn new(endpoint: &EndpointConfig) -> Result<Self, LlmError> {
        Ok(Self {
            address: Address::parse(&endpoint.url, endpoint.remote)?,
            api: endpoint.api,
            key: endpoint.api_key.clone(),
            wire: OnceCell::new(),
            server: OnceCell::new(),
            local: Mutex::default(),
            merged: Mutex::default(),
        })
    }

    /// The detected server; detection runs once and is cached after success.
    ///
    /// # Errors
    /// No model server answers before `until`.
    pub async fn server(&self, until: Instant) -> Result<Server, LlmError> {
        let ask = async || match self.api {
            Some(api) => Ok(configured(api)),
            None => fingerprint(self.wire(until).await?, &self.address.display(), until).await,
        };
        self.server.get_or_try_init(ask).await.cloned().map_err(|error| self.without_key(error))
    }

    /// The models of the server.
    ///
    /// # Errors
    /// The server does not answer before `until`, or answers with something other than a list.
    pub async fn models(&self, until: Instant) -> Result<Vec<Offered>, LlmError> {
        self.list(until).await.map_err(|error| self.without_key(error))
    }

    async fn list(&self, until: Instant) -> Result<Vec<Offered>, LlmError> {
        match self.server(until).await? {
            Server { api: Api::Ollama, .. } => {
                let tags = self.document(ollama::TAGS, "models", until).await?;
                let ps = self.document(ollama::PS, "models", until).await.ok();
                Ok(ollama::offered(&tags, ps.as_ref()))
            }
            server => {
                let own = match server.name.as_str() {
                    openai::LM_STUDIO => self.document(openai::LM_STUDIO_MODELS, "data", until).await.ok(),
                    _ => None,
                };
                let models = match own {
                    Some(own) => own,
                    None => self.document(openai::MODELS, "data", until).await?,
                };
                let props = match server.name.as_str() {
                    openai::LLAMA_CPP => self.document(openai::PROPS, "total_slots", until).await.ok(),
                    _ => None,
                };
                Ok(openai::offered(&models, props.as_ref()))
            }
        }
    }

    /// Sends a request and collects the answer until it ends or `ask.until` is reached.
    /// Partial text is never lost: once text arrived, only a cloud model is an error.
    ///
    /// # Errors
    /// No text at all: the clock that fired, or the server's failure.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, LlmError> {
        self.ask_paced(ask, &Patient).await
    }

    /// The same request with a pace, which may end the answer earlier: its text is cut there, as at the deadline.
    ///
    /// # Errors
    /// As without a pace; `Deadline(ClockFired::Pace)` if it was given up before any text.
    pub async fn ask_paced(&self, ask: &Ask, pace: &dyn Pace) -> Result<Answer, LlmError> {
        if SystemClock.instant() >= ask.until {
            return Err(LlmError::Deadline(ClockFired::Connect));
        }
        // Another request may be running the same detection with a later deadline.
        let known = tokio::time::timeout_at(ask.until.into(), self.prepare(ask)).await;
        let (wire, server) = known.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect)))?;
        let form = self.form(&ask.model);
        let mut answer = self.send(ask, pace, (wire, &server), form).await;
        if form == Form::Separate && matches!(answer, Err(LlmError::NoSystemRole { .. })) {
            answer = self.send(ask, pace, (wire, &server), Form::Merged).await;
            if answer.is_ok() {
                self.merged.lock().unwrap_or_else(PoisonError::into_inner).insert(ask.model.clone());
            }
        }
        match answer {
            Ok(answer) => Ok(Answer { broken_off: answer.broken_off.map(|words| self.hide_key(&words)), ..answer }),
            Err(error) => Err(self.without_key(error)),
        }
    }

    /// Message form for this model.
    fn form(&self, model: &str) -> Form {
        let merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        if merged.contains(model) { Form::Merged } else { Form::Separate }
    }

    /// Some servers echo the rejected key.
    fn hide_key(&self, words: &str) -> String {
        self.key.as_ref().map_or_else(|| words.to_owned(), |key| words.replace(key.expose(), HIDDEN))
    }

    fn without_key(&self, mut error: LlmError) -> LlmError {
        if let Some(message) = error.message_mut() {
            *message = self.hide_key(message);
        }
        error
    }

    /// One request with its response.
    async fn send(
        &self,
        ask: &Ask,
        pace: &dyn Pace,
        (wire, server): (&Wire, &Server),
        form: Form,
    ) -> Result<Answer, LlmError> {
        let (path, body, mut frames): (_, _, Box<dyn Frames + Send>) = match server.api {
            Api::Ollama => {
                let frames = ollama::Stream::new(&ask.model, self.address.is_remote());
                (ollama::CHAT, ollama::body(ask, form), Box::new(frames))
            }
            Api::Openai => (openai::CHAT, openai::body(ask, server, form), Box::<openai::Stream>::default()),
        };
        let growing = Growing::new(SystemClock.instant());
        let watch = Watch { until: ask.until, pace };
        // Some servers send no response head before the first token.
        let sent = watch.wait(&growing, wire.post(path, &body, ask.until)).await;
        let response = sent.map_err(|over| LlmError::Deadline(over.clock(ClockFired::Connect)))??;
        if !response.status().is_success() {
            return Err(refused(response, ask).await);
        }
        collect(response, frames.as_mut(), growing, ask, &watch).await
    }

    /// Checks that must pass before the request may be sent.
    async fn prepare(&self, ask: &Ask) -> Result<(&Wire, Server), LlmError> {
        let wire = self.wire(ask.until).await?;
        let server = self.server(ask.until).await?;
        if server.api == Api::Ollama {
            self.stays_here(&ask.model, ask.until).await?;
        }
        Ok((wire, server))
    }

    async fn wire(&self, until: Instant) -> Result<&Wire, LlmError> {
        self.wire.get_or_try_init(async || Wire::open(self.address.clone(), self.key.as_ref(), until).await).await
    }

    /// Fetches a JSON document that must have `field`.
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

    /// Ollama forwards requests for cloud models to another machine: such a model is detected by its name,
    /// or by its list entry, before any part of the prompt is sent.
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
        match offered.iter().find(|offered| same_model(&offered.name, model)) {
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

/// The error of a failed response; its status alone if the body does not arrive in time.
async fn refused(response: Response, ask: &Ask) -> LlmError {
    let status = response.status().as_u16();
    let whole = read_whole(response, ask.until).await.unwrap_or(Whole { status, body: Vec::new() });
    refusal(&whole, &ask.model)
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy)]
enum Over {
    Deadline,
    Pace,
}

impl Over {
    /// The clock that fired, if the wait ended at the deadline; `clock` names it.
    fn clock(self, clock: ClockFired) -> ClockFired {
        match self {
            Self::Deadline => clock,
            Self::Pace => ClockFired::Pace,
        }
    }
}

/// Waits for server data, as long as the deadline and the pace allow.
#[derive(Clone, Copy)]
struct Watch<'a> {
    until: Instant,
    pace: &'a dyn Pace,
}

impl Watch<'_> {
    /// The same with an earlier limit.
    fn until(self, until: Instant) -> Self {
        Self { until, ..self }
    }

    async fn wait<T>(&self, growing: &Growing, coming: impl Future<Output = T>) -> Result<T, Over> {
        let mut coming = pin!(coming);
        loop {
            let step = self.until.min(SystemClock.instant() + STEP);
            if let Ok(come) = tokio::time::timeout_at(step.into(), coming.as_mut()).await {
                return Ok(come);
            }
            self.judge(growing, SystemClock.instant())?;
        }
    }

    fn judge(&self, growing: &Growing, now: Instant) -> Result<(), Over> {
        if now >= self.until {
            return Err(Over::Deadline);
        }
        match self.pace.judge(&growing.so_far(now, self.until)) {
            Verdict::Wait => Ok(()),
            Verdict::Keep | Verdict::GiveUp => Err(Over::Pace),
        }
    }
}

/// Why reading a stream stopped.
enum Ended {
    Over(Over),
    Badly(LlmError),
}

/// Reads the stream to its end, the deadline or the pace's. Returning drops the response and so the connection.
async fn collect(
    mut response: Response,
    frames: &mut (dyn Frames + Send),
    mut growing: Growing,
    ask: &Ask,
    watch: &Watch<'_>,
) -> Result<Answer, LlmError> {
    let mut lines = Lines::new(body_cap(ask.sampling.max_tokens));
    let mut ended: Option<(Instant, Finish)> = None;
    loop {
        let chunk = match ended {
            None => watch.wait(&growing, response.chunk()).await,
            // Heartbeats may follow indefinitely.
            Some((until, _)) => watch.until(until).wait(&growing, response.chunk()).await,
        };
        let now = SystemClock.instant();
        growing.at(now);
        let step = match chunk {
            Ok(Ok(Some(bytes))) => {
                lines.push(&bytes);
                feed(&mut lines, frames, &mut growing).map_err(Ended::Badly)
            }
            Ok(Ok(None)) => last(&mut lines, frames, &mut growing).map(Flow::Done).map_err(Ended::Badly),
            Ok(Err(error)) => Err(Ended::Badly(broken(&error))),
            Err(over) => Err(Ended::Over(over)),
        };
        let over = match (step, ended) {
            (Ok(Flow::Done(finish)), _) | (Err(_), Some((_, finish))) => {
                return Ok(growing.finish(finish, ask, now, None));
            }
            (Ok(Flow::More), Some((until, finish))) if now >= until => {
                return Ok(growing.finish(finish, ask, now, None));
            }
            // Not all frames are text, and the pace judges the text alone. A stream that is always ready never
            // yields to the timer.
            (Ok(Flow::More), _) => watch.judge(&growing, now).err(),
            (Err(Ended::Over(over)), None) => Some(over),
            (Err(Ended::Badly(error)), None) => return ended_badly(error, growing, ask, now),
        };
        ended = ended.or_else(|| frames.ending().map(|finish| (ask.until.min(now + COUNTS), finish)));
        match (over, ended) {
            (None, _) => {}
            (Some(_), Some((_, finish))) => return Ok(growing.finish(finish, ask, now, None)),
            (Some(over), None) => return cut(growing, over, ask, now),
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
    // A whole sentence needs no closing message.
    frames
        .ending()
        .or_else(|| growing.is_whole().then_some(Finish::Stop))
        .ok_or_else(|| LlmError::MidStream { message: "the stream ended without its closing message".into() })
}

fn cut(growing: Growing, over: Over, ask: &Ask, now: Instant) -> Result<Answer, LlmError> {
    if growing.has_text() {
        Ok(growing.finish(Finish::Cut(over.clock(ClockFired::Stream)), ask, now, None))
    } else {
        Err(LlmError::Deadline(over.clock(ClockFired::FirstToken)))
    }
}

fn ended_badly(error: LlmError, growing: Growing, ask: &Ask, now: Instant) -> Result<Answer, LlmError> {
    if growing.has_text() && !matches!(error, LlmError::Cloud { .. }) {
        Ok(growing.finish(Finish::Aborted, ask, now, Some(error.to_string())))
    } else {
        Err(error)
    }
}
