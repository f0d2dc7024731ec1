//! Table of `models` for people.

use super::{BreakerView, EndpointView, Measured, ModelView, RoleTexts};
use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::ui::{Align, BOLD, DIM, GOOD, Table, WARN};
use crate::config::SettingOrigin;
use crate::domain::model::ListedModel;
use crate::domain::role::Role;
use crate::route::breaker::BreakerState;
use crate::route::rates::Rates;
use crate::route::roles::UnfitReason;

pub(super) fn print(app: &App, views: &[EndpointView]) -> Result<(), Failure> {
    let any_up = views.iter().any(|view| view.up);
    for (index, view) in views.iter().enumerate() {
        // A default port without a listener is omitted as long as another one answers.
        let guessed = app.loaded.origins.get(&format!("endpoints[{index}].url")) == Some(&SettingOrigin::BuiltIn);
        if view.up || (any_up && (!guessed || app.ui.options.verbose > 0)) {
            app.ui.line(&format_header(app, view))?;
            app.ui.table(&table(view))?;
            for notice in view.models.iter().filter_map(disabled_notice) {
                app.ui.line(&format!("  {}", app.ui.paint(WARN, &notice)))?;
            }
        }
    }
    Ok(())
}

fn format_header(app: &App, view: &EndpointView) -> String {
    let name = app.ui.paint(BOLD, &view.endpoint);
    let what = match (&view.server, &view.error) {
        (Some(server), _) => format!("{server} {}", view.version.as_deref().unwrap_or("")),
        (None, Some(error)) => app.ui.paint(WARN, error),
        (None, None) => String::new(),
    };
    let busy =
        format_queue(view).into_iter().chain(view.breaker.and_then(format_breaker)).map(|text| format!("  {text}"));
    format!("{name}  {}  {}{}", app.ui.paint(DIM, &view.url), what.trim_end(), busy.collect::<String>())
}

fn format_queue(view: &EndpointView) -> Option<String> {
    match (view.running?, view.waiting?) {
        (0, 0) => None,
        (running, waiting) => Some(format!("{running} at work, {waiting} waiting")),
    }
}

fn format_breaker(breaker: BreakerView) -> Option<String> {
    let when = breaker.probe_in_s.map(|seconds| format!(", tried again in {:.0} s", seconds.ceil()));
    match breaker.state {
        BreakerState::Closed => None,
        BreakerState::Open => Some(format!("failed lately{}", when.unwrap_or_default())),
        BreakerState::HalfOpen => Some("failed lately, being tried".to_owned()),
    }
}

fn table(view: &EndpointView) -> Table {
    let left = ("", Align::Left);
    let mut table = Table::new(&[left, left, ("", Align::Right), left, ("", Align::Right), left, left, left]);
    for model in &view.models {
        let roles: Vec<&str> = model.roles.iter().map(|role| role.as_str()).collect();
        table.styled(vec![
            (String::new(), DIM),
            (model.offered.name.clone(), BOLD),
            (size(&model.offered), DIM),
            (model.offered.quantization.clone().unwrap_or_default(), DIM),
            (model.needs_bytes.map(|bytes| format!("needs {}", gigabytes(bytes))).unwrap_or_default(), DIM),
            state(model),
            (roles.join(", "), GOOD),
            (format_notices(model), DIM),
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

fn size(offered: &ListedModel) -> String {
    match (offered.parameters, offered.size_bytes) {
        (Some(n), _) if n >= 100_000_000 => format!("{:.1}B", n as f64 / 1e9),
        (Some(n), _) => format!("{:.1}M", n as f64 / 1e6),
        (None, Some(bytes)) => format!("{:.1} GB", bytes as f64 / 1e9),
        (None, None) => String::new(),
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// Notices about a model, the most important first.
fn format_notices(model: &ModelView) -> String {
    let unfit = model.unfit.and_then(|because| match because {
        UnfitReason::TooLarge { needs, has } => {
            Some(format!("does not fit: needs {}, {} are there", gigabytes(needs), gigabytes(has)))
        }
        UnfitReason::Cloud | UnfitReason::Embedding => None,
    });
    let missing = model.configured_for.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    let missing = (!model.listed && !missing.is_empty()).then(|| format!("configured for {missing}"));
    let spilled = model.spilled.map(|share| format!("{:.0} % spilled to main memory: slow", share * 100.0));
    let thinks = (model.thinks_aloud && model.unfit.is_none()).then(|| "thinks; told not to".to_owned());
    let parts = [
        unfit,
        missing,
        model.breaker.and_then(format_breaker),
        (!model.texts.is_empty()).then(|| model.texts.iter().map(format_texts).collect::<Vec<_>>().join(", ")),
        spilled,
        model.learned.map(format_rates),
        model.measured.map(measured_words).filter(|text| !text.is_empty()),
        thinks,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// States that the model is disabled, why, and how to enable it.
fn disabled_notice(model: &ModelView) -> Option<String> {
    let texts: Vec<&RoleTexts> = model.texts.iter().filter(|texts| texts.barred).collect();
    let first = texts.first()?;
    let roles: Vec<&str> = texts.iter().map(|texts| texts.role.as_str()).collect();
    let name = &model.offered.name;
    Some(format!(
        "{name} is not asked any more ({}): {}; to let it try again: uro-capture models --retry {name}",
        roles.join(", "),
        first.tally
    ))
}

/// Share of usable texts; with the role unless it is the capture role.
fn format_texts(texts: &RoleTexts) -> String {
    let role = if texts.role == Role::Capture { String::new() } else { format!(" ({})", texts.role.as_str()) };
    format!("{}{role}", texts.tally)
}

fn format_rates(rates: Rates) -> String {
    let runs = if rates.runs == 1 { "1 run".to_owned() } else { format!("{} runs", rates.runs) };
    format!("reads {:.0} tok/s, writes {:.0} ({runs})", rates.prefill_tps, rates.tps)
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
    use crate::route::tally::UsableTally;

    fn model(name: &str) -> ModelView {
        ModelView::from_offered(ListedModel::named(name), true)
    }

    #[test]
    fn sizes_are_shown_as_people_name_models() {
        let with = |parameters, size_bytes| size(&ListedModel { parameters, size_bytes, ..ListedModel::named("m") });
        assert_eq!(with(Some(3_200_000_000), Some(1)), "3.2B");
        assert_eq!(with(Some(500_000), None), "0.5M");
        assert_eq!(with(None, Some(1_900_000_000)), "1.9 GB");
        assert_eq!(with(None, None), "");
    }

    #[test]
    fn what_hinders_a_model_is_said_before_how_fast_it_is() {
        let rates = Rates { runs: 1, tps: 21.4, prefill_tps: 402.0, first_token_ms: 900.0 };
        let breaker = Some(BreakerView { state: BreakerState::Open, probe_in_s: Some(3.2) });
        let view = ModelView { spilled: Some(0.37), learned: Some(rates), breaker, ..model("m") };
        let expected = "failed lately, tried again in 4 s; 37 % spilled to main memory: slow; \
                     reads 402 tok/s, writes 21 (1 run)";
        assert_eq!(format_notices(&view), expected);
        let large = UnfitReason::TooLarge { needs: 9_100_000_000, has: 6_000_000_000 };
        let unfit = ModelView { unfit: Some(large), ..model("m") };
        assert_eq!(format_notices(&unfit), "does not fit: needs 9.1 GB, 6.0 GB are there");
        assert_eq!(format_notices(&model("deepseek-r1:7b")), "thinks; told not to");
        assert_eq!(format_notices(&model("m")), "");
    }

    #[test]
    fn how_many_texts_could_be_used_is_told_and_that_a_model_is_not_asked() {
        let texts = |role, used, barred| RoleTexts { role, tally: UsableTally { judged: 40, used }, barred };
        let fine = ModelView { texts: vec![texts(Role::Capture, 38, false)], ..model("m") };
        assert_eq!((format_notices(&fine).as_str(), disabled_notice(&fine)), ("38 of 40 texts could be used", None));
        let seldom =
            ModelView { texts: vec![texts(Role::Capture, 7, true), texts(Role::Blog, 30, false)], ..model("m") };
        assert_eq!(format_notices(&seldom), "7 of 40 texts could be used, 30 of 40 texts could be used (blog)");
        assert_eq!(
            disabled_notice(&seldom).as_deref(),
            Some(
                "m is not asked any more (capture): 7 of 40 texts could be used; to let it try again: \
                 uro-capture models --retry m"
            )
        );
    }

    #[test]
    fn what_was_measured_is_told_with_how_often() {
        let found = Measured {
            n: 9,
            ttft_p50_ms: Some(180.0),
            tps_p50: Some(21.4),
            ungrounded_rate: Some(0.031),
            repaired_rate: Some(0.0),
        };
        assert_eq!(measured_words(found), "21 tok/s, first token 180 ms, 4 % ungrounded (median, n = 9)");
        assert_eq!(state(&ModelView::from_offered(ListedModel::named("m"), false)).0, "not offered");
    }
}
