//! What is said when no model speaks: facts in plain sentences. It cannot fail.

mod about;
mod breaking;
mod cover;
mod deeds;
pub(crate) mod dependencies;
mod formats;
pub mod merge;
pub mod noted;
pub mod phrase;
mod pieces;
mod split;
pub mod template;
#[cfg(test)]
mod texts_tests;
pub mod variants;
