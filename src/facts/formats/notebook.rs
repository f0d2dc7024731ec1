//! Jupyter notebooks: separates cell sources from outputs, execution counts and metadata.

use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::domain::patch::{FileChange, Hunk, LineOrigin, PatchLine};

/// Number of cells with changed sources, and other changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CellChanges {
    pub changed: usize,
    pub added: usize,
    pub removed: usize,
    /// Outputs or execution counts differ.
    pub outputs: bool,
    /// Notebook or cell metadata differs: kernel, versions, tags.
    pub metadata: bool,
}

impl CellChanges {
    /// No cell source changed.
    #[must_use]
    pub fn is_silent(self) -> bool {
        self.changed + self.added + self.removed == 0
    }
}

/// The changed cells, and the file reduced to its sources.
#[must_use]
pub fn compare_notebooks(file: &FileChange) -> Option<(CellChanges, FileChange)> {
    if !file.path.ends_with(".ipynb") || file.hunks.is_empty() {
        return None;
    }
    let Some(texts) = &file.texts else {
        let only = file.hunks.iter().flat_map(|hunk| &hunk.lines).all(is_run_output);
        let left = CellChanges { outputs: true, ..CellChanges::default() };
        return only.then(|| (left, FileChange { hunks: Vec::new(), ..file.clone() }));
    };
    let (before, after) = (parse_notebook(&texts.old)?, parse_notebook(&texts.new)?);
    let cells = CellChanges {
        outputs: run_outputs(&before) != run_outputs(&after),
        metadata: metadata(&before) != metadata(&after),
        ..compare(&sources(&before)?, &sources(&after)?)
    };
    let (old, new) = (in_source(&texts.old), in_source(&texts.new));
    let hunks = file.hunks.iter().filter_map(|hunk| source_of(hunk, &old, &new)).collect();
    Some((cells, FileChange { hunks, texts: None, ..file.clone() }))
}

/// Parses a notebook; an absent one has no cells.
fn parse_notebook(text: &str) -> Option<Value> {
    if text.is_empty() { Some(json!({ "cells": [] })) } else { serde_json::from_str(text).ok() }
}

/// Outputs and execution count of each cell.
fn run_outputs(notebook: &Value) -> Vec<(&Value, &Value)> {
    let cells = notebook["cells"].as_array().into_iter().flatten();
    cells.map(|cell| (&cell["outputs"], &cell["execution_count"])).collect()
}

/// Metadata of the notebook, then of each cell.
fn metadata(notebook: &Value) -> Vec<&Value> {
    let cells = notebook["cells"].as_array().into_iter().flatten();
    let of_notebook = ["metadata", "nbformat", "nbformat_minor"].map(|field| &notebook[field]);
    of_notebook.into_iter().chain(cells.map(|cell| &cell["metadata"])).collect()
}

/// Kind and source of each cell.
fn sources(notebook: &Value) -> Option<Vec<(String, String)>> {
    let joined = |source: &Value| match source {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or("").to_owned(),
    };
    let cells = notebook.get("cells")?.as_array()?;
    Some(
        cells
            .iter()
            .map(|cell| (cell["cell_type"].as_str().unwrap_or("").to_owned(), joined(&cell["source"])))
            .collect(),
    )
}

fn compare(old: &[(String, String)], new: &[(String, String)]) -> CellChanges {
    let mut cells = CellChanges::default();
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        let (removed, added) = match op {
            DiffOp::Equal { .. } => (0, 0),
            _ => (op.old_range().len(), op.new_range().len()),
        };
        cells.changed += removed.min(added);
        cells.added += added.saturating_sub(removed);
        cells.removed += removed.saturating_sub(added);
    }
    cells
}

/// Marks the lines of a file that belong to a cell's source, in the usual layout: `"source": [`, one string per line,
/// `]`.
fn in_source(text: &str) -> Vec<bool> {
    let mut inside = false;
    let mut of = |line: &str| {
        let line = line.trim();
        let was = inside;
        inside = line == "\"source\": [" || (inside && !line.starts_with(']'));
        was && inside
    };
    text.lines().map(|line| of(line) || line.trim_start().starts_with("\"source\": \"")).collect()
}

/// The hunk reduced to source lines, unescaped.
fn source_of(hunk: &Hunk, old: &[bool], new: &[bool]) -> Option<Hunk> {
    let row = |start: u32| usize::try_from(start.saturating_sub(1)).unwrap_or(0);
    let (mut at_old, mut at_new) = (row(hunk.old_start), row(hunk.new_start));
    let mut lines = Vec::new();
    for line in &hunk.lines {
        let is_source = match line.origin {
            LineOrigin::Removed => old.get(at_old),
            LineOrigin::Added | LineOrigin::Context => new.get(at_new),
        };
        at_old += usize::from(line.origin != LineOrigin::Added);
        at_new += usize::from(line.origin != LineOrigin::Removed);
        if is_source == Some(&true) {
            lines.push(PatchLine { text: program_line(&line.text), ..line.clone() });
        }
    }
    let changed = lines.iter().any(|line| line.origin != LineOrigin::Context);
    changed.then(|| Hunk { header: String::new(), lines, ..hunk.clone() })
}

/// `    "import os\n",` as `import os`.
fn program_line(text: &str) -> String {
    let string = text.trim().trim_start_matches("\"source\": ").trim_end_matches(',');
    let decoded: Option<String> = serde_json::from_str(string).ok();
    decoded.map_or_else(|| string.to_owned(), |line| line.trim_end_matches('\n').to_owned())
}

/// A line written by running a cell, recognised without its context.
fn is_run_output(line: &PatchLine) -> bool {
    let text = line.text.trim();
    let keys = [
        "\"execution_count\":", "\"image/", "\"output_type\":", "\"outputs\":", "\"data\":", "\"text/html\":",
        "\"metadata\":", "\"version\":", "\"iopub", "\"shell.execute",
    ];
    line.origin == LineOrigin::Context || keys.iter().any(|key| text.starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::versions;

    fn notebook(count: u32, source: &str, output: &str) -> String {
        format!(
            "{{\n \"cells\": [\n  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": {count},\n   \"outputs\": [\n    {{\n     \"text\": [\n      \"{output}\\n\"\n     ]\n    }}\n   ],\n   \"source\": [\n    \"import os\\n\",\n    \"{source}\"\n   ]\n  }}\n ]\n}}\n"
        )
    }

    #[test]
    fn outputs_and_counts_are_told_from_sources() {
        let file = versions("a.ipynb", &notebook(1, "load()", "one"), &notebook(2, "load()", "two"));
        let (cells, rest) = compare_notebooks(&file).unwrap();
        assert_eq!((cells, rest.hunks.len()), (CellChanges { outputs: true, ..CellChanges::default() }, 0));
        let file = versions("a.ipynb", &notebook(1, "load()", "one"), &notebook(2, "load_all()", "two"));
        let (cells, rest) = compare_notebooks(&file).unwrap();
        assert_eq!(cells, CellChanges { changed: 1, outputs: true, ..CellChanges::default() });
        let lines: Vec<_> = rest.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.as_str()).collect();
        assert_eq!(lines, ["import os", "load()", "load_all()"]);
    }

    #[test]
    fn a_kernel_and_a_layout_are_told_from_outputs() {
        let kernel =
            |name: &str| format!("{{\"cells\": [], \"metadata\": {{\"kernelspec\": {{\"name\": \"{name}\"}}}}}}\n");
        let (cells, _) = compare_notebooks(&versions("a.ipynb", &kernel("a"), &kernel("b"))).unwrap();
        assert_eq!(cells, CellChanges { metadata: true, ..CellChanges::default() });
        let (cells, _) =
            compare_notebooks(&versions("a.ipynb", &kernel("a"), &kernel("a").replace(": ", ":"))).unwrap();
        assert_eq!(cells, CellChanges::default());
    }

    #[test]
    fn a_notebook_too_large_to_be_read_whole_is_told_by_its_lines() {
        let patch = "@@\n-   \"execution_count\": 1,\n+   \"execution_count\": 2,";
        assert!(compare_notebooks(&crate::facts::sample::file("a.ipynb", patch)).unwrap().0.is_silent());
        assert!(
            compare_notebooks(&crate::facts::sample::file("a.ipynb", "@@\n-    \"a\\n\",\n+    \"b\\n\",")).is_none()
        );
    }
}
