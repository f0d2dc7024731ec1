//! Prompt construction: the patch within a token budget, redacted, in an order that suits the prefix cache.

mod continuation;
mod message;
pub mod pack;
mod priority;
pub mod render;
mod shares;
mod text;
pub mod tokens;
