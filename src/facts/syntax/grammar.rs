//! Tree-sitter grammar by file extension.

use tree_sitter::Language as Built;

use super::definition_node::{DefinitionNode, NodeContext};
use super::{c, go, java, python, rust, script};
use crate::facts::language::Language;

/// Larger versions of a file are not parsed (bytes).
pub const SIDE_BYTES: usize = 256 << 10;

/// Built-in grammars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grammar {
    Rust,
    Python,
    JavaScript,
    TypeScript,
    Tsx,
    Go,
    Java,
    C,
}

impl Grammar {
    /// From the path's extension. C++ is not C: it is analysed by lines.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name.rsplit_once('.')?.1 {
            "rs" => Self::Rust,
            "py" | "pyi" => Self::Python,
            "js" | "jsx" | "mjs" | "cjs" => Self::JavaScript,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "go" => Self::Go,
            "java" => Self::Java,
            "c" | "h" => Self::C,
            _ => return None,
        })
    }

    #[must_use]
    pub fn language(self) -> Language {
        match self {
            Self::Rust => Language::Rust,
            Self::Python => Language::Python,
            Self::JavaScript | Self::TypeScript | Self::Tsx => Language::Script,
            Self::Go => Language::Go,
            Self::Java => Language::Java,
            Self::C => Language::C,
        }
    }

    pub(super) fn built(self) -> Built {
        match self {
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::C => tree_sitter_c::LANGUAGE.into(),
        }
    }

    /// The definitions of a node, by its language's rules.
    pub(super) fn find_definitions<'t>(self, at: &NodeContext<'_, 't>) -> Vec<DefinitionNode<'t>> {
        match self.language() {
            Language::Rust => rust::find_definitions(at),
            Language::Python => python::find_definitions(at),
            Language::Script => script::find_definitions(at),
            Language::Go => go::find_definitions(at),
            Language::Java => java::find_definitions(at),
            Language::C => c::find_definitions(at),
            Language::Ruby | Language::Shell => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grammar_is_one_that_the_parser_takes() {
        for path in ["a.rs", "a.py", "a.js", "a.ts", "a.tsx", "a.go", "a.java", "a.c"] {
            let grammar = Grammar::from_path(path).unwrap();
            assert!(tree_sitter::Parser::new().set_language(&grammar.built()).is_ok(), "{path}");
        }
    }

    #[test]
    fn what_has_no_grammar_is_left_to_its_lines() {
        assert_eq!(["a.cpp", "a.rb", "a.md", "Makefile"].map(Grammar::from_path), [None; 4]);
    }
}
