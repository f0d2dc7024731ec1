//! Installs and removes the service's files, except those that the user changed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::seal::{Comments, seal, unbroken};
use super::{ServiceError, Text};
use crate::config::paths::replace_file;

/// Result of an installation or removal, also of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Written or removed.
    pub done: Vec<PathBuf>,
    /// Changed by the user since, and left alone.
    pub kept: Vec<PathBuf>,
}

/// State of a file on disk.
enum State {
    Absent,
    /// As written by this program; with the number of directories that were created for it.
    Ours(usize),
    /// Written or changed by others.
    Foreign,
}

/// Writes `texts`, except over files that the user changed.
///
/// # Errors
/// A file or a directory cannot be written.
pub fn write(texts: &[Text], dry_run: bool) -> Result<Outcome, ServiceError> {
    let mut outcome = Outcome::default();
    for text in texts {
        let before = match state(&text.path)? {
            State::Foreign => {
                outcome.kept.push(text.path.clone());
                continue;
            }
            State::Absent => 0,
            State::Ours(made) => made,
        };
        outcome.done.push(text.path.clone());
        if !dry_run {
            let made = make_above(&text.path)?;
            put(&text.path, &seal(&text.text, comments(&text.path), made.max(before)))?;
        }
    }
    Ok(outcome)
}

/// Removes the files at `paths` that are as they were written, and the directories that were created for them.
///
/// # Errors
/// A file cannot be removed.
pub fn remove(paths: &[PathBuf], dry_run: bool) -> Result<Outcome, ServiceError> {
    let mut outcome = Outcome::default();
    let mut made_above = Vec::new();
    for path in paths {
        match state(path)? {
            State::Absent => {}
            State::Foreign => outcome.kept.push(path.clone()),
            State::Ours(made) => {
                if !dry_run {
                    fs::remove_file(path).map_err(|source| failed("remove", path, source))?;
                }
                outcome.done.push(path.clone());
                made_above.push((path, made));
            }
        }
    }
    for (path, made) in made_above.into_iter().filter(|_| !dry_run) {
        for dir in path.ancestors().skip(1).take(made) {
            // A directory that is in use by now stays.
            let _ = fs::remove_dir(dir);
        }
    }
    Ok(outcome)
}

/// Removes links to the files, which remain where the manager could not be asked.
pub fn remove_links(links: &[PathBuf]) {
    for link in links.iter().filter(|link| link.is_symlink()) {
        let _ = fs::remove_file(link);
        if let Some(dir) = link.parent() {
            let _ = fs::remove_dir(dir);
        }
    }
}

fn state(path: &Path) -> Result<State, ServiceError> {
    match fs::read(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(State::Absent),
        Err(source) => Err(failed("read", path, source)),
        Ok(bytes) => Ok(str::from_utf8(&bytes).ok().and_then(unbroken).map_or(State::Foreign, State::Ours)),
    }
}

fn comments(path: &Path) -> Comments {
    if path.extension().is_some_and(|ending| ending == "plist") { Comments::Xml } else { Comments::Hash }
}

/// Creates the missing directories above `path`; returns how many.
fn make_above(path: &Path) -> Result<usize, ServiceError> {
    let Some(parent) = path.parent() else { return Ok(0) };
    let missing = parent.ancestors().take_while(|dir| !dir.exists()).count();
    fs::create_dir_all(parent).map_err(|source| failed("create", parent, source))?;
    Ok(missing)
}

/// Atomic replacement by rename: the manager sees the old file or the new one.
fn put(path: &Path, text: &str) -> Result<(), ServiceError> {
    replace_file(path, text.as_bytes(), 0o644).map_err(|source| failed("write", path, source))
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> ServiceError {
    ServiceError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: PathBuf, text: &str) -> Text {
        Text { path, text: text.to_owned() }
    }

    #[test]
    fn what_was_written_is_removed_with_the_directories_made_for_it() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (home.path().join("a/b/one.service"), home.path().join("a/b/two.socket"));
        let texts = [text(one.clone(), "1\n"), text(two.clone(), "2\n")];
        assert_eq!(write(&texts, true).unwrap().done, [one.clone(), two.clone()]);
        assert!(!home.path().join("a").exists(), "a dry run");
        write(&texts, false).unwrap();
        write(&[text(one.clone(), "3\n"), texts[1].clone()], false).unwrap();
        assert!(fs::read_to_string(&one).unwrap().ends_with("\n3\n"));
        assert_eq!(remove(&[one.clone(), two.clone()], true).unwrap().done.len(), 2);
        assert!(one.exists(), "a dry run");
        assert_eq!(remove(&[one.clone(), two], false).unwrap().kept, Vec::<PathBuf>::new());
        assert!(!home.path().join("a").exists());
        assert_eq!(remove(&[one], false).unwrap(), Outcome::default(), "there is nothing left to remove");
    }

    #[test]
    fn a_file_that_the_user_changed_is_neither_replaced_nor_removed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.service");
        fs::write(&path, "[Service]\nNice=5\n").unwrap();
        assert_eq!(write(&[text(path.clone(), "x\n")], false).unwrap().kept, std::slice::from_ref(&path));
        assert_eq!(remove(std::slice::from_ref(&path), false).unwrap().kept, std::slice::from_ref(&path));
        assert_eq!(fs::read_to_string(&path).unwrap(), "[Service]\nNice=5\n");
    }

    #[test]
    fn a_directory_that_others_use_by_now_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b.service");
        write(&[text(path.clone(), "x\n")], false).unwrap();
        fs::write(home.path().join("a/other"), "").unwrap();
        remove(&[path], false).unwrap();
        assert!(home.path().join("a/other").exists());
    }
}
