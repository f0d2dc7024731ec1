//! Classification of reflog lines as git writes them.

use proptest::prelude::*;

use super::*;

fn id(n: u32) -> Option<Oid> {
    format!("{n:040x}").parse().ok()
}

/// Lines `(old, new, message)`; 0 stands for no commit.
fn lines(table: &[(u32, u32, &str)]) -> Vec<ReflogLine> {
    let line = |(at, (old, new, message)): (usize, &(u32, u32, &str))| ReflogLine {
        old: id(*old),
        new: id(*new),
        at: Timestamp::from_second(i64::try_from(at).unwrap()).unwrap(),
        message: (*message).to_owned(),
    };
    table.iter().enumerate().map(line).collect()
}

fn oid(n: u32) -> Oid {
    id(n).unwrap()
}

fn made(n: u32, replaces: &[u32], step: bool) -> RefChange {
    RefChange::Committed { oid: oid(n), replaces: replaces.iter().map(|n| oid(*n)).collect(), step }
}

fn pulled(from: u32, to: u32) -> RefChange {
    RefChange::Pulled { from: id(from), to: oid(to) }
}

fn moved(from: u32, to: u32) -> RefChange {
    RefChange::UnloggedMove { from: id(from), to: oid(to) }
}

fn ref_updates(table: &[(u32, u32, &str)]) -> Vec<RefChange> {
    classify_lines(&lines(table), 0).changes.into_iter().map(|entry| entry.change).collect()
}

#[test]
fn every_kind_of_line_has_its_deed() {
    let table = [
        ((0, 1, "commit (initial): a"), made(1, &[], false)),
        ((1, 2, "commit: b"), made(2, &[], false)),
        ((2, 3, "commit (amend): b"), made(3, &[2], false)),
        ((3, 4, "commit (merge): Merge branch 'x'"), made(4, &[], false)),
        ((4, 5, "commit (cherry-pick): c"), made(5, &[], false)),
        ((5, 6, "cherry-pick: c"), made(6, &[], false)),
        ((6, 7, "revert: Revert \"c\""), made(7, &[], false)),
        ((7, 8, "am: d"), made(8, &[], true)),
        ((8, 9, "merge x: Merge made by the 'ort' strategy."), made(9, &[], false)),
        ((9, 10, "pull -q --no-rebase: Merge made by the 'ort' strategy."), made(10, &[], false)),
        ((10, 11, "rebase (pick): e"), made(11, &[], true)),
        ((11, 12, "rebase (fixup): e"), made(12, &[11], true)),
        ((12, 13, "rebase (squash): e"), made(13, &[12], true)),
        ((13, 14, "merge x: Fast-forward"), pulled(13, 14)),
        ((14, 15, "pull -q: Fast-forward"), pulled(14, 15)),
        ((15, 16, "reset: moving to HEAD~1"), pulled(15, 16)),
        ((16, 17, "checkout: moving from main to x"), pulled(16, 17)),
        ((0, 18, "clone: from https://example.org/x"), pulled(0, 18)),
        ((0, 19, "branch: Created from HEAD"), pulled(0, 19)),
        ((18, 19, "fetch -q . main:x: storing head"), pulled(18, 19)),
        ((19, 20, "push"), pulled(19, 20)),
        ((20, 21, "am --abort"), pulled(20, 21)),
        ((0, 22, "initial pull"), pulled(0, 22)),
        ((22, 23, "rewritten during rebase"), pulled(22, 23)),
        ((23, 24, "rebase (finish): refs/heads/x onto 1234"), pulled(23, 24)),
        ((24, 25, ""), moved(24, 25)),
        ((0, 26, "fast-import"), moved(0, 26)),
        ((26, 27, "export from jj"), moved(26, 27)),
        ((27, 28, "filter-branch: rewrite"), moved(27, 28)),
    ];
    for (line, ref_update) in table {
        assert_eq!(ref_updates(&[line]), [ref_update], "{line:?}");
    }
}

#[test]
fn what_moved_nothing_or_deleted_tells_nothing() {
    let table = [
        (1, 1, "reset: moving to HEAD"),
        (1, 1, "rebase (finish): returning to refs/heads/x"),
        (1, 1, "Branch: renamed refs/heads/x to refs/heads/y"),
        (1, 1, "checkout: moving from a to b"),
        (1, 0, ""),
    ];
    for line in table {
        assert_eq!(ref_updates(&[line]), [], "{line:?}");
    }
}

#[test]
fn only_fresh_lines_are_told() {
    let log = lines(&[(0, 1, "commit: a"), (1, 2, "commit: b")]);
    let changes = classify_lines(&log, 1).changes;
    assert_eq!(changes, [EntryChange { line: 1, at: log[1].at, change: made(2, &[], false) }]);
}

#[test]
fn a_commit_right_after_resets_asks_for_what_they_took_away() {
    let log = lines(&[
        (1, 2, "commit: b"),
        (2, 3, "commit: c"),
        (3, 2, "reset: moving to HEAD~1"),
        (2, 2, "reset: moving to HEAD"),
        (2, 1, "reset: moving to HEAD~1"),
        (1, 4, "commit: c"),
    ]);
    let asked = [OpenQuestion::Recommitted { line: 5, base: oid(1), tip: oid(3) }];
    assert_eq!(classify_lines(&log, 0).questions, asked);
    assert_eq!(classify_lines(&log, 5).questions, asked);
    let other =
        lines(&[(3, 1, "reset: moving to HEAD~1"), (1, 2, "checkout: moving from a to b"), (2, 4, "commit: c")]);
    assert_eq!(classify_lines(&other, 0).questions, []);
}

const REBASE: [(u32, u32, &str); 7] = [
    (5, 10, "rebase (start): checkout main"),
    (10, 11, "rebase (pick): a"),
    (11, 12, "rebase (squash): a and b"),
    (12, 13, "rebase (edit): c"),
    (13, 14, "commit (amend): c"),
    (14, 15, "rebase (continue): d"),
    (15, 15, "rebase (finish): returning to refs/heads/x"),
];

#[test]
fn a_finished_rebase_asks_what_its_steps_stand_for() {
    let log = classify_lines(&lines(&REBASE), 3);
    let Some(OpenQuestion::Rebased(rebase)) = log.questions.last() else { panic!("{:?}", log.questions) };
    assert_eq!((rebase.line, &rebase.from, &rebase.to), (6, &oid(5), &oid(15)));
    assert_eq!(rebase.branch.as_deref(), Some("refs/heads/x"));
    let steps: Vec<_> = rebase.steps.iter().map(|step| (step.oid.clone(), step.folds)).collect();
    let expected = [(11, false), (12, true), (13, false), (14, false), (15, false)];
    assert_eq!(steps, expected.map(|(n, folds)| (oid(n), folds)));
    assert!(!lacks_rebase_start(&lines(&REBASE), 3));
    assert!(lacks_rebase_start(&lines(&REBASE[2..]), 1));
}

#[test]
fn a_rebase_without_a_branch_ends_when_something_else_begins() {
    let log = lines(&[
        (5, 10, "rebase (start): checkout main"),
        (10, 11, "rebase (pick): a"),
        (11, 1, "checkout: moving from 11 to main"),
    ]);
    let log = classify_lines(&log, 0);
    assert!(
        matches!(&log.questions[..], [OpenQuestion::Rebased(rebase)] if rebase.to == oid(11) && rebase.branch.is_none())
    );
}

#[test]
fn a_rebase_that_was_given_up_says_what_it_threw_away() {
    let log = lines(&[
        (5, 10, "rebase (start): checkout main"),
        (10, 11, "rebase (pick): a"),
        (11, 5, "rebase (abort): returning to refs/heads/x"),
        (5, 6, "commit: b"),
    ]);
    assert_eq!(classify_lines(&log, 0).questions, [OpenQuestion::Aborted(1..2)]);
}

fn a_message() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "commit: a",
            "commit (amend): a",
            "commit (rebase): a",
            "reset: moving to x",
            "rebase (start): checkout x",
            "rebase (pick): a",
            "rebase (squash): a",
            "rebase (reword): a",
            "rebase: fast-forward",
            "rebase (continue): a",
            "rebase (finish): returning to refs/heads/x",
            "rebase (abort): returning to refs/heads/x",
            "am: a",
            "",
            "checkout: moving from a to b",
            "merge x: Fast-forward",
            "pull --rebase (pick): a",
            "export from jj",
        ])
        .prop_map(str::to_owned),
        ".*",
    ]
}

fn a_log() -> impl Strategy<Value = Vec<ReflogLine>> {
    let line = (0_u32..6, 0_u32..6, a_message(), 0_i64..9);
    let line = line.prop_map(|(old, new, message, at)| ReflogLine {
        old: id(old),
        new: id(new),
        at: Timestamp::from_second(at).unwrap(),
        message,
    });
    prop::collection::vec(line, 0..24)
}

proptest! {
    #[test]
    fn two_halves_tell_the_same_as_the_whole(log in a_log(), cut in 0_usize..24) {
        let cut = cut.min(log.len());
        let (mut first, second) = (classify_lines(&log[..cut], 0), classify_lines(&log, cut));
        first.changes.extend(second.changes);
        first.questions.extend(second.questions);
        prop_assert_eq!(first, classify_lines(&log, 0));
    }

    #[test]
    fn no_bytes_make_it_panic(tails in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8), n in 0_usize..9) {
        let head = |at: usize| format!("{:040x} {:040x} A <a@b> 17{at} +0000\t", at % 3, (at + 1) % 3).into_bytes();
        let text: Vec<u8> = tails.iter().enumerate().flat_map(|(at, tail)| [head(at).as_slice(), tail, b"\n"].concat()).collect();
        let log: Vec<ReflogLine> = text.split(|byte| *byte == b'\n').filter_map(ReflogLine::parse).collect();
        prop_assert!(log.len() >= tails.len());
        let classified = classify_lines(&log, n.min(log.len()));
        prop_assert!(classified.changes.len() <= log.len());
        prop_assert!(!lacks_rebase_start(&log, log.len()));
    }
}
