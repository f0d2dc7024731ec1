//! Dependency changes: added, removed or updated packages, parsed from the changed lines of manifests and from both
//! sides of lockfiles (from the changed lines if a lockfile is too large). Reports only what the lines show.

mod cargo;
mod entry;
mod go;
mod lockfiles;
mod npm;
mod pairing;
mod python;
mod toml;

use std::collections::HashSet;

use crate::domain::patch::{FileChange, Hunk, LineOrigin};
use crate::facts::roles::{self, FileRole};
use entry::{DependencyEntry, SideLine, side_lines};

/// Package ecosystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ecosystem {
    Cargo,
    Npm,
    Go,
    Python,
    Ruby,
    Php,
    Elixir,
    Swift,
    Dart,
    Dotnet,
    Nix,
    Deno,
    /// Any other: a package is known by its name alone.
    Other,
}

/// One dependency: added (`from` absent), removed (`to` absent), or changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DependencyChange {
    pub ecosystem: Ecosystem,
    pub name: String,
    /// Version or requirement before, as written; empty where the lines name none.
    pub from: Option<String>,
    /// Version or requirement after, as written; empty where the lines name none.
    pub to: Option<String>,
    /// A direct dependency according to a manifest; otherwise a transitive one.
    pub direct: bool,
}

/// Parser for one side of one hunk of a manifest or lockfile.
type SideParser = fn(header: &str, lines: &[SideLine<'_>]) -> Vec<DependencyEntry>;

struct FileKind {
    ecosystem: Ecosystem,
    read: SideParser,
    lockfile: bool,
}

fn kind(path: &str) -> Option<FileKind> {
    use Ecosystem::{Cargo, Dart, Deno, Dotnet, Elixir, Go, Nix, Npm, Other, Php, Python, Ruby, Swift};
    let name = path.rsplit('/').next().unwrap_or(path);
    let manifest = |ecosystem, read: SideParser| Some(FileKind { ecosystem, read, lockfile: false });
    let lockfile = |ecosystem, read: SideParser| Some(FileKind { ecosystem, read, lockfile: true });
    match name {
        "Cargo.toml" => manifest(Cargo, cargo::manifest),
        "Cargo.lock" => lockfile(Cargo, cargo::lockfile),
        "package.json" => manifest(Npm, npm::manifest),
        "package-lock.json" | "npm-shrinkwrap.json" => lockfile(Npm, npm::package_lock),
        "yarn.lock" => lockfile(Npm, npm::yarn_lock),
        "pnpm-lock.yaml" => lockfile(Npm, npm::pnpm_lock),
        "go.mod" => manifest(Go, go::manifest),
        "bun.lock" => lockfile(Npm, lockfiles::bun),
        "go.sum" => lockfile(Go, lockfiles::go_sum),
        "pyproject.toml" => manifest(Python, python::pyproject),
        "setup.py" => manifest(Python, python::setup_py),
        "setup.cfg" => manifest(Python, python::setup_cfg),
        "Pipfile" => manifest(Python, python::pipfile),
        "poetry.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" => lockfile(Python, python::package_blocks),
        "Pipfile.lock" => lockfile(Python, npm::package_lock),
        "Gemfile.lock" | "gems.locked" => lockfile(Ruby, lockfiles::gemfile),
        "paket.lock" => lockfile(Dotnet, lockfiles::gemfile),
        "packages.lock.json" => lockfile(Dotnet, lockfiles::nuget),
        "composer.lock" => lockfile(Php, lockfiles::named_in_json),
        "renv.lock" => lockfile(Other, lockfiles::named_in_json),
        "Package.resolved" => lockfile(Swift, lockfiles::named_in_json),
        "Podfile.lock" => lockfile(Swift, lockfiles::podfile),
        "deno.lock" => lockfile(Deno, lockfiles::deno),
        "flake.lock" => lockfile(Nix, lockfiles::flake),
        "mix.lock" => lockfile(Elixir, lockfiles::mix),
        "rebar.lock" => lockfile(Elixir, lockfiles::rebar),
        "pubspec.lock" => lockfile(Dart, lockfiles::two_blanks),
        "shard.lock" => lockfile(Other, lockfiles::two_blanks),
        "Chart.lock" => lockfile(Other, lockfiles::helm),
        ".terraform.lock.hcl" => lockfile(Other, lockfiles::terraform),
        "conda-lock.yml" => lockfile(Python, lockfiles::helm),
        "pixi.lock" => lockfile(Python, lockfiles::pixi),
        "go.work.sum" => lockfile(Go, lockfiles::go_sum),
        "conan.lock" => lockfile(Other, lockfiles::conan),
        "stack.yaml.lock" => lockfile(Other, lockfiles::stack),
        "cabal.project.freeze" => lockfile(Other, lockfiles::cabal),
        "Cartfile.resolved" => lockfile(Swift, lockfiles::cartfile),
        "MODULE.bazel.lock" => lockfile(Other, lockfiles::bazel),
        "Manifest.toml" | "mise.lock" | "soldeer.lock" => lockfile(Other, lockfiles::tables),
        "Brewfile.lock.json" => lockfile(Other, lockfiles::below_a_key),
        "spago.lock" => lockfile(Other, lockfiles::two_blanks),
        "buildscript-gradle.lockfile" | "gradle.lockfile" => lockfile(Other, lockfiles::gradle),
        _ if is_requirements(path, name) => manifest(Python, python::requirements),
        _ => None,
    }
}

fn is_requirements(path: &str, name: &str) -> bool {
    let stem = name.strip_suffix(".txt").or_else(|| name.strip_suffix(".in"));
    let folder = path.rsplit('/').nth(1).is_some_and(|dir| dir == "requirements");
    stem.is_some_and(|stem| folder || stem.starts_with("requirements") || stem.starts_with("constraints"))
}

/// Kind of a manifest or lockfile of the project itself: not of a sample in a test, nor of a vendored copy.
fn own_file_kind(path: &str) -> Option<FileKind> {
    let foreign = FileRole::from_path(path) == FileRole::Tests || roles::is_vendored(path);
    if foreign { None } else { kind(path) }
}

/// Whether the path is a lockfile of the project in a format that can be parsed.
#[must_use]
pub fn is_lockfile(path: &str) -> bool {
    own_file_kind(path).is_some_and(|kind| kind.lockfile)
}

/// Whether every manifest and lockfile was read completely.
#[must_use]
pub fn are_all_known(files: &[FileChange]) -> bool {
    let is_readable =
        |file: &FileChange| own_file_kind(&file.path).is_none_or(|_| file.texts.is_some() || is_whole(file));
    files.iter().all(is_readable)
}

/// Every changed line is available.
fn is_whole(file: &FileChange) -> bool {
    let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let changed = lines.filter(|line| line.origin != LineOrigin::Context).count() as u64;
    file.unread.is_none() && file.insertions.zip(file.deletions).is_some_and(|(a, b)| a + b == changed)
}

/// Dependency changes, direct ones first.
#[must_use]
pub fn find_changes(files: &[FileChange]) -> Vec<DependencyChange> {
    let mut asked: Vec<DependencyChange> = Vec::new();
    let mut arrived_commits: Vec<DependencyChange> = Vec::new();
    let has_go_mod = files.iter().any(|file| file.path.ends_with("go.mod"));
    for file in files {
        let Some(kind) = own_file_kind(&file.path) else { continue };
        let read = |origin| entries(&kind, file, origin);
        let mut changes = pairing::pair(kind.ecosystem, read(LineOrigin::Removed), read(LineOrigin::Added));
        if kind.ecosystem == Ecosystem::Go && kind.lockfile {
            // go.mod decides; go.sum keeps unused versions.
            changes.retain(|change| !has_go_mod && change.from.is_some() && change.to.is_some());
        }
        if kind.lockfile { arrived_commits.extend(changes) } else { asked.extend(changes) }
    }
    pairing::merge(&asked, arrived_commits)
}

fn entries(kind: &FileKind, file: &FileChange, origin: LineOrigin) -> Vec<DependencyEntry> {
    if let (true, Some(texts)) = (kind.lockfile, &file.texts) {
        // Pairing drops entries that are equal on both sides.
        let text = if origin == LineOrigin::Removed { &texts.old } else { &texts.new };
        let lines: Vec<SideLine<'_>> = text.lines().map(|text| SideLine { text, changed: true }).collect();
        return (kind.read)("", &lines);
    }
    file.hunks.iter().flat_map(|hunk| (kind.read)(&hunk.header, &side_lines(hunk, origin))).collect()
}

/// Whether the commit changes only manifests and lockfiles, and in manifests only dependencies.
#[must_use]
pub fn is_dependencies_only(files: &[FileChange]) -> bool {
    !files.is_empty() && files.iter().all(is_fully_parsed)
}

fn is_fully_parsed(file: &FileChange) -> bool {
    let Some(kind) = own_file_kind(&file.path) else { return false };
    if kind.lockfile {
        return true;
    }
    let plain = !file.hunks.is_empty() && !file.mode_changed && file.old_path.is_none();
    // A truncated file may contain other changes.
    is_whole(file)
        && plain
        && file
            .hunks
            .iter()
            .all(|hunk| [LineOrigin::Removed, LineOrigin::Added].iter().all(|&o| is_hunk_parsed(&kind, hunk, o)))
}

fn is_hunk_parsed(kind: &FileKind, hunk: &Hunk, origin: LineOrigin) -> bool {
    let lines = side_lines(hunk, origin);
    let entry_lines: HashSet<usize> = (kind.read)(&hunk.header, &lines).iter().map(|entry| entry.line).collect();
    let silent = |text: &str| {
        let text = text.trim();
        let opens = text.ends_with(['{', '(', '[', ']']);
        let heading = opens && (text.contains("ependencies") || text.starts_with("require"));
        let brackets = text.chars().all(|c| "{}[](),".contains(c));
        brackets || text.starts_with('#') || text.starts_with("//") || heading
    };
    lines.iter().enumerate().all(|(at, line)| !line.changed || entry_lines.contains(&at) || silent(line.text))
}

#[cfg(test)]
#[path = "dependencies_tests.rs"]
mod tests;
