//! An opened repository: its location, commits and settings.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::backend_libgit2::{self, OpenedRepository};
use super::child::Git;
use super::identity::CommitMailmap;
use super::objects::{LibGit2Objects, Objects};
use super::patch::{self, Exclude, TreePair};
use super::{Bounds, GitError, RepoLocation, backend_cli, branch, commit, patch_id, project, text};
use crate::domain::id::{Oid, RepoId};
use crate::domain::patch::Commit;

/// An opened repository. Reading it executes nothing and writes nothing.
pub struct Repo {
    pub(super) backend: Backend,
    location: RepoLocation,
}

pub(super) enum Backend {
    LibGit2(git2::Repository),
    Cli(Git),
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo").field("place", &self.location).finish_non_exhaustive()
    }
}

impl Repo {
    /// Opens the repository around `start`, from any directory inside its work tree.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], or [`GitError::ForeignOwner`] when it belongs to another user.
    pub fn discover(start: &Path) -> Result<Self, GitError> {
        match super::jj::discover(start) {
            Some(store) => Self::open(&store, false),
            None => Self::open(start, true),
        }
    }

    /// Opens the repository with this git directory (`.git`, or `.git/worktrees/NAME`).
    ///
    /// # Errors
    /// As [`Repo::discover`].
    pub fn open_git_dir(git_dir: &Path) -> Result<Self, GitError> {
        Self::open(git_dir, false)
    }

    fn open(start: &Path, search: bool) -> Result<Self, GitError> {
        match backend_libgit2::open(start, search)? {
            OpenedRepository::Repository(repo) => {
                let (git_dir, common_dir) = (repo.path().to_owned(), repo.commondir().to_owned());
                let work_tree = repo.workdir().map(Path::to_owned);
                let place =
                    build_location(&git_dir, &common_dir, work_tree, backend_libgit2::origin(&repo).as_deref())?;
                Ok(Self { backend: Backend::LibGit2(repo), location: place })
            }
            OpenedRepository::Unsupported => {
                let (git_dir, common_dir, work_tree) = backend_cli::locate(start)?;
                let git = Git::of_git_dir(&git_dir);
                let place = build_location(&git_dir, &common_dir, work_tree, backend_cli::origin(&git).as_deref())?;
                Ok(Self { backend: Backend::Cli(git), location: place })
            }
        }
    }

    #[must_use]
    pub fn location(&self) -> &RepoLocation {
        &self.location
    }

    /// The commit at HEAD.
    ///
    /// # Errors
    /// [`GitError::Unborn`] before the first commit.
    pub fn head(&self) -> Result<Oid, GitError> {
        self.tip().map(|(oid, _)| oid)
    }

    pub(super) fn tip(&self) -> Result<(Oid, Option<Vec<u8>>), GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::head(repo),
            Backend::Cli(git) => backend_cli::head(git),
        }
    }

    /// Resolves `rev` to a commit, with git's revision syntax.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`] when there is none.
    pub fn resolve(&self, rev: &str) -> Result<Oid, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::resolve(repo, rev),
            Backend::Cli(git) => backend_cli::resolve(git, rev),
        }
    }

    /// Commits of a range: `REV` is that single commit, `A..B` those in B but not in A (a missing end is HEAD); oldest
    /// first, limited to those authored at or after `since`.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`] when an end does not resolve; `A...B` is not supported.
    pub fn range(&self, spec: &str, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
        if spec.contains("...") {
            return Err(GitError::NoSuchCommit { rev: spec.to_owned() });
        }
        let Some((from, to)) = spec.split_once("..") else { return self.single(spec, since) };
        let (from, to) = (self.resolve(or_head(from))?, self.resolve(or_head(to))?);
        self.walk(&to, Some(&from), since)
    }

    fn single(&self, rev: &str, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
        let oid = self.resolve(rev)?;
        let Some(since) = since else { return Ok(vec![oid]) };
        let header = self.with_objects(|objects| header(objects, &oid))?;
        Ok(if header.authored_at >= since { vec![oid] } else { Vec::new() })
    }

    /// Commits reachable from HEAD and authored at or after `since`, oldest first; none before the first commit.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn commits_since(&self, since: Timestamp) -> Result<Vec<Oid>, GitError> {
        match self.head() {
            Ok(head) => self.walk(&head, None, Some(since)),
            Err(GitError::Unborn) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether `earlier` is an ancestor of `later`; false for a commit that no longer exists.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn is_ancestor(&self, earlier: &Oid, later: &Oid) -> Result<bool, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::is_ancestor(repo, earlier, later),
            Backend::Cli(git) => backend_cli::is_ancestor(git, earlier, later),
        }
    }

    /// The URL of the remote `origin`, as configured.
    #[must_use]
    pub fn origin_url(&self) -> Option<String> {
        let url = match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::origin(repo),
            Backend::Cli(git) => backend_cli::origin(git),
        };
        String::from_utf8(url?).ok()
    }

    /// Tips of the branches that topic branches are merged into, with their full names; the remote's default first.
    #[must_use]
    pub fn default_branches(&self) -> Vec<(&'static str, Oid)> {
        ["refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master", "refs/heads/trunk"]
            .into_iter()
            .filter_map(|name| Some((name, self.resolve(name).ok()?)))
            .collect()
    }

    /// The commit's parents, first parent first.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn parents(&self, oid: &Oid) -> Result<Vec<Oid>, GitError> {
        self.with_objects(|objects| Ok(header(objects, oid)?.parents))
    }

    /// Whether the commit header has a change id, as jj and GitButler write it.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn has_change_id(&self, oid: &Oid) -> Result<bool, GitError> {
        self.with_objects(|objects| Ok(header(objects, oid)?.change_id.is_some()))
    }

    /// The change id of the commit: the header's, else the message's last `Change-Id:`. `None` for a missing commit.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn change_id(&self, oid: &Oid) -> Result<Option<String>, GitError> {
        match self.with_objects(|objects| header(objects, oid)) {
            Ok(header) => Ok(header.effective_change_id()),
            Err(GitError::Missing(_) | GitError::NoSuchCommit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The committer's date.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn committed_at(&self, oid: &Oid) -> Result<Timestamp, GitError> {
        self.with_objects(|objects| Ok(header(objects, oid)?.committed_at))
    }

    fn walk(&self, to: &Oid, from: Option<&Oid>, since: Option<Timestamp>) -> Result<Vec<Oid>, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::walk(repo, to, from, since),
            Backend::Cli(git) => backend_cli::walk(git, to, from, since),
        }
    }

    /// Reads a commit and its patch against its first parent within `bounds`. The content of paths for which `excluded`
    /// returns true is never loaded.
    ///
    /// # Errors
    /// [`GitError::Missing`] when the repository does not have the object, [`GitError::NoSuchCommit`] when it is not a
    /// commit.
    pub fn commit(&self, oid: &Oid, bounds: &Bounds, excluded: &dyn Fn(&str) -> bool) -> Result<Commit, GitError> {
        self.commit_with(oid, bounds, Exclude::excluding(excluded))
    }

    /// Same as [`Repo::commit`], with both sides of those excluded lockfiles of which the package names may be read.
    ///
    /// # Errors
    /// Same as [`Repo::commit`].
    pub fn commit_with(&self, oid: &Oid, bounds: &Bounds, paths: Exclude<'_>) -> Result<Commit, GitError> {
        self.with_objects(|objects| self.read_commit(objects, oid, bounds, paths))
    }

    pub(super) fn with_objects<T>(
        &self,
        read: impl FnOnce(&dyn Objects) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => read(&LibGit2Objects::new(repo)?),
            Backend::Cli(git) => read(&git.objects()?),
        }
    }

    fn read_commit(
        &self,
        objects: &dyn Objects,
        oid: &Oid,
        bounds: &Bounds,
        paths: Exclude<'_>,
    ) -> Result<Commit, GitError> {
        let header = header(objects, oid)?;
        let parent = header.parents.first().map(|parent| self::header(objects, parent));
        let patch = match &parent {
            // Boundary of a shallow clone: against an empty tree every file of the project would look new.
            Some(Err(_)) => patch::unreadable_patch(),
            Some(Ok(parent)) => self.patch(objects, Some(&parent.tree), &header, bounds, paths)?,
            None => self.patch(objects, None, &header, bounds, paths)?,
        };
        let tip = self.tip().ok();
        let people = tip.as_ref().and_then(|(tip, _)| {
            let tree = if tip == oid { header.tree.clone() } else { self::header(objects, tip).ok()?.tree };
            CommitMailmap::of_tree(objects, &tree)
        });
        let change_id = header.effective_change_id();
        let author = people.and_then(|people| people.name(&header)).unwrap_or(header.author);
        Ok(Commit {
            oid: oid.clone(),
            tree: header.tree,
            parents: header.parents,
            author,
            author_email: header.author_email,
            authored_at: header.authored_at,
            committed_at: header.committed_at,
            change_id,
            message: header.message,
            branch: branch::branch_of_commit(&self.location.git_dir, tip, oid),
            patch,
        })
    }

    fn patch(
        &self,
        objects: &dyn Objects,
        old: Option<&Oid>,
        header: &commit::Header,
        bounds: &Bounds,
        paths: Exclude<'_>,
    ) -> Result<crate::domain::patch::Patch, GitError> {
        let between = TreePair { old, new: &header.tree };
        let mut patch = patch::read_patch(objects, between, bounds, paths)?;
        if patch_id::is_meaningful(&patch, header.parents.len()) {
            patch.patch_id = match &self.backend {
                Backend::LibGit2(repo) => patch_id::compute_patch_id(repo, between),
                Backend::Cli(git) => backend_cli::patch_id(git, between),
            };
        }
        Ok(patch)
    }

    /// The repository's `uro.*` settings without the `uro.` prefix, merged in git's order (system, global, local,
    /// worktree; the last value of a key wins).
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn settings(&self) -> Result<Vec<(String, String)>, GitError> {
        let mut merged = BTreeMap::new();
        for (name, value) in self.matching("^uro\\.")? {
            if let Some(key) = name.strip_prefix("uro.") {
                merged.insert(key.to_owned(), text::sanitize(&value, true));
            }
        }
        Ok(merged.into_iter().collect())
    }

    /// The git configuration of our hooks (`hook.uro-*`) from all levels, by name; the last value wins.
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn hook_settings(&self) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
        Ok(self.matching("^hook\\.uro-")?.into_iter().collect())
    }

    fn matching(&self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => backend_libgit2::settings(repo, pattern),
            Backend::Cli(git) => backend_cli::settings(git, pattern),
        }
    }

    /// `core.hooksPath`, absolute, and its level (`local`, `global`, `system` or `worktree`).
    ///
    /// # Errors
    /// When git's configuration cannot be read.
    pub fn hooks_path(&self) -> Result<Option<(PathBuf, String)>, GitError> {
        let set = match &self.backend {
            Backend::LibGit2(repo) => {
                backend_libgit2::path_setting(repo, "core.hooksPath")?.map(|(path, origin)| (path, origin.to_owned()))
            }
            Backend::Cli(git) => backend_cli::hooks_path(git)?,
        };
        // Git runs hooks in the root of the work tree and resolves relative paths from there.
        let root = self.location.work_tree.as_deref().unwrap_or(&self.location.git_dir);
        Ok(set.map(|(path, origin)| (root.join(path), origin)))
    }
}

fn or_head(rev: &str) -> &str {
    if rev.is_empty() { "HEAD" } else { rev }
}

pub(super) fn header(objects: &dyn Objects, oid: &Oid) -> Result<commit::Header, GitError> {
    let raw = objects.read(oid).ok_or_else(|| GitError::Missing(oid.clone()))?;
    commit::parse(&raw).ok_or_else(|| GitError::NoSuchCommit { rev: oid.to_string() })
}

fn build_location(
    git_dir: &Path,
    common_dir: &Path,
    work_tree: Option<PathBuf>,
    origin: Option<&[u8]>,
) -> Result<RepoLocation, GitError> {
    let canonical =
        |path: &Path| path.canonicalize().map_err(|error| GitError::git("cannot find the git directory", error));
    let common_dir = canonical(common_dir)?;
    let work_tree = work_tree.or_else(|| super::jj::workspace(&common_dir));
    let work_tree = work_tree.map(|tree| tree.canonicalize().unwrap_or(tree));
    Ok(RepoLocation {
        id: RepoId::from_common_dir(common_dir.as_os_str().as_bytes()),
        project: project::project_name(origin, &common_dir, work_tree.as_deref()),
        git_dir: canonical(git_dir)?,
        common_dir,
        work_tree,
    })
}
