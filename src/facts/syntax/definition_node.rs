//! Definition nodes in the vocabulary shared by all languages, and the node context available to a language's rules.

use std::ops::Range;

use tree_sitter::Node;

use super::outline::OutlineEntry;
use crate::facts::language::SymbolKind;

/// How a definition may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporting {
    /// It can be reported.
    Reported,
    /// An import or a declaration: its name exists, so it must not be reported as added or removed.
    NameOnly,
}

/// A definition found by a language's rules.
#[derive(Debug)]
pub struct DefinitionNode<'t> {
    pub kind: SymbolKind,
    pub name: String,
    /// Its type, if the node is outside of it.
    pub type_name: Option<String>,
    /// Distinguishes equal names in one place: the trait of an `impl`.
    pub via: String,
    /// Node after the signature; `None` if all of it is signature.
    pub body: Option<Node<'t>>,
    pub public: bool,
    pub test: bool,
    pub test_case: bool,
    /// Inner names are qualified with its name.
    pub qualifies: bool,
    pub reporting: Reporting,
}

impl<'t> DefinitionNode<'t> {
    pub fn new(kind: SymbolKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            type_name: None,
            via: String::new(),
            body: None,
            public: false,
            test: false,
            test_case: false,
            qualifies: kind == SymbolKind::Type,
            reporting: Reporting::Reported,
        }
    }

    pub fn public(self, public: bool) -> Self {
        Self { public, ..self }
    }

    pub fn body(self, body: Option<Node<'t>>) -> Self {
        Self { body, ..self }
    }

    pub fn name_only(self) -> Self {
        Self { reporting: Reporting::NameOnly, ..self }
    }

    pub fn test(self, test: bool, test_case: bool) -> Self {
        Self { test, test_case, ..self }
    }
}

/// Attributes, decorators and comments directly before a node.
#[derive(Debug, Clone, Default)]
pub struct LeadingNodes {
    pub start: Option<StartPosition>,
    /// The attributes and decorators among them.
    pub attributes: Vec<Range<usize>>,
}

/// Start position.
#[derive(Debug, Clone, Copy)]
pub struct StartPosition {
    pub byte: usize,
    pub row: usize,
}

/// A node with its context.
#[derive(Debug)]
pub struct NodeContext<'a, 't> {
    pub node: Node<'t>,
    /// The parent node.
    pub parent: Option<Node<'t>>,
    pub source: &'a str,
    pub lead: &'a LeadingNodes,
    /// The enclosing definition.
    pub owner: Option<&'a OutlineEntry>,
    /// Inside a function body, named or not.
    pub inside: bool,
    /// Behind `export`.
    pub exported: bool,
}

impl<'a, 't> NodeContext<'a, 't> {
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

    /// Whether one of its attributes matches.
    pub fn has_attribute(&self, mark: impl Fn(&str) -> bool) -> bool {
        self.lead.attributes.iter().filter_map(|range| self.source.get(range.clone())).any(mark)
    }
}

/// Limit of the first children searched for a part of a definition's head.
const CHILDREN: usize = 16;
