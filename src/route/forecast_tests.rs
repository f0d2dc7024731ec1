//! What the forecast learns from a run, and what it must not.

use proptest::prelude::*;

use super::*;
use crate::route::speed::ModelHardware;

/// A machine with 10 ms per prompt token, 40 ms per written one.
const TRUE: Speed =
    Speed { overhead_s: 0.05, uncached_s: 0.01, cached_s: 0.0001, tpot_s: 0.04, load_s: 3.0, answer_tokens: 40 };

fn conditions(left_s: f64) -> Conditions {
    Conditions { left_s, idle_min: 1.0, ..Conditions::default() }
}

/// A run of the true machine, slowed down by `factor`, cut at `left_s`.
fn run(uncached: u32, written: u32, factor: f64, left_s: f64) -> Observation {
    let ttft = (TRUE.overhead_s + TRUE.uncached_s * f64::from(uncached)) * factor;
    let tpot = TRUE.tpot_s * factor;
    let in_time = if left_s > ttft { 1 + ((left_s - ttft) / tpot) as u32 } else { 0 };
    let (streamed, cut) = (written.min(in_time), in_time < written);
    Observation {
        uncached,
        cached: 0,
        allowed: 120,
        written: streamed,
        sentence: (streamed >= 20).then_some(20),
        load_s: None,
        queue_s: 0.0,
        ttft_s: (streamed > 0).then_some(ttft),
        tpot_s: (streamed > 1).then_some(tpot),
        took_s: if cut { left_s } else { ttft + tpot * f64::from(written.saturating_sub(1)) },
        end: if cut { RunEnd::Cut } else { RunEnd::Done },
        pressed: false,
        idle_min: 1.0,
    }
}

fn wobble(i: u32) -> f64 {
    1.0 + (f64::from(i * 7919 % 1000) / 1000.0 - 0.5) * 0.3
}

/// A forecast that started from a wrong guess and has seen `n` runs.
fn taught(n: u32) -> Forecast {
    let guess = Speed { uncached_s: 0.004, tpot_s: 0.09, ..TRUE };
    let mut forecast = Forecast::from_seed(guess);
    (0..n).for_each(|i| forecast.learn(&run(20 + i * 37 % 200, 40, wobble(i), 1e3)));
    forecast
}

const WORK: Work = Work { uncached: 60, cached: 0, allowed: 120 };

#[test]
fn from_a_wrong_guess_it_learns_what_reading_and_writing_cost() {
    let forecast = taught(60);
    for (uncached, written) in [(20, 20), (200, 20), (60, 80)] {
        let work = Work { uncached, cached: 0, allowed: 120 };
        let usual = forecast.usual_prefill_s(&work) + f64::from(written) * forecast.usual_tpot_s();
        let truth = 0.05 + 0.01 * f64::from(uncached) + 0.04 * f64::from(written);
        let found = usual * forecast.level.mean().exp();
        assert!((found / truth - 1.0).abs() < 0.12, "{uncached} {written}: {found} {truth}");
    }
}

#[test]
fn more_time_or_less_work_is_never_less_likely() {
    let forecast = taught(30);
    let p = |uncached, left| forecast.outlook(&Work { uncached, ..WORK }, &conditions(left)).p_on_time;
    assert!(p(60, 1.0) < p(60, 2.0) && p(60, 2.0) < p(60, 4.0));
    assert!(p(200, 3.0) < p(60, 3.0));
    assert!(p(60, 20.0) > 0.97 && p(60, 0.3) < 0.05);
}

#[test]
fn a_run_that_was_cut_teaches_its_speed_and_not_its_end() {
    // Twice as slow: 40 tokens take 4.5 s; each run is cut at 2 s, with a dozen tokens written.
    let (mut cut, mut whole) = (taught(40), taught(40));
    (0..6).for_each(|_| cut.learn(&run(60, 40, 2.0, 2.0)));
    (0..6).for_each(|_| whole.learn(&run(60, 40, 2.0, 1e3)));
    let total = |forecast: &Forecast| forecast.outlook(&WORK, &conditions(9.0)).total_s;
    assert!(total(&cut) > 3.6, "{}", total(&cut));
    assert!((total(&cut) / total(&whole) - 1.0).abs() < 0.25, "{} {}", total(&cut), total(&whole));
}

#[test]
fn a_run_without_a_single_token_teaches_that_reading_takes_longer() {
    let mut forecast = taught(40);
    let before = forecast.outlook(&WORK, &conditions(3.0)).p_on_time;
    (0..2).for_each(|_| forecast.learn(&run(60, 40, 4.0, 2.0)));
    assert!(forecast.outlook(&WORK, &conditions(3.0)).p_on_time < before - 0.3);
}

#[test]
fn a_cut_before_the_first_token_is_worse_news_than_a_first_token_just_then() {
    let (mut cut, mut late) = (taught(40), taught(40));
    let silent = Observation { ttft_s: None, tpot_s: None, written: 0, end: RunEnd::Cut, ..run(60, 40, 1.0, 1.3) };
    let came_late = Observation { ttft_s: Some(1.3), tpot_s: None, written: 1, took_s: 1.3, ..silent };
    (0..4).for_each(|_| cut.learn(&Observation { took_s: 1.3, ..silent }));
    (0..4).for_each(|_| late.learn(&came_late));
    let total = |forecast: &Forecast| forecast.outlook(&WORK, &conditions(3.0)).total_s;
    assert!(total(&cut) > 1.15 * total(&late), "{} {}", total(&cut), total(&late));
}

#[test]
fn runs_that_were_cut_are_not_counted_as_if_the_forecast_had_come_true() {
    let mut forecast = taught(40);
    let silent = Observation { ttft_s: None, tpot_s: None, written: 0, end: RunEnd::Cut, ..run(60, 40, 1.0, 1.3) };
    (0..40).for_each(|_| forecast.learn(&Observation { took_s: 0.65, ..silent }));
    assert!(forecast.conformal.corrected(0.5) < 0.6, "{}", forecast.conformal.corrected(0.5));
}

#[test]
fn waiting_that_was_known_is_not_taken_for_slowness() {
    let (mut waited, before) = (taught(30), taught(30).outlook(&WORK, &conditions(3.0)).total_s);
    for i in 0..10 {
        let observation = run(60, 40, wobble(i), 1e3);
        let ttft_s = observation.ttft_s.map(|ttft| ttft + 4.0);
        waited.learn(&Observation { queue_s: 4.0, ttft_s, took_s: observation.took_s + 4.0, ..observation });
    }
    let after = waited.outlook(&WORK, &conditions(3.0)).total_s;
    assert!((after / before - 1.0).abs() < 0.15, "{before} {after}");
}

#[test]
fn a_stalled_stream_is_slower_than_its_tokens_were() {
    let (mut stalled, mut flowing) = (taught(40), taught(40));
    let observation = Observation { end: RunEnd::Cut, written: 5, took_s: 6.0, ..run(60, 5, 1.0, 1e3) };
    (0..3).for_each(|_| stalled.learn(&observation));
    (0..3).for_each(|_| flowing.learn(&Observation { took_s: 0.85, ..observation }));
    let p = |forecast: &Forecast| forecast.outlook(&WORK, &conditions(3.0)).p_useful();
    assert!(p(&stalled) < p(&flowing) - 0.3, "{} {}", p(&stalled), p(&flowing));
}

#[test]
fn the_budget_of_tokens_is_what_the_formula_says() {
    let forecast = taught(60);
    let whole = forecast.tokens_in(&WORK, &conditions(3.0), 0.5);
    // (3 − 0.65) / 0.04 = 58
    assert!((50..68).contains(&whole), "{whole}");
    assert!(forecast.tokens_in(&WORK, &conditions(3.0), 0.95) < whole);
    assert_eq!(forecast.tokens_in(&WORK, &conditions(0.5), 0.9), 0);
    let prompt = forecast.prompt_in(&Work { allowed: 40, ..WORK }, &conditions(3.0), 0.5);
    // (3 − 0.05 − 1.6) / 0.01 = 135
    assert!((110..160).contains(&prompt), "{prompt}");
}

#[test]
fn what_is_cached_is_cheap() {
    let forecast = taught(30);
    let cached = Work { uncached: 5, cached: 200, allowed: 120 };
    let cold = Work { uncached: 205, cached: 0, allowed: 120 };
    assert!(
        forecast.outlook(&cached, &conditions(2.5)).ttft_s * 4.0 < forecast.outlook(&cold, &conditions(2.5)).ttft_s
    );
}

#[test]
fn loading_waiting_and_pressure_cost_time() {
    let forecast = taught(30);
    let base = conditions(3.0);
    let p = |conditions| forecast.outlook(&WORK, &conditions).p_on_time;
    for worse in [
        Conditions { cold: true, ..base },
        Conditions { queue_s: 1.0, ..base },
        Conditions { pressed: true, ..base },
        Conditions { queue_s: f64::INFINITY, left_s: 1.0, ..base },
    ] {
        assert!(p(worse) < p(base) - 0.1, "{worse:?}: {} {}", p(worse), p(base));
    }
}

#[test]
fn pressure_that_does_not_slow_a_model_down_is_found_out() {
    let mut forecast = taught(30);
    let pressed = Conditions { pressed: true, ..conditions(3.0) };
    let before = forecast.outlook(&WORK, &pressed).total_s;
    for i in 0..60 {
        forecast.learn(&run(60, 40, wobble(i), 1e3));
        forecast.learn(&Observation { pressed: true, ..run(60, 40, wobble(i), 1e3) });
    }
    assert!(forecast.outlook(&WORK, &pressed).total_s < 0.7 * before);
}

#[test]
fn a_cold_load_is_learned_apart() {
    let mut forecast = taught(30);
    let warm = forecast.outlook(&WORK, &conditions(3.0)).total_s;
    let cold = Observation { load_s: Some(9.0), ttft_s: Some(9.65), took_s: 11.25, ..run(60, 40, 1.0, 1e3) };
    (0..8).for_each(|_| forecast.learn(&cold));
    assert!((forecast.outlook(&WORK, &conditions(3.0)).total_s / warm - 1.0).abs() < 0.15);
    let outlook = forecast.outlook(&WORK, &Conditions { cold: true, ..conditions(3.0) });
    assert!((8.0..10.0).contains(&outlook.load_s), "{}", outlook.load_s);
}

#[test]
fn a_load_that_was_cut_never_makes_the_next_one_look_shorter_and_says_nothing_of_the_speed() {
    let mut forecast = taught(30);
    let of = |forecast: &Forecast, cold| forecast.outlook(&WORK, &Conditions { cold, ..conditions(3.0) });
    let (warm, usual) = (of(&forecast, false).total_s, of(&forecast, true).load_s);
    let cut = |at: f64| Observation { load_s: Some(at), took_s: at, end: RunEnd::Cut, ..run(60, 40, 1.0, 0.0) };
    (0..8).for_each(|_| forecast.learn(&cut(1.7)));
    assert!((of(&forecast, true).load_s - usual).abs() < 1e-9, "{} {usual}", of(&forecast, true).load_s);
    (0..8).for_each(|_| forecast.learn(&cut(2.0 * usual)));
    assert!(of(&forecast, true).load_s > 1.5 * usual);
    assert!((of(&forecast, false).total_s / warm - 1.0).abs() < 1e-9);
}

#[test]
fn what_is_stored_comes_back() {
    let forecast = taught(30);
    let back: Forecast = serde_json::from_str(&serde_json::to_string(&forecast).unwrap()).unwrap();
    assert!(back.is_sound());
    let p = |forecast: &Forecast| forecast.outlook(&WORK, &conditions(3.0)).p_on_time;
    assert!((p(&back) - p(&forecast)).abs() < 1e-3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_measurement_makes_it_leave_the_numbers(
        runs in prop::collection::vec(
            (prop::array::uniform6(any::<f64>()), prop::array::uniform4(any::<u32>()), any::<bool>(), 0..3_u8), 0..20),
        left: f64, queue: f64, idle: f64, cold: bool, pressed: bool, tokens in prop::array::uniform3(any::<u32>()),
    ) {
        let mut forecast = Forecast::from_seed(Speed::from_hardware(&ModelHardware::default()));
        for (times, counts, flag, end) in runs {
            forecast.learn(&Observation {
                uncached: counts[0],
                cached: counts[1],
                allowed: counts[2],
                written: counts[3],
                sentence: flag.then_some(counts[2]),
                load_s: Some(times[0]),
                queue_s: times[1],
                ttft_s: Some(times[2]).filter(|_| flag),
                tpot_s: Some(times[3]),
                took_s: times[4],
                end: [RunEnd::Done, RunEnd::Length, RunEnd::Cut][usize::from(end)],
                pressed: flag,
                idle_min: times[5],
            });
        }
        prop_assert!(forecast.is_sound(), "{forecast:?}");
        let work = Work { uncached: tokens[0], cached: tokens[1], allowed: tokens[2] };
        let conditions = Conditions { left_s: left, queue_s: queue, cold, pressed, idle_min: idle };
        let outlook = forecast.outlook(&work, &conditions);
        prop_assert!((0.0..=1.0).contains(&outlook.p_on_time) && (0.0..=1.0).contains(&outlook.p_useful()));
        prop_assert!(outlook.ttft_s.is_finite() && outlook.total_s >= outlook.ttft_s, "{outlook:?}");
        let _ = forecast.tokens_in(&work, &conditions, left);
        let _ = forecast.prompt_in(&work, &conditions, 0.9);
    }
}
