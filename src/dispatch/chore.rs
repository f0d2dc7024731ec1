//! What the models are to do while nobody waits: one thing at a time, the one that helps the next commit most.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Preferred;
use crate::config::ReadAhead;

/// Something to do in a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chore {
    /// Find out whether what was down is back.
    Revive,
    /// Ask the servers what they offer, so that no commit waits for it.
    Look,
    /// Load the captures' model and let it read the rules; measure it first if it was never run.
    Warm,
    /// Ask again about captures whose template stands for want of time.
    Refine,
    /// Find out how fast a model is that the last decisions would have liked to know better.
    Measure,
}

/// What there is to choose from, and the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Since the last commit, or whatever else somebody wanted.
    pub quiet: Duration,
    /// Somebody committed within the last hours.
    pub lively: bool,
    /// People work; else the nightly batch does.
    pub working: bool,
    pub pressed: bool,
    pub on_battery: bool,
    /// Whether models may do anything ahead of a commit.
    pub ahead: ReadAhead,
    /// Something that is down is due for a probe.
    pub down: bool,
    /// Who would be asked about a commit; nothing where nobody would.
    pub preferred: Option<Preferred>,
    /// Templates may be replaced.
    pub refine: bool,
    /// Somebody is worth measuring.
    pub doubt: bool,
    /// Those that were done a moment ago.
    pub resting: BTreeSet<Chore>,
}

/// A commit seldom comes alone.
pub const QUIET: Duration = Duration::from_secs(1);
/// Nobody is in the midst of something: whoever pauses so long is not about to commit.
pub const IDLE: Duration = Duration::from_secs(20);

impl Facts {
    /// On battery nothing is worth its power, and under pressure a build is worth more; whoever says `always` has decided
    /// otherwise.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.ahead == ReadAhead::Always || !(self.pressed || self.on_battery)
    }

    /// Whether anything may be done that helps the next commit.
    #[must_use]
    pub fn may_prepare(&self) -> bool {
        self.lively && self.quiet >= QUIET && self.ahead != ReadAhead::Off && self.has_room()
    }

    /// Under pressure as well: on a machine that is always busy a model that was once found too slow would never be
    /// asked again, although it may be fast enough beside the usual work. Two short probes are little beside a build.
    fn may_measure(&self) -> bool {
        let idle = self.lively && self.quiet >= IDLE;
        match self.ahead {
            ReadAhead::Off => false,
            ReadAhead::Always => idle,
            ReadAhead::Auto => idle && !self.on_battery,
        }
    }

    fn is_due(&self, chore: Chore) -> bool {
        let idle = self.lively && self.quiet >= IDLE && self.has_room();
        match chore {
            // It costs next to nothing, and whoever commits next gets words instead of a template.
            Chore::Revive => self.down,
            Chore::Look => self.may_prepare(),
            Chore::Warm => self.may_prepare() && self.working && self.preferred.is_some_and(Preferred::wants_warmth),
            Chore::Refine => idle && self.refine,
            Chore::Measure => self.doubt && self.may_measure(),
        }
    }
}

/// What to do next, if anything.
#[must_use]
pub fn next(facts: &Facts) -> Option<Chore> {
    let all = [Chore::Revive, Chore::Look, Chore::Warm, Chore::Refine, Chore::Measure];
    all.into_iter().find(|chore| facts.is_due(*chore) && !facts.resting.contains(chore))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            quiet: IDLE,
            lively: true,
            working: true,
            pressed: false,
            on_battery: false,
            ahead: ReadAhead::Auto,
            down: true,
            preferred: Some(Preferred { cold: true, fits: true, unread: true, unknown: false }),
            refine: true,
            doubt: true,
            resting: BTreeSet::new(),
        }
    }

    /// Everything that would be done one after the other.
    fn all(mut facts: Facts) -> Vec<Chore> {
        let mut done = Vec::new();
        while let Some(chore) = next(&facts) {
            done.push(chore);
            facts.resting.insert(chore);
        }
        done
    }

    const ALL: [Chore; 5] = [Chore::Revive, Chore::Look, Chore::Warm, Chore::Refine, Chore::Measure];

    #[test]
    fn one_after_the_other_and_what_helps_the_next_commit_first() {
        assert_eq!(all(facts()), ALL);
        assert_eq!(all(Facts { down: false, refine: false, doubt: false, ..facts() }), [Chore::Look, Chore::Warm]);
    }

    #[test]
    fn on_battery_only_what_is_down_is_probed_and_under_pressure_who_is_in_doubt_as_well() {
        let (pressed, on_battery) = (Facts { pressed: true, ..facts() }, Facts { on_battery: true, ..facts() });
        for (facts, done) in [(pressed, &[Chore::Revive, Chore::Measure][..]), (on_battery, &[Chore::Revive])] {
            assert_eq!(all(facts.clone()), done);
            assert_eq!(all(Facts { ahead: ReadAhead::Always, ..facts }), ALL, "somebody wants it so");
        }
    }

    #[test]
    fn nobody_is_disturbed_in_the_midst_of_a_burst_and_no_text_is_rewritten_before_they_pause() {
        assert_eq!(all(Facts { quiet: Duration::from_millis(900), ..facts() }), [Chore::Revive]);
        assert_eq!(all(Facts { quiet: Duration::from_secs(19), ..facts() }), [Chore::Revive, Chore::Look, Chore::Warm]);
    }

    #[test]
    fn who_has_not_committed_for_long_or_does_not_want_it_is_left_alone() {
        assert_eq!(all(Facts { lively: false, ..facts() }), [Chore::Revive]);
        assert_eq!(all(Facts { ahead: ReadAhead::Off, ..facts() }), [Chore::Revive, Chore::Refine]);
    }

    #[test]
    fn only_a_model_that_is_cold_or_has_not_read_the_rules_is_warmed_and_not_at_night() {
        let warmed = |preferred: Preferred| all(Facts { preferred: Some(preferred), ..facts() }).contains(&Chore::Warm);
        let warm = Preferred { cold: false, fits: true, unread: false, unknown: false };
        assert!(!warmed(warm));
        assert!(warmed(Preferred { cold: true, ..warm }) && warmed(Preferred { unread: true, ..warm }));
        assert!(warmed(Preferred { unknown: true, ..warm }));
        assert!(!warmed(Preferred { cold: true, fits: false, ..warm }), "it would push out what is used");
        assert!(!all(Facts { preferred: None, ..facts() }).contains(&Chore::Warm));
        assert!(!all(Facts { working: false, ..facts() }).contains(&Chore::Warm));
    }
}
