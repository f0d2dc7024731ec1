//! Rust: definitions in the syntax tree.

use tree_sitter::Node;

use super::definition_node::{DefinitionNode, NodeContext};
use crate::facts::language::SymbolKind::{Constant, Field, Function, Macro, Scope, Type, Variant};
use crate::facts::line_cursor;

pub fn find_definitions<'t>(at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
    find_definition(at).into_iter().collect()
}

fn find_definition<'t>(at: &NodeContext<'_, 't>) -> Option<DefinitionNode<'t>> {
    let named = |kind| DefinitionNode::new(kind, at.name()).public(is_public(at)).body(at.field("body"));
    let found = match at.kind() {
        "function_item" | "function_signature_item" => named(Function),
        "struct_item" | "enum_item" | "union_item" | "trait_item" => named(Type),
        // Associated types of an `impl` are not definitions of their own.
        "type_item" if !at.is_in(Scope) => named(Type).body(at.field("type")),
        "const_item" | "static_item" if !at.inside => named(Constant).body(at.field("value")),
        "macro_definition" => {
            named(Macro).body(at.child("macro_rule")).public(at.has_attribute(|mark| mark.contains("macro_export")))
        }
        "mod_item" => {
            let modules = named(Scope);
            if modules.body.is_none() { modules.name_only() } else { modules }
        }
        "impl_item" => implementation(at)?,
        "field_declaration" if at.is_in(Type) => named(Field),
        "enum_variant" if at.is_in(Type) => named(Variant),
        _ => return None,
    };
    let case = found.kind == Function && at.has_attribute(is_test_attribute);
    let test = case || at.has_attribute(marks_test);
    Some(found.test(test, case))
}

fn implementation<'t>(at: &NodeContext<'_, 't>) -> Option<DefinitionNode<'t>> {
    let (of, by) = (at.field("type")?, at.field("trait"));
    let name = base_name(at, of).filter(|name| line_cursor::is_identifier(name));
    // A tuple or slice is represented by the trait's name.
    let name = name.or_else(|| base_name(at, by?).filter(|name| line_cursor::is_identifier(name)))?;
    let via = format!("{} for {}", by.map_or("", |node| at.text(node)), at.text(of));
    let via = if by.is_none() && via.ends_with(name) { String::new() } else { via };
    Some(DefinitionNode { via, qualifies: true, ..DefinitionNode::new(Scope, name).body(at.field("body")) })
}

/// `Type` of `some::Type<T>` and of `&mut Type`.
fn base_name<'a>(at: &NodeContext<'a, '_>, node: Node<'_>) -> Option<&'a str> {
    let text = at.text(node).trim_start_matches(['&', ' ']);
    let text = text.strip_prefix("mut ").or_else(|| text.strip_prefix("dyn ")).unwrap_or(text);
    let path = text.split('<').next()?.trim_end();
    Some(path.rsplit("::").next()?.trim())
}

/// `pub` alone; `pub(crate)` is not reachable from outside.
fn is_public(at: &NodeContext<'_, '_>) -> bool {
    let in_trait = at.kind() == "function_signature_item" && at.is_in(Type);
    let of_trait = in_trait || (at.kind() == "function_item" && at.is_in(Type));
    (of_trait && at.owner.is_some_and(|owner| owner.public))
        || at.child("visibility_modifier").is_some_and(|node| at.text(node) == "pub")
}

fn squeezed(mark: &str) -> String {
    mark.chars().filter(|c| !c.is_whitespace()).take(200).collect()
}

/// `#[test]`, `#[tokio::test]`, `#[rstest(…)]`: a test case.
fn is_test_attribute(mark: &str) -> bool {
    let mark = squeezed(mark);
    let Some(inner) = mark.strip_prefix("#[") else { return false };
    let path = inner.split(['(', ']', '=']).next().unwrap_or("");
    let last = path.rsplit("::").next().unwrap_or("");
    matches!(last, "test" | "bench" | "rstest" | "test_case" | "quickcheck" | "wasm_bindgen_test")
}

/// Compiled for tests only.
fn marks_test(mark: &str) -> bool {
    let mark = squeezed(mark);
    ["#[cfg(test)", "#[cfg(all(test,", "#[cfg(all(test)", "#![cfg(test)"].iter().any(|head| mark.starts_with(head))
}
