//! Classifies files by path: source, tests, documentation, configuration, ….

/// Role of a file in a project, in the order of reading under a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileRole {
    Source,
    Tests,
    Docs,
    Config,
    Ci,
    /// None of the other roles.
    Other,
    /// Images, fonts, archives, media.
    Asset,
    /// Lock files, minified, generated and vendored code: written by a tool.
    Generated,
}

/// Those of GitHub linguist's rules that are certain from the path.
const GENERATED_DIRS: [&str; 4] = ["dist", "generated", "__generated__", "__snapshots__"];
const GENERATED_NAMES: [&str; 21] = [
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "go.sum", "composer.lock",
    "gemfile.lock", "poetry.lock", "bun.lockb", "flake.lock", "uv.lock", "pipfile.lock", "cargo.lock",
    "package.resolved", "gopkg.lock", "bun.lock", "packages.lock.json", "gems.locked", "gradle.lockfile",
    ".terraform.lock.hcl", "pylock.toml",
];
const GENERATED_ENDS: [&str; 24] = [
    ".lock", ".lockb", ".min.js", ".min.css", ".min.mjs", ".js.map", ".css.map", ".map", ".pb.go", ".pb.gw.go",
    ".pb.cc", ".pb.h", ".pb.swift", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb.js", "_pb.d.ts", ".pb.rs", ".g.dart",
    ".freezed.dart", ".designer.cs", ".snap", ".snap.new",
];
/// Ends of stems: `types_generated.go`, `schema.gen.ts`, `zz_generated.deepcopy.go`.
const GENERATED_STEMS: [&str; 4] = ["_generated", ".generated", ".gen", "_gen"];
const TEST_DIRS: [&str; 8] = ["tests", "test", "spec", "specs", "__tests__", "testdata", "fixtures", "e2e"];
const DOC_DIRS: [&str; 4] = ["docs", "doc", "man", "documentation"];
const DOC_STEMS: [&str; 16] = [
    "readme", "changelog", "changes", "history", "news", "license", "licence", "copying", "unlicense", "authors",
    "contributors", "contributing", "notice", "code_of_conduct", "security", "maintainers",
];
const DOC_ENDS: [&str; 9] = ["md", "markdown", "rst", "adoc", "asciidoc", "txt", "org", "tex", "1"];
const CI_DIRS: [&str; 6] = [".github", ".circleci", ".gitlab", ".buildkite", ".ci", ".travis"];
const CI_NAMES: [&str; 7] = [
    ".gitlab-ci.yml", ".travis.yml", "appveyor.yml", ".appveyor.yml", "azure-pipelines.yml", "jenkinsfile",
    ".cirrus.yml",
];
const CONFIG_NAMES: [&str; 13] = [
    "makefile", "gnumakefile", "dockerfile", "containerfile", "justfile", "cmakelists.txt", "go.mod", "pom.xml",
    "procfile", "setup.py", "gemfile", "rakefile", "manifest.in",
];
const CONFIG_ENDS: [&str; 15] = [
    "toml", "yml", "yaml", "ini", "cfg", "conf", "json", "json5", "jsonc", "properties", "gradle", "nix", "env", "xml",
    "mk",
];
const ASSET_ENDS: [&str; 35] = [
    "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "bmp", "pdf", "woff", "woff2", "ttf", "otf", "eot", "mp3",
    "mp4", "webm", "wav", "ogg", "zip", "gz", "xz", "bz2", "zst", "tar", "jar", "exe", "dll", "so", "bin", "wasm",
    "asc", "sig", "gpg", "minisig",
];
const SOURCE_ENDS: [&str; 64] = [
    "ipynb", "rs", "py", "pyi", "pyx", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "go", "java", "kt", "kts",
    "scala", "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "hxx", "m", "mm", "swift", "cs", "fs", "rb", "php", "pl", "pm",
    "lua", "r", "jl", "hs", "ml", "mli", "ex", "exs", "erl", "clj", "cljs", "elm", "dart", "zig", "nim", "v", "sh",
    "bash", "zsh", "fish", "ps1", "sql", "vue", "svelte", "css", "scss", "less", "html", "proto", "asm",
];

impl FileRole {
    /// From the path in the repository.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let (dirs, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let in_dir = |list: &[&str]| dirs.split('/').any(|dir| list.contains(&dir));
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if in_dir(&GENERATED_DIRS) || in_dir(&VENDORED_DIRS) || is_generated_name(name) {
            return Self::Generated;
        }
        if ASSET_ENDS.contains(&end) {
            return Self::Asset;
        }
        let ci_dir = dirs.split('/').next().is_some_and(|top| CI_DIRS.contains(&top));
        if (ci_dir && !DOC_ENDS.contains(&end)) || CI_NAMES.contains(&name) {
            return Self::Ci;
        }
        let source = SOURCE_ENDS.contains(&end);
        if in_dir(&TEST_DIRS) || (source && is_test_name(name)) {
            return Self::Tests;
        }
        if matches!(end, "txt" | "in") && in_dir(&["requirements"]) {
            return Self::Config;
        }
        Self::by_name(name, end, in_dir(&DOC_DIRS), source)
    }

    fn by_name(name: &str, end: &str, in_docs: bool, source: bool) -> Self {
        let stem = name.split('.').next().unwrap_or(name);
        let requirements = end == "txt" && (stem.starts_with("requirements") || stem.starts_with("constraints"));
        if CONFIG_NAMES.contains(&name) || requirements {
            return Self::Config;
        }
        let doc_stem = DOC_STEMS.contains(&stem) || stem.starts_with("license-");
        if in_docs || (!source && (doc_stem || DOC_ENDS.contains(&end))) {
            return Self::Docs;
        }
        if source {
            return Self::Source;
        }
        if CONFIG_ENDS.contains(&end) || name.starts_with('.') { Self::Config } else { Self::Other }
    }

    /// Adjective for one such file: `source`, `config`, ….
    #[must_use]
    pub fn adjective(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Tests => "test",
            Self::Docs => "documentation",
            Self::Config => "config",
            Self::Ci => "CI",
            Self::Other => "other",
            Self::Asset => "asset",
            Self::Generated => "generated",
        }
    }

    /// Noun for all such files of a commit.
    #[must_use]
    pub fn collective(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Tests => "tests",
            Self::Docs => "docs",
            Self::Config => "config",
            Self::Ci => "CI",
            Self::Other => "other",
            Self::Asset => "assets",
            Self::Generated => "generated",
        }
    }
}

fn is_generated_name(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    GENERATED_NAMES.contains(&name)
        || name.starts_with("zz_generated.")
        || GENERATED_ENDS.iter().any(|end| name.ends_with(end))
        || GENERATED_STEMS.iter().any(|end| stem.ends_with(end) && stem.len() > end.len())
}

fn is_test_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_spec")
        || matches!(stem, "test" | "tests" | "conftest")
        || name.contains(".test.")
        || name.contains(".spec.")
}

/// Folders of vendored code.
const VENDORED_DIRS: [&str; 8] =
    ["node_modules", "vendor", "vendored", "third_party", "third-party", "thirdparty", "bower_components", "_vendor"];

/// Whether the file is vendored, by its folders.
#[must_use]
pub fn is_vendored(path: &str) -> bool {
    let dirs = path.rsplit_once('/').map_or("", |(dirs, _)| dirs);
    dirs.split('/').any(|dir| VENDORED_DIRS.contains(&dir.to_ascii_lowercase().as_str()))
}

/// File types of documentation pages, which can also belong to a program.
const PAGES: [&str; 6] = ["html", "css", "scss", "less", "vue", "svelte"];

/// Whether the file is a program by its extension, in any folder.
#[must_use]
pub fn is_program(path: &str) -> bool {
    let end = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, end)| end);
    let end = end.to_ascii_lowercase();
    SOURCE_ENDS.contains(&end.as_str()) && !PAGES.contains(&end.as_str())
}

/// Hand-written dependency manifests, by name.
const MANIFESTS: [&str; 14] = [
    "Cargo.toml", "package.json", "go.mod", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile",
    "Gemfile", "pom.xml", "build.gradle", "build.gradle.kts", "composer.json", "mix.exs",
];

/// Whether the file declares the project's dependencies.
#[must_use]
pub fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MANIFESTS.contains(&name) || (name.starts_with("requirements") && name.ends_with(".txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_told_from_paths() {
        for (path, role) in [
            ("src/main.rs", FileRole::Source),
            ("lib/index.ts", FileRole::Source),
            ("index.html", FileRole::Source),
            ("tests/cli.rs", FileRole::Tests),
            ("pkg/store_test.go", FileRole::Tests),
            ("ui/button.spec.tsx", FileRole::Tests),
            ("test_requests.py", FileRole::Tests),
            ("src/latest.rs", FileRole::Source),
            ("README.md", FileRole::Docs),
            ("LICENSE-MIT", FileRole::Docs),
            ("docs/conf.py", FileRole::Docs),
            ("doc/rg.1", FileRole::Docs),
            ("HISTORY.rst", FileRole::Docs),
            ("src/security.rs", FileRole::Source),
            ("src/history.py", FileRole::Source),
            ("Cargo.toml", FileRole::Config),
            ("requirements-dev.txt", FileRole::Config),
            ("requirements/docs.txt", FileRole::Config),
            (".gitignore", FileRole::Config),
            ("Makefile", FileRole::Config),
            (".github/workflows/ci.yml", FileRole::Ci),
            (".github/ISSUE_TEMPLATE.md", FileRole::Docs),
            (".travis.yml", FileRole::Ci),
            ("Cargo.lock", FileRole::Generated),
            ("web/app.min.js", FileRole::Generated),
            ("vendor/x/y.go", FileRole::Generated),
            ("api/types_generated.go", FileRole::Generated),
            ("api/zz_generated.deepcopy.go", FileRole::Generated),
            ("proto/x.pb.go", FileRole::Generated),
            ("web/schema.gen.ts", FileRole::Generated),
            ("src/gen.rs", FileRole::Source),
            ("src/generated.rs", FileRole::Source),
            ("tests/__snapshots__/a.snap", FileRole::Generated),
            ("uv.lock", FileRole::Generated),
            ("logo.PNG", FileRole::Asset),
            ("bin/tool", FileRole::Other),
            ("", FileRole::Other),
        ] {
            assert_eq!(FileRole::of(path), role, "{path}");
        }
    }

    #[test]
    fn copies_are_known_by_their_folder() {
        assert!(is_vendored("vendor/x.go") && is_vendored("web/node_modules/a/b.js") && is_vendored("Third_Party/a.c"));
        assert!(is_program("docs/conf.py") && !is_program("docs/index.html") && !is_program("docs/a.md"));
        assert!(!is_vendored("vendor") && !is_vendored("src/vendor.rs"));
    }

    #[test]
    fn manifests_are_known_by_name() {
        assert!(is_manifest("crates/a/Cargo.toml") && is_manifest("requirements-dev.txt") && is_manifest("go.mod"));
        assert!(!is_manifest("Cargo.lock") && !is_manifest("rustfmt.toml"));
    }
}
