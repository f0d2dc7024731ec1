//! Classifies syntax nodes across grammars: comment, attribute, function body, container.

use std::ops::Range;

use tree_sitter::Node;

use super::definition_node::StartPosition;

/// The text between the braces of a macro call.
pub(super) fn macro_body(node: Node<'_>) -> Option<tree_sitter::Range> {
    let mut cursor = node.walk();
    let tokens = node.named_children(&mut cursor).find(|child| child.kind() == "token_tree")?;
    let opens = tokens.child(0).is_some_and(|child| child.kind() == "{");
    let mut range = tokens.range();
    range.start_byte += 1;
    range.start_point.column += 1;
    range.end_byte = range.end_byte.checked_sub(1)?;
    range.end_point.column = range.end_point.column.checked_sub(1)?;
    (opens && range.start_byte < range.end_byte).then_some(range)
}

pub(super) fn start(node: Node<'_>) -> StartPosition {
    StartPosition { byte: node.start_byte(), row: node.start_position().row }
}

/// The rows of a node; a node ending at the start of a row excludes it.
pub(super) fn row_range(node: Node<'_>) -> Range<usize> {
    let (first, end) = (node.start_position().row, node.end_position());
    first..(end.row + usize::from(end.column > 0)).max(first + 1)
}

pub(super) fn is_comment(node: Node<'_>, up: Option<Node<'_>>) -> bool {
    if node.kind().ends_with("comment") {
        return node.is_named();
    }
    // A lone string statement is a docstring.
    node.kind() == "string" && up.is_some_and(|up| up.kind() == "expression_statement" && up.named_child_count() == 1)
}

pub(super) fn is_attribute(node: Node<'_>) -> bool {
    matches!(node.kind(), "attribute_item" | "inner_attribute_item" | "decorator")
}

/// Body of an anonymous function.
pub(super) fn is_body(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arrow_function"
            | "function_expression"
            | "generator_function"
            | "closure_expression"
            | "func_literal"
            | "lambda_expression"
            | "lambda"
            | "static_initializer"
            | "compound_statement"
    )
}

/// Containers, which are entered even if unchanged because they hold definitions.
pub(super) fn is_container(kind: &str) -> bool {
    matches!(
        kind,
        "source_file"
            | "module"
            | "program"
            | "translation_unit"
            | "declaration_list"
            | "block"
            | "class_body"
            | "interface_body"
            | "enum_body"
            | "enum_body_declarations"
            | "field_declaration_list"
            | "enum_variant_list"
            | "enumerator_list"
            | "decorated_definition"
            | "expression_statement"
            | "export_statement"
            | "export_clause"
            | "import_statement"
            | "import_from_statement"
            | "import_clause"
            | "named_imports"
            | "if_statement"
            | "else_clause"
            | "try_statement"
            | "except_clause"
            | "with_statement"
            | "lexical_declaration"
            | "variable_declaration"
            | "statement_block"
            | "ambient_declaration"
            | "object"
            | "pair"
            | "call_expression"
            | "arguments"
            | "parenthesized_expression"
            | "object_type"
            | "type_declaration"
            | "const_declaration"
            | "var_declaration"
            | "var_spec_list"
            | "struct_type"
            | "interface_type"
            | "foreign_mod_item"
            | "preproc_if"
            | "preproc_ifdef"
            | "preproc_else"
            | "preproc_elif"
            | "linkage_specification"
            | "declaration"
            | "type_definition"
            | "struct_specifier"
            | "union_specifier"
            | "enum_specifier"
            | "assignment_expression"
    )
}
