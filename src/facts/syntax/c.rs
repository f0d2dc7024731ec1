//! C: definitions in the syntax tree.

use tree_sitter::Node;

use super::found::{At, Found};
use crate::facts::language::SymbolKind::{Constant, Field, Function, Macro, Type, Variant};
use crate::facts::words;

pub fn found<'t>(at: &At<'_, 't>) -> Vec<Found<'t>> {
    let mut found = all(at);
    // Where macros hide the braces, a statement can look like a function.
    found.retain(|found| !is_keyword(&found.name));
    found
}

fn is_keyword(name: &str) -> bool {
    words::is_control(name) || matches!(name, "case" | "default" | "goto" | "break" | "continue")
}

fn all<'t>(at: &At<'_, 't>) -> Vec<Found<'t>> {
    match at.kind() {
        "function_definition" => {
            let name = at.field("declarator").and_then(declared);
            let told = |node| Found::new(Function, at.text(node)).public(!is_static(at)).body(at.field("body"));
            name.map(told).into_iter().collect()
        }
        "struct_specifier" | "union_specifier" | "enum_specifier" if at.field("body").is_some() && !at.inside => {
            let name = at.name();
            if name.is_empty() { Vec::new() } else { vec![Found::new(Type, name).public(true).body(at.field("body"))] }
        }
        "type_definition" if !at.inside => each(at, |name| Found::new(Type, name).public(true)),
        "preproc_def" | "preproc_function_def" => {
            let found = Found::new(Macro, at.name()).public(true).body(at.field("value"));
            // An include guard.
            vec![if found.body.is_none() { found.known() } else { found }]
        }
        "enumerator" => vec![Found::new(Variant, at.name())],
        "field_declaration" if at.is_in(Type) => each(at, |name| Found::new(Field, name)),
        "declaration" if !at.inside => variables(at),
        _ => Vec::new(),
    }
}

fn each<'t>(at: &At<'_, 't>, told: impl Fn(&str) -> Found<'t>) -> Vec<Found<'t>> {
    let mut cursor = at.node.walk();
    let declarators: Vec<_> = at.node.children_by_field_name("declarator", &mut cursor).collect();
    declarators.into_iter().filter_map(declared).map(|name| told(at.text(name))).collect()
}

/// Tables and other values; prototypes are only declarations.
fn variables<'t>(at: &At<'_, 't>) -> Vec<Found<'t>> {
    let mut cursor = at.node.walk();
    let declarators: Vec<_> = at.node.children_by_field_name("declarator", &mut cursor).collect();
    let told = |node: Node<'t>| {
        let name = at.text(declared(node)?);
        let found = Found::new(Constant, name).public(!is_static(at));
        let value = (node.kind() == "init_declarator").then(|| node.child_by_field_name("value")).flatten();
        Some(if value.is_some() { found.body(value) } else { found.known() })
    };
    declarators.into_iter().filter_map(told).collect()
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

fn is_static(at: &At<'_, '_>) -> bool {
    at.child("storage_class_specifier").is_some_and(|node| at.text(node) == "static")
}
