//! What is sent to a model: the patch under a token budget, without secrets, in an order that caches.

mod continued;
mod message;
pub mod pack;
pub mod render;
mod shares;
mod text;
pub mod tokens;
mod weight;
