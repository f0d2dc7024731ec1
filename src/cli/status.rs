//! `uro-capture status`: captures, drafts, pending work and problems of all registered repositories.

mod narrative;
mod repository_status;

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::failure::Failure;
use super::hooks::git_environment::{GitEnvironment, GlobalMark};
use super::hooks::{self, RepoHooks};
use super::service::{self, Autostart};
use super::ui::{self, BAD, BOLD, DIM, Exit, GOOD, WARN};
use crate::config::Config;
use crate::dispatch::{Tallies, has_ever_answered, tallies};
use crate::domain::draft::{DraftState, Period};
use crate::pipeline::ingest;
use crate::pipeline::sizes::Sizes;
use crate::sidecar::client;
use crate::sidecar::protocol::{SidecarState, SidecarStatus};
use crate::store::CaptureCounts;
use narrative::Narrative;
use repository_status::inspect_repository;

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The last N days, today included
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,
    /// Begin with the window in a few sentences; the status model has 10 s for them
    #[arg(long)]
    pub narrate: bool,
}

/// The public JSON of `status`.
#[derive(Debug, Serialize)]
pub struct Status {
    pub window: Period,
    /// With `--narrate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrative: Option<Narrative>,
    pub captures: Captures,
    pub coverage: Coverage,
    /// Number of drafts per state.
    pub drafts: BTreeMap<&'static str, u64>,
    pub sidecar: SidecarStatus,
    /// A service manager starts the sidecar at login.
    pub autostart: bool,
    pub hooks: Vec<RepoHooks>,
    /// A model server has answered on this machine at some time.
    pub model_answered: bool,
    pub problems: Vec<Problem>,
    pub sizes: Sizes,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct Captures {
    pub total: u64,
    pub by_kind: BTreeMap<String, u64>,
    pub by_source: BTreeMap<String, u64>,
    pub by_provenance: BTreeMap<String, u64>,
    /// Share of final captures with a budget; null without any.
    pub on_time_rate: Option<f64>,
    /// The template text is shown; the model's answer is pending.
    pub pending: u64,
    /// Template texts that a model's text replaced later; `by_provenance` counts them as the model's.
    pub refined: u64,
}

/// Commits in registered repositories within the window, by their reflogs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Coverage {
    pub commits_seen: u64,
    pub captured: u64,
    pub missing: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub what: String,
    pub hint: String,
}

const STATES: [DraftState; 7] = [
    DraftState::Queued,
    DraftState::Leased,
    DraftState::Ready,
    DraftState::Accepted,
    DraftState::Rejected,
    DraftState::Published,
    DraftState::Dead,
];

/// # Errors
/// The store cannot be read.
pub fn run(app: &App, args: &StatusArgs) -> Result<Exit, Failure> {
    let mut status = collect_status(app, args.days)?;
    status.narrative = args.narrate.then(|| Narrative::write(app, status.window)).transpose()?;
    if app.json {
        app.ui.json(&status)?;
    } else {
        app.ui.raw(text(app, &status).as_bytes())?;
    }
    Ok(Exit::Done)
}

fn collect_status(app: &App, days: u32) -> Result<Status, Failure> {
    let services = app.services()?;
    let store = &services.store;
    let around = GitEnvironment::new(app.env(), GlobalMark::load_mark(store.as_ref())?);
    let window = Period { from: super::when::days_back(days, &app.now()), to: app.clock.now() };
    ingest::import_skips(&services)?;
    let looks = store
        .registered_repos()?
        .iter()
        .map(|registered| inspect_repository(&services, registered, window.from, &around))
        .collect::<Result<Vec<_>, _>>()?;
    let sidecar = client::status(&app.paths.run);
    let drafts = store.draft_counts()?;
    let mut problems: Vec<Problem> =
        store.problems(window.from)?.into_iter().map(|(_, what, hint)| Problem { what, hint }).collect();
    problems.extend(looks.iter().flat_map(|look| look.problems.clone()));
    problems.extend(sidecar_problem(&sidecar));
    let all: Vec<&RepoHooks> = looks.iter().map(|look| &look.hooks).collect();
    let autostart = service::autostart(app);
    let unattended = hooks::unattended_problem(&all, &sidecar.state, autostart);
    problems.extend(unattended.map(|(what, hint)| Problem { what, hint }));
    let dead = in_state(&drafts, DraftState::Dead);
    problems.extend((dead > 0).then(|| Problem {
        what: if dead == 1 { "1 draft was given up".to_owned() } else { format!("{dead} drafts were given up") },
        hint: "uro-capture draft list --state dead, then draft retry ID".to_owned(),
    }));
    let tallies = tallies(store.as_ref(), app.clock.now())?;
    problems.extend(disabled_models(&tallies, app.config()));
    Ok(Status {
        window,
        narrative: None,
        captures: captures(store.count_captures(None, window.from, window.to)?),
        coverage: looks.iter().fold(Coverage::default(), |sum, look| sum.merge(look.coverage)),
        drafts: drafts_by_state(&drafts),
        sidecar,
        autostart: autostart == Autostart::Installed,
        hooks: looks.into_iter().map(|look| look.hooks).collect(),
        model_answered: has_ever_answered(store.as_ref())?,
        problems,
        sizes: Sizes::measure(&app.paths, store.as_ref())?,
    })
}

fn captures(counts: CaptureCounts) -> Captures {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people; counts stay far below 2^52")]
    let rate = (counts.budgeted > 0).then(|| counts.on_time as f64 / counts.budgeted as f64);
    Captures {
        total: counts.total,
        by_kind: counts.by_kind.into_iter().collect(),
        by_source: counts.by_source.into_iter().collect(),
        by_provenance: counts.by_provenance.into_iter().collect(),
        on_time_rate: rate,
        pending: counts.pending,
        refined: counts.refined,
    }
}

fn drafts_by_state(drafts: &[(DraftState, u64)]) -> BTreeMap<&'static str, u64> {
    STATES.into_iter().map(|state| (state.as_str(), in_state(drafts, state))).collect()
}

fn in_state(drafts: &[(DraftState, u64)], state: DraftState) -> u64 {
    drafts.iter().find(|(of, _)| *of == state).map_or(0, |(_, n)| *n)
}

impl Coverage {
    fn of(commits: u64, captured: u64) -> Self {
        Self { commits_seen: commits, captured, missing: commits.saturating_sub(captured) }
    }

    fn merge(self, other: Self) -> Self {
        Self::of(self.commits_seen + other.commits_seen, self.captured + other.captured)
    }
}

fn sidecar_problem(sidecar: &SidecarStatus) -> Option<Problem> {
    let hint = || "uro-capture sidecar stop && uro-capture sidecar start".to_owned();
    match &sidecar.state {
        SidecarState::Unresponsive => Some(Problem { what: "the sidecar does not answer".to_owned(), hint: hint() }),
        SidecarState::Running
            if sidecar.version.as_deref().is_some_and(|version| version != env!("CARGO_PKG_VERSION")) =>
        {
            Some(Problem { what: "the sidecar is of another version".to_owned(), hint: hint() })
        }
        _ => None,
    }
}

/// Disabled models of configured endpoints.
fn disabled_models(tallies: &Tallies, config: &Config) -> Vec<Problem> {
    let is_configured = |name: &str| config.endpoints.iter().any(|endpoint| endpoint.name == name);
    let barred = tallies.iter().filter(|((endpoint, _), _)| is_configured(endpoint)).flat_map(|(of, roles)| {
        roles.iter().filter(|(_, tally)| tally.is_barred()).map(move |(role, tally)| (of, role, tally))
    });
    let mut found: Vec<Problem> = barred
        .map(|((endpoint, model), role, tally)| Problem {
            what: format!("{model} on {endpoint} is not asked any more ({}): {tally}", role.as_str()),
            hint: format!("another model, or to let it try again: uro-capture models --retry {model}"),
        })
        .collect();
    found.sort_by(|a, b| a.what.cmp(&b.what));
    found
}

/// Human form: one line per topic, problems last with their hints.
fn text(app: &App, status: &Status) -> String {
    let label = |name: &str| app.ui.paint(DIM, &format!("{name:<9}"));
    let mut out = status.narrative.as_ref().map(|narrative| narrated(app, narrative)).unwrap_or_default();
    out += &format!("{}  {}\n", label("captures"), captures_words(app, &status.captures));
    out += &format!("{}  {}\n", label("commits"), coverage_words(app, status.coverage));
    out +=
        &format!("{}  {}\n", label("drafts"), counts_words(status.drafts.iter().map(|(name, n)| (*name, *n)), "none"));
    let (sidecar, pid) = (&status.sidecar, status.sidecar.pid.unwrap_or_default());
    let waiting = sidecar.queue_depth.filter(|n| *n > 0).map(|n| format!(", {n} waiting")).unwrap_or_default();
    let state = match sidecar.state {
        SidecarState::Running => format!("running (process {pid}{waiting})"),
        SidecarState::Stopped => "stopped (the next commit starts it)".to_owned(),
        SidecarState::Unresponsive => format!("process {pid} does not answer"),
    };
    out += &format!("{}  {state}\n", label("sidecar"));
    out += &format!("{}  {}\n", label("hooks"), hooks_words(&status.hooks));
    if !status.model_answered {
        out += &format!("{}  no model server has answered yet on this machine\n", label("models"));
    }
    if app.ui.options.verbose > 0 {
        out += &format!("{}  {}\n", label("sizes"), ui::format_sizes(&status.sizes));
    }
    for problem in &status.problems {
        let head = app.ui.paint(WARN, "problem  ");
        out +=
            &format!("{head}  {}\n{}  {}\n", ui::one_line(&problem.what), label("  hint"), ui::one_line(&problem.hint));
    }
    out
}

fn narrated(app: &App, narrative: &Narrative) -> String {
    let text = ui::one_line(&narrative.text);
    let by = match (&narrative.model, &narrative.reason) {
        (Some(model), _) => format!("[{model}]"),
        (None, Some(why)) => format!("[template: {}]", ui::one_line(why)),
        (None, None) => "[template]".to_owned(),
    };
    format!("{text}\n{}\n\n", app.ui.paint(DIM, &by))
}

fn captures_words(app: &App, captures: &Captures) -> String {
    let counts = |map: &BTreeMap<String, u64>| counts_words(map.iter().map(|(name, n)| (name.as_str(), *n)), "");
    let total = app.ui.paint(BOLD, &captures.total.to_string());
    let mut parts = vec![counts(&captures.by_kind), by_words(&captures.by_provenance)];
    parts.extend(captures.on_time_rate.map(|rate| format!("{:.0} % on time", (rate * 100.0).floor())));
    parts.extend((captures.pending > 0).then(|| format!("{} pending", captures.pending)));
    parts.extend((captures.refined > 0).then(|| format!("{} refined", captures.refined)));
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { total } else { format!("{total} ({})", parts.join("; ")) }
}

fn by_words(by: &BTreeMap<String, u64>) -> String {
    let words = by.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{n} by {name}"));
    words.collect::<Vec<_>>().join(", ")
}

fn coverage_words(app: &App, coverage: Coverage) -> String {
    match coverage {
        Coverage { commits_seen: 0, .. } => "none made in registered repositories".to_owned(),
        Coverage { missing: 0, commits_seen, .. } => app.ui.paint(GOOD, &format!("all {commits_seen} captured")),
        Coverage { missing, commits_seen, captured } => {
            format!("{captured} of {commits_seen} captured, {}", app.ui.paint(BAD, &format!("{missing} missing")))
        }
    }
}

fn hooks_words(hooks: &[RepoHooks]) -> String {
    let count = |state: &str| hooks.iter().filter(|hooks| hooks.state == state).count();
    let watched = match count("absent") {
        0 => String::new(),
        absent => format!("; {absent} without hooks, by the sidecar"),
    };
    match (hooks.len(), count("ok")) {
        (0, _) => "no repository is registered: uro-capture init".to_owned(),
        (1, 1) => "in place in 1 repository".to_owned(),
        (all, fine) if all == fine => format!("in place in {all} repositories"),
        (all, fine) => format!("in place in {fine} of {all} repositories{watched}"),
    }
}

/// `12 commit, 3 note`: zero counts are left out.
fn counts_words<'a>(counts: impl Iterator<Item = (&'a str, u64)>, nothing: &str) -> String {
    let words: Vec<String> = counts.filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    if words.is_empty() { nothing.to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(state: SidecarState, version: &str) -> SidecarStatus {
        SidecarStatus {
            state,
            version: Some(version.into()),
            pid: Some(7),
            uptime_s: Some(1),
            queue_depth: Some(0),
            attention: None,
        }
    }

    fn status() -> Status {
        let window =
            Period { from: "2026-03-25T00:00:00Z".parse().unwrap(), to: "2026-04-01T00:00:00Z".parse().unwrap() };
        let counts = CaptureCounts {
            total: 15,
            by_kind: vec![("commit".into(), 12), ("note".into(), 3)],
            by_source: vec![("hook".into(), 15)],
            by_provenance: vec![("model".into(), 14), ("template".into(), 1)],
            budgeted: 1000,
            on_time: 999,
            pending: 0,
            refined: 0,
        };
        Status {
            narrative: None,
            window,
            captures: captures(counts),
            coverage: Coverage::of(13, 12),
            drafts: drafts_by_state(&[]),
            sidecar: sidecar(SidecarState::Running, env!("CARGO_PKG_VERSION")),
            autostart: false,
            hooks: vec![RepoHooks {
                repo: "/a".into(),
                state: "ok",
                how: Some("file"),
                covered_by: "hooks",
                needs_sidecar: false,
                trouble: None,
            }],
            model_answered: false,
            problems: vec![Problem { what: "w".into(), hint: "h".into() }],
            sizes: Sizes { database: 40_960, ..Sizes::default() },
        }
    }

    fn keys(value: &serde_json::Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_json_has_the_documented_fields() {
        let json = serde_json::to_value(status()).unwrap();
        for (field, inner) in [
            ("window", &["from", "to"][..]),
            ("captures", &["total", "by_kind", "by_source", "by_provenance", "on_time_rate", "refined"]),
            ("coverage", &["commits_seen", "captured", "missing"]),
            ("drafts", &["queued", "leased", "ready", "accepted", "rejected", "published", "dead"]),
            ("sidecar", &["state", "version", "pid", "uptime_s", "queue_depth"]),
            ("sizes", &["database", "copies", "log", "spool", "drafts"]),
        ] {
            for name in inner {
                assert!(keys(&json[field]).contains(name), "{field}.{name}");
            }
        }
        assert_eq!(keys(&json["hooks"][0]), ["covered_by", "how", "needs_sidecar", "repo", "state"]);
        assert_eq!(keys(&json["problems"][0]), ["hint", "what"]);
        assert_eq!(json["captures"]["by_kind"]["note"], 3);
        assert_eq!(json["sidecar"]["state"], "running");
    }

    #[test]
    fn a_model_that_is_not_asked_any_more_is_a_problem_with_what_helps() {
        use crate::config::EndpointConfig;
        use crate::domain::role::Role;
        use crate::route::tally::UsableTally;
        let judged = |used| [(Role::Capture, UsableTally { judged: 40, used })].into();
        let at = |endpoint: &str, model: &str| (endpoint.to_owned(), model.to_owned());
        let tallies =
            Tallies::from([(at("a", "m"), judged(7)), (at("a", "n"), judged(38)), (at("gone", "m"), judged(0))]);
        let endpoints = vec![EndpointConfig::local("a", "http://127.0.0.1:9")];
        let found = disabled_models(&tallies, &Config { endpoints, ..Config::default() });
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].what, "m on a is not asked any more (capture): 7 of 40 texts could be used");
        assert!(found[0].hint.ends_with("uro-capture models --retry m"));
    }

    #[test]
    fn a_rate_without_anything_to_measure_is_null() {
        assert_eq!(captures(CaptureCounts::default()).on_time_rate, None);
        assert_eq!(status().captures.on_time_rate, Some(0.999));
    }

    #[test]
    fn coverage_adds_up_and_never_goes_below_zero() {
        assert_eq!(Coverage::of(3, 1).merge(Coverage::of(2, 2)), Coverage { commits_seen: 5, captured: 3, missing: 2 });
        assert_eq!(Coverage::of(1, 2).missing, 0);
    }

    #[test]
    fn what_is_wrong_comes_with_what_helps() {
        assert_eq!(sidecar_problem(&sidecar(SidecarState::Running, env!("CARGO_PKG_VERSION"))), None);
        assert_eq!(sidecar_problem(&sidecar(SidecarState::Stopped, "")), None);
        assert!(sidecar_problem(&sidecar(SidecarState::Running, "0.0.0")).unwrap().hint.contains("sidecar start"));
        assert!(sidecar_problem(&sidecar(SidecarState::Unresponsive, "")).is_some());
    }

    #[test]
    fn counts_read_like_words_and_leave_out_zeros() {
        assert_eq!(counts_words([("ready", 0), ("dead", 2)].into_iter(), "none"), "2 dead");
        assert_eq!(counts_words([("ready", 0)].into_iter(), "none"), "none");
        let by = [("model".to_owned(), 14), ("human".to_owned(), 0), ("template".to_owned(), 1)].into();
        assert_eq!(by_words(&by), "14 by model, 1 by template");
        assert_eq!(hooks_words(&[]), "no repository is registered: uro-capture init");
    }
}
