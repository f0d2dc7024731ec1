//! Dependencies as manifests and lockfiles show them.

use super::*;
use crate::facts::sample::{counted, file};

/// `name from to direct`, one line each.
fn describe_changes(files: &[FileChange]) -> String {
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
    let line = |c: &DependencyChange| {
        format!("{} {} {}{}", c.name, version(&c.from), version(&c.to), if c.direct { " direct" } else { "" })
    };
    find_changes(files).iter().map(line).collect::<Vec<_>>().join("\n")
}

fn describe_file(path: &str, patch: &str) -> String {
    describe_changes(&[file(path, patch)])
}

#[test]
fn a_cargo_manifest_tells_what_its_tables_name() {
    let patch = "@@ name = \"x\"\n [dependencies]\n-tokio = \"1.40\"\n+tokio = { version = \"1.42\", features = [\"rt\"] }\n+serde = \"1\"\n-log = { version = \"0.4\" }\n+log = { version = \"0.4\", default-features = false }";
    assert_eq!(describe_file("Cargo.toml", patch), "tokio 1.40 1.42 direct\nserde - 1 direct");
    assert_eq!(
        describe_file("Cargo.toml", "@@\n [dev-dependencies.insta]\n-version = \"1.1\"\n+version = \"1.2\""),
        "insta 1.1 1.2 direct"
    );
    assert_eq!(
        describe_file("Cargo.toml", "@@\n [features]\n+full = \"1.0\"\n [profile.release]\n+opt-level = \"3\""),
        ""
    );
}

#[test]
fn outside_any_table_that_is_shown_the_shape_must_do() {
    assert_eq!(describe_file("Cargo.toml", "@@\n a = \"1\"\n-b = \"1.1\"\n+b = \"1.2\""), "b 1.1 1.2 direct");
    assert_eq!(
        describe_file(
            "Cargo.toml",
            "@@\n-version = \"1.1\"\n+version = \"1.2\"\n-rust-version = \"1.1\"\n+rust-version = \"1.2\""
        ),
        ""
    );
    assert_eq!(describe_file("Cargo.toml", "@@\n-license = \"MIT\"\n+license = \"Unlicense\""), "");
}

#[test]
fn what_is_written_elsewhere_now_did_not_change() {
    let files = [
        file("Cargo.toml", "@@\n [workspace.dependencies]\n+serde = \"1\""),
        file(
            "a/Cargo.toml",
            "@@\n [dependencies]\n-serde = \"1\"\n+serde = { workspace = true }\n-log = \"1\"\n+log.workspace = true",
        ),
        file("b/Cargo.toml", "@@\n [dependencies]\n-moved = \"1\""),
        file("c/Cargo.toml", "@@\n [dependencies]\n+moved = \"1\""),
    ];
    assert_eq!(describe_changes(&files), "serde - 1 direct");
}

#[test]
fn a_cargo_lockfile_tells_foreign_packages_in_blocks() {
    let patch = "@@\n [[package]]\n name = \"syn\"\n-version = \"2.0.1\"\n+version = \"2.0.2\"\n source = \"registry+x\"\n \n [[package]]\n name = \"mine\"\n-version = \"0.1.0\"\n+version = \"0.2.0\"\n dependencies = [\n+ \"syn\",\n ]\n+[[package]]\n+name = \"new\"\n+version = \"1.0.0\"\n+source = \"registry+x\"";
    assert_eq!(describe_file("Cargo.lock", patch), "syn 2.0.1 2.0.2\nnew - 1.0.0");
}

#[test]
fn a_lockfile_adds_only_what_its_manifest_does_not_say() {
    let block = "@@\n [[package]]\n name = \"NAME\"\n-version = \"1.40.0\"\n+version = \"1.42.0\"\n source = \"x\"";
    let lock = format!("{}\n{}", block.replace("NAME", "tokio"), block.replace("NAME", "mio"));
    let files =
        [file("Cargo.lock", &lock), file("Cargo.toml", "@@\n [dependencies]\n-tokio = \"1.40\"\n+tokio = \"1.42\"")];
    assert_eq!(describe_changes(&files), "tokio 1.40 1.42 direct\nmio 1.40.0 1.42.0");
}

#[test]
fn versions_side_by_side_are_paired_by_their_major() {
    let block = |sign: char, version: &str| {
        format!("{sign}[[package]]\n{sign}name = \"syn\"\n{sign}version = \"{version}\"\n{sign}source = \"x\"\n")
    };
    let patch = format!("@@\n{}{}{}", block('-', "1.0.1"), block('-', "2.0.1"), block('+', "2.0.2"));
    assert_eq!(describe_file("Cargo.lock", &patch), "syn 1.0.1 -\nsyn 2.0.1 2.0.2");
}

#[test]
fn npm_manifests_and_lockfiles_are_read() {
    let patch = "@@\n   \"devDependencies\": {\n-    \"jest\": \"^29.0.0\",\n+    \"jest\": \"^30.0.0\",\n+    \"@vue/x\": \"workspace:*\"\n   },\n   \"scripts\": {\n+    \"test\": \"1.0\"\n   }";
    assert_eq!(describe_file("package.json", patch), "jest ^29.0.0 ^30.0.0 direct\n@vue/x - workspace:* direct");
    assert_eq!(
        describe_file(
            "package.json",
            "@@\n-  \"version\": \"1.0.0\",\n+  \"version\": \"1.0.1\",\n-    \"node\": \">=8\"\n+    \"node\": \">=10\""
        ),
        ""
    );
    assert_eq!(
        describe_file("package.json", "@@\n-    \"qs\": \"6.1.0\",\n+    \"qs\": \"6.2.0\","),
        "qs 6.1.0 6.2.0 direct"
    );
    let lock = "@@\n     \"node_modules/a/node_modules/@b/c\": {\n-      \"version\": \"1.0.0\",\n+      \"version\": \"1.0.1\",\n       \"resolved\": \"x\"";
    assert_eq!(describe_file("package-lock.json", lock), "@b/c 1.0.0 1.0.1");
    assert_eq!(
        describe_file(
            "yarn.lock",
            "@@\n-\"@b/c@^1.0.0\":\n-  version \"1.0.0\"\n+\"@b/c@^1.1.0\":\n+  version \"1.1.0\""
        ),
        "@b/c 1.0.0 1.1.0"
    );
    let pnpm = "@@\n-  /left@1.0.0:\n+  /left@1.1.0:\n     resolution: {x}\n-  '@vue/x@3.0.0(ts@5)':\n+  '@vue/x@3.0.1(ts@5)':";
    assert_eq!(describe_file("pnpm-lock.yaml", pnpm), "left 1.0.0 1.1.0\n@vue/x 3.0.0 3.0.1");
}

#[test]
fn go_modules_say_what_was_brought_along() {
    let patch = "@@ require (\n-\tgithub.com/a/b v1.0.0\n+\tgithub.com/a/b v1.1.0\n-\tgolang.org/x/net v0.1.0 // indirect\n+\tgolang.org/x/net v0.2.0 // indirect\n )\n+require golang.org/x/sys v0.1.0\n-go 1.20\n+go 1.21\n exclude (\n+\tgithub.com/c/d v1.0.0\n )";
    assert_eq!(
        describe_file("go.mod", patch),
        "github.com/a/b v1.0.0 v1.1.0 direct\ngolang.org/x/sys - v0.1.0 direct\ngolang.org/x/net v0.1.0 v0.2.0"
    );
    assert_eq!(describe_file("go.sum", "@@\n+github.com/a/b v1.1.0 h1:x="), "");
}

#[test]
fn python_requirements_are_read_wherever_they_stand() {
    let patch = "@@\n-flask==2.0\n+flask==2.1  # why\n+click>=8 ; python_version > '3'\n+six==1.0\n+    # via flask\n-r base.txt\n+-r more.txt\n+https://x/y.whl";
    assert_eq!(describe_file("requirements/dev.txt", patch), "flask 2.0 2.1 direct\nclick - >=8 direct\nsix - 1.0");
    let patch = "@@\n [project]\n-requires-python = \">=3.7\"\n+requires-python = \">=3.8\"\n-    \"flask>=2.0\",\n+    \"flask>=2.1\",\n+    \"just-a-word\",\n [tool.poetry.dependencies]\n+click = \"^8.0\"";
    assert_eq!(describe_file("pyproject.toml", patch), "flask >=2.0 >=2.1 direct\nclick - ^8.0 direct");
    assert_eq!(
        describe_file("setup.py", "@@\n+    'idna>=2.5,<4',\n+    python_requires='>=3.7',"),
        "idna - >=2.5,<4 direct"
    );
    assert_eq!(describe_file("setup.cfg", "@@\n+    idna >= 2.5\n+python_requires = >= 3.7"), "idna - >= 2.5 direct");
    assert_eq!(
        describe_file("Pipfile", "@@\n [packages]\n-a = \"==1.0\"\n+a = \"*\"\n+b = \"==1.0\""),
        "b - 1.0 direct"
    );
    let uv = "@@\n [[package]]\n name = \"idna\"\n-version = \"3.1\"\n+version = \"3.2\"\n source = { registry = \"x\" }\n [[package]]\n name = \"mine\"\n-version = \"3.1\"\n+version = \"3.2\"\n source = { editable = \".\" }";
    assert_eq!(describe_file("uv.lock", uv), "idna 3.1 3.2");
}

#[test]
fn samples_and_copies_have_no_dependencies_of_ours() {
    let patch = "@@\n-a==1\n+a==2";
    assert_eq!(describe_file("tests/fixtures/requirements.txt", patch), "");
    assert_eq!(describe_file("vendor/x/requirements.txt", patch), "");
    assert_eq!(describe_file("requirements.txt", patch), "a 1 2 direct");
}

#[test]
fn only_dependencies_means_every_line() {
    let bump = file("package.json", "@@\n   \"dependencies\": {\n-    \"a\": \"1.0.0\"\n+    \"a\": \"1.0.1\"\n   }");
    let lock = counted("yarn.lock", 10, 10);
    assert!(is_dependencies_only(&[bump.clone(), lock.clone()]));
    let cut = FileChange { insertions: Some(9), ..bump.clone() };
    assert!(!is_dependencies_only(&[cut]));
    assert!(!is_dependencies_only(&[bump, lock, counted("a.js", 1, 1)]));
    assert!(!is_dependencies_only(&[file("package.json", "@@\n-  \"main\": \"a\"\n+  \"main\": \"b\"")]));
    assert!(is_dependencies_only(&[file("Cargo.toml", "@@\n+[dev-dependencies]\n+a = \"1\"")]));
    assert!(!is_dependencies_only(&[]));
}

proptest::proptest! {
    #[test]
    fn whatever_stands_in_such_a_file_is_read_without_a_panic(
        path in proptest::sample::select(vec!["Cargo.toml", "Cargo.lock", "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "go.mod", "requirements.txt", "pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "uv.lock", "Pipfile.lock"]),
        lines in proptest::collection::vec("[-+ ]( |\\[|\\]|\"|'|=|\\{|\\}|:|,|@|/|version|name|\\PC|1\\.2|require \\()*", 0..12),
    ) {
        let files = [file(path, &format!("@@\n{}", lines.join("\n")))];
        let changes = find_changes(&files);
        proptest::prop_assert!(changes.iter().all(|change| change.from.is_some() || change.to.is_some()));
        let _ = is_dependencies_only(&files);
    }
}

/// A lockfile with both its versions whole, and without its lines, as one that is kept out of prompts.
fn locked(path: &str, old: &str, new: &str) -> FileChange {
    use crate::domain::patch::UnreadReason;
    let whole = crate::facts::sample::versions(path, old, new);
    FileChange { hunks: Vec::new(), insertions: None, deletions: None, unread: Some(UnreadReason::Excluded), ..whole }
}

#[test]
fn every_lockfile_tells_its_packages() {
    for (path, old) in [
        (
            "Gemfile.lock",
            "GEM\n  specs:\n    rack (3.0.8)\n      base (~> 1.2.3)\n    pkg (1.2.3-x86_64-linux)\n\nDEPENDENCIES\n  pkg (~> 1.2.3)\n",
        ),
        ("paket.lock", "NUGET\n  remote: x\n    pkg (1.2.3)\n"),
        ("uv.lock", "version = 1\n\n[[package]]\nname = \"pkg\"\nversion = \"1.2.3\"\nsource = { registry = \"x\" }\n"),
        ("poetry.lock", "[[package]]\nname = \"pkg\"\nversion = \"1.2.3\"\ndescription = \"\"\n"),
        ("pdm.lock", "[[package]]\nname = \"pkg\"\nversion = \"1.2.3\"\n"),
        ("pylock.toml", "[[packages]]\nname = \"pkg\"\nversion = \"1.2.3\"\n"),
        (
            "Pipfile.lock",
            "{\n  \"default\": {\n    \"pkg\": {\n      \"hashes\": [\n        \"sha256:a\"\n      ],\n      \"version\": \"==1.2.3\"\n",
        ),
        ("Cargo.lock", "[[package]]\nname = \"pkg\"\nversion = \"1.2.3\"\nsource = \"registry+x\"\n"),
        ("package-lock.json", "{\n  \"packages\": {\n    \"node_modules/pkg\": {\n      \"version\": \"1.2.3\",\n"),
        ("yarn.lock", "pkg@^1.0.0:\n  version \"1.2.3\"\n  resolved \"x\"\n"),
        ("pnpm-lock.yaml", "packages:\n\n  pkg@1.2.3:\n    resolution: {integrity: x}\n"),
        ("web/pnpm-lock.yaml", "packages:\n\n  /pkg/1.2.3:\n    resolution: {integrity: x}\n"),
        ("bun.lock", "{\n  \"packages\": {\n    \"pkg\": [\"pkg@1.2.3\", \"\", {}, \"sha512-x\"],\n"),
        ("deno.lock", "{\n  \"npm\": {\n    \"pkg@1.2.3\": {\n"),
        ("composer.lock", "{\n  \"packages\": [\n    {\n      \"name\": \"pkg\",\n      \"version\": \"1.2.3\",\n"),
        ("go.sum", "pkg 1.2.3 h1:abc=\npkg 1.2.3/go.mod h1:def=\n"),
        ("mix.lock", "%{\n  \"pkg\": {:hex, :pkg, \"1.2.3\", \"abc\", [:mix], [], \"hexpm\", \"def\"},\n}\n"),
        ("rebar.lock", "[{<<\"pkg\">>,{pkg,<<\"pkg\">>,<<\"1.2.3\">>},0}].\n"),
        ("Podfile.lock", "PODS:\n  - pkg (1.2.3):\n    - other (~> 1.0)\n\nDEPENDENCIES:\n  - pkg (~> 1.2.3)\n"),
        (
            "Package.resolved",
            "{\n  \"pins\" : [\n    {\n      \"identity\" : \"pkg\",\n      \"state\" : {\n        \"revision\" : \"a\",\n        \"version\" : \"1.2.3\"\n",
        ),
        (
            "pubspec.lock",
            "packages:\n  pkg:\n    dependency: \"direct main\"\n    description:\n      name: pkg\n      sha256: a\n    source: hosted\n    version: \"1.2.3\"\n",
        ),
        ("shard.lock", "shards:\n  pkg:\n    git: x\n    version: 1.2.3\n"),
        (
            "packages.lock.json",
            "{\n  \"dependencies\": {\n    \"net8.0\": {\n      \"pkg\": {\n        \"type\": \"Direct\",\n        \"requested\": \"[1.2, )\",\n        \"resolved\": \"1.2.3\",\n",
        ),
        (
            "renv.lock",
            "{\n  \"Packages\": {\n    \"pkg\": {\n      \"Package\": \"pkg\",\n      \"Version\": \"1.2.3\",\n",
        ),
        ("Chart.lock", "dependencies:\n- name: pkg\n  repository: x\n  version: 1.2.3\n"),
        (".terraform.lock.hcl", "provider \"registry.example/pkg\" {\n  version     = \"1.2.3\"\n"),
        ("gradle.lockfile", "a.pkg:1.2.3=compileClasspath\nempty=\n"),
        ("conda-lock.yml", "package:\n- name: pkg\n  version: 1.2.3\n  manager: conda\n"),
        ("pixi.lock", "packages:\n- kind: conda\n  name: pkg\n  version: 1.2.3\n"),
        ("pixi.lock", "packages:\n- conda: https://c.example/noarch/pkg-1.2.3-py312_0.conda\n  sha256: a\n"),
        ("go.work.sum", "pkg 1.2.3 h1:abc=\npkg 1.2.3/go.mod h1:def=\n"),
        ("conan.lock", "{\n  \"requires\": [\n    \"pkg/1.2.3#abc%1700000000.0\"\n  ]\n}\n"),
        ("stack.yaml.lock", "packages:\n- completed:\n    hackage: pkg-1.2.3@sha256:abc,1\n"),
        ("cabal.project.freeze", "constraints: any.pkg ==1.2.3,\n             any.base ==4.18\n"),
        ("Cartfile.resolved", "github \"pkg\" \"1.2.3\"\n"),
        (
            "MODULE.bazel.lock",
            "{\n    \"https://b.example/modules/pkg/1.0/MODULE.bazel\": \"a\",\n    \"https://b.example/modules/pkg/1.2.3/source.json\": \"a\"\n",
        ),
        ("Manifest.toml", "julia_version = \"1.10\"\n\n[[deps.pkg]]\nuuid = \"a\"\nversion = \"1.2.3\"\n"),
        ("mise.lock", "[[tools.pkg]]\nversion = \"1.2.3\"\n"),
        ("soldeer.lock", "[[dependencies]]\nname = \"pkg\"\nversion = \"1.2.3\"\n"),
        ("Brewfile.lock.json", "{\n  \"brew\": {\n    \"pkg\": {\n      \"version\": \"1.2.3\"\n"),
        ("spago.lock", "packages:\n  pkg:\n    type: registry\n    version: 1.2.3\n"),
    ] {
        let text = describe_changes(&[locked(path, old, &old.replace("1.2.3", "1.2.4"))]);
        let name = if path == "gradle.lockfile" { "a.pkg" } else { "pkg" };
        assert_eq!(text, format!("{name} 1.2.3 1.2.4"), "{path}");
    }
}

#[test]
fn a_locked_commit_is_told_by_its_first_digits() {
    let (old, new) = ("a1".repeat(20), "b2".repeat(20));
    let flake = |rev: &str| {
        format!(
            "{{\n  \"nodes\": {{\n    \"nixpkgs\": {{\n      \"locked\": {{\n        \"narHash\": \"sha256-x\",\n        \"rev\": \"{rev}\",\n"
        )
    };
    assert_eq!(describe_changes(&[locked("flake.lock", &flake(&old), &flake(&new))]), "nixpkgs a1a1a1a b2b2b2b");
    let cargo = |rev: &str| {
        format!(
            "[[package]]\nname = \"x\"\nversion = \"0.1.0\"\nsource = \"git+https://g.example/x?branch=main#{rev}\"\n"
        )
    };
    let uv = |rev: &str| {
        format!("[[package]]\nname = \"x\"\nversion = \"0.1.0\"\nsource = {{ git = \"https://g.example/x#{rev}\" }}\n")
    };
    let mix = |rev: &str| format!("%{{\n  \"x\": {{:git, \"https://g.example/x.git\", \"{rev}\", []}},\n}}\n");
    let composer = |rev: &str| {
        format!(
            "{{\n  \"packages\": [\n    {{\n      \"name\": \"x\",\n      \"version\": \"dev-main\",\n      \"source\": {{\n        \"reference\": \"{rev}\"\n"
        )
    };
    let gems = |rev: &str| {
        format!(
            "GIT\n  remote: https://g.example/x.git\n  revision: {rev}\n  specs:\n    x (1.0)\n\nGEM\n  specs:\n    y (1.0)\n"
        )
    };
    assert_eq!(describe_changes(&[locked("Gemfile.lock", &gems(&old), &gems(&new))]), "x a1a1a1a b2b2b2b");
    for (path, of) in [
        ("Cargo.lock", &cargo as &dyn Fn(&str) -> String),
        ("uv.lock", &uv),
        ("mix.lock", &mix),
        ("composer.lock", &composer),
    ] {
        assert_eq!(describe_changes(&[locked(path, &of(&old), &of(&new))]), "x a1a1a1a b2b2b2b", "{path}");
    }
}

#[test]
fn a_whole_lockfile_tells_what_its_hunks_would_not_reach() {
    let block = |name: &str, version: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"x\"\n\n")
    };
    let many: String = (0..12).map(|n| block("syn", &format!("{n}.0.0"))).collect();
    let file =
        locked("Cargo.lock", &format!("{many}{}", block("a", "1.0.0")), &format!("{many}{}", block("b", "1.0.0")));
    assert_eq!(describe_changes(std::slice::from_ref(&file)), "a 1.0.0 -\nb - 1.0.0");
    assert!(are_all_known(&[file]) && !are_all_known(&[FileChange { texts: None, ..locked("uv.lock", "", "x") }]));
}
