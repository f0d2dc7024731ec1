//! Template cache: the capture templates in force, built-in and the user's own, reloaded when a file changes.

use parking_lot::Mutex;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::services::{FRESH, Version};
use crate::config::Paths;
use crate::fallback::variants::{self, Variants};

/// Largest template file (bytes).
const MOST: u64 = 64 * 1024;

/// The user's template folder, and the last read of it.
#[derive(Debug)]
pub struct TemplateCache {
    folder: PathBuf,
    read: Mutex<Option<LoadedTemplates>>,
}

#[derive(Debug)]
struct LoadedTemplates {
    versions: Vec<Version>,
    variants: Arc<Variants>,
}

impl TemplateCache {
    #[must_use]
    pub fn of(paths: &Paths) -> Self {
        Self { folder: folder(paths), read: Mutex::new(None) }
    }

    /// The templates; with the time of their last change if they were reloaded just now: then their faults are new, and
    /// older complaints are settled.
    pub fn current(&self) -> (Arc<Variants>, Option<Timestamp>) {
        let versions = file_versions(&self.folder);
        let mut read = self.read.lock();
        if let Some(read) = read.as_ref().filter(|read| read.versions == versions) {
            return (Arc::clone(&read.variants), None);
        }
        let variants = Arc::new(load(&self.folder));
        let changed = last_change(&versions);
        *read = Some(LoadedTemplates { versions, variants: Arc::clone(&variants) });
        (variants, Some(changed))
    }
}

/// `templates/capture` beside the settings.
#[must_use]
pub fn folder(paths: &Paths) -> PathBuf {
    paths.config.join("templates").join("capture")
}

/// The folder's own version first: where there is none, no file is read.
fn file_versions(folder: &Path) -> Vec<Version> {
    let own = Version::of(folder);
    if own.is_absent() {
        return vec![own];
    }
    let files = variants::file_names().map(|name| Version::of(&folder.join(name)));
    std::iter::once(own).chain(files).collect()
}

/// End of the clock tick of the latest change; without a folder, no older complaint holds.
fn last_change(versions: &[Version]) -> Timestamp {
    let latest = versions.iter().filter_map(Version::changed).max();
    latest.and_then(|at| at.checked_add(FRESH).ok()).unwrap_or(Timestamp::MAX)
}

/// The built-in templates with those of `folder`; a file that cannot be read is reported and not used.
#[must_use]
pub fn load(folder: &Path) -> Variants {
    let mut unreadable = Vec::new();
    let mut files = Vec::new();
    for name in names(folder) {
        match text(&folder.join(&name)) {
            Ok(text) => files.push((name, text)),
            Err(why) => unreadable.push(format!("your template capture/{name} cannot be read: {why}")),
        }
    }
    Variants::with_custom(files).with_complaints(unreadable)
}

/// All template-like file names, so that a misspelt one is noticed.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".j2") && !name.starts_with('.'));
    names.sort();
    names
}

fn text(file: &Path) -> Result<String, String> {
    let found = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is not a file".to_owned());
    }
    if found.len() > MOST {
        return Err(format!("it is larger than {} kB", MOST / 1024));
    }
    std::fs::read_to_string(file).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, TemplateCache, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::from_home(dir.path());
        let folder = folder(&paths);
        (dir, TemplateCache::of(&paths), folder)
    }

    #[test]
    fn without_a_folder_the_built_in_ones_are_in_force() {
        let (_dir, wording, _) = scene();
        let (variants, fresh) = wording.current();
        assert!(fresh.is_some() && variants.complaints().is_empty());
        assert!(wording.current().1.is_none());
    }

    #[test]
    fn an_edit_takes_effect_at_once() {
        let (_dir, wording, folder) = scene();
        drop(wording.current());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("commit.j2"), "{{ nothing }}").unwrap();
        let (variants, fresh) = wording.current();
        assert!(fresh.is_some() && variants.complaints().len() == 1, "{variants:?}");
        std::fs::write(folder.join("commit.j2"), "{{ say(deed, split) }}").unwrap();
        let (variants, fresh) = wording.current();
        assert!(fresh.is_some() && variants.complaints().is_empty(), "{variants:?}");
    }

    #[test]
    fn what_cannot_be_read_is_complained_of() {
        let (_dir, wording, folder) = scene();
        std::fs::create_dir_all(folder.join("merge.j2")).unwrap();
        std::fs::write(folder.join("docs.j2"), [0xff, 0xfe]).unwrap();
        std::fs::write(folder.join("note.j2"), "x".repeat(70_000)).unwrap();
        std::fs::write(folder.join("notes.j2"), "x").unwrap();
        std::fs::write(folder.join("README"), "x").unwrap();
        let (variants, _) = wording.current();
        let all = variants.complaints().join("\n");
        for part in [
            "docs.j2 cannot be read: it is not UTF-8 text",
            "merge.j2 cannot be read: it is not a file",
            "64 kB",
            "notes.j2 is not used",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert_eq!(variants.complaints().len(), 4, "{all}");
    }
}
