//! Repositories, latency log, problems.

use super::Check;
use crate::domain::capture::{ModelOutcome, Reason};
use crate::domain::event::HookMode;
use crate::domain::operation::{Operation, PrefillOutcome};
use crate::prompt::tokens::ReportedCounts;
use crate::route::forecast::{Conditions, Forecast, Work};
use crate::route::key::ForecastKey;
use crate::route::ledger::{Entry, MOST};
use crate::route::speed::{ModelHardware, Speed};
use crate::store::samples::{answered, commit, oid, operation, repo, timestamp};
use crate::store::{ExpiringData, LatencyGrouping, LatencyRow, PrefetchRow, RegisteredRepo, Store};

pub const CHECKS: &[Check] = &[
    ("registering again keeps the earliest date", registering),
    ("the latency log is grouped as asked", latency),
    ("what reading ahead did is told where there was something to read", reading_ahead),
    ("old operations go", expiry),
    ("prompts, decisions, problems and squashes expire, captures do not", expiry_of_the_rest),
    ("forecasts come back, and the oldest of too many go", forecasts),
    ("token counts add up and fade", token_counts),
    ("problems are kept once, with their last time", problems),
];

fn registering(store: &dyn Store) {
    let shop = RegisteredRepo {
        id: repo(),
        path: "/home/me/shop".into(),
        common_dir: "/home/me/shop/.git".into(),
        project: "shop".into(),
        since: timestamp(10),
        hook_mode: HookMode::File,
        inode: None,
    };
    store.register(&shop).unwrap();
    store.register(&RegisteredRepo { project: "store".into(), since: timestamp(20), ..shop.clone() }).unwrap();
    assert_eq!(store.registered_repos().unwrap(), [RegisteredRepo { project: "store".into(), ..shop }]);
    assert!(store.unregister(&repo()).unwrap());
    assert!(!store.unregister(&repo()).unwrap());
    assert!(store.registered_repos().unwrap().is_empty());
}

fn token_counts(store: &dyn Store) {
    assert!(store.token_counts().unwrap().is_empty());
    let first = store.count_tokens("local", "m", 4000, 1000).unwrap();
    assert_eq!(first, ReportedCounts { bytes: 4000.0, tokens: 1000.0 });
    let second = store.count_tokens("local", "m", 3000, 1000).unwrap();
    assert_eq!(second, first.add_prompt(3000, 1000));
    store.count_tokens("other", "m", 10, 5).unwrap();
    let all = store.token_counts().unwrap();
    let counts: Vec<_> =
        all.iter().map(|count| (count.endpoint.as_str(), count.model.as_str(), count.counts)).collect();
    assert_eq!(counts, [("local", "m", second), ("other", "m", ReportedCounts { bytes: 10.0, tokens: 5.0 })]);
}

fn latency(store: &dyn Store) {
    for n in 1..=60 {
        store.log_operation(&operation(n, 1000 * n.unsigned_abs())).unwrap();
    }
    let late =
        Operation { duration_us: 3_000_000, cold: true, reason: Reason::Deadline, failed: true, ..operation(61, 0) };
    store.log_operation(&late).unwrap();
    let bare = Operation {
        op: "reconcile".into(),
        model: None,
        endpoint: None,
        budget_us: None,
        ttft_us: None,
        tps: None,
        ..operation(61, 7)
    };
    store.log_operation(&bare).unwrap();
    store.log_operation(&bare).unwrap();

    let all = LatencyGrouping { op: true, model: true, cold: true };
    let rows = store.latency(timestamp(0), all).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0].n, rows[0].p50_ms, rows[0].p95_ms, rows[0].p99_ms), (60, Some(30.0), Some(57.0), None));
    assert_eq!((rows[0].ttft_p50_ms, rows[0].tps_p50, rows[0].error_rate), (Some(7.5), Some(40.0), Some(0.0)));
    assert_eq!((rows[0].on_time_rate, rows[0].cold, rows[0].reasons.len()), (Some(1.0), Some(false), 0));
    assert_eq!((rows[1].cold, rows[1].on_time_rate, rows[1].error_rate), (Some(true), Some(0.0), Some(1.0)));
    assert_eq!(rows[1].reasons.get("deadline"), Some(&1));
    assert_eq!((rows[2].op.as_deref(), rows[2].n, rows[2].on_time_rate), (Some("reconcile"), 2, None));
    assert_eq!((rows[2].model.as_deref(), rows[2].error_rate, rows[2].tps_p50), (None, None, None));

    let rates =
        |rows: &[LatencyRow]| rows.iter().map(|row| (row.ungrounded_rate, row.repaired_rate)).collect::<Vec<_>>();
    assert_eq!(rates(&rows), [(Some(0.0), Some(0.0)), (None, None), (None, None)]);
    for n in 0..10 {
        let rejected = Operation { reason: Reason::Ungrounded, ..operation(62, n) };
        store.log_operation(&rejected).unwrap();
        store.log_operation(&Operation { repaired: true, ..operation(63, n) }).unwrap();
    }
    let rows = store.latency(timestamp(0), all).unwrap();
    assert_eq!(rates(&rows)[0], (Some(0.125), Some(0.125)), "10 and 10 of 80 texts");

    let extreme = Operation { duration_us: u64::MAX, ttft_us: None, tps: Some(1e12), ..operation(70, 0) };
    store.log_operation(&extreme).unwrap();
    let extreme = store.latency(timestamp(70), all).unwrap().remove(0);
    assert!(extreme.p50_ms > Some(1e8) && extreme.ttft_p50_ms.is_none() && extreme.tps_p50 > Some(1e4));
    assert_eq!(store.expire(ExpiringData::Operations, timestamp(71)).unwrap(), 84);
    for n in 0..3 {
        store.log_operation(&operation(61, n)).unwrap();
    }

    let one = store.latency(timestamp(61), LatencyGrouping { op: false, model: false, cold: false }).unwrap();
    assert_eq!((one.len(), one[0].n, one[0].op.as_deref()), (1, 3, None));
    assert!(store.latency(timestamp(62), all).unwrap().is_empty());
}

fn reading_ahead(store: &dyn Store) {
    let all = LatencyGrouping { op: true, model: true, cold: true };
    store.log_operation(&operation(1, 4_000_000)).unwrap();
    assert_eq!(store.latency(timestamp(0), all).unwrap()[0].ahead, None);
    let log = |n, ahead, ttft| {
        store.log_operation(&Operation { prefill: ahead, ttft_us: ttft, ..operation(n, 9) }).unwrap();
    };
    for n in 0..6 {
        log(n, PrefillOutcome::Complete, Some(30_000));
    }
    log(7, PrefillOutcome::Partial, Some(700_000));
    log(8, PrefillOutcome::Missed, Some(900_000));
    log(9, PrefillOutcome::Missed, None);
    let row = store.latency(timestamp(0), all).unwrap().remove(0);
    let expected = PrefetchRow {
        n: 9,
        whole: 6,
        part: 1,
        missed: 2,
        hit_rate: 6.0 / 9.0,
        ttft_p50_ms: Some(30.0),
        ttft_missed_p50_ms: Some(900.0),
    };
    assert_eq!((row.n, row.ahead), (10, Some(expected)));
    assert_eq!(row.ttft_p50_ms, Some(30.0), "of all that streamed");
}

fn key(model: u64) -> ForecastKey {
    ForecastKey {
        endpoint: "local".into(),
        model: format!("m{model}"),
        digest: None,
        options: u64::MAX,
        on_battery: false,
    }
}

fn forecasts(store: &dyn Store) {
    assert_eq!(store.forecasts().unwrap().iter().count(), 0);
    let seed = Speed::from_hardware(&ModelHardware::default());
    let put = |model: u64, second| {
        let entry = Entry { key: key(model), at: timestamp(second), forecast: Forecast::from_seed(seed) };
        store.store_forecast(&entry).unwrap();
        entry
    };
    put(1, 1);
    let newer = put(1, 2);
    let ledger = store.forecasts().unwrap();
    assert_eq!((ledger.iter().count(), ledger.entry(&key(1)).map(|entry| entry.at)), (1, Some(timestamp(2))));
    put(1, 1);
    let kept = store.forecasts().unwrap().entry(&key(1)).map(|entry| entry.at);
    assert_eq!(kept, Some(timestamp(2)), "what is older does not take the newer one's place, though stored last");
    let before = ledger.entry(&key(1)).unwrap();
    let work = Work { uncached: 50, cached: 0, allowed: 120 };
    let total = |one: &Forecast| one.outlook(&work, &Conditions::default()).total_s;
    assert!((total(&before.forecast) - total(&newer.forecast)).abs() < 1e-6);
    for n in 0..MOST as u64 + 3 {
        put(100 + n, 100 + n as i64);
    }
    let ledger = store.forecasts().unwrap();
    assert_eq!((ledger.iter().count(), ledger.entry(&key(1)), ledger.entry(&key(102))), (MOST, None, None));
    assert!(ledger.entry(&key(103)).is_some());
}

fn expiry(store: &dyn Store) {
    for n in 1..=3 {
        store.log_operation(&operation(n, 5)).unwrap();
    }
    assert_eq!(store.expire(ExpiringData::Operations, timestamp(3)).unwrap(), 2);
    assert_eq!(store.latency(timestamp(0), LatencyGrouping { op: true, model: false, cold: false }).unwrap()[0].n, 1);
}

/// Deletes all older rows, however many, and nothing else.
fn expiry_of_the_rest(store: &dyn Store) {
    for n in 1..=450 {
        let capture = commit(n);
        store.record_capture(&capture, None).unwrap();
        let sent =
            ModelOutcome { wire: Some("sent".into()), decision: Some("{}".into()), ..answered("It works.", 9.0) };
        store.finish_capture(capture.id, &|| sent.clone()).unwrap();
        store.note_problem(timestamp(n as i64), &format!("problem {n}"), "mend it").unwrap();
        store.prepare_squash(&repo(), &oid(n), &[oid(n + 1)], timestamp(n as i64)).unwrap();
    }
    let kept = || {
        let records = (1..=450).map(|n| store.capture(&commit_id(store, n).to_string()).unwrap()).collect::<Vec<_>>();
        let squashes = (1..=450).filter(|n| !store.prepared_squash(&repo(), &oid(*n)).unwrap().is_empty()).count();
        let wires = records.iter().filter(|record| record.wire.is_some()).count();
        let decisions = records.iter().filter(|record| record.decision.is_some()).count();
        [records.len(), wires, decisions, store.problems(timestamp(0)).unwrap().len(), squashes]
    };
    assert_eq!(store.expire(ExpiringData::Prompts, timestamp(440)).unwrap(), 439);
    assert_eq!(kept(), [450, 11, 450, 450, 450]);
    assert_eq!(store.expire(ExpiringData::Decisions, timestamp(450)).unwrap(), 449);
    assert_eq!(kept(), [450, 11, 1, 450, 450]);
    assert_eq!(store.expire(ExpiringData::Problems, timestamp(401)).unwrap(), 400);
    assert_eq!(kept(), [450, 11, 1, 50, 450]);
    assert_eq!(store.expire(ExpiringData::Squashes, timestamp(2)).unwrap(), 1);
    assert_eq!(kept(), [450, 11, 1, 50, 449]);
    assert_eq!(store.expire(ExpiringData::Operations, timestamp(9000)).unwrap(), 0, "finishing logs nothing by itself");
}

fn commit_id(store: &dyn Store, n: u64) -> crate::domain::id::CaptureId {
    store.capture_of_commit(&repo(), &oid(n)).unwrap().unwrap().id
}

fn problems(store: &dyn Store) {
    store.note_problem(timestamp(1), "hooks lost", "uro-capture init").unwrap();
    store.note_problem(timestamp(3), "store damaged", "none").unwrap();
    store.note_problem(timestamp(5), "hooks lost", "uro-capture init").unwrap();
    let found = store.problems(timestamp(2)).unwrap();
    assert_eq!(
        found.iter().map(|(when, what, _)| (*when, what.as_str())).collect::<Vec<_>>(),
        [(timestamp(5), "hooks lost"), (timestamp(3), "store damaged")]
    );
    assert!(store.problems(timestamp(6)).unwrap().is_empty());
    store.resolve_problems("none", timestamp(3)).unwrap();
    store.resolve_problems("uro-capture init", timestamp(9)).unwrap();
    let left: Vec<String> = store.problems(timestamp(0)).unwrap().into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(left, ["store damaged"], "that one was noted since");
}
