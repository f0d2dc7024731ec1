//! What a sentence that is asked of a model may be made of.

/// A closed language of sentences about one change.
///
/// A server that takes a grammar lets the model write nothing else: no preamble, no list, no second paragraph, no
/// word that neither the change nor its author gave, and no name that only went where something is said to have come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// A sentence has one of these.
    pub forms: Vec<Form>,
    /// Words of all forms, prose as it is. Each once.
    pub words: Vec<String>,
    /// Prepositions: behind one any name may stand.
    pub links: Vec<&'static str>,
    /// Names from code that stand on added lines alone, with their backticks; so the others.
    pub came: Vec<String>,
    /// On removed lines alone.
    pub gone: Vec<String>,
    /// On lines of both kinds, or beside the changed lines.
    pub stay: Vec<String>,
    /// "`a` to `b`": what has another name now.
    pub renamed: Vec<String>,
}

/// A sentence up to its first preposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The first word, capitalized.
    pub openers: Vec<&'static str>,
    pub object: Object,
}

/// What may follow the first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Words, and names of these kinds.
    Names(&'static [Side]),
    /// What went, this word, and what came.
    Becomes(&'static str),
    /// A name and the one that it has now.
    Renamed,
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Came,
    Gone,
    Stay,
}
