//! Where git works: the kinds of repository that every operation is tried in.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::World;

/// Each has a branch `work`, checked out where git is to work, with one commit from before the registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Main,
    Linked,
    Submodule,
    /// No loose ref is left over from one step to the next.
    Packed,
    Reftable,
    ReftableLinked,
}

impl Layout {
    /// Makes a repository under `name`; gives the directory in which git is to work.
    pub fn make(self, world: &World, name: &str) -> PathBuf {
        match self {
            Self::Main | Self::Packed | Self::Reftable => self.main_worktree(world, name),
            Self::Linked | Self::ReftableLinked => self.linked_worktree(world, name),
            Self::Submodule => submodule(world, name),
        }
    }

    fn main_worktree(self, world: &World, name: &str) -> PathBuf {
        let dir = self.based(world, name);
        world.git(&dir, &["checkout", "-q", "-b", "work"]);
        dir
    }

    fn linked_worktree(self, world: &World, name: &str) -> PathBuf {
        let main = self.based(world, name);
        let linked = world.path(&format!("{name} linked"));
        world.git(&main, &["worktree", "add", "-q", "-b", "work", linked.to_str().unwrap()]);
        linked
    }

    fn based(self, world: &World, name: &str) -> PathBuf {
        let (dir, first) = (world.path(name), world.path("first of all"));
        if !first.exists() {
            std::fs::create_dir_all(&first).unwrap();
            let format = if self.is_reftable() { "--ref-format=reftable" } else { "--ref-format=files" };
            world.git(&first, &["init", "-q", format]);
            lay_base(world, &first);
        }
        // As somebody moves a project to another disk: quicker than to make each from nothing.
        let copied = Command::new("cp").arg("-Rp").args([&first, &dir]).status().unwrap();
        assert!(copied.success());
        dir
    }

    pub fn is_reftable(self) -> bool {
        matches!(self, Self::Reftable | Self::ReftableLinked)
    }

    /// What is done after every step of git's.
    pub fn after_step(self, world: &World, dir: &Path) {
        if self == Self::Packed {
            world.git(dir, &["pack-refs", "--all"]);
        }
    }
}

fn lay_base(world: &World, dir: &Path) {
    std::fs::write(dir.join("base.txt"), "base\n").unwrap();
    world.git(dir, &["add", "-A"]);
    world.git(dir, &["commit", "-q", "-m", "Lay the base"]);
}

/// One of many of the same project, whose origin is beside it.
fn submodule(world: &World, name: &str) -> PathBuf {
    let (origin, project) = (world.path("submodules' origin"), world.path("project"));
    if !origin.exists() {
        lay_base(world, &world.repo("submodules' origin"));
        world.repo("project");
    }
    world.git(&project, &["submodule", "add", "-q", origin.to_str().unwrap(), name]);
    let dir = project.join(name);
    world.git(&dir, &["checkout", "-q", "-b", "work"]);
    dir
}
