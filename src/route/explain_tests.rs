//! Explanations of ten typical situations.

use super::*;
use crate::domain::role::Role;
use crate::route::choice::tests::{candidate, capture, learned};
use crate::route::choice::{Candidate, decide};
use crate::route::forecast::Forecast;
use crate::route::speed::{ModelHardware, Speed};

/// A desktop with a graphics card: all three models are fast.
fn fast() -> [Forecast; 3] {
    [learned(5000.0, 147.0), learned(2500.0, 90.0), learned(1300.0, 18.0)]
}

fn all(forecasts: &[Forecast; 3]) -> [Candidate<'_>; 3] {
    let [small, middle, large] = forecasts;
    [
        candidate("orca-mini:3b", 0.70, small),
        candidate("mistral:7b", 0.76, middle),
        candidate("llama2:13b", 0.82, large),
    ]
}

#[test]
fn a_decision_that_was_stored_is_explained_as_it_was_made() {
    for traffic in [Traffic::Calm, Traffic::Rebase] {
        let made = decide(&Signals { traffic, ..capture() }, &all(&fast()), None);
        let stored: Decision = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
        assert_eq!(explain(&stored), explain(&made));
        assert_eq!(stored.choice, made.choice);
    }
}

#[test]
fn a_calm_machine_with_time_for_the_better_model() {
    insta::assert_snapshot!(explain(&decide(&capture(), &all(&fast()), None)));
}

#[test]
fn a_laptop_that_can_only_read_a_part() {
    let slow = [learned(180.0, 40.0), learned(60.0, 14.0)];
    let models = [candidate("llama3.2:1b", 0.58, &slow[0]), candidate("orca-mini:3b", 0.70, &slow[1])];
    insta::assert_snapshot!(explain(&decide(&capture(), &models, None)));
}

#[test]
fn a_prompt_that_was_read_ahead() {
    let slow = learned(180.0, 40.0);
    let model = Candidate { cached: 395, ..candidate("llama3.2:1b", 0.58, &slow) };
    insta::assert_snapshot!(explain(&decide(&capture(), &[model], None)));
}

#[test]
fn a_model_that_is_not_loaded() {
    let fast = learned(2500.0, 90.0);
    let model = Candidate { resident: Some(false), ..candidate("mistral:7b", 0.76, &fast) };
    insta::assert_snapshot!(explain(&decide(&capture(), &[model], None)));
}

#[test]
fn a_server_that_is_down() {
    let fast = learned(2500.0, 90.0);
    let model = Candidate { blocked_by: Some(Rejected::BreakerOpen), ..candidate("mistral:7b", 0.76, &fast) };
    insta::assert_snapshot!(explain(&decide(&capture(), &[model], None)));
}

#[test]
fn a_build_that_slows_everything_down() {
    let middle = [learned(560.0, 41.0), learned(1500.0, 95.0)];
    let models = [candidate("orca-mini:3b", 0.70, &middle[0]), candidate("llama3.2:1b", 0.58, &middle[1])];
    insta::assert_snapshot!(explain(&decide(&Signals { pressed: true, ..capture() }, &models, None)));
}

#[test]
fn a_rebase_under_way() {
    insta::assert_snapshot!(explain(&decide(&Signals { traffic: Traffic::Rebase, ..capture() }, &all(&fast()), None)));
}

#[test]
fn a_blog_post_at_night_on_battery() {
    let blog = Signals {
        role: Role::Blog,
        urgency: Urgency::Batch,
        prompt_tokens: 1800,
        least_tokens: 400,
        max_tokens: 2000,
        budget_s: 1800.0,
        left_s: 1800.0,
        on_battery: true,
        template_quality: 0.3,
        ..capture()
    };
    let forecasts = [150.0, 90.0, 18.0].map(|writes: f64| {
        let speed = Speed {
            overhead_s: 0.05,
            uncached_s: 0.001,
            cached_s: 1e-5,
            tpot_s: 1.0 / writes,
            load_s: 4.0,
            answer_tokens: 0,
        };
        Forecast::from_seed(speed.for_output_limit(2000))
    });
    insta::assert_snapshot!(explain(&decide(&blog, &all(&forecasts), None)));
}

#[test]
fn a_draft_by_day_that_would_push_the_captures_model_out() {
    let draft = Signals { role: Role::Devlog, urgency: Urgency::Batch, template_quality: 0.0, ..capture() };
    let draft = Signals { max_tokens: 800, budget_s: 600.0, left_s: 600.0, ..draft };
    let [small, _, large] = fast();
    let large = Candidate { resident: Some(false), evicts: true, ..candidate("llama2:13b", 0.82, &large) };
    let text = explain(&decide(&draft, &[candidate("orca-mini:3b", 0.70, &small), large], None));
    assert!(text.starts_with("orca-mini:3b"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn the_first_day_with_a_new_model() {
    let machine = ModelHardware { cores: 12, gpu_share: Some(1.0), parameters: Some(3_200_000_000), size_bytes: None };
    let fresh = Forecast::from_seed(Speed::from_hardware(&machine));
    insta::assert_snapshot!(explain(&decide(&capture(), &[candidate("orca-mini:3b", 0.70, &fresh)], None)));
}

#[test]
fn a_queue_that_is_too_long_and_a_model_that_is_too_simple() {
    let fast = learned(2500.0, 90.0);
    let busy = Candidate { queue_s: 1.6, ..candidate("mistral:7b", 0.76, &fast) };
    let simple = Candidate { endpoint: "other", ..candidate("smollm:360m", 0.44, &fast) };
    insta::assert_snapshot!(explain(&decide(
        &Signals { urgency: Urgency::Urgent, ..capture() },
        &[busy, simple],
        None
    )));
}

#[test]
fn a_choice_that_is_kept_says_so() {
    let fast = learned(2500.0, 90.0);
    let models = [candidate("a:7b", 0.76, &fast), candidate("b:7b", 0.77, &fast)];
    let text = explain(&decide(&capture(), &models, Some(("local", "a:7b"))));
    assert!(text.starts_with("a:7b") && text.contains("I stay with this one"), "{text}");
}

#[test]
fn without_any_model_it_says_where_to_look() {
    assert!(explain(&decide(&capture(), &[], None)).contains("`uro-capture models`"));
}

#[test]
fn a_model_that_was_never_run_is_tried_and_that_is_said() {
    let machine = ModelHardware { cores: 2, gpu_share: None, parameters: Some(7_200_000_000), size_bytes: None };
    let fresh = Forecast::from_seed(Speed::from_hardware(&machine));
    let one = Candidate { few_runs: true, cached: 0, cached_rules: 0, ..candidate("mistral:7b", 0.76, &fresh) };
    insta::assert_snapshot!(
        explain(&decide(&capture(), &[one], None)),
        @"mistral:7b on local writes this capture. Its speed here is not measured yet: by an estimate from the hardware it would need about 29 s, and 1.6 s are left. So it is asked this once to measure it; if it is late, the template's text stays."
    );
}

#[test]
fn a_model_that_was_late_once_is_tried_again_and_that_is_said() {
    let machine = ModelHardware { cores: 2, gpu_share: None, parameters: Some(7_200_000_000), size_bytes: None };
    let mut once = Forecast::from_seed(Speed::from_hardware(&machine));
    once.learn(&crate::route::observation::Observation {
        uncached: 420,
        cached: 0,
        allowed: 120,
        written: 0,
        sentence: None,
        load_s: None,
        queue_s: 0.0,
        ttft_s: None,
        tpot_s: None,
        took_s: 1.7,
        end: crate::route::observation::RunEnd::Cut,
        pressed: false,
        idle_min: 0.0,
    });
    let one = Candidate { few_runs: true, cached: 0, cached_rules: 0, ..candidate("mistral:7b", 0.76, &once) };
    let explanation = explain(&decide(&capture(), &[one], None));
    assert!(explanation.contains("It has run here only once, and by that it would need about "), "{explanation}");
}

#[test]
fn a_model_that_is_not_asked_any_more_is_told_with_how_many_texts_could_be_used() {
    let fast = learned(2500.0, 90.0);
    let tally = crate::route::tally::UsableTally { judged: 40, used: 7 };
    let explanation = explain(&decide(&capture(), &[Candidate { tally, ..candidate("tiny:0.1b", 0.54, &fast) }], None));
    let expected = "The template writes this capture: tiny:0.1b on local is not asked any more, because only 7 of 40 texts could \
                 be used. `uro-capture models --retry MODEL` lets it try again.";
    assert_eq!(explanation.trim_end(), expected);
}
