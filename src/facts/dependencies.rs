//! Dependencies that came, went or changed their version, read from the changed lines of manifests and lockfiles.

use crate::domain::patch::FileChange;

/// Where a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ecosystem {
    Cargo,
    Npm,
    Go,
    Python,
}

/// One dependency: added (`from` absent), removed (`to` absent), or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyChange {
    pub ecosystem: Ecosystem,
    pub name: String,
    /// Version or requirement before, as written.
    pub from: Option<String>,
    /// Version or requirement after, as written.
    pub to: Option<String>,
    /// The project itself asks for it, as a manifest says; else it was brought along.
    pub direct: bool,
}

/// What the project itself asks for first.
#[must_use]
pub fn of(_files: &[FileChange]) -> Vec<DependencyChange> {
    Vec::new()
}
