//! A batch that computes on a real model server is preempted by a capture of another process, again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::mpsc;
use uro_capture::config::{EndpointConfig, Overrides, Paths};
use uro_capture::dispatch::pool::{Pool, Turn, TurnRequest};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::draft::DraftKind;
use uro_capture::domain::role::Role;
use uro_capture::llm::Client;
use uro_capture::pipeline::services::Services;
use uro_capture::prompt::render;
use uro_capture::route::signals::Urgency;
use uro_capture::sidecar::client::socket;
use uro_capture::sidecar::control::{self, Health};
use uro_capture::sidecar::pool_client::PoolClient;
use uro_capture::sidecar::pool_server::PoolServer;

use crate::asking::question;
use crate::llama::Llama;

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Everything of a process that writes drafts with the noise model, borrowing of the sidecar in `run`.
fn batch_process(home: &std::path::Path, run: &std::path::Path, url: &str) -> Services {
    let paths = Paths { run: run.to_owned(), ..Paths::from_home(home) };
    let file = paths.config_file();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let toml = format!("[[endpoints]]\nname = \"test\"\nurl = \"{url}\"\napi = \"openai\"\ndevice = \"gpu\"\n");
    std::fs::write(file, toml).unwrap();
    let services = Services::open(paths, Overrides::default(), clock()).unwrap();
    services.models.pool().borrow_of(Arc::new(PoolClient { run: run.to_owned() }));
    services
}

fn endpoint(url: &str) -> EndpointConfig {
    let device = Some("gpu".to_owned());
    EndpointConfig { device, ..EndpointConfig::local("test", url) }
}

/// The sidecar's end: its pool, lent over its socket.
fn sidecar(run: &std::path::Path) -> Arc<Pool> {
    let pool = Arc::new(Pool::new(clock()));
    let lending = Arc::new(PoolServer::new(Arc::clone(&pool), clock()));
    let listener = UnixListener::bind(socket(run)).unwrap();
    let (commands, _) = mpsc::channel(1);
    tokio::spawn(control::serve(listener, Arc::new(Health::new(&clock())), clock(), commands, lending));
    pool
}

async fn turn(pool: &Pool, urgency: Urgency) -> Turn {
    let until = SystemClock.instant() + Duration::from_secs(60);
    let wanted = TurnRequest { device: "gpu", slots: 1, urgency, lasts: Duration::from_millis(300), until };
    pool.turn(wanted).await.unwrap()
}

async fn batch_computes(pool: &Pool) {
    while pool.device_statuses().first().is_none_or(|standing| standing.running == 0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Recalls a batch on a real server so many times; gives how long each capture waited for its turn, and for its
/// first token after that.
async fn recalls(times: usize) -> [Vec<Duration>; 2] {
    let (llama, home) = (Llama::start(None), tempfile::tempdir().unwrap());
    let run = home.path().join("run");
    std::fs::create_dir_all(&run).unwrap();
    let pool = sidecar(&run);
    let batch = batch_process(home.path(), &run, llama.url());
    let client = Client::new(&endpoint(llama.url())).unwrap();
    let until = SystemClock.instant() + Duration::from_secs(600);
    let writing = tokio::spawn(async move {
        let rendered = render::paragraph(DraftKind::Blog, &["Round prices".to_owned()], 1000);
        loop {
            batch.text_model(Urgency::Batch).write(Role::Blog, &rendered, until).await.unwrap();
        }
    });
    let mut measured = [Vec::new(), Vec::new()];
    while measured[0].len() < times {
        batch_computes(&pool).await;
        // Into its answer: noise at more than a token a millisecond.
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(!writing.is_finished(), "{:?}", writing.await);
        let before = pool.device_statuses()[0].recalled_total;
        let start = SystemClock.instant();
        let turn = turn(&pool, Urgency::Urgent).await;
        let waited = SystemClock.instant() - start;
        let answer = client
            .request_answer(&question("You describe one commit.", 8, start + Duration::from_secs(2)))
            .await
            .unwrap();
        // Now and then it has just come to its end by itself.
        if pool.device_statuses()[0].recalled_total == before + 1 {
            measured[0].push(waited);
            measured[1].push(answer.ttft.unwrap());
        }
        drop(turn);
    }
    writing.abort();
    measured
}

#[tokio::test]
async fn a_real_server_is_taken_from_a_batch_again_and_again() {
    assert_eq!(recalls(3).await[0].len(), 3);
}

#[tokio::test]
#[ignore = "measures: 200 recalls on a real server take a minute or two"]
async fn how_long_a_capture_waits_for_a_batch_to_make_way() {
    for (what, mut times) in ["turn", "first token"].into_iter().zip(recalls(200).await) {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        eprintln!("{what}: n {}, median {:?}, p95 {:?}, max {:?}", times.len(), at(50), at(95), at(100));
    }
}
