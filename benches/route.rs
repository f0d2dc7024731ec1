//! What routing costs: one decision among 1, 4 and 16 candidates; and a request through router and client against the
//! same bytes sent by a bare client that reads the same stream to its end, in turns within one run, one at a time and
//! 16 at a time, at a server in this process that pauses 1 ms per token, or not at all.
//!
//! `cargo bench --bench route -- [--n 20000] [--rounds 60] [--json]`. `n` counts decisions; a round of requests is one
//! (or 16 at once) of each kind. Ratios are of medians, and `paired` the median of the ratios within rounds.

use std::time::Duration;

use serde_json::json;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::role::Role;
use uro_capture::route::choice::{Candidate, decide};
use uro_capture::route::forecast::Forecast;
use uro_capture::route::observation::{Observation, RunEnd};
use uro_capture::route::signals::{Signals, Traffic, Urgency};
use uro_capture::route::speed::{ModelHardware, Speed};

mod report;
mod way;

use report::{Arguments, Report, Result, Rounds, Row, Series, in_turns, timed};
use way::bare::Bare;
use way::routed::Routed;
use way::served::Served;

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("route", arguments.flag("--json"));
    let n = arguments.number("--n", 20_000)?;
    let rounds = Rounds { n: arguments.number("--rounds", 60)?, warm_up: 4, pause: Duration::ZERO };
    arguments.rest()?;
    let rows = [1, 4, 16].map(|candidates| decisions(candidates, n));
    report.table("one decision (goals: median 0.05 ms, p99 0.3 ms)", &rows)?;
    for per_token in [Duration::from_millis(1), Duration::ZERO] {
        for at_once in [1, 16] {
            let title = format!(
                "one request of {} tokens, {per_token:?} apart, {at_once} at a time (goal: median_vs_bare 1.05)",
                way::served::TOKENS
            );
            report.table(&title, &requests(per_token, at_once, rounds)?)?;
        }
    }
    report.finish()
}

fn decisions(candidates: usize, n: usize) -> Row {
    let known: Vec<(String, Forecast)> = (0..candidates).map(|i| (format!("model-{i}"), experienced(i))).collect();
    let candidates: Vec<Candidate<'_>> = known.iter().map(|(name, forecast)| candidate(name, forecast)).collect();
    let mut series = Series::of(format!("{} candidates", candidates.len()));
    for i in 0..n {
        let signals = signals(i);
        let start = SystemClock.instant();
        std::hint::black_box(decide(&signals, &candidates, Some(("local", "model-0"))));
        series.push(SystemClock.instant() - start);
    }
    Row::of(&series)
}

/// A model that has written forty times.
fn experienced(i: usize) -> Forecast {
    let parameters = Some(1_000_000_000 * (1 + i as u64 % 8));
    let speed = Speed::from_hardware(&ModelHardware { cores: 8, gpu_share: Some(0.5), parameters, size_bytes: None });
    let mut forecast = Forecast::from_seed(speed);
    for run in 0..40_u32 {
        let slower = 1.0 + 0.02 * f64::from(run % 7);
        forecast.learn(&Observation {
            uncached: 40 + 10 * (run % 9),
            cached: 180,
            allowed: 120,
            written: 40,
            sentence: Some(22),
            load_s: None,
            queue_s: 0.0,
            ttft_s: Some(0.2 * slower),
            tpot_s: Some(0.012 * slower),
            took_s: 0.68 * slower,
            end: RunEnd::Done,
            pressed: false,
            idle_min: 4.0,
        });
    }
    forecast
}

fn candidate<'a>(name: &'a str, forecast: &'a Forecast) -> Candidate<'a> {
    Candidate {
        endpoint: "local",
        model: name,
        resident: Some(true),
        cached: 300,
        cached_rules: 180,
        queue_s: 0.0,
        idle_min: 7.0,
        evicts: false,
        loads: false,
        few_runs: false,
        blocked_by: None,
        forecast,
        quality: 0.7,
        tally: uro_capture::route::tally::UsableTally::default(),
    }
}

/// No two in a row are alike.
fn signals(i: usize) -> Signals {
    Signals {
        role: Role::Capture,
        urgency: Urgency::Interactive,
        traffic: Traffic::Calm,
        prompt_tokens: 320 + (i % 1500) as u32,
        least_tokens: 240,
        max_tokens: 120,
        technicality: 0.5,
        budget_s: 2.0,
        left_s: 1.6 + 0.0001 * (i % 1000) as f64,
        pressed: i.is_multiple_of(2),
        on_battery: false,
        template_quality: 0.5,
    }
}

/// Both kinds of request in turns; with many at a time each of them counts.
fn requests(per_token: Duration, at_once: usize, rounds: Rounds) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(Served::start(per_token))?;
    let home = tempfile::tempdir()?;
    let routed = Routed::new(home.path(), &served)?;
    runtime.block_on(routed.once())?;
    let bare = Bare::new(&served)?;
    let mut single = [Series::of("through router and client"), Series::of("bare client")];
    let names = ["through router and client", "bare client"].map(str::to_owned);
    let whole = in_turns(&names, rounds, |arm, round| {
        let (elapsed, each) = timed(|| {
            Ok(match arm {
                0 => runtime.block_on(way::all(at_once, || routed.once()))?,
                _ => runtime.block_on(way::all(at_once, || bare.once()))?,
            })
        })?;
        if round >= rounds.warm_up {
            each.into_iter().for_each(|one| single[arm].push(one));
        }
        Ok(elapsed)
    })?;
    let [ours, theirs] = &single;
    let all = Row::of(&whole[0]).against("bare", &whole[1], &whole[0]).with("of", json!("the whole round"));
    Ok(vec![Row::of(ours).against("bare", theirs, ours), Row::of(theirs), all])
}
