//! Go: definitions in the syntax tree.

use super::found::{At, Found};
use crate::facts::language::Language;
use crate::facts::language::SymbolKind::{self, Constant, Field, Function, Type};

pub fn found<'t>(at: &At<'_, 't>) -> Vec<Found<'t>> {
    match at.kind() {
        "function_declaration" => {
            let case = Language::Go.names_test(at.name());
            vec![named(Function, at.name()).body(at.field("body")).test(case, case)]
        }
        "method_declaration" => {
            let of = at.field("receiver").and_then(|node| receiver(at.text(node)));
            vec![Found { of: of.map(str::to_owned), ..named(Function, at.name()).body(at.field("body")) }]
        }
        "type_spec" | "type_alias" => vec![named(Type, at.name()).body(at.field("type"))],
        "method_elem" | "method_spec" if at.is_in(Type) => vec![named(Function, at.name())],
        "field_declaration" if at.is_in(Type) => each_name(at, Field),
        "const_spec" | "var_spec" if !at.inside => each_name(at, Constant),
        _ => Vec::new(),
    }
}

fn named<'t>(kind: SymbolKind, name: &str) -> Found<'t> {
    Found::new(kind, name).public(name.starts_with(char::is_uppercase))
}

fn each_name<'t>(at: &At<'_, 't>, kind: SymbolKind) -> Vec<Found<'t>> {
    let mut cursor = at.node.walk();
    let names = at.node.children_by_field_name("name", &mut cursor).filter(tree_sitter::Node::is_named);
    names.map(|node| named(kind, at.text(node)).body(at.field("value"))).collect()
}

/// `Router` of `(r *Router[T])`.
fn receiver(text: &str) -> Option<&str> {
    let last = text.split('[').next()?.trim_matches(['(', ')', ' ']).split_whitespace().last()?;
    let name = last.trim_start_matches(['*', '(']).trim_end_matches(')');
    (!name.is_empty()).then_some(name)
}
