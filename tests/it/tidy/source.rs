//! The files of `src`, each with its production lines apart from the lines that only tests are compiled with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{files, root};

/// One file of `src`.
#[derive(Debug)]
pub struct Source {
    /// Relative to `src`.
    pub path: PathBuf,
    /// What is compiled without `cfg(test)`; empty in a file that only tests are compiled with.
    pub lines: Vec<String>,
    pub test_lines: usize,
}

impl Source {
    /// The directory below `src`; none for the crate's own files and the binaries.
    pub fn room(&self) -> Option<&str> {
        let mut parts = self.path.components();
        let (first, _file) = (parts.next()?, parts.next()?);
        first.as_os_str().to_str().filter(|room| *room != "bin")
    }

    pub fn comments(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.trim()).filter(|line| line.starts_with("//"))
    }

    pub fn code(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.trim()).filter(|line| !line.starts_with("//"))
    }
}

/// All files of `src`.
pub fn sources() -> Vec<Source> {
    let src = root().join("src");
    let texts: Vec<(PathBuf, String)> =
        files(&src, ".rs").into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect();
    let split = texts.iter().map(|(path, text)| (path, text.lines().count(), split(path, text)));
    let split: Vec<_> = split.collect();
    let modules = split.iter().flat_map(|(_, _, parts)| &parts.modules);
    let tests: BTreeMap<PathBuf, PathBuf> = modules.map(|module| (module.clone(), children_of(module))).collect();
    let of_tests = |path: &Path| tests.contains_key(path) || tests.values().any(|children| path.starts_with(children));
    let source = |(path, all, parts): (&PathBuf, usize, Parts)| {
        let lines = if of_tests(path) { Vec::new() } else { parts.lines };
        Source { path: path.strip_prefix(&src).unwrap().to_owned(), test_lines: all - lines.len(), lines }
    };
    split.into_iter().map(source).collect()
}

/// The production lines of a file, and the files of the modules that it declares for tests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    lines: Vec<String>,
    modules: Vec<PathBuf>,
}

/// By indentation, as rustfmt sets it: an item ends with the first line at its own depth that closes it.
fn split(path: &Path, text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            parts.lines.push(line.to_owned());
            continue;
        }
        let depth = depth(line);
        let mut elsewhere = None;
        for line in lines.by_ref() {
            let item = line.trim();
            if item.starts_with("//") || item.starts_with("#[") {
                elsewhere = quoted(item, "#[path = \"").or(elsewhere);
                continue;
            }
            if let Some(name) = declared(item) {
                let file = elsewhere.take().map(|file| normal(&path.parent().unwrap().join(file)));
                parts.modules.extend(file.map_or_else(|| candidates(path, name).to_vec(), |file| vec![file]));
            }
            if self::depth(line) == depth && [';', '}', ','].iter().any(|end| item.ends_with(*end)) {
                break;
            }
        }
    }
    parts
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn quoted<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.split('"').next()
}

/// The name in `pub(super) mod name;`.
fn declared(item: &str) -> Option<&str> {
    let (visibility, name) = item.strip_suffix(';')?.rsplit_once("mod ")?;
    (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
}

/// Where a module declared in `path` may stand.
fn candidates(path: &Path, name: &str) -> [PathBuf; 2] {
    let dir = children_of(path);
    [dir.join(format!("{name}.rs")), dir.join(name).join("mod.rs")]
}

/// The directory of the modules that a file declares.
fn children_of(path: &Path) -> PathBuf {
    let own = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
    if own { path.parent().unwrap().to_owned() } else { path.with_extension("") }
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

#[test]
fn production_lines_are_told_from_test_lines_by_their_indentation() {
    let text = "use a::B;\n#[cfg(test)]\nuse c::D;\n\nfn one() {\n    #[cfg(test)]\n    check(\n        2,\n    );\n}\n\
                #[cfg(test)]\n#[path = \"one_tests.rs\"]\nmod tests;\n#[cfg(test)]\npub mod samples;\n\
                #[cfg(test)]\nmod inner {\n    fn two() {}\n}\nfn three() {}\n";
    let parts = split(Path::new("/src/room/one.rs"), text);
    assert_eq!(parts.lines, ["use a::B;", "", "fn one() {", "}", "fn three() {}"]);
    let modules = ["/src/room/one_tests.rs", "/src/room/one/samples.rs", "/src/room/one/samples/mod.rs"];
    assert_eq!(parts.modules, modules.map(PathBuf::from));
}
