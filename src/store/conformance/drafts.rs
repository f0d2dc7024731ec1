//! The draft queue: leases, poison, user actions.

use super::Check;
use crate::domain::capture::{AuthoredBy, Capture, RepoRef};
use crate::domain::clock::FakeClock;
use crate::domain::draft::{Draft, DraftEdit, DraftKind, DraftState, Period};
use crate::domain::event::HookMode;
use crate::domain::id::{DraftId, RepoId};
use crate::domain::role::Role;
use crate::store::samples::{note, quality, repo, timestamp};
use crate::store::{DraftQuery, NewDraft, RegisteredRepo, Store, StoreError, WrittenDraft};

pub const CHECKS: &[Check] = &[
    ("a draft's key is unique", draft_keys),
    ("a draft belongs to a repository, whatever that is called", drafts_of_repositories),
    ("a repository takes its drafts along", moved_repositories),
    ("a lease fences all later writes", leases),
    ("poison ends as dead and a retry counts anew", poison),
    ("a person's draft is never overwritten", edited_drafts),
    ("a list of drafts is the newest, as many as asked for", newest_drafts),
    ("each text of a draft is kept as a version", versions),
    ("a text written after an edit stands beside it", texts_beside_an_edit),
    ("an edited draft whose writing fails keeps its text", failing_beside_an_edit),
    ("what an error or a problem quotes of a forgotten capture goes with it", forgetting),
];

fn new_draft(max_attempts: u32) -> NewDraft {
    NewDraft {
        kind: DraftKind::Devlog,
        project: "shop".into(),
        repo: None,
        period: Period { from: timestamp(0), to: timestamp(86_400) },
        max_attempts,
    }
}

fn of_shop(state: Option<DraftState>) -> DraftQuery {
    DraftQuery { state, project: Some("shop".into()), ..DraftQuery::default() }
}

fn only(store: &dyn Store) -> Draft {
    let mut drafts = store.drafts(&DraftQuery::default()).unwrap();
    assert_eq!(drafts.len(), 1);
    drafts.remove(0)
}

fn written(title: &str) -> WrittenDraft {
    WrittenDraft {
        title: title.into(),
        body: "# What happened\n\n- a basket".into(),
        format: "markdown".into(),
        model: Some("codellama:7b".into()),
        sources: ["019cc47f-4100-71ac-90a0-9d5066f80d95", "019cc47f-4100-71ac-90a0-9d512011b46e"]
            .map(|id| id.parse().unwrap())
            .to_vec(),
        note: None,
        quality: Some(quality()),
    }
}

fn forgetting(store: &dyn Store) {
    let words = "the rotation of the master password";
    let capture = Capture { raw: words.into(), ..note(1, words) };
    store.record_capture(&capture, None).unwrap();
    store.queue_draft(&new_draft(3), timestamp(10)).unwrap();
    let lease = store.lease_draft(timestamp(11), timestamp(60)).unwrap().unwrap();
    store.fail_draft(lease.draft.id, 1, &format!("too long: {words}"), timestamp(20), timestamp(12)).unwrap();
    store.note_problem(timestamp(12), &format!("the server said: {words}"), "uro-capture models").unwrap();
    store.note_problem(timestamp(12), "another problem of the server", "uro-capture models").unwrap();
    assert!(store.sizes().unwrap().database > 0);
    let short = &capture.id.to_string()[..20];
    assert_eq!(store.capture_id(short).unwrap(), capture.id);
    store.forget_capture(capture.id, timestamp(13)).unwrap();
    assert!(matches!(store.capture_id(short), Err(StoreError::NotFound { .. })));
    assert_eq!(store.forgotten_id(short).unwrap(), capture.id);
    assert_eq!(only(store).error, None);
    let problems: Vec<String> = store.problems(timestamp(0)).unwrap().into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(problems, ["another problem of the server"]);
    assert!(store.scrub().remaining.is_empty());
}

fn draft_keys(store: &dyn Store) {
    assert!(store.queue_draft(&new_draft(3), timestamp(10)).unwrap());
    assert!(!store.queue_draft(&new_draft(3), timestamp(11)).unwrap());
    let blog = NewDraft { kind: DraftKind::Blog, ..new_draft(3) };
    assert!(store.queue_draft(&blog, timestamp(12)).unwrap());
    let ready = DraftQuery { state: Some(DraftState::Ready), ..DraftQuery::default() };
    let other = DraftQuery { project: Some("other".into()), ..DraftQuery::default() };
    assert_eq!(store.drafts(&of_shop(Some(DraftState::Queued))).unwrap().len(), 2);
    assert_eq!(store.drafts(&ready).unwrap().len(), 0);
    assert_eq!(store.drafts(&other).unwrap().len(), 0);
    assert_eq!(store.draft_counts().unwrap(), [(DraftState::Queued, 2)]);
}

fn drafts_of_repositories(store: &dyn Store) {
    let of = |project: &str, id: &str| {
        let repo = RepoRef { path: format!("/src/{id}"), id: RepoId::from_stored(id.into()) };
        NewDraft { project: project.into(), repo: Some(repo), ..new_draft(3) }
    };
    for (new, added) in [
        (new_draft(3), true),
        (of("shop", "a"), true),
        (of("shop", "b"), true),
        (of("b/shop", "b"), false),
        (of("c/shop", "c"), true),
        (of("shop (d)", "d"), true),
        (of("workshop", "e"), true),
    ] {
        assert_eq!(store.queue_draft(&new, timestamp(10)).unwrap(), added, "{new:?}");
    }
    let found = store.drafts(&of_shop(None)).unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(
        store.drafts(&DraftQuery { project: Some("c/shop".into()), ..DraftQuery::default() }).unwrap()[0].repo,
        of("", "c").repo
    );
    assert!(found.iter().any(|draft| draft.repo.is_none()));
}

fn moved_repositories(store: &dyn Store) {
    let repo = RepoRef { path: "/home/me/shop".into(), id: repo() };
    store.queue_draft(&NewDraft { repo: Some(repo.clone()), ..new_draft(3) }, timestamp(10)).unwrap();
    let new = RegisteredRepo {
        id: RepoId::from_common_dir(b"/home/me/moved/.git"),
        path: "/home/me/moved".into(),
        common_dir: "/home/me/moved/.git".into(),
        project: "moved".into(),
        since: timestamp(1),
        hook_mode: HookMode::File,
        inode: None,
    };
    store.move_repository(&repo.id, &new).unwrap();
    assert_eq!(only(store).repo, Some(RepoRef { path: "/home/me/moved".into(), id: new.id }));
}

fn leases(store: &dyn Store) {
    assert!(store.lease_draft(timestamp(0), timestamp(60)).unwrap().is_none());
    store.queue_draft(&new_draft(3), timestamp(10)).unwrap();
    assert!(store.lease_draft(timestamp(9), timestamp(60)).unwrap().is_none(), "not due yet");
    let first = store.lease_draft(timestamp(10), timestamp(60)).unwrap().unwrap();
    assert_eq!((first.attempt, first.draft.state, first.until), (1, DraftState::Leased, timestamp(60)));
    assert!(store.lease_draft(timestamp(59), timestamp(90)).unwrap().is_none(), "leased");
    let second = store.lease_draft(timestamp(60), timestamp(120)).unwrap().unwrap();
    assert_eq!((second.draft.id, second.attempt), (first.draft.id, 2));
    let stale = store.finish_draft(first.draft.id, 1, &written("Stale"), timestamp(61));
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
    assert!(matches!(
        store.fail_draft(first.draft.id, 1, "x", timestamp(61), timestamp(61)),
        Err(StoreError::Conflict(_))
    ));
    store.fail_draft(second.draft.id, 2, "model gone", timestamp(200), timestamp(70)).unwrap();
    let waiting = only(store);
    assert_eq!(
        (waiting.state, waiting.next_at, waiting.error.as_deref()),
        (DraftState::Queued, Some(timestamp(200)), Some("model gone"))
    );
    assert!(store.lease_draft(timestamp(199), timestamp(300)).unwrap().is_none());
    let third = store.lease_draft(timestamp(200), timestamp(300)).unwrap().unwrap();
    store.finish_draft(third.draft.id, 3, &written("Day one"), timestamp(210)).unwrap();
    let ready = only(store);
    assert_eq!(
        (ready.state, ready.title.as_str(), ready.finished_at),
        (DraftState::Ready, "Day one", Some(timestamp(210)))
    );
    assert_eq!((ready.sources, ready.error, ready.model.as_deref()), (written("").sources, None, Some("codellama:7b")));
    assert_eq!(ready.quality, Some(quality()));
    assert!(matches!(
        store.finish_draft(third.draft.id, 3, &written("Twice"), timestamp(220)),
        Err(StoreError::Conflict(_))
    ));
    assert!(matches!(
        store.finish_draft(fresh_draft(), 1, &written("x"), timestamp(1)),
        Err(StoreError::NotFound { .. })
    ));
}

fn fresh_draft() -> DraftId {
    DraftId::fresh(&FakeClock::at(timestamp(1)))
}

fn poison(store: &dyn Store) {
    store.queue_draft(&new_draft(2), timestamp(0)).unwrap();
    let other = NewDraft { kind: DraftKind::Blog, ..new_draft(2) };
    store.queue_draft(&other, timestamp(1)).unwrap();
    store.lease_draft(timestamp(0), timestamp(10)).unwrap().unwrap();
    let stale = store.lease_draft(timestamp(10), timestamp(20)).unwrap().unwrap();
    // Both workers died. The queue continues with the next draft.
    let next = store.lease_draft(timestamp(20), timestamp(30)).unwrap().unwrap();
    assert_eq!(next.draft.kind, DraftKind::Blog);
    let dead = store.draft(&stale.draft.id.to_string()).unwrap();
    assert_eq!((dead.state, dead.finished_at), (DraftState::Dead, Some(timestamp(20))));
    assert!(dead.error.is_some());
    store.fail_draft(next.draft.id, 1, "once", timestamp(21), timestamp(21)).unwrap();
    let again = store.lease_draft(timestamp(21), timestamp(30)).unwrap().unwrap();
    store.fail_draft(again.draft.id, 2, "twice", timestamp(22), timestamp(22)).unwrap();
    assert_eq!(store.draft(&again.draft.id.to_string()).unwrap().state, DraftState::Dead);

    let retried = store.retry_draft(stale.draft.id, timestamp(40)).unwrap();
    assert_eq!((retried.state, retried.error), (DraftState::Queued, None));
    let (one, two) = (
        store.lease_draft(timestamp(40), timestamp(50)).unwrap().unwrap(),
        store.lease_draft(timestamp(50), timestamp(60)).unwrap().unwrap(),
    );
    assert!(one.attempt > stale.attempt && two.attempt > one.attempt, "a token is never used twice");
    let late = store.finish_draft(stale.draft.id, stale.attempt, &written("From the first round"), timestamp(51));
    assert!(matches!(late, Err(StoreError::Conflict(_))));
    assert!(store.lease_draft(timestamp(60), timestamp(70)).unwrap().is_none(), "two attempts, as at first");
}

fn edited_drafts(store: &dyn Store) {
    store.queue_draft(&new_draft(3), timestamp(0)).unwrap();
    let edit = DraftEdit { seconds: 31.5, distance: 0.2 };
    let id = only(store).id;
    assert!(
        matches!(store.edit_draft(id, 1, ("T", "B"), edit, timestamp(1)), Err(StoreError::Conflict(_))),
        "nothing to edit yet"
    );
    let lease = store.lease_draft(timestamp(0), timestamp(10)).unwrap().unwrap();
    store.finish_draft(id, lease.attempt, &written("Theirs"), timestamp(5)).unwrap();
    assert_eq!(
        store.retry_draft(id, timestamp(6)).unwrap().state,
        DraftState::Queued,
        "unedited: may be written again"
    );
    let lease = store.lease_draft(timestamp(6), timestamp(16)).unwrap().unwrap();
    store.finish_draft(id, lease.attempt, &written("Theirs again"), timestamp(7)).unwrap();
    let evidence = |store: &dyn Store| store.evidence(timestamp(0)).unwrap().remove(0);
    let before = evidence(store);
    assert_eq!((before.model.as_str(), before.role), ("codellama:7b", Role::Devlog));
    assert_eq!((before.evidence.rubric.n, before.evidence.kept.n), (1, 0), "not reviewed yet");
    let edited = store.edit_draft(id, 1, ("Mine", "My body"), edit, timestamp(8)).unwrap();
    let after = evidence(store).evidence;
    assert_eq!((after.rubric.n, after.kept.n, (after.kept.sum * 10.0).round()), (0, 1, 8.0));
    assert_eq!((edited.title.as_str(), edited.body.as_str(), edited.edit), ("Mine", "My body", Some(edit)));
    assert_eq!(edited.quality, None, "the score was that of another text");
    assert!(!store.queue_draft(&new_draft(3), timestamp(9)).unwrap());
    assert!(store.lease_draft(timestamp(1000), timestamp(1100)).unwrap().is_none());
    let wrong = store.move_draft(id, &[DraftState::Accepted], DraftState::Published, timestamp(9));
    assert!(matches!(wrong, Err(StoreError::Conflict(message)) if message.contains("ready")));
    assert_eq!(
        store.move_draft(id, &[DraftState::Ready], DraftState::Accepted, timestamp(9)).unwrap().state,
        DraftState::Accepted
    );
    assert_eq!(
        store.edit_draft(id, 1, ("Mine 2", "B"), edit, timestamp(9)).unwrap().title,
        "Mine 2",
        "accepted may still be edited"
    );
    let published = store.move_draft(id, &[DraftState::Accepted], DraftState::Published, timestamp(10)).unwrap();
    assert_eq!((published.state, published.finished_at), (DraftState::Published, Some(timestamp(7))));
    assert!(matches!(store.edit_draft(id, 1, ("T", "B"), edit, timestamp(1)), Err(StoreError::Conflict(_))));
}

fn newest_drafts(store: &dyn Store) {
    for day in 0..5 {
        let period = Period { from: timestamp(day * 86_400), to: timestamp((day + 1) * 86_400) };
        store.queue_draft(&NewDraft { period, ..new_draft(3) }, timestamp(10)).unwrap();
    }
    let listed = |query: DraftQuery| -> Vec<i64> {
        let day = |draft: Draft| (draft.period.from.as_second() - timestamp(0).as_second()) / 86_400;
        store.drafts(&query).unwrap().into_iter().map(day).collect()
    };
    let newest = DraftQuery { limit: Some(2), ..DraftQuery::default() };
    assert_eq!(listed(newest.clone()), [4, 3]);
    let last = store.drafts(&newest).unwrap()[0].id;
    store.move_draft(last, &[DraftState::Queued], DraftState::Rejected, timestamp(11)).unwrap();
    assert_eq!(listed(DraftQuery { open: true, ..newest.clone() }), [3, 2]);
    assert_eq!(listed(DraftQuery { state: Some(DraftState::Rejected), ..newest }), [4]);
    assert_eq!(listed(DraftQuery { open: true, ..of_shop(None) }), [3, 2, 1, 0]);
}

/// Leases the one draft and writes it.
fn write_text(store: &dyn Store, text: &WrittenDraft, seconds: i64) -> Draft {
    let lease = store.lease_draft(timestamp(seconds), timestamp(seconds + 60)).unwrap().unwrap();
    store.finish_draft(lease.draft.id, lease.attempt, text, timestamp(seconds + 1)).unwrap();
    store.draft(&lease.draft.id.to_string()).unwrap()
}

/// Number, author, base and title of each version.
fn listed_versions(store: &dyn Store, id: DraftId) -> Vec<(u32, AuthoredBy, u32, String)> {
    let versions = store.draft_versions(id).unwrap().into_iter();
    versions.map(|version| (version.number, version.by, version.base, version.title)).collect()
}

const EDIT: DraftEdit = DraftEdit { seconds: 60.0, distance: 0.25 };

fn versions(store: &dyn Store) {
    use AuthoredBy::{Human, Model, Template};
    store.queue_draft(&new_draft(3), timestamp(0)).unwrap();
    let id = only(store).id;
    assert!(store.draft_versions(id).unwrap().is_empty() && store.draft_versions(fresh_draft()).unwrap().is_empty());
    write_text(store, &written("One"), 1);
    store.retry_draft(id, timestamp(10)).unwrap();
    write_text(store, &written("One"), 11);
    assert_eq!(listed_versions(store, id).len(), 1, "the same text is no new version");
    store.retry_draft(id, timestamp(20)).unwrap();
    let two = WrittenDraft { model: None, ..written("Two") };
    assert_eq!(write_text(store, &two, 21).title, "Two", "no edit: the new text replaces the old one");
    store.edit_draft(id, 2, ("Mine", "My body"), EDIT, timestamp(30)).unwrap();
    let kept = store.draft_versions(id).unwrap();
    let versions = listed_versions(store, id);
    let expected = [(1, Model, 1, "One"), (2, Template, 2, "Two"), (3, Human, 2, "Mine")];
    assert_eq!(versions, expected.map(|(number, by, base, title)| (number, by, base, title.to_owned())));
    assert_eq!((kept[0].model.as_deref(), kept[0].at, kept[0].edit), (Some("codellama:7b"), timestamp(2), None));
    assert_eq!((kept[2].body.as_str(), kept[2].at, kept[2].edit), ("My body", timestamp(30), Some(EDIT)));

    let restored = store.restore_version(id, 1, timestamp(40)).unwrap();
    assert_eq!((restored.title.as_str(), restored.edit, restored.model), ("One", None, Some("codellama:7b".into())));
    assert_eq!(listed_versions(store, id)[3], (4, Model, 1, "One".to_owned()));
    let edited = store.restore_version(id, 3, timestamp(41)).unwrap();
    assert_eq!((edited.title.as_str(), edited.edit), ("Mine", Some(EDIT)));
    assert!(matches!(store.restore_version(id, 9, timestamp(42)), Err(StoreError::NotFound { .. })));
    store.move_draft(id, &[DraftState::Ready], DraftState::Published, timestamp(43)).unwrap();
    assert!(matches!(store.restore_version(id, 1, timestamp(44)), Err(StoreError::Conflict(_))));
}

fn texts_beside_an_edit(store: &dyn Store) {
    store.queue_draft(&new_draft(3), timestamp(0)).unwrap();
    let id = write_text(store, &written("Theirs"), 1).id;
    let edited = store.edit_draft(id, 1, ("Mine", "My body"), EDIT, timestamp(3)).unwrap();
    assert_eq!(store.retry_draft(id, timestamp(4)).unwrap().state, DraftState::Queued);
    let meanwhile = store.edit_draft(id, 2, ("Mine, again", "My body"), EDIT, timestamp(5)).unwrap();
    assert_eq!(meanwhile.state, DraftState::Queued, "it may be edited while another text is written");
    let later = WrittenDraft { sources: written("").sources[..1].to_vec(), model: None, ..written("Theirs, later") };
    let after = write_text(store, &later, 6);
    assert_eq!((after.title.as_str(), after.body.as_str(), after.edit), ("Mine, again", "My body", Some(EDIT)));
    assert_eq!((after.state, &after.model, after.finished_at), (DraftState::Ready, &edited.model, edited.finished_at));
    assert_eq!(after.sources, later.sources, "it is not written again for the same captures");
    let versions = store.draft_versions(id).unwrap();
    let beside = after.alternative_version(&versions).unwrap();
    assert_eq!((beside.number, beside.title.as_str()), (4, "Theirs, later"));
    assert_eq!(after.current_version(&versions).unwrap().number, 3);

    store.retry_draft(id, timestamp(10)).unwrap();
    let lease = store.lease_draft(timestamp(11), timestamp(60)).unwrap().unwrap();
    store.move_draft(id, &[DraftState::Leased], DraftState::Accepted, timestamp(12)).unwrap();
    let late = store.finish_draft(id, lease.attempt, &written("Too late"), timestamp(13));
    assert!(matches!(late, Err(StoreError::Conflict(_))), "accepted meanwhile");
    assert_eq!(store.draft_versions(id).unwrap().len(), 4);
}

fn failing_beside_an_edit(store: &dyn Store) {
    store.queue_draft(&new_draft(1), timestamp(0)).unwrap();
    let id = write_text(store, &written("Theirs"), 1).id;
    store.edit_draft(id, 1, ("Mine", "My body"), EDIT, timestamp(3)).unwrap();
    store.retry_draft(id, timestamp(4)).unwrap();
    let lease = store.lease_draft(timestamp(5), timestamp(60)).unwrap().unwrap();
    store.fail_draft(id, lease.attempt, "model gone", timestamp(9), timestamp(6)).unwrap();
    let failed = only(store);
    assert_eq!((failed.state, failed.title.as_str(), failed.next_at), (DraftState::Ready, "Mine", None));
    store.retry_draft(id, timestamp(10)).unwrap();
    store.lease_draft(timestamp(11), timestamp(20)).unwrap().unwrap();
    assert!(store.lease_draft(timestamp(21), timestamp(30)).unwrap().is_none(), "the worker died");
    assert_eq!((only(store).state, only(store).title), (DraftState::Ready, "Mine".into()));
}
