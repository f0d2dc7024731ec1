//! JavaScript and TypeScript: definitions in the syntax tree.

use tree_sitter::Node;

use super::definition_node::{DefinitionNode, NodeContext};
use crate::facts::language::SymbolKind::{self, Constant, Field, Function, Scope, Type, Variant};

pub fn find_definitions<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    match at.kind() {
        "variable_declarator" => declared(at),
        "import_specifier" | "namespace_import" | "import_clause" => {
            let alias = at.field("alias").or_else(|| at.field("name")).or_else(|| at.child("identifier"));
            alias.map(|node| DefinitionNode::new(Constant, at.text(node)).name_only()).into_iter().collect()
        }
        _ => find_definition(at).into_iter().collect(),
    }
}

fn find_definition<'t>(at: &NodeContext<'_, 't>) -> Option<DefinitionNode<'t>> {
    let named = |kind| DefinitionNode::new(kind, at.name()).public(at.exported).body(at.field("body"));
    Some(match at.kind() {
        "function_declaration" | "generator_function_declaration" => named(Function),
        "function_signature" => named(Function),
        "class_declaration" | "abstract_class_declaration" | "interface_declaration" | "enum_declaration" => {
            named(Type)
        }
        "type_alias_declaration" if !at.inside => named(Type).body(at.field("value")),
        "internal_module" | "module" => named(Scope),
        "method_definition" | "method_signature" | "abstract_method_signature" if is_member(at) => {
            member(at, Function, at.field("name")?)?.body(at.field("body"))
        }
        "public_field_definition" if is_member(at) => field(at, at.field("name")?)?,
        "field_definition" if is_member(at) => field(at, at.field("property")?)?,
        "property_signature" if at.is_in(Type) => member(at, Field, at.field("name")?)?,
        "enum_assignment" if at.is_in(Type) => member(at, Variant, at.field("name")?)?,
        "property_identifier" if at.parent.is_some_and(|up| up.kind() == "enum_body") => {
            DefinitionNode::new(Variant, at.text(at.node))
        }
        "pair" if is_member(at) => {
            let value = at.field("value").filter(|value| is_function(*value))?;
            member(at, Function, at.field("key")?)?.body(function_body(value))
        }
        "assignment_expression" => assigned(at)?,
        // A named function passed as an argument: `defineGetter(req, 'ip', function ip() { … })`.
        "function_expression" if at.parent.is_some_and(|up| up.kind() == "arguments") => named(Function),
        _ => return None,
    })
}

/// In a class, an interface, or a top-level object.
fn is_member(at: &NodeContext<'_, '_>) -> bool {
    !at.inside || at.is_in(Type)
}

fn member<'t>(at: &NodeContext<'_, 't>, kind: SymbolKind, key: Node<'t>) -> Option<DefinitionNode<'t>> {
    let plain = matches!(key.kind(), "property_identifier" | "private_property_identifier" | "identifier");
    let hidden = at.text(key).starts_with('#')
        || at.child("accessibility_modifier").is_some_and(|node| at.text(node) != "public");
    let public = !hidden && at.owner.map_or(at.exported, |owner| owner.public);
    plain.then(|| DefinitionNode::new(kind, at.text(key)).public(public))
}

fn field<'t>(at: &NodeContext<'_, 't>, key: Node<'t>) -> Option<DefinitionNode<'t>> {
    let value = at.field("value");
    match value.filter(|value| is_function(*value)) {
        Some(value) => Some(member(at, Function, key)?.body(function_body(value))),
        None => Some(member(at, Field, key)?.body(value)),
    }
}

fn is_function(node: Node<'_>) -> bool {
    matches!(node.kind(), "arrow_function" | "function_expression" | "generator_function" | "function")
}

fn is_class(node: Node<'_>) -> bool {
    node.kind() == "class"
}

fn function_body(node: Node<'_>) -> Option<Node<'_>> {
    node.child_by_field_name("body")
}

/// `const x = …`: a function or a class; at the top level also a value or an import.
fn declared<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    let (Some(name), value) = (at.field("name"), at.field("value")) else { return Vec::new() };
    if name.kind() != "identifier" {
        return if at.inside { Vec::new() } else { pattern(at, name) };
    }
    let named = |kind| DefinitionNode::new(kind, at.text(name)).public(at.exported);
    match value {
        Some(value) if is_function(value) => vec![named(Function).body(function_body(value))],
        Some(value) if is_class(value) => vec![named(Type).body(function_body(value))],
        _ if at.inside => Vec::new(),
        Some(value) if at.text(value).starts_with("require(") => vec![named(Constant).name_only()],
        Some(value) => {
            let qualifies = value.kind() == "object";
            vec![DefinitionNode { qualifies, ..named(Constant).body(Some(value)) }]
        }
        None => vec![named(Constant)],
    }
}

/// Names bound by a destructuring.
fn pattern<'t>(at: &NodeContext<'_, 't>, pattern: Node<'t>) -> Vec<DefinitionNode<'t>> {
    let mut cursor = pattern.walk();
    let bound = pattern.named_children(&mut cursor).filter_map(|child| match child.kind() {
        "shorthand_property_identifier_pattern" | "identifier" => Some(child),
        "pair_pattern" => child.child_by_field_name("value").filter(|value| value.kind() == "identifier"),
        _ => None,
    });
    bound.map(|node| DefinitionNode::new(Constant, at.text(node)).name_only()).collect()
}

/// `exports.x = function`, `app.use = function`, `X.prototype.y = function`, `module.exports = class X`.
fn assigned<'t>(at: &NodeContext<'_, 't>) -> Option<DefinitionNode<'t>> {
    let (left, value) = (at.field("left")?, at.field("right")?);
    if !is_function(value) && !is_class(value) {
        return None;
    }
    let kind = if is_class(value) { Type } else { Function };
    let target = at.text(left);
    let path: Vec<&str> = target.split('.').map(str::trim).collect();
    let found = |of: Option<&str>, name: &str| DefinitionNode {
        type_name: of.map(str::to_owned),
        ..DefinitionNode::new(kind, name).public(true).body(function_body(value))
    };
    match path.as_slice() {
        ["module", "exports"] => Some(found(None, at.text(value.child_by_field_name("name")?))),
        ["exports", name] | ["module", "exports", name] => Some(found(None, name)),
        [of, "prototype", name] => Some(found(Some(of), name)),
        ["this", ..] => None,
        _ if at.inside => None,
        [of, name] => Some(found(Some(of), name)),
        _ => None,
    }
}
