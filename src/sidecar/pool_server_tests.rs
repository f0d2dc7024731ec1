//! Two processes on one device, simulated by two pools and a control socket between them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::*;
use crate::domain::clock::SystemClock;
use crate::sidecar::client::socket;
use crate::sidecar::control::{self, Health};
use crate::sidecar::pool_client::PoolClient;
use crate::sidecar::protocol::Request;

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn wanted(urgency: Urgency) -> TurnRequest<'static> {
    let until = SystemClock.instant() + Duration::from_secs(60);
    TurnRequest { device: "gpu", slots: 1, urgency, lasts: Duration::from_secs(1), until }
}

fn listener(run: &Path) -> UnixListener {
    drop(std::fs::remove_file(socket(run)));
    UnixListener::bind(socket(run)).unwrap()
}

fn started<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinSet<T> {
    let mut set = JoinSet::new();
    set.spawn(task);
    set
}

async fn ended<T: 'static>(mut set: JoinSet<T>) -> T {
    set.join_next().await.unwrap().unwrap()
}

/// A sidecar's control socket, with its pool.
fn sidecar(run: &Path) -> (Arc<Pool>, JoinSet<()>) {
    let pool = Arc::new(Pool::new(clock()));
    let lending = Arc::new(PoolServer::new(Arc::clone(&pool), clock()));
    let (commands, _) = mpsc::channel(1);
    let serve = control::serve(listener(run), Arc::new(Health::new(&clock())), clock(), commands, lending);
    (pool, started(serve))
}

/// The pool of a process that borrows.
fn borrower(run: &Path) -> Pool {
    let pool = Pool::new(clock());
    pool.borrow_of(Arc::new(PoolClient { run: run.to_owned() }));
    pool
}

fn run_dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn counts(pool: &Pool) -> (usize, usize) {
    pool.device_statuses().first().map_or((0, 0), |standing| (standing.running, standing.waiting))
}

/// Waits until so many run and wait there.
async fn comes_to(pool: &Pool, expected: (usize, usize)) {
    let coming = async {
        while counts(pool) != expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), coming).await.unwrap();
}

#[tokio::test]
async fn a_borrowed_device_counts_as_in_use_and_is_given_back_for_a_capture() {
    let run = run_dir();
    let (sidecar, _serving) = sidecar(run.path());
    let batch = borrower(run.path());
    let turn = batch.turn(wanted(Urgency::Batch)).await.unwrap();
    assert_eq!(counts(&sidecar), (1, 0));
    let capture = {
        let sidecar = Arc::clone(&sidecar);
        started(async move { sidecar.turn(wanted(Urgency::Urgent)).await })
    };
    turn.recalled().await;
    assert_eq!(counts(&sidecar), (1, 1), "not before it was given back");
    drop(turn);
    let capture = ended(capture).await.unwrap();
    // The batch goes on when the capture is done, and not before.
    let mut again = started(async move { batch.turn(wanted(Urgency::Batch)).await.map(|turn| (turn, batch)) });
    comes_to(&sidecar, (1, 1)).await;
    assert!(again.try_join_next().is_none());
    drop(capture);
    assert!(ended(again).await.is_some());
}

#[tokio::test]
async fn a_borrower_that_gives_up_leaves_the_line() {
    let run = run_dir();
    let (sidecar, _serving) = sidecar(run.path());
    let _capture = sidecar.turn(wanted(Urgency::Interactive)).await.unwrap();
    let pool = borrower(run.path());
    let batch = started(async move { pool.turn(wanted(Urgency::Batch)).await });
    comes_to(&sidecar, (1, 1)).await;
    drop(batch);
    comes_to(&sidecar, (1, 0)).await;
}

/// A borrower that the test controls.
async fn by_hand(run: &Path) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(socket(run)).await.unwrap();
    let request = Request::Borrow { device: "gpu".into(), slots: 1, urgency: Urgency::Batch, lasts_ms: 1000 };
    stream.write_all(format!("{}\n", serde_json::to_string(&request).unwrap()).as_bytes()).await.unwrap();
    let mut stream = BufReader::new(stream);
    assert_eq!(next(&mut stream).await, Some(Response::Queued));
    assert_eq!(next(&mut stream).await, Some(Response::Lent));
    stream
}

async fn next(stream: &mut BufReader<UnixStream>) -> Option<Response> {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).ok()
}

#[tokio::test]
async fn a_borrower_that_is_killed_frees_the_device() {
    let run = run_dir();
    let (sidecar, _serving) = sidecar(run.path());
    let borrowed = by_hand(run.path()).await;
    assert_eq!(counts(&sidecar), (1, 0));
    drop(borrowed);
    comes_to(&sidecar, (0, 0)).await;
}

#[tokio::test]
async fn a_borrower_that_ignores_the_recall_loses_the_device_all_the_same() {
    let run = run_dir();
    let (sidecar, _serving) = sidecar(run.path());
    let mut borrowed = by_hand(run.path()).await;
    assert!(sidecar.turn(wanted(Urgency::Urgent)).await.is_some());
    assert_eq!(next(&mut borrowed).await, Some(Response::Recalled));
    assert_eq!(next(&mut borrowed).await, None, "and is hung up on");
}

#[tokio::test]
async fn a_borrower_that_reports_the_return_need_not_hang_up() {
    let run = run_dir();
    let (sidecar, _serving) = sidecar(run.path());
    let mut borrowed = by_hand(run.path()).await;
    borrowed.get_mut().write_all(b"returned\n").await.unwrap();
    assert_eq!(next(&mut borrowed).await, None);
    assert_eq!(counts(&sidecar), (0, 0));
}

#[tokio::test]
async fn without_a_sidecar_the_device_is_used_without_a_loan() {
    let run = run_dir();
    let turn = borrower(run.path()).turn(wanted(Urgency::Batch)).await.unwrap();
    assert!(!turn.is_recalled());
}

#[tokio::test]
async fn a_sidecar_that_lends_nothing_or_is_stuck_is_not_waited_for() {
    let run = run_dir();
    let stuck = listener(run.path());
    assert!(borrower(run.path()).turn(wanted(Urgency::Batch)).await.is_some());
    let _older = started::<()>(async move {
        loop {
            let (stream, _) = stuck.accept().await.unwrap();
            let (read, mut write) = stream.into_split();
            BufReader::new(read).read_line(&mut String::new()).await.unwrap_or_default();
            let _ =
                write_response(&mut write, &Response::Refused { message: "unknown variant `borrow`".to_owned() }).await;
        }
    });
    assert!(borrower(run.path()).turn(wanted(Urgency::Batch)).await.is_some());
}

#[tokio::test]
async fn a_sidecar_that_goes_leaves_the_loan_and_its_successor_gets_the_device_back() {
    let run = run_dir();
    let (_, mut serving) = sidecar(run.path());
    let batch = borrower(run.path());
    let turn = batch.turn(wanted(Urgency::Batch)).await.unwrap();
    serving.shutdown().await;
    assert!(!turn.is_recalled());
    let (successor, _serving) = sidecar(run.path());
    let _capture = successor.turn(wanted(Urgency::Urgent)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), turn.recalled()).await.unwrap();
}

#[tokio::test]
async fn not_all_connections_go_to_borrowers() {
    let run = run_dir();
    let (_sidecar, _serving) = sidecar(run.path());
    let mut borrowed = Vec::new();
    for at in 0..BORROWERS {
        let mut stream = UnixStream::connect(socket(run.path())).await.unwrap();
        let line =
            format!("{{\"op\":\"borrow\",\"device\":\"{at}\",\"slots\":1,\"urgency\":\"batch\",\"lasts_ms\":1}}\n");
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut stream = BufReader::new(stream);
        assert_eq!(next(&mut stream).await, Some(Response::Queued));
        borrowed.push(stream);
    }
    let mut stream = UnixStream::connect(socket(run.path())).await.unwrap();
    let line = b"{\"op\":\"borrow\",\"device\":\"x\",\"slots\":1,\"urgency\":\"batch\",\"lasts_ms\":1}\n";
    stream.write_all(line).await.unwrap();
    assert!(matches!(next(&mut BufReader::new(stream)).await, Some(Response::Refused { .. })));
}
