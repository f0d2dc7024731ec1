//! What happens to an event: spool → store → template → model → final capture; and the drafts.

pub mod capture;
pub mod draft_model;
pub mod draft_shelf;
pub mod draft_writer;
pub mod enrich;
pub mod held_draft;
pub mod ingest;
#[cfg(test)]
mod memory_shelf;
pub mod models;
pub mod nightly;
pub mod rebuild;
pub mod reconcile;
pub mod services;
pub mod subject;
mod unnamed;
