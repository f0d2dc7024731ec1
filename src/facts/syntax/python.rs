//! Python: definitions in the syntax tree.

use super::found::{At, Found};
use crate::facts::language::Language;
use crate::facts::language::SymbolKind::{Constant, Field, Function, Type};

pub fn found<'t>(at: &At<'_, 't>) -> Vec<Found<'t>> {
    match at.kind() {
        "function_definition" => {
            let name = at.name();
            let case = Language::Python.names_test(name);
            vec![Found::new(Function, name).public(is_public(name)).body(at.field("body")).test(case, case)]
        }
        "class_definition" => {
            let name = at.name();
            let test = Language::Python.names_test(name) || at.field_text("superclasses").contains("TestCase");
            vec![Found::new(Type, name).public(is_public(name)).body(at.field("body")).test(test, false)]
        }
        "assignment" if !at.inside && at.up.is_some_and(|up| up.kind() == "expression_statement") => assigned(at),
        "type_alias_statement" if !at.inside => {
            let name = at.field_text("left");
            vec![Found::new(Type, name).public(is_public(name)).body(at.field("right"))]
        }
        "aliased_import" => vec![Found::new(Constant, at.field_text("alias")).known()],
        "dotted_name" if at.up.is_some_and(|up| up.kind().starts_with("import_")) => {
            vec![Found::new(Constant, at.text(at.node)).known()]
        }
        _ => Vec::new(),
    }
}

/// `a = …` and `a, b = …`.
fn assigned<'t>(at: &At<'_, 't>) -> Vec<Found<'t>> {
    let Some(left) = at.field("left") else { return Vec::new() };
    let kind = if at.is_in(Type) { Field } else { Constant };
    let body = at.field("right");
    let mut cursor = left.walk();
    let names: Vec<_> = match left.kind() {
        "identifier" => vec![left],
        "pattern_list" | "tuple_pattern" => left.named_children(&mut cursor).collect(),
        _ => Vec::new(),
    };
    let told = |name: &str| {
        let found = Found::new(kind, name).public(is_public(name)).body(body);
        if name.starts_with("__") && name != "__version__" { found.known() } else { found }
    };
    names.into_iter().filter(|node| node.kind() == "identifier").map(|node| told(at.text(node))).collect()
}

fn is_public(name: &str) -> bool {
    !name.starts_with('_') || name.starts_with("__")
}
