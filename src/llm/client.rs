//! Model server client: detection, model list, and one streamed answer per request under one deadline.

use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::address::EndpointAddress;
use super::answer::{AnswerBuilder, FrameEffect, FrameParser};
use super::fingerprint::{configured, fingerprint};
use super::frames::{LimitExceeded, LineSplitter, body_cap};
use super::message_form::MessageForm;
use super::pace::{NoPace, STEP};
use super::server_error::{error_text, refusal};
use super::transport::{Transport, WholeBody, read_whole, stream_error};
use super::{AnswerPace, ClockFired, Finish, LlmError, ModelAnswer, ModelRequest, Server, ollama, openai};
use crate::config::{ApiKey, EndpointConfig, keys::HIDDEN};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::model::{Api, ListedModel, StreamVerdict, same_model};

/// How long a model that was found local counts as local: a name can be reassigned to a cloud model, but only by
/// the user's own action.
const LOCAL_FOR: Duration = Duration::from_secs(60);
/// How long to wait for token counts after the server's finish reason.
const COUNTS: Duration = Duration::from_millis(100);

/// Client of one endpoint. Cheap to keep and shareable; dropping a future closes its connection,
/// which makes every server in scope stop generating (cancellation).
#[derive(Debug)]
pub struct Client {
    address: EndpointAddress,
    api: Option<Api>,
    key: Option<ApiKey>,
    transport: OnceCell<Transport>,
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
            address: EndpointAddress::parse(&endpoint.url, endpoint.remote)?,
            api: endpoint.api,
            key: endpoint.api_key.clone(),
            transport: OnceCell::new(),
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
    pub async fn models(&self, until: Instant) -> Result<Vec<ListedModel>, LlmError> {
        self.list(until).await.map_err(|error| self.without_key(error))
    }

    async fn list(&self, until: Instant) -> Result<Vec<ListedModel>, LlmError> {
        match self.server(until).await? {
            Server { api: Api::Ollama, .. } => {
                let tags = self.document(ollama::TAGS, "models", until).await?;
                let ps = self.document(ollama::PS, "models", until).await.ok();
                Ok(ollama::parse_models(&tags, ps.as_ref()))
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
                Ok(openai::parse_models(&models, props.as_ref()))
            }
        }
    }

    /// Sends a request and collects the answer until it ends or `ask.until` is reached.
    /// Partial text is never lost: once text arrived, only a cloud model is an error.
    ///
    /// # Errors
    /// No text at all: the clock that fired, or the server's failure.
    pub async fn request_answer(&self, ask: &ModelRequest) -> Result<ModelAnswer, LlmError> {
        self.request_answer_paced(ask, &NoPace).await
    }

    /// The same request with a pace, which may end the answer earlier: its text is cut there, as at the deadline.
    ///
    /// # Errors
    /// As without a pace; `Deadline(ClockFired::Pace)` if it was given up before any text.
    pub async fn request_answer_paced(
        &self,
        ask: &ModelRequest,
        pace: &dyn AnswerPace,
    ) -> Result<ModelAnswer, LlmError> {
        if SystemClock.instant() >= ask.until {
            return Err(LlmError::Deadline(ClockFired::Connect));
        }
        // Another request may be running the same detection with a later deadline.
        let prepared = tokio::time::timeout_at(ask.until.into(), self.prepare(ask)).await;
        let (wire, server) = prepared.unwrap_or(Err(LlmError::Deadline(ClockFired::Connect)))?;
        let form = self.form(&ask.model);
        let mut answer = self.send(ask, pace, (wire, &server), form).await;
        if form == MessageForm::Separate && matches!(answer, Err(LlmError::NoSystemRole { .. })) {
            answer = self.send(ask, pace, (wire, &server), MessageForm::Merged).await;
            if answer.is_ok() {
                self.merged.lock().insert(ask.model.clone());
            }
        }
        match answer {
            Ok(answer) => {
                Ok(ModelAnswer { broken_off: answer.broken_off.map(|words| self.hide_key(&words)), ..answer })
            }
            Err(error) => Err(self.without_key(error)),
        }
    }

    /// Message form for this model.
    fn form(&self, model: &str) -> MessageForm {
        let merged = self.merged.lock();
        if merged.contains(model) { MessageForm::Merged } else { MessageForm::Separate }
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
        ask: &ModelRequest,
        pace: &dyn AnswerPace,
        (wire, server): (&Transport, &Server),
        form: MessageForm,
    ) -> Result<ModelAnswer, LlmError> {
        let (path, body, mut frames): (_, _, Box<dyn FrameParser + Send>) = match server.api {
            Api::Ollama => {
                let frames = ollama::OllamaStream::new(&ask.model, self.address.is_remote());
                (ollama::CHAT, ollama::body(ask, form), Box::new(frames))
            }
            Api::Openai => (openai::CHAT, openai::body(ask, server, form), Box::<openai::OpenaiStream>::default()),
        };
        let growing = AnswerBuilder::new(SystemClock.instant());
        let watch = WaitGuard { until: ask.until, pace };
        // Some servers send no response head before the first token.
        let sent = watch.wait(&growing, wire.post(path, &body, ask.until)).await;
        let response = sent.map_err(|over| LlmError::Deadline(over.clock(ClockFired::Connect)))??;
        if !response.status().is_success() {
            return Err(response_error(response, ask).await);
        }
        collect(response, frames.as_mut(), growing, ask, &watch).await
    }

    /// Checks that must pass before the request may be sent.
    async fn prepare(&self, ask: &ModelRequest) -> Result<(&Transport, Server), LlmError> {
        let wire = self.wire(ask.until).await?;
        let server = self.server(ask.until).await?;
        if server.api == Api::Ollama {
            self.check_local(&ask.model, ask.until).await?;
        }
        Ok((wire, server))
    }

    async fn wire(&self, until: Instant) -> Result<&Transport, LlmError> {
        self.transport
            .get_or_try_init(async || Transport::open(self.address.clone(), self.key.as_ref(), until).await)
            .await
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
    async fn check_local(&self, model: &str, until: Instant) -> Result<(), LlmError> {
        if self.address.is_remote() {
            return Ok(());
        }
        if ollama::is_cloud_name(model) {
            return Err(LlmError::Cloud { model: model.to_owned() });
        }
        let now = SystemClock.instant();
        if self
            .local
            .lock()
            .get(model)
            .copied()
            .is_some_and(|checked_at| now.saturating_duration_since(checked_at) < LOCAL_FOR)
        {
            return Ok(());
        }
        let tags = self.document(ollama::TAGS, "models", until).await?;
        let offered = ollama::parse_models(&tags, None);
        match offered.iter().find(|offered| same_model(&offered.name, model)) {
            None => Err(LlmError::NoSuchModel { model: model.to_owned() }),
            Some(offered) if offered.cloud => Err(LlmError::Cloud { model: model.to_owned() }),
            Some(_) => {
                self.local.lock().insert(model.to_owned(), now);
                Ok(())
            }
        }
    }
}

/// The error of a failed response; its status alone if the body does not arrive in time.
async fn response_error(response: Response, ask: &ModelRequest) -> LlmError {
    let status = response.status().as_u16();
    let whole = read_whole(response, ask.until).await.unwrap_or(WholeBody { status, body: Vec::new() });
    refusal(&whole, &ask.model)
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy)]
enum WaitEnd {
    Deadline,
    Pace,
}

impl WaitEnd {
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
struct WaitGuard<'a> {
    until: Instant,
    pace: &'a dyn AnswerPace,
}

impl WaitGuard<'_> {
    /// The same with an earlier limit.
    fn until(self, until: Instant) -> Self {
        Self { until, ..self }
    }

    async fn wait<T>(&self, growing: &AnswerBuilder, coming: impl Future<Output = T>) -> Result<T, WaitEnd> {
        let mut coming = pin!(coming);
        loop {
            let step = self.until.min(SystemClock.instant() + STEP);
            if let Ok(value) = tokio::time::timeout_at(step.into(), coming.as_mut()).await {
                return Ok(value);
            }
            self.check_limits(growing, SystemClock.instant())?;
        }
    }

    fn check_limits(&self, growing: &AnswerBuilder, now: Instant) -> Result<(), WaitEnd> {
        if now >= self.until {
            return Err(WaitEnd::Deadline);
        }
        match self.pace.check_progress(&growing.so_far(now, self.until)) {
            StreamVerdict::Wait => Ok(()),
            StreamVerdict::Keep | StreamVerdict::GiveUp => Err(WaitEnd::Pace),
        }
    }
}

/// Why reading a stream stopped.
enum StreamEnd {
    Stopped(WaitEnd),
    Failed(LlmError),
}

/// Reads the stream to its end, the deadline or the pace's. Returning drops the response and so the connection.
async fn collect(
    mut response: Response,
    frames: &mut (dyn FrameParser + Send),
    mut growing: AnswerBuilder,
    ask: &ModelRequest,
    watch: &WaitGuard<'_>,
) -> Result<ModelAnswer, LlmError> {
    let mut lines = LineSplitter::new(body_cap(ask.sampling.max_tokens));
    let mut ended: Option<(Instant, Finish)> = None;
    loop {
        let chunk = match ended {
            None => watch.wait(&growing, response.chunk()).await,
            // Heartbeats may follow indefinitely.
            Some((until, _)) => watch.until(until).wait(&growing, response.chunk()).await,
        };
        let now = SystemClock.instant();
        growing.set_time(now);
        let step = match chunk {
            Ok(Ok(Some(bytes))) => {
                lines.push(&bytes);
                feed_lines(&mut lines, frames, &mut growing).map_err(StreamEnd::Failed)
            }
            Ok(Ok(None)) => {
                finish_body(&mut lines, frames, &mut growing).map(FrameEffect::Done).map_err(StreamEnd::Failed)
            }
            Ok(Err(error)) => Err(StreamEnd::Failed(stream_error(&error))),
            Err(over) => Err(StreamEnd::Stopped(over)),
        };
        let over = match (step, ended) {
            (Ok(FrameEffect::Done(finish)), _) | (Err(_), Some((_, finish))) => {
                return Ok(growing.finish(finish, ask, now, None));
            }
            (Ok(FrameEffect::More), Some((until, finish))) if now >= until => {
                return Ok(growing.finish(finish, ask, now, None));
            }
            // Not all frames are text, and the pace judges the text alone. A stream that is always ready never
            // yields to the timer.
            (Ok(FrameEffect::More), _) => watch.check_limits(&growing, now).err(),
            (Err(StreamEnd::Stopped(over)), None) => Some(over),
            (Err(StreamEnd::Failed(error)), None) => return abort_answer(error, growing, ask, now),
        };
        ended = ended.or_else(|| frames.finish_reason().map(|finish| (ask.until.min(now + COUNTS), finish)));
        match (over, ended) {
            (None, _) => {}
            (Some(_), Some((_, finish))) => return Ok(growing.finish(finish, ask, now, None)),
            (Some(over), None) => return cut_answer(growing, over, ask, now),
        }
    }
}

fn feed_lines(
    lines: &mut LineSplitter,
    frames: &mut (dyn FrameParser + Send),
    growing: &mut AnswerBuilder,
) -> Result<FrameEffect, LlmError> {
    while let Some(line) = lines.next().map_err(|LimitExceeded { limit }| LlmError::TooMuch { limit })? {
        if let FrameEffect::Done(finish) = frames.parse_line(line, growing)? {
            return Ok(FrameEffect::Done(finish));
        }
    }
    Ok(FrameEffect::More)
}

/// The body has ended: its last line may lack its newline, its closing message may be missing.
fn finish_body(
    lines: &mut LineSplitter,
    frames: &mut (dyn FrameParser + Send),
    growing: &mut AnswerBuilder,
) -> Result<Finish, LlmError> {
    let rest = lines.rest();
    if !rest.is_empty()
        && let FrameEffect::Done(finish) = frames.parse_line(rest, growing)?
    {
        return Ok(finish);
    }
    // A whole sentence needs no closing message.
    frames
        .finish_reason()
        .or_else(|| growing.is_whole().then_some(Finish::Stop))
        .ok_or_else(|| LlmError::MidStream { message: "the stream ended without its closing message".into() })
}

fn cut_answer(
    growing: AnswerBuilder,
    over: WaitEnd,
    ask: &ModelRequest,
    now: Instant,
) -> Result<ModelAnswer, LlmError> {
    if growing.has_text() {
        Ok(growing.finish(Finish::Cut(over.clock(ClockFired::Stream)), ask, now, None))
    } else {
        Err(LlmError::Deadline(over.clock(ClockFired::FirstToken)))
    }
}

fn abort_answer(
    error: LlmError,
    growing: AnswerBuilder,
    ask: &ModelRequest,
    now: Instant,
) -> Result<ModelAnswer, LlmError> {
    if growing.has_text() && !matches!(error, LlmError::Cloud { .. }) {
        Ok(growing.finish(Finish::Aborted, ask, now, Some(error.to_string())))
    } else {
        Err(error)
    }
}
