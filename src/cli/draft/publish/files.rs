//! Writes published pages to disk: whole, durable, and never over a different file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::failure::{Failure, quoted};
use crate::config::paths;
use crate::publish::draft_page::DraftPage;
use crate::publish::feed;
use crate::publish::section::{self, SectionConflict};

/// Creates the file with `content`. The same content twice is no error.
///
/// # Errors
/// A different file has the name, or the directory is missing or cannot be written.
pub fn create(path: &Path, content: &str, draft: &str) -> Result<(), Failure> {
    match publish_file(path, content) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::input(format!("{} exists and says something else", path.display()))
                .hint(format!("uro-capture draft publish {draft} --to OTHER_DIR")))
        }
        Err(error) => Err(cannot_write(path, &error)),
    }
}

/// Adds the page to the feed in the file, which may be missing.
///
/// # Errors
/// The file is no JSON Feed, or cannot be read or written.
pub fn add_to_feed(path: &Path, page: &DraftPage<'_>, is_dry: bool) -> Result<String, Failure> {
    let existing = read(path)?;
    let feed = feed::with_page(existing.as_deref(), page).map_err(|error| {
        Failure::input(format!("{} is no JSON Feed", path.display()))
            .because(error.to_string())
            .hint(format!("uro-capture draft publish {} --format feed --to OTHER_DIR", page.id))
    })?;
    update(path, existing.as_deref(), &feed, is_dry)?;
    Ok(feed)
}

/// Puts the page under a heading of a Markdown file, which may be missing.
///
/// # Errors
/// A person changed the section since it was written, or the file cannot be read or written.
pub fn add_to_note(path: &Path, page: &DraftPage<'_>, heading: Option<&str>, is_dry: bool) -> Result<String, Failure> {
    let existing = read(path)?;
    let place = path.display();
    let note = section::with_page(existing.as_deref().unwrap_or_default(), page, heading).map_err(|conflict| {
        let what = match conflict {
            SectionConflict::Edited => format!("the draft's section in {place} was changed by hand"),
            SectionConflict::Unclosed => format!("the draft's section in {place} has no end"),
        };
        Failure::input(what).hint(format!("remove it to have it written again: $EDITOR {}", quoted(path)))
    })?;
    update(path, existing.as_deref(), &note, is_dry)?;
    Ok(note)
}

/// The path of a note: `~/` is the home directory, and `%Y-%m-%d` and the like name the draft's last day.
///
/// # Errors
/// The pattern is none of `strftime`, or there is no home directory.
pub fn resolve_note(app: &App, pattern: &str, page: &DraftPage<'_>) -> Result<PathBuf, Failure> {
    let name = if pattern.contains('%') {
        jiff::fmt::strtime::format(pattern, page.last_day()).map_err(|error| {
            Failure::usage(format!("{pattern:?} is no pattern of a date"))
                .because(error.to_string())
                .hint("write the day as %Y-%m-%d (Obsidian) or %Y_%m_%d (Logseq), and a percent sign as %%")
        })?
    } else {
        pattern.to_owned()
    };
    match name.strip_prefix("~/") {
        Some(rest) => Ok(paths::home(app.env())?.join(rest)),
        None => Ok(app.cwd.join(name)),
    }
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::input(format!("cannot read {}", path.display()))
            .because(error.to_string())
            .hint(format!("file {}", quoted(path)))),
    }
}

/// Replaces what was read by `content`, with the same permissions and behind links. Nothing is written without a
/// change.
fn update(path: &Path, existing: Option<&str>, content: &str, is_dry: bool) -> Result<(), Failure> {
    if existing == Some(content) || is_dry {
        return Ok(());
    }
    let written = match existing {
        None => publish_file(path, content),
        Some(existing) => std::fs::canonicalize(path).and_then(|target| {
            // An editor may have saved it since.
            if std::fs::read_to_string(&target)? != existing {
                return Err(std::io::Error::other("it changed meanwhile"));
            }
            let mode = std::fs::metadata(&target)?.permissions().mode() & 0o7777;
            paths::replace_file(&target, content.as_bytes(), mode)
        }),
    };
    written.map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let folder = path.parent().unwrap_or(path);
    if folder.is_dir() {
        let what = format!("cannot write {}", path.display());
        return Failure::input(what).because(error.to_string()).hint(format!("ls -ld {}", quoted(folder)));
    }
    Failure::input(format!("{} is no directory", folder.display()))
        .because(error.to_string())
        .hint(format!("mkdir -p {}", quoted(folder)))
}

/// Writes the page atomically: written and synced beside the target, then hard-linked, which fails if another file
/// has the name. The same page twice is no error.
fn publish_file(path: &Path, page: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = write_synced(&beside, page).and_then(|()| link(&beside, path, page));
    let removed = std::fs::remove_file(&beside);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_same = std::fs::read(path).is_ok_and(|bytes| bytes == page.as_bytes());
            if is_same { Ok(()) } else { Err(error) }
        }
        Err(error) => Err(error),
        Ok(()) => removed.and_then(|()| paths::sync_directory_of(path)),
    }
}

fn write_synced(path: &Path, page: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(page.as_bytes())?;
    file.sync_all()
}

/// Fallback on file systems without hard links: creates the name itself, which also never overwrites.
fn link(beside: &Path, path: &Path, page: &str) -> std::io::Result<()> {
    match std::fs::hard_link(beside, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(page.as_bytes())?;
            file.sync_all()
        }
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_page_is_written_whole_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        publish_file(&path, "# A\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# A\n");
        assert_eq!(names(folder.path()), ["a.md"]);
    }

    #[test]
    fn the_same_page_again_is_fine_and_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        publish_file(&path, "# A\n").unwrap();
        publish_file(&path, "# A\n").unwrap();
        assert_eq!(publish_file(&path, "# B\n").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# A\n");
        assert_eq!(names(folder.path()), ["a.md"]);
    }

    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("a.md"), folder.path().join("precious"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert_eq!(publish_file(&path, "# A\n").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(!target.exists());
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(publish_file(&folder.path().join("absent/a.md"), "x").is_err());
    }
}
