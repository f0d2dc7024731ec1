//! Constrained vocabulary of a model's sentence, from which the output grammar is built.

/// A closed set of sentences about one change.
///
/// Grammar-constrained decoding: the model cannot write a preamble, a list, a second paragraph, a word that
/// occurs neither in the change nor in the author's text, or a removed name as the object of an addition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// Every sentence contains one of these.
    pub forms: Vec<Form>,
    /// Plain words in all inflected forms, without duplicates.
    pub words: Vec<String>,
    /// Prepositions: any name may follow.
    pub links: Vec<&'static str>,
    /// Code names that occur on added lines only, with their backticks; likewise the next two.
    pub came: Vec<String>,
    /// Names on removed lines only.
    pub gone: Vec<String>,
    /// Names on added and removed lines, or on context lines.
    pub stay: Vec<String>,
    /// "`a` to `b`": renames.
    pub renamed: Vec<String>,
}

/// The part of a sentence before its first preposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The first word, capitalized.
    pub openers: Vec<&'static str>,
    pub object: Object,
}

/// What may follow the first word (the verb).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Words, and names of these groups.
    Names(&'static [Side]),
    /// A removed name, this word, an added name.
    Becomes(&'static str),
    /// An old name and its new name.
    Renamed,
}

/// The group of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Came,
    Gone,
    Stay,
}
