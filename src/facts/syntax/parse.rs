//! Time budget for parsing, in processor time.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser, Range, Tree};

use super::grammar::{Grammar, SIDE_BYTES};
use crate::domain::clock::Clock;

/// Processor time for parsing all changed files of a commit. Not wall-clock time, so that the result does not depend on
/// the machine's load.
const BUDGET: Duration = Duration::from_millis(60);
/// With more files, single definitions are not described.
const MANY: usize = 100;

/// Budget for this number of files.
pub fn budget(files: usize) -> Duration {
    if files > MANY { BUDGET / 3 } else { BUDGET }
}

/// Wall-clock limit as a multiple of the processor time: 0.3 of the 2 seconds of a capture.
const PATIENCE: u32 = 5;

/// A running budget, bound to its thread.
pub struct Parsing<'a> {
    clock: &'a dyn Clock,
    cpu_end: Duration,
    end: Instant,
}

impl std::fmt::Debug for Parsing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsing").field("cpu_end", &self.cpu_end).field("end", &self.end).finish_non_exhaustive()
    }
}

impl<'a> Parsing<'a> {
    #[must_use]
    pub fn within(budget: Duration, clock: &'a dyn Clock) -> Self {
        let now = clock.instant();
        let end = now.checked_add(budget * PATIENCE).unwrap_or(now);
        Self { clock, cpu_end: clock.thread_cpu() + budget, end }
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        self.clock.thread_cpu() >= self.cpu_end || self.clock.instant() >= self.end
    }

    /// The tree of the text, or of a range of it; `None` if it is too large or the budget ran out.
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

    /// A clock that advances a millisecond per call, of which `share` percent are this thread's own.
    struct Ticking {
        start: Instant,
        looks: AtomicU64,
        share: u32,
    }

    impl Ticking {
        fn with_share(share: u32) -> Self {
            Self { start: SystemClock.instant(), looks: AtomicU64::new(0), share }
        }
    }

    impl Clock for Ticking {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn instant(&self) -> Instant {
            self.start + Duration::from_millis(self.looks.fetch_add(1, Ordering::Relaxed))
        }

        fn thread_cpu(&self) -> Duration {
            Duration::from_millis(self.looks.load(Ordering::Relaxed)) * self.share / 100
        }
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let long = "fn a() { b(c, d); }\n".repeat(5_000);
        for (share, looks) in [(100, 20), (50, 40), (1, 100)] {
            let clock = Ticking::with_share(share);
            assert!(Parsing::within(Duration::from_millis(20), &clock).tree(Grammar::Rust, &long, None).is_none());
            let looked = clock.looks.load(Ordering::Relaxed);
            assert!(looked.abs_diff(looks) <= 2, "share {share}: given up after {looked} ms");
        }
        let clock = Ticking::with_share(100);
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
