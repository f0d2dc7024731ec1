//! Which model wins, and why the others do not.

use super::*;
use crate::domain::role::Role;
use crate::route::observation::{Observation, RunEnd};
use crate::route::speed::Speed;

/// A forecast that has seen this speed thirty times.
pub(in crate::route) fn learned(reads_per_s: f64, writes_per_s: f64) -> Forecast {
    let seed = Speed {
        overhead_s: 0.05,
        uncached_s: 1.0 / reads_per_s,
        cached_s: 0.005 / reads_per_s,
        tpot_s: 1.0 / writes_per_s,
        load_s: 4.0,
        answer_tokens: 40,
    };
    let mut forecast = Forecast::from_seed(seed);
    for i in 0..30_u32 {
        let uncached = 20 + i * 37 % 150;
        let ttft = 0.05 + f64::from(uncached) / reads_per_s;
        let observation = Observation {
            uncached,
            cached: 180,
            allowed: 120,
            written: 40,
            sentence: Some(22),
            load_s: None,
            queue_s: 0.0,
            ttft_s: Some(ttft),
            tpot_s: Some(1.0 / writes_per_s),
            took_s: ttft + 39.0 / writes_per_s,
            end: RunEnd::Done,
            pressed: false,
            idle_min: 5.0,
        };
        forecast.learn(&observation);
        forecast.learn(&Observation { allowed: 36, written: 20, sentence: Some(20), ..observation });
    }
    forecast
}

pub(in crate::route) fn capture() -> Signals {
    Signals {
        role: Role::Capture,
        urgency: Urgency::Interactive,
        traffic: Traffic::Calm,
        prompt_tokens: 420,
        least_tokens: 240,
        max_tokens: 120,
        technicality: 0.5,
        budget_s: 2.0,
        left_s: 1.65,
        pressed: false,
        on_battery: false,
        template_quality: 0.5,
    }
}

pub(in crate::route) fn candidate<'a>(model: &'a str, quality: f64, forecast: &'a Forecast) -> Candidate<'a> {
    Candidate {
        endpoint: "local",
        model,
        resident: Some(true),
        few_runs: false,
        cached: 180,
        cached_rules: 180,
        queue_s: 0.0,
        idle_min: 5.0,
        blocked_by: None,
        evicts: false,
        loads: false,
        forecast,
        quality,
        tally: UsableTally::default(),
    }
}

pub(in crate::route) fn model(decision: &Decision) -> Option<&str> {
    match &decision.choice {
        Chosen::Model { model, .. } => Some(model),
        Chosen::Template { .. } => None,
    }
}

fn rejected(decision: &Decision, model: &str) -> Option<Rejected> {
    decision.candidates.iter().find(|candidate| candidate.model == model).unwrap().rejected_because
}

#[test]
fn the_best_text_that_comes_in_time_wins() {
    let (small, middle, large) = (learned(3000.0, 150.0), learned(1500.0, 70.0), learned(150.0, 9.0));
    let all = [candidate("1b", 0.55, &small), candidate("3b", 0.68, &middle), candidate("13b", 0.82, &large)];
    let decision = decide(&capture(), &all, None);
    assert_eq!(model(&decision), Some("3b"), "{decision:#?}");
    assert_eq!(rejected(&decision, "13b"), Some(Rejected::PredictedMiss));
    assert_eq!(rejected(&decision, "1b"), Some(Rejected::ScoredLower));
    assert_eq!(decision.reason, Reason::None);
}

#[test]
fn with_all_the_time_in_the_world_the_best_writer_writes() {
    let (small, large) = (learned(3000.0, 150.0), learned(150.0, 9.0));
    let all = [candidate("1b", 0.55, &small), candidate("13b", 0.82, &large)];
    let blog = Signals { role: Role::Blog, urgency: Urgency::Batch, left_s: 600.0, budget_s: 600.0, ..capture() };
    assert_eq!(model(&decide(&blog, &all, None)), Some("13b"));
}

#[test]
fn a_prompt_that_is_too_long_for_every_model_is_shortened() {
    let slow = learned(180.0, 40.0);
    let decision = decide(&capture(), &[candidate("1b", 0.6, &slow)], None);
    let Chosen::Model { prompt_tokens, max_tokens, .. } = decision.choice else { panic!("{decision:#?}") };
    assert!((240..420).contains(&prompt_tokens) && max_tokens >= 24, "{prompt_tokens} {max_tokens}");
    assert!(decision.candidates[0].planned_quality < 0.6);
}

#[test]
fn a_smaller_model_that_reads_everything_beats_a_larger_one_that_reads_a_little() {
    let (small, large) = (learned(2000.0, 90.0), learned(200.0, 45.0));
    let all = [candidate("1b", 0.60, &small), candidate("3b", 0.66, &large)];
    assert_eq!(model(&decide(&capture(), &all, None)), Some("1b"));
}

#[test]
fn a_model_that_must_be_loaded_or_failed_lately_is_not_waited_for() {
    let fast = learned(3000.0, 150.0);
    let cold = Candidate { resident: Some(false), ..candidate("cold", 0.8, &fast) };
    let decision = decide(&capture(), &[cold], None);
    assert_eq!((model(&decision), decision.reason), (None, Reason::Cold));
    let barred = Candidate { blocked_by: Some(Rejected::BreakerOpen), ..candidate("barred", 0.8, &fast) };
    let decision = decide(&capture(), &[barred], None);
    assert_eq!((model(&decision), decision.reason), (None, Reason::BreakerOpen));
}

#[test]
fn a_server_that_cannot_tell_what_is_loaded_is_taken_for_warm() {
    let fast = learned(3000.0, 150.0);
    let unknown = Candidate { resident: None, ..candidate("m", 0.8, &fast) };
    assert_eq!(model(&decide(&capture(), &[unknown], None)), Some("m"));
}

#[test]
fn no_model_is_asked_during_a_rebase_or_a_storm_or_when_the_time_is_over() {
    let fast = learned(3000.0, 150.0);
    let all = [candidate("m", 0.8, &fast)];
    for traffic in [Traffic::Storm, Traffic::Rebase] {
        let decision = decide(&Signals { traffic, ..capture() }, &all, None);
        assert_eq!((model(&decision), decision.reason), (None, Reason::Disabled));
    }
    for left_s in [0.0, -3.0, f64::NAN] {
        let decision = decide(&Signals { left_s, ..capture() }, &all, None);
        assert_eq!((model(&decision), decision.reason), (None, Reason::PredictedMiss), "{left_s}");
    }
    assert_eq!(decide(&capture(), &[], None).reason, Reason::Disabled);
}

#[test]
fn a_model_that_writes_no_better_than_the_template_is_not_asked() {
    let fast = learned(3000.0, 150.0);
    let decision = decide(&capture(), &[candidate("tiny", 0.45, &fast)], None);
    assert_eq!(rejected(&decision, "tiny"), Some(Rejected::TemplateAsGood));
}

#[test]
fn the_last_choice_is_kept_until_another_one_is_clearly_better() {
    let fast = learned(3000.0, 150.0);
    let all = [candidate("a", 0.70, &fast), candidate("b", 0.71, &fast)];
    let fresh = decide(&capture(), &all, None);
    let kept = decide(&capture(), &all, Some(("local", "a")));
    assert_eq!((model(&fresh), model(&kept), kept.kept), (Some("b"), Some("a"), true));
    let better = [candidate("a", 0.70, &fast), candidate("b", 0.78, &fast)];
    assert_eq!(model(&decide(&capture(), &better, Some(("local", "a")))), Some("b"));
}

#[test]
fn the_last_choice_is_not_kept_where_it_will_probably_be_late() {
    // Both are still tried out; the slow one was seen to write a token in seconds, the other one was never asked.
    let (slow, unknown) = (learned(200.0, 0.5), learned(200.0, 12.0));
    let tried = |endpoint, forecast| Candidate { endpoint, few_runs: true, ..candidate("m", 0.7, forecast) };
    let all = [tried("slow", &slow), tried("other", &unknown)];
    let decision = decide(&capture(), &all, Some(("slow", "m")));
    let Chosen::Model { endpoint, .. } = &decision.choice else { panic!("{decision:?}") };
    let slow = decision.candidates.iter().find(|candidate| candidate.endpoint == "slow").unwrap();
    assert!(endpoint == "other" && slow.score + 0.02 > decision.candidates[0].score, "{decision:#?}");
}

#[test]
fn pressure_and_a_queue_make_it_cautious() {
    let middle = learned(800.0, 45.0);
    let one = candidate("3b", 0.68, &middle);
    assert_eq!(model(&decide(&capture(), &[one], None)), Some("3b"));
    let pressed = decide(&Signals { pressed: true, ..capture() }, &[one], None);
    let calm = decide(&capture(), &[one], None);
    assert!(pressed.candidates[0].score < calm.candidates[0].score);
    let queued = decide(&capture(), &[Candidate { queue_s: 1.5, ..one }], None);
    assert_eq!(queued.reason, Reason::PredictedMiss);
}

#[test]
fn a_better_model_that_is_hardly_known_is_measured_and_one_that_is_too_slow_is_not() {
    let guessed = |writes_per_s: f64| {
        let speed = Speed {
            overhead_s: 0.05,
            uncached_s: 0.001,
            cached_s: 1e-5,
            tpot_s: 1.0 / writes_per_s,
            load_s: 4.0,
            answer_tokens: 40,
        };
        Forecast::from_seed(speed)
    };
    let (small, unknown, hopeless) = (learned(3000.0, 150.0), guessed(50.0), guessed(5.0));
    let all = [candidate("1b", 0.55, &small), candidate("3b", 0.7, &unknown), candidate("13b", 0.8, &hopeless)];
    let decision = decide(&Signals { urgency: Urgency::Urgent, ..capture() }, &all, None);
    assert_eq!(model(&decision), Some("1b"), "{decision:#?}");
    assert_eq!(decision.measurement_target().map(|candidate| candidate.model.as_str()), Some("3b"));
}

#[test]
fn when_all_are_too_slow_the_nearest_is_measured_but_none_that_would_have_to_be_loaded() {
    let (slow, slower) = (learned(60.0, 12.0), learned(20.0, 4.0));
    let all = [candidate("slower", 0.8, &slower), candidate("slow", 0.7, &slow)];
    assert!(decide(&capture(), &all, None).measurement_target().is_some());
    let cold = all.map(|one| Candidate { resident: Some(false), ..one });
    assert!(decide(&capture(), &cold, None).measurement_target().is_none());
    let fast = learned(3000.0, 150.0);
    assert!(decide(&capture(), &[candidate("m", 0.8, &fast)], None).measurement_target().is_none());
}

#[test]
fn the_public_json_has_every_promised_field() {
    let fast = learned(3000.0, 150.0);
    let json = serde_json::to_value(decide(&capture(), &[candidate("m", 0.8, &fast)], None)).unwrap();
    for field in ["task", "deadline_ms", "choice", "reason", "candidates"] {
        assert!(json.get(field).is_some(), "{field}");
    }
    for field in [
        "model", "endpoint", "resident", "queue_ms", "predicted_ttft_ms", "predicted_total_ms", "p_on_time", "quality",
        "score", "rejected_because",
    ] {
        assert!(json["candidates"][0].get(field).is_some(), "{field}");
    }
    assert_eq!((&json["choice"]["model"], &json["reason"]), (&"m".into(), &"none".into()));
    let none = serde_json::to_value(decide(&capture(), &[], None)).unwrap();
    assert_eq!(none["choice"], serde_json::json!({"template": true}));
}

#[test]
fn a_model_of_which_little_is_known_is_asked_for_less_before_it_is_not_asked_at_all() {
    let mut forecast = Forecast::from_seed(Speed::from_hardware(&crate::route::speed::ModelHardware {
        cores: 2,
        parameters: Some(3_400_000_000),
        ..crate::route::speed::ModelHardware::default()
    }));
    let observation = Observation {
        uncached: 250,
        cached: 0,
        allowed: 120,
        written: 12,
        sentence: Some(12),
        load_s: None,
        queue_s: 0.0,
        ttft_s: Some(0.03),
        tpot_s: Some(0.04),
        took_s: 0.5,
        end: RunEnd::Done,
        pressed: true,
        idle_min: 0.0,
    };
    forecast.learn(&observation);
    let signals = Signals { pressed: true, left_s: 2.5, prompt_tokens: 250, ..capture() };
    let one = Candidate { cached: 219, cached_rules: 200, idle_min: 0.1, ..candidate("once", 0.7, &forecast) };
    let decision = decide(&signals, &[one], None);
    assert_eq!(decision.reason, Reason::None, "{:#?}", decision.candidates);
    assert!(decision.candidates[0].p_on_time >= signals.min_in_time());
}

/// A run that was cut before its first token.
fn late() -> Observation {
    Observation {
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
        end: RunEnd::Cut,
        pressed: false,
        idle_min: 0.0,
    }
}

#[test]
fn a_first_attempt_that_was_merely_late_is_repeated_until_enough_runs_speak_against_the_model() {
    use crate::route::key::ForecastKey;
    use crate::route::ledger::Ledger;
    let key = ForecastKey { endpoint: "local".into(), model: "m".into(), digest: None, options: 1, on_battery: false };
    let seed = Speed::from_hardware(&crate::route::speed::ModelHardware::default());
    let (mut ledger, mut asked) = (Ledger::default(), Vec::new());
    for commit in 0..8 {
        let now = jiff::Timestamp::from_second(1_770_000_000 + 60 * commit).unwrap();
        let (forecast, idle_min) = ledger.forecast_for(&key, seed, now);
        let guessed = ledger.runs(&key) < TRIALS;
        let one =
            Candidate { few_runs: guessed, cached: 0, cached_rules: 0, idle_min, ..candidate("m", 0.7, &forecast) };
        let decision = decide(&capture(), &[one], None);
        asked.push(model(&decision).is_some());
        if asked.ends_with(&[true]) {
            ledger.learn(&key, seed, &late(), now);
        } else {
            assert_eq!(decision.reason, Reason::PredictedMiss);
        }
    }
    let trials = usize::try_from(TRIALS).unwrap();
    assert!(asked[..trials].iter().all(|asked| *asked) && asked[trials..].iter().all(|asked| !asked), "{asked:?}");
}

#[test]
fn a_model_with_seldom_used_answers_is_barred_for_every_task() {
    let fast = learned(3000.0, 150.0);
    let seldom = Candidate { tally: UsableTally { judged: 40, used: 7 }, ..candidate("tiny", 0.7, &fast) };
    for urgency in [Urgency::Urgent, Urgency::Interactive, Urgency::Ahead, Urgency::Batch] {
        let decision = decide(&Signals { urgency, ..capture() }, &[seldom], None);
        assert_eq!((model(&decision), decision.reason), (None, Reason::Disabled), "{urgency:?}");
        assert_eq!(rejected(&decision, "tiny"), Some(Rejected::SeldomUsable));
    }
    let few = Candidate { tally: UsableTally { judged: 10, used: 1 }, ..seldom };
    assert_eq!(model(&decide(&capture(), &[few], None)), Some("tiny"), "ten answers are too few to tell");
    let slow = learned(20.0, 3.0);
    let both = [seldom, candidate("large", 0.6, &slow)];
    assert_eq!(
        decide(&capture(), &both, None).reason,
        Reason::PredictedMiss,
        "the one that may be asked is the reason"
    );
}

#[test]
fn of_two_models_the_one_with_used_answers_writes() {
    let fast = learned(3000.0, 150.0);
    let judged = |model, quality, used| Candidate {
        tally: UsableTally { judged: 40, used },
        ..candidate(model, quality, &fast)
    };
    let decision = decide(&capture(), &[judged("large", 0.76, 13), judged("small", 0.68, 38)], None);
    assert_eq!(model(&decision), Some("small"), "{decision:#?}");
    assert_eq!(rejected(&decision, "large"), Some(Rejected::ScoredLower));
}
