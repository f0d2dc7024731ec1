//! Prompt construction: the patch within a token budget, redacted, in an order that suits the prefix cache.

mod continued;
mod message;
pub mod pack;
pub mod render;
mod shares;
mod text;
pub mod tokens;
mod weight;
