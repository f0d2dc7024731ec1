//! Publishing: captures become grouped pages, and pages take the forms of sites, networks and notes.
//!
//! Pure functions of their arguments, except reading the user's own templates.

pub mod document;
pub mod draft_page;
pub mod entry;
pub mod feed;
pub mod front_matter;
pub mod links;
pub mod markdown;
pub mod mdx;
pub mod numbers;
pub mod outline;
pub mod prose;
pub mod range_text;
pub mod recap;
pub mod rich_text;
#[cfg(test)]
pub mod sample;
pub mod section;
pub mod slug;
pub mod social;
pub mod sources;
pub mod span;
pub mod templates;
pub mod theme;
pub mod work_item;
