//! Formats that are neither prose nor program, and messages that say nothing, the whole way: from a commit by git to
//! the text that is stored.

use std::path::{Path, PathBuf};

use crate::harness::World;

/// A world with one repository, without a model.
fn place() -> (World, PathBuf) {
    let world = World::without_models();
    let repo = world.repo("repo");
    (world, repo)
}

/// Commits a file as git does, and tells the template's text of it.
fn summary_of(world: &World, repo: &Path, file: &str, content: &str, message: &str) -> String {
    world.commit(repo, file, content, message);
    world.json(repo, &["commit", "--no-model", "HEAD"]).to_string()
}

#[test]
fn a_secret_under_a_telling_key_is_in_no_text_and_no_draft() {
    let (world, repo) = place();
    for (file, first, second) in [
        ("app.yml", "db:\n  password: sunshine\n", "db:\n  password: moonlight\n"),
        (".pypirc", "[a]\npassword = correct-horse-battery\n", "[a]\npassword = wrong-donkey-battery\n"),
        ("c.json", "{\"password\": \"quiet pine\"}\n", "{\"password\": \"loud oak\"}\n"),
    ] {
        summary_of(&world, &repo, file, first, "wip");
        let text = summary_of(&world, &repo, file, second, "wip");
        assert!(text.contains("It changes the value of `password`"), "{text}");
    }
    world.ok(&repo, &["draft", "new", "devlog", "--day", "2026-03-01"]);
    world.ok(&repo, &["draft", "run"]);
    let drafts = world.ok(&repo, &["draft", "list"]);
    let id = drafts.split_whitespace().next().unwrap();
    let all = format!("{}{}", world.ok(&repo, &["log"]), world.ok(&repo, &["draft", "show", id]));
    assert!(all.contains("`password`"), "{all}");
    for secret in ["sunshine", "moonlight", "horse", "donkey", "quiet pine", "loud oak"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

/// A hash can be guessed at as long as one likes: it is as secret as what was hashed.
#[test]
fn a_hashed_password_is_in_no_text_and_no_export() {
    let (world, repo) = place();
    let bcrypt = |tail: &str| format!("$2a$10$H1a30nMr9v2QE2nkyz0BoOD2J0I6FQFMtHS0csEg12RBWzf{tail}");
    let argon = |tail: &str| format!("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaa{tail}");
    let sha = |tail: &str| format!("$6$rounds=5000$salt$l9IxTLm0qYkAcd8Rs9vNzQ0e3yGmWfTjKhUuXoPpBb1Zz2Aa3Cc4{tail}");
    let values = |hash: &str| format!("configs:\n  secret:\n    argocdServerAdminPassword: {hash}\n");
    let guide = |hash: &str| format!("# Setup\n\n```yaml\n{}```\n", values(hash));
    let users = |hash: &str| format!("{{\n  \"adminPassword\": \"{hash}\",\n  \"user\": \"me\"\n}}\n");
    let mut texts = String::new();
    for (file, named, first, second) in [
        ("values.yaml", true, values(&bcrypt("RuuoE6")), values(&bcrypt("XyzoE6"))),
        ("quoted.yaml", true, values(&format!("'{}'", bcrypt("RuuoE6"))), values(&format!("\"{}\"", bcrypt("XyzoE6")))),
        (".env", false, format!("ADMIN_PASSWORD={}\n", argon("ObG1")), format!("ADMIN_PASSWORD='{}'\n", argon("ObG2"))),
        ("users.json", true, users(&sha("Dd5")), users(&sha("Ee6"))),
        ("README.md", false, guide(&bcrypt("RuuoE6")), guide(&bcrypt("XyzoE6"))),
        ("htpasswd", false, format!("me:{}\n", bcrypt("RuuoE6")), format!("me:{}\n", bcrypt("XyzoE6"))),
    ] {
        summary_of(&world, &repo, file, &first, "wip");
        let text = summary_of(&world, &repo, file, &second, "wip");
        assert!(!named || text.contains("assword") || text.contains("ADMIN_PASSWORD"), "{file}: {text}");
        texts += &text;
    }
    texts += &(world.ok(&repo, &["export"]) + &world.ok(&repo, &["log", "--all"]));
    for part in
        ["H1a30nMr9v", "RBWzf", "Rdescudv", "c29tZXNhbHQ", "l9IxTLm0", "Aa3Cc4", "RuuoE6", "XyzoE6", "ObG1", "Ee6"]
    {
        assert!(!texts.contains(part), "{part}: {texts}");
    }
}

#[test]
fn pointers_translations_and_digests_are_told_in_their_own_terms() {
    let (world, repo) = place();
    let pointer = |id: &str, size: u64| {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {size}\n", id.repeat(64))
    };
    summary_of(&world, &repo, "model.bin", &pointer("1", 5_242_880), "First");
    let text = summary_of(&world, &repo, "model.bin", &pointer("2", 6_500_000), "wip");
    assert!(text.contains("Changes the LFS object model.bin (5.2 MB → 6.5 MB)."), "{text}");
    let text = summary_of(&world, &repo, "model.bin", "\0\u{1}the content itself", "wip");
    assert!(text.contains("Takes model.bin out of Git LFS."), "{text}");
    let text = summary_of(&world, &repo, "model.bin", &pointer("3", 812), "wip");
    assert!(text.contains("Moves model.bin into Git LFS."), "{text}");

    let po = |line: u32, checkout: &str| {
        format!(
            "msgid \"\"\nmsgstr \"\"\n\"POT-Creation-Date: 2026-01-{line}\\n\"\n\n#: src/cart.c:{line}\nmsgid \"Checkout\"\nmsgstr \"{checkout}\"\n"
        )
    };
    summary_of(&world, &repo, "de.po", &po(10, "Kasse"), "First");
    let text = summary_of(&world, &repo, "de.po", &po(14, "Kasse"), "wip");
    assert!(text.contains("Only references to source lines and dates change in de.po."), "{text}");
    let text = summary_of(&world, &repo, "de.po", &po(15, "Zur Kasse"), "wip");
    assert!(text.contains("Changes the translation of “Checkout” from “Kasse” to “Zur Kasse” in de.po."), "{text}");

    let image = |tag: &str, digest: &str| format!("FROM node:{tag}@sha256:{}\nRUN npm ci\n", digest.repeat(16));
    summary_of(&world, &repo, "Dockerfile", &image("20-alpine", "091e"), "First");
    let text = summary_of(&world, &repo, "Dockerfile", &image("20-alpine", "04e6"), "wip");
    assert!(text.contains("It pins `node:20-alpine` to another digest."), "{text}");
    let text = summary_of(&world, &repo, "Dockerfile", &image("22-alpine", "091e"), "wip");
    assert!(text.contains("`node` goes from 20-alpine to 22-alpine."), "{text}");
}

#[test]
fn a_lockfile_that_is_kept_out_of_prompts_tells_its_packages() {
    let (world, repo) = place();
    let gems = |version: &str| format!("GEM\n  specs:\n    rack (3.0.8)\n    rails ({version})\n");
    summary_of(&world, &repo, "Gemfile.lock", &gems("7.1.2"), "First");
    let text = summary_of(&world, &repo, "Gemfile.lock", &gems("7.1.3"), "wip");
    assert!(text.contains("Updates rails 7.1.2 → 7.1.3."), "{text}");
    world.configure("[capture]\nexclude_paths = [\"*.lock\", \"Gemfile.lock\"]\n");
    let text = summary_of(&world, &repo, "Gemfile.lock", &gems("7.1.4"), "wip");
    assert!(!text.contains("7.1.4"), "what is excluded by its own name is never read: {text}");
}

#[test]
fn a_message_that_a_program_made_up_is_passed_over() {
    let (world, repo) = place();
    let mut garden = "# Garden\n".to_owned();
    summary_of(&world, &repo, "Garden.md", &garden, "First");
    let subjects = [
        "wip",
        "vault backup: 2026-01-01 10:10:00",
        "Update Garden.md",
        "auto save",
        "Autosave by Logseq",
        "Edit Garden.md via GitHub",
        "Automatische Sicherung",
        "[logseq-plugin-git:commit] 2026-01-01T10:10:10.000Z",
    ];
    for (at, subject) in subjects.into_iter().enumerate() {
        garden.push_str(&format!("\n## Compost {at}\n\nTurn it weekly.\n"));
        let text = summary_of(&world, &repo, "Garden.md", &garden, subject);
        assert!(text.contains(&format!("“Compost {at}”")), "{subject}: {text}");
    }
}

#[test]
fn a_message_in_another_charset_keeps_its_words() {
    let (world, repo) = place();
    world.commit(&repo, "a.bin", "a", "First");
    let subjects: [(&str, &[u8], &str); 6] = [
        ("ISO-8859-1", b"Gr\xf6\xdfe geh\xf6rt dazu\n", "Größe gehört dazu"),
        ("cp1252", b"Pr\xfcfe \x93Gr\xf6\xdfe\x94\n", "Prüfe “Größe”"),
        ("cp850", b"Pr\x81fe die Gr\x94\xe1e\n", "Prüfe die Größe"),
        ("EUC-KR", b"\xbd\xc3\xb0\xa3 \xc3\xca\xb0\xfa\n", "시간 초과"),
        ("windows-1251", b"\xcf\xf0\xee\xe2\xe5\xf0\xea\xe0 \xf2\xe0\xe9\xec\xe0\xf3\xf2\xe0\n", "Проверка таймаута"),
        ("Shift_JIS", b"\x83e\x83X\x83g\x82\xf0\x92\xc7\x89\xc1\n", "テストを追加"),
    ];
    for (charset, bytes, text) in subjects {
        let message = world.path("message");
        std::fs::write(&message, bytes).unwrap();
        std::fs::write(repo.join("a.bin"), charset).unwrap();
        world.git(&repo, &["add", "--all"]);
        let encoding = format!("i18n.commitEncoding={charset}");
        world.git(&repo, &["-c", &encoding, "commit", "--quiet", "-F", message.to_str().unwrap()]);
        let json = world.json(&repo, &["commit", "--no-model", "HEAD"]).to_string();
        assert!(json.contains(text), "{charset}: {json}");
    }
}

#[test]
fn a_reason_behind_a_label_is_told() {
    let (world, repo) = place();
    let message = "fix: close the pool once\n\nThe second close ran into a lock that nobody holds.\n\
                   IMPORTANT: callers must await the result, because it is a coroutine now.";
    let text = summary_of(&world, &repo, "pool.py", "x = 1\n", message);
    assert!(text.contains("callers must await the result, because it is a coroutine now."), "{text}");
}

#[test]
fn what_changes_in_a_translation_besides_messages_is_named() {
    let (world, repo) = place();
    let strings = |comment: &str, cart: &str| format!("/* {comment} */\n\"cart\" = \"{cart}\";\n");
    summary_of(&world, &repo, "de.lproj/a.strings", &strings("Title", "Korb"), "First");
    let text = summary_of(&world, &repo, "de.lproj/a.strings", &strings("Heading", "Korb"), "wip");
    assert!(text.contains("Only comments change in de.lproj/a.strings."), "{text}");
    let text = summary_of(&world, &repo, "de.lproj/a.strings", &strings("Heading", "Warenkorb"), "wip");
    assert!(text.contains("Changes the translation of “cart” from “Korb” to “Warenkorb”"), "{text}");

    let catalog = |state: &str, value: &str| {
        format!(
            "{{\n  \"strings\" : {{\n    \"Cart\" : {{\n      \"localizations\" : {{\n        \"de\" : {{\n          \"stringUnit\" : {{\n            \"state\" : \"{state}\",\n            \"value\" : \"{value}\"\n          }}\n        }}\n      }}\n    }}\n  }}\n}}\n"
        )
    };
    summary_of(&world, &repo, "a.xcstrings", &catalog("new", "Korb"), "First");
    let text = summary_of(&world, &repo, "a.xcstrings", &catalog("translated", "Korb"), "wip");
    assert!(text.contains("Only states of translations change in a.xcstrings."), "{text}");
    let text = summary_of(&world, &repo, "a.xcstrings", &catalog("translated", "Warenkorb"), "wip");
    assert!(text.contains("Changes the translation of “Cart (de)” from “Korb” to “Warenkorb”"), "{text}");

    let android = |cart: &str| {
        format!(
            "<resources>\n    <string name=\"cart\">{cart}</string>\n    <plurals name=\"n\">\n        <item quantity=\"one\">eins</item>\n    </plurals>\n</resources>\n"
        )
    };
    summary_of(&world, &repo, "res/values-de/strings.xml", &android("Korb"), "First");
    let text = summary_of(&world, &repo, "res/values-de/strings.xml", &android("Warenkorb"), "wip");
    assert!(text.contains("Changes the translation of “cart” from “Korb” to “Warenkorb”"), "{text}");
}

#[test]
fn a_version_and_a_digest_are_told_with_what_they_belong_to() {
    let (world, repo) = place();
    let chart = |tag: &str, digest: &str| {
        format!("image:\n  repository: ghcr.io/acme/web\n  tag: \"{tag}\"\n  digest: sha256:{}\n", digest.repeat(16))
    };
    summary_of(&world, &repo, "values.yaml", &chart("1.2", "091e"), "First");
    let text = summary_of(&world, &repo, "values.yaml", &chart("1.2", "04e6"), "wip");
    assert!(text.contains("It pins `ghcr.io/acme/web` to another digest."), "{text}");
    let text = summary_of(&world, &repo, "values.yaml", &chart("1.3", "091e"), "wip");
    assert!(text.contains("`ghcr.io/acme/web` goes from 1.2 to 1.3.") && !text.contains("value of"), "{text}");

    let lock = |version: &str| format!("packages:\n- conda: https://c.example/noarch/numpy-{version}-py312_0.conda\n");
    summary_of(&world, &repo, "pixi.lock", &lock("1.26.3"), "First");
    let text = summary_of(&world, &repo, "pixi.lock", &lock("1.26.4"), "wip");
    assert!(text.contains("Updates numpy 1.26.3 → 1.26.4."), "{text}");
}

#[test]
fn a_notebook_is_told_by_its_cells_and_a_request_by_its_title() {
    let (world, repo) = place();
    let notebook = |kernel: &str, count: u32| {
        format!(
            "{{\n \"cells\": [\n  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": {count},\n   \"metadata\": {{}},\n   \"outputs\": [],\n   \"source\": [\n    \"load()\"\n   ]\n  }}\n ],\n \"metadata\": {{\n  \"kernelspec\": {{\n   \"name\": \"{kernel}\"\n  }}\n }}\n}}\n"
        )
    };
    summary_of(&world, &repo, "a.ipynb", &notebook("python3", 1), "First");
    let text = summary_of(&world, &repo, "a.ipynb", &notebook("python3", 2), "wip");
    assert!(text.contains("Only outputs and execution counts change in a.ipynb."), "{text}");
    let text = summary_of(&world, &repo, "a.ipynb", &notebook("conda", 2), "wip");
    assert!(text.contains("Only metadata changes in a.ipynb."), "{text}");
    let squashed = "Merged in pool (pull request #12)\n\nAdd a pool of connections";
    let text = summary_of(&world, &repo, "pool.py", "x = 1\n", squashed);
    assert!(text.contains("\"summary\":\"Add a pool of connections."), "{text}");
}
