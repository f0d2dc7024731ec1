//! A patch as ranked facts. They feed the template, the prompt and the checks on what a model says.

pub mod language;
pub mod roles;
mod words;
