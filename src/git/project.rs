//! Project name of a repository.

use std::path::Path;

use super::{manifest, text};

/// The last component of the origin URL, else the name in a manifest, else the directory's, else `unnamed`.
#[must_use]
pub fn name(origin: Option<&[u8]>, common_dir: &Path, work_tree: Option<&Path>) -> String {
    let of_manifest = || tidy(manifest::name(work_tree?)?.as_bytes());
    let of_directory = || of_directory(common_dir, work_tree);
    origin.and_then(of_url).or_else(of_manifest).or_else(of_directory).unwrap_or_else(|| "unnamed".to_owned())
}

fn of_url(url: &[u8]) -> Option<String> {
    let url = url.split(|byte| matches!(byte, b'?' | b'#')).next()?.trim_ascii();
    let mut end = url;
    while let Some(shorter) = end.strip_suffix(b"/") {
        end = shorter;
    }
    let end = end.strip_suffix(b"/.git").unwrap_or(end);
    let last = end.rsplit(|byte| matches!(byte, b'/' | b':' | b'\\')).next()?;
    tidy(last.strip_suffix(b".git").unwrap_or(last))
}

/// `project/.git` → `project`; bare `project.git` → `project`; a linked worktree keeps the main one's name.
fn of_directory(common_dir: &Path, work_tree: Option<&Path>) -> Option<String> {
    let own = common_dir.file_name()?.as_encoded_bytes();
    if own != b".git" {
        let bare = tidy(own.strip_suffix(b".git").unwrap_or(own));
        // A submodule or separated git directory: the work tree carries the familiar name.
        return work_tree.and_then(Path::file_name).and_then(|name| tidy(name.as_encoded_bytes())).or(bare);
    }
    tidy(common_dir.parent()?.file_name()?.as_encoded_bytes())
}

fn tidy(name: &[u8]) -> Option<String> {
    let name: String = text::path(name).trim().chars().take(100).collect();
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> String {
        name(Some(url.as_bytes()), Path::new("/home/u/dir/.git"), None)
    }

    #[test]
    fn the_last_component_of_the_url_names_the_project() {
        for url in [
            "https://example.org/team/tool.git",
            "https://user:secret@example.org/team/tool/",
            "git@example.org:team/tool.git",
            "git@example.org:tool",
            "file:///srv/tool.git?x=1",
            "/srv/git/tool/.git",
            "C:\\repos\\tool.git",
        ] {
            assert_eq!(named(url), "tool", "{url}");
        }
    }

    #[test]
    fn a_manifest_names_a_project_that_was_never_pushed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("package.json"), "{\"name\": \"tool\\u0007\"}").unwrap();
        assert_eq!(name(None, &dir.path().join(".git"), Some(dir.path())), "tool\\x07");
        assert_eq!(name(Some(b"git@example.org:other"), &dir.path().join(".git"), Some(dir.path())), "other");
    }

    #[test]
    fn without_a_usable_url_the_directory_names_it() {
        assert_eq!(named(""), "dir");
        assert_eq!(name(None, Path::new("/srv/tool.git"), None), "tool");
        assert_eq!(name(None, Path::new("/a/.git/modules/x"), Some(Path::new("/a/sub"))), "sub");
        assert_eq!(name(None, Path::new("/"), None), "unnamed");
    }
}
