//! Symbol diff by syntax trees (tree-sitter) within a time budget; beyond it, by lines.

use std::cell::Cell;

use super::roles::FileRole;
use super::symbols::{self, Symbol, SymbolChange};
use crate::domain::clock::Clock;
use crate::domain::patch::{FileChange, FileTexts};

mod c;
mod compare;
mod definition_node;
mod go;
pub mod grammar;
mod java;
mod moved;
mod nodes;
mod outline;
mod parse;
mod python;
mod rename;
mod rows;
mod rust;
mod script;
mod side;
mod swaps;
#[cfg(test)]
mod syntax_tests;
mod tokens;

use compare::SymbolDraft;
use grammar::Grammar;
use parse::ParseBudget;
use rows::ChangedRows;
use side::FileSide;
use swaps::IdentifierSwaps;

/// The symbols of all files, the most important first.
#[cfg(test)]
pub fn find_symbols(files: &[FileChange], clock: &dyn Clock) -> Vec<Symbol> {
    find_symbols_with_extent(files, clock).0
}

/// The same, and whether they are complete: files beyond the budget are analysed by lines, which show less.
#[must_use]
pub fn find_symbols_with_extent(files: &[FileChange], clock: &dyn Clock) -> (Vec<Symbol>, bool) {
    let parsing = ParseBudget::within(parse::budget(files.len()), clock);
    let swaps = IdentifierSwaps::from_files(files);
    let late = Cell::new(false);
    let of = |at: usize| (at, diff_file(&files[at], &parsing, &swaps, &late));
    let mut drafts: Vec<(usize, Vec<SymbolDraft>)> = in_order(files).into_iter().map(of).collect();
    drafts.sort_by_key(|(at, _)| *at);
    let mut drafts: Vec<SymbolDraft> = drafts.into_iter().flat_map(|(_, drafts)| drafts).collect();
    moved::join_moves(&mut drafts);
    let mut symbols: Vec<Symbol> = drafts.into_iter().map(|draft| draft.symbol).collect();
    symbols::rank(&mut symbols);
    let all = symbols.len() <= SYMBOLS && !late.get();
    symbols.truncate(SYMBOLS);
    (symbols, all)
}

/// Limit of the symbols of a patch; such patches exceed the reading bounds as well.
const SYMBOLS: usize = 2_000;

/// Source before tests before the rest, small files before large ones: the budget goes to what is described first.
fn in_order(files: &[FileChange]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    let size = |file: &FileChange| file.texts.as_ref().map_or(0, |texts| texts.old.len() + texts.new.len());
    order.sort_by_cached_key(|at| (FileRole::from_path(&files[*at].path), size(&files[*at])));
    order
}

fn diff_file(
    file: &FileChange,
    parsing: &ParseBudget<'_>,
    swaps: &IdentifierSwaps,
    late: &Cell<bool>,
) -> Vec<SymbolDraft> {
    let texts = file.texts.as_deref();
    let mut drafts = match texts.and_then(|texts| diff_by_grammar(file, texts, parsing, swaps)) {
        Some(drafts) => drafts,
        None => {
            late.set(late.get() || (texts.is_some() && Grammar::from_path(&file.path).is_some()));
            diff_by_lines(file)
        }
    };
    let test_file = FileRole::from_path(&file.path) == FileRole::Tests;
    drafts.iter_mut().for_each(|draft| draft.symbol.test |= test_file);
    drafts
}

fn diff_by_grammar(
    file: &FileChange,
    texts: &FileTexts,
    parsing: &ParseBudget<'_>,
    swaps: &IdentifierSwaps,
) -> Option<Vec<SymbolDraft>> {
    let grammar = Grammar::from_path(&file.path)?;
    let changed = ChangedRows::from_hunks(file, symbols::is_whole(file));
    let outline = |text: &str, rows| outline::build_outline(grammar, text, rows, parsing);
    let (old, new) = (outline(&texts.old, &changed.old)?, outline(&texts.new, &changed.new)?);
    let (old, new) = (FileSide::of(&texts.old, old, changed.old), FileSide::of(&texts.new, new, changed.new));
    Some(compare::diff_outlines(&old, &new, &file.path, swaps))
}

/// Lines alone are incomplete: a name that the other side defines on any line is neither added nor removed.
fn diff_by_lines(file: &FileChange) -> Vec<SymbolDraft> {
    let drafts = symbols::diff_by_lines(file).into_iter().map(|symbol| SymbolDraft { symbol, words: Vec::new() });
    let Some(texts) = file.texts.as_deref() else { return drafts.collect() };
    let is_elsewhere = |symbol: &Symbol| match symbol.change {
        SymbolChange::Added => has_word(&texts.old, symbol.bare()),
        SymbolChange::Removed => has_word(&texts.new, symbol.bare()),
        _ => false,
    };
    drafts.filter(|draft| !is_elsewhere(&draft.symbol)).collect()
}

/// Whether the text contains the word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    let stands_alone = |(at, found): (usize, &str)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + found.len()..].chars().next())
    };
    !word.is_empty() && text.match_indices(word).any(stands_alone)
}
