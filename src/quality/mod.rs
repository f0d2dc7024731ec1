//! What becomes of a model's text before anybody sees it: it is untrusted input.

pub mod clean;
mod document;
pub mod ground;
mod noise;
pub mod rubric;
mod sentence;
