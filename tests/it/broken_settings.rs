//! Settings that a person breaks and mends, seen from outside: nothing is captured that was not allowed, nothing is lost.

use std::path::{Path, PathBuf};
use uro_capture::store::ProblemLog;

use uro_capture::store::sqlite::SqliteStore;

use crate::harness::{World, eventually};

const BROKEN: &str = "[capture\n";

struct Stage {
    world: World,
    open: PathBuf,
    off: PathBuf,
    excluded: PathBuf,
    good: String,
}

impl Stage {
    fn new() -> Self {
        let world = World::without_models();
        let (open, off, excluded) =
            (world.hooked_repo("open"), world.hooked_repo("off"), world.hooked_repo("excluded"));
        world.git(&off, &["config", "uro.capture", "false"]);
        let before = std::fs::read_to_string(world.path("uro/config/capture.toml")).unwrap_or_default();
        let exclusion = format!("[capture]\nexclude_repos = [\"{}\"]\n", excluded.display());
        let good = match before.contains("[capture]\n") {
            true => before.replace("[capture]\n", &exclusion),
            false => format!("{before}\n{exclusion}"),
        };
        let stage = Self { world, open, off, excluded, good };
        stage.write(&stage.good);
        stage
    }

    fn write(&self, text: &str) {
        std::fs::write(self.world.path("uro/config/capture.toml"), text).unwrap();
    }

    fn commit(&self, repo: &Path, name: &str) {
        self.world.commit(repo, &format!("{name}.rs"), &format!("fn {name}() {{}}\n"), &format!("Add {name}"));
    }

    fn captured(&self, repo: &Path) -> usize {
        self.world.log(repo).len()
    }

    fn restart(&self) {
        self.world.ok(&self.world.path("home"), &["sidecar", "stop"]);
        self.world.start_sidecar();
    }

    /// Whether a problem with these words is noted. `status` itself refuses to work with a broken file.
    fn has_problem(&self, words: &str) -> bool {
        let store = SqliteStore::open(&self.world.path("uro/data/captures.db")).unwrap().store;
        let problems = store.problems(jiff::Timestamp::MIN).unwrap();
        problems.iter().any(|(_, what, hint)| what.contains(words) || hint.contains(words))
    }
}

#[test]
fn a_file_that_breaks_while_the_sidecar_runs_leaves_the_last_good_settings_in_force() {
    let stage = Stage::new();
    stage.world.start_sidecar();
    stage.commit(&stage.open, "before");
    eventually("captured before", || (stage.captured(&stage.open) == 1).then_some(()));
    stage.write(BROKEN);
    stage.commit(&stage.off, "off");
    stage.commit(&stage.excluded, "excluded");
    stage.commit(&stage.open, "meanwhile");
    eventually("captured by the last good settings", || (stage.captured(&stage.open) == 2).then_some(()));
    assert!(stage.has_problem("capture.toml"));
    stage.write(&stage.good);
    stage.commit(&stage.open, "after");
    eventually("captured after", || (stage.captured(&stage.open) == 3).then_some(()));
    assert_eq!((stage.captured(&stage.off), stage.captured(&stage.excluded)), (0, 0));
}

#[test]
fn a_sidecar_that_starts_with_a_broken_file_answers_and_captures_when_it_is_mended() {
    let stage = Stage::new();
    stage.write(BROKEN);
    stage.world.start_sidecar();
    for (repo, name) in [(&stage.open, "one"), (&stage.off, "off"), (&stage.excluded, "excluded"), (&stage.open, "two")]
    {
        stage.commit(repo, name);
    }
    eventually("it is noted", || stage.has_problem("capture.toml").then_some(()));
    assert_eq!(stage.world.sidecar_status()["state"], "running");
    stage.restart();
    assert_eq!(stage.world.sidecar_status()["state"], "running");
    for repo in [&stage.open, &stage.off, &stage.excluded] {
        assert_eq!(stage.captured(repo), 0, "{}", repo.display());
    }
    stage.write(&stage.good);
    eventually("everything that was allowed", || (stage.captured(&stage.open) == 2).then_some(()));
    assert_eq!((stage.captured(&stage.off), stage.captured(&stage.excluded)), (0, 0));
}

#[test]
fn a_repository_whose_own_key_breaks_while_the_sidecar_runs_keeps_its_last_good_value() {
    let stage = Stage::new();
    stage.world.start_sidecar();
    stage.commit(&stage.off, "before");
    stage.commit(&stage.open, "before");
    eventually("captured before", || (stage.captured(&stage.open) == 1).then_some(()));
    stage.world.git(&stage.off, &["config", "uro.capture", "perhaps"]);
    stage.commit(&stage.off, "off");
    stage.commit(&stage.open, "after");
    eventually("captured after", || (stage.captured(&stage.open) == 2).then_some(()));
    assert_eq!(stage.captured(&stage.off), 0);
}

#[test]
fn a_repository_whose_own_key_is_broken_at_the_start_waits_until_it_is_mended_and_others_do_not() {
    let stage = Stage::new();
    stage.world.git(&stage.off, &["config", "uro.capture", "perhaps"]);
    stage.world.start_sidecar();
    stage.commit(&stage.off, "off");
    stage.commit(&stage.open, "open");
    eventually("the other one is captured", || (stage.captured(&stage.open) == 1).then_some(()));
    eventually("it is noted", || stage.has_problem("uro.capture").then_some(()));
    stage.restart();
    stage.world.git(&stage.off, &["config", "uro.capture", "true"]);
    eventually("captured once it may be", || (stage.captured(&stage.off) == 1).then_some(()));
}
