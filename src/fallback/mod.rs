//! Template fallback: describes a commit in plain sentences without a model. Infallible.

mod breaking;
pub(crate) mod dependencies;
mod distribution;
mod formats;
mod headline;
mod line_details;
pub mod merge;
mod parameters;
pub mod phrase;
mod purpose;
pub mod quoted_note;
pub mod template;
mod template_values;
#[cfg(test)]
mod texts_tests;
pub mod variants;
