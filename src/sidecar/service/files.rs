//! Installs and removes the service's files, except those that the user changed: a file with an intact checksum seal
//! may be overwritten and removed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{ServiceError, ServiceFile};
use crate::config::paths::replace_file;
use crate::spool::record::crc32;

/// Result of an installation or removal, also of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstallOutcome {
    /// Written or removed.
    pub done: Vec<PathBuf>,
    /// Changed by the user since, and left alone.
    pub kept: Vec<PathBuf>,
}

/// State of a file on disk.
enum State {
    Absent,
    /// As written by this program; with the number of directories that were created for it.
    Own(usize),
    /// Written or changed by others.
    Foreign,
}

/// Writes `texts`, except over files that the user changed.
///
/// # Errors
/// A file or a directory cannot be written.
pub fn write(texts: &[ServiceFile], dry_run: bool) -> Result<InstallOutcome, ServiceError> {
    let mut outcome = InstallOutcome::default();
    for text in texts {
        let before = match state(&text.path)? {
            State::Foreign => {
                outcome.kept.push(text.path.clone());
                continue;
            }
            State::Absent => 0,
            State::Own(made) => made,
        };
        outcome.done.push(text.path.clone());
        if !dry_run {
            let made = make_above(&text.path)?;
            let is_xml = text.path.extension().is_some_and(|ending| ending == "plist");
            let sealed = seal(&text.text, if is_xml { Comments::Xml } else { Comments::Hash }, made.max(before));
            // Atomic replacement by rename: the manager sees the old file or the new one.
            replace_file(&text.path, sealed.as_bytes(), 0o644).map_err(|source| failed("write", &text.path, source))?;
        }
    }
    Ok(outcome)
}

/// Removes the files at `paths` that are as they were written, and the directories that were created for them.
///
/// # Errors
/// A file cannot be removed.
pub fn remove(paths: &[PathBuf], dry_run: bool) -> Result<InstallOutcome, ServiceError> {
    let mut outcome = InstallOutcome::default();
    let mut made_above = Vec::new();
    for path in paths {
        match state(path)? {
            State::Absent => {}
            State::Foreign => outcome.kept.push(path.clone()),
            State::Own(made) => {
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
        Ok(bytes) => Ok(str::from_utf8(&bytes).ok().and_then(unbroken).map_or(State::Foreign, State::Own)),
    }
}

/// Creates the missing directories above `path`; returns how many.
fn make_above(path: &Path) -> Result<usize, ServiceError> {
    let Some(parent) = path.parent() else { return Ok(0) };
    let missing = parent.ancestors().take_while(|dir| !dir.exists()).count();
    fs::create_dir_all(parent).map_err(|source| failed("create", parent, source))?;
    Ok(missing)
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> ServiceError {
    ServiceError::Io { doing, path: path.to_owned(), source }
}

/// How a file's comments look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// `# …`, before everything else.
    Hash,
    /// `<!-- … -->`, after the first line.
    Xml,
}

const OPEN: &str = "[uro-capture ";

/// `text` with the seal in it. `made`: how many directories were created for the file.
#[must_use]
pub fn seal(text: &str, comments: Comments, made: usize) -> String {
    let mark = format!(
        "Written by `uro-capture sidecar install`; once changed, it is neither replaced nor removed. {OPEN}{:08x} {made}]",
        crc32(text.as_bytes())
    );
    match comments {
        Comments::Hash => format!("# {mark}\n{text}"),
        Comments::Xml => {
            let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
            format!("{first}\n<!-- {mark} -->\n{rest}")
        }
    }
}

/// The number of directories that were created for the file, if it is as it was written.
#[must_use]
pub fn unbroken(sealed: &str) -> Option<usize> {
    let at = sealed.find(OPEN)?;
    let (sum, rest) = sealed[at + OPEN.len()..].split_once(' ')?;
    let (made, _) = rest.split_once(']')?;
    let start = sealed[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = sealed[at..].find('\n').map(|newline| at + newline + 1)?;
    let text = [&sealed[..start], &sealed[end..]].concat();
    (format!("{:08x}", crc32(text.as_bytes())) == sum).then(|| made.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: PathBuf, text: &str) -> ServiceFile {
        ServiceFile { path, text: text.to_owned() }
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
        assert_eq!(remove(&[one], false).unwrap(), InstallOutcome::default(), "there is nothing left to remove");
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

#[cfg(test)]
mod seal_tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_known_again() {
        let plist = seal("<?xml?>\n<dict>\n", Comments::Xml, 2);
        assert!(plist.starts_with("<?xml?>\n<!-- Written by"), "{plist}");
        assert_eq!(unbroken(&plist), Some(2));
        let unit = seal("[Unit]\nA=b\n", Comments::Hash, 0);
        assert!(unit.starts_with("# Written by") && unit.ends_with("[Unit]\nA=b\n"), "{unit}");
        assert_eq!(unbroken(&unit), Some(0));
    }

    #[test]
    fn any_change_breaks_it_and_what_never_bore_it_is_not_ours() {
        let unit = seal("[Unit]\nA=b\n", Comments::Hash, 1);
        assert_eq!(unbroken(&unit.replace("A=b", "A=c")), None);
        assert_eq!(unbroken(&format!("{unit}B=c\n")), None);
        assert_eq!(unbroken(&format!("# mine\n{unit}")), None);
        assert_eq!(unbroken("[Unit]\nA=b\n"), None);
        assert_eq!(unbroken(""), None);
    }
}
