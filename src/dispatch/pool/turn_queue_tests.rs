//! Invariants of the queue under random schedules.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::clock::{Clock, SystemClock};

const RANKS: [Urgency; 4] = [Urgency::Urgent, Urgency::Interactive, Urgency::Ahead, Urgency::Batch];

#[derive(Debug, Clone)]
enum Act {
    Join(usize),
    /// A waiting or running caller, counted from the first.
    Leave(usize),
    End(usize),
    Slots(usize),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..RANKS.len()).prop_map(Act::Join),
        1 => (0..8_usize).prop_map(Act::Leave),
        3 => (0..4_usize).prop_map(Act::End),
        1 => (0..4_usize).prop_map(Act::Slots),
        1 => (0..400_u64).prop_map(Act::Pass),
    ]
}

/// Independent bookkeeping that every schedule is checked against.
#[derive(Default)]
struct Book {
    waiting: BTreeSet<(Urgency, Id)>,
    running: BTreeMap<Id, Urgency>,
    recalled: BTreeSet<Id>,
    joined: usize,
    left: usize,
    recalls: u64,
}

impl Book {
    fn enter(&mut self, moves: &Moves, slots: usize) {
        for id in &moves.starts {
            assert!(self.running.len() < slots, "beyond the slots");
            let first = self.waiting.pop_first().unwrap();
            assert_eq!(first.1, *id, "out of order");
            self.running.insert(*id, first.0);
        }
        for id in &moves.recalls {
            let urgency = self.running[id];
            assert!(matches!(urgency, Urgency::Ahead | Urgency::Batch), "a capture was interrupted");
            assert!(self.waiting.iter().any(|(waits, _)| *waits < urgency), "a recall without a waiting caller");
            assert!(self.recalled.insert(*id), "recalled twice");
            self.recalls += 1;
        }
    }

    fn check(&self, line: &TurnQueue, slots: usize) {
        assert!(self.running.len() >= slots || self.waiting.is_empty(), "a free slot and a waiting caller");
        assert_eq!(self.joined, self.waiting.len() + self.running.len() + self.left, "a caller was lost");
        assert_eq!(line.waiting.keys().copied().collect::<BTreeSet<_>>(), self.waiting);
        assert_eq!(line.running.keys().collect::<Vec<_>>(), self.running.keys().collect::<Vec<_>>());
        assert_eq!(line.recalled_total(), self.recalls);
        if let Some((first, _)) = self.waiting.first() {
            let yields = |(id, urgency): (&Id, &Urgency)| {
                !self.recalled.contains(id) && *urgency >= Urgency::Ahead && first < urgency
            };
            let coming = self.recalled.iter().filter(|id| self.running.contains_key(id)).count();
            let enough = coming > self.running.len() - slots;
            assert!(enough || !self.running.iter().any(yields), "a less urgent turn was not recalled");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_schedule_keeps_the_slots_and_the_order_and_loses_no_caller(acts in prop::collection::vec(act(), 1..120)) {
        let (mut line, mut book, mut slots) = (TurnQueue::new(), Book::default(), 1);
        let mut now = SystemClock.instant();
        for act in acts {
            match act {
                Act::Join(rank) => {
                    let id = line.join(RANKS[rank], Duration::from_secs(1));
                    book.waiting.insert((RANKS[rank], id));
                    book.joined += 1;
                }
                Act::Leave(nth) => if let Some((urgency, id)) = book.waiting.iter().nth(nth).copied() {
                    prop_assert!(line.leave(urgency, id) && !line.leave(urgency, id));
                    book.waiting.remove(&(urgency, id));
                    book.left += 1;
                },
                Act::End(nth) => if let Some(id) = book.running.keys().nth(nth).copied() {
                    line.end(id, now);
                    book.running.remove(&id);
                    book.left += 1;
                },
                Act::Slots(to) => {
                    line.set_slots(to);
                    slots = to.max(1);
                }
                Act::Pass(ms) => now += Duration::from_millis(ms),
            }
            let before = book.running.len();
            let moves = line.settle(now);
            book.enter(&moves, slots);
            prop_assert!(book.running.len() <= slots.max(before));
            book.check(&line, slots);
            prop_assert_eq!(line.settle(now), Moves::default(), "settled twice is settled once");
            prop_assert!(line.release >= RELEASE_BOUNDS[0] && line.release <= RELEASE_BOUNDS[1]);
        }
    }
}

#[test]
fn of_several_the_least_urgent_makes_room_and_of_those_the_last_begun() {
    let now = SystemClock.instant();
    let mut line = TurnQueue::new();
    line.set_slots(3);
    let [first, second, third] = [Urgency::Batch, Urgency::Batch, Urgency::Ahead].map(|urgency| {
        let id = line.join(urgency, Duration::ZERO);
        line.settle(now + Duration::from_millis(id));
        id
    });
    let mut recalled = |urgency| {
        line.join(urgency, Duration::ZERO);
        line.settle(now).recalls
    };
    assert_eq!(recalled(Urgency::Urgent), [second]);
    assert_eq!(recalled(Urgency::Urgent), [first]);
    assert!(recalled(Urgency::Ahead).is_empty(), "prefill turns do not preempt each other");
    assert_eq!(recalled(Urgency::Interactive), [third]);
}

#[test]
fn what_a_release_takes_is_learned() {
    let mut now = SystemClock.instant();
    let mut line = TurnQueue::new();
    for _ in 0..30 {
        let batch = line.join(Urgency::Batch, Duration::ZERO);
        line.settle(now);
        let urgent = line.join(Urgency::Urgent, Duration::ZERO);
        assert_eq!(line.settle(now).recalls, [batch]);
        now += Duration::from_millis(70);
        line.end(batch, now);
        assert_eq!(line.settle(now).starts, [urgent]);
        line.end(urgent, now);
    }
    assert!(line.release.abs_diff(Duration::from_millis(70)) < Duration::from_millis(2), "{:?}", line.release);
}
