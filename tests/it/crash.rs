//! kill -9 at random moments of everything git does: after a restart each piece of work has exactly one live,
//! final capture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::harness::fake_llm::{Behaviour, FakeLlm};
use crate::harness::{World, eventually};

/// Starts sidecars and kills them after random times, until it is dropped.
struct Killer {
    stop: Arc<AtomicBool>,
    kills: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Killer {
    /// A sidecar lives `lives` ms, drawn from that range.
    fn of(world: &World, lives: std::ops::Range<u64>) -> Self {
        let (stop, kills) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut start = world.program(env!("CARGO_BIN_EXE_uro-capture"), &world.path("home"));
        start.args(["sidecar", "run"]).stderr(Stdio::null());
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&kills));
        let thread = std::thread::spawn(move || {
            let mut random = 0x9E37_79B9_7F4A_7C15_u64;
            while !stopped.load(Ordering::Relaxed) {
                let mut sidecar = start.spawn().unwrap();
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                std::thread::sleep(Duration::from_millis(lives.start + (random >> 33) % (lives.end - lives.start)));
                // SIGKILL, to the process that was just started and is not reaped yet.
                sidecar.kill().unwrap();
                sidecar.wait().unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { stop, kills, thread: Some(thread) }
    }

    fn end(mut self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.kills.load(Ordering::Relaxed)
    }
}

/// A start stamp from just now keeps hooks from starting sidecars of their own, which nobody would kill.
fn no_starts_by_hooks(world: &World) {
    std::fs::create_dir_all(world.run_dir()).unwrap();
    std::fs::write(world.run_dir().join("start.stamp"), "\n").unwrap();
}

fn is_final(capture: &Value) -> bool {
    capture["provenance"]["reason"] != "pending" && !capture["timing"]["total_ms"].is_null()
}

fn write(repo: &Path, file: &str, text: &str) {
    std::fs::write(repo.join(file), text).unwrap();
}

/// Every way in which git makes commits, several times over; what remains is what the branches reach.
fn work(world: &World, repo: &Path, linked: &Path, round: usize) {
    let git = |dir: &Path, args: &[&str]| world.git(dir, args);
    let add = |dir: &Path, file: &str, what: &str| {
        no_starts_by_hooks(world);
        world.commit(dir, file, &format!("fn {what}_{round}() {{}}\n"), &format!("Add {what} {round}"))
    };
    add(repo, "plain.rs", "plain");
    add(linked, "linked.rs", "linked");
    write(repo, "plain.rs", &format!("fn plain_{round}() {{ amended() }}\n"));
    git(repo, &["commit", "-q", "-a", "--amend", "-m", &format!("Add plain {round}, amended")]);
    git(repo, &["checkout", "-q", "-b", &format!("topic{round}")]);
    add(repo, &format!("one{round}.rs"), "one");
    add(repo, &format!("two{round}.rs"), "two");
    git(repo, &["checkout", "-q", "main"]);
    add(repo, &format!("three{round}.rs"), "three");
    git(repo, &["checkout", "-q", &format!("topic{round}")]);
    git(repo, &["rebase", "-q", "main"]);
    git(repo, &["checkout", "-q", "main"]);
    add(repo, &format!("four{round}.rs"), "four");
    git(repo, &["merge", "-q", "--no-ff", "-m", &format!("Merge topic {round}"), &format!("topic{round}")]);
    git(repo, &["cherry-pick", "side"]);
}

#[test]
fn everything_git_does_under_kill_nine_leaves_one_live_capture_per_unit_of_work() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    write(&repo, "base", "base\n");
    no_starts_by_hooks(&world);
    world.git(&repo, &["add", "-A"]);
    world.git(&repo, &["commit", "-q", "-m", "Lay the base"]);
    let linked = world.path("linked");
    world.git(&repo, &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let killer = Killer::of(&world, 20..160);
    for round in 0..8 {
        work(&world, &repo, &linked, round);
    }
    let kills = killer.end();
    world.start_sidecar();
    settle(&world, &repo);
    let live = live(&world, &repo);
    let reached: BTreeSet<String> =
        world.git(&repo, &["rev-list", "main", "side"]).lines().map(str::to_owned).collect();
    // A cherry-picked commit is the same work as the one it was picked from: the later one stands for both.
    let picked: BTreeSet<String> =
        world.git(&repo, &["rev-list", "side", "^main"]).lines().map(str::to_owned).collect();
    println!("{kills} kills, {} live captures of {} commits", live.len(), reached.len());
    for (oid, count) in &live {
        assert_eq!(*count, 1, "{oid}");
        assert!(reached.contains(oid), "{oid} is live and was rewritten or never made");
    }
    for oid in reached.difference(&picked) {
        assert!(live.contains_key(oid), "{oid} was lost: {}", world.git(&repo, &["log", "-1", "--format=%s", oid]));
    }
    assert!(kills > 0, "nobody was killed");
}

#[test]
fn a_kill_while_a_model_streams_leaves_every_capture_final_after_the_restart() {
    let server = FakeLlm::start(Behaviour::OneTokenPerSecond);
    let world = World::with_fake(&server);
    let repo = world.hooked_repo("repo");
    let mut made = Vec::new();
    for n in 0..12_u64 {
        world.start_sidecar();
        made.push(world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}")));
        let asked = usize::try_from(n).unwrap();
        eventually("the question", || (server.questions().len() > asked).then_some(()));
        // From the first moment of the answer to its last one.
        std::thread::sleep(Duration::from_millis(n * 150));
        let pid = world.sidecar_pid();
        assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    }
    world.start_sidecar();
    settle(&world, &repo);
    let live = live(&world, &repo);
    assert_eq!(live.len(), made.len());
    assert!(live.values().all(|count| *count == 1));
}

#[test]
fn fifty_commits_beside_a_stopped_sidecar_are_captured_after_it_goes_on_and_after_it_is_killed() {
    for goes_on in [true, false] {
        let world = World::without_models();
        let repo = world.hooked_repo("repo");
        world.start_sidecar();
        let pid = world.sidecar_pid();
        let signal = |name: &str| Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success();
        assert!(signal("-STOP"));
        for n in 0..50 {
            world.commit(&repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"));
        }
        if goes_on {
            // On a loaded machine another may have taken its place in the meantime.
            signal("-CONT");
        } else {
            world.ok(&repo, &["sidecar", "stop"]);
            world.start_sidecar();
        }
        eventually("all fifty", || (world.log(&repo).iter().filter(|one| is_final(one)).count() == 50).then_some(()));
    }
}

#[test]
fn of_thirty_sidecars_over_stale_sockets_one_remains() {
    let world = World::without_models();
    let home = world.path("home");
    std::fs::create_dir_all(world.run_dir()).unwrap();
    for name in ["bell.sock", "control.sock"] {
        drop(std::os::unix::net::UnixListener::bind(world.run_dir().join(name)).unwrap());
    }
    let start = || {
        let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &home);
        command.args(["sidecar", "run"]).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut started: Vec<_> = (0..30).map(|_| start()).collect();
    eventually("all but one have left", || {
        let left = started.iter_mut().filter_map(|child| child.try_wait().unwrap()).inspect(|status| {
            assert!(status.success(), "{status:?}");
        });
        (left.count() == 29).then_some(())
    });
    assert_eq!(world.sidecar_status()["state"], "running");
    world.ok(&home, &["sidecar", "stop"]);
    for child in &mut started {
        assert!(child.wait().unwrap().success());
    }
}

fn settle(world: &World, repo: &Path) {
    let spool_is_read = || world.sidecar_status()["queue_depth"] == 0;
    let mut last = 0;
    eventually("all is settled", || {
        let log = world.log(repo);
        let same = std::mem::replace(&mut last, log.len()) == log.len();
        (same && spool_is_read() && log.iter().all(is_final)).then_some(())
    });
}

/// Commit → number of its live captures.
fn live(world: &World, repo: &Path) -> BTreeMap<String, u32> {
    let mut live = BTreeMap::new();
    for capture in world.log(repo) {
        *live.entry(capture["commit"]["oid"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    live
}
