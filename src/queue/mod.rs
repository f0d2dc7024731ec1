//! The draft queue: which drafts are due, how long one is leased, when a failed one is tried again.
//!
//! The rows and their fencing live in the store; this room holds the decisions.

pub mod backoff;
pub mod lease;
pub mod period;
pub mod plan;
#[cfg(test)]
pub mod sample;
