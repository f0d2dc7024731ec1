//! Outline of a file version: its definitions in a flat list with owners.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::definition_node::{DefinitionNode, LeadingNodes, NodeContext, Reporting, StartPosition};
use super::grammar::Grammar;
use super::nodes::{is_attribute, is_body, is_comment, is_container, macro_body, row_range, start};
use super::parse::ParseBudget;
use super::rows::Rows;
use crate::facts::language::SymbolKind;

/// A definition with its position.
#[derive(Debug, Clone)]
pub struct OutlineEntry {
    /// Qualified by its type.
    pub name: String,
    /// The last part of the name, as in the file.
    pub bare: String,
    /// Key for matching both sides.
    pub key: String,
    pub kind: SymbolKind,
    pub public: bool,
    pub test: bool,
    pub test_case: bool,
    pub reporting: Reporting,
    /// Inner names are qualified with its name.
    pub qualifies: bool,
    /// Inside a function body.
    pub local: bool,
    /// Index of the enclosing definition.
    pub owner: Option<usize>,
    /// Including attributes and comments.
    pub rows: Range<usize>,
    pub bytes: Range<usize>,
    /// Without them, up to its body.
    pub signature: Range<usize>,
    path: String,
}

impl OutlineEntry {
    /// The qualifier of its name.
    #[must_use]
    pub fn qualifier(&self) -> &str {
        self.name.strip_suffix(&self.bare).unwrap_or("")
    }

    /// A member, reported with its type.
    #[must_use]
    pub fn is_part(&self) -> bool {
        matches!(self.kind, SymbolKind::Field | SymbolKind::Variant)
    }
}

/// The definitions of a text, in the order of their starts.
#[derive(Debug, Default)]
pub struct Outline {
    pub entries: Vec<OutlineEntry>,
    /// Comments in or beside the changed rows, ascending.
    pub comments: Vec<Range<usize>>,
    /// The tree contains errors.
    pub faulty: bool,
}

/// Longer names are omitted, not truncated (bytes).
const NAME_BYTES: usize = 80;
/// Depth limit of nested definitions.
const DEPTH: u8 = 24;

/// Builds the outline. Function bodies are entered only near `rows`; macro call bodies are parsed as items. `None` if
/// the budget runs out.
#[must_use]
pub fn build_outline(grammar: Grammar, source: &str, rows: &Rows, parsing: &ParseBudget<'_>) -> Option<Outline> {
    let tree = parsing.tree(grammar, source, None)?;
    let outline = Outline { faulty: tree.root_node().has_error(), ..Outline::default() };
    let mut reading =
        OutlineBuilder { grammar, source, rows, parsing, outline, exported: Vec::new(), macros: Vec::new() };
    reading.visit_tree(&tree, NodePlace::default())?;
    for _ in 0..MACROS {
        let Some((range, place)) = reading.macros.pop() else { break };
        let tree = parsing.tree(grammar, source, Some(range))?;
        if tree.root_node().has_error() {
            reading.outline.faulty = true;
        } else {
            reading.visit_tree(&tree, place)?;
        }
    }
    reading.outline.faulty |= !reading.macros.is_empty();
    Some(reading.finish())
}

/// Limit of macro calls that are parsed.
const MACROS: usize = 32;
/// Nodes between two checks of the budget.
const NODES: usize = 4096;

#[derive(Debug, Clone, Copy, Default)]
struct NodePlace {
    owner: Option<usize>,
    inside: bool,
    exported: bool,
    /// Inside an error region: only complete nodes count.
    broken: bool,
    depth: u8,
}

struct NodeVisit<'t> {
    node: Node<'t>,
    up: Option<Node<'t>>,
    lead: LeadingNodes,
    place: NodePlace,
}

struct OutlineBuilder<'a> {
    grammar: Grammar,
    source: &'a str,
    rows: &'a Rows,
    parsing: &'a ParseBudget<'a>,
    outline: Outline,
    /// Names in `export { … }`.
    exported: Vec<&'a str>,
    /// Macro calls that may hold items, still to be parsed.
    macros: Vec<(tree_sitter::Range, NodePlace)>,
}

impl<'a> OutlineBuilder<'a> {
    /// `None` if the budget runs out.
    fn visit_tree(&mut self, tree: &Tree, place: NodePlace) -> Option<()> {
        let mut open = vec![NodeVisit { node: tree.root_node(), up: None, lead: LeadingNodes::default(), place }];
        let mut visited = 0usize;
        while let Some(visit) = open.pop() {
            visited += 1;
            if visited.is_multiple_of(NODES) && self.parsing.is_over() {
                return None;
            }
            self.visit(&visit, &mut open);
        }
        Some(())
    }

    fn visit<'t>(&mut self, visit: &NodeVisit<'t>, open: &mut Vec<NodeVisit<'t>>) {
        let node = visit.node;
        if node.is_missing() {
            return;
        }
        if is_comment(node, visit.up) {
            self.outline.comments.push(node.byte_range());
            return;
        }
        let mut place = visit.place;
        place.broken |= node.is_error();
        let rows = row_range(node);
        if node.kind() == "macro_invocation" && !place.inside {
            if let Some(body) = macro_body(node).filter(|_| self.rows.are_near(&rows)) {
                self.macros.push((body, place));
            }
            return;
        }
        let listed = place.exported && node.kind() == "shorthand_property_identifier";
        if !place.inside && (listed || node.kind() == "export_specifier") {
            let name = node.child_by_field_name("name").unwrap_or(node);
            self.exported.extend(self.source.get(name.byte_range()));
        }
        let first = self.outline.entries.len();
        for found in self.find_definitions(visit) {
            self.add_entry(found, visit);
        }
        if self.outline.entries.len() > first {
            let kind = self.outline.entries[first].kind;
            let inside = place.inside || matches!(kind, SymbolKind::Function | SymbolKind::Macro);
            // A class body inside a function holds members again.
            let inside = inside && kind != SymbolKind::Type;
            place = NodePlace { owner: Some(first), inside, exported: false, depth: place.depth + 1, ..place };
        } else if is_body(node) {
            place = NodePlace { inside: true, exported: false, ..place };
        } else if node.kind() == "export_statement" || self.is_exports(node) {
            place.exported = true;
        }
        let defines = self.outline.entries.len() > first;
        if place.depth < DEPTH
            && (self.rows.are_near(&rows) || (!place.inside && (defines || is_container(node.kind()))))
        {
            self.children(visit, place, open);
        }
    }

    fn find_definitions<'t>(&self, visit: &NodeVisit<'t>) -> Vec<DefinitionNode<'t>> {
        if !visit.node.is_named() || (visit.place.broken && visit.node.has_error()) {
            return Vec::new();
        }
        let at = NodeContext {
            node: visit.node,
            parent: visit.up,
            source: self.source,
            lead: &visit.lead,
            owner: visit.place.owner.and_then(|at| self.outline.entries.get(at)),
            inside: visit.place.inside,
            exported: visit.place.exported,
        };
        let mut found = self.grammar.find_definitions(&at);
        found.retain(|found| is_name(&found.name) && found.type_name.as_deref().is_none_or(is_name));
        found
    }

    fn add_entry(&mut self, found: DefinitionNode<'_>, visit: &NodeVisit<'_>) {
        let node = visit.node;
        let owner = visit.place.owner.and_then(|at| self.outline.entries.get(at));
        let separator = self.grammar.language().separator();
        let of = found
            .type_name
            .as_deref()
            .or_else(|| owner.filter(|owner| owner.qualifies).map(|owner| owner.name.as_str()));
        let name = of.map_or_else(|| found.name.clone(), |of| format!("{of}{separator}{}", found.name));
        let around = found.type_name.as_deref().or(owner.map(|owner| owner.path.as_str())).unwrap_or("");
        let path = format!(
            "{around}/{}{}",
            found.name,
            if found.via.is_empty() { String::new() } else { format!("<{}>", found.via) }
        );
        let start =
            visit.lead.start.unwrap_or(StartPosition { byte: node.start_byte(), row: node.start_position().row });
        let bytes = start.byte..node.end_byte();
        let named = self.grammar.language().names_test(&found.name) && found.kind == SymbolKind::Scope;
        let entry = OutlineEntry {
            key: format!("{path}:{}", group(found.kind)),
            bare: found.name,
            kind: found.kind,
            public: found.public,
            test: found.test || named || owner.is_some_and(|owner| owner.test),
            test_case: found.test_case,
            reporting: found.reporting,
            qualifies: found.qualifies,
            local: visit.place.inside,
            owner: visit.place.owner,
            rows: start.row..row_range(node).end,
            signature: node.start_byte()..found.body.map_or(node.end_byte(), |body| body.start_byte()),
            bytes,
            path,
            name,
        };
        self.outline.entries.push(entry);
    }

    /// Pushes the children on the stack, the first on top, each with the nodes directly before it.
    fn children<'t>(&self, visit: &NodeVisit<'t>, place: NodePlace, open: &mut Vec<NodeVisit<'t>>) {
        let first = open.len();
        let mut cursor = visit.node.walk();
        let keeps = matches!(visit.node.kind(), "decorated_definition" | "export_statement");
        let mut lead = if keeps { visit.lead.clone() } else { LeadingNodes::default() };
        if keeps && lead.start.is_none() {
            lead.start = Some(start(visit.node));
        }
        let mut above = usize::MAX;
        for child in visit.node.children(&mut cursor) {
            let mark = is_attribute(child);
            let led = mark || (is_comment(child, Some(visit.node)) && above != child.start_position().row);
            // A blank line separates a comment from the next node.
            if !keeps && child.start_position().row > above.saturating_add(1) {
                lead = if mark { lead } else { LeadingNodes::default() };
            }
            above = row_range(child).end.saturating_sub(1);
            if led {
                lead.start = lead.start.or(Some(start(child)));
                if mark {
                    lead.attributes.push(child.byte_range());
                }
            }
            let leading = if led || !child.is_named() { LeadingNodes::default() } else { std::mem::take(&mut lead) };
            open.push(NodeVisit { node: child, up: Some(visit.node), lead: leading, place });
        }
        open[first..].reverse();
    }

    /// `module.exports = { a, b }`.
    fn is_exports(&self, node: Node<'_>) -> bool {
        let left = (node.kind() == "assignment_expression").then(|| node.child_by_field_name("left")).flatten();
        left.and_then(|left| self.source.get(left.byte_range()))
            .is_some_and(|left| matches!(left, "module.exports" | "exports"))
    }

    fn finish(mut self) -> Outline {
        self.outline.comments.sort_by_key(|range| range.start);
        in_order(&mut self.outline.entries);
        for entry in self.outline.entries.iter_mut().filter(|entry| entry.owner.is_none()) {
            entry.public |= self.exported.contains(&entry.bare.as_str());
        }
        self.outline
    }
}

/// Sorts entries by start, outer ones first.
fn in_order(entries: &mut Vec<OutlineEntry>) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| (entries[*at].bytes.start, std::cmp::Reverse(entries[*at].bytes.end), *at));
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
    let mut unordered: Vec<Option<OutlineEntry>> = std::mem::take(entries).into_iter().map(Some).collect();
    for at in order {
        if let Some(mut entry) = unordered[at].take() {
            entry.owner = entry.owner.map(|owner| places[owner]);
            entries.push(entry);
        }
    }
}

/// Kinds with a common namespace.
fn group(kind: SymbolKind) -> char {
    match kind {
        SymbolKind::Function => 'f',
        SymbolKind::Type => 't',
        SymbolKind::Scope => 's',
        SymbolKind::Constant => 'c',
        SymbolKind::Macro => 'm',
        SymbolKind::Field | SymbolKind::Variant => 'p',
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '.' | ':' | '~');
    !name.is_empty() && name.len() <= NAME_BYTES && name.chars().all(plain)
}
