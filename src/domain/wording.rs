//! What a sentence that is asked of a model may be made of.

/// A sentence that begins with one of the verbs and goes on with words of a closed list.
///
/// A server that takes a grammar lets the model write nothing else: no preamble, no list, no second paragraph, and no
/// word that neither the change nor its author gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// The first word, capitalized.
    pub openers: Vec<&'static str>,
    /// All other words: prose as it is, names from code between backticks. Each once.
    pub words: Vec<String>,
}
