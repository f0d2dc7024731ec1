//! Project name of a repository.

use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;

use super::text;

/// Longer manifests are truncated and then ignored (bytes).
const LONGEST: u64 = 256 << 10;

/// The last component of the origin URL, else the name in a manifest, else the directory's, else `unnamed`.
#[must_use]
pub fn project_name(origin: Option<&[u8]>, common_dir: &Path, work_tree: Option<&Path>) -> String {
    let of_manifest = || tidy(manifest_name(work_tree?)?.as_bytes());
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

/// The first manifest with a name wins.
pub fn manifest_name(work_tree: &Path) -> Option<String> {
    type Reader = fn(&str) -> Option<String>;
    let manifests: [(&str, Reader); 4] =
        [("Cargo.toml", of_cargo), ("package.json", of_npm), ("go.mod", of_go), ("pyproject.toml", of_python)];
    manifests.into_iter().find_map(|(file, reader)| reader(&read_text(&work_tree.join(file))?))
}

/// A regular file's text. Does not block on a pipe, and follows no link out of the work tree.
fn read_text(path: &Path) -> Option<String> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > LONGEST {
        return None;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

fn of_cargo(text: &str) -> Option<String> {
    string(text.parse::<toml::Table>().ok()?.get("package")?.get("name")?)
}

fn of_python(text: &str) -> Option<String> {
    let table = text.parse::<toml::Table>().ok()?;
    let poetry = || table.get("tool")?.get("poetry")?.get("name");
    string(table.get("project").and_then(|project| project.get("name")).or_else(poetry)?)
}

fn string(value: &toml::Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// `@scope/name` yields `name`.
fn of_npm(text: &str) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_str(text).ok()?;
    let name = manifest.get("name")?.as_str()?;
    Some(name.rsplit('/').next().unwrap_or(name).to_owned())
}

/// `module example.org/team/tool/v2` yields `tool`.
fn of_go(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = line.split("//").next()?.trim().trim_matches('"');
    let is_version = |part: &&str| part.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok());
    let mut parts = path.rsplit('/').skip_while(is_version);
    parts.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> String {
        project_name(Some(url.as_bytes()), Path::new("/home/u/dir/.git"), None)
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
        assert_eq!(project_name(None, &dir.path().join(".git"), Some(dir.path())), "tool\\x07");
        assert_eq!(project_name(Some(b"git@example.org:other"), &dir.path().join(".git"), Some(dir.path())), "other");
    }

    #[test]
    fn without_a_usable_url_the_directory_names_it() {
        assert_eq!(named(""), "dir");
        assert_eq!(project_name(None, Path::new("/srv/tool.git"), None), "tool");
        assert_eq!(project_name(None, Path::new("/a/.git/modules/x"), Some(Path::new("/a/sub"))), "sub");
        assert_eq!(project_name(None, Path::new("/"), None), "unnamed");
    }

    fn name_in(files: &[(&str, &str)]) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        manifest_name(dir.path())
    }

    #[test]
    fn each_manifest_names_its_project() {
        let name = Some("tool".to_owned());
        assert_eq!(name_in(&[("Cargo.toml", "[package]\nname = \"tool\"\nversion = \"1.0.0\"")]), name);
        assert_eq!(name_in(&[("package.json", r#"{"name": "@team/tool"}"#)]), name);
        assert_eq!(name_in(&[("go.mod", "// a tool\nmodule example.org/team/tool/v2 // new\n\ngo 1.22\n")]), name);
        assert_eq!(name_in(&[("pyproject.toml", "[project]\nname = \"tool\"")]), name);
        assert_eq!(name_in(&[("pyproject.toml", "[tool.poetry]\nname = \"tool\"")]), name);
        let workspace = ("Cargo.toml", "[workspace]\nmembers = [\"a\"]");
        assert_eq!(name_in(&[workspace, ("package.json", r#"{"name": "tool"}"#)]), name, "a workspace has no name");
    }

    #[test]
    fn what_is_broken_or_no_file_names_nothing() {
        assert_eq!(name_in(&[]), None);
        assert_eq!(name_in(&[("Cargo.toml", "[package"), ("package.json", "{"), ("go.mod", "go 1.22")]), None);
        assert_eq!(name_in(&[("package.json", r#"{"name": 3}"#)]), None);
        let long = format!("[package]\nname = \"tool\"\n{}", "#".repeat(300 << 10));
        assert_eq!(name_in(&[("Cargo.toml", &long)]), None);
        let dir = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&dir.path().join("Cargo.toml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::fs::write(dir.path().join("elsewhere"), "module example.org/secret\n").unwrap();
        std::os::unix::fs::symlink("elsewhere", dir.path().join("go.mod")).unwrap();
        assert_eq!(manifest_name(dir.path()), None, "a pipe without a writer, and links are not followed");
    }
}
