//! What the endpoints offer, found out without anybody waiting longer than is worth it.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use super::endpoints::{Known, Slot};
use super::weigh::Offers;
use super::{Models, Task, seen};
use crate::config::Config;
use crate::llm::{LlmError, Offered};
use crate::route::offer::{Offer, configured};

/// Once one endpoint has made its offers, the others have this share of the time that is left: a server that is
/// silent must not spend the budget of one that answers.
const STRAGGLERS: u32 = 8;

/// One endpoint's place in the configuration, and what it says.
type Said = (usize, Result<(Offer, Option<Instant>), LlmError>);

impl Models {
    /// What all endpoints offer, in the order in which they are configured, and why the first of the others does not.
    pub(super) async fn offers(&self, config: &Config, task: &Task<'_>) -> (Offers, Option<LlmError>) {
        let mut asked: JoinSet<Said> = JoinSet::new();
        let mut said: Vec<Said> = Vec::new();
        for (order, endpoint) in config.endpoints.iter().enumerate() {
            match self.endpoints.slot(endpoint) {
                Ok(slot) => match self.at_once(config, task, &slot) {
                    Some(known) => said.push((order, known)),
                    None => drop(asked.spawn(self.asking(order, slot, task.until))),
                },
                Err(error) => said.push((order, Err(error))),
            }
        }
        self.wait(&mut asked, &mut said, task.until).await;
        self.sorted(config, said)
    }

    /// What is known of an endpoint without asking it.
    fn at_once(
        &self,
        config: &Config,
        task: &Task<'_>,
        slot: &Arc<Slot>,
    ) -> Option<Result<(Offer, Option<Instant>), LlmError>> {
        match self.endpoints.known(slot) {
            Known::Fresh(offer, at) => return Some(Ok((offer, Some(at)))),
            Known::Stale(offer, at) => {
                self.look_aside(slot);
                return Some(Ok((offer, Some(at))));
            }
            Known::Nothing => {}
        }
        if !self.knowledge().breakers.admit(&slot.config.name, "") {
            return Some(Err(LlmError::Unreachable { url: slot.config.url.clone() }));
        }
        // One endpoint and a named model: nothing has to be found out, so nobody waits for it.
        let name = configured(&config.models, config.capture.strategy, task.role)?;
        (config.endpoints.len() == 1).then(|| {
            self.look_aside(slot);
            let models = vec![Offered::named(name)];
            Ok((Offer { endpoint: slot.config.name.clone(), remote: slot.config.remote, models }, None))
        })
    }

    fn asking(&self, order: usize, slot: Arc<Slot>, until: Instant) -> impl Future<Output = Said> + Send + 'static {
        let endpoints = Arc::clone(&self.endpoints);
        async move { (order, endpoints.look(&slot, until).await.map(|(offer, at)| (offer, Some(at)))) }
    }

    /// The next one who asks will know.
    fn look_aside(&self, slot: &Arc<Slot>) {
        let (endpoints, slot) = (Arc::clone(&self.endpoints), Arc::clone(slot));
        let until = self.clock.instant() + ASIDE;
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        while looks.try_join_next().is_some() {}
        looks.spawn(async move { drop(endpoints.look(&slot, until).await) });
    }

    async fn wait(&self, asked: &mut JoinSet<Said>, said: &mut Vec<Said>, until: Instant) {
        let mut patience = self.patience(said, until);
        while let Ok(Some(joined)) = tokio::time::timeout_at(patience.into(), asked.join_next()).await {
            said.extend(joined.ok());
            patience = patience.min(self.patience(said, until));
        }
    }

    fn patience(&self, said: &[Said], until: Instant) -> Instant {
        let now = self.clock.instant();
        let anything = said.iter().any(|(_, said)| said.is_ok());
        if anything { now + until.saturating_duration_since(now) / STRAGGLERS } else { until }
    }

    fn sorted(&self, config: &Config, mut said: Vec<Said>) -> (Offers, Option<LlmError>) {
        said.sort_by_key(|(order, _)| *order);
        let (mut offers, mut refusal) = (Offers::default(), None);
        let now = self.clock.instant();
        for (order, said) in said {
            match said {
                Ok((offer, at)) => {
                    offers.offers.push(offer);
                    offers.seen.push(at);
                }
                Err(error) => {
                    let happened = seen::not_listed(&error);
                    if let (Some(happened), Some(endpoint)) = (happened, config.endpoints.get(order)) {
                        self.knowledge().breakers.learn(&endpoint.name, "", happened, now);
                    }
                    // The first endpoint is the one that was meant; the others are where else one might look.
                    refusal = refusal.or(Some(error));
                }
            }
        }
        (offers, refusal)
    }
}

/// How long a list may take that nobody waits for.
const ASIDE: std::time::Duration = std::time::Duration::from_secs(3);
