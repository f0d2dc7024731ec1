//! Go: definitions in the syntax tree.

use super::definition_node::{DefinitionNode, NodeContext};
use crate::facts::language::Language;
use crate::facts::language::SymbolKind::{self, Constant, Field, Function, Type};

pub fn find_definitions<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    match at.kind() {
        "function_declaration" => {
            let case = Language::Go.names_test(at.name());
            vec![definition(Function, at.name()).body(at.field("body")).test(case, case)]
        }
        "method_declaration" => {
            let of = at.field("receiver").and_then(|node| receiver(at.text(node)));
            vec![DefinitionNode {
                type_name: of.map(str::to_owned),
                ..definition(Function, at.name()).body(at.field("body"))
            }]
        }
        "type_spec" | "type_alias" => vec![definition(Type, at.name()).body(at.field("type"))],
        "method_elem" | "method_spec" if at.is_in(Type) => vec![definition(Function, at.name())],
        "field_declaration" if at.is_in(Type) => each_name(at, Field),
        "const_spec" | "var_spec" if !at.inside => each_name(at, Constant),
        _ => Vec::new(),
    }
}

fn definition<'t>(kind: SymbolKind, name: &str) -> DefinitionNode<'t> {
    DefinitionNode::new(kind, name).public(name.starts_with(char::is_uppercase))
}

fn each_name<'t>(at: &NodeContext<'_, 't>, kind: SymbolKind) -> Vec<DefinitionNode<'t>> {
    let mut cursor = at.node.walk();
    let names = at.node.children_by_field_name("name", &mut cursor).filter(tree_sitter::Node::is_named);
    names.map(|node| definition(kind, at.text(node)).body(at.field("value"))).collect()
}

/// `Router` of `(r *Router[T])`.
fn receiver(text: &str) -> Option<&str> {
    let last = text.split('[').next()?.trim_matches(['(', ')', ' ']).split_whitespace().last()?;
    let name = last.trim_start_matches(['*', '(']).trim_end_matches(')');
    (!name.is_empty()).then_some(name)
}
