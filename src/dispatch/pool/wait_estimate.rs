//! Wait estimate: expected queueing time by the declared durations of running and waiting turns.

use std::time::{Duration, Instant};

use super::turn_queue::{Running, TurnQueue};
use crate::route::signals::Urgency;

/// Expected wait of a request of `urgency` that came now.
pub(super) fn wait(line: &TurnQueue, urgency: Urgency, now: Instant) -> Duration {
    let mut free = free_after(line, urgency, now);
    for ((_, _), lasts) in line.waiting.range(..=(urgency, u64::MAX)) {
        // An earlier waiter takes the slot that is free first, for its declared duration.
        if let Some(first) = free.iter_mut().min() {
            *first = first.saturating_add(*lasts);
        }
    }
    free.into_iter().min().unwrap_or_default()
}

/// Time after which each slot is free for `urgency`.
fn free_after(line: &TurnQueue, urgency: Urgency, now: Instant) -> Vec<Duration> {
    let mut left: Vec<Duration> =
        line.running.values().map(|turn| time_left(turn, urgency, line.release, now)).collect();
    left.sort_unstable();
    // After a reduction of the slots, the first turns that end free nothing.
    let mut free = left.split_off(left.len().saturating_sub(line.slots()));
    free.resize(line.slots(), Duration::ZERO);
    free
}

/// Remaining time of a turn; the release time where it yields to `urgency`.
fn time_left(running: &Running, urgency: Urgency, release: Duration, now: Instant) -> Duration {
    let by_itself = match running.end.checked_duration_since(now) {
        Some(left) => left,
        // An overdue turn is expected to take as long again as it is late.
        None => now.saturating_duration_since(running.end),
    };
    match running.recalled {
        Some(at) => release.saturating_sub(now.saturating_duration_since(at)).min(by_itself),
        None if running.yields_to(urgency) => release.min(by_itself),
        None => by_itself,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{Clock, SystemClock};
    use crate::route::signals::Urgency::{Ahead, Batch, Interactive, Urgent};

    const SECOND: Duration = Duration::from_secs(1);

    fn line(slots: usize, running: &[Urgency], waiting: &[Urgency]) -> (TurnQueue, Instant) {
        let now = SystemClock.instant();
        let mut line = TurnQueue::new();
        line.set_slots(slots);
        for urgency in running {
            line.join(*urgency, 10 * SECOND);
            line.settle(now);
        }
        assert!(line.waiting.is_empty());
        for urgency in waiting {
            line.join(*urgency, 3 * SECOND);
        }
        (line, now)
    }

    #[test]
    fn a_free_slot_is_there_at_once() {
        let (line, now) = line(2, &[Batch], &[]);
        assert_eq!(wait(&line, Batch, now), Duration::ZERO);
    }

    #[test]
    fn what_makes_room_costs_only_its_release_and_what_does_not_its_rest() {
        let (batch, now) = line(1, &[Batch], &[]);
        assert_eq!(wait(&batch, Urgent, now), batch.release);
        assert_eq!(wait(&batch, Ahead, now), batch.release);
        assert_eq!(wait(&batch, Batch, now + 4 * SECOND), 6 * SECOND);
        let (capture, now) = line(1, &[Interactive], &[]);
        assert_eq!(wait(&capture, Urgent, now + SECOND), 9 * SECOND);
    }

    #[test]
    fn callers_ahead_are_waited_for_and_those_behind_are_not() {
        let (line, now) = line(1, &[Interactive], &[Interactive, Batch, Urgent]);
        assert_eq!(wait(&line, Urgent, now), 13 * SECOND);
        assert_eq!(wait(&line, Interactive, now), 16 * SECOND);
        assert_eq!(wait(&line, Batch, now), 19 * SECOND);
    }

    #[test]
    fn two_slots_share_the_waiting_callers() {
        let (line, now) = line(2, &[Interactive, Interactive], &[Interactive, Interactive]);
        assert_eq!(wait(&line, Interactive, now), 13 * SECOND);
    }

    #[test]
    fn what_is_late_is_expected_to_take_as_long_again() {
        let (line, now) = line(1, &[Interactive], &[]);
        assert_eq!(wait(&line, Urgent, now + 12 * SECOND), 2 * SECOND);
    }

    #[test]
    fn of_fewer_slots_the_first_that_end_free_nothing() {
        let (mut line, now) = line(3, &[Interactive, Interactive, Interactive], &[]);
        for (id, seconds) in [(0, 1), (1, 2), (2, 5)] {
            line.expect(id, now + seconds * SECOND);
        }
        assert_eq!(wait(&line, Interactive, now), SECOND);
        line.set_slots(1);
        assert_eq!(wait(&line, Interactive, now), 5 * SECOND);
    }
}
