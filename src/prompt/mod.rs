//! Prompt construction: the patch within a token budget, redacted, in an order that suits the prefix cache.

mod continued;
mod keyblock;
mod message;
pub mod pack;
pub mod redact;
mod reference;
pub mod render;
mod seam;
mod secrets;
mod shares;
mod telling;
pub mod telling_values;
mod text;
pub mod tokens;
mod weight;
