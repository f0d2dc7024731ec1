//! Changed rows of both versions of a file, from its hunks.

use std::ops::Range;

use crate::domain::patch::{FileChange, LineOrigin};

/// Both versions' rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedRows {
    pub old: Rows,
    pub new: Rows,
}

/// Rows of one version, zero-based.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Changed rows: ascending, disjoint.
    changed: Vec<Range<usize>>,
    /// The hunks with their context: ascending, disjoint.
    near: Vec<Range<usize>>,
    /// Hunks are missing: any row may have changed.
    any: bool,
}

impl ChangedRows {
    /// From the hunks; if they are not `whole`, every row counts as changed.
    #[must_use]
    pub fn from_hunks(file: &FileChange, whole: bool) -> Self {
        let mut changed = Self::default();
        for hunk in &file.hunks {
            let (mut old, mut new) =
                (hunk.old_start.saturating_sub(1) as usize, hunk.new_start.saturating_sub(1) as usize);
            let (old_first, new_first) = (old, new);
            for line in &hunk.lines {
                match line.origin {
                    LineOrigin::Context => (old, new) = (old + 1, new + 1),
                    LineOrigin::Removed => old = extend(&mut changed.old.changed, old),
                    LineOrigin::Added => new = extend(&mut changed.new.changed, new),
                }
            }
            // One row more on either side: a hunk without context names the row before it.
            changed.old.near.push(old_first.saturating_sub(1)..old + 2);
            changed.new.near.push(new_first.saturating_sub(1)..new + 2);
        }
        for rows in [&mut changed.old, &mut changed.new] {
            rows.any = !whole;
            merge_ranges(&mut rows.changed);
            merge_ranges(&mut rows.near);
        }
        changed
    }
}

fn extend(ranges: &mut Vec<Range<usize>>, row: usize) -> usize {
    match ranges.last_mut() {
        Some(last) if last.end == row => last.end = row + 1,
        _ => ranges.push(row..row + 1),
    }
    row + 1
}

/// Sorts ranges and joins adjacent ones; a patch's numbering is not trusted.
fn merge_ranges(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let meets = next.start <= range.end;
        if meets {
            range.end = range.end.max(next.end);
        }
        meets
    });
}

impl Rows {
    /// Whether a line within these rows may have changed.
    #[must_use]
    pub fn touch(&self, rows: &Range<usize>) -> bool {
        self.any || overlaps(&self.changed, rows)
    }

    /// Whether these rows are in or beside a hunk.
    #[must_use]
    pub fn are_near(&self, rows: &Range<usize>) -> bool {
        self.any || overlaps(&self.near, rows)
    }

    /// Changed rows, one by one.
    pub fn each(&self) -> impl Iterator<Item = usize> {
        self.changed.iter().flat_map(Range::clone)
    }

    /// Number of changed rows among these.
    #[must_use]
    pub fn count(&self, rows: &Range<usize>) -> u32 {
        let first = self.changed.partition_point(|range| range.end <= rows.start);
        let among = self.changed[first..].iter().take_while(|range| range.start < rows.end);
        let total: usize = among.map(|range| range.end.min(rows.end) - range.start.max(rows.start)).sum();
        u32::try_from(total).unwrap_or(u32::MAX)
    }
}

fn overlaps(ranges: &[Range<usize>], rows: &Range<usize>) -> bool {
    let first = ranges.partition_point(|range| range.end <= rows.start);
    ranges.get(first).is_some_and(|range| range.start < rows.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::file;

    #[test]
    fn rows_are_counted_on_each_side_apart() {
        let mut change = file("a.rs", "@@\n a\n-b\n+c\n+d\n e\n@@\n f\n-g");
        (change.hunks[1].old_start, change.hunks[1].new_start) = (10, 11);
        let changed = ChangedRows::from_hunks(&change, true);
        assert_eq!(changed.old.changed, [1..2, 10..11]);
        assert_eq!(changed.new.changed.first(), Some(&(1..3)));
        assert_eq!((changed.old.count(&(0..11)), changed.new.count(&(2..9))), (2, 1));
    }

    #[test]
    fn hunks_that_overlap_or_come_out_of_order_count_once() {
        let mut change = file("a.rs", "@@\n+a\n+b\n+c\n@@\n+a\n+b\n@@\n+x");
        (change.hunks[0].new_start, change.hunks[2].new_start) = (8, 3);
        let changed = ChangedRows::from_hunks(&change, true);
        assert_eq!(changed.new.changed, [0..3, 7..10]);
        assert_eq!((changed.new.count(&(1..2)), changed.new.count(&(0..99)), changed.new.each().count()), (1, 6, 6));
    }

    #[test]
    fn rows_beside_a_hunk_are_near_and_not_touched() {
        let changed = ChangedRows::from_hunks(&file("a.rs", "@@\n a\n+b\n c"), true);
        assert!(changed.old.are_near(&(0..1)) && !changed.old.touch(&(0..9)));
        assert!(changed.new.touch(&(1..2)) && !changed.new.touch(&(2..3)) && !changed.new.are_near(&(9..10)));
    }

    #[test]
    fn of_a_patch_that_is_not_whole_every_row_may_have_changed() {
        let changed = ChangedRows::from_hunks(&file("a.rs", "@@\n+a"), false);
        assert!(changed.old.touch(&(500..501)) && changed.new.are_near(&(500..501)));
    }
}
