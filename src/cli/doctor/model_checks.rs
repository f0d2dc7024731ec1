//! `doctor` checks of the models and their configuration.

use super::Finding;
use crate::cli::models::{EndpointView, ModelView, RoleTexts};
use crate::config::Config;
use crate::domain::model::Strategy;
use crate::domain::role::{ROLES, Role};
use crate::route::breaker::BreakerState;
use crate::route::roles::UnfitReason;
use crate::route::tuning::{SettingAdvice, check_settings};

/// A context that holds all our prompts (tokens): a model loaded with less is reloaded.
const SMALLEST: u64 = 1024;

/// `guessed`: the endpoint is a built-in default; if it is missing, nothing is reported.
pub fn check_models(config: &Config, views: &[EndpointView], guessed: &dyn Fn(usize) -> bool) -> Vec<Finding> {
    let any_up = views.iter().any(|view| view.up);
    let mut findings = Vec::new();
    let is_missing = config.capture.strategy == Strategy::Single && config.models.default.is_none();
    if let Some(writer) = find_writer(Role::Capture, views).filter(|_| is_missing) {
        let name = &writer.offered.name;
        let what = format!("strategy is single and no default model is named: {name} writes now");
        findings.push(Finding::failed("config", what, format!("uro-capture config set models.default {name}")));
    }
    findings.extend(ROLES.into_iter().flat_map(|role| check_sampling(config, role, views)));
    for (index, view) in views.iter().enumerate() {
        // An endpoint that does not answer is reported elsewhere.
        findings.extend(check_endpoint_breaker(view).filter(|_| any_up && !guessed(index)));
        for model in &view.models {
            findings.extend(check_model_breaker(view, model));
            findings.extend(model.texts.iter().map(|texts| check_texts(view, model, texts)));
            findings.extend(too_large(model, views));
            findings.extend(check_spilled(model));
            findings.extend(check_context(config, model));
        }
    }
    findings
}

fn check_sampling(config: &Config, role: Role, views: &[EndpointView]) -> Vec<Finding> {
    let Some(sampling) = config.options.get(&role) else { return Vec::new() };
    let writer = find_writer(role, views);
    let trained = writer.and_then(|model| model.offered.context_length);
    // The built-in value was not chosen by the user, and the router stays within the model's limit.
    let ours = Config::default().options.get(&role).map(|usual| usual.num_ctx);
    let is_news = |advice: &SettingAdvice| !(advice.wrong && advice.key == "num_ctx" && ours == Some(sampling.num_ctx));
    let finding = |SettingAdvice { key, wrong, says }: SettingAdvice| {
        let name = format!("options.{}.{key}", role.as_str());
        match (key, wrong, writer) {
            // A notice that needs no fix.
            ("num_ctx", true, Some(writer)) => {
                Finding::passed("config", format!("{name}: {says}; {} is asked with that", writer.offered.name))
            }
            (_, true, _) => Finding::failed(
                "config",
                format!("{name}: {says}"),
                format!("uro-capture config set {name} {}", default_value(role, key)),
            ),
            (_, false, _) => Finding::passed("config", format!("{name}: {says}")),
        }
    };
    check_settings(role, sampling, trained).into_iter().filter(is_news).map(finding).collect()
}

/// The built-in context length.
fn default_value(role: Role, key: &str) -> String {
    let defaults = Config::default().options;
    let Some(sampling) = defaults.get(&role) else { return String::new() };
    match key {
        "temperature" => sampling.temperature.to_string(),
        "top_p" => sampling.top_p.to_string(),
        "top_k" => sampling.top_k.to_string(),
        "repeat_penalty" => sampling.repeat_penalty.to_string(),
        "num_ctx" => sampling.num_ctx.to_string(),
        _ => sampling.max_tokens.to_string(),
    }
}

fn find_writer(role: Role, views: &[EndpointView]) -> Option<&ModelView> {
    views.iter().flat_map(|view| &view.models).find(|model| model.roles.contains(&role))
}

fn check_endpoint_breaker(view: &EndpointView) -> Option<Finding> {
    let breaker = view.breaker.filter(|breaker| breaker.state != BreakerState::Closed)?;
    let again = breaker.probe_in_s.map(|seconds| format!("; tried again in {:.0} s", seconds.ceil()));
    let what = format!("captures do not go to {}: it failed lately{}", view.endpoint, again.unwrap_or_default());
    let fix = format!("start the server at {}, or take it out of the configuration", view.url);
    Some(Finding::failed("endpoints", what, fix))
}

fn check_model_breaker(view: &EndpointView, model: &ModelView) -> Option<Finding> {
    // If the whole endpoint is down, that is the problem to fix.
    let whole = view.breaker.is_some_and(|breaker| breaker.state != BreakerState::Closed);
    let open = model.breaker.is_some_and(|breaker| breaker.state != BreakerState::Closed) && !whole;
    let name = &model.offered.name;
    let what = format!("captures do not go to {name} on {}: it failed lately", view.endpoint);
    let fix = format!("uro-capture latency --by model, and the log of the server at {}", view.url);
    open.then(|| Finding::failed("endpoints", what, fix))
}

/// Share of usable texts; a failed check if the model is disabled because of it.
fn check_texts(view: &EndpointView, model: &ModelView, texts: &RoleTexts) -> Finding {
    let (name, role) = (&model.offered.name, texts.role.as_str());
    let what = format!("{name} on {} ({role}): {}", view.endpoint, texts.tally);
    if !texts.barred {
        return Finding::passed("endpoints", what);
    }
    let fix = format!(
        "a better model: uro-capture config set models.{role} MODEL; to let it try again: uro-capture models --retry {name}"
    );
    Finding::failed("endpoints", format!("{what}; it is not asked any more"), fix)
}

fn too_large(model: &ModelView, views: &[EndpointView]) -> Option<Finding> {
    let Some(UnfitReason::TooLarge { needs, has }) = model.unfit else { return None };
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let name = &model.offered.name;
    let what = format!("{name} does not fit: needs {}, {} are there", gigabytes(needs), gigabytes(has));
    let Some(role) = model.configured_for.first() else {
        return Some(Finding::passed("endpoints", format!("{what}; it is not used")));
    };
    let what = format!("{what}; it is configured for {}", role.as_str());
    let fix = match find_writer(*role, views) {
        Some(other) => format!("uro-capture config set models.{} {}", role.as_str(), other.offered.name),
        None => "ollama pull llama3.2:3b".to_owned(),
    };
    Some(Finding::failed("endpoints", what, fix))
}

fn check_spilled(model: &ModelView) -> Option<Finding> {
    let (share, role) = (model.spilled?, model.roles.first().or(model.stands_in_for.first())?);
    let what = format!("{} runs slowly: {:.0} % of it spilled to main memory", model.offered.name, share * 100.0);
    let fix = format!("a smaller or more quantized one: uro-capture config set models.{} MODEL", role.as_str());
    Some(Finding::failed("endpoints", what, fix))
}

/// Another program's context length is adopted, because a different one would reload the model at each request.
fn check_context(config: &Config, model: &ModelView) -> Option<Finding> {
    let loaded = model.offered.loaded_context.filter(|_| !model.roles.is_empty())?;
    let ours = config.options.values().any(|sampling| u64::from(sampling.num_ctx) == loaded);
    let name = &model.offered.name;
    if loaded < SMALLEST {
        let what =
            format!("{name} is loaded with a context of {loaded} tokens, too few for a prompt: it is loaded anew");
        return Some(Finding::failed(
            "endpoints",
            what,
            "OLLAMA_CONTEXT_LENGTH=4096 ollama serve, or llama-server -c 4096",
        ));
    }
    let as_trained = model.offered.context_length == Some(loaded);
    let what =
        format!("{name} is loaded with a context of {loaded} tokens, which nothing here asked for: it is used so");
    (!ours && !as_trained).then(|| Finding::passed("endpoints", what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::models::BreakerView;
    use crate::domain::model::ListedModel;
    use crate::route::tally::UsableTally;

    fn writes(offered: ListedModel, roles: &[Role]) -> ModelView {
        ModelView { roles: roles.to_vec(), ..ModelView::from_offered(offered, true) }
    }

    fn at(models: Vec<ModelView>) -> EndpointView {
        EndpointView {
            endpoint: "a".into(),
            url: "http://a".into(),
            api: None,
            server: Some("ollama".into()),
            version: None,
            up: true,
            hint: None,
            refuses: false,
            error: None,
            device: "this machine".into(),
            running: None,
            waiting: None,
            breaker: None,
            models,
        }
    }

    fn collect_findings(config: &Config, views: &[EndpointView]) -> Vec<Finding> {
        check_models(config, views, &|_| false)
    }

    #[test]
    fn a_healthy_model_with_the_built_in_settings_is_no_news() {
        let model = ListedModel { context_length: Some(8192), loaded_context: Some(4096), ..ListedModel::named("m") };
        assert_eq!(collect_findings(&Config::default(), &[at(vec![writes(model, &ROLES)])]), []);
        assert_eq!(collect_findings(&Config::default(), &[]), []);
    }

    #[test]
    fn settings_that_cannot_work_have_a_fix_and_unusual_ones_a_word() {
        let mut config = Config::default();
        let capture = config.options.get_mut(&Role::Capture).unwrap();
        (capture.max_tokens, capture.num_ctx, capture.temperature) = (4096, 4096, 0.9);
        let found = collect_findings(&config, &[]);
        assert_eq!(found[0].fix.as_deref(), Some("uro-capture config set options.capture.max_tokens 80"));
        let hot = found.iter().find(|one| one.what.contains("options.capture.temperature")).unwrap();
        assert!(hot.ok && hot.what.contains("unusual"), "{hot:?}");
    }

    #[test]
    fn a_context_that_the_model_does_not_know_is_told_and_is_nothing_to_mend() {
        let model = ListedModel { context_length: Some(2048), ..ListedModel::named("m") };
        let views = [at(vec![writes(model, &[Role::Capture])])];
        assert_eq!(collect_findings(&Config::default(), &views), [], "it was not configured");
        let mut config = Config::default();
        config.options.get_mut(&Role::Capture).unwrap().num_ctx = 4000;
        let found = collect_findings(&config, &views);
        assert!(found.len() == 1 && found[0].ok && found[0].what.contains("trained on 2048"), "{found:?}");
    }

    #[test]
    fn one_model_for_everything_should_have_a_name() {
        let mut config = Config::default();
        config.capture.strategy = Strategy::Single;
        let views = [at(vec![writes(ListedModel::named("m"), &ROLES)])];
        assert_eq!(
            collect_findings(&config, &views)[0].fix.as_deref(),
            Some("uro-capture config set models.default m")
        );
        config.models.default = Some("m".into());
        assert_eq!(collect_findings(&config, &views), []);
    }

    #[test]
    fn what_does_not_fit_is_wrong_only_where_it_is_configured() {
        let unfit = Some(UnfitReason::TooLarge { needs: 9_100_000_000, has: 6_000_000_000 });
        let large = ModelView { unfit, ..writes(ListedModel::named("large:13b"), &[]) };
        let wanted = ModelView { configured_for: vec![Role::Blog], ..large.clone() };
        let small = || writes(ListedModel::named("small:3b"), &[Role::Blog]);
        let found = collect_findings(&Config::default(), &[at(vec![large, small(), wanted])]);
        assert!(found[0].ok && found[0].what.ends_with("needs 9.1 GB, 6.0 GB are there; it is not used"), "{found:?}");
        assert_eq!(found[1].fix.as_deref(), Some("uro-capture config set models.blog small:3b"));
    }

    #[test]
    fn what_is_slow_or_was_loaded_by_others_is_seen() {
        let spilled = ModelView { spilled: Some(0.37), ..writes(ListedModel::named("m"), &[Role::Devlog]) };
        let short = ListedModel { loaded_context: Some(512), ..ListedModel::named("n") };
        let other = ListedModel { loaded_context: Some(2048), ..ListedModel::named("o") };
        let views = [at(vec![spilled, writes(short, &[Role::Blog]), writes(other, &[Role::Capture])])];
        let found = collect_findings(&Config::default(), &views);
        assert!(!found[0].ok && found[0].what.contains("37 %"), "{found:?}");
        assert!(!found[1].ok && found[1].what.contains("512"), "{found:?}");
        assert!(found[2].ok && found[2].what.contains("2048"), "{found:?}");
    }

    #[test]
    fn how_many_texts_could_be_used_is_told_and_what_to_do_where_it_is_too_few() {
        let texts = |used, barred| RoleTexts { role: Role::Capture, tally: UsableTally { judged: 40, used }, barred };
        let judged = |used, barred| {
            at(vec![ModelView {
                texts: vec![texts(used, barred)],
                ..writes(ListedModel::named("m"), &[Role::Capture])
            }])
        };
        let fine = collect_findings(&Config::default(), &[judged(38, false)]);
        assert_eq!(fine, [Finding::passed("endpoints", "m on a (capture): 38 of 40 texts could be used")]);
        let seldom = collect_findings(&Config::default(), &[judged(7, true)]);
        assert!(!seldom[0].ok && seldom[0].what.contains("7 of 40 texts could be used; it is not asked any more"));
        assert!(seldom[0].fix.as_deref().is_some_and(|fix| fix.ends_with("uro-capture models --retry m")));
    }

    #[test]
    fn an_open_breaker_is_found_unless_merely_a_usual_port_was_looked_at() {
        let breaker = Some(BreakerView { state: BreakerState::Open, probe_in_s: Some(3.5) });
        let down = EndpointView { breaker, ..at(Vec::new()) };
        let one = collect_findings(&Config::default(), std::slice::from_ref(&down));
        assert!(!one[0].ok && one[0].what.contains("captures do not go to a") && one[0].what.contains("in 4 s"));
        assert_eq!(check_models(&Config::default(), std::slice::from_ref(&down), &|_| true), []);
        assert_eq!(
            collect_findings(&Config::default(), &[EndpointView { up: false, ..down }]),
            [],
            "the missing answer is reported once"
        );
        let refused = ModelView { breaker, ..writes(ListedModel::named("m"), &[Role::Capture]) };
        assert!(collect_findings(&Config::default(), &[at(vec![refused])])[0].what.contains("m on a"));
    }
}
