//! Model discovery: collects the model lists of all endpoints under a deadline.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::endpoints::{CachedList, EndpointSlot, Endpoints};
use super::knowledge::Knowledge;
use super::scoring::Offers;
use super::{Task, Unanswered, model_run};
use crate::config::Config;
use crate::domain::capture::Reason;
use crate::domain::clock::Clock;
use crate::domain::model::ListedModel;
use crate::llm::{ClockFired, LlmError};
use crate::route::breaker::RequestOutcome;
use crate::route::offer::{Offer, configured_model};

/// Once one endpoint has answered, the others get this share of the remaining time: a silent server must not spend the
/// budget of one that answers.
const STRAGGLERS: u32 = 8;

/// A server that has not listed its models within this time is silent. A shorter wait proves nothing.
const SILENCE: Duration = Duration::from_secs(1);
/// Timeout of a list that is fetched in the background.
const ASIDE: Duration = Duration::from_secs(3);

/// An endpoint's list with its age, or its error; no instant for a list that is only assumed.
type Offering = Result<(Offer, Option<Instant>), Unavailable>;
/// An endpoint's position in the configuration, with its list.
type EndpointOffer = (usize, Offering);

/// Why an endpoint is unavailable.
#[derive(Debug)]
pub(super) enum Unavailable {
    /// It failed just now.
    Error(LlmError),
    /// Its circuit breaker is open: it was not tried.
    BreakerOpen(LlmError, Reason),
    /// It timed out while another endpoint answers.
    TimedOut(LlmError),
}

impl From<LlmError> for Unavailable {
    fn from(error: LlmError) -> Self {
        Self::Error(error)
    }
}

impl From<Unavailable> for LlmError {
    fn from(nobody: Unavailable) -> Self {
        match nobody {
            Unavailable::Error(error) | Unavailable::BreakerOpen(error, _) | Unavailable::TimedOut(error) => error,
        }
    }
}

impl From<Unavailable> for Unanswered {
    fn from(nobody: Unavailable) -> Self {
        match nobody {
            // To the user it is the same whether a refused connection was found now or before.
            Unavailable::BreakerOpen(_, reason) if reason != Reason::Refused => Self::Unasked(reason),
            Unavailable::Error(error) | Unavailable::BreakerOpen(error, _) | Unavailable::TimedOut(error) => {
                Self::Failed(error)
            }
        }
    }
}

/// Why there was no endpoint to choose from, and the reason to record with the template.
#[derive(Debug)]
pub struct Refusal {
    pub reason: Reason,
    pub error: LlmError,
}

impl From<Unavailable> for Refusal {
    fn from(nobody: Unavailable) -> Self {
        let reason = if let Unavailable::BreakerOpen(_, reason) = nobody { Some(reason) } else { None };
        let error = LlmError::from(nobody);
        Self { reason: reason.unwrap_or_else(|| super::failure_reason(&error)), error }
    }
}

/// Catalogue of the models that the endpoints offer.
pub(super) struct Catalogue {
    pub clock: Arc<dyn Clock>,
    pub endpoints: Arc<Endpoints>,
    pub knowledge: Arc<Knowledge>,
    /// Background refreshes of model lists.
    pub looks: Mutex<JoinSet<()>>,
}

impl Catalogue {
    /// The lists of all endpoints in configured order, and the first error of the others.
    pub(super) async fn offers(&self, config: &Config, task: &Task<'_>) -> (Offers, Option<Unavailable>) {
        let began = self.clock.instant();
        let mut asked: JoinSet<EndpointOffer> = JoinSet::new();
        let mut answers: Vec<EndpointOffer> = Vec::new();
        for (order, endpoint) in config.endpoints.iter().enumerate() {
            match self.endpoints.slot(endpoint) {
                Ok(slot) => match self.at_once(config, task, &slot) {
                    Some(offer) => answers.push((order, offer)),
                    None => drop(asked.spawn(self.request_list(order, slot, task.until))),
                },
                Err(error) => answers.push((order, Err(error.into()))),
            }
        }
        let alone = self.assumed_offer(config, task);
        self.wait_for_lists(&mut asked, &mut answers, (task.until, alone.is_some())).await;
        self.note_stragglers(config, &mut answers);
        if let Some(alone) = alone {
            use_assumed_offer(&mut answers, alone);
        }
        self.sort_answers(config, answers, self.clock.instant().saturating_duration_since(began))
    }

    /// The answer that is known without a request.
    fn at_once(&self, config: &Config, task: &Task<'_>, slot: &Arc<EndpointSlot>) -> Option<Offering> {
        match self.endpoints.cached_list(slot) {
            CachedList::Fresh(offer, at) => return Some(Ok((offer, Some(at)))),
            CachedList::Stale(offer, at) => {
                self.look_aside(slot);
                return Some(Ok((offer, Some(at))));
            }
            CachedList::Nothing => {}
        }
        if let Some(barred) = self.open_breaker_error(slot) {
            return Some(Err(barred));
        }
        if !self.endpoints.is_late(slot) || !self.is_dispensable(config, task, slot) {
            return None;
        }
        self.look_aside(slot);
        Some(Err(Unavailable::TimedOut(LlmError::Deadline(ClockFired::Connect))))
    }

    /// The endpoint's error while its circuit breaker is open.
    fn open_breaker_error(&self, slot: &EndpointSlot) -> Option<Unavailable> {
        let knowledge = self.knowledge.learned();
        if knowledge.breakers.allows_request(&slot.config.name, "") {
            return None;
        }
        Some(if knowledge.breakers.is_unreachable(&slot.config.name) {
            Unavailable::BreakerOpen(LlmError::Unreachable { url: slot.config.url.clone() }, Reason::Refused)
        } else {
            Unavailable::BreakerOpen(LlmError::Deadline(ClockFired::Connect), Reason::BreakerOpen)
        })
    }

    /// Whether a model can be asked without this endpoint's list.
    fn is_dispensable(&self, config: &Config, task: &Task<'_>, slot: &EndpointSlot) -> bool {
        let others = config.endpoints.iter().filter(|other| other.name != slot.config.name);
        let mut others = others.filter_map(|other| self.endpoints.slot(other).ok());
        let is_known = |other: &EndpointSlot| !matches!(self.endpoints.cached_list(other), CachedList::Nothing);
        others.any(|other| is_known(&other)) || self.assumed_offer(config, task).is_some()
    }

    /// A single endpoint with a named model is asked even where it does not list its models.
    fn assumed_offer(&self, config: &Config, task: &Task<'_>) -> Option<Offer> {
        let name = configured_model(&config.models, config.capture.strategy, task.role)?;
        let [only] = &config.endpoints[..] else { return None };
        Some(Offer { endpoint: only.name.clone(), remote: only.remote, models: vec![ListedModel::named(name)] })
    }

    fn request_list(
        &self,
        order: usize,
        slot: Arc<EndpointSlot>,
        until: Instant,
    ) -> impl Future<Output = EndpointOffer> + Send + 'static {
        let endpoints = Arc::clone(&self.endpoints);
        async move {
            let fetched = endpoints.fetch_list(&slot, until).await;
            (order, fetched.map(|(offer, at)| (offer, Some(at))).map_err(Unavailable::from))
        }
    }

    /// Refreshes the list in the background, for the next request.
    fn look_aside(&self, slot: &Arc<EndpointSlot>) {
        let (endpoints, slot) = (Arc::clone(&self.endpoints), Arc::clone(slot));
        let until = self.clock.instant() + ASIDE;
        let mut looks = self.looks.lock();
        while looks.try_join_next().is_some() {}
        looks.spawn(async move { drop(endpoints.fetch_list(&slot, until).await) });
    }

    async fn wait_for_lists(
        &self,
        asked: &mut JoinSet<EndpointOffer>,
        answers: &mut Vec<EndpointOffer>,
        (until, alone): (Instant, bool),
    ) {
        let mut patience = self.patience(answers, until, alone);
        while let Ok(Some(joined)) = tokio::time::timeout_at(patience.into(), asked.join_next()).await {
            answers.extend(joined.ok());
            patience = patience.min(self.patience(answers, until, alone));
        }
    }

    fn patience(&self, answers: &[EndpointOffer], until: Instant, alone: bool) -> Instant {
        let now = self.clock.instant();
        let anything = alone || answers.iter().any(|(_, answer)| answer.is_ok());
        if anything { now + until.saturating_duration_since(now) / STRAGGLERS } else { until }
    }

    /// Records the endpoints that were silent for the whole wait; the next request does not wait for them.
    fn note_stragglers(&self, config: &Config, answers: &mut Vec<EndpointOffer>) {
        for (order, endpoint) in config.endpoints.iter().enumerate() {
            if answers.iter().any(|(place, answer)| *place == order && !is_silent(answer)) {
                continue;
            }
            if let Ok(slot) = self.endpoints.slot(endpoint) {
                self.endpoints.note_late(&slot);
                self.look_aside(&slot);
            }
            if answers.iter().all(|(place, _)| *place != order) {
                answers.push((order, Err(LlmError::Deadline(ClockFired::Connect).into())));
            }
        }
    }

    fn sort_answers(
        &self,
        config: &Config,
        mut answers: Vec<EndpointOffer>,
        waited: Duration,
    ) -> (Offers, Option<Unavailable>) {
        answers.sort_by_key(|(order, _)| *order);
        let (mut offers, mut refusal) = (Offers::default(), None);
        for (order, answer) in answers {
            match answer {
                Ok((offer, at)) => {
                    if at.is_some() {
                        self.knowledge.note_presence();
                    }
                    offers.offers.push(offer);
                    offers.listed_at.push(at);
                }
                Err(nobody) => {
                    if let (Unavailable::Error(error), Some(endpoint)) = (&nobody, config.endpoints.get(order)) {
                        self.learn_unlisted(&endpoint.name, error, waited);
                    }
                    // The first endpoint is the intended one; the others are alternatives.
                    refusal = refusal.or(Some(nobody));
                }
            }
        }
        (offers, refusal)
    }

    fn learn_unlisted(&self, endpoint: &str, error: &LlmError, waited: Duration) {
        let happened = model_run::list_error_event(error)
            .filter(|outcome| *outcome != RequestOutcome::Silent || waited >= SILENCE);
        if let Some(happened) = happened {
            self.knowledge.learned().breakers.record_outcome(endpoint, "", happened, self.clock.instant());
        }
    }
}

fn is_silent(answer: &Offering) -> bool {
    matches!(answer, Err(Unavailable::Error(LlmError::Deadline(_))))
}

/// A server that does not list its models may still answer, unless nothing listens there.
fn use_assumed_offer(answers: &mut [EndpointOffer], offer: Offer) {
    if let [(_, only)] = answers
        && let Err(Unavailable::Error(error) | Unavailable::TimedOut(error)) = only
        && !matches!(
            error,
            LlmError::Unreachable { .. } | LlmError::NotLoopback { .. } | LlmError::InvalidEndpoint { .. }
        )
    {
        *only = Ok((offer, None));
    }
}
