//! The prompt that is read ahead against the prompt that the capture sends.

use super::*;
use crate::pipeline::tests::{PipelineFixture, TestRepo};
use crate::prompt::render::RenderedPrompt;
use crate::prompt::tokens::Budget;

const SECRET: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

fn stage(place: &TestRepo<'_>, file: &str, content: &str) {
    place.write(file, content).git(&["add", file]);
}

fn changed(place: &TestRepo<'_>) {
    let lines: String = (0..90).map(|n| format!("fn number_{n}() -> usize {{ {n} }}\n")).collect();
    place.commit("a.rs", &lines, "Begin");
    stage(place, "a.rs", &lines.replace("{ 7", "{ 8").replace("{ 80", "{ 81 + helper()"));
    stage(place, "b.rs", &format!("const TOKEN: &str = \"{SECRET}\";\nfn helper() -> usize {{ 1 }}\n"));
}

fn found_prefill(scene: &PipelineFixture, place: &TestRepo<'_>, read: Option<&CommitKey>) -> Option<PendingPrefill> {
    staged(&scene.services, &place.path.join(".git"), StagingMoment::Settled, read).unwrap()
}

fn rendered(subject: &Subject, budget: Budget) -> RenderedPrompt {
    subject.prompt(&budget)
}

#[test]
fn what_is_read_ahead_is_what_the_capture_sends_byte_for_byte() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    changed(&place);
    let ahead = found_prefill(&scene, &place, None).unwrap();
    place.git(&["commit", "--quiet", "-m", "Say something ABC-12\n\nat length"]);
    let repo = Repo::open_git_dir(&place.path.join(".git")).unwrap();
    let commit = repo.commit(&repo.head().unwrap(), &Bounds::default(), &|_| false).unwrap();
    assert_eq!(ahead.key, CommitKey { tree: commit.tree.clone(), parents: commit.parents.clone() });
    let captured = Subject::commit(commit, scene.services.clock.as_ref());
    for tokens in [500, 900, 1500] {
        let (before, after) = (rendered(&ahead.subject, tokens.into()), rendered(&captured, tokens.into()));
        assert_eq!((before.stable_prefix(), &before.rules), (after.stable_prefix(), &after.rules), "{tokens}");
        assert!(before.stable_prefix().contains("a.rs") && !before.question.contains(SECRET));
    }
}

#[test]
fn what_was_read_is_not_read_again_and_what_is_committed_is_not_read() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    changed(&place);
    let key = found_prefill(&scene, &place, None).unwrap().key;
    assert!(found_prefill(&scene, &place, Some(&key)).is_none());
    stage(&place, "c.rs", "fn more() {}\n");
    assert!(found_prefill(&scene, &place, Some(&key)).is_some());
    place.git(&["commit", "--quiet", "-m", "Done"]);
    assert!(found_prefill(&scene, &place, None).is_none());
}

#[test]
fn what_is_not_captured_is_not_read() {
    let scene = PipelineFixture::new();
    let place = scene.repo("r");
    changed(&place);
    for off in ["enabled = false".to_owned(), format!("exclude_repos = [\"{}\"]", place.path.display())] {
        scene.configure(&format!("[capture]\n{off}\n"));
        assert!(found_prefill(&scene, &place, None).is_none(), "{off}");
    }
    scene.configure("[capture]\nexclude_paths = [\"b.rs\"]\n");
    let reading = found_prefill(&scene, &place, None).unwrap();
    assert!(!rendered(&reading.subject, 1500.into()).question.contains("helper() -> usize { 1 }"));
}
