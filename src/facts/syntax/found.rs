//! What a language's rules say of one node: whether it defines something, and where they may look.

use std::ops::Range;

use tree_sitter::Node;

use super::outline::Entry;
use crate::facts::language::SymbolKind;

/// What a definition is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can be told.
    Told,
    /// It brings a name from elsewhere, or announces it: known, so that nothing false is said of that name.
    Known,
}

/// A definition, as a language's rules see it.
#[derive(Debug)]
pub struct Found<'t> {
    pub kind: SymbolKind,
    pub name: String,
    /// The type it belongs to where its node does not stand in it.
    pub of: Option<String>,
    /// Tells apart what has the same name in the same place: the trait of an `impl`.
    pub via: String,
    /// Where the signature ends; absent where everything is signature.
    pub body: Option<Node<'t>>,
    pub public: bool,
    pub test: bool,
    pub test_case: bool,
    /// Names of what is inside stand behind its own.
    pub qualifies: bool,
    pub standing: Standing,
}

impl<'t> Found<'t> {
    pub fn new(kind: SymbolKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            of: None,
            via: String::new(),
            body: None,
            public: false,
            test: false,
            test_case: false,
            qualifies: kind == SymbolKind::Type,
            standing: Standing::Told,
        }
    }

    pub fn public(self, public: bool) -> Self {
        Self { public, ..self }
    }

    pub fn body(self, body: Option<Node<'t>>) -> Self {
        Self { body, ..self }
    }

    pub fn known(self) -> Self {
        Self { standing: Standing::Known, ..self }
    }

    pub fn test(self, test: bool, test_case: bool) -> Self {
        Self { test, test_case, ..self }
    }
}

/// Attributes, decorators and comments that stand directly before a node.
#[derive(Debug, Clone, Default)]
pub struct Lead {
    pub start: Option<Start>,
    /// Attributes and decorators among it.
    pub marks: Vec<Range<usize>>,
}

/// Where something starts.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub byte: usize,
    pub row: usize,
}

/// A node and where it stands.
#[derive(Debug)]
pub struct At<'a, 't> {
    pub node: Node<'t>,
    /// The node around it.
    pub up: Option<Node<'t>>,
    pub source: &'a str,
    pub lead: &'a Lead,
    /// The definition around it.
    pub owner: Option<&'a Entry>,
    /// It stands in a function's body, named or not.
    pub inside: bool,
    /// It stands behind `export`.
    pub exported: bool,
}

impl<'a, 't> At<'a, 't> {
    pub fn kind(&self) -> &'t str {
        self.node.kind()
    }

    pub fn text(&self, node: Node<'_>) -> &'a str {
        self.source.get(node.byte_range()).unwrap_or("")
    }

    pub fn field(&self, name: &str) -> Option<Node<'t>> {
        self.node.child_by_field_name(name)
    }

    pub fn field_text(&self, name: &str) -> &'a str {
        self.field(name).map_or("", |node| self.text(node))
    }

    pub fn name(&self) -> &'a str {
        self.field_text("name")
    }

    /// The direct child of this kind.
    pub fn child(&self, kind: &str) -> Option<Node<'t>> {
        let mut cursor = self.node.walk();
        self.node.children(&mut cursor).take(CHILDREN).find(|child| child.kind() == kind)
    }

    pub fn is_in(&self, kind: SymbolKind) -> bool {
        self.owner.is_some_and(|owner| owner.kind == kind)
    }

    /// Whether one of the attributes before it fulfils this.
    pub fn is_marked(&self, mark: impl Fn(&str) -> bool) -> bool {
        self.lead.marks.iter().filter_map(|range| self.source.get(range.clone())).any(mark)
    }
}

/// Among so many first children a part of a definition's head is looked for.
const CHILDREN: usize = 16;
