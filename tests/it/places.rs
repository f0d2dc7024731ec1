//! Where commits are made: every kind of repository, odd paths, poisoned environments, places that refuse.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use uro_capture::store::{CaptureArchive, CaptureQuery};

use uro_capture::domain::capture::Capture;
use uro_capture::store::sqlite::SqliteStore;

use crate::harness::{World, eventually};

/// Looked at without a command, which would itself capture what lies in the spool.
fn captures(world: &World) -> Vec<Capture> {
    let store = SqliteStore::open(&world.path("uro/data/captures.db")).unwrap().store;
    store.captures(&CaptureQuery::default()).unwrap()
}

fn wait_for(world: &World, what: &str, oids: &[String]) -> Vec<Capture> {
    let of = |capture: &Capture| capture.commit.as_ref().map(|commit| commit.oid.to_string());
    eventually(what, || {
        let found = captures(world);
        oids.iter().all(|oid| found.iter().any(|capture| of(capture).as_ref() == Some(oid))).then_some(found)
    })
}

fn commit(world: &World, repo: &Path, n: usize) -> String {
    world.commit(repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"))
}

#[test]
fn every_kind_of_repository_is_captured_under_its_own_commits() {
    let world = World::without_models();
    world.start_sidecar();
    let mut made = Vec::new();

    let plain = world.hooked_repo("with space/é\nnewline");
    made.push(commit(&world, &plain, 0));
    world.git(&plain, &["pack-refs", "--all"]);
    made.push(commit(&world, &plain, 1));
    world.git(&plain, &["checkout", "-q", "--detach"]);
    made.push(commit(&world, &plain, 2));
    let below = plain.join("sub/dir");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join("b.rs"), "fn b() {}\n").unwrap();
    world.git(&below, &["add", "b.rs"]);
    world.git(&below, &["commit", "-q", "-m", "From below"]);
    made.push(world.git(&plain, &["rev-parse", "HEAD"]));
    let elsewhere = world.path("home");
    world.git(&elsewhere, &["-C", plain.to_str().unwrap(), "commit", "-q", "--allow-empty", "-m", "From elsewhere"]);
    made.push(world.git(&plain, &["rev-parse", "HEAD"]));

    let linked = world.path("linked tree");
    world.git(&plain, &["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    made.push(commit(&world, &linked, 3));

    let odd = world.path("").join(OsStr::from_bytes(b"not-utf8-\xff\xfe"));
    std::fs::create_dir_all(&odd).unwrap();
    world.git(&odd, &["init", "-q"]);
    world.ok(&odd, &["init"]);
    made.push(commit(&world, &odd, 4));

    let super_project = world.hooked_repo("super");
    world.git(&super_project, &["submodule", "add", "-q", odd_url(&world).to_str().unwrap(), "module"]);
    let module = super_project.join("module");
    world.ok(&module, &["init"]);
    made.push(commit(&world, &module, 5));
    made.push(commit(&world, &super_project, 6));

    let separate = world.path("separate");
    std::fs::create_dir_all(&separate).unwrap();
    world.git(&separate, &["init", "-q", "--separate-git-dir", world.path("stored.git").to_str().unwrap()]);
    world.ok(&separate, &["init"]);
    made.push(commit(&world, &separate, 7));

    let found = wait_for(&world, "all of them", &made);
    assert_eq!(found.len(), made.len(), "and nothing else");
}

/// A repository to be a submodule of another.
fn odd_url(world: &World) -> PathBuf {
    let library = world.repo("library");
    world.git(&library, &["commit", "-q", "--allow-empty", "-m", "Begin"]);
    library
}

#[test]
fn repositories_that_libgit2_cannot_open_lose_no_commit_while_the_sidecar_is_away() {
    for format in ["--ref-format=reftable", "--object-format=sha256"] {
        let world = World::without_models();
        let repo = world.path("repo");
        std::fs::create_dir_all(&repo).unwrap();
        world.git(&repo, &["init", "-q", format]);
        world.ok(&repo, &["init"]);
        world.start_sidecar();
        let mut made = vec![commit(&world, &repo, 0)];
        wait_for(&world, format, &made);
        let pid = world.sidecar_pid();
        signal(pid, "-STOP");
        made.extend((1..12).map(|n| commit(&world, &repo, n)));
        signal(pid, "-CONT");
        let found = wait_for(&world, format, &made);
        assert_eq!(found.len(), made.len(), "{format}");
    }
}

fn signal(pid: i32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_poisoned_environment_misleads_neither_hook_nor_sidecar_nor_index() {
    let world = World::without_models();
    let (here, there) = (world.hooked_repo("here"), world.hooked_repo("there"));
    let first = commit(&world, &there, 0);
    // The caller's variables make git itself work in `there`, from a directory that has nothing to do with it,
    // and the hook has to start the sidecar.
    let index = world.path("scratch-index");
    let poisoned = |args: &[&str]| {
        let mut command = world.git_command(&here, args);
        command.env("GIT_DIR", there.join(".git")).env("GIT_WORK_TREE", &there).env("GIT_INDEX_FILE", &index);
        let out = command.output().unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
    };
    std::fs::write(there.join("b.rs"), "fn b() {}\n").unwrap();
    poisoned(&["add", "-A"]);
    poisoned(&["commit", "-q", "-m", "Add b"]);
    let before = std::fs::read(&index).unwrap();
    let second = world.git(&there, &["rev-parse", "HEAD"]);
    let third = commit(&world, &here, 1);
    let found = wait_for(&world, "each in its own repository", &[first, second.clone(), third.clone()]);
    let path_of = |oid: &str| {
        let is_it = |capture: &&Capture| capture.commit.as_ref().is_some_and(|commit| commit.oid.as_str() == oid);
        found.iter().find(is_it).and_then(|capture| capture.repo.clone()).unwrap().path
    };
    assert!(path_of(&second).ends_with("/there") && path_of(&third).ends_with("/here"));
    assert_eq!(std::fs::read(&index).unwrap(), before, "the index is the caller's");
    assert!(!there.join(".git/index.lock").exists());
}

#[test]
fn a_commit_without_any_environment_or_home_still_succeeds_in_silence() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.git(&repo, &["config", "user.name", "A"]);
    world.git(&repo, &["config", "user.email", "a@example.com"]);
    let git = which("git");
    for keep in [&[][..], &["PATH"], &["PATH", "HOME"]] {
        let mut command = world.git_command(&repo, &[]);
        let kept: Vec<_> = command
            .get_envs()
            .filter(|(name, _)| keep.iter().any(|keep| name == keep))
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new(&git);
        command.env_clear().envs(kept).current_dir(&repo).stdin(Stdio::null());
        // With a home of its own the hook would start a sidecar there, which nobody would stop.
        command.env("XDG_RUNTIME_DIR", world.run_dir()).env("URO_SKIP", if keep.len() == 2 { "1" } else { "" });
        let out = command.args(["commit", "-q", "--allow-empty", "-m", "Bare"]).output().unwrap();
        assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{keep:?}: {out:?}");
    }
}

fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file()).unwrap()
}

#[test]
fn a_very_long_home_still_has_working_sockets() {
    let world = World::new();
    let repo = world.repo("repo");
    let home = world.path(&format!("{}/{}", "h".repeat(100), "o".repeat(100)));
    std::fs::create_dir_all(home.join("config")).unwrap();
    std::fs::copy(world.path("home/.gitconfig"), home.join(".gitconfig")).unwrap();
    let settings = "[[endpoints]]\nname = \"none\"\nurl = \"http://127.0.0.1:9\"\napi = \"ollama\"\n";
    std::fs::write(home.join("config/capture.toml"), settings).unwrap();
    let uro = |args: &[&str]| {
        let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
        command.env("URO_HOME", &home).args(args).output().unwrap()
    };
    assert!(uro(&["init"]).status.success());
    let out = world
        .git_command(&repo, &["commit", "-q", "--allow-empty", "-m", "Far away"])
        .env("URO_HOME", &home)
        .output()
        .unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
    let status = || String::from_utf8(uro(&["--json", "sidecar", "status"]).stdout).unwrap();
    eventually("the hook's sidecar", || status().contains("running").then_some(()));
    eventually("captured", || String::from_utf8(uro(&["log"]).stdout).unwrap().contains("Far away").then_some(()));
    assert!(uro(&["sidecar", "stop"]).status.success());
}

#[test]
fn descriptors_that_a_careless_caller_leaks_are_not_kept() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    std::fs::write(repo.join("a.rs"), "fn a() {}\n").unwrap();
    world.git(&repo, &["add", "-A"]);
    // The hook starts the sidecar here, with the caller's pipe on seven more descriptors.
    let script = "out=$( { git commit -q -m 'Add a' 3>&1 4>&1 5>&1 6>&1 7>&1 8>&1 9>&1; } 2>&1 ); printf '%s' \"$out\"";
    let out = world.program("sh", &repo).args(["-c", script]).stdout(Stdio::piped()).output().unwrap();
    assert!(out.status.success() && out.stdout.is_empty(), "{out:?}");
    eventually("a sidecar that lives on", || (world.sidecar_status()["state"] == "running").then_some(()));
    let open = PathBuf::from(format!("/proc/{}/fd", world.sidecar_pid()));
    for entry in std::fs::read_dir(open).unwrap() {
        let Ok(target) = std::fs::read_link(entry.unwrap().path()) else { continue };
        assert!(!target.to_string_lossy().starts_with("pipe:"), "{target:?}");
    }
}

/// As an unprivileged user, because root may write everywhere. Skipped where that cannot be tried.
#[test]
fn a_home_or_run_directory_that_cannot_be_written_is_borne_in_silence() {
    if !is_root() || !Path::new("/usr/bin/setpriv").exists() {
        return;
    }
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    let open = |path: &Path| {
        assert!(Command::new("chmod").args(["-R", "a+rwX"]).arg(path).status().unwrap().success());
    };
    open(&world.path(""));
    std::fs::set_permissions(world.path(""), std::fs::Permissions::from_mode(0o755)).unwrap();
    for refused in ["uro", "uro/run", "uro/state"] {
        let refused = world.path(refused);
        std::fs::create_dir_all(&refused).unwrap();
        std::fs::set_permissions(&refused, std::fs::Permissions::from_mode(0o555)).unwrap();
        let line = "git -c safe.directory='*' commit -q --allow-empty -m Refused";
        let mut command = world.program("/usr/bin/setpriv", &repo);
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", line]);
        let out = command.output().unwrap();
        assert!(out.status.success() && out.stdout.is_empty() && out.stderr.is_empty(), "{refused:?}: {out:?}");
        std::fs::set_permissions(&refused, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// On a file system of a few pages of its own, which only root can make; skipped otherwise.
#[test]
fn a_full_disk_costs_the_commit_nothing_and_what_was_stored_stays() {
    if !is_root() {
        return;
    }
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    world.start_sidecar();
    let before = commit(&world, &repo, 0);
    world.final_capture(&repo, &before);
    world.ok(&repo, &["sidecar", "stop"]);
    let Some(_disk) = SmallDisk::under(&world.path("uro/state")) else { return };
    let filler = world.path("uro/state/filler");
    // Takes what there is; that it fails is the point.
    let _ = std::fs::write(&filler, vec![b'x'; 4 << 20]);
    for n in 1..20 {
        commit(&world, &repo, n);
    }
    world.ok(&repo, &["sidecar", "stop"]);
    std::fs::remove_file(&filler).unwrap();
    world.start_sidecar();
    let after = commit(&world, &repo, 20);
    world.final_capture(&repo, &after);
    assert!(world.capture_of(&repo, &before).is_some());
    world.ok(&repo, &["sidecar", "stop"]);
}

/// Unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn under(dir: &Path) -> Option<Self> {
        std::fs::create_dir_all(dir).ok()?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(dir).output().ok()?;
        mounted.status.success().then(|| Self(dir.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
