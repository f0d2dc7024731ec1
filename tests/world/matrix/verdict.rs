//! Whether what was captured is what the operation calls for: computed from git and the operation, never from the
//! product.

use std::collections::{BTreeMap, BTreeSet};

use uro_capture::domain::capture::{Capture, CaptureState, Reason};
use uro_capture::domain::id::CaptureId;

use super::cell::{Cell, Unit};

/// What is wrong in this cell, in sentences; empty when nothing is. `captures`: all of its repository, in any state.
pub fn faults(cell: &Cell, captures: &[Capture]) -> Vec<String> {
    let found = Found::of(captures);
    let mut faults: Vec<String> = cell.units.iter().flat_map(|unit| found.faults_of(unit)).collect();
    let expected: BTreeSet<&str> = cell.units.iter().map(|unit| unit.oid.as_str()).collect();
    for (oid, live) in &found.live {
        if !expected.contains(oid.as_str()) {
            faults.push(format!("{} is live and should not be", name(live[0])));
        }
    }
    for capture in captures {
        if cell.foreign.contains(&oid(capture)) {
            faults.push(format!("{} is not ours", name(capture)));
        }
    }
    faults.extend(found.orphans());
    faults
}

/// As a failure shows it.
pub fn list(captures: &[Capture]) -> String {
    let line = |capture: &Capture| {
        let standing = if capture.state == CaptureState::Live { "live" } else { "superseded" };
        let others: Vec<String> = capture.supersedes.iter().map(ToString::to_string).collect();
        let (name, source) = (name(capture), capture.source.as_str());
        format!("      {name} {standing} {source} {} supersedes {others:?}\n", capture.id)
    };
    captures.iter().rev().map(line).collect()
}

fn oid(capture: &Capture) -> String {
    capture.commit.as_ref().map(|commit| commit.oid.to_string()).unwrap_or_default()
}

fn name(capture: &Capture) -> String {
    format!("{:.8} {:?}", oid(capture), capture.raw.lines().next().unwrap_or_default())
}

struct Found<'c> {
    all: &'c [Capture],
    live: BTreeMap<String, Vec<&'c Capture>>,
}

impl<'c> Found<'c> {
    fn of(all: &'c [Capture]) -> Self {
        let mut live: BTreeMap<String, Vec<&Capture>> = BTreeMap::new();
        for capture in all.iter().filter(|capture| capture.state == CaptureState::Live) {
            live.entry(oid(capture)).or_default().push(capture);
        }
        Self { all, live }
    }

    fn faults_of(&self, unit: &Unit) -> Vec<String> {
        let Some(live) = self.live.get(&unit.oid) else { return vec![format!("{:.8} has no live capture", unit.oid)] };
        let mut faults = Vec::new();
        let capture = live[0];
        let what = name(capture);
        if live.len() > 1 {
            faults.push(format!("{what} has {} live captures", live.len()));
        }
        if !unit.sources.contains(&capture.source) {
            faults.push(format!("{what} has source {}, not {:?}", capture.source.as_str(), unit.sources));
        }
        if capture.at.as_second() != unit.authored {
            faults.push(format!("{what} is dated {}, not by its author", capture.at));
        }
        if capture.kind != unit.kind {
            faults.push(format!("{what} is a {}, not a {}", capture.kind.as_str(), unit.kind.as_str()));
        }
        if capture.provenance.reason == Reason::Pending || capture.timing.total_ms.is_none() {
            faults.push(format!("{what} is not final"));
        }
        faults.extend(unit.replaces.iter().filter_map(|old| self.link_fault(capture, old)));
        faults
    }

    /// The capture of `old` is there, no longer live, and `new` leads to it.
    fn link_fault(&self, new: &Capture, old: &str) -> Option<String> {
        let Some(earlier) = self.all.iter().find(|capture| oid(capture) == old) else {
            return Some(format!("{old:.8}, which {} replaced, has no capture any more", name(new)));
        };
        let linked = self.history(new).contains(&earlier.id);
        (earlier.state == CaptureState::Live || !linked)
            .then(|| format!("{} does not supersede {}", name(new), name(earlier)))
    }

    /// What a capture supersedes, and what that superseded, and so on.
    fn history(&self, capture: &Capture) -> BTreeSet<CaptureId> {
        let (mut seen, mut open) = (BTreeSet::new(), capture.supersedes.clone());
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.all.iter().filter(|other| other.id == id).flat_map(|other| &other.supersedes));
            }
        }
        seen
    }

    /// Superseded captures that no live one leads to: work that would be found nowhere.
    fn orphans(&self) -> Vec<String> {
        let led_to: BTreeSet<CaptureId> =
            self.live.values().flatten().flat_map(|capture| self.history(capture)).collect();
        let lost = |capture: &&Capture| capture.state == CaptureState::Superseded && !led_to.contains(&capture.id);
        self.all.iter().filter(lost).map(|capture| format!("{} was superseded by nothing", name(capture))).collect()
    }
}
