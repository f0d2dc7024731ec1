//! What is sent to a model: the patch under a token budget, without secrets, in an order that caches.

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
