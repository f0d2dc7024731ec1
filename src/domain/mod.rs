//! Domain types used by every layer: ids, events, patches, captures, drafts, timings, clocks.

pub mod capture;
pub mod clock;
pub mod context;
pub mod deadline;
pub mod draft;
pub mod event;
pub mod fragments;
pub mod id;
pub mod model;
pub mod operation;
pub mod patch;
pub mod project;
pub mod role;
pub mod timing;
pub mod wording;
