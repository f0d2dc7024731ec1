//! Whoever commits, from whatever surroundings: graphical clients, bare environments, sandboxes, other users; with
//! the program moved or gone.

use uro_capture::store::{CaptureArchive, CaptureQuery};
mod settings;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use uro_capture::domain::capture::Capture;
use uro_capture::store::sqlite::SqliteStore;

use crate::harness::{World, copy_program, eventually, write_program};

const SETTINGS: &str = "[[endpoints]]\nname = \"none\"\nurl = \"http://127.0.0.1:9\"\napi = \"ollama\"\n";

/// A person with a home directory and nothing else: no URO_HOME, no XDG directories.
struct Person {
    world: World,
}

impl Person {
    fn new() -> Self {
        let world = World::new();
        let config = world.path("home/.config/uroboro");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("capture.toml"), SETTINGS).unwrap();
        Self { world }
    }

    fn home(&self) -> PathBuf {
        self.world.path("home")
    }

    /// A program as `env -i HOME=… NAME=VALUE…` runs it.
    fn program(&self, program: &Path, cwd: &Path, env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.home()).envs(env.iter().copied());
        command.current_dir(cwd).stdin(Stdio::null());
        command
    }

    fn uro(&self, cwd: &Path, env: &[(&str, &str)], args: &[&str]) -> Output {
        self.program(Path::new(env!("CARGO_BIN_EXE_uro-capture")), cwd, env).args(args).output().unwrap()
    }

    fn git(&self, cwd: &Path, env: &[(&str, &str)], args: &[&str]) {
        said_nothing(&self.program(&which("git"), cwd, env).args(args).output().unwrap());
    }

    fn repo(&self) -> PathBuf {
        let repo = self.world.repo("repo");
        let out = self.uro(&repo, &[], &["init"]);
        assert!(out.status.success(), "{out:?}");
        repo
    }

    fn captures(&self) -> Vec<Capture> {
        captures_in(&self.home().join(".local/share/uroboro/captures.db"))
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        for env in [&[][..], &[("XDG_RUNTIME_DIR", self.world.path("runtime").to_str().unwrap())]] {
            let _ = self.uro(&self.home(), env, &["sidecar", "stop"]);
        }
    }
}

/// Looked at without a command, which would itself capture what lies in the spool.
fn captures_in(database: &Path) -> Vec<Capture> {
    let store = SqliteStore::open(database).unwrap().store;
    store.captures(&CaptureQuery { all_states: true, ..CaptureQuery::default() }).unwrap()
}

fn captures(world: &World) -> Vec<Capture> {
    captures_in(&world.path("uro/data/captures.db"))
}

fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file()).unwrap()
}

#[track_caller]
fn said_nothing(out: &Output) {
    assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{out:?}");
}

fn subjects(captures: &[Capture]) -> Vec<&str> {
    captures.iter().rev().map(|capture| capture.raw.trim()).collect()
}

#[test]
fn a_bare_path_and_a_bare_home_are_enough_for_a_commit_to_be_captured() {
    let person = Person::new();
    let repo = person.repo();
    let commit = |n: usize, env: &[(&str, &str)]| {
        person.git(&repo, env, &["commit", "-q", "--allow-empty", "-m", &format!("Commit {n}")]);
    };
    // The first one has to start the sidecar, from where nothing of ours is on the PATH.
    commit(0, &[("PATH", "/usr/bin:/bin")]);
    eventually("a sidecar that the hook started", || (person.captures().len() == 1).then_some(()));
    commit(1, &[("PATH", "/usr/bin:/bin")]);
    commit(2, &[]);
    eventually("all of them", || (person.captures().len() == 3).then_some(()));
    assert_eq!(subjects(&person.captures()), ["Commit 0", "Commit 1", "Commit 2"]);
}

#[test]
fn a_terminal_and_a_client_without_its_variables_share_one_log() {
    let person = Person::new();
    let repo = person.repo();
    let runtime = person.world.path("runtime");
    std::fs::create_dir(&runtime).unwrap();
    std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700)).unwrap();
    let terminal = [("XDG_RUNTIME_DIR", runtime.to_str().unwrap()), ("PATH", "/usr/bin:/bin")];
    assert!(person.uro(&repo, &terminal, &["sidecar", "start"]).status.success());
    for n in 0..10 {
        let env = if n % 2 == 0 { &terminal[..] } else { &terminal[1..] };
        person.git(&repo, env, &["commit", "-q", "--allow-empty", "-m", &format!("Commit {n}")]);
    }
    eventually("each of them", || (person.captures().len() >= 10).then_some(()));
    assert_eq!(person.captures().len(), 10, "and none twice");
}

/// The program, copied to where a test may take it away.
fn installed(world: &World) -> PathBuf {
    let bin = world.path("bin");
    std::fs::create_dir(&bin).unwrap();
    for built in [env!("CARGO_BIN_EXE_uro-capture"), env!("CARGO_BIN_EXE_uro-hook")] {
        copy_program(Path::new(built), &bin.join(Path::new(built).file_name().unwrap()));
    }
    bin
}

/// A repository whose other hook says something and fails, or which has none.
fn repo_with(world: &World, prior: bool) -> PathBuf {
    let repo = world.repo("repo");
    if prior {
        let hook = repo.join(".git/hooks/post-commit");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        write_program(&hook, b"#!/bin/sh\necho prior hook\nexit 3\n");
    }
    repo
}

#[test]
fn a_moved_and_a_deleted_program_cost_the_commit_nothing_and_init_from_the_new_place_repairs_it() {
    for prior in [false, true] {
        let world = World::without_models();
        let (bin, repo) = (installed(&world), repo_with(&world, prior));
        let uro = |bin: &Path, args: &[&str]| {
            let out = world.program(bin.join("uro-capture"), &repo).args(args).output().unwrap();
            assert!(out.status.success(), "{args:?}: {out:?}");
        };
        uro(&bin, &["init"]);
        let commit = |message: &str| {
            let out = world.git_command(&repo, &["commit", "-q", "--allow-empty", "-m", message]).output().unwrap();
            assert!(out.status.success() && out.stdout.is_empty(), "{message}, prior {prior}: {out:?}");
            let errors = String::from_utf8(out.stderr).unwrap();
            assert_eq!(errors, if prior { "prior hook\n" } else { "" }, "{message}: as without us");
        };
        let moved = world.path("moved");
        std::fs::rename(&bin, &moved).unwrap();
        commit("Moved");
        uro(&moved, &["init"]);
        commit("Repaired");
        eventually("captured", || captures(&world).iter().any(|one| one.raw.trim() == "Repaired").then_some(()));
        // Its programs lie in `moved`, so it is asked to leave before they go.
        uro(&moved, &["sidecar", "stop"]);
        std::fs::remove_dir_all(&moved).unwrap();
        commit("Deleted");
    }
}

/// Every variable by which git can be led astray, at once.
#[test]
fn a_poisoned_environment_reaches_neither_the_sidecar_nor_the_index() {
    let world = World::without_models();
    let (here, there) = (world.hooked_repo("here"), world.hooked_repo("there"));
    std::fs::write(there.join("a.rs"), "fn a() {}\n").unwrap();
    world.git(&there, &["add", "-A"]);
    let index = world.path("scratch-index");
    std::fs::copy(there.join(".git/index"), &index).unwrap();
    let (own_index, trace) = (std::fs::read(here.join(".git/index")).ok(), world.path("trace"));
    let git_dir = there.join(".git");
    let mut command = world.git_command(&here, &["commit", "-q", "-m", "Add a"]);
    command
        .env("GIT_DIR", &git_dir)
        .env("GIT_COMMON_DIR", &git_dir)
        .env("GIT_WORK_TREE", &there)
        .env("GIT_INDEX_FILE", &index)
        .env("GIT_OBJECT_DIRECTORY", git_dir.join("objects"))
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", here.join(".git/objects"))
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "uro.capture.enabled")
        .env("GIT_CONFIG_VALUE_0", "false")
        .env("GIT_CONFIG_PARAMETERS", "'diff.external=false'")
        .env("GIT_NAMESPACE", "elsewhere")
        .env("GIT_CEILING_DIRECTORIES", "/")
        .env("GIT_TRACE", &trace);
    said_nothing(&command.output().unwrap());
    let after_commit = std::fs::read(&index).unwrap();
    eventually("the commit, in its own repository", || (captures(&world).len() == 1).then_some(()));
    let capture = captures(&world).remove(0);
    assert!(capture.repo.unwrap().path.ends_with("/there"));
    assert_eq!(capture.commit.unwrap().oid.to_string(), world.git(&there, &["rev-parse", "HEAD"]));
    assert_eq!(std::fs::read(&index).unwrap(), after_commit, "the index is the caller's");
    assert_eq!(std::fs::read(here.join(".git/index")).ok(), own_index);
    assert!(!there.join(".git/index.lock").exists());
    let environ = std::fs::read(format!("/proc/{}/environ", world.sidecar_pid())).unwrap();
    let environ = String::from_utf8_lossy(&environ);
    let of_git: Vec<&str> = environ.split('\0').filter(|pair| pair.starts_with("GIT_")).collect();
    assert!(of_git.is_empty(), "{of_git:?}");
    // The same sidecar goes on to capture others rightly.
    let next = world.commit(&here, "b.rs", "fn b() {}\n", "Add b");
    assert!(world.final_capture(&here, &next)["repo"]["path"].as_str().unwrap().ends_with("/here"));
}

#[test]
fn a_commit_whose_objects_lie_elsewhere_stands_in_nobodys_way() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let first = world.commit(&repo, "a.rs", "fn a() {}\n", "Add a");
    let elsewhere = world.path("objects");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut command = world.git_command(&repo, &["commit", "-q", "--allow-empty", "-m", "Out of reach"]);
    command.env("GIT_OBJECT_DIRECTORY", &elsewhere);
    command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.join(".git/objects"));
    said_nothing(&command.output().unwrap());
    world.git(&repo, &["update-ref", "HEAD", &first]);
    let next = world.commit(&repo, "b.rs", "fn b() {}\n", "Add b");
    world.final_capture(&repo, &next);
    assert_eq!(subjects(&captures(&world)), ["Add a", "Add b"]);
}

/// Runs a command line where everything of ours is read-only and no network exists; `None` where that is not
/// permitted.
fn in_a_sandbox(world: &World, cwd: &Path, line: &str) -> Option<Output> {
    let readonly = |dir: &str| {
        let dir = world.path(dir).display().to_string();
        format!("mount --bind '{dir}' '{dir}' && mount -o remount,ro,bind '{dir}'")
    };
    let setup = format!("{} && {} || exit 99; {line}", readonly("home"), readonly("uro"));
    let mut command = world.program("unshare", cwd);
    let out = command.args(["-m", "-n", "sh", "-c", &setup]).output().ok()?;
    let refused = out.status.code() == Some(99) || String::from_utf8_lossy(&out.stderr).contains("unshare");
    (!refused).then_some(out)
}

#[test]
fn a_commit_in_a_sandbox_is_silent_and_captured_later() {
    for sidecar in [false, true] {
        let world = World::without_models();
        let repo = world.hooked_repo("repo");
        if sidecar {
            world.start_sidecar();
        }
        world.git(&repo, &["commit", "-q", "--allow-empty", "-m", "Outside"]);
        eventually("the one outside", || (captures(&world).len() == 1).then_some(()));
        if !sidecar {
            world.ok(&repo, &["sidecar", "stop"]);
        }
        let line = format!("cd '{}' && {} commit -q --allow-empty -m Inside", repo.display(), which("git").display());
        let Some(out) = in_a_sandbox(&world, &repo, &line) else {
            println!("SKIPPED: mount and network namespaces are not permitted here");
            return;
        };
        said_nothing(&out);
        assert_eq!(world.git(&repo, &["log", "-1", "--format=%s"]), "Inside");
        if !sidecar {
            world.start_sidecar();
        }
        eventually("the one inside", || (captures(&world).len() == 2).then_some(()));
        let source = captures(&world).remove(0).source;
        assert_eq!(source.as_str(), if sidecar { "watch" } else { "reconcile" });
    }
}

#[test]
fn a_repository_of_another_user_is_skipped_with_one_line_and_no_safe_directory() {
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: only root can give a repository away");
        return;
    }
    let world = World::without_models();
    let (own, theirs) = (world.hooked_repo("own"), world.hooked_repo("theirs"));
    let gitconfig = || std::fs::read(world.path("home/.gitconfig")).unwrap();
    let before = gitconfig();
    world.start_sidecar();
    assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(&theirs).status().unwrap().success());
    for n in 0..3 {
        let args = ["-c", "safe.directory=*", "commit", "-q", "--allow-empty", "-m", &format!("Theirs {n}")];
        said_nothing(&world.git_command(&theirs, &args).output().unwrap());
    }
    let oid = world.commit(&own, "a.rs", "fn a() {}\n", "Add a");
    world.final_capture(&own, &oid);
    assert_eq!(subjects(&captures(&world)), ["Add a"]);
    let status = world.json(&own, &["status"]);
    let lines: Vec<&Value> = status["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| problem["what"].as_str().unwrap().contains("/theirs"))
        .collect();
    assert_eq!(lines.len(), 1, "{status:#}");
    assert!(lines[0]["what"].as_str().unwrap().contains("another user"), "{status:#}");
    assert!(!status.to_string().contains("safe.directory"), "none is advised: {status:#}");
    assert_eq!(gitconfig(), before, "no safe.directory is written");
    assert!(!world.uro_in(&theirs, &["init"]).status.success());
    assert_eq!(gitconfig(), before);
}

/// A commit as the hook reports it, in a clone that holds no blob of what it changes: read by libgit2 and by a child.
#[test]
fn a_commit_in_a_partial_clone_is_captured_without_a_single_fetch() {
    let world = World::without_models();
    let origin = world.repo("origin");
    world.git(&origin, &["config", "uploadpack.allowFilter", "true"]);
    world.commit(&origin, "a.rs", "fn a() {}\n", "Add a");
    world.commit(&origin, "b.rs", "fn b() {}\n", "Add b");
    let sprung = world.path("sprung");
    let tripwire = program(&world, "tripwire", &format!("echo \"$*\" >> '{}'", sprung.display()));
    world.start_sidecar();
    for format in ["files", "reftable"] {
        let clone = partial_clone(&world, &origin, format);
        world.git(&clone, &["config", "remote.origin.url", &format!("ext::{} %S", tripwire.display())]);
        world.git(&clone, &["config", "protocol.ext.allow", "always"]);
        world.ok(&clone, &["init"]);
        // The new blob is here, the one it replaces and the removed one are not.
        world.git(&clone, &["read-tree", "HEAD"]);
        let blob = hash_object(&world, &clone, "fn a() { changed() }\n");
        world.git(&clone, &["update-index", "--cacheinfo", &format!("100644,{blob},a.rs")]);
        world.git(&clone, &["update-index", "--force-remove", "b.rs"]);
        let out = world.git_command(&clone, &["commit", "-q", "-m", "Change a, remove b"]).output().unwrap();
        said_nothing(&out);
        let oid = world.git(&clone, &["rev-parse", "HEAD"]);
        let capture = world.final_capture(&clone, &oid);
        assert_eq!(capture["commit"]["files"], 2, "{format}: {capture:#}");
        assert!(!sprung.exists(), "{format}, fetched: {}", std::fs::read_to_string(&sprung).unwrap());
    }
}

fn partial_clone(world: &World, origin: &Path, format: &str) -> PathBuf {
    let (clone, url) = (world.path(&format!("clone {format}")), format!("file://{}", origin.display()));
    let format = format!("--ref-format={format}");
    let args = ["clone", "-q", "--filter=blob:none", "--no-checkout", &format, &url, clone.to_str().unwrap()];
    world.git(&world.path("home"), &args);
    clone
}

fn hash_object(world: &World, repo: &Path, content: &str) -> String {
    let mut command = world.git_command(repo, &["hash-object", "-w", "--stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// An executable script outside every repository.
fn program(world: &World, name: &str, line: &str) -> PathBuf {
    let path = world.path(name);
    write_program(&path, format!("#!/bin/sh\n{line}\n").as_bytes());
    path
}
