//! The capture pipeline: spool → event → template → model → final capture; and the draft batch.

pub mod ahead;
mod answered;
pub mod capture;
pub mod enrich;
pub mod expiry;
pub mod foresee;
pub mod forgetting;
mod grounding;
mod identity;
pub mod in_hand;
pub mod ingest;
pub mod judging;
mod notes;
mod ours;
pub mod rebuild;
pub mod reconcile;
pub mod refine;
mod report;
pub mod roster;
pub mod services;
pub mod settings;
pub mod sizes;
pub mod skipped;
pub mod subject;
mod tags;
#[cfg(test)]
pub(crate) mod tests;
pub mod waiting;
pub mod wording;
