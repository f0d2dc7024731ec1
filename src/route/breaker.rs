//! Keeps captures away from what is down, and finds out when it is back without a capture paying for it.
//!
//! Slow is not down: a run that our own short deadline cut says nothing against a server. Only the idle sidecar
//! probes, one probe at a time; captures see "closed" or "not closed" and nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Failures in a row that open a breaker where one alone may be chance.
const FAILURES: u32 = 2;
/// Until the first probe; doubles with each probe that fails.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A probe that was never heard of again no longer counts.
const PROBE_LOST: Duration = Duration::from_secs(60);

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// An answer came, whatever it was worth.
    Answered,
    /// Our own deadline was over first.
    Slow,
    /// Nothing listens there: certain at once.
    Unreachable,
    /// No headers within a time in which every living server answers.
    Silent,
    /// The server said no, or broke off: the model does not exist, does not fit, crashed.
    Failed,
    /// The server said that it is busy: it lives.
    Busy,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Closed,
    Open,
    HalfOpen,
}

/// One breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    failures: u32,
    /// Nothing listened there when it was last tried.
    unreachable: bool,
    wait: Duration,
    /// When it opened, or when its probe began.
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

    /// Whether a capture may go through.
    #[must_use]
    pub fn admits(&self) -> bool {
        self.state == State::Closed
    }

    /// Takes the one permission to probe, if it is time for a probe. For the idle sidecar alone.
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

    /// When the next probe is due, if one is.
    #[must_use]
    pub fn probe_at(&self) -> Option<Instant> {
        let wait = match self.state {
            State::Closed => return None,
            State::Open => self.wait,
            State::HalfOpen => PROBE_LOST,
        };
        self.since.and_then(|since| since.checked_add(wait))
    }

    /// Learns what came of a request or of the probe.
    pub fn learn(&mut self, happened: Happened, now: Instant) {
        match happened {
            Happened::Answered | Happened::Busy => *self = Self::default(),
            // A probe that was merely slow found a server.
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
            // What was under way when it opened says nothing new.
            State::Open => return,
            State::Closed => {}
        }
        (self.state, self.since) = (State::Open, Some(now));
    }
}

/// The breakers of all endpoints and of all their models. A new one is closed.
#[derive(Debug, Clone, Default)]
pub struct Breakers {
    /// By endpoint, and by model there; the empty model is the endpoint itself.
    all: BTreeMap<(String, String), Breaker>,
}

impl Breakers {
    /// Whether a capture may go to this model: neither it nor its endpoint is down.
    #[must_use]
    pub fn admit(&self, endpoint: &str, model: &str) -> bool {
        self.of(endpoint, "").admits() && self.of(endpoint, model).admits()
    }

    /// Whether nothing listened at the endpoint when it was last tried.
    #[must_use]
    pub fn is_unreachable(&self, endpoint: &str) -> bool {
        let whole = self.of(endpoint, "");
        whole.unreachable && !whole.admits()
    }

    /// Where the model's breaker stands, or its endpoint's if that is worse.
    #[must_use]
    pub fn state(&self, endpoint: &str, model: &str) -> State {
        let own = self.of(endpoint, model).state;
        if self.of(endpoint, "").admits() { own } else { self.of(endpoint, "").state }
    }

    /// Learns what came of a request: what nobody listened to is the endpoint's fault, what was refused the model's.
    /// The empty model stands for the endpoint, which listed its models or did not.
    pub fn learn(&mut self, endpoint: &str, model: &str, happened: Happened, now: Instant) {
        if model.is_empty() {
            self.at(endpoint, "").learn(happened, now);
            return;
        }
        let whole = happened != Happened::Failed;
        // A server that refuses one model lives.
        let of_endpoint = if whole { happened } else { Happened::Answered };
        self.at(endpoint, "").learn(of_endpoint, now);
        if !matches!(happened, Happened::Unreachable | Happened::Silent) {
            self.at(endpoint, model).learn(happened, now);
        }
    }

    /// The endpoints and models that are due for a probe, each with the permission for one. An endpoint that is down
    /// is probed before its models. The empty model stands for "anything of that endpoint".
    pub fn probes(&mut self, now: Instant) -> Vec<(String, String)> {
        let down = self.down();
        let due = self.all.iter_mut().filter(|((endpoint, model), _)| model.is_empty() || !down.contains(endpoint));
        due.filter_map(|(key, breaker)| breaker.probe(now).then(|| key.clone())).collect()
    }

    /// When [`Breakers::probes`] will hand out the next permission.
    #[must_use]
    pub fn probe_at(&self) -> Option<Instant> {
        let down = self.down();
        let probed = self.all.iter().filter(|((endpoint, model), _)| model.is_empty() || !down.contains(endpoint));
        probed.filter_map(|(_, breaker)| breaker.probe_at()).min()
    }

    /// The endpoints that are down as a whole.
    fn down(&self) -> Vec<String> {
        let down = self.all.iter().filter(|((_, model), one)| model.is_empty() && !one.admits());
        down.map(|((endpoint, _), _)| endpoint.clone()).collect()
    }

    /// Those that are not closed, by endpoint and model; the empty model is the endpoint itself.
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
