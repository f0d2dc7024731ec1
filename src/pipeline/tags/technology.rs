//! Technology tags: languages by the changed files' names, and tools by their own names.

use super::{prose, words};
use crate::domain::patch::FileChange;
use crate::facts;
use crate::facts::roles::FileRole;

/// By changed lines, most first; generated files do not count.
pub(super) fn of_files(files: &[FileChange]) -> impl Iterator<Item = &'static str> + use<> {
    let mut found: Vec<(&'static str, u64)> = Vec::new();
    let written = |file: &&FileChange| !matches!(facts::role_of(file), FileRole::Generated | FileRole::Asset);
    for file in files.iter().filter(written) {
        let Some(name) = of_path(&file.path) else { continue };
        // A file without line counts counts as one line.
        let lines = file.insertions.zip(file.deletions).map_or(1, |(a, b)| a.saturating_add(b).max(1));
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum = sum.saturating_add(lines),
            None => found.push((name, lines)),
        }
    }
    found.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    found.into_iter().map(|(name, _)| name)
}

fn of_path(path: &str) -> Option<&'static str> {
    let low = path.to_ascii_lowercase();
    let name = low.rsplit('/').next().unwrap_or(&low);
    if name.starts_with("dockerfile") || name == "containerfile" || name.starts_with("docker-compose.") {
        return Some("docker");
    }
    Some(match name.rsplit_once('.')?.1 {
        "rs" => "rust",
        "py" | "pyi" | "pyx" => "python",
        "js" | "jsx" | "mjs" | "cjs" => "javascript",
        "ts" | "tsx" | "mts" | "cts" => "typescript",
        "go" => "go",
        "java" => "java",
        "kt" | "kts" => "kotlin",
        "scala" => "scala",
        "c" | "h" => "c",
        "cc" | "cpp" | "cxx" | "hpp" | "hh" | "hxx" => "c++",
        "cs" => "csharp",
        "fs" => "fsharp",
        "swift" => "swift",
        "rb" => "ruby",
        "php" => "php",
        "pl" | "pm" => "perl",
        "lua" => "lua",
        "jl" => "julia",
        "hs" => "haskell",
        "ml" | "mli" => "ocaml",
        "ex" | "exs" => "elixir",
        "erl" => "erlang",
        "clj" | "cljs" => "clojure",
        "dart" => "dart",
        "zig" => "zig",
        "nix" => "nix",
        "sh" | "bash" | "zsh" | "fish" => "shell",
        "ps1" => "powershell",
        "sql" => "sql",
        "tf" => "terraform",
        "proto" => "protobuf",
        "vue" => "vue",
        "svelte" => "svelte",
        "css" | "scss" | "less" => "css",
        "html" => "html",
        _ => return None,
    })
}

/// Names that mean nothing else in English.
const NAMES: [(&str, &str); 19] = [
    ("rust", "rust"),
    ("python", "python"),
    ("javascript", "javascript"),
    ("typescript", "typescript"),
    ("kotlin", "kotlin"),
    ("sql", "sql"),
    ("sqlite", "sqlite"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("mysql", "mysql"),
    ("redis", "redis"),
    ("docker", "docker"),
    ("dockerfile", "docker"),
    ("kubernetes", "kubernetes"),
    ("k8s", "kubernetes"),
    ("terraform", "terraform"),
    ("graphql", "graphql"),
    ("grpc", "grpc"),
    ("wasm", "wasm"),
];

/// In the order of the words.
pub(super) fn of_words(text: &str) -> impl Iterator<Item = &'static str> + use<> {
    words(&prose(text)).into_iter().filter_map(|word| NAMES.iter().find(|(name, _)| *name == word).map(|(_, tag)| *tag))
}
