//! C: definitions in the syntax tree.

use tree_sitter::Node;

use super::definition_node::{DefinitionNode, NodeContext};
use crate::facts::language::SymbolKind::{Constant, Field, Function, Macro, Type, Variant};
use crate::facts::line_cursor;

pub fn find_definitions<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    let mut found = find_candidates(at);
    // Where macros hide the braces, a statement can look like a function.
    let is_keyword = |name: &str| {
        line_cursor::is_control(name) || matches!(name, "case" | "default" | "goto" | "break" | "continue")
    };
    found.retain(|found| !is_keyword(&found.name));
    found
}

fn find_candidates<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    match at.kind() {
        "function_definition" => {
            let name = at.field("declarator").and_then(declared);
            let definition =
                |node| DefinitionNode::new(Function, at.text(node)).public(!is_static(at)).body(at.field("body"));
            name.map(definition).into_iter().collect()
        }
        "struct_specifier" | "union_specifier" | "enum_specifier" if at.field("body").is_some() && !at.inside => {
            let name = at.name();
            if name.is_empty() {
                Vec::new()
            } else {
                vec![DefinitionNode::new(Type, name).public(true).body(at.field("body"))]
            }
        }
        "type_definition" if !at.inside => name_each(at, |name| DefinitionNode::new(Type, name).public(true)),
        "preproc_def" | "preproc_function_def" => {
            let found = DefinitionNode::new(Macro, at.name()).public(true).body(at.field("value"));
            // An include guard.
            vec![if found.body.is_none() { found.name_only() } else { found }]
        }
        "enumerator" => vec![DefinitionNode::new(Variant, at.name())],
        "field_declaration" if at.is_in(Type) => name_each(at, |name| DefinitionNode::new(Field, name)),
        "declaration" if !at.inside => variables(at),
        _ => Vec::new(),
    }
}

fn name_each<'t>(at: &NodeContext<'_, 't>, define: impl Fn(&str) -> DefinitionNode<'t>) -> Vec<DefinitionNode<'t>> {
    let mut cursor = at.node.walk();
    let declarators: Vec<_> = at.node.children_by_field_name("declarator", &mut cursor).collect();
    declarators.into_iter().filter_map(declared).map(|name| define(at.text(name))).collect()
}

/// Tables and other values; prototypes are only declarations.
fn variables<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    let mut cursor = at.node.walk();
    let declarators: Vec<_> = at.node.children_by_field_name("declarator", &mut cursor).collect();
    let definition = |node: Node<'t>| {
        let name = at.text(declared(node)?);
        let found = DefinitionNode::new(Constant, name).public(!is_static(at));
        let value = (node.kind() == "init_declarator").then(|| node.child_by_field_name("value")).flatten();
        Some(if value.is_some() { found.body(value) } else { found.name_only() })
    };
    declarators.into_iter().filter_map(definition).collect()
}

/// The name in a declarator: behind stars, brackets and parentheses, up to a bounded depth.
fn declared(mut node: Node<'_>) -> Option<Node<'_>> {
    for _ in 0..16 {
        if matches!(node.kind(), "identifier" | "type_identifier" | "field_identifier") {
            return Some(node);
        }
        let mut cursor = node.walk();
        let inner = node.child_by_field_name("declarator").or_else(|| {
            let wraps = matches!(node.kind(), "parenthesized_declarator" | "attributed_declarator");
            wraps.then(|| node.named_children(&mut cursor).next()).flatten()
        });
        node = inner?;
    }
    None
}

fn is_static(at: &NodeContext<'_, '_>) -> bool {
    at.child("storage_class_specifier").is_some_and(|node| at.text(node) == "static")
}
