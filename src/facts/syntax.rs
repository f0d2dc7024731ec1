//! Definitions as the grammars of their languages tell them, within bounds; else as their lines tell them.

use super::symbols::{self, Symbol};
use crate::domain::clock::Clock;
use crate::domain::patch::FileChange;

/// The symbols of all files, most telling first.
#[must_use]
pub fn of(files: &[FileChange], _clock: &dyn Clock) -> Vec<Symbol> {
    symbols::of(files)
}
