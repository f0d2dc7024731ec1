//! Project name from the manifest in the root of the work tree.

use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;

/// Longer manifests are truncated and then ignored (bytes).
const LONGEST: u64 = 256 << 10;

/// The first manifest with a name wins.
pub fn name(work_tree: &Path) -> Option<String> {
    type Reader = fn(&str) -> Option<String>;
    let manifests: [(&str, Reader); 4] =
        [("Cargo.toml", of_cargo), ("package.json", of_npm), ("go.mod", of_go), ("pyproject.toml", of_python)];
    manifests.into_iter().find_map(|(file, reader)| reader(&read(&work_tree.join(file))?))
}

/// A regular file's text. Does not block on a pipe, and follows no link out of the work tree.
fn read(path: &Path) -> Option<String> {
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

    fn named(files: &[(&str, &str)]) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        name(dir.path())
    }

    #[test]
    fn each_manifest_names_its_project() {
        let name = Some("tool".to_owned());
        assert_eq!(named(&[("Cargo.toml", "[package]\nname = \"tool\"\nversion = \"1.0.0\"")]), name);
        assert_eq!(named(&[("package.json", r#"{"name": "@team/tool"}"#)]), name);
        assert_eq!(named(&[("go.mod", "// a tool\nmodule example.org/team/tool/v2 // new\n\ngo 1.22\n")]), name);
        assert_eq!(named(&[("pyproject.toml", "[project]\nname = \"tool\"")]), name);
        assert_eq!(named(&[("pyproject.toml", "[tool.poetry]\nname = \"tool\"")]), name);
        let workspace = ("Cargo.toml", "[workspace]\nmembers = [\"a\"]");
        assert_eq!(named(&[workspace, ("package.json", r#"{"name": "tool"}"#)]), name, "a workspace has no name");
    }

    #[test]
    fn what_is_broken_or_no_file_names_nothing() {
        assert_eq!(named(&[]), None);
        assert_eq!(named(&[("Cargo.toml", "[package"), ("package.json", "{"), ("go.mod", "go 1.22")]), None);
        assert_eq!(named(&[("package.json", r#"{"name": 3}"#)]), None);
        let long = format!("[package]\nname = \"tool\"\n{}", "#".repeat(300 << 10));
        assert_eq!(named(&[("Cargo.toml", &long)]), None);
        let dir = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&dir.path().join("Cargo.toml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::fs::write(dir.path().join("elsewhere"), "module example.org/secret\n").unwrap();
        std::os::unix::fs::symlink("elsewhere", dir.path().join("go.mod")).unwrap();
        assert_eq!(name(dir.path()), None, "a pipe without a writer, and links are not followed");
    }
}
