//! Commits of real histories, spread evenly over them.

use std::path::{Path, PathBuf};
use std::process::Command;

use uro_capture::domain::id::Oid;
use uro_capture::domain::patch::Commit;
use uro_capture::git::{Bounds, Repo};

use super::report::Result;

/// A repository and the commits of it that are looked at.
pub struct History {
    pub name: String,
    pub git_dir: PathBuf,
    pub oids: Vec<Oid>,
    /// Commits without merges that it has in all; every `every`-th was taken.
    pub total: usize,
    pub every: usize,
}

impl History {
    /// `n` commits that are no merges: every k-th of HEAD's history, newest first, beginning with the `seed`-th
    /// (modulo k).
    ///
    /// # Errors
    /// When git does not run there.
    pub fn sample(dir: &Path, n: usize, seed: usize) -> Result<Self> {
        let all = git(dir, &["rev-list", "--no-merges", "HEAD"])?;
        let all: Vec<&str> = all.lines().collect();
        let every = (all.len() / n.max(1)).max(1);
        let oids = all.iter().skip(seed % every).step_by(every).take(n).map(|oid| oid.parse());
        Ok(Self {
            name: name(dir),
            git_dir: git(dir, &["rev-parse", "--absolute-git-dir"])?.trim().into(),
            oids: oids.collect::<std::result::Result<_, _>>()?,
            total: all.len(),
            every,
        })
    }

    /// As the sidecar opens it.
    ///
    /// # Errors
    /// When it is none.
    pub fn open(&self) -> Result<Repo> {
        Ok(Repo::open_git_dir(&self.git_dir)?)
    }
}

/// The whole patch, nearly without bounds: what the text is judged by, not what it was made from.
///
/// # Errors
/// When the commit cannot be read.
pub fn whole(repo: &Repo, oid: &Oid) -> Result<Commit> {
    let bounds = Bounds {
        file_bytes: 16 << 20,
        blob_bytes: 64 << 20,
        patch_bytes: 8 << 20,
        line_bytes: 16 << 10,
        files: 20_000,
        rename_deltas: 50,
    };
    Ok(repo.commit(oid, &bounds, &|_| false)?)
}

/// Both sides of a file, lossily; empty where there is none.
pub fn sides(git_dir: &Path, commit: &Commit, path: &str, old_path: &str) -> String {
    let blob = |rev: &Oid, path: &str| git(git_dir, &["cat-file", "blob", &format!("{rev}:{path}")]);
    let old = commit.parents.first().and_then(|parent| blob(parent, old_path).ok()).unwrap_or_default();
    old + "\n" + &blob(&commit.oid, path).unwrap_or_default()
}

fn git(dir: &Path, arguments: &[&str]) -> Result<String> {
    let out = Command::new("git").arg("-C").arg(dir).args(arguments).output()?;
    if !out.status.success() {
        return Err(format!("git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr).trim()).into());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The directory's name; its parent's where it is only called after what it is.
fn name(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let parts = whole.iter().rev().map(|part| part.to_string_lossy().into_owned());
    let plain = ["repo", "repo.git", ".git", "."];
    parts.into_iter().find(|part| !plain.contains(&part.as_str())).unwrap_or_default()
}
