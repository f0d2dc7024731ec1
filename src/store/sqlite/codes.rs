//! Stable integer codes for enumerations on disk. Never renumber; append new ones.

use crate::domain::capture::{AuthoredBy, CaptureKind, CaptureState, Reason};
use crate::domain::event::Source;
use crate::domain::operation::PrefillOutcome;

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

impl Coded for CaptureKind {
    const ALL: &'static [Self] = &[Self::Commit, Self::Merge, Self::Note];
}

impl Coded for CaptureState {
    const ALL: &'static [Self] = &[Self::Live, Self::Superseded];
}

impl Coded for Source {
    const ALL: &'static [Self] = &[Self::Hook, Self::Watch, Self::Reconcile, Self::Manual, Self::Backfill];
}

impl Coded for AuthoredBy {
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

impl Coded for PrefillOutcome {
    const ALL: &'static [Self] = &[Self::None, Self::Complete, Self::Partial, Self::Missed];
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

/// The column `class` of `captures`, decoded; a part is absent where its code is unknown.
#[derive(Debug, Clone, Copy)]
pub struct CaptureClass {
    pub state: Option<CaptureState>,
    pub kind: Option<CaptureKind>,
    pub source: Option<Source>,
    pub by: Option<AuthoredBy>,
    pub reason: Option<Reason>,
    pub punctual: Option<Punctual>,
}

impl CaptureClass {
    pub fn decode(code: i64) -> Self {
        fn part<T: Coded>(code: i64, shift: u32, bits: u32) -> Option<T> {
            T::decode((code >> shift) & ((1 << bits) - 1))
        }
        Self {
            state: part(code, 0, 1),
            kind: part(code, 1, 2),
            source: part(code, 3, 3),
            by: part(code, 6, 2),
            reason: part(code, 8, 4),
            punctual: part(code, 12, 2),
        }
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
        returns::<CaptureKind>();
        returns::<CaptureState>();
        returns::<Source>();
        returns::<AuthoredBy>();
        returns::<Reason>();
        returns::<Punctual>();
        returns::<PrefillOutcome>();
    }

    #[test]
    fn numbers_on_disk_stay_what_they_were() {
        assert_eq!((CaptureState::Live.code(), CaptureState::Superseded.code()), (0, 1), "partial indexes name them");
        assert_eq!(Reason::Pending.code(), 1, "a partial index names it");
        assert_eq!((CaptureKind::Note.code(), AuthoredBy::Human.code(), Source::Backfill.code()), (2, 2, 4));
        assert_eq!((Reason::Deadline.code(), Reason::Overflow.code()), (6, 11));
        assert_eq!((PrefillOutcome::None.code(), PrefillOutcome::Missed.code()), (0, 3));
    }
}
