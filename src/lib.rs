//! uro-capture: detects each commit, summarises the change truthfully, and drafts devlogs from the summaries.
//!
//! The layers, their import rules and the invariants are in `ARCHITECTURE.md`; a test enforces them.
//! Without the `app` feature only layer L0 is compiled: that is the whole of `uro-hook`.

pub mod hook;
pub mod spool;

#[cfg(feature = "app")]
pub mod cli;
#[cfg(feature = "app")]
pub mod config;
#[cfg(feature = "app")]
pub mod dispatch;
#[cfg(feature = "app")]
pub mod domain;
#[cfg(feature = "app")]
pub mod drafts;
#[cfg(feature = "app")]
pub mod facts;
#[cfg(feature = "app")]
pub mod fallback;
#[cfg(feature = "app")]
pub mod git;
#[cfg(feature = "app")]
pub mod githooks;
#[cfg(feature = "app")]
pub mod grounding;
#[cfg(feature = "app")]
pub mod hardware;
#[cfg(feature = "app")]
pub mod llm;
#[cfg(feature = "app")]
pub mod pipeline;
#[cfg(feature = "app")]
pub mod prompt;
#[cfg(feature = "app")]
pub mod publish;
#[cfg(feature = "app")]
pub mod quality;
#[cfg(feature = "app")]
pub mod redact;
#[cfg(feature = "app")]
pub mod route;
#[cfg(feature = "app")]
pub mod sidecar;
#[cfg(feature = "app")]
pub mod store;
#[cfg(feature = "app")]
pub mod text;
