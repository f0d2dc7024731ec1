//! Java: definitions in the syntax tree.

use tree_sitter::Node;

use super::definition_node::{DefinitionNode, NodeContext};
use crate::facts::language::SymbolKind::{self, Constant, Field, Function, Type, Variant};

pub fn find_definitions<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    let modifiers = at.child("modifiers").map_or("", |node| at.text(node));
    let case = ["@Test", "@ParameterizedTest", "@RepeatedTest"].iter().any(|mark| has_word(modifiers, mark));
    let named = |kind| DefinitionNode::new(kind, at.name()).public(is_public(at, modifiers)).body(at.field("body"));
    match at.kind() {
        "class_declaration"
        | "interface_declaration"
        | "enum_declaration"
        | "record_declaration"
        | "annotation_type_declaration" => vec![named(Type)],
        "method_declaration"
        | "constructor_declaration"
        | "compact_constructor_declaration"
        | "annotation_type_element_declaration" => vec![named(Function).test(case, case)],
        "enum_constant" => vec![named(Variant)],
        "field_declaration" | "constant_declaration" if at.is_in(Type) => fields(at, modifiers),
        _ => Vec::new(),
    }
}

fn fields<'t>(at: &NodeContext<'_, 't>, modifiers: &str) -> Vec<DefinitionNode<'t>> {
    let fixed = has_word(modifiers, "static") && has_word(modifiers, "final");
    let kind: SymbolKind = if fixed || at.kind() == "constant_declaration" { Constant } else { Field };
    let mut cursor = at.node.walk();
    let declarators: Vec<Node<'t>> = at.node.children_by_field_name("declarator", &mut cursor).collect();
    let definition = |node: Node<'t>| {
        let name = at.text(node.child_by_field_name("name")?);
        Some(DefinitionNode::new(kind, name).public(is_public(at, modifiers)).body(node.child_by_field_name("value")))
    };
    declarators.into_iter().filter_map(definition).collect()
}

/// Interface members are public by default.
fn is_public(at: &NodeContext<'_, '_>, modifiers: &str) -> bool {
    let in_interface = at.parent.is_some_and(|up| matches!(up.kind(), "interface_body" | "annotation_type_body"));
    has_word(modifiers, "public")
        || (in_interface && !has_word(modifiers, "private") && at.owner.is_some_and(|owner| owner.public))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || c == '(').any(|part| part == word)
}
