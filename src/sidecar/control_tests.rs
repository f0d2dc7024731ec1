//! The control socket under silent, incomplete and too many connections.

use std::path::Path;

use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;

use super::*;
use crate::dispatch::pool::Pool;
use crate::domain::clock::SystemClock;
use crate::sidecar::client::socket;

struct Stage {
    run: tempfile::TempDir,
    health: Arc<Health>,
    inbox: mpsc::Receiver<Command>,
    _serving: JoinSet<()>,
}

fn stage() -> Stage {
    let run = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let listener = UnixListener::bind(socket(run.path())).unwrap();
    let health = Arc::new(Health::new(&clock));
    let (commands, inbox) = mpsc::channel(256);
    let lending = Arc::new(PoolServer::new(Arc::new(Pool::new(Arc::clone(&clock))), Arc::clone(&clock)));
    let mut serving = JoinSet::new();
    serving.spawn(serve(listener, Arc::clone(&health), clock, commands, lending));
    Stage { run, health, inbox, _serving: serving }
}

async fn connect(run: &Path) -> UnixStream {
    UnixStream::connect(socket(run)).await.unwrap()
}

/// The answer on a fresh connection.
async fn ask(run: &Path, request: &str) -> String {
    let mut stream = connect(run).await;
    stream.write_all(format!("{request}\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn line(request: &Request) -> String {
    serde_json::to_string(request).unwrap()
}

#[tokio::test]
async fn however_many_connections_say_nothing_pings_and_stops_are_answered() {
    let stage = stage();
    let mut silent = Vec::new();
    for _ in 0..SILENT * 2 {
        silent.push(connect(stage.run.path()).await);
    }
    for half in &mut silent[SILENT..] {
        half.write_all(b"{").await.unwrap();
    }
    assert!(ask(stage.run.path(), &line(&Request::Ping)).await.contains("uptime_s"));
    assert!(!ask(stage.run.path(), &line(&Request::Stop)).await.is_empty());
    stage.health.leave.notified().await;
    let mut end = [0; 1];
    assert_eq!(silent[0].read(&mut end).await.unwrap_or(0), 0, "the oldest was closed");
}

#[tokio::test]
async fn a_connection_that_sends_no_whole_request_in_time_is_closed() {
    let stage = stage();
    let mut silent = connect(stage.run.path()).await;
    let mut half = connect(stage.run.path()).await;
    half.write_all(b"{\"Pi").await.unwrap();
    for stream in [&mut silent, &mut half] {
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn while_all_turns_are_taken_pings_are_answered_and_the_next_request_waits_for_its_turn() {
    let mut stage = stage();
    let mut asking = JoinSet::new();
    for _ in 0..=AT_ONCE {
        let (run, request) = (stage.run.path().to_owned(), line(&Request::RouterStatus));
        asking.spawn(async move { ask(&run, &request).await });
    }
    let mut carried_out = Vec::new();
    while carried_out.len() < AT_ONCE {
        carried_out.push(stage.inbox.recv().await.unwrap());
    }
    assert!(ask(stage.run.path(), &line(&Request::Ping)).await.contains("uptime_s"));
    assert!(stage.inbox.try_recv().is_err(), "the last one waits");
    carried_out.pop().unwrap().reply.send(Response::Done).unwrap();
    stage.inbox.recv().await.expect("it has its turn").reply.send(Response::Done).unwrap();
    drop(carried_out);
    while let Some(answer) = asking.join_next().await {
        assert!(!answer.unwrap().is_empty());
    }
}
