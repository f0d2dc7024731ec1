//! The capture pipeline: spool → event → template → model → final capture; and the draft batch.

pub mod ahead;
mod answered;
pub mod calibration;
pub mod capture;
pub mod draft_model;
pub mod draft_shelf;
pub mod draft_writer;
pub mod enrich;
pub mod expiry;
pub mod foresee;
pub mod forgetting;
mod grounding;
pub mod held_draft;
mod identity;
pub mod in_hand;
pub mod ingest;
pub mod judging;
#[cfg(test)]
mod memory_shelf;
pub mod models;
pub mod nightly;
mod notes;
mod ours;
pub mod pool;
pub mod rebuild;
pub mod reconcile;
pub mod refine;
mod report;
pub mod resumed;
pub mod roster;
pub mod sections;
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
