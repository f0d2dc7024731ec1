//! Drafts: which ones are due, the queue's leases and back-off, and the batch that writes them.
//!
//! The rows and their fencing tokens live in the store; this room holds the decisions and the writing.

pub mod backoff;
pub mod batch;
pub mod batch_model;
#[cfg(test)]
mod in_memory_store;
pub mod lease;
mod lease_guard;
pub mod model;
pub mod period;
pub mod plan;
pub mod prose;
#[cfg(test)]
pub mod sample;
pub mod store;
pub mod writer;
