//! Notes written while working belong to the resulting commit.

use jiff::Timestamp;

use super::{Place, Scene};
use crate::domain::capture::{Capture, Reason};
use crate::domain::event::{Event, HookName, Source};
use crate::domain::id::CaptureId;
use crate::pipeline::capture::{self, Plan, Request, Taken};
use crate::pipeline::enrich;

impl Place<'_> {
    /// A note so many seconds before the next commit.
    fn note(&self, text: &str, before: i64) -> CaptureId {
        let next = self.scene.second.load(std::sync::atomic::Ordering::Relaxed) + 2;
        self.note_at(text, Timestamp::from_second(next - before).unwrap())
    }

    fn note_at(&self, text: &str, stamp: Timestamp) -> CaptureId {
        let job = capture::take_note(&self.scene.services, Some(&self.open()), text, stamp).unwrap();
        enrich::finish_without_model(&self.scene.services, &job, Reason::Refused).unwrap();
        job.id
    }

    fn commits(&self) -> Vec<Capture> {
        self.captures(false).into_iter().filter(|capture| capture.commit.is_some()).collect()
    }

    fn notes_of_newest(&self) -> Vec<CaptureId> {
        self.commits()[0].notes.clone()
    }
}

#[test]
fn a_note_of_the_last_half_hour_belongs_to_the_next_commit_alone() {
    let scene = Scene::new();
    let (place, other) = (scene.repo("work"), scene.repo("other"));
    let forgotten = place.note("too long ago", 1900);
    other.note("elsewhere", 60);
    let ids = [place.note("the proxy drops idle connections", 600), place.note("tried it twice", 60)];
    place.commit("a.rs", "fn a() {}\n", "wip");
    place.report(HookName::PostCommit, &[]);
    scene.work();
    let capture = place.commits().remove(0);
    assert_eq!(capture.notes, ids);
    assert!(!capture.notes.contains(&forgotten));
    assert!(capture.summary.ends_with("Noted before: “tried it twice”."), "{}", capture.summary);
    place.commit("b.rs", "fn b() {}\n", "wip");
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert!(place.notes_of_newest().is_empty(), "used up");
}

#[test]
fn a_note_taken_after_a_commit_is_not_that_commits_though_it_was_stored_first() {
    let scene = Scene::new();
    let place = scene.repo("work");
    place.commit("a.rs", "fn a() {}\n", "wip");
    let second: i64 = place.git(&["show", "-s", "--format=%ct"]).parse().unwrap();
    let within = |ms: i64| Timestamp::from_millisecond(second * 1000 + ms).unwrap();
    let before = place.note_at("tried it twice", within(100));
    place.note_at("the next thing to do", within(600));
    place.note_at("later still", within(1200));
    place.tell(&Event {
        stamp: within(300),
        source: Source::Hook,
        hook: Some(HookName::PostCommit),
        git_dir: place.path.join(".git"),
        oid: Some(place.head()),
        rewrites: Vec::new(),
        in_sequence: false,
    });
    scene.work();
    assert_eq!(place.notes_of_newest(), [before]);
}

#[test]
fn an_amended_commit_keeps_its_notes_and_so_does_a_reworded_one() {
    let scene = Scene::new();
    let place = scene.repo("work");
    place.commit("base.rs", "fn base() {}\n", "Begin");
    let first = place.note("the proxy drops idle connections", 60);
    place.commit("a.rs", "fn a() {}\n", "wip");
    place.report(HookName::PostCommit, &[]);
    scene.work();
    let second = place.note("tried it twice", 4);
    place.write("a.rs", "fn a() { b() }\n");
    place.git(&["commit", "-qa", "--amend", "--no-edit"]);
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(place.notes_of_newest(), [first, second]);
    place.git(&["commit", "-q", "--amend", "-m", "Retry"]);
    place.report(HookName::PostCommit, &[]);
    scene.work();
    assert_eq!(place.notes_of_newest(), [first, second]);
}

#[test]
fn notes_and_the_branchs_ticket_are_in_the_prompt_of_the_commit_also_when_another_process_takes_over() {
    let scene = Scene::new();
    let place = scene.repo("work");
    place.git(&["checkout", "-q", "-b", "feature/ABC-12-retry"]);
    place.note("the proxy drops idle connections", 60);
    let oid = place.commit("a.rs", "fn a() {}\n", "wip");
    let stamp = scene.services.clock.now();
    let request = Request { oid, source: Source::Hook, stamp, plan: Plan::Ask };
    let repo = place.open();
    let Taken::New(job) = capture::take_commit(&scene.services, &repo, &request).unwrap() else { panic!("not new") };
    let git_dir = place.path.join(".git");
    let resumed = capture::resume(&scene.services, job.id, stamp, Some(&git_dir)).unwrap().unwrap();
    for job in [*job, resumed] {
        let question = job.subject.prompt(&1500.into()).question;
        assert!(question.contains("- the proxy drops idle connections\n</notes>"), "{question}");
        assert!(question.contains("Ticket of the branch: ABC-12\n<message>"), "{question}");
    }
}
