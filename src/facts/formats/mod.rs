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
    pub news: News,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Pointer(pointer::Moved),
    /// A symbolic link, with its target on each side.
    Link {
        from: Option<String>,
        to: Option<String>,
    },
    Translations(translation::Translations),
    Notebook(notebook::Cells),
}

/// The format changes, and the files for all other analysis, without the lines covered by them.
#[must_use]
pub fn split(files: &[FileChange]) -> (Vec<FormatChange>, Cow<'_, [FileChange]>) {
    let told: Vec<Option<(News, Option<FileChange>)>> = files.iter().map(news).collect();
    if told.iter().all(Option::is_none) {
        return (Vec::new(), Cow::Borrowed(files));
    }
    let (mut changes, mut rest) = (Vec::new(), Vec::new());
    for (file, told) in files.iter().zip(told) {
        match told {
            None => rest.push(file.clone()),
            Some((news, left)) => {
                changes.push(FormatChange { path: file.path.clone(), news });
                rest.extend(left);
            }
        }
    }
    (changes, Cow::Owned(rest))
}

/// The file's format change, and the rest of the file for line-based analysis.
fn news(file: &FileChange) -> Option<(News, Option<FileChange>)> {
    if let Some(moved) = pointer::of(file) {
        return Some((News::Pointer(moved), None));
    }
    if let Some((from, to)) = pointer::link(file) {
        return Some((News::Link { from, to }, None));
    }
    if let Some(translations) = translation::of(file) {
        return Some((News::Translations(translations), None));
    }
    notebook::of(file).map(|(cells, source)| (News::Notebook(cells), Some(source)))
}
