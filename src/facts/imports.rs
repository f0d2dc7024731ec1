//! Detects reordered import lines.

use crate::domain::patch::{Change, FileChange, Line, Origin};

/// Whether only the order of import lines changed.
#[must_use]
pub fn are_reordered(file: &FileChange) -> bool {
    let changed: Vec<&Line> = file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| is_changed(line)).collect();
    let whole = file.insertions.zip(file.deletions).is_some_and(|(a, b)| a + b == changed.len() as u64 && a > 0);
    let plain = file.change == Change::Modified && !file.mode_changed;
    plain && whole && changed.iter().all(|line| is_import(&line.text)) && is_permutation(&changed)
}

fn is_changed(line: &Line) -> bool {
    line.origin != Origin::Context && !line.text.trim().is_empty()
}

/// A complete import on one line; a list over several lines is uncertain.
fn is_import(line: &str) -> bool {
    let starts = ["import ", "from ", "use ", "pub use ", "#include ", "mod ", "pub mod ", "extern crate ", "require("];
    let text = line.trim();
    starts.iter().any(|start| text.starts_with(start)) && !text.ends_with(['{', '(', ',', '\\'])
}

fn is_permutation(changed: &[&Line]) -> bool {
    let side = |origin| {
        let mut lines: Vec<&str> =
            changed.iter().filter(|line| line.origin == origin).map(|line| line.text.trim()).collect();
        lines.sort_unstable();
        lines
    };
    side(Origin::Added) == side(Origin::Removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample::{counted, file};

    #[test]
    fn another_order_of_imports_is_told_from_other_imports() {
        assert!(are_reordered(&file("a.rs", "@@\n-use b;\n use a;\n+use b;")));
        for patch in
            ["@@\n-use b;\n+use c;", "@@\n-b();\n a();\n+b();", "@@\n-use b::{\n use a;\n+use b::{", "@@\n+use b;"]
        {
            assert!(!are_reordered(&file("a.rs", patch)), "{patch}");
        }
        assert!(!are_reordered(&counted("a.rs", 1, 1)));
    }
}
