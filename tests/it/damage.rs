//! The store under attack: damaged, full, read-only, crowded.

use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{World, eventually};

fn database(world: &World) -> PathBuf {
    world.path("uro/data/captures.db")
}

fn commit(world: &World, repo: &Path, n: usize) -> String {
    world.commit(repo, "a.rs", &format!("fn f{n}() {{}}\n"), &format!("Add f{n}"))
}

fn finals(world: &World, repo: &Path) -> usize {
    world.log(repo).iter().filter(|capture| !capture["timing"]["total_ms"].is_null()).count()
}

fn scribble(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_store_damaged_anywhere_is_rebuilt_and_later_commits_are_captured() {
    for (place, alive) in [(0_u64, false), (0, true), (100, false), (4096, false), (4096, true), (3 * 4096 + 10, true)]
    {
        let world = World::without_models();
        let repo = world.hooked_repo("repo");
        world.start_sidecar();
        for n in 0..6 {
            commit(&world, &repo, n);
        }
        eventually("captured", || (finals(&world, &repo) == 6).then_some(()));
        if !alive {
            world.ok(&repo, &["sidecar", "stop"]);
        }
        // What lies in the write-ahead log would heal the pages below it.
        let checkpoint = rusqlite::Connection::open(database(&world)).unwrap();
        checkpoint.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(checkpoint);
        scribble(&database(&world), place, &[0xA5; 600]);
        // Commits go on whatever the sidecar makes of it.
        commit(&world, &repo, 6);
        let _whatever = world.uro_in(&repo, &["log"]);
        commit(&world, &repo, 7);
        world.uro_in(&repo, &["sidecar", "stop"]);
        world.start_sidecar();
        commit(&world, &repo, 8);
        let what = format!("damage at {place}, sidecar alive: {alive}");
        eventually(&what, || {
            let out = world.uro_in(&repo, &["log", "--json", "-n", "100"]);
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            (0..9).all(|n| text.contains(&format!("Add f{n}"))).then_some(())
        });
    }
}

#[test]
fn thirty_two_notes_at_once_are_all_kept_once() {
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    for sidecar in [false, true] {
        if sidecar {
            world.start_sidecar();
        }
        let start = |n: usize| {
            let mut command = world.program(env!("CARGO_BIN_EXE_uro-capture"), &repo);
            let note = format!("thought {n}, sidecar {sidecar}");
            command.arg(note).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<_> = (0..32).map(start).collect();
        for child in children {
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
    }
    let mut raws: Vec<String> =
        world.log(&repo).iter().map(|capture| capture["raw"].as_str().unwrap().to_owned()).collect();
    assert_eq!(raws.len(), 64);
    raws.sort();
    raws.dedup();
    assert_eq!(raws.len(), 64);
    assert_eq!(finals(&world, &repo), 64);
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A few pages of disk that only root can make; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn under(dir: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(dir).ok()?;
        let options = format!("size={size},mode=700");
        let out = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir).output().ok()?;
        out.status.success().then(|| Self(dir.to_owned()))
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_fills_up_or_turns_read_only_delays_captures_and_loses_none() {
    if !is_root() {
        return;
    }
    for read_only in [false, true] {
        let world = World::without_models();
        let repo = world.repo("repo");
        let Some(disk) = SmallDisk::under(&world.path("uro/data"), "12m") else { return };
        world.ok(&repo, &["init"]);
        world.start_sidecar();
        commit(&world, &repo, 0);
        eventually("captured", || (finals(&world, &repo) == 1).then_some(()));
        let filler = world.path("uro/data/filler");
        if read_only {
            // Nothing turns read-only under open files.
            world.ok(&repo, &["sidecar", "stop"]);
            disk.remount("ro");
        } else {
            let _full = std::fs::write(&filler, vec![b'x'; 16 << 20]);
        }
        for n in 1..30 {
            commit(&world, &repo, n);
        }
        let output = world.uro_in(&repo, &["a note that cannot be kept"]);
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(1) && text.contains("hint:"), "{text}");
        }
        assert!(read_only || world.sidecar_status()["state"] == "running", "it waits for better times");
        if read_only {
            disk.remount("rw");
        } else {
            std::fs::remove_file(&filler).unwrap();
        }
        eventually(&format!("all of them, read-only {read_only}"), || {
            let out = world.uro_in(&repo, &["log", "--json", "-n", "100"]);
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            (0..30).all(|n| text.contains(&format!("\"Add f{n}\""))).then_some(())
        });
        world.ok(&repo, &["sidecar", "stop"]);
    }
}

#[test]
fn a_read_only_database_file_is_told_and_commits_go_on() {
    if is_root() {
        // Root writes where it likes; the file system of the test above refuses root too.
        return;
    }
    let world = World::without_models();
    let repo = world.hooked_repo("repo");
    commit(&world, &repo, 0);
    world.ok(&repo, &["sidecar", "stop"]);
    std::fs::set_permissions(database(&world), std::fs::Permissions::from_mode(0o400)).unwrap();
    commit(&world, &repo, 1);
    let out = world.uro_in(&repo, &["a note"]);
    assert_eq!(out.status.code(), Some(1));
    std::fs::set_permissions(database(&world), std::fs::Permissions::from_mode(0o600)).unwrap();
}
