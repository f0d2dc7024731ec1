//! The capture pipeline: spool → event → template → model → final capture; and the draft batch.

mod answered;
pub mod capture;
pub mod describe;
pub mod enrich;
pub mod erasure;
mod grounding;
mod identity;
pub mod ingest;
pub mod job;
mod notes;
pub mod output_check;
pub mod poison_guard;
pub mod preview;
pub mod read_ahead;
pub mod rebuild;
pub mod reconcile;
pub mod refine;
pub mod registry;
mod report;
pub mod services;
pub mod settings;
pub mod sizes;
pub mod subject;
mod tags;
pub mod template_cache;
#[cfg(test)]
pub(crate) mod tests;
pub mod waiting;
