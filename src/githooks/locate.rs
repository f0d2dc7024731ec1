//! Location of the hooks directory, and its owner: repository, work tree or shared.

use std::path::{Component, Path, PathBuf};

/// The directory from which git runs hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The repository's own directory.
    Repository(PathBuf),
    /// In the work tree (husky and similar): its content is committed, so nothing is written there.
    WorkTree(PathBuf),
    /// Elsewhere, perhaps shared with other repositories: written only on explicit request.
    Shared(PathBuf),
}

impl Location {
    #[must_use]
    pub fn dir(&self) -> &Path {
        match self {
            Self::Repository(dir) | Self::WorkTree(dir) | Self::Shared(dir) => dir,
        }
    }
}

/// Derived from the shared git directory, the work tree (none if bare) and `core.hooksPath`.
///
/// Links are followed, since `.git/hooks` may link to a shared directory, too.
///
/// git resolves a relative `core.hooksPath` against the directory in which hooks run: the work tree's root.
#[must_use]
pub fn locate(common_dir: &Path, work_tree: Option<&Path>, hooks_path: Option<&Path>) -> Location {
    let own = common_dir.join("hooks");
    let dir = real(&hooks_path.map_or(own, |set| work_tree.unwrap_or(common_dir).join(set)));
    if dir.starts_with(real(common_dir)) {
        Location::Repository(dir)
    } else if work_tree.is_some_and(|work_tree| dir.starts_with(real(work_tree))) {
        Location::WorkTree(dir)
    } else {
        Location::Shared(dir)
    }
}

/// Resolves links as far as the path exists, and `.` and `..` beyond.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => real(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => real(parent).parent().unwrap_or(Path::new("/")).to_owned(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path().canonicalize().expect("there");
        std::fs::create_dir_all(root.join("work/.git/hooks")).expect("created");
        (home, root)
    }

    fn located(root: &Path, hooks_path: Option<&str>) -> Location {
        let work = root.join("work");
        locate(&work.join(".git"), Some(&work), hooks_path.map(Path::new))
    }

    #[test]
    fn without_a_setting_hooks_lie_in_the_shared_git_directory() {
        let (_home, root) = stage();
        assert_eq!(located(&root, None), Location::Repository(root.join("work/.git/hooks")));
    }

    #[test]
    fn a_setting_that_names_the_usual_place_changes_nothing() {
        let (_home, root) = stage();
        let usual = root.join("work/.git/hooks");
        assert_eq!(located(&root, Some(".git/hooks")), Location::Repository(usual.clone()));
        assert_eq!(located(&root, usual.to_str()), Location::Repository(usual));
    }

    #[test]
    fn a_place_in_the_work_tree_is_recognised_whether_it_exists_or_not() {
        let (_home, root) = stage();
        assert_eq!(located(&root, Some(".husky/_")), Location::WorkTree(root.join("work/.husky/_")));
        assert_eq!(located(&root, Some("./a/../.hooks")), Location::WorkTree(root.join("work/.hooks")));
    }

    #[test]
    fn any_other_place_may_be_shared() {
        let (_home, root) = stage();
        let shared = root.join("githooks");
        assert_eq!(located(&root, shared.to_str()), Location::Shared(shared.clone()));
        assert_eq!(located(&root, Some("../githooks")), Location::Shared(shared));
    }

    #[test]
    fn a_hooks_directory_that_is_a_link_is_where_it_leads_to() {
        let (_home, root) = stage();
        std::fs::remove_dir(root.join("work/.git/hooks")).expect("removed");
        std::fs::create_dir(root.join("work/.githooks")).expect("created");
        std::os::unix::fs::symlink("../.githooks", root.join("work/.git/hooks")).expect("linked");
        assert_eq!(located(&root, None), Location::WorkTree(root.join("work/.githooks")));
        assert_eq!(located(&root, Some(".git/hooks")), Location::WorkTree(root.join("work/.githooks")));
    }

    #[test]
    fn a_bare_repository_counts_from_its_own_directory() {
        let (_home, root) = stage();
        let bare = root.join("work/.git");
        let found = locate(&bare, None, Some(Path::new("hooks")));
        assert_eq!(found.dir(), bare.join("hooks"));
        assert!(matches!(found, Location::Repository(_)));
    }
}
