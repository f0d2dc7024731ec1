//! An opened repository: its location, commits and settings.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use git2::{ErrorCode, ObjectType, Repository, RepositoryOpenFlags};

use super::child::{Git, path};
use super::identity::CommitMailmap;
use super::patch::{self, Exclude, TreePair};
use super::tree::Objects;
use super::walk::oid;
use super::{Bounds, GitError, RepoLocation, branch, commit, project, settings};
use crate::domain::id::{Oid, RepoId};
use crate::domain::patch::Commit;

/// An opened repository. Reading it executes nothing and writes nothing.
pub struct Repo {
    pub(super) backend: Backend,
    location: RepoLocation,
}

pub(super) enum Backend {
    LibGit2(Repository),
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
        if let Some(repo) = open_with_libgit2(start, search)? {
            let work_tree = repo.workdir().map(Path::to_owned);
            let config = settings::snapshot(&repo).ok();
            let origin = config.as_ref().and_then(|config| config.get_bytes("remote.origin.url").ok());
            let location = build_location(repo.path(), repo.commondir(), work_tree, origin)?;
            return Ok(Self { backend: Backend::LibGit2(repo), location });
        }
        let (git_dir, common_dir, work_tree) = locate_with_git(start)?;
        let git = Git::of_git_dir(&git_dir);
        let origin = git.line(&["config", "--get", "remote.origin.url"]).ok().flatten();
        let location = build_location(&git_dir, &common_dir, work_tree, origin.as_deref().map(str::as_bytes))?;
        Ok(Self { backend: Backend::Cli(git), location })
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

    /// The commit at HEAD, and the current branch.
    pub(super) fn tip(&self) -> Result<(Oid, Option<Vec<u8>>), GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => {
                let head = repo.head().map_err(|error| match error.code() {
                    ErrorCode::UnbornBranch | ErrorCode::NotFound => GitError::Unborn,
                    _ => GitError::git("cannot read HEAD", error),
                })?;
                let commit = head.peel_to_commit();
                let id = commit.map_err(|error| GitError::git("cannot read HEAD's commit", error))?.id();
                Ok((oid(id)?, head.is_branch().then(|| head.shorthand_bytes().to_vec())))
            }
            Backend::Cli(git) => {
                let id = git.line(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
                let oid = id.and_then(|id| id.parse().ok()).ok_or(GitError::Unborn)?;
                let branch = git.line(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
                Ok((oid, branch.map(String::into_bytes)))
            }
        }
    }

    /// Resolves `rev` to a commit, with git's revision syntax.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`] when there is none.
    pub fn resolve(&self, rev: &str) -> Result<Oid, GitError> {
        let no_such = || GitError::NoSuchCommit { rev: rev.to_owned() };
        match &self.backend {
            Backend::LibGit2(repo) => {
                let object = repo.revparse_single(rev).map_err(|_| no_such())?;
                oid(object.peel(ObjectType::Commit).map_err(|_| no_such())?.id())
            }
            Backend::Cli(git) => {
                let commit = format!("{rev}^{{commit}}");
                let id = git.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
                id.and_then(|id| id.parse().ok()).ok_or_else(no_such)
            }
        }
    }

    pub(super) fn header(&self, oid: &Oid) -> Result<commit::Header, GitError> {
        self.with_objects(|objects| header(objects, oid))
    }

    /// The URL of the remote `origin`, as configured.
    #[must_use]
    pub fn origin_url(&self) -> Option<String> {
        self.values_of(&["remote.origin.url"]).ok()?.pop()
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
        Ok(self.header(oid)?.parents)
    }

    /// Whether the commit header has a change id, as jj and GitButler write it.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn has_change_id(&self, oid: &Oid) -> Result<bool, GitError> {
        Ok(self.header(oid)?.change_id.is_some())
    }

    /// The change id of the commit: the header's, else the message's last `Change-Id:`. `None` for a missing commit.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn change_id(&self, oid: &Oid) -> Result<Option<String>, GitError> {
        match self.header(oid) {
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
        Ok(self.header(oid)?.committed_at)
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
        self.with_objects(|objects| {
            let header = header(objects, oid)?;
            let parent = header.parents.first().map(|parent| self::header(objects, parent)).transpose();
            let patch = match &parent {
                // Boundary of a shallow clone: against an empty tree every file of the project would look new.
                Err(_) => patch::unreadable_patch(),
                Ok(parent) => {
                    let between = TreePair { old: parent.as_ref().map(|parent| &parent.tree), new: &header.tree };
                    let mut patch = patch::read_patch(objects, between, bounds, paths)?;
                    if patch::has_meaningful_id(&patch, header.parents.len()) {
                        patch.patch_id = patch::compute_patch_id(&self.backend, between);
                    }
                    patch
                }
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
        })
    }

    pub(super) fn with_objects<T>(
        &self,
        read: impl FnOnce(&dyn Objects) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        match &self.backend {
            Backend::LibGit2(repo) => {
                read(&repo.odb().map_err(|error| GitError::git("cannot open the object database", error))?)
            }
            Backend::Cli(git) => read(&git.objects()?),
        }
    }
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

/// Opens the repository around `start`, or the one with `start` as its git directory. `None` for a format unknown to
/// libgit2 (reftable, SHA-256).
fn open_with_libgit2(start: &Path, search: bool) -> Result<Option<Repository>, GitError> {
    const UNSUPPORTED: [&str; 3] = ["unsupported extension", "unknown object format", "unsupported repository version"];
    let flags = if search { RepositoryOpenFlags::empty() } else { RepositoryOpenFlags::NO_SEARCH };
    let ceilings: [&Path; 0] = [];
    match Repository::open_ext(start, flags, ceilings) {
        Ok(repo) => Ok(Some(repo)),
        Err(error) if UNSUPPORTED.iter().any(|known| error.message().contains(known)) => Ok(None),
        Err(error) if error.code() == ErrorCode::Owner => Err(GitError::ForeignOwner { path: start.to_owned() }),
        Err(error) if error.code() == ErrorCode::NotFound => Err(GitError::NotARepository { path: start.to_owned() }),
        Err(error) => Err(GitError::git("cannot open the repository", error)),
    }
}

/// Repository location per git: (git directory, common directory, work tree).
fn locate_with_git(start: &Path) -> Result<(PathBuf, PathBuf, Option<PathBuf>), GitError> {
    let start = if start.is_file() { start.parent().unwrap_or(start) } else { start };
    let output = Git::inside(start).run(&["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"])?;
    let mut lines = output.stdout.split(|byte| *byte == b'\n').map(path);
    let (true, Some(git_dir), Some(common_dir)) = (output.success, lines.next(), lines.next()) else {
        let path = start.to_owned();
        let is_foreign = !output.success && output.stderr.contains("dubious ownership");
        return Err(if is_foreign { GitError::ForeignOwner { path } } else { GitError::NotARepository { path } });
    };
    // `rev-parse --show-toplevel` works only inside the work tree; an event names the git directory.
    let git = Git::of_git_dir(&git_dir);
    let work_tree = if git_dir != common_dir {
        let link = std::fs::read(git_dir.join("gitdir")).unwrap_or_default();
        path(link.trim_ascii_end()).parent().filter(|tree| tree.is_absolute()).map(Path::to_owned)
    } else if let Some(tree) = git.line(&["config", "--type=path", "--get", "core.worktree"])? {
        git_dir.join(tree).canonicalize().ok()
    } else {
        let bare = git.line(&["config", "--type=bool", "--get", "core.bare"])?.is_some_and(|value| value == "true");
        git_dir.parent().filter(|_| !bare).map(Path::to_owned)
    };
    Ok((git_dir, common_dir, work_tree))
}
