//! Unreadable settings: what holds meanwhile, what waits, and what is captured once they can be read again.

use super::{PipelineFixture, TestRepo};
use crate::domain::event::HookName;

const BROKEN: &str = "[capture\nbudget = 2";

fn commit(place: &TestRepo<'_>, message: &str) {
    place.commit("a", message, message);
    place.report(HookName::PostCommit, &[]);
}

/// As the sidecar does at its next look.
fn look_again(scene: &PipelineFixture) {
    scene.services.recheck_blocked();
    scene.work();
}

#[test]
fn without_earlier_settings_everything_waits_and_is_captured_once_after_the_repair() {
    let scene = PipelineFixture::new();
    let (open, off) = (scene.repo("open"), scene.repo("off"));
    off.git(&["config", "uro.capture", "false"]);
    scene.configure(BROKEN);
    for place in [&open, &off] {
        commit(place, "One");
        commit(place, "Two");
    }
    for _ in 0..8 {
        look_again(&scene);
    }
    assert_eq!((open.live(), off.live()), (vec![], vec![]));
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 4, "however often it is tried");
    let problems = scene.problems();
    assert!(problems.len() == 1 && problems[0].contains("capture.toml"), "{problems:?}");
    scene.configure("# mended\n");
    look_again(&scene);
    assert_eq!((open.live(), off.live()), (vec!["One".to_owned(), "Two".to_owned()], vec![]));
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 0);
    scene.services.readable_config(None).unwrap();
    assert_eq!(scene.problems(), Vec::<String>::new(), "it is mended");
}

#[test]
fn a_file_that_was_just_emptied_is_being_written_and_widens_nothing() {
    let scene = PipelineFixture::new();
    let excluded = scene.repo("excluded");
    scene.configure("");
    commit(&excluded, "One");
    scene.work();
    assert_eq!(
        (excluded.live(), scene.services.store.pending_event_count().unwrap()),
        (vec![], 1),
        "nothing is known yet"
    );
    scene.configure(&format!("[capture]\nexclude_repos = [\"{}\"]\n", excluded.path.display()));
    look_again(&scene);
    scene.configure("");
    commit(&excluded, "Two");
    look_again(&scene);
    assert_eq!((excluded.live(), scene.services.store.pending_event_count().unwrap()), (vec![], 0));
    assert_eq!(scene.problems(), Vec::<String>::new());
    scene.age_settings();
    commit(&excluded, "Three");
    look_again(&scene);
    assert_eq!(excluded.live(), ["Three"], "a file that stays empty sets nothing");
}

#[test]
fn the_last_good_file_and_the_repositorys_own_settings_hold_while_the_file_is_broken() {
    let scene = PipelineFixture::new();
    let (open, off, excluded) = (scene.repo("open"), scene.repo("off"), scene.repo("excluded"));
    scene.configure(&format!("[capture]\nexclude_repos = [\"{}\"]\n", excluded.path.display()));
    scene.services.readable_config(None).unwrap();
    scene.configure(BROKEN);
    off.git(&["config", "uro.capture", "false"]);
    for place in [&open, &off, &excluded] {
        commit(place, "One");
    }
    scene.work();
    assert_eq!((open.live(), off.live(), excluded.live()), (vec!["One".to_owned()], vec![], vec![]));
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 0);
}

#[test]
fn a_repository_whose_own_key_is_broken_waits_alone_unless_its_last_good_value_is_known() {
    let scene = PipelineFixture::new();
    let (known, unknown, other) = (scene.repo("known"), scene.repo("unknown"), scene.repo("other"));
    known.git(&["config", "uro.capture", "false"]);
    commit(&known, "Before");
    scene.work();
    for place in [&known, &unknown] {
        place.git(&["config", "uro.capture", "perhaps"]);
    }
    for place in [&known, &unknown, &other] {
        commit(place, "One");
    }
    scene.work();
    look_again(&scene);
    assert_eq!((known.live(), unknown.live(), other.live()), (vec![], vec![], vec!["One".to_owned()]));
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 1, "that of the unknown one");
    let is_reported =
        |place: &TestRepo<'_>| scene.problems().iter().any(|problem| problem.contains(&*place.path.to_string_lossy()));
    assert!(is_reported(&unknown) && is_reported(&known) && !is_reported(&other));
    unknown.git(&["config", "uro.capture", "true"]);
    look_again(&scene);
    assert_eq!(unknown.live(), ["One"]);
    assert!(!is_reported(&unknown) && is_reported(&known), "what was mended is no problem any more");
}

#[test]
fn what_can_be_read_of_a_repositorys_settings_holds_beside_what_cannot() {
    let scene = PipelineFixture::new();
    let place = scene.repo("shop");
    commit(&place, "Before");
    scene.work();
    place.git(&["config", "uro.capture", "false"]);
    place.git(&["config", "uro.budget", "soon"]);
    commit(&place, "One");
    scene.work();
    assert_eq!(place.live(), ["Before"]);
}

#[test]
fn a_broken_git_configuration_keeps_the_event_until_it_is_mended() {
    let scene = PipelineFixture::new();
    let place = scene.repo("shop");
    commit(&place, "One");
    let config = place.path.join(".git/config");
    let good = std::fs::read(&config).unwrap();
    std::fs::write(&config, [&good[..], b"[uro\n"].concat()).unwrap();
    for _ in 0..8 {
        look_again(&scene);
    }
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 1);
    std::fs::write(&config, good).unwrap();
    look_again(&scene);
    assert_eq!(place.live(), ["One"]);
}

#[test]
fn every_way_in_which_the_file_cannot_be_read_keeps_events_waiting() {
    let scene = PipelineFixture::new();
    let place = scene.repo("shop");
    let file = scene.services.paths.config_file();
    commit(&place, "One");
    std::fs::create_dir_all(&file).unwrap();
    scene.work();
    assert_eq!(scene.services.store.pending_event_count().unwrap(), 1, "a directory in its place");
    std::fs::remove_dir(&file).unwrap();
    for text in [&b"\xff\xfe"[..], b"[capture]\nunknown = 1\n", b"[capture]\nbudget = \"soon\"\n", b"x = ["] {
        std::fs::write(&file, text).unwrap();
        look_again(&scene);
        assert_eq!(scene.services.store.pending_event_count().unwrap(), 1, "{text:?}");
    }
    std::fs::remove_file(&file).unwrap();
    look_again(&scene);
    assert_eq!(place.live(), ["One"]);
}
