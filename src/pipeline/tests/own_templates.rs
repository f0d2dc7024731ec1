//! The user's own templates in a capture.

use super::PipelineFixture;
use crate::pipeline::template_cache;

fn own(scene: &PipelineFixture, name: &str, text: &str) {
    let folder = template_cache::folder(&scene.services.paths);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

fn summary(scene: &PipelineFixture, message: &str) -> String {
    let place = scene.at("r");
    let oid = place.commit("src/a.zig", message, message);
    scene.reconcile();
    let id = place.open().location().id.clone();
    scene.services.store.capture_of_commit(&id, &oid).unwrap().unwrap().summary
}

#[test]
fn a_capture_is_told_by_a_persons_own_template() {
    let scene = PipelineFixture::new();
    scene.repo("r").commit("b", "1", "Start");
    own(&scene, "commit.j2", "On {{ paths[0] }}: {{ lead }}");
    assert_eq!(summary(&scene, "Add the router"), "On src/a.zig: Add the router.");
    assert_eq!(scene.problems(), Vec::<String>::new());
}

#[test]
fn a_broken_one_costs_no_capture_and_is_noted_once() {
    let scene = PipelineFixture::new();
    scene.repo("r").commit("b", "1", "Start");
    own(&scene, "commit.j2", "{{ leed }}");
    assert_eq!(summary(&scene, "Add the router"), "Add the router. Adds src/a.zig. +1.");
    summary(&scene, "Add a second router");
    let problems = scene.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("capture/commit.j2 is not used: `leed` is undefined"), "{problems:?}");
}

#[test]
fn what_was_mended_is_no_problem_any_more_and_what_was_not_still_is() {
    let scene = PipelineFixture::new();
    scene.repo("r").commit("b", "1", "Start");
    own(&scene, "commit.j2", "{{ leed }}");
    own(&scene, "docs.j2", "{{ dead }}");
    summary(&scene, "Add the router");
    assert_eq!(scene.problems().len(), 2);
    own(&scene, "commit.j2", "Own: {{ say(lead, deed) }}");
    assert_eq!(
        summary(&scene, "Add a second router"),
        "Own: Add a second router. Removes `Add the router` from src/a.zig."
    );
    let problems = scene.problems();
    assert!(problems.len() == 1 && problems[0].contains("docs.j2"), "{problems:?}");
    std::fs::remove_dir_all(template_cache::folder(&scene.services.paths)).unwrap();
    summary(&scene, "Add a third router");
    assert_eq!(scene.problems(), Vec::<String>::new());
}

#[test]
fn one_that_fails_on_a_commit_gives_way_there_alone() {
    let scene = PipelineFixture::new();
    scene.repo("r").commit("b", "1", "Start");
    own(&scene, "commit.j2", "Own: {% if kind == 'feat' %}{{ files.x.y }}{% endif %}{{ lead }}{{ deed }}");
    assert!(summary(&scene, "Add the router").starts_with("Own: "));
    assert_eq!(
        summary(&scene, "feat: add tabs"),
        "feat: add tabs. In src/a.zig, `Add the router` becomes `feat: add tabs`. +1 −1."
    );
    assert!(scene.problems()[0].contains("capture/commit.j2 was not used"), "{:?}", scene.problems());
}
