//! The draft queue: leases, poison, user actions.

use super::Check;
use crate::domain::capture::{Capture, RepoRef};
use crate::domain::clock::FakeClock;
use crate::domain::draft::{Draft, DraftKind, DraftState, Edit, Period};
use crate::domain::event::Means;
use crate::domain::id::{DraftId, RepoId};
use crate::domain::role::Role;
use crate::store::samples::{at, note, quality, repo};
use crate::store::{NewDraft, Registered, Store, StoreError, Written};

pub const CHECKS: &[Check] = &[
    ("a draft's key is unique", draft_keys),
    ("a draft belongs to a repository, whatever that is called", drafts_of_repositories),
    ("a repository takes its drafts along", moved_repositories),
    ("a lease fences all later writes", leases),
    ("poison ends as dead and a retry counts anew", poison),
    ("a person's draft is never overwritten", edited_drafts),
    ("what an error or a problem quotes of a forgotten capture goes with it", forgetting),
];

fn new_draft(max_attempts: u32) -> NewDraft {
    NewDraft {
        kind: DraftKind::Devlog,
        project: "shop".into(),
        repo: None,
        period: Period { from: at(0), to: at(86_400) },
        max_attempts,
    }
}

fn only(store: &dyn Store) -> Draft {
    let mut drafts = store.drafts(None, None).unwrap();
    assert_eq!(drafts.len(), 1);
    drafts.remove(0)
}

fn written(title: &str) -> Written {
    Written {
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
    store.queue_draft(&new_draft(3), at(10)).unwrap();
    let lease = store.lease_draft(at(11), at(60)).unwrap().unwrap();
    store.fail_draft(lease.draft.id, 1, &format!("too long: {words}"), at(20), at(12)).unwrap();
    store.note_problem(at(12), &format!("the server said: {words}"), "uro-capture models").unwrap();
    store.note_problem(at(12), "another problem of the server", "uro-capture models").unwrap();
    assert!(store.sizes().unwrap().database > 0);
    let short = &capture.id.to_string()[..20];
    assert_eq!(store.capture_id(short).unwrap(), capture.id);
    store.forget_capture(capture.id, at(13)).unwrap();
    assert!(matches!(store.capture_id(short), Err(StoreError::NotFound { .. })));
    assert_eq!(store.forgotten_id(short).unwrap(), capture.id);
    assert_eq!(only(store).error, None);
    let problems: Vec<String> = store.problems(at(0)).unwrap().into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(problems, ["another problem of the server"]);
    assert!(store.scrub().left.is_empty());
}

fn draft_keys(store: &dyn Store) {
    assert!(store.queue_draft(&new_draft(3), at(10)).unwrap());
    assert!(!store.queue_draft(&new_draft(3), at(11)).unwrap());
    let blog = NewDraft { kind: DraftKind::Blog, ..new_draft(3) };
    assert!(store.queue_draft(&blog, at(12)).unwrap());
    assert_eq!(store.drafts(Some(DraftState::Queued), Some("shop")).unwrap().len(), 2);
    assert_eq!(store.drafts(Some(DraftState::Ready), None).unwrap().len(), 0);
    assert_eq!(store.drafts(None, Some("other")).unwrap().len(), 0);
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
        assert_eq!(store.queue_draft(&new, at(10)).unwrap(), added, "{new:?}");
    }
    let found = store.drafts(None, Some("shop")).unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(store.drafts(None, Some("c/shop")).unwrap()[0].repo, of("", "c").repo);
    assert!(found.iter().any(|draft| draft.repo.is_none()));
}

fn moved_repositories(store: &dyn Store) {
    let repo = RepoRef { path: "/home/me/shop".into(), id: repo() };
    store.queue_draft(&NewDraft { repo: Some(repo.clone()), ..new_draft(3) }, at(10)).unwrap();
    let new = Registered {
        id: RepoId::of_common_dir(b"/home/me/moved/.git"),
        path: "/home/me/moved".into(),
        common_dir: "/home/me/moved/.git".into(),
        project: "moved".into(),
        since: at(1),
        means: Means::File,
        inode: None,
    };
    store.adopt(&repo.id, &new).unwrap();
    assert_eq!(only(store).repo, Some(RepoRef { path: "/home/me/moved".into(), id: new.id }));
}

fn leases(store: &dyn Store) {
    assert!(store.lease_draft(at(0), at(60)).unwrap().is_none());
    store.queue_draft(&new_draft(3), at(10)).unwrap();
    assert!(store.lease_draft(at(9), at(60)).unwrap().is_none(), "not due yet");
    let first = store.lease_draft(at(10), at(60)).unwrap().unwrap();
    assert_eq!((first.attempt, first.draft.state, first.until), (1, DraftState::Leased, at(60)));
    assert!(store.lease_draft(at(59), at(90)).unwrap().is_none(), "leased");
    let second = store.lease_draft(at(60), at(120)).unwrap().unwrap();
    assert_eq!((second.draft.id, second.attempt), (first.draft.id, 2));
    let stale = store.finish_draft(first.draft.id, 1, &written("Stale"), at(61));
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
    assert!(matches!(store.fail_draft(first.draft.id, 1, "x", at(61), at(61)), Err(StoreError::Conflict(_))));
    store.fail_draft(second.draft.id, 2, "model gone", at(200), at(70)).unwrap();
    let waiting = only(store);
    assert_eq!(
        (waiting.state, waiting.next_at, waiting.error.as_deref()),
        (DraftState::Queued, Some(at(200)), Some("model gone"))
    );
    assert!(store.lease_draft(at(199), at(300)).unwrap().is_none());
    let third = store.lease_draft(at(200), at(300)).unwrap().unwrap();
    store.finish_draft(third.draft.id, 3, &written("Day one"), at(210)).unwrap();
    let ready = only(store);
    assert_eq!((ready.state, ready.title.as_str(), ready.finished_at), (DraftState::Ready, "Day one", Some(at(210))));
    assert_eq!((ready.sources, ready.error, ready.model.as_deref()), (written("").sources, None, Some("codellama:7b")));
    assert_eq!(ready.quality, Some(quality()));
    assert!(matches!(store.finish_draft(third.draft.id, 3, &written("Twice"), at(220)), Err(StoreError::Conflict(_))));
    assert!(matches!(store.finish_draft(fresh_draft(), 1, &written("x"), at(1)), Err(StoreError::NotFound { .. })));
}

fn fresh_draft() -> DraftId {
    DraftId::fresh(&FakeClock::at(at(1)))
}

fn poison(store: &dyn Store) {
    store.queue_draft(&new_draft(2), at(0)).unwrap();
    let other = NewDraft { kind: DraftKind::Blog, ..new_draft(2) };
    store.queue_draft(&other, at(1)).unwrap();
    store.lease_draft(at(0), at(10)).unwrap().unwrap();
    let stale = store.lease_draft(at(10), at(20)).unwrap().unwrap();
    // Both workers died. The queue continues with the next draft.
    let next = store.lease_draft(at(20), at(30)).unwrap().unwrap();
    assert_eq!(next.draft.kind, DraftKind::Blog);
    let dead = store.draft(&stale.draft.id.to_string()).unwrap();
    assert_eq!((dead.state, dead.finished_at), (DraftState::Dead, Some(at(20))));
    assert!(dead.error.is_some());
    store.fail_draft(next.draft.id, 1, "once", at(21), at(21)).unwrap();
    let again = store.lease_draft(at(21), at(30)).unwrap().unwrap();
    store.fail_draft(again.draft.id, 2, "twice", at(22), at(22)).unwrap();
    assert_eq!(store.draft(&again.draft.id.to_string()).unwrap().state, DraftState::Dead);

    let retried = store.retry_draft(stale.draft.id, at(40)).unwrap();
    assert_eq!((retried.state, retried.error), (DraftState::Queued, None));
    let (one, two) =
        (store.lease_draft(at(40), at(50)).unwrap().unwrap(), store.lease_draft(at(50), at(60)).unwrap().unwrap());
    assert!(one.attempt > stale.attempt && two.attempt > one.attempt, "a token is never used twice");
    let late = store.finish_draft(stale.draft.id, stale.attempt, &written("From the first round"), at(51));
    assert!(matches!(late, Err(StoreError::Conflict(_))));
    assert!(store.lease_draft(at(60), at(70)).unwrap().is_none(), "two attempts, as at first");
}

fn edited_drafts(store: &dyn Store) {
    store.queue_draft(&new_draft(3), at(0)).unwrap();
    let edit = Edit { seconds: 31.5, distance: 0.2 };
    let id = only(store).id;
    assert!(matches!(store.edit_draft(id, "T", "B", edit), Err(StoreError::Conflict(_))), "nothing to edit yet");
    let lease = store.lease_draft(at(0), at(10)).unwrap().unwrap();
    store.finish_draft(id, lease.attempt, &written("Theirs"), at(5)).unwrap();
    assert_eq!(store.retry_draft(id, at(6)).unwrap().state, DraftState::Queued, "unedited: may be written again");
    let lease = store.lease_draft(at(6), at(16)).unwrap().unwrap();
    store.finish_draft(id, lease.attempt, &written("Theirs again"), at(7)).unwrap();
    let seen = |store: &dyn Store| store.evidence(at(0)).unwrap().remove(0);
    let before = seen(store);
    assert_eq!((before.model.as_str(), before.role), ("codellama:7b", Role::Devlog));
    assert_eq!((before.seen.rubric.n, before.seen.kept.n), (1, 0), "not reviewed yet");
    let edited = store.edit_draft(id, "Mine", "My body", edit).unwrap();
    let after = seen(store).seen;
    assert_eq!((after.rubric.n, after.kept.n, (after.kept.sum * 10.0).round()), (0, 1, 8.0));
    assert_eq!((edited.title.as_str(), edited.body.as_str(), edited.edit), ("Mine", "My body", Some(edit)));
    assert_eq!(edited.quality, None, "the score was that of another text");
    assert!(matches!(store.retry_draft(id, at(8)), Err(StoreError::Conflict(_))));
    assert!(!store.queue_draft(&new_draft(3), at(9)).unwrap());
    assert!(store.lease_draft(at(1000), at(1100)).unwrap().is_none());
    let wrong = store.move_draft(id, &[DraftState::Accepted], DraftState::Published, at(9));
    assert!(matches!(wrong, Err(StoreError::Conflict(message)) if message.contains("ready")));
    assert_eq!(
        store.move_draft(id, &[DraftState::Ready], DraftState::Accepted, at(9)).unwrap().state,
        DraftState::Accepted
    );
    assert_eq!(store.edit_draft(id, "Mine 2", "B", edit).unwrap().title, "Mine 2", "accepted may still be edited");
    let published = store.move_draft(id, &[DraftState::Accepted], DraftState::Published, at(10)).unwrap();
    assert_eq!((published.state, published.finished_at), (DraftState::Published, Some(at(7))));
    assert!(matches!(store.edit_draft(id, "T", "B", edit), Err(StoreError::Conflict(_))));
}
