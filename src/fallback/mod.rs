//! What is said when no model speaks: facts in plain sentences. It cannot fail.

mod about;
mod cover;
mod deeds;
pub mod phrase;
mod split;
pub mod template;
