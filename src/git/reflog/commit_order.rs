//! Commit order by reflog position: dates have whole seconds and can be set, so line order takes precedence.

use jiff::Timestamp;

use super::line::ReflogLine;
use crate::domain::id::Oid;

/// Position of the newest line that records the creation of a commit: index from the end of its log, and time.
type LinePosition = (usize, Timestamp);

/// Search for two commits in the lines of one log, newest first.
#[derive(Debug)]
pub struct CommitSearch<'a> {
    wanted: [&'a Oid; 2],
    found: [Option<LinePosition>; 2],
    lines: usize,
}

impl<'a> CommitSearch<'a> {
    #[must_use]
    pub fn new(one: &'a Oid, other: &'a Oid) -> Self {
        Self { wanted: [one, other], found: [None, None], lines: 0 }
    }

    /// Processes the next older line; true when both commits are found.
    pub fn push_line(&mut self, line: &ReflogLine) -> bool {
        for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
            // A checkout or reset makes no commit.
            let is_made = line.new.as_ref() == Some(*wanted) && line.old != line.new && line.action().makes_commit();
            if found.is_none() && is_made {
                *found = Some((self.lines, line.at));
            }
        }
        self.lines += 1;
        self.found.iter().all(Option::is_some)
    }
}

/// Whether the first commit was made after the second. `None` where the logs do not show it.
#[must_use]
pub fn is_later(searches: &[CommitSearch<'_>]) -> Option<bool> {
    let both = searches.iter().find_map(|search| match search.found {
        [Some((one, _)), Some((other, _))] => Some(one < other),
        _ => None,
    });
    let latest = |which: usize| searches.iter().filter_map(|search| Some(search.found[which]?.1)).max();
    both.or_else(|| {
        let (one, other) = (latest(0)?, latest(1)?);
        (one != other).then_some(one > other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(n: u8) -> Oid {
        format!("{n:02x}").repeat(20).parse().unwrap()
    }

    /// Searches a log of `(commit, second, message)`, oldest first, for the commits 1 and 2.
    fn is_later_in(logs: &[&[(u8, i64, &str)]]) -> Option<bool> {
        let (one, two) = (oid(1), oid(2));
        let search = |log: &&[(u8, i64, &str)]| {
            let mut search = CommitSearch::new(&one, &two);
            for (new, at, message) in log.iter().rev() {
                let at = Timestamp::from_second(*at).unwrap();
                search.push_line(&ReflogLine { old: None, new: Some(oid(*new)), at, message: (*message).to_owned() });
            }
            search
        };
        is_later(&logs.iter().map(search).collect::<Vec<_>>())
    }

    #[test]
    fn within_a_log_the_order_of_the_lines_counts_whatever_the_dates_say() {
        let (made, moved) = ("commit: a", "checkout: moving from a to b");
        assert_eq!(is_later_in(&[&[(1, 9, made), (2, 9, "cherry-pick: a")]]), Some(false));
        assert_eq!(is_later_in(&[&[(2, 9, made), (1, 5, "rebase (pick): a")]]), Some(true));
        assert_eq!(is_later_in(&[&[(1, 7, made), (2, 8, made), (1, 9, moved)]]), Some(false), "gone back to");
        assert_eq!(is_later_in(&[&[(1, 7, made), (2, 8, made), (1, 9, "commit (amend): a")]]), Some(true));
    }

    #[test]
    fn of_two_logs_the_dates_count_as_far_as_they_differ() {
        let made = "commit: a";
        assert_eq!(is_later_in(&[&[(1, 8, made)], &[(2, 9, made)]]), Some(false));
        assert_eq!(is_later_in(&[&[(1, 9, made)], &[(2, 8, made)]]), Some(true));
        assert_eq!(is_later_in(&[&[(1, 9, made)], &[(2, 9, made)]]), None);
    }

    #[test]
    fn what_the_logs_do_not_tell_is_not_guessed() {
        assert_eq!(is_later_in(&[]), None);
        assert_eq!(is_later_in(&[&[(1, 9, "commit: a"), (2, 10, "export from jj")]]), None);
    }
}
