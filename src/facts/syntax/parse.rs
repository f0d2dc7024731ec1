//! Parsing under one budget of time.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser, Range, Tree};

use super::grammar::{Grammar, SIDE_BYTES};
use crate::domain::clock::Clock;

/// What parsing the changed files of one commit may take in all: a template is due 30 ms later.
pub const BUDGET: Duration = Duration::from_millis(60);

/// A budget that is running out.
pub struct Parsing<'a> {
    clock: &'a dyn Clock,
    until: Instant,
}

impl std::fmt::Debug for Parsing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsing").field("until", &self.until).finish_non_exhaustive()
    }
}

impl<'a> Parsing<'a> {
    #[must_use]
    pub fn within(budget: Duration, clock: &'a dyn Clock) -> Self {
        let now = clock.instant();
        Self { clock, until: now.checked_add(budget).unwrap_or(now) }
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        self.clock.instant() >= self.until
    }

    /// The tree of the text, or of a range of it; absent where it is too large or time ran out.
    #[must_use]
    pub fn tree(&self, grammar: Grammar, source: &str, range: Option<Range>) -> Option<Tree> {
        if source.len() > SIDE_BYTES || self.is_over() {
            return None;
        }
        let mut parser = Parser::new();
        parser.set_language(&grammar.built()).ok()?;
        parser.set_included_ranges(range.as_slice()).ok()?;
        let mut late = |_: &tree_sitter::ParseState| {
            if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let bytes = source.as_bytes();
        let mut read = |at: usize, _| bytes.get(at..).unwrap_or(&[]);
        parser.parse_with_options(&mut read, None, Some(ParseOptions::new().progress_callback(&mut late)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use jiff::Timestamp;

    use super::*;
    use crate::domain::clock::{FakeClock, SystemClock};

    /// A clock on which every look costs a millisecond.
    struct Ticking(Instant, AtomicU64);

    impl Clock for Ticking {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn instant(&self) -> Instant {
            self.0 + Duration::from_millis(self.1.fetch_add(1, Ordering::Relaxed))
        }
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let clock = Ticking(SystemClock.instant(), AtomicU64::new(0));
        let long = "fn a() { b(c, d); }\n".repeat(5_000);
        assert!(Parsing::within(Duration::from_millis(20), &clock).tree(Grammar::Rust, &long, None).is_none());
        assert!(clock.1.load(Ordering::Relaxed) < 100, "it goes on after its time");
        assert!(Parsing::within(Duration::from_secs(3600), &clock).tree(Grammar::Rust, &long, None).is_some());
    }

    #[test]
    fn nothing_is_begun_when_the_time_is_over_or_the_text_too_large() {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let parsing = Parsing::within(BUDGET, &clock);
        assert!(parsing.tree(Grammar::C, &" ".repeat(SIDE_BYTES + 1), None).is_none());
        assert!(parsing.tree(Grammar::C, "int a;", None).is_some());
        clock.advance(BUDGET);
        assert!(parsing.tree(Grammar::C, "int a;", None).is_none());
    }
}
