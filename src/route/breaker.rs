//! Circuit breaker per endpoint and model: requests to a failing server are skipped until a probe succeeds.
//!
//! A run that our own short deadline cut does not count as a failure. Only the idle sidecar probes, one probe at a
//! time; captures see "closed" or "not closed" and nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Consecutive failures that open a breaker where a single one may be chance.
const FAILURES: u32 = 2;
/// Wait before the first probe; doubles with each failed probe.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A probe without a result after this time no longer counts as running.
const PROBE_LOST: Duration = Duration::from_secs(60);

/// Outcome of a request, as the breaker counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// An answer arrived, of any quality.
    Answered,
    /// Our own deadline expired first.
    Slow,
    /// The connection was refused: counts as certain at once.
    Unreachable,
    /// No headers within a time in which every working server answers.
    Silent,
    /// The server returned an error or broke off: the model does not exist, does not fit, crashed.
    Failed,
    /// The server answered that it is busy, so it works.
    Busy,
}

/// State of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    state: BreakerState,
    failures: u32,
    /// The last connection attempt was refused.
    unreachable: bool,
    wait: Duration,
    /// Time of opening, or start of the probe.
    since: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: BreakerState::Closed, failures: 0, unreachable: false, wait: FIRST_WAIT, since: None }
    }
}

impl Breaker {
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether a capture may send a request.
    #[must_use]
    pub fn allows_request(&self) -> bool {
        self.state == BreakerState::Closed
    }

    /// Takes the permission for one probe if a probe is due. For the idle sidecar only.
    pub fn start_probe(&mut self, now: Instant) -> bool {
        let since = self.since.map_or(Duration::MAX, |since| now.saturating_duration_since(since));
        let due = match self.state {
            BreakerState::Closed => false,
            BreakerState::Open => since >= self.wait,
            BreakerState::HalfOpen => since >= PROBE_LOST,
        };
        if due {
            (self.state, self.since) = (BreakerState::HalfOpen, Some(now));
        }
        due
    }

    /// Time of the next probe, if one is due later.
    #[must_use]
    pub fn next_probe_at(&self) -> Option<Instant> {
        let wait = match self.state {
            BreakerState::Closed => return None,
            BreakerState::Open => self.wait,
            BreakerState::HalfOpen => PROBE_LOST,
        };
        self.since.and_then(|since| since.checked_add(wait))
    }

    /// Records the outcome of a request or of the probe.
    pub fn record_outcome(&mut self, happened: RequestOutcome, now: Instant) {
        match happened {
            RequestOutcome::Answered | RequestOutcome::Busy => *self = Self::default(),
            // A slow probe still reached a server.
            RequestOutcome::Slow if self.state == BreakerState::HalfOpen => *self = Self::default(),
            RequestOutcome::Slow => {}
            RequestOutcome::Unreachable => self.count_failure(FAILURES, now),
            RequestOutcome::Silent | RequestOutcome::Failed => self.count_failure(1, now),
        }
        match happened {
            RequestOutcome::Unreachable => self.unreachable = true,
            RequestOutcome::Silent | RequestOutcome::Failed => self.unreachable = false,
            RequestOutcome::Answered | RequestOutcome::Busy | RequestOutcome::Slow => {}
        }
    }

    fn count_failure(&mut self, weight: u32, now: Instant) {
        self.failures = self.failures.saturating_add(weight);
        match self.state {
            BreakerState::Closed if self.failures < FAILURES => return,
            BreakerState::HalfOpen => self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT),
            // Requests that were in flight when it opened carry no new information.
            BreakerState::Open => return,
            BreakerState::Closed => {}
        }
        (self.state, self.since) = (BreakerState::Open, Some(now));
    }
}

/// The circuit breakers of all endpoints and their models. A new one is closed.
#[derive(Debug, Clone, Default)]
pub struct Breakers {
    /// Key: (endpoint, model); the empty model stands for the endpoint itself.
    all: BTreeMap<(String, String), Breaker>,
}

impl Breakers {
    /// Whether a capture may use this model: its breaker and its endpoint's are closed.
    #[must_use]
    pub fn allows_request(&self, endpoint: &str, model: &str) -> bool {
        self.breaker(endpoint, "").allows_request() && self.breaker(endpoint, model).allows_request()
    }

    /// Whether the last connection attempt to the endpoint was refused.
    #[must_use]
    pub fn is_unreachable(&self, endpoint: &str) -> bool {
        let whole = self.breaker(endpoint, "");
        whole.unreachable && !whole.allows_request()
    }

    /// State of the model's breaker, or of its endpoint's if that is worse.
    #[must_use]
    pub fn state(&self, endpoint: &str, model: &str) -> BreakerState {
        let own = self.breaker(endpoint, model).state;
        if self.breaker(endpoint, "").allows_request() { own } else { self.breaker(endpoint, "").state }
    }

    /// Records an outcome: a refused or silent connection counts against the endpoint, an error against the model. The
    /// empty model stands for the endpoint's model list.
    pub fn record_outcome(&mut self, endpoint: &str, model: &str, happened: RequestOutcome, now: Instant) {
        if model.is_empty() {
            self.breaker_mut(endpoint, "").record_outcome(happened, now);
            return;
        }
        let whole = happened != RequestOutcome::Failed;
        // A server that refuses one model is reachable.
        let of_endpoint = if whole { happened } else { RequestOutcome::Answered };
        self.breaker_mut(endpoint, "").record_outcome(of_endpoint, now);
        if !matches!(happened, RequestOutcome::Unreachable | RequestOutcome::Silent) {
            self.breaker_mut(endpoint, model).record_outcome(happened, now);
        }
    }

    /// Endpoints and models that are due for a probe, each with its permission. An endpoint that is down is probed
    /// before its models. The empty model stands for "any model of that endpoint".
    pub fn take_due_probes(&mut self, now: Instant) -> Vec<(String, String)> {
        let down = self.open_endpoints();
        let due = self.all.iter_mut().filter(|((endpoint, model), _)| model.is_empty() || !down.contains(endpoint));
        due.filter_map(|(key, breaker)| breaker.start_probe(now).then(|| key.clone())).collect()
    }

    /// Time at which the next probe is due.
    #[must_use]
    pub fn next_probe_at(&self) -> Option<Instant> {
        let down = self.open_endpoints();
        let probed = self.all.iter().filter(|((endpoint, model), _)| model.is_empty() || !down.contains(endpoint));
        probed.filter_map(|(_, breaker)| breaker.next_probe_at()).min()
    }

    /// Endpoints that are down as a whole.
    fn open_endpoints(&self) -> Vec<String> {
        let down = self.all.iter().filter(|((_, model), breaker)| model.is_empty() && !breaker.allows_request());
        down.map(|((endpoint, _), _)| endpoint.clone()).collect()
    }

    /// Breakers that are not closed, by endpoint and model; the empty model is the endpoint itself.
    pub fn not_closed(&self) -> impl Iterator<Item = (&str, &str, &Breaker)> {
        let named = self.all.iter().map(|((endpoint, model), breaker)| (endpoint.as_str(), model.as_str(), breaker));
        named.filter(|(.., breaker)| !breaker.allows_request())
    }

    fn breaker(&self, endpoint: &str, model: &str) -> Breaker {
        self.all.get(&(endpoint.to_owned(), model.to_owned())).copied().unwrap_or_default()
    }

    fn breaker_mut(&mut self, endpoint: &str, model: &str) -> &mut Breaker {
        self.all.entry((endpoint.to_owned(), model.to_owned())).or_default()
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
