//! Stable integer codes for enumerations on disk. Never renumber; append new ones.

use crate::domain::capture::{By, Kind, Reason, State};
use crate::domain::event::Source;
use crate::domain::operation::Ahead;

/// An enumeration with a code per value: its index in `ALL`.
pub trait Coded: Copy + PartialEq + 'static {
    const ALL: &'static [Self];

    fn code(self) -> i64 {
        Self::ALL.iter().position(|value| *value == self).unwrap_or(0) as i64
    }

    fn decode(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|index| Self::ALL.get(index).copied())
    }
}

impl Coded for Kind {
    const ALL: &'static [Self] = &[Self::Commit, Self::Merge, Self::Note];
}

impl Coded for State {
    const ALL: &'static [Self] = &[Self::Live, Self::Superseded];
}

impl Coded for Source {
    const ALL: &'static [Self] = &[Self::Hook, Self::Watch, Self::Reconcile, Self::Manual, Self::Backfill];
}

impl Coded for By {
    const ALL: &'static [Self] = &[Self::Model, Self::Template, Self::Human];
}

impl Coded for Reason {
    const ALL: &'static [Self] = &[
        Self::None,
        Self::Pending,
        Self::Disabled,
        Self::BreakerOpen,
        Self::Cold,
        Self::PredictedMiss,
        Self::Deadline,
        Self::Salvaged,
        Self::Ungrounded,
        Self::Unusable,
        Self::Refused,
        Self::Overflow,
    ];
}

impl Coded for Ahead {
    const ALL: &'static [Self] = &[Self::None, Self::Whole, Self::Part, Self::Missed];
}

/// Whether a budget was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Punctual {
    /// No budget, or not final yet.
    Unjudged,
    Late,
    OnTime,
}

impl Coded for Punctual {
    const ALL: &'static [Self] = &[Self::Unjudged, Self::Late, Self::OnTime];
}

/// The column `class` of `captures`, decoded.
#[derive(Debug, Clone, Copy)]
pub struct Class(pub i64);

impl Class {
    fn part<T: Coded>(self, shift: u32, bits: u32) -> Option<T> {
        T::decode((self.0 >> shift) & ((1 << bits) - 1))
    }

    pub fn state(self) -> Option<State> {
        self.part(0, 1)
    }

    pub fn kind(self) -> Option<Kind> {
        self.part(1, 2)
    }

    pub fn source(self) -> Option<Source> {
        self.part(3, 3)
    }

    pub fn by(self) -> Option<By> {
        self.part(6, 2)
    }

    pub fn reason(self) -> Option<Reason> {
        self.part(8, 4)
    }

    pub fn punctual(self) -> Option<Punctual> {
        self.part(12, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns<T: Coded + std::fmt::Debug>() {
        for value in T::ALL {
            assert_eq!(T::decode(value.code()), Some(*value));
        }
        assert_eq!(T::decode(T::ALL.len() as i64), None);
        assert_eq!(T::decode(-1), None);
    }

    #[test]
    fn every_value_comes_back_from_its_number() {
        returns::<Kind>();
        returns::<State>();
        returns::<Source>();
        returns::<By>();
        returns::<Reason>();
        returns::<Punctual>();
        returns::<Ahead>();
    }

    #[test]
    fn numbers_on_disk_stay_what_they_were() {
        assert_eq!((State::Live.code(), State::Superseded.code()), (0, 1), "partial indexes name them");
        assert_eq!(Reason::Pending.code(), 1, "a partial index names it");
        assert_eq!((Kind::Note.code(), By::Human.code(), Source::Backfill.code()), (2, 2, 4));
        assert_eq!((Reason::Deadline.code(), Reason::Overflow.code()), (6, 11));
        assert_eq!((Ahead::None.code(), Ahead::Missed.code()), (0, 3));
    }
}
