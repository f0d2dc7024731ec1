//! Prompt construction: the patch within a token budget, redacted, in an order that suits the prefix cache.

pub mod pack;
mod priority;
pub mod render;
mod text;
pub mod tokens;
