//! The ten kinds of hooks that a repository may have had before ours, each installed by the tool that makes them.

use std::path::Path;

use super::stage::{Stage, skip, tools};
use super::unchanged::Seen;

/// What stood there before, and how our captures come about beside it.
pub struct Prior {
    pub name: &'static str,
    /// Below the directory of tools.
    needs: Option<&'static str>,
    prepare: fn(&Stage),
    /// Whether these hooks are seen to have run, from the record of all the work.
    pub ran: fn(&[Seen]) -> bool,
    /// What reports the commits where git has no hooks in its configuration.
    pub source: &'static str,
}

impl Prior {
    /// The repository with these hooks; none where the tool is missing.
    pub fn stage(&self, git: Option<&Path>) -> Option<Stage> {
        if let Some(tool) = self.needs.filter(|tool| !tools().join(tool).exists()) {
            skip(&format!("{}: there is no {}", self.name, tools().join(tool).display()));
            return None;
        }
        let stage = Stage::new(git);
        (self.prepare)(&stage);
        Some(stage)
    }
}

pub const NONE: Prior = Prior { name: "no hooks", needs: None, prepare: |_| (), ran: |_| true, source: "hook" };

pub const SH: Prior = Prior {
    name: "a shell hook",
    needs: None,
    prepare: |stage| scripts(stage, &stage.repo.join(".git/hooks"), &shell("0")),
    ran: says_prior,
    source: "hook",
};

pub const EXIT_3: Prior = Prior {
    name: "a hook that exits 3",
    needs: None,
    prepare: |stage| scripts(stage, &stage.repo.join(".git/hooks"), &shell("3")),
    ran: |seen| says_prior(seen) && seen[6].code == Some(3),
    source: "hook",
};

pub const PYTHON: Prior = Prior {
    name: "a Python hook",
    needs: None,
    prepare: |stage| scripts(stage, &stage.repo.join(".git/hooks"), SNAKE),
    ran: says_prior,
    source: "hook",
};

pub const HUSKY: Prior =
    Prior { name: "husky", needs: Some("node_modules/husky"), prepare: husky, ran: says_managed, source: "watch" };

pub const LEFTHOOK: Prior =
    Prior { name: "lefthook", needs: Some("bin/lefthook"), prepare: lefthook, ran: says_managed, source: "hook" };

pub const PRE_COMMIT: Prior =
    Prior { name: "pre-commit", needs: Some("bin/pre-commit"), prepare: pre_commit, ran: says_managed, source: "hook" };

pub const LFS: Prior = Prior {
    name: "git-lfs",
    needs: Some("bin/git-lfs"),
    prepare: lfs,
    ran: |seen| seen[0].mode & 0o222 == 0,
    source: "hook",
};

pub const GLOBAL: Prior = Prior {
    name: "a global core.hooksPath",
    needs: None,
    prepare: |stage| {
        scripts(stage, &stage.world.path("home/hooks"), &shell("0"));
        stage.sh("git config --global core.hooksPath ~/hooks");
    },
    ran: says_prior,
    source: "watch",
};

pub const TRACKED: Prior = Prior {
    name: "tracked .githooks",
    needs: None,
    prepare: |stage| {
        scripts(stage, &stage.repo.join(".githooks"), &shell("0"));
        stage.sh("git add . && git commit -q -m 'Add hooks' && git config core.hooksPath .githooks");
    },
    ran: says_prior,
    source: "watch",
};

/// One script for all hooks, linked under each name: it goes by the name it is called by and by where it stands, and
/// so cannot be called by ours.
pub const DISPATCHER: Prior = Prior {
    name: "a dispatcher",
    needs: None,
    prepare: |stage| {
        let text = "#!/bin/sh\necho \"prior ${0##*/} from ${0%/*}: $*\"\n";
        stage.write(&stage.repo.join("dispatch.sh"), text, 0o755);
        stage.sh("git add . && git commit -q -m 'Add hooks'");
        for hook in HOOKS {
            stage.sh(&format!("mkdir -p .git/hooks && ln -s ../../dispatch.sh .git/hooks/{hook}"));
        }
    },
    ran: says_prior,
    source: "watch",
};

const HOOKS: [&str; 4] = ["post-commit", "post-merge", "post-rewrite", "post-checkout"];

fn says_prior(seen: &[Seen]) -> bool {
    seen[0].stderr.contains("prior post-commit") && seen[2].stderr.contains("prior post-rewrite")
}

fn says_managed(seen: &[Seen]) -> bool {
    let grows = seen.windows(2).all(|pair| pair[0].log.len() < pair[1].log.len());
    seen[0].stderr.contains("managed post-commit") && grows
}

/// A hook that tells everything it sees, on both of its outputs and in a file at home.
fn shell(code: &str) -> String {
    format!(
        "#!/bin/sh\necho \"prior {{hook}} $#: $*\"\necho 'prior to stderr' >&2\n\
         {{ printf '{{hook}}|%s|%s|%s|' \"$*\" \"$PWD\" \"${{GIT_DIR-}}\"; cat; echo; }} >>~/hook.log\n\
         echo 'prior ends'\nexit {code}\n"
    )
}

const SNAKE: &str = "#!/usr/bin/env python3\nimport os, sys\nprint('prior {hook}', sys.argv[1:], flush=True)\n\
                     sys.stderr.write('prior to stderr\\n')\n\
                     with open(os.path.expanduser('~/hook.log'), 'a') as log:\n    \
                     log.write('{hook}|%s|%s\\n' % (sys.argv[1:], sys.stdin.read()))\n";

fn scripts(stage: &Stage, dir: &Path, text: &str) {
    for hook in HOOKS {
        stage.write(&dir.join(hook), &text.replace("{hook}", hook), 0o755);
    }
}

/// What the hooks of a manager run: a tracked script.
fn tracked_script(stage: &Stage) {
    let log = "#!/bin/sh\nsaid=\"$* ${PRE_COMMIT_REWRITE_COMMAND-}\"\necho \"managed $said\"\n\
               echo 'managed to stderr' >&2\necho \"$said\" >>~/hook.log\n";
    stage.write(&stage.repo.join("said.sh"), log, 0o755);
}

pub fn husky(stage: &Stage) {
    let modules = stage.repo.join("node_modules");
    std::fs::create_dir_all(modules.join(".bin")).unwrap();
    let package = tools().join("node_modules/husky");
    let copied = std::process::Command::new("cp").arg("-R").arg(package).arg(modules.join("husky")).status().unwrap();
    assert!(copied.success());
    std::os::unix::fs::symlink("../husky/bin.js", modules.join(".bin/husky")).unwrap();
    tracked_script(stage);
    stage.write(&stage.repo.join("package.json"), "{\"name\": \"example\", \"private\": true}\n", 0o644);
    stage.write(&stage.repo.join(".gitignore"), "node_modules\n", 0o644);
    for hook in HOOKS {
        stage.write(&stage.repo.join(".husky").join(hook), &format!("./said.sh {hook} \"$@\"\n"), 0o644);
    }
    stage.sh("git add . && git commit -q -m 'Add husky' && npx --offline husky");
    assert_eq!(stage.sh("git config core.hooksPath"), ".husky/_");
}

fn lefthook(stage: &Stage) {
    tracked_script(stage);
    let job = |hook: &str| format!("{hook}:\n  commands:\n    say:\n      run: ./said.sh {hook} {{0}}\n");
    stage.write(&stage.repo.join("lefthook.yml"), &HOOKS.map(job).concat(), 0o644);
    stage.sh("git add . && git commit -q -m 'Add lefthook' && lefthook install");
}

fn pre_commit(stage: &Stage) {
    tracked_script(stage);
    let hook = |hook: &str| {
        format!(
            "  - id: {hook}\n    name: say\n    entry: ./said.sh {hook}\n    language: system\n    \
             stages: [{hook}]\n    always_run: true\n    verbose: true\n"
        )
    };
    let config = format!("repos:\n- repo: local\n  hooks:\n{}", HOOKS.map(hook).concat());
    stage.write(&stage.repo.join(".pre-commit-config.yaml"), &config, 0o644);
    stage.sh("git add . && git commit -q -m 'Add pre-commit'");
    for hook in HOOKS {
        stage.sh(&format!("pre-commit install --hook-type {hook}"));
    }
}

/// A file that may be changed only while it is locked: what git-lfs has its post-commit hook for.
fn lfs(stage: &Stage) {
    stage.write(&stage.repo.join(".gitattributes"), "*.bin lockable\n", 0o644);
    stage.sh("git lfs install --local && git add . && git commit -q -m 'Add git-lfs'");
}
