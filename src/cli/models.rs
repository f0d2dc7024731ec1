//! `uro-capture models`: endpoints with their models, roles, load state and measured speed.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;

use super::app::App;
use super::failure::{Failure, START_SERVER, server_hint};
use super::ui::Exit;
use crate::config::{Config, EndpointConfig};
use crate::dispatch::{RouterStatus, Tallies, device, tallies, try_again};
use crate::domain::model::{Api, ListedModel, same_model};
use crate::domain::role::{ROLES, Role};
use crate::hardware::Hardware;
use crate::llm::Client;
use crate::llm::{LlmError, Server};
use crate::route::breaker::BreakerState;
use crate::route::key::ForecastKey;
use crate::route::ledger::Ledger;
use crate::route::offer::{Offer, configured_model};
use crate::route::rates::Rates;
use crate::route::roles::{Memory, RoleModels, UnfitReason, assign_models};
use crate::route::tally::UsableTally;
use crate::route::traits::Traits;
use crate::sidecar::client;
use crate::sidecar::protocol::{Request, Response};
use crate::store::{LatencyGrouping, LatencyRow};

mod table;

#[derive(Debug, Clone, Args)]
pub struct ModelsArgs {
    /// Enable this model again after too few usable texts
    #[arg(long, value_name = "MODEL")]
    pub retry: Option<String>,
}

/// Timeout: a local server lists its models in milliseconds; while it loads a model it may take longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// One endpoint, as `models --json` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointView {
    pub endpoint: String,
    pub url: String,
    pub api: Option<Api>,
    /// Detected server: `ollama`, `llama.cpp`, …
    pub server: Option<String>,
    pub version: Option<String>,
    /// The endpoint answered.
    pub up: bool,
    /// Why it did not answer.
    pub error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The server requires a key, or rejected this one.
    pub refuses: bool,
    /// Device; endpoints of one device share its queue.
    pub device: String,
    /// Running and waiting requests; absent without a sidecar.
    pub running: Option<usize>,
    pub waiting: Option<usize>,
    pub breaker: Option<BreakerView>,
    pub models: Vec<ModelView>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelView {
    #[serde(flatten)]
    pub offered: ListedModel,
    /// False for a configured model that the endpoint does not list.
    pub listed: bool,
    /// Roles that it fills now.
    pub roles: Vec<Role>,
    /// Roles for which it is configured.
    pub configured_for: Vec<Role>,
    /// Roles in which it replaces the first choice if that would be late.
    pub stands_in_for: Vec<Role>,
    /// Why it fills no role; absent if it may.
    pub unfit: Option<UnfitReason>,
    /// Share of the weights outside of GPU memory.
    pub spilled: Option<f64>,
    /// Reasoning model; reasoning is switched off in requests.
    pub thinks_aloud: bool,
    /// Memory in bytes while it runs.
    pub needs_bytes: Option<u64>,
    pub breaker: Option<BreakerView>,
    /// Data used by the router.
    pub learned: Option<Rates>,
    /// From the latency log of the last 30 days.
    pub measured: Option<Measured>,
    /// Quality by role: share of usable texts; empty without a judged text.
    pub texts: Vec<RoleTexts>,
}

/// Judged texts of one model in one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RoleTexts {
    pub role: Role,
    #[serde(flatten)]
    pub tally: UsableTally,
    /// Too few were usable: the model is disabled for this role.
    pub barred: bool,
}

/// Whether captures use it; absent without a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BreakerView {
    pub state: BreakerState,
    /// Seconds until the next probe (half-open circuit breaker).
    pub probe_in_s: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    pub n: u64,
    pub ttft_p50_ms: Option<f64>,
    pub tps_p50: Option<f64>,
    /// Shares of texts dropped or shortened by the hallucination check.
    pub ungrounded_rate: Option<f64>,
    pub repaired_rate: Option<f64>,
}

/// # Errors
/// No endpoint answers.
pub fn run(app: &App, args: &ModelsArgs) -> Result<Exit, Failure> {
    if let Some(name) = &args.retry {
        return retry(app, name);
    }
    let views = list_endpoints(app)?;
    if app.json {
        app.ui.json(&views)?;
    } else {
        table::print(app, &views)?;
    }
    if views.iter().any(|view| view.up) { Ok(Exit::Done) } else { Err(no_server_failure(&views)) }
}

fn retry(app: &App, name: &str) -> Result<Exit, Failure> {
    let meant = try_again(app.store()?.as_ref(), name, app.clock.now())?;
    if meant.is_empty() {
        let failure = Failure::input(format!("no text of a model called {name} was judged lately"));
        return Err(failure.hint("uro-capture models"));
    }
    if app.json {
        app.ui.json(&serde_json::json!({ "retried": meant }))?;
    } else {
        app.ui.line(&format!("{} is enabled again; its statistics start anew", meant.join(", ")))?;
    }
    Ok(Exit::Done)
}

/// Every endpoint with its models and their roles.
///
/// # Errors
/// No runtime can be created.
pub fn list_endpoints(app: &App) -> Result<Vec<EndpointView>, Failure> {
    let config = app.config();
    let answers = app.block_on(query_all(config.endpoints.clone(), app.clock.instant() + PATIENCE))?;
    let data = ModelData::load(app);
    Ok(views(config, answers, &data))
}

type EndpointAnswer = Result<(Server, Vec<ListedModel>), LlmError>;

/// Queries all endpoints at once; results in configured order.
async fn query_all(endpoints: Vec<EndpointConfig>, until: std::time::Instant) -> Vec<(EndpointConfig, EndpointAnswer)> {
    let mut asked = JoinSet::new();
    for (order, endpoint) in endpoints.into_iter().enumerate() {
        asked.spawn(async move {
            let answer = async {
                let client = Client::new(&endpoint)?;
                Ok((client.server(until).await?, client.models(until).await?))
            };
            (order, answer.await, endpoint)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(order, ..)| *order);
    answers.into_iter().map(|(_, answer, endpoint)| (endpoint, answer)).collect()
}

/// Data beside the servers' answers.
struct ModelData {
    measured: Vec<LatencyRow>,
    ledger: Ledger,
    tallies: Tallies,
    /// State of the running sidecar.
    sidecar_state: Option<RouterStatus>,
    memory: Memory,
}

impl ModelData {
    /// Without a readable store or an answering sidecar only their numbers are missing.
    fn load(app: &App) -> Self {
        let memory = Memory { ram: Hardware::measure().ram_total };
        let sidecar_state = match client::send_request(&app.paths.run, &Request::RouterStatus, client::PING_TIMEOUT) {
            Ok(Response::RouterStatus(standing)) => Some(standing),
            _ => None,
        };
        let (measured, ledger, tallies) = load_stored(app).unwrap_or_default();
        Self { measured, ledger, tallies, sidecar_state, memory }
    }

    /// Ignores runs of an older version of the model, as the router does.
    fn role_texts(&self, endpoint: &str, offered: &ListedModel) -> Vec<RoleTexts> {
        let key = ForecastKey {
            endpoint: endpoint.to_owned(),
            model: offered.name.clone(),
            digest: offered.digest.clone(),
            options: 0,
            on_battery: false,
        };
        if self.ledger.is_new_version(&key) {
            return Vec::new();
        }
        let roles = self.tallies.get(&(key.endpoint, key.model));
        let texts =
            |(role, tally): (&Role, &UsableTally)| RoleTexts { role: *role, tally: *tally, barred: tally.is_barred() };
        roles.into_iter().flatten().map(texts).collect()
    }

    fn breaker(&self, endpoint: &str, model: Option<&str>) -> Option<BreakerView> {
        let broken = &self.sidecar_state.as_ref()?.broken;
        let found = broken.iter().find(|broken| broken.endpoint == endpoint && broken.model.as_deref() == model);
        let closed = BreakerView { state: BreakerState::Closed, probe_in_s: None };
        Some(found.map_or(closed, |broken| BreakerView { state: broken.state, probe_in_s: broken.probe_in_s }))
    }

    /// The newest statistics, regardless of the options.
    fn learned_rates(&self, endpoint: &str, model: &str) -> Option<Rates> {
        let same = self.ledger.iter().filter(|(key, ..)| key.endpoint == endpoint && key.model == model);
        same.max_by_key(|(.., at)| *at).map(|(_, forecast, _)| Rates::from_forecast(forecast))
    }
}

fn load_stored(app: &App) -> Option<(Vec<LatencyRow>, Ledger, Tallies)> {
    if !app.paths.database().exists() {
        return None;
    }
    let grouping = LatencyGrouping { op: false, model: true, cold: false };
    let since = super::when::days_back(30, &app.now());
    let store = app.store().ok()?;
    let tallies = tallies(store.as_ref(), app.clock.now()).unwrap_or_default();
    Some((store.latency(since, grouping).unwrap_or_default(), store.forecasts().unwrap_or_default(), tallies))
}

fn views(config: &Config, answers: Vec<(EndpointConfig, EndpointAnswer)>, data: &ModelData) -> Vec<EndpointView> {
    let offer = |(endpoint, answer): &(EndpointConfig, EndpointAnswer)| {
        let (_, models) = answer.as_ref().ok()?;
        Some(Offer { endpoint: endpoint.name.clone(), remote: endpoint.remote, models: models.clone() })
    };
    let offers: Vec<Offer> = answers.iter().filter_map(offer).collect();
    let mut views: Vec<EndpointView> =
        answers.into_iter().map(|(endpoint, answer)| view(endpoint, answer, data)).collect();
    for role in ROLES {
        assign_role(config, role, &offers, data.memory, &mut views);
    }
    for view in &mut views {
        for model in &mut view.models {
            model.measured = measured_speed(&data.measured, &view.endpoint, &model.offered.name);
            model.texts = data.role_texts(&view.endpoint, &model.offered);
            model.learned = data.learned_rates(&view.endpoint, &model.offered.name);
            model.breaker = data.breaker(&view.endpoint, Some(&model.offered.name));
        }
    }
    views
}

/// Assigns the role to its models, as the router does.
fn assign_role(config: &Config, role: Role, offers: &[Offer], memory: Memory, views: &mut [EndpointView]) {
    let strategy = config.capture.strategy;
    let named = configured_model(&config.models, strategy, role);
    let RoleModels { proposals, unfit } = assign_models(role, &config.models, strategy, offers, memory);
    if let Some(name) = named {
        mark_configured(role, name, offers, views);
    }
    for (place, proposal) in proposals.iter().enumerate() {
        let Some(model) = find_model(views, &proposal.endpoint, &proposal.model) else { continue };
        (model.spilled, model.thinks_aloud) = (proposal.spilled, proposal.thinks);
        if place == 0 { &mut model.roles } else { &mut model.stands_in_for }.push(role);
    }
    for refused in unfit {
        if let Some(model) = find_model(views, &refused.endpoint, &refused.model) {
            model.unfit = Some(refused.because);
        }
    }
    // A single-model server accepts any name; others report an unknown name themselves.
    if proposals.is_empty()
        && let Some(name) = named
        && let Some(model) =
            views.iter_mut().flat_map(|view| &mut view.models).find(|model| !model.listed && model.offered.name == name)
    {
        model.roles.push(role);
    }
}

/// Marks the model as configured; one that no endpoint lists is shown at the first answering endpoint.
fn mark_configured(role: Role, name: &str, offers: &[Offer], views: &mut [EndpointView]) {
    let mut found = false;
    for model in views.iter_mut().flat_map(|view| &mut view.models) {
        if same_model(&model.offered.name, name) {
            model.configured_for.push(role);
            found = true;
        }
    }
    let first = offers.first().and_then(|offer| views.iter_mut().find(|view| view.endpoint == offer.endpoint));
    if let Some(view) = first.filter(|_| !found) {
        let model = ModelView::from_offered(ListedModel::named(name), false);
        view.models.push(ModelView { configured_for: vec![role], ..model });
    }
}

fn find_model<'a>(views: &'a mut [EndpointView], endpoint: &str, name: &str) -> Option<&'a mut ModelView> {
    let view = views.iter_mut().find(|view| view.endpoint == endpoint)?;
    view.models.iter_mut().find(|model| model.offered.name == name)
}

fn view(endpoint: EndpointConfig, answer: EndpointAnswer, data: &ModelData) -> EndpointView {
    let (server, models, error) = match answer {
        Ok((server, models)) => (Some(server), models, None),
        Err(error) => (None, Vec::new(), Some(error)),
    };
    let hint = error.as_ref().map(|error| server_hint(error, Some(&endpoint)));
    let device = device(&endpoint).to_owned();
    // An unused device has no queue.
    let standing = data.sidecar_state.as_ref().map(|all| all.devices.iter().find(|status| status.device == device));
    EndpointView {
        breaker: data.breaker(&endpoint.name, None),
        running: standing.map(|device| device.map_or(0, |device| device.running)),
        waiting: standing.map(|device| device.map_or(0, |device| device.waiting)),
        device,
        endpoint: endpoint.name,
        url: endpoint.url,
        api: server.as_ref().map(|server| server.api).or(endpoint.api),
        version: server.as_ref().and_then(|server| server.version.clone()),
        server: server.map(|server| server.name),
        up: error.is_none(),
        refuses: error.as_ref().is_some_and(LlmError::is_refused_key),
        error: error.map(|error| error.to_string()),
        hint,
        models: models.into_iter().map(|offered| ModelView::from_offered(offered, true)).collect(),
    }
}

impl ModelView {
    pub(super) fn from_offered(offered: ListedModel, listed: bool) -> Self {
        let Traits { thinks, needs_bytes, .. } = Traits::from_offer(&offered);
        Self {
            offered,
            listed,
            roles: Vec::new(),
            configured_for: Vec::new(),
            stands_in_for: Vec::new(),
            unfit: None,
            spilled: None,
            thinks_aloud: thinks,
            needs_bytes,
            breaker: None,
            learned: None,
            measured: None,
            texts: Vec::new(),
        }
    }
}

fn measured_speed(rows: &[LatencyRow], endpoint: &str, model: &str) -> Option<Measured> {
    let same = |row: &&LatencyRow| row.model.as_deref() == Some(model) && row.endpoint.as_deref() == Some(endpoint);
    let row = rows.iter().find(same)?;
    let LatencyRow { n, ttft_p50_ms, tps_p50, ungrounded_rate, repaired_rate, .. } = *row;
    Some(Measured { n, ttft_p50_ms, tps_p50, ungrounded_rate, repaired_rate })
}

/// Hint if no endpoint is usable: a server that refuses comes before one to be started.
#[must_use]
pub fn repair_hint(views: &[EndpointView]) -> String {
    let refusing = views.iter().find(|view| view.refuses);
    refusing.and_then(|view| view.hint.clone()).unwrap_or_else(|| START_SERVER.to_owned())
}

fn no_server_failure(views: &[EndpointView]) -> Failure {
    let failure = Failure::input("no model server answers; captures keep the template until one does");
    let failure = views.iter().fold(failure, |failure, view| {
        failure.because(format!("{} ({}): {}", view.endpoint, view.url, view.error.as_deref().unwrap_or("no answer")))
    });
    failure.hint(repair_hint(views))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Strategy;

    fn nothing() -> ModelData {
        ModelData {
            measured: Vec::new(),
            ledger: Ledger::default(),
            tallies: Tallies::new(),
            sidecar_state: None,
            memory: Memory::default(),
        }
    }

    fn endpoint(name: &str) -> EndpointConfig {
        EndpointConfig::local(name, &format!("http://{name}"))
    }

    fn up(models: &[&str]) -> EndpointAnswer {
        let server = Server { api: Api::Ollama, name: "ollama".into(), version: Some("0.9".into()) };
        Ok((server, models.iter().map(|name| ListedModel::named(name)).collect()))
    }

    fn down() -> EndpointAnswer {
        Err(LlmError::Unreachable { url: "http://b".into() })
    }

    #[test]
    fn an_endpoint_that_is_down_is_listed_with_its_reason() {
        let found = views(&Config::default(), vec![(endpoint("a"), up(&["m"])), (endpoint("b"), down())], &nothing());
        assert!(found[0].up && !found[1].up);
        assert_eq!(found[1].error.as_deref(), Some("nothing listens at http://b"));
        assert_eq!(found[0].models[0].roles, ROLES, "the only model has every role");
    }

    #[test]
    fn the_measured_speed_belongs_to_the_model_at_that_endpoint() {
        let row = LatencyRow {
            op: None,
            model: Some("m".into()),
            endpoint: Some("a".into()),
            cold: None,
            n: 9,
            on_time_rate: None,
            p50_ms: None,
            p95_ms: None,
            p99_ms: None,
            ttft_p50_ms: Some(180.0),
            tps_p50: Some(21.4),
            error_rate: None,
            ungrounded_rate: Some(0.031),
            repaired_rate: Some(0.0),
            reasons: std::collections::BTreeMap::new(),
            ahead: None,
        };
        assert_eq!(measured_speed(std::slice::from_ref(&row), "b", "m"), None);
        let found = measured_speed(&[row], "a", "m").unwrap();
        assert_eq!((found.n, found.tps_p50, found.ungrounded_rate), (9, Some(21.4), Some(0.031)));
    }

    #[test]
    fn a_model_is_shown_with_how_many_of_its_texts_could_be_used() {
        let seldom =
            [(Role::Capture, UsableTally { judged: 40, used: 7 }), (Role::Blog, UsableTally { judged: 2, used: 2 })];
        let tallies = Tallies::from([(("a".to_owned(), "m".to_owned()), seldom.into())]);
        let data = ModelData { tallies, ..nothing() };
        let found = views(&Config::default(), vec![(endpoint("a"), up(&["m", "n"]))], &data).remove(0).models;
        let json = serde_json::to_value(&found).unwrap();
        let capture = serde_json::json!({"role": "capture", "judged": 40, "used": 7, "barred": true});
        assert_eq!(json[0]["texts"].as_array().unwrap().iter().find(|one| one["role"] == "capture"), Some(&capture));
        assert_eq!((found[0].texts.len(), found[1].texts.len()), (2, 0));
    }

    /// Test result for one endpoint with these models and this configuration.
    fn at_a(toml: &[(Role, &str)], strategy: Strategy, models: Vec<ListedModel>, data: &ModelData) -> Vec<ModelView> {
        let mut config = Config::default();
        config.capture.strategy = strategy;
        config.models.roles = toml.iter().map(|(role, name)| (*role, (*name).to_owned())).collect();
        let (server, _) = up(&[]).unwrap();
        views(&config, vec![(endpoint("a"), Ok((server, models)))], data).remove(0).models
    }

    fn sized(name: &str, billions: u64) -> ListedModel {
        let size_bytes = Some(billions * 600_000_000);
        ListedModel { parameters: Some(billions * 1_000_000_000), size_bytes, ..ListedModel::named(name) }
    }

    #[test]
    fn a_configured_model_that_is_not_listed_is_shown_and_another_one_has_its_role() {
        let named = [(Role::Blog, "llama2:13b"), (Role::Capture, "m")];
        let found = at_a(&named, Strategy::Adaptive, vec![ListedModel::named("m")], &nothing());
        assert_eq!((found[1].listed, &found[1].configured_for[..]), (false, &[Role::Blog][..]));
        assert!(found[0].roles.contains(&Role::Blog) && found[1].roles.is_empty(), "the router asks the one there is");
        let alone = at_a(&named[..1], Strategy::Multi, vec![ListedModel::named("m")], &nothing());
        assert_eq!(alone[1].roles, [Role::Blog], "its server accepts any name");
    }

    #[test]
    fn roles_are_filled_as_the_router_fills_them() {
        let offered = vec![sized("small:3b", 3), sized("large:13b", 13), ListedModel::named("nomic-embed-text")];
        let found = at_a(&[], Strategy::Adaptive, offered.clone(), &nothing());
        assert!(found[0].roles.contains(&Role::Capture) && found[1].roles.contains(&Role::Blog));
        assert!(found[1].stands_in_for.contains(&Role::Capture));
        assert_eq!(found[2].unfit, Some(UnfitReason::Embedding));
        let little = ModelData { memory: Memory { ram: Some(8_000_000_000) }, ..nothing() };
        let found = at_a(&[], Strategy::Adaptive, offered, &little);
        assert!(found[0].roles.contains(&Role::Blog) && found[1].roles.is_empty());
        assert!(matches!(found[1].unfit, Some(UnfitReason::TooLarge { needs, has }) if needs > has));
    }

    #[test]
    fn what_the_sidecar_says_is_shown_at_the_endpoint_and_at_the_model() {
        let broken = |model: Option<&str>| crate::dispatch::Broken {
            endpoint: "a".into(),
            model: model.map(str::to_owned),
            state: BreakerState::Open,
            probe_in_s: Some(4.0),
        };
        let standing = RouterStatus { broken: vec![broken(Some("m"))], ..RouterStatus::default() };
        let data = ModelData { sidecar_state: Some(standing), ..nothing() };
        let found = views(&Config::default(), vec![(endpoint("a"), up(&["m", "n"]))], &data).remove(0);
        assert_eq!((found.running, found.breaker.map(|one| one.state)), (Some(0), Some(BreakerState::Closed)));
        let states: Vec<_> = found.models.iter().map(|model| model.breaker.map(|one| one.state)).collect();
        assert_eq!(states, [Some(BreakerState::Open), Some(BreakerState::Closed)]);
        let silent = views(&Config::default(), vec![(endpoint("a"), up(&["m"]))], &nothing()).remove(0);
        assert_eq!((silent.running, silent.breaker, silent.models[0].breaker), (None, None, None));
    }

    #[test]
    fn the_json_names_server_models_roles_and_residence() {
        let json =
            serde_json::to_value(views(&Config::default(), vec![(endpoint("a"), up(&["m"]))], &nothing())).unwrap();
        let (endpoint, model) = (&json[0], &json[0]["models"][0]);
        for field in
            ["endpoint", "url", "api", "server", "version", "up", "error", "device", "running", "breaker", "models"]
        {
            assert!(endpoint.get(field).is_some(), "{field}");
        }
        for field in
            ["texts", "name", "resident", "roles", "measured", "listed", "learned", "needs_bytes", "unfit", "breaker"]
        {
            assert!(model.get(field).is_some(), "{field}");
        }
        assert_eq!(model["roles"][0], "capture");
    }

    #[test]
    fn without_an_answer_the_addresses_are_named() {
        let failure = no_server_failure(&[view(endpoint("b"), down(), &nothing())]);
        assert_eq!((failure.code(), failure.causes.len()), (1, 1));
        assert!(failure.causes[0].contains("http://b"));
    }
}
