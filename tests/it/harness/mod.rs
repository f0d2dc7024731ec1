//! What integration tests stand on: servers that behave well, badly, or for real.

pub mod fake_llm;
pub mod llama;
