//! What is said when no model speaks: facts in plain sentences. It cannot fail.

mod deeds;
mod phrase;
mod split;
pub mod template;
