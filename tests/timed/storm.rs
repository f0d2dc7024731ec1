//! Hundreds of commits against every hostile server at once, in bursts and on a busy machine:
//! each capture is final within its budget, and no commit hears of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use uro_capture::domain::capture::Reason;
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureArchive, CaptureQuery};

use crate::harness::fake_llm::{Behaviour, FakeLlm, MODEL, Shape};
use crate::harness::{World, eventually};

/// Budget of a capture, ms.
const BUDGET: f64 = 2000.0;

/// Everything a server may do but answer properly.
fn hostile() -> Vec<Behaviour> {
    vec![
        Behaviour::Refused,
        Behaviour::Silent,
        Behaviour::SlowHeader,
        Behaviour::HeadThenSilent,
        Behaviour::FirstTokenThenStall,
        Behaviour::OneTokenPerSecond,
        Behaviour::EndlessTokens,
        Behaviour::OneEndlessLine,
        Behaviour::HeaderFlood,
        Behaviour::BrokenUtf8,
        Behaviour::InvalidJson,
        Behaviour::EarlyClose,
        Behaviour::Status500,
        Behaviour::Status503,
        Behaviour::Redirect,
        Behaviour::GzipBomb,
        Behaviour::ColdLoad(Duration::from_secs(600), "Too late.".to_owned()),
        Behaviour::NoSuchModel,
        Behaviour::PromptTooLong,
        Behaviour::ErrorMidStream,
        Behaviour::EofWithoutDone,
        Behaviour::ErrorBehind200,
    ]
}

/// A way in which a server is configured, and how much of it misbehaves.
#[derive(Debug, Clone, Copy)]
struct Setting {
    shape: Shape,
    everywhere: bool,
    /// Its protocol is to be found out.
    auto: bool,
    /// Its models are to be found out.
    unnamed: bool,
}

const SETTINGS: [Setting; 4] = [
    Setting { shape: Shape::Ollama, everywhere: false, auto: false, unnamed: false },
    Setting { shape: Shape::Openai, everywhere: false, auto: true, unnamed: false },
    Setting { shape: Shape::Ollama, everywhere: true, auto: true, unnamed: true },
    Setting { shape: Shape::Openai, everywhere: true, auto: false, unnamed: true },
];

impl Setting {
    fn server(self, behaviour: Behaviour) -> FakeLlm {
        if self.everywhere {
            FakeLlm::everywhere(self.shape, behaviour)
        } else {
            FakeLlm::start_as(self.shape, behaviour)
        }
    }

    /// `name` must be new: connections are kept per endpoint.
    fn toml(self, name: usize, server: &FakeLlm) -> String {
        let model = if self.unnamed { String::new() } else { format!("[models]\ncapture = \"{MODEL}\"\n") };
        let api = match self.shape {
            _ if self.auto => "auto",
            Shape::Ollama => "ollama",
            Shape::Openai => "openai",
        };
        let url = server.url();
        format!("{model}[[endpoints]]\nname = \"e{name}\"\nurl = \"{url}\"\napi = \"{api}\"\nmax_in_flight = 4\n")
    }
}

/// A world, its repository and a second look into its store.
struct Stage {
    world: World,
    repo: PathBuf,
    store: SqliteStore,
    made: Vec<(String, String)>,
}

impl Stage {
    fn new() -> Self {
        let world = World::without_models();
        let repo = world.hooked_repo("repo");
        world.start_sidecar();
        let store = SqliteStore::open(&world.path("uro/data/captures.db")).unwrap().store;
        Self { world, repo, store, made: Vec::new() }
    }

    fn commit(&mut self, what: &str) {
        let n = self.made.len();
        let oid = self.world.commit(
            &self.repo,
            "a.rs",
            &format!("fn f{n}(session: u8, timeout: u8) {{}}\n"),
            &format!("Add f{n}"),
        );
        self.made.push((oid, what.to_owned()));
    }

    /// Waits until the newest commit is taken up, so that its settings may be changed.
    fn taken_up(&self) {
        eventually("all taken up", || (self.captures().len() == self.made.len()).then_some(()));
    }

    fn captures(&self) -> Vec<uro_capture::domain::capture::Capture> {
        self.store.captures(&CaptureQuery::default()).unwrap()
    }

    /// Milliseconds from the hook's stamp to the final capture, of each commit, in ascending order.
    fn totals(&self) -> Vec<f64> {
        let all_made = Instant::now();
        let captures = eventually("all final", || {
            let captures = self.captures();
            let done = captures.iter().filter(|capture| capture.timing.total_ms.is_some()).count();
            (done == self.made.len()).then_some(captures)
        });
        // By a clock that is not the product's: no stamp is later than the last commit.
        assert!(all_made.elapsed() <= Duration::from_millis(BUDGET as u64), "{:?}", all_made.elapsed());
        let mut totals = Vec::new();
        for (oid, what) in &self.made {
            let of_it = |capture: &&uro_capture::domain::capture::Capture| {
                capture.commit.as_ref().is_some_and(|commit| commit.oid.as_str() == oid)
            };
            let capture = captures.iter().find(of_it).unwrap_or_else(|| panic!("{what}: no capture"));
            let total = capture.timing.total_ms.unwrap();
            assert!(total <= BUDGET, "{what}: {total} ms: {capture:#?}");
            assert_ne!(capture.provenance.reason, Reason::Pending, "{what}");
            totals.push(total);
        }
        totals.sort_by(f64::total_cmp);
        totals
    }
}

/// Keeps one core busy until it is dropped.
struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Load {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let spin = move || {
            let mut turns = 0_u64;
            while !stopped.load(Ordering::Relaxed) {
                turns = std::hint::black_box(turns.wrapping_add(1));
            }
            turns
        };
        Self { stop, thread: Some(std::thread::spawn(spin)) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _turns = thread.join();
        }
    }
}

fn report(what: &str, totals: &[f64]) {
    let at = |share: f64| totals[((totals.len() - 1) as f64 * share).round() as usize];
    println!("{what}: n {}, p50 {:.1}, p95 {:.1}, max {:.1} ms", totals.len(), at(0.5), at(0.95), at(1.0));
}

fn storm(commits_each: usize) -> Vec<f64> {
    let mut stage = Stage::new();
    let mut servers = Vec::new();
    for behaviour in hostile() {
        for setting in SETTINGS {
            let server = setting.server(behaviour.clone());
            stage.world.configure(&setting.toml(servers.len(), &server));
            servers.push(server);
            for _ in 0..commits_each {
                stage.commit(&format!("{behaviour:?} {setting:?}"));
            }
            stage.taken_up();
        }
    }
    stage.totals()
}

#[test]
fn two_hundred_commits_against_every_hostile_server_are_final_in_time() {
    let totals = storm(3);
    report("hostile", &totals);
    assert!(totals.len() >= 200);
}

#[test]
#[ignore = "takes a minute: for numbers, by hand"]
fn a_thousand_commits_on_a_busy_machine_are_final_in_time() {
    let _load = [Load::start(), Load::start()];
    report("hostile, busy", &storm(12));
}

#[test]
fn bursts_against_a_silent_server_on_a_busy_machine_are_final_in_time() {
    let _load = [Load::start(), Load::start()];
    let mut stage = Stage::new();
    let server = FakeLlm::everywhere(Shape::Ollama, Behaviour::Silent);
    let url = server.url();
    // One question at a time: the others wait in line until their own deadlines.
    for (n, api) in ["ollama", "auto"].into_iter().enumerate() {
        stage.world.configure(&format!("[[endpoints]]\nname = \"e{n}\"\nurl = \"{url}\"\napi = \"{api}\"\n"));
        for _ in 0..20 {
            stage.commit(&format!("burst, api {api}"));
        }
        stage.taken_up();
    }
    report("bursts", &stage.totals());
}

#[test]
fn the_budget_of_one_repository_does_not_wait_for_another_ones() {
    // What is found out about a server is found out once, by whoever asks first: here with all the time there is.
    let server = FakeLlm::everywhere(Shape::Ollama, Behaviour::Silent);
    let mut stage = Stage::new();
    stage.world.configure(&format!("[[endpoints]]\nname = \"e\"\nurl = \"{}\"\napi = \"auto\"\n", server.url()));
    let patient = stage.world.hooked_repo("patient");
    stage.world.git(&patient, &["config", "uro.capture.budget", "20s"]);
    stage.world.commit(&patient, "a.rs", "fn a() {}\n", "Add a");
    eventually("the patient one asks", || server.requests().first().map(|_| ()));
    stage.commit("behind a patient one");
    let oid = stage.made[0].0.clone();
    let capture = stage.world.final_capture(&stage.repo, &oid);
    let total = capture["timing"]["total_ms"].as_f64().unwrap();
    assert!(total <= BUDGET, "{total} ms");
}

#[test]
fn a_silent_endpoint_does_not_spend_the_time_of_one_that_answers() {
    let silent = FakeLlm::everywhere(Shape::Ollama, Behaviour::Silent);
    let good = FakeLlm::start(Behaviour::Answer("Adds a function for a session and its timeout.".to_owned()));
    let mut stage = Stage::new();
    let toml = |name: &str, server: &FakeLlm| format!("[[endpoints]]\nname = \"{name}\"\nurl = \"{}\"\n", server.url());
    stage.world.configure(&(toml("silent", &silent) + &toml("good", &good)));
    stage.commit("two endpoints");
    let capture = stage.world.final_capture(&stage.repo, &stage.made[0].0);
    assert_eq!(capture["provenance"]["endpoint"], "good", "{capture:#}");
}
