//! What becomes of a model's text before anybody sees it: it is untrusted input.

pub mod clean;
mod document;
mod noise;
mod sentence;
