//! Endpoint registry: the configured endpoints with their connections and cached model lists.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex as AsyncMutex;

use crate::config::EndpointConfig;
use crate::domain::clock::Clock;
use crate::domain::model::ListedModel;
use crate::llm::{Client, LlmError};
use crate::route::offer::Offer;

/// Age up to which a model list is fresh.
const FRESH: Duration = Duration::from_secs(60);
/// Age up to which a stale list serves while a new one is fetched in the background.
const STALE: Duration = Duration::from_secs(15 * 60);
/// Timeout of a server's list.
const LISTING: Duration = Duration::from_secs(3);
/// The device of all endpoints on this machine.
const HERE: &str = "this machine";

/// One slot per endpoint, kept for the life of the process.
pub(super) struct Endpoints {
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<String, Arc<EndpointSlot>>>,
}

/// One endpoint.
pub(super) struct EndpointSlot {
    pub config: EndpointConfig,
    pub client: Client,
    /// Single flight: concurrent requests for the list share one fetch.
    fetching: AsyncMutex<()>,
    list: Mutex<Option<(Instant, Vec<ListedModel>)>>,
    /// When a request last waited for the list in vain.
    late: Mutex<Option<Instant>>,
}

/// State of an endpoint's cached list.
pub(super) enum CachedList {
    /// As of the instant.
    Fresh(Offer, Instant),
    /// Usable, but to be refreshed.
    Stale(Offer, Instant),
    Nothing,
}

impl Endpoints {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, slots: Mutex::default() }
    }

    /// The endpoint's slot; a changed configuration makes a new one.
    ///
    /// # Errors
    /// `InvalidEndpoint` and `NotLoopback`.
    pub fn slot(&self, endpoint: &EndpointConfig) -> Result<Arc<EndpointSlot>, LlmError> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(&endpoint.name).filter(|slot| slot.config == *endpoint) {
            return Ok(Arc::clone(slot));
        }
        let slot = Arc::new(EndpointSlot {
            config: endpoint.clone(),
            client: Client::new(endpoint)?,
            fetching: AsyncMutex::default(),
            list: Mutex::default(),
            late: Mutex::default(),
        });
        slots.insert(endpoint.name.clone(), Arc::clone(&slot));
        Ok(slot)
    }

    /// The cached list of `slot`.
    pub fn cached_list(&self, slot: &EndpointSlot) -> CachedList {
        let list = slot.list.lock();
        let Some((at, models)) = list.as_ref() else { return CachedList::Nothing };
        let offer = slot.offer(models.clone());
        match self.clock.instant().saturating_duration_since(*at) {
            age if age < FRESH => CachedList::Fresh(offer, *at),
            age if age < STALE => CachedList::Stale(offer, *at),
            _ => CachedList::Nothing,
        }
    }

    /// Whether a request waited for its list in vain, so lately that the next one should not.
    pub fn is_late(&self, slot: &EndpointSlot) -> bool {
        let late = *slot.late.lock();
        late.is_some_and(|late| self.clock.instant().saturating_duration_since(late) < FRESH)
    }

    /// Records that a request waited for the list in vain.
    pub fn note_late(&self, slot: &EndpointSlot) {
        *slot.late.lock() = Some(self.clock.instant());
    }

    /// Fetches the list, unless another caller just did.
    ///
    /// # Errors
    /// The server's failure to list its models before `until`.
    pub async fn fetch_list(&self, slot: &EndpointSlot, until: Instant) -> Result<(Offer, Instant), LlmError> {
        let until = until.min(self.clock.instant() + LISTING);
        let _fetching = slot.fetching.lock().await;
        if let CachedList::Fresh(offer, at) = self.cached_list(slot) {
            return Ok((offer, at));
        }
        self.fetch(slot, until).await
    }

    /// Fetches the list, however fresh the cached one is.
    ///
    /// # Errors
    /// As [`Endpoints::look`].
    pub async fn look_again(&self, slot: &EndpointSlot, until: Instant) -> Result<(Offer, Instant), LlmError> {
        let until = until.min(self.clock.instant() + LISTING);
        let _fetching = slot.fetching.lock().await;
        self.fetch(slot, until).await
    }

    async fn fetch(&self, slot: &EndpointSlot, until: Instant) -> Result<(Offer, Instant), LlmError> {
        let models = slot.client.models(until).await?;
        let at = self.clock.instant();
        *slot.list.lock() = Some((at, models.clone()));
        Ok((slot.offer(models), at))
    }
}

impl EndpointSlot {
    fn offer(&self, models: Vec<ListedModel>) -> Offer {
        Offer { endpoint: self.config.name.clone(), remote: self.config.remote, models }
    }
}

/// Name of the device that an endpoint computes on: everything on this machine is one device, and so is each other
/// machine, unless the configuration names it.
pub fn device(endpoint: &EndpointConfig) -> &str {
    match (&endpoint.device, endpoint.remote) {
        (Some(device), _) => device,
        (None, true) => host(&endpoint.url),
        (None, false) => HERE,
    }
}

/// The largest number of concurrent requests that an endpoint of this device allows.
pub(super) fn slots(endpoints: &[EndpointConfig], device_name: &str) -> usize {
    let there = endpoints.iter().filter(|endpoint| device(endpoint) == device_name);
    there.map(|endpoint| endpoint.max_in_flight).max().unwrap_or(1).max(1)
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(authority, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, remote: bool, device: Option<&str>, max_in_flight: usize) -> EndpointConfig {
        let device = device.map(str::to_owned);
        EndpointConfig { remote, device, max_in_flight, ..EndpointConfig::local(url, url) }
    }

    #[test]
    fn endpoints_of_one_machine_share_its_turns() {
        let here = endpoint("http://127.0.0.1:11434", false, None, 1);
        let also = endpoint("http://localhost:8080", false, None, 2);
        let card = endpoint("http://127.0.0.1:8081", false, Some("second card"), 4);
        let there = endpoint("https://[fd00::7]:11434/ollama", true, None, 3);
        let all = [here, also, card, there];
        let names: Vec<&str> = all.iter().map(device).collect();
        assert_eq!(names, [HERE, HERE, "second card", "[fd00::7]"]);
        assert_eq!(names.map_slots(&all), [2, 2, 4, 3]);
    }

    trait MapSlots {
        fn map_slots(&self, all: &[EndpointConfig]) -> Vec<usize>;
    }

    impl MapSlots for Vec<&str> {
        fn map_slots(&self, all: &[EndpointConfig]) -> Vec<usize> {
            self.iter().map(|name| slots(all, name)).collect()
        }
    }
}
