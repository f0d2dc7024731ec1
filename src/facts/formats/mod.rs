//! Special file formats: pointers to content stored elsewhere, translations, notebooks. Their raw lines say little, so
//! their changes are described in the format's own terms.

use std::borrow::Cow;

use crate::domain::patch::FileChange;

pub mod notebook;
pub mod pointer;
pub mod translation;

/// A change in a special format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatChange {
    pub path: String,
    pub detail: FormatDetail,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatDetail {
    Pointer(pointer::PointerChange),
    /// A symbolic link, with its target on each side.
    Link {
        from: Option<String>,
        to: Option<String>,
    },
    Translations(translation::Translations),
    Notebook(notebook::CellChanges),
}

/// The format changes, and the files for all other analysis, without the lines covered by them.
#[must_use]
pub fn extract_format_changes(files: &[FileChange]) -> (Vec<FormatChange>, Cow<'_, [FileChange]>) {
    let detected: Vec<Option<(FormatDetail, Option<FileChange>)>> = files.iter().map(detect_change).collect();
    if detected.iter().all(Option::is_none) {
        return (Vec::new(), Cow::Borrowed(files));
    }
    let (mut changes, mut rest) = (Vec::new(), Vec::new());
    for (file, detected) in files.iter().zip(detected) {
        match detected {
            None => rest.push(file.clone()),
            Some((news, left)) => {
                changes.push(FormatChange { path: file.path.clone(), detail: news });
                rest.extend(left);
            }
        }
    }
    (changes, Cow::Owned(rest))
}

/// The file's format change, and the rest of the file for line-based analysis.
fn detect_change(file: &FileChange) -> Option<(FormatDetail, Option<FileChange>)> {
    if let Some(moved) = pointer::find_change(file) {
        return Some((FormatDetail::Pointer(moved), None));
    }
    if let Some((from, to)) = pointer::link_targets(file) {
        return Some((FormatDetail::Link { from, to }, None));
    }
    if let Some(translations) = translation::find_changes(file) {
        return Some((FormatDetail::Translations(translations), None));
    }
    notebook::compare_notebooks(file).map(|(cells, source)| (FormatDetail::Notebook(cells), Some(source)))
}
