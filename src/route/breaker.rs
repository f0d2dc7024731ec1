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
pub enum Happened {
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
pub enum State {
    Closed,
    Open,
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    failures: u32,
    /// The last connection attempt was refused.
    unreachable: bool,
    wait: Duration,
    /// Time of opening, or start of the probe.
    since: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, failures: 0, unreachable: false, wait: FIRST_WAIT, since: None }
    }
}

impl Breaker {
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether a capture may send a request.
    #[must_use]
    pub fn admits(&self) -> bool {
        self.state == State::Closed
    }

    /// Takes the permission for one probe if a probe is due. For the idle sidecar only.
    pub fn probe(&mut self, now: Instant) -> bool {
        let since = self.since.map_or(Duration::MAX, |since| now.saturating_duration_since(since));
        let due = match self.state {
            State::Closed => false,
            State::Open => since >= self.wait,
            State::HalfOpen => since >= PROBE_LOST,
        };
        if due {
            (self.state, self.since) = (State::HalfOpen, Some(now));
        }
        due
    }

    /// Time of the next probe, if one is due later.
    #[must_use]
    pub fn probe_at(&self) -> Option<Instant> {
        let wait = match self.state {
            State::Closed => return None,
            State::Open => self.wait,
            State::HalfOpen => PROBE_LOST,
        };
        self.since.and_then(|since| since.checked_add(wait))
    }

    /// Records the outcome of a request or of the probe.
    pub fn learn(&mut self, happened: Happened, now: Instant) {
        match happened {
            Happened::Answered | Happened::Busy => *self = Self::default(),
            // A slow probe still reached a server.
            Happened::Slow if self.state == State::HalfOpen => *self = Self::default(),
            Happened::Slow => {}
            Happened::Unreachable => self.fail(FAILURES, now),
            Happened::Silent | Happened::Failed => self.fail(1, now),
        }
        match happened {
            Happened::Unreachable => self.unreachable = true,
            Happened::Silent | Happened::Failed => self.unreachable = false,
            Happened::Answered | Happened::Busy | Happened::Slow => {}
        }
    }

    fn fail(&mut self, weight: u32, now: Instant) {
        self.failures = self.failures.saturating_add(weight);
        match self.state {
            State::Closed if self.failures < FAILURES => return,
            State::HalfOpen => self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT),
            // Requests that were in flight when it opened carry no new information.
            State::Open => return,
            State::Closed => {}
        }
        (self.state, self.since) = (State::Open, Some(now));
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
    pub fn admit(&self, endpoint: &str, model: &str) -> bool {
        self.of(endpoint, "").admits() && self.of(endpoint, model).admits()
    }

    /// Whether the last connection attempt to the endpoint was refused.
    #[must_use]
    pub fn is_unreachable(&self, endpoint: &str) -> bool {
        let whole = self.of(endpoint, "");
        whole.unreachable && !whole.admits()
    }

    /// State of the model's breaker, or of its endpoint's if that is worse.
    #[must_use]
    pub fn state(&self, endpoint: &str, model: &str) -> State {
        let own = self.of(endpoint, model).state;
        if self.of(endpoint, "").admits() { own } else { self.of(endpoint, "").state }
    }

    /// Records an outcome: a refused or silent connection counts against the endpoint, an error against the model. The
    /// empty model stands for the endpoint's model list.
    pub fn learn(&mut self, endpoint: &str, model: &str, happened: Happened, now: Instant) {
        if model.is_empty() {
            self.at(endpoint, "").learn(happened, now);
            return;
        }
        let whole = happened != Happened::Failed;
        // A server that refuses one model is reachable.
        let of_endpoint = if whole { happened } else { Happened::Answered };
        self.at(endpoint, "").learn(of_endpoint, now);
        if !matches!(happened, Happened::Unreachable | Happened::Silent) {
            self.at(endpoint, model).learn(happened, now);
        }
    }

    /// Endpoints and models that are due for a probe, each with its permission. An endpoint that is down is probed
    /// before its models. The empty model stands for "any model of that endpoint".
    pub fn probes(&mut self, now: Instant) -> Vec<(String, String)> {
        let down = self.down();
        let due = self.all.iter_mut().filter(|((endpoint, model), _)| model.is_empty() || !down.contains(endpoint));
        due.filter_map(|(key, breaker)| breaker.probe(now).then(|| key.clone())).collect()
    }

    /// Time at which the next probe is due.
    #[must_use]
    pub fn probe_at(&self) -> Option<Instant> {
        let down = self.down();
        let probed = self.all.iter().filter(|((endpoint, model), _)| model.is_empty() || !down.contains(endpoint));
        probed.filter_map(|(_, breaker)| breaker.probe_at()).min()
    }

    /// Endpoints that are down as a whole.
    fn down(&self) -> Vec<String> {
        let down = self.all.iter().filter(|((_, model), one)| model.is_empty() && !one.admits());
        down.map(|((endpoint, _), _)| endpoint.clone()).collect()
    }

    /// Breakers that are not closed, by endpoint and model; the empty model is the endpoint itself.
    pub fn not_closed(&self) -> impl Iterator<Item = (&str, &str, &Breaker)> {
        let named = self.all.iter().map(|((endpoint, model), one)| (endpoint.as_str(), model.as_str(), one));
        named.filter(|(.., one)| !one.admits())
    }

    fn of(&self, endpoint: &str, model: &str) -> Breaker {
        self.all.get(&(endpoint.to_owned(), model.to_owned())).copied().unwrap_or_default()
    }

    fn at(&mut self, endpoint: &str, model: &str) -> &mut Breaker {
        self.all.entry((endpoint.to_owned(), model.to_owned())).or_default()
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
