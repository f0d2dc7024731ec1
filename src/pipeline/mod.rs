//! What happens to an event: spool → store → template → model → final capture; and the nightly drafts.

pub mod capture;
pub mod ingest;
pub mod models;
pub mod rebuild;
pub mod services;
pub mod subject;
