//! Python: definitions in the syntax tree.

use super::definition_node::{DefinitionNode, NodeContext};
use crate::facts::language::Language;
use crate::facts::language::SymbolKind::{Constant, Field, Function, Type};

pub fn find_definitions<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    match at.kind() {
        "function_definition" => {
            let name = at.name();
            let case = Language::Python.names_test(name);
            vec![DefinitionNode::new(Function, name).public(is_public(name)).body(at.field("body")).test(case, case)]
        }
        "class_definition" => {
            let name = at.name();
            let test = Language::Python.names_test(name) || at.field_text("superclasses").contains("TestCase");
            vec![DefinitionNode::new(Type, name).public(is_public(name)).body(at.field("body")).test(test, false)]
        }
        "assignment" if !at.inside && at.parent.is_some_and(|up| up.kind() == "expression_statement") => assigned(at),
        "type_alias_statement" if !at.inside => {
            let name = at.field_text("left");
            vec![DefinitionNode::new(Type, name).public(is_public(name)).body(at.field("right"))]
        }
        "aliased_import" => vec![DefinitionNode::new(Constant, at.field_text("alias")).name_only()],
        "dotted_name" if at.parent.is_some_and(|up| up.kind().starts_with("import_")) => {
            vec![DefinitionNode::new(Constant, at.text(at.node)).name_only()]
        }
        _ => Vec::new(),
    }
}

/// `a = …` and `a, b = …`.
fn assigned<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    let Some(left) = at.field("left") else { return Vec::new() };
    let kind = if at.is_in(Type) { Field } else { Constant };
    let body = at.field("right");
    let mut cursor = left.walk();
    let names: Vec<_> = match left.kind() {
        "identifier" => vec![left],
        "pattern_list" | "tuple_pattern" => left.named_children(&mut cursor).collect(),
        _ => Vec::new(),
    };
    let definition = |name: &str| {
        let found = DefinitionNode::new(kind, name).public(is_public(name)).body(body);
        if name.starts_with("__") && name != "__version__" { found.name_only() } else { found }
    };
    names.into_iter().filter(|node| node.kind() == "identifier").map(|node| definition(at.text(node))).collect()
}

fn is_public(name: &str) -> bool {
    !name.starts_with('_') || name.starts_with("__")
}
