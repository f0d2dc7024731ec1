//! Model discovery: collects the model lists of all endpoints under a deadline.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::endpoints::{Known, Slot};
use super::weigh::Offers;
use super::{Models, Task, Unanswered, seen};
use crate::config::Config;
use crate::domain::capture::Reason;
use crate::domain::model::Offered;
use crate::llm::{ClockFired, LlmError};
use crate::route::breaker::Happened;
use crate::route::offer::{Offer, configured};

/// Once one endpoint has answered, the others get this share of the remaining time: a silent server must not spend the
/// budget of one that answers.
const STRAGGLERS: u32 = 8;

/// A server that has not listed its models within this time is silent. A shorter wait proves nothing.
const SILENCE: Duration = Duration::from_secs(1);
/// Timeout of a list that is fetched in the background.
const ASIDE: Duration = Duration::from_secs(3);

/// An endpoint's list with its age, or its error; no instant for a list that is only assumed.
type Offering = Result<(Offer, Option<Instant>), Nobody>;
/// An endpoint's position in the configuration, with its list.
type Said = (usize, Offering);

/// Why an endpoint is unavailable.
#[derive(Debug)]
pub(super) enum Nobody {
    /// It failed just now.
    Failed(LlmError),
    /// Its circuit breaker is open: it was not tried.
    Barred(LlmError, Reason),
    /// It timed out while another endpoint answers.
    Late(LlmError),
}

impl From<LlmError> for Nobody {
    fn from(error: LlmError) -> Self {
        Self::Failed(error)
    }
}

impl From<Nobody> for LlmError {
    fn from(nobody: Nobody) -> Self {
        match nobody {
            Nobody::Failed(error) | Nobody::Barred(error, _) | Nobody::Late(error) => error,
        }
    }
}

impl From<Nobody> for Unanswered {
    fn from(nobody: Nobody) -> Self {
        match nobody {
            // To the user it is the same whether a refused connection was found now or before.
            Nobody::Barred(_, reason) if reason != Reason::Refused => Self::Unasked(reason),
            Nobody::Failed(error) | Nobody::Barred(error, _) | Nobody::Late(error) => Self::Failed(error),
        }
    }
}

/// Why there was no endpoint to choose from, and the reason to record with the template.
#[derive(Debug)]
pub struct Refusal {
    pub reason: Reason,
    pub error: LlmError,
}

impl From<Nobody> for Refusal {
    fn from(nobody: Nobody) -> Self {
        let known = if let Nobody::Barred(_, reason) = nobody { Some(reason) } else { None };
        let error = LlmError::from(nobody);
        Self { reason: known.unwrap_or_else(|| super::failure(&error)), error }
    }
}

impl Models {
    /// The lists of all endpoints in configured order, and the first error of the others.
    pub(super) async fn offers(&self, config: &Config, task: &Task<'_>) -> (Offers, Option<Nobody>) {
        let began = self.clock.instant();
        let mut asked: JoinSet<Said> = JoinSet::new();
        let mut said: Vec<Said> = Vec::new();
        for (order, endpoint) in config.endpoints.iter().enumerate() {
            match self.endpoints.slot(endpoint) {
                Ok(slot) => match self.at_once(config, task, &slot) {
                    Some(known) => said.push((order, known)),
                    None => drop(asked.spawn(self.asking(order, slot, task.until))),
                },
                Err(error) => said.push((order, Err(error.into()))),
            }
        }
        let alone = self.assumed(config, task);
        self.wait(&mut asked, &mut said, (task.until, alone.is_some())).await;
        self.note_stragglers(config, &mut said);
        if let Some(alone) = alone {
            assume(&mut said, alone);
        }
        self.sorted(config, said, self.clock.instant().saturating_duration_since(began))
    }

    /// The answer that is known without a request.
    fn at_once(&self, config: &Config, task: &Task<'_>, slot: &Arc<Slot>) -> Option<Offering> {
        match self.endpoints.known(slot) {
            Known::Fresh(offer, at) => return Some(Ok((offer, Some(at)))),
            Known::Stale(offer, at) => {
                self.look_aside(slot);
                return Some(Ok((offer, Some(at))));
            }
            Known::Nothing => {}
        }
        if let Some(barred) = self.barred(slot) {
            return Some(Err(barred));
        }
        if !self.endpoints.is_late(slot) || !self.is_dispensable(config, task, slot) {
            return None;
        }
        self.look_aside(slot);
        Some(Err(Nobody::Late(LlmError::Deadline(ClockFired::Connect))))
    }

    /// The endpoint's error while its circuit breaker is open.
    fn barred(&self, slot: &Slot) -> Option<Nobody> {
        let knowledge = self.knowledge();
        if knowledge.breakers.admit(&slot.config.name, "") {
            return None;
        }
        Some(if knowledge.breakers.is_unreachable(&slot.config.name) {
            Nobody::Barred(LlmError::Unreachable { url: slot.config.url.clone() }, Reason::Refused)
        } else {
            Nobody::Barred(LlmError::Deadline(ClockFired::Connect), Reason::BreakerOpen)
        })
    }

    /// Whether no server listened at any endpoint when last tried.
    #[must_use]
    pub fn nothing_listens(&self, config: &Config) -> bool {
        let knowledge = self.knowledge();
        config.endpoints.iter().all(|endpoint| knowledge.breakers.is_unreachable(&endpoint.name))
    }

    /// Whether a model can be asked without this endpoint's list.
    fn is_dispensable(&self, config: &Config, task: &Task<'_>, slot: &Slot) -> bool {
        let others = config.endpoints.iter().filter(|other| other.name != slot.config.name);
        let mut others = others.filter_map(|other| self.endpoints.slot(other).ok());
        let is_known = |other: &Slot| !matches!(self.endpoints.known(other), Known::Nothing);
        others.any(|other| is_known(&other)) || self.assumed(config, task).is_some()
    }

    /// A single endpoint with a named model is asked even where it does not list its models.
    fn assumed(&self, config: &Config, task: &Task<'_>) -> Option<Offer> {
        let name = configured(&config.models, config.capture.strategy, task.role)?;
        let [only] = &config.endpoints[..] else { return None };
        Some(Offer { endpoint: only.name.clone(), remote: only.remote, models: vec![Offered::named(name)] })
    }

    fn asking(&self, order: usize, slot: Arc<Slot>, until: Instant) -> impl Future<Output = Said> + Send + 'static {
        let endpoints = Arc::clone(&self.endpoints);
        async move {
            let seen = endpoints.look(&slot, until).await;
            (order, seen.map(|(offer, at)| (offer, Some(at))).map_err(Nobody::from))
        }
    }

    /// Refreshes the list in the background, for the next request.
    fn look_aside(&self, slot: &Arc<Slot>) {
        let (endpoints, slot) = (Arc::clone(&self.endpoints), Arc::clone(slot));
        let until = self.clock.instant() + ASIDE;
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        while looks.try_join_next().is_some() {}
        looks.spawn(async move { drop(endpoints.look(&slot, until).await) });
    }

    async fn wait(&self, asked: &mut JoinSet<Said>, said: &mut Vec<Said>, (until, alone): (Instant, bool)) {
        let mut patience = self.patience(said, until, alone);
        while let Ok(Some(joined)) = tokio::time::timeout_at(patience.into(), asked.join_next()).await {
            said.extend(joined.ok());
            patience = patience.min(self.patience(said, until, alone));
        }
    }

    fn patience(&self, said: &[Said], until: Instant, alone: bool) -> Instant {
        let now = self.clock.instant();
        let anything = alone || said.iter().any(|(_, said)| said.is_ok());
        if anything { now + until.saturating_duration_since(now) / STRAGGLERS } else { until }
    }

    /// Records the endpoints that were silent for the whole wait; the next request does not wait for them.
    fn note_stragglers(&self, config: &Config, said: &mut Vec<Said>) {
        for (order, endpoint) in config.endpoints.iter().enumerate() {
            if said.iter().any(|(place, said)| *place == order && !is_silent(said)) {
                continue;
            }
            if let Ok(slot) = self.endpoints.slot(endpoint) {
                self.endpoints.note_late(&slot);
                self.look_aside(&slot);
            }
            if said.iter().all(|(place, _)| *place != order) {
                said.push((order, Err(LlmError::Deadline(ClockFired::Connect).into())));
            }
        }
    }

    fn sorted(&self, config: &Config, mut said: Vec<Said>, waited: Duration) -> (Offers, Option<Nobody>) {
        said.sort_by_key(|(order, _)| *order);
        let (mut offers, mut refusal) = (Offers::default(), None);
        for (order, said) in said {
            match said {
                Ok((offer, at)) => {
                    if at.is_some() {
                        self.note_presence();
                    }
                    offers.offers.push(offer);
                    offers.seen.push(at);
                }
                Err(nobody) => {
                    if let (Nobody::Failed(error), Some(endpoint)) = (&nobody, config.endpoints.get(order)) {
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
        let happened = seen::not_listed(error).filter(|one| *one != Happened::Silent || waited >= SILENCE);
        if let Some(happened) = happened {
            self.knowledge().breakers.learn(endpoint, "", happened, self.clock.instant());
        }
    }
}

fn is_silent(said: &Offering) -> bool {
    matches!(said, Err(Nobody::Failed(LlmError::Deadline(_))))
}

/// A server that does not list its models may still answer, unless nothing listens there.
fn assume(said: &mut [Said], offer: Offer) {
    if let [(_, only)] = said
        && let Err(Nobody::Failed(error) | Nobody::Late(error)) = only
        && !matches!(
            error,
            LlmError::Unreachable { .. } | LlmError::NotLoopback { .. } | LlmError::InvalidEndpoint { .. }
        )
    {
        *only = Ok((offer, None));
    }
}
