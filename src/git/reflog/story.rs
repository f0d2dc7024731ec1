//! From the lines of one log to deeds.

use jiff::Timestamp;

use super::super::deed::Deed;
use super::line::Line;
use super::message::{self, Said};

/// What one line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Index of the line.
    pub line: usize,
    pub at: Timestamp,
    pub deed: Deed,
}

/// The deeds of the lines from `fresh` on; those before are known and tell what came before.
#[must_use]
pub fn classify(lines: &[Line], fresh: usize) -> Vec<Told> {
    lines.iter().enumerate().skip(fresh).filter_map(|(index, line)| tell(index, line)).collect()
}

fn tell(index: usize, line: &Line) -> Option<Told> {
    let to = line.new.clone()?;
    if line.old.as_ref() == Some(&to) {
        return None;
    }
    let from = line.old.clone();
    let deed = match message::read(&line.message) {
        Said::Made => Deed::Made { oid: to, replaces: Vec::new(), step: false },
        Said::Amended => Deed::Made { oid: to, replaces: from.into_iter().collect(), step: false },
        Said::Applied | Said::Step(_) => Deed::Made { oid: to, replaces: Vec::new(), step: true },
        Said::Nothing => Deed::Moved { from, to },
        Said::Start | Said::Finish | Said::Abort | Said::Reset | Said::Elsewhere => Deed::Pulled { from, to },
    };
    Some(Told { line: index, at: line.at, deed })
}
