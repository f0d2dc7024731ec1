//! Repositories that opted out, by every setting that does so and over every way a commit can come in: nothing is captured,
//! asked or kept, and the repository beside it is captured as ever.

use std::path::{Path, PathBuf};

use crate::harness::World;
use crate::harness::fake_llm::{Behaviour, FakeLlm};

/// In the patch of every commit of the repository that opted out, and nowhere else.
const HIDDEN: &str = "quetzalcoatl";

/// One world with a sidecar, a model server, a repository that opted out and one that did not.
struct Stage {
    world: World,
    server: FakeLlm,
    off: PathBuf,
    on: PathBuf,
}

impl Stage {
    /// `opt_out` gives what stands in `[capture]`, given both repositories.
    fn new(opt_out: fn(&World, &Path, &Path) -> String) -> Self {
        let server = FakeLlm::start(Behaviour::Answer("Adds a retry to the login.".to_owned()));
        let world = World::with_fake(&server);
        let (off, on) = (world.hooked_repo("work/off"), world.hooked_repo("work/on"));
        let capture = opt_out(&world, &off, &on);
        world.use_fake(&server, &capture);
        world.start_sidecar();
        Self { world, server, off, on }
    }

    fn commit(&self, repo: &Path, name: &str, word: &str) -> String {
        self.world.commit(repo, &format!("{name}.rs"), &format!("fn {name}_{word}() {{}}\n"), &format!("Add {name}"))
    }

    /// No hook reports it: the watcher or the reflog has to.
    fn commit_unreported(&self, repo: &Path, name: &str, word: &str) -> String {
        std::fs::write(repo.join(format!("{name}.rs")), format!("fn {name}_{word}() {{}}\n")).unwrap();
        self.world.git(repo, &["add", "-A"]);
        self.world.git(repo, &["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", &format!("Add {name}")]);
        self.world.git(repo, &["rev-parse", "HEAD"])
    }

    fn restart(&self) {
        self.world.ok(&self.world.path("home"), &["sidecar", "stop"]);
        self.world.start_sidecar();
    }

    /// One commit by each way in, first where it must not be captured and then where it must.
    fn commit_by_every_way(&self) {
        self.commit(&self.off, "hooked", HIDDEN);
        let seen = self.commit(&self.on, "hooked", "open");
        self.world.final_capture(&self.on, &seen);
        self.commit_unreported(&self.off, "watched", HIDDEN);
        let seen = self.commit_unreported(&self.on, "watched", "open");
        self.world.final_capture(&self.on, &seen);
        self.world.ok(&self.world.path("home"), &["sidecar", "stop"]);
        self.commit_unreported(&self.off, "reconciled", HIDDEN);
        let seen = self.commit_unreported(&self.on, "reconciled", "open");
        self.world.start_sidecar();
        self.world.final_capture(&self.on, &seen);
        // What comes after it has been dealt with after it.
        let seen = self.commit(&self.on, "last", "open");
        self.world.final_capture(&self.on, &seen);
    }

    #[track_caller]
    fn nothing_was_captured(&self, what: &str) {
        assert_eq!(self.world.log(&self.off).len(), 0, "{what}");
        let asked = String::from_utf8_lossy(&self.server.requests().concat()).into_owned();
        assert!(!asked.contains(HIDDEN), "{what}: a model was asked");
        assert!(asked.contains("hooked_open"), "{what}: no model was asked about the other repository");
        for file in files(&self.world.path("uro")) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(HIDDEN), "{what}: {}", file.display());
        }
        let status = self.world.json(&self.on, &["status", "--days", "36500"]);
        assert_eq!(status["coverage"]["missing"], 0, "{what}: {status:#}");
    }

    /// Commands that a person types there are refused with what helps.
    #[track_caller]
    fn commands_are_refused(&self, what: &str) {
        for args in [&["commit", "HEAD"][..], &["commit", "--since", "2020-01-01"], &[]] {
            let out = self.world.uro_in(&self.off, args);
            let errors = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(1), "{what}, {args:?}: {errors}");
            assert!(errors.contains("capturing is switched off here") && errors.contains("hint: "), "{what}: {errors}");
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else if entry.file_type().unwrap().is_file() {
            found.push(entry.path());
        }
    }
    found
}

fn opts_out(what: &str, opt_out: fn(&World, &Path, &Path) -> String) {
    let stage = Stage::new(opt_out);
    stage.commit_by_every_way();
    stage.nothing_was_captured(what);
    stage.commands_are_refused(what);
    stage.nothing_was_captured(what);
}

#[test]
fn by_its_own_key() {
    opts_out("git config uro.capture false", |world, off, _| {
        world.git(off, &["config", "uro.capture", "false"]);
        String::new()
    });
}

#[test]
fn by_a_key_in_a_file_that_its_configuration_includes() {
    opts_out("an included file", |world, off, _| {
        std::fs::write(world.path("home/private.inc"), "[uro]\n\tcapture = no\n").unwrap();
        world.git(off, &["config", "include.path", "~/private.inc"]);
        String::new()
    });
}

#[test]
fn by_a_folder_in_the_users_git_configuration() {
    opts_out("includeIf", |world, off, _| {
        std::fs::write(world.path("home/private.inc"), "[uro]\n\tcapture = off\n").unwrap();
        let condition = format!("includeIf.gitdir:{}/.path", off.display());
        world.git(off, &["config", "--global", &condition, "~/private.inc"]);
        String::new()
    });
}

#[test]
fn by_the_users_git_configuration_where_the_other_one_opted_in() {
    opts_out("git config --global uro.capture false", |world, _, on| {
        world.git(on, &["config", "--global", "uro.capture", "false"]);
        world.git(on, &["config", "uro.capture", "true"]);
        String::new()
    });
}

#[test]
fn by_the_users_file_where_the_other_one_opted_in() {
    opts_out("capture.enabled = false", |world, _, on| {
        world.git(on, &["config", "uro.capture", "true"]);
        "enabled = false".to_owned()
    });
}

#[test]
fn by_its_path() {
    opts_out("exclude_repos", |_, off, _| format!("exclude_repos = [\"{}\"]", off.display()));
}

#[test]
fn by_a_pattern() {
    opts_out("exclude_repos with a pattern", |_, _, _| "exclude_repos = [\"**/of?\"]".to_owned());
}

#[test]
fn by_not_being_among_the_chosen_ones() {
    opts_out("only_repos", |_, _, on| format!("only_repos = [\"{}\"]", on.display()));
}

#[test]
fn by_an_exclusion_that_stands_against_a_choice() {
    opts_out("only_repos and exclude_repos", |_, off, on| {
        let choice = on.parent().unwrap().display();
        format!("only_repos = [\"{choice}/**\"]\nexclude_repos = [\"{}\"]", off.display())
    });
}

#[test]
fn with_its_linked_worktrees() {
    for opt_out in [
        |world: &World, off: &Path, _: &Path| {
            world.git(off, &["config", "uro.capture", "false"]);
            String::new()
        },
        |_: &World, off: &Path, _: &Path| format!("exclude_repos = [\"{}\"]", off.display()),
    ] {
        let stage = Stage::new(opt_out);
        stage.commit(&stage.off, "first", HIDDEN);
        let linked = stage.world.path("elsewhere");
        stage.world.git(&stage.off, &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
        stage.commit(&linked, "linked", HIDDEN);
        stage.commit_unreported(&linked, "unreported", HIDDEN);
        let seen = stage.commit(&stage.on, "hooked", "open");
        stage.world.final_capture(&stage.on, &seen);
        stage.restart();
        let seen = stage.commit(&stage.on, "last", "open");
        stage.world.final_capture(&stage.on, &seen);
        stage.nothing_was_captured("a linked worktree");
        assert_eq!(stage.world.log(&linked).len(), 0);
    }
}

#[test]
fn and_in_again_from_the_next_commit_on() {
    let stage = Stage::new(|world, off, _| {
        world.git(off, &["config", "uro.capture", "false"]);
        String::new()
    });
    let hidden = stage.commit(&stage.off, "hidden", HIDDEN);
    let seen = stage.commit(&stage.on, "hooked", "open");
    stage.world.final_capture(&stage.on, &seen);
    stage.world.git(&stage.off, &["config", "--unset", "uro.capture"]);
    let later = stage.commit(&stage.off, "later", "open");
    stage.world.final_capture(&stage.off, &later);
    stage.restart();
    let seen = stage.commit(&stage.on, "last", "open");
    stage.world.final_capture(&stage.on, &seen);
    assert!(stage.world.capture_of(&stage.off, &hidden).is_none(), "made while it had opted out");
    stage.world.ok(&stage.off, &["commit", &hidden, "--no-model"]);
    assert!(stage.world.capture_of(&stage.off, &hidden).is_some(), "asked for by name");
}

#[test]
fn and_its_notes_are_the_persons_own() {
    let stage = Stage::new(|world, off, _| {
        world.git(off, &["config", "uro.capture", "false"]);
        String::new()
    });
    let out = stage.world.uro_in(&stage.off, &["Talked about the release"]);
    let log = stage.world.log(&stage.off);
    assert_eq!((out.status.code(), log.len()), (Some(0), 1), "{}", String::from_utf8_lossy(&out.stderr));
}
