//! Hooks in git's configuration: what git would run, and what stands in the way of writing it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use super::{Stage, changed, snapshot, write};
use crate::harness::eventually;

const NEW: Option<&str> = Some("2.55.1.windows.1");

#[test]
fn what_git_runs_reports_the_commit_and_says_nothing() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("it's é here");
    stage.ok(&repo, &["init"]);
    let oid = stage.world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    let out = stage.run_configured(&repo, "post-commit", &[]);
    assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
    let capture = eventually("the capture", || stage.world.capture_of(&repo, &oid));
    assert_eq!(capture["source"], "hook");
    // What post-rewrite is told on stdin arrives.
    stage.world.git(&repo, &["commit", "-q", "--amend", "-m", "Add a, said better"]);
    let new = stage.world.git(&repo, &["rev-parse", "HEAD"]);
    let line = stage.world.git(&repo, &["config", "hook.uro-post-rewrite.command"]);
    let script = format!("echo '{oid} {new}' | {{ {line} \"$@\"; }}");
    let out = stage.world.program("sh", &repo).args(["-c", &script, "sh", "amend"]).output().unwrap();
    assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
    eventually("one live capture", || {
        let log = stage.world.log(&repo);
        (log.len() == 1 && log[0]["commit"]["oid"] == new.as_str()).then_some(())
    });
}

#[test]
fn with_the_program_gone_git_hears_and_sees_nothing() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("repo");
    stage.ok(&repo, &["init"]);
    let config = repo.join(".git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("/uro-hook'", "/gone/uro-hook'")).unwrap();
    for hook in ["post-commit", "post-merge", "post-rewrite", "post-applypatch"] {
        let out = stage.run_configured(&repo, hook, &["an argument"]);
        assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{hook}: {out:?}");
    }
    assert_eq!(stage.hooks()["state"], "lost");
    assert!(stage.problems().contains("which is not there"), "{}", stage.problems());
    stage.ok(&repo, &["init"]);
    assert_eq!(stage.hooks()["state"], "ok");
}

#[test]
fn other_changes_between_init_and_deinit_stay() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("repo");
    stage.world.git(&repo, &["config", "branch.gone.remote", "x"]);
    let twin = stage.world.path("twin");
    std::fs::create_dir_all(&twin).unwrap();
    std::fs::copy(repo.join(".git/config"), twin.join("config")).unwrap();
    stage.ok(&repo, &["init"]);
    let changes: [&[&str]; 4] = [
        &["core.abbrev", "12"],
        &["user.name", "Somebody"],
        &["--unset", "core.bare"],
        &["--remove-section", "branch.gone"],
    ];
    for change in changes {
        stage.world.git(&repo, &[&["config"], change].concat());
        stage.world.git(&twin, &[&["config", "--file", "config"], change].concat());
    }
    stage.world.git(&repo, &["config", "hook.uro-post-commit.enabled", "false"]);
    assert_eq!(stage.hooks()["state"], "lost");
    assert!(stage.problems().contains("config --unset-all hook.uro-post-commit.enabled"), "{}", stage.problems());
    stage.ok(&repo, &["deinit"]);
    let text = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(repo.join(".git/config")), text(twin.join("config")));
}

#[test]
fn a_configuration_that_cannot_be_written_is_printed_for_and_nothing_is_half_done() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("repo");
    let config = repo.join(".git/config");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o444)).unwrap();
    let before = snapshot(&repo);
    let (snippet, errors) = stage.refused(&repo, &["init"]);
    assert!(errors.contains("cannot be written") && errors.contains("hint: add the lines"), "{errors}");
    assert_eq!(changed(&before, &snapshot(&repo)), Vec::<PathBuf>::new());
    assert_eq!(stage.json(&repo, &["status"])["hooks"], serde_json::json!([]));
    // What was printed is what it takes, also from where somebody else keeps it.
    std::fs::write(stage.world.path("home/.gitconfig"), &snippet).unwrap();
    assert_eq!(stage.json(&repo, &["init"])["means"], "config");
    assert_eq!(changed(&before, &snapshot(&repo)), Vec::<PathBuf>::new());
    assert_eq!(stage.hooks()["state"], "ok");
}

#[test]
fn a_configuration_that_somebody_else_is_writing_is_left_alone() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("repo");
    let lock = repo.join(".git/config.lock");
    write(&lock, "theirs", 0o644);
    let before = snapshot(&repo);
    let (_, errors) = stage.refused(&repo, &["init"]);
    assert!(errors.contains("config.lock exists") && errors.contains("hint: try again"), "{errors}");
    assert_eq!(snapshot(&repo), before);
    assert_eq!(stage.json(&repo, &["status"])["hooks"], serde_json::json!([]));
    std::fs::remove_file(lock).unwrap();
    stage.ok(&repo, &["init"]);
}

#[test]
fn a_newer_git_moves_the_hooks_into_its_configuration_and_an_older_one_back() {
    let mut stage = Stage::new(None);
    let repo = stage.world.repo("repo");
    let hook = repo.join(".git/hooks/post-commit");
    write(&hook, "#!/bin/sh\nexit 0\n", 0o755);
    let before = snapshot(&repo.join(".git"));
    stage.ok(&repo, &["init"]);
    assert_eq!(stage.hooks()["how"], "chained");

    let old = std::mem::take(&mut stage.path);
    stage.path.clone_from(&old);
    stage.pretend("2.54.0");
    stage.ok(&repo, &["init"]);
    assert_eq!(stage.hooks()["how"], "config");
    assert_eq!(changed(&before, &snapshot(&repo.join(".git"))), [repo.join(".git/config")]);

    stage.path = old;
    let hooks = stage.hooks();
    assert_eq!((hooks["state"].as_str(), hooks["covered_by"].as_str()), (Some("lost"), Some("watch")), "{hooks}");
    let problems = stage.problems();
    assert!(
        problems.contains("does not run the configured hooks") && problems.contains("uro-capture init "),
        "{problems}"
    );
    stage.ok(&repo, &["init"]);
    assert_eq!((stage.hooks()["state"].clone(), stage.hooks()["how"].clone()), ("ok".into(), "chained".into()));
    stage.ok(&repo, &["deinit"]);
    assert_eq!(changed(&before, &snapshot(&repo.join(".git"))), Vec::<PathBuf>::new());
}

#[test]
fn a_reader_that_closes_early_gets_the_whole_answer_or_none() {
    let stage = Stage::new(NEW);
    let repo = stage.world.repo("repo");
    let mut command = stage.world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
    let out = command.env("PATH", &stage.path).arg("init").stdout(Stdio::null()).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
}
