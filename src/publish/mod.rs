//! Publishing: captures become grouped pages in Markdown, with file names.
//!
//! Pure functions of their arguments, except reading the user's own templates.

pub mod document;
pub mod entry;
pub mod links;
pub mod markdown;
pub mod numbers;
pub mod outline;
pub mod prose;
pub mod range_text;
pub mod recap;
#[cfg(test)]
pub mod sample;
pub mod slug;
pub mod span;
pub mod templates;
pub mod theme;
pub mod work_item;
