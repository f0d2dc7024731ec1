//! Output clean-up and checks: a model's text is untrusted input until it has passed these.

mod chatter;
pub mod clean;
mod controls;
pub mod dropped;
pub mod expected;
mod fences;
mod json;
mod markdown;
mod marks;
mod opener;
mod preamble;
mod reasoning;
mod repetition;
pub mod rubric;
pub mod sentence_stream;
mod spans;
mod tokens;
pub mod vocabulary;
