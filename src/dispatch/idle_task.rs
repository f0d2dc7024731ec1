//! Scheduler of idle tasks: which one is next, by its use for the next commit; one at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Preferred;
use crate::config::{Config, PrefillMode, validate};

/// An idle task for the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdleTask {
    /// Probe endpoints and models with an open circuit breaker.
    ProbeBroken,
    /// Refresh the servers' model lists, so that no commit waits for them.
    RefreshLists,
    /// Load the captures' model and let it read the rules; measure it first if it was never run.
    Warm,
    /// Ask again for captures that kept their template for lack of time.
    Refine,
    /// Measure a model with a speed that the last decisions were uncertain about.
    Measure,
}

/// Candidate tasks, and the state of the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleFacts {
    /// Time since the last commit or other request.
    pub quiet: Duration,
    /// There was a commit within the last hours.
    pub lively: bool,
    /// Working hours; outside them the nightly batch runs.
    pub working: bool,
    pub pressed: bool,
    pub on_battery: bool,
    /// Whether models may work ahead of a commit.
    pub ahead: PrefillMode,
    /// An open breaker is due for a probe.
    pub down: bool,
    /// State of the model that a commit would ask; `None` where there is none.
    pub preferred: Option<Preferred>,
    /// Templates may be replaced.
    pub refine: bool,
    /// A model is due for measurement.
    pub doubt: bool,
    /// Tasks that were done a moment ago.
    pub resting: BTreeSet<IdleTask>,
}

/// A commit is often followed by another within this time.
pub const QUIET: Duration = Duration::from_secs(1);
/// After this pause no commit is imminent.
pub const IDLE: Duration = Duration::from_secs(20);

impl IdleFacts {
    /// On battery no task is worth its power, and under pressure a build comes first; the setting `always` overrides
    /// both.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.ahead == PrefillMode::Always || !(self.pressed || self.on_battery)
    }

    /// Whether tasks that help the next commit may run.
    #[must_use]
    pub fn may_prepare(&self) -> bool {
        self.lively && self.quiet >= QUIET && self.ahead != PrefillMode::Off && self.has_room()
    }

    /// Also under pressure: on a machine that is always busy, a model once found too slow would never be asked again,
    /// although it may be fast enough beside the usual load. Two short probes cost little beside a build.
    fn may_measure(&self) -> bool {
        let idle = self.lively && self.quiet >= IDLE;
        match self.ahead {
            PrefillMode::Off => false,
            PrefillMode::Always => idle,
            PrefillMode::Auto => idle && !self.on_battery,
        }
    }

    fn is_due(&self, task: IdleTask) -> bool {
        let idle = self.lively && self.quiet >= IDLE && self.has_room();
        match task {
            // It is cheap, and the next commit gets a model's text instead of a template.
            IdleTask::ProbeBroken => self.down,
            IdleTask::RefreshLists => self.may_prepare(),
            IdleTask::Warm => self.may_prepare() && self.working && self.preferred.is_some_and(Preferred::wants_warmth),
            IdleTask::Refine => idle && self.refine,
            IdleTask::Measure => self.doubt && self.may_measure(),
        }
    }
}

/// The next task, if any.
#[must_use]
pub fn next(facts: &IdleFacts) -> Option<IdleTask> {
    let all = [IdleTask::ProbeBroken, IdleTask::RefreshLists, IdleTask::Warm, IdleTask::Refine, IdleTask::Measure];
    all.into_iter().find(|task| facts.is_due(*task) && !facts.resting.contains(task))
}

/// Whether `now` is outside the window of the nightly batch, on the clock of this machine's time zone: then the captures'
/// model has the memory.
pub fn is_working_time(config: &Config, now: Timestamp) -> bool {
    let time = now.to_zoned(TimeZone::system()).time();
    let minute = |part: i8| u16::try_from(part).unwrap_or(0);
    is_outside(&config.drafts.window, minute(time.hour()) * 60 + minute(time.minute()))
}

/// `minute`: after midnight. An unreadable window was refused with the settings, and none is all day.
fn is_outside(window: &str, minute: u16) -> bool {
    match validate::window(window) {
        Ok((from, to)) if from < to => !(from..to).contains(&minute),
        Ok((from, to)) => (to..from).contains(&minute),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> IdleFacts {
        IdleFacts {
            quiet: IDLE,
            lively: true,
            working: true,
            pressed: false,
            on_battery: false,
            ahead: PrefillMode::Auto,
            down: true,
            preferred: Some(Preferred { cold: true, fits: true, unread: true, unknown: false }),
            refine: true,
            doubt: true,
            resting: BTreeSet::new(),
        }
    }

    /// Every task that would run, in order.
    fn all(mut facts: IdleFacts) -> Vec<IdleTask> {
        let mut done = Vec::new();
        while let Some(task) = next(&facts) {
            done.push(task);
            facts.resting.insert(task);
        }
        done
    }

    const ALL: [IdleTask; 5] =
        [IdleTask::ProbeBroken, IdleTask::RefreshLists, IdleTask::Warm, IdleTask::Refine, IdleTask::Measure];

    #[test]
    fn one_after_the_other_and_what_helps_the_next_commit_first() {
        assert_eq!(all(facts()), ALL);
        assert_eq!(
            all(IdleFacts { down: false, refine: false, doubt: false, ..facts() }),
            [IdleTask::RefreshLists, IdleTask::Warm]
        );
    }

    #[test]
    fn on_battery_only_what_is_down_is_probed_and_under_pressure_a_model_in_doubt_as_well() {
        let (pressed, on_battery) = (IdleFacts { pressed: true, ..facts() }, IdleFacts { on_battery: true, ..facts() });
        for (facts, done) in
            [(pressed, &[IdleTask::ProbeBroken, IdleTask::Measure][..]), (on_battery, &[IdleTask::ProbeBroken])]
        {
            assert_eq!(all(facts.clone()), done);
            assert_eq!(all(IdleFacts { ahead: PrefillMode::Always, ..facts }), ALL, "the setting demands it");
        }
    }

    #[test]
    fn no_task_runs_within_a_burst_of_commits_and_no_text_is_rewritten_before_a_pause() {
        assert_eq!(all(IdleFacts { quiet: Duration::from_millis(900), ..facts() }), [IdleTask::ProbeBroken]);
        assert_eq!(
            all(IdleFacts { quiet: Duration::from_secs(19), ..facts() }),
            [IdleTask::ProbeBroken, IdleTask::RefreshLists, IdleTask::Warm]
        );
    }

    #[test]
    fn after_long_without_commits_or_when_switched_off_no_model_is_prepared() {
        assert_eq!(all(IdleFacts { lively: false, ..facts() }), [IdleTask::ProbeBroken]);
        assert_eq!(all(IdleFacts { ahead: PrefillMode::Off, ..facts() }), [IdleTask::ProbeBroken, IdleTask::Refine]);
    }

    #[test]
    fn only_a_model_that_is_cold_or_has_not_read_the_rules_is_warmed_and_not_at_night() {
        let warmed =
            |preferred: Preferred| all(IdleFacts { preferred: Some(preferred), ..facts() }).contains(&IdleTask::Warm);
        let warm = Preferred { cold: false, fits: true, unread: false, unknown: false };
        assert!(!warmed(warm));
        assert!(warmed(Preferred { cold: true, ..warm }) && warmed(Preferred { unread: true, ..warm }));
        assert!(warmed(Preferred { unknown: true, ..warm }));
        assert!(!warmed(Preferred { cold: true, fits: false, ..warm }), "it would push out what is used");
        assert!(!all(IdleFacts { preferred: None, ..facts() }).contains(&IdleTask::Warm));
        assert!(!all(IdleFacts { working: false, ..facts() }).contains(&IdleTask::Warm));
    }

    #[test]
    fn a_window_may_lie_within_one_night_or_begin_in_the_evening() {
        let at = |window, hour: u16| is_outside(window, hour * 60);
        assert_eq!([1, 2, 5, 6, 12].map(|hour| at("02:00-06:00", hour)), [true, false, false, true, true]);
        assert_eq!([21, 22, 0, 5, 6].map(|hour| at("22:00-06:00", hour)), [true, false, false, false, true]);
        assert!(at("never", 3));
    }
}
