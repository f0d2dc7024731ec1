//! The draft queue: which drafts are due, the length of a lease, the backoff after a failure.
//!
//! Rows and fencing tokens are in the store; this module makes the decisions.

pub mod backoff;
pub mod lease;
pub mod period;
pub mod plan;
#[cfg(test)]
pub mod sample;
