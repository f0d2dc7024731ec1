//! One endpoint: what it is, what it offers, and one streamed answer under one deadline.

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
use crate::domain::model::{Api, Offered, Verdict};

/// How long a model that was found on this machine is believed to still be here: a name can be
/// made to mean a cloud model, but not between two commits without somebody doing it.
const LOCAL_FOR: Duration = Duration::from_secs(60);
/// How long counts are waited for after a server has said that the answer ends.
const COUNTS: Duration = Duration::from_millis(100);

/// A client of one endpoint. Cheap to keep, safe to share; dropping a future closes its connection,
/// which makes every server in scope stop generating.
#[derive(Debug)]
pub struct Client {
    address: Address,
    api: Option<Api>,
    key: Option<ApiKey>,
    wire: OnceCell<Wire>,
    server: OnceCell<Server>,
    /// Models that ran on the server's own machine when last looked at.
    local: Mutex<HashMap<String, Instant>>,
    /// Models whose chat template takes no system message.
    merged: Mutex<HashSet<String>>,
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
            key: endpoint.api_key.clone(),
            wire: OnceCell::new(),
            server: OnceCell::new(),
            local: Mutex::default(),
            merged: Mutex::default(),
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
        self.server.get_or_try_init(ask).await.cloned().map_err(|error| self.without_key(error))
    }

    /// What the server offers.
    ///
    /// # Errors
    /// When the server does not answer before `until`, or answers with something else than a list.
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

    /// Asks, and collects the answer until it ends or `ask.until` has come, whichever is first.
    /// Text that has arrived is never lost: once there is some, only a cloud model is an error.
    ///
    /// # Errors
    /// When there is no text at all: which clock fired, or what the server said or did instead.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, LlmError> {
        self.ask_paced(ask, &Patient).await
    }

    /// The same, but `pace` may end it earlier: what has come until then is cut there, as at the deadline.
    ///
    /// # Errors
    /// As [`Client::ask`]; `Deadline(ClockFired::Pace)` when it was given up before there was any text.
    pub async fn ask_paced(&self, ask: &Ask, pace: &dyn Pace) -> Result<Answer, LlmError> {
        if SystemClock.instant() >= ask.until {
            return Err(LlmError::Deadline(ClockFired::Connect));
        }
        // Somebody else may be finding these things out with far more time than we have.
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

    /// How the rules reach this model.
    fn form(&self, model: &str) -> Form {
        let merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        if merged.contains(model) { Form::Merged } else { Form::Separate }
    }

    /// Some servers repeat the key that they refuse.
    fn hide_key(&self, words: &str) -> String {
        self.key.as_ref().map_or_else(|| words.to_owned(), |key| words.replace(key.expose(), HIDDEN))
    }

    fn without_key(&self, mut error: LlmError) -> LlmError {
        if let Some(message) = error.message_mut() {
            *message = self.hide_key(message);
        }
        error
    }

    /// One request, and what comes back.
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
        // Some servers send not even a head before the first token.
        let sent = watch.wait(&growing, wire.post(path, &body, ask.until)).await;
        let response = sent.map_err(|over| LlmError::Deadline(over.clock(ClockFired::Connect)))??;
        if !response.status().is_success() {
            return Err(refused(response, ask).await);
        }
        collect(response, frames.as_mut(), growing, ask, &watch).await
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
        self.wire.get_or_try_init(async || Wire::open(self.address.clone(), self.key.as_ref(), until).await).await
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

/// Why nothing is waited for any longer.
#[derive(Debug, Clone, Copy)]
enum Over {
    Deadline,
    Pace,
}

impl Over {
    /// The clock that fired, where `clock` is the one of the deadline.
    fn clock(self, clock: ClockFired) -> ClockFired {
        match self {
            Self::Deadline => clock,
            Self::Pace => ClockFired::Pace,
        }
    }
}

/// Waits for what a server sends, as long as the deadline and the pace allow.
#[derive(Clone, Copy)]
struct Watch<'a> {
    until: Instant,
    pace: &'a dyn Pace,
}

impl Watch<'_> {
    /// The same with an earlier end.
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

/// Why a stream is read no further.
enum Ended {
    Over(Over),
    Badly(LlmError),
}

/// Reads the stream to its end, the deadline or the pace's. Returning drops the response, which closes the connection.
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
            // Heartbeats may follow for as long as the server likes.
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
            // What arrives need not be text: the pace judges the text alone. A stream that is always ready never
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
