//! `uro-capture models`: what the endpoints offer, which role each model has, loaded or not, how fast it was.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;

use super::app::App;
use super::failure::Failure;
use super::ui::{Align, BOLD, DIM, Exit, GOOD, Table, WARN};
use crate::config::{Config, EndpointConfig, Origin};
use crate::domain::role::{ROLES, Role};
use crate::llm::Client;
use crate::llm::{Api, LlmError, Offered, Server};
use crate::route::choose::{Choice, Offer, choose, configured};
use crate::store::{LatencyGrouping, LatencyRow};

#[derive(Debug, Clone, Args)]
pub struct ModelsArgs {}

/// A local server that lists its models takes milliseconds; one that loads a model meanwhile may take longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// One endpoint, as `models --json` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointView {
    pub endpoint: String,
    pub url: String,
    pub api: Option<Api>,
    /// What answered: `ollama`, `llama.cpp`, …
    pub server: Option<String>,
    pub version: Option<String>,
    /// It answered.
    pub up: bool,
    /// Why it did not.
    pub error: Option<String>,
    pub models: Vec<ModelView>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelView {
    #[serde(flatten)]
    pub offered: Offered,
    /// False for a model that is configured but that the endpoint does not list.
    pub listed: bool,
    pub roles: Vec<Role>,
    /// From the latency log of the last 30 days.
    pub measured: Option<Measured>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    pub n: u64,
    pub ttft_p50_ms: Option<f64>,
    pub tps_p50: Option<f64>,
    /// Shares of its texts that were not kept, and that were kept in part, because something in them was not so.
    pub ungrounded_rate: Option<f64>,
    pub repaired_rate: Option<f64>,
}

/// # Errors
/// No endpoint answers.
pub fn run(app: &App, _args: &ModelsArgs) -> Result<Exit, Failure> {
    let views = gather(app)?;
    if app.json {
        app.ui.json(&views)?;
    } else {
        print(app, &views)?;
    }
    if views.iter().any(|view| view.up) { Ok(Exit::Done) } else { Err(nobody(&views)) }
}

/// Every endpoint with its models and their roles.
///
/// # Errors
/// The system gives no runtime.
pub fn gather(app: &App) -> Result<Vec<EndpointView>, Failure> {
    let config = app.config();
    let answers = app.block_on(ask_all(config.endpoints.clone(), app.clock.instant() + PATIENCE))?;
    let measured = measured(app);
    Ok(views(config, answers, &measured))
}

type Answer = Result<(Server, Vec<Offered>), LlmError>;

/// Asks all endpoints at once; in the order they are configured.
async fn ask_all(endpoints: Vec<EndpointConfig>, until: std::time::Instant) -> Vec<(EndpointConfig, Answer)> {
    let mut asked = JoinSet::new();
    for (order, endpoint) in endpoints.into_iter().enumerate() {
        asked.spawn(async move { (order, ask(&endpoint, until).await, endpoint) });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(order, ..)| *order);
    answers.into_iter().map(|(_, answer, endpoint)| (endpoint, answer)).collect()
}

async fn ask(endpoint: &EndpointConfig, until: std::time::Instant) -> Answer {
    let client = Client::new(endpoint)?;
    Ok((client.server(until).await?, client.models(until).await?))
}

/// What the latency log knows about each model; a store that cannot be read only costs these numbers.
fn measured(app: &App) -> Vec<LatencyRow> {
    if !app.paths.database().exists() {
        return Vec::new();
    }
    let grouping = LatencyGrouping { op: false, model: true, cold: false };
    let since = super::when::days_back(30, &app.now());
    app.store().and_then(|store| Ok(store.latency(since, grouping)?)).unwrap_or_default()
}

fn views(config: &Config, answers: Vec<(EndpointConfig, Answer)>, measured: &[LatencyRow]) -> Vec<EndpointView> {
    let offers: Vec<Offer> = answers.iter().filter_map(|(endpoint, answer)| offer(endpoint, answer)).collect();
    let roles: Vec<(Role, Choice)> =
        ROLES.into_iter().filter_map(|role| Some((role, chosen(config, role, &offers)?))).collect();
    let mut views: Vec<EndpointView> = answers.into_iter().map(|(endpoint, answer)| view(endpoint, answer)).collect();
    for view in &mut views {
        for (role, choice) in &roles {
            if choice.endpoint == view.endpoint {
                assign(view, *role, &choice.model);
            }
        }
        for model in &mut view.models {
            model.measured = speed(measured, &view.endpoint, &model.offered.name);
        }
    }
    views
}

fn offer(endpoint: &EndpointConfig, answer: &Answer) -> Option<Offer> {
    let (_, models) = answer.as_ref().ok()?;
    Some(Offer { endpoint: endpoint.name.clone(), remote: endpoint.remote, models: models.clone() })
}

fn chosen(config: &Config, role: Role, offers: &[Offer]) -> Option<Choice> {
    choose(configured(&config.models, config.capture.strategy, role), role, offers)
}

fn view(endpoint: EndpointConfig, answer: Answer) -> EndpointView {
    let (server, models, error) = match answer {
        Ok((server, models)) => (Some(server), models, None),
        Err(error) => (None, Vec::new(), Some(error.to_string())),
    };
    EndpointView {
        endpoint: endpoint.name,
        url: endpoint.url,
        api: server.as_ref().map(|server| server.api).or(endpoint.api),
        version: server.as_ref().and_then(|server| server.version.clone()),
        server: server.map(|server| server.name),
        up: error.is_none(),
        error,
        models: models.into_iter().map(|offered| ModelView::of(offered, true)).collect(),
    }
}

impl ModelView {
    fn of(offered: Offered, listed: bool) -> Self {
        Self { offered, listed, roles: Vec::new(), measured: None }
    }
}

/// Gives the role to its model; one that is not listed is added, marked so.
fn assign(view: &mut EndpointView, role: Role, name: &str) {
    if !view.models.iter().any(|model| model.offered.name == name) {
        view.models.push(ModelView::of(Offered::named(name), false));
    }
    if let Some(model) = view.models.iter_mut().find(|model| model.offered.name == name) {
        model.roles.push(role);
    }
}

fn speed(rows: &[LatencyRow], endpoint: &str, model: &str) -> Option<Measured> {
    let same = |row: &&LatencyRow| row.model.as_deref() == Some(model) && row.endpoint.as_deref() == Some(endpoint);
    let row = rows.iter().find(same)?;
    let LatencyRow { n, ttft_p50_ms, tps_p50, ungrounded_rate, repaired_rate, .. } = *row;
    Some(Measured { n, ttft_p50_ms, tps_p50, ungrounded_rate, repaired_rate })
}

fn nobody(views: &[EndpointView]) -> Failure {
    let failure = Failure::environment("no model server answers; captures keep the template until one does");
    let failure = views.iter().fold(failure, |failure, view| {
        failure.because(format!("{} ({}): {}", view.endpoint, view.url, view.error.as_deref().unwrap_or("no answer")))
    });
    failure.hint("ollama serve, or llama-server -m MODEL.gguf")
}

fn print(app: &App, views: &[EndpointView]) -> Result<(), Failure> {
    let any_up = views.iter().any(|view| view.up);
    for (index, view) in views.iter().enumerate() {
        // A usual port where nothing listens is no news as long as another one answers.
        let guessed = app.loaded.origins.get(&format!("endpoints[{index}].url")) == Some(&Origin::BuiltIn);
        if view.up || (any_up && (!guessed || app.ui.verbosity() > 0)) {
            app.ui.line(&head(app, view))?;
            app.ui.table(&table(view))?;
        }
    }
    Ok(())
}

fn head(app: &App, view: &EndpointView) -> String {
    let name = app.ui.paint(BOLD, &view.endpoint);
    let what = match (&view.server, &view.error) {
        (Some(server), _) => format!("{server} {}", view.version.as_deref().unwrap_or("")),
        (None, Some(error)) => app.ui.paint(WARN, error),
        (None, None) => String::new(),
    };
    format!("{name}  {}  {}", app.ui.paint(DIM, &view.url), what.trim_end())
}

fn table(view: &EndpointView) -> Table {
    let left = ("", Align::Left);
    let mut table = Table::new(&[left, left, ("", Align::Right), left, left, left, left]);
    for model in &view.models {
        let roles: Vec<&str> = model.roles.iter().map(|role| role.as_str()).collect();
        table.styled(vec![
            (String::new(), DIM),
            (model.offered.name.clone(), BOLD),
            (size(&model.offered), DIM),
            (model.offered.quantization.clone().unwrap_or_default(), DIM),
            state(model),
            (roles.join(", "), GOOD),
            (model.measured.map(measured_words).unwrap_or_default(), DIM),
        ]);
    }
    table
}

fn state(model: &ModelView) -> (String, clap::builder::styling::Style) {
    let word = match (model.listed, model.offered.cloud, model.offered.completes, model.offered.resident) {
        (false, ..) => return ("not offered".to_owned(), WARN),
        (_, true, ..) => "cloud",
        (_, _, false, _) => "no text",
        (.., Some(true)) => return ("resident".to_owned(), GOOD),
        (.., Some(false)) => "cold",
        (.., None) => "",
    };
    (word.to_owned(), DIM)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn size(offered: &Offered) -> String {
    match (offered.parameters, offered.size_bytes) {
        (Some(n), _) if n >= 100_000_000 => format!("{:.1}B", n as f64 / 1e9),
        (Some(n), _) => format!("{:.1}M", n as f64 / 1e6),
        (None, Some(bytes)) => format!("{:.1} GB", bytes as f64 / 1e9),
        (None, None) => String::new(),
    }
}

fn measured_words(measured: Measured) -> String {
    let tps = measured.tps_p50.map(|tps| format!("{tps:.0} tok/s"));
    let ttft = measured.ttft_p50_ms.map(|ms| format!("first token {ms:.0} ms"));
    let share = |rate: Option<f64>, what: &str| {
        rate.filter(|rate| *rate > 0.0).map(|rate| format!("{:.0} % {what}", (rate * 100.0).ceil()))
    };
    let untrue = share(measured.ungrounded_rate, "ungrounded");
    let repaired = share(measured.repaired_rate, "repaired");
    let parts: Vec<String> = [tps, ttft, untrue, repaired].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("{} (median, n = {})", parts.join(", "), measured.n) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(name: &str) -> EndpointConfig {
        EndpointConfig::local(name, &format!("http://{name}"))
    }

    fn up(models: &[&str]) -> Answer {
        let server = Server { api: Api::Ollama, name: "ollama".into(), version: Some("0.9".into()) };
        Ok((server, models.iter().map(|name| Offered::named(name)).collect()))
    }

    fn down() -> Answer {
        Err(LlmError::Unreachable { url: "http://b".into() })
    }

    #[test]
    fn an_endpoint_that_is_down_is_listed_with_its_reason() {
        let found = views(&Config::default(), vec![(endpoint("a"), up(&["m"])), (endpoint("b"), down())], &[]);
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
        assert_eq!(speed(std::slice::from_ref(&row), "b", "m"), None);
        let found = speed(&[row], "a", "m").unwrap();
        assert_eq!(measured_words(found), "21 tok/s, first token 180 ms, 4 % ungrounded (median, n = 9)");
    }

    #[test]
    fn a_configured_model_that_is_not_listed_is_shown_as_such() {
        let mut view = view(endpoint("a"), up(&["m"]));
        assign(&mut view, Role::Blog, "llama2:13b");
        assert_eq!(view.models[1].roles, [Role::Blog]);
        assert!(!view.models[1].listed);
        assert_eq!(state(&view.models[1]).0, "not offered");
    }

    #[test]
    fn the_json_names_server_models_roles_and_residence() {
        let json = serde_json::to_value(views(&Config::default(), vec![(endpoint("a"), up(&["m"]))], &[])).unwrap();
        let (endpoint, model) = (&json[0], &json[0]["models"][0]);
        for field in ["endpoint", "url", "api", "server", "version", "up", "error", "models"] {
            assert!(endpoint.get(field).is_some(), "{field}");
        }
        for field in ["name", "resident", "roles", "measured", "listed"] {
            assert!(model.get(field).is_some(), "{field}");
        }
        assert_eq!(model["roles"][0], "capture");
    }

    #[test]
    fn nobody_answering_says_where_was_looked() {
        let failure = nobody(&[view(endpoint("b"), down())]);
        assert_eq!((failure.code(), failure.causes.len()), (1, 1));
        assert!(failure.causes[0].contains("http://b"));
    }

    #[test]
    fn sizes_are_shown_as_people_name_models() {
        let with = |parameters, size_bytes| size(&Offered { parameters, size_bytes, ..Offered::named("m") });
        assert_eq!(with(Some(3_200_000_000), Some(1)), "3.2B");
        assert_eq!(with(Some(500_000), None), "0.5M");
        assert_eq!(with(None, Some(1_900_000_000)), "1.9 GB");
        assert_eq!(with(None, None), "");
    }
}
