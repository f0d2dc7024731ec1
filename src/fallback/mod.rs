//! Template fallback: describes a commit in plain sentences without a model. Infallible.

mod breaking;
mod deeds;
pub(crate) mod dependencies;
mod formats;
mod lines;
pub mod merge;
pub mod noted;
mod parameters;
pub mod phrase;
mod pieces;
mod purpose;
mod split;
pub mod template;
#[cfg(test)]
mod texts_tests;
pub mod variants;
