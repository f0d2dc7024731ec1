//! All repositories of a user at once.

use std::path::PathBuf;

use super::{Stage, changed, snapshot, write};

const NEW: Option<&str> = Some("2.54.0");

#[test]
fn with_a_newer_git_the_users_configuration_is_all_that_changes() {
    for (file, exists) in [(".gitconfig", true), (".config/git/config", true), (".gitconfig", false)] {
        let stage = Stage::new(NEW);
        let home = stage.world.path("home");
        let config = home.join(file);
        if !exists || file != ".gitconfig" {
            std::fs::remove_file(home.join(".gitconfig")).unwrap();
        }
        if exists {
            write(&config, "[user]\n\tname = A", 0o640);
        }
        let before = snapshot(&home);
        assert_eq!(stage.ok(&home, &["init", "--global", "--dry-run"]).lines().next(), config.to_str());
        assert_eq!(snapshot(&home), before);
        let output = stage.json(&home, &["init", "--global"]);
        assert_eq!(output["config"], config.to_str().unwrap());
        assert_eq!(changed(&before, &snapshot(&home)), [config]);
        let named = stage.world.git(&home, &["config", "--global", "hook.uro-post-merge.event"]);
        assert_eq!(named, "post-merge");
        stage.ok(&home, &["deinit", "--global"]);
        assert_eq!(changed(&before, &snapshot(&home)), Vec::<PathBuf>::new(), "{file}");
    }
}

#[test]
fn gits_own_variable_names_the_file() {
    let stage = Stage::new(NEW);
    let home = stage.world.path("home");
    let before = snapshot(&home);
    let config = stage.world.path("elsewhere.gitconfig");
    for (command, there) in [("init", true), ("deinit", false)] {
        let mut program = stage.world.program(env!("CARGO_BIN_EXE_uro-capture"), &home);
        program.env("PATH", &stage.path).env("GIT_CONFIG_GLOBAL", &config);
        assert!(program.args([command, "--global"]).output().unwrap().status.success());
        assert_eq!(config.exists(), there, "{command}");
    }
    assert_eq!(snapshot(&home), before);
}

#[test]
fn a_repository_that_leaves_alone_is_told_that_others_report_it() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("repo");
    let before = snapshot(&repo);
    stage.ok(&repo, &["init", "--global"]);
    assert_eq!(stage.json(&repo, &["init"])["means"], "config");
    assert_eq!(changed(&before, &snapshot(&repo)), Vec::<PathBuf>::new(), "the user's configuration is enough");
    assert_eq!(stage.hooks()["how"], "config");
    assert!(stage.ok(&repo, &["deinit"]).contains("uro.capture false"));
}

#[test]
fn an_older_git_gets_no_global_hooks_path_but_a_reason() {
    let stage = Stage::new(None);
    let home = stage.world.path("home");
    let before = snapshot(&home);
    let (_, errors) = stage.refused(&home, &["init", "--global"]);
    assert!(errors.contains("2.54") && errors.contains("hint: uro-capture init --global DIR"), "{errors}");
    assert_eq!(snapshot(&home), before);
}

#[test]
fn every_repository_below_a_directory_is_covered_and_left_again() {
    for version in [None, NEW] {
        let stage = Stage::new(version);
        let src = stage.world.path("src");
        for name in ["src/a", "src/group/b", "src/excluded/c", "src/tracked"] {
            stage.world.repo(name);
        }
        stage.world.git(&src, &["init", "-q", "--bare", "bare.git"]);
        std::fs::create_dir_all(src.join("broken/.git/objects")).unwrap();
        write(&src.join("a/.git/hooks/post-commit"), "#!/bin/sh\nexit 0\n", 0o755);
        stage.world.git(&src.join("tracked"), &["config", "core.hooksPath", ".githooks"]);
        std::os::unix::fs::symlink(&src, src.join("loop")).unwrap();
        stage.world.configure(
            "[capture]\nexclude_repos = [\"**/excluded/**\"]\n[[endpoints]]\nname = \"test\"\n\
             url = \"http://127.0.0.1:9\"\napi = \"ollama\"\n",
        );
        let before = snapshot(&src);

        let listed = stage.ok(&src, &["init", "--global", "--dry-run", "."]);
        assert_eq!(snapshot(&src), before);
        let output = stage.json(&stage.world.path("home"), &["init", "--global", src.to_str().unwrap()]);
        let covered: Vec<&str> =
            output["repositories"].as_array().unwrap().iter().map(|done| done["repo"].as_str().unwrap()).collect();
        let root = src.canonicalize().unwrap();
        let expected = ["a", "bare.git", "group/b", "tracked"].map(|name| root.join(name));
        assert_eq!(covered, expected.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>(), "{output}");
        let skipped = output["skipped"].to_string();
        assert!(skipped.contains("excluded/c") && skipped.contains("the settings exclude it"), "{skipped}");
        let written = changed(&before, &snapshot(&src));
        assert!(written.iter().all(|path| listed.contains(path.to_str().unwrap())), "{listed}\n{written:?}");
        assert!(!written.is_empty());
        let states = stage.json(&src, &["status"])["hooks"].clone();
        let tracked = if version.is_some() { "ok" } else { "absent" };
        let states: Vec<&str> = states.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["ok", "ok", "ok", tracked]);

        stage.ok(&src, &["deinit", "--global"]);
        assert_eq!(changed(&before, &snapshot(&src)), Vec::<PathBuf>::new());
        assert_eq!(stage.json(&src, &["status"])["hooks"], serde_json::json!([]));
    }
}

#[test]
fn the_list_of_what_may_be_captured_says_where_to_look() {
    let stage = Stage::new(None);
    let repo = stage.world.repo("src/a");
    stage.world.repo("other/b");
    let only = stage.world.path("src").canonicalize().unwrap();
    stage.world.configure(&format!(
        "[capture]\nonly_repos = [\"{}/**\"]\n[[endpoints]]\nname = \"test\"\nurl = \"http://127.0.0.1:9\"\n\
         api = \"ollama\"\n",
        only.display()
    ));
    let output = stage.ok(&repo, &["init", "--global"]);
    assert!(output.contains("src/a") && !output.contains("other/b"), "{output}");
    assert_eq!(stage.hooks()["state"], "ok");
}
