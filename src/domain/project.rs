//! Project labels: repositories of the same name get distinct labels.

use std::path::{Component, Path};

use super::capture::RepoRef;
use super::id::RepoId;

/// Origin of captures: a repository, or a named project outside of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub project: String,
    pub repo: Option<RepoRef>,
}

/// Labels that distinguish all known origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Origin>);

impl Names {
    /// Builds the labels of `origins`; a repository listed twice counts once.
    #[must_use]
    pub fn of(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    #[must_use]
    pub fn all(&self) -> &[Origin] {
        &self.0
    }

    /// The project's name if it is unique. Otherwise with as much of the repository's path as makes it unique:
    /// `acme/backend`, or `backend (acme-be)` if the folder has another name.
    #[must_use]
    pub fn label(&self, project: &str, repo: Option<&RepoId>) -> String {
        let Some(id) = repo else { return project.to_owned() };
        let is_same = |origin: &&Origin| origin.repo.as_ref().is_some_and(|repo| repo.id == *id);
        let others: Vec<Vec<&str>> = self
            .0
            .iter()
            .filter(|origin| origin.project == project && !is_same(origin))
            .map(|origin| origin.repo.as_ref().map_or_else(Vec::new, |repo| folders(&repo.path)))
            .collect();
        let own = self.0.iter().find(is_same).and_then(|origin| origin.repo.as_ref());
        let own = own.map_or_else(Vec::new, |repo| folders(&repo.path));
        if others.is_empty() || own.is_empty() {
            return project.to_owned();
        }
        let is_named = own.last() == Some(&project);
        let least = if is_named { 2 } else { 1 };
        let is_unique = |length: &usize| others.iter().all(|other| !other.ends_with(tail(&own, *length)));
        let length = (least..=own.len()).find(is_unique).unwrap_or(own.len());
        let path = tail(&own, length).join("/");
        if is_named { path } else { format!("{project} ({path})") }
    }

    /// Origins that match `text`: the one with this label, else all with this project name.
    #[must_use]
    pub fn meant(&self, text: &str) -> Vec<&Origin> {
        let has_label = |origin: &&Origin| self.label_of(origin) == text;
        let labelled: Vec<&Origin> = self.0.iter().filter(has_label).collect();
        if labelled.is_empty() { self.0.iter().filter(|origin| origin.project == text).collect() } else { labelled }
    }

    #[must_use]
    pub fn label_of(&self, origin: &Origin) -> String {
        self.label(&origin.project, origin.repo.as_ref().map(|repo| &repo.id))
    }
}

fn folders(path: &str) -> Vec<&str> {
    let name = |part| if let Component::Normal(name) = part { name.to_str() } else { None };
    Path::new(path).components().filter_map(name).collect()
}

fn tail<'a, 'b>(parts: &'a [&'b str], length: usize) -> &'a [&'b str] {
    &parts[parts.len().saturating_sub(length)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(project: &str, path: &str) -> Origin {
        let repo = RepoRef { path: path.to_owned(), id: RepoId::from_stored(path.to_owned()) };
        Origin { project: project.to_owned(), repo: Some(repo) }
    }

    fn labels(origins: &[(&str, &str)]) -> Vec<String> {
        let names = Names::of(origins.iter().map(|(project, path)| origin(project, path)).collect());
        names.all().iter().map(|origin| names.label_of(origin)).collect()
    }

    #[test]
    fn a_name_that_is_unique_stays_as_it_is() {
        assert_eq!(labels(&[("backend", "/src/acme/backend"), ("shop", "/src/shop")]), ["backend", "shop"]);
    }

    #[test]
    fn the_same_name_is_told_apart_by_the_folders_above() {
        let same = labels(&[
            ("backend", "/src/acme/backend"),
            ("backend", "/src/globex/backend"),
            ("backend", "/old/globex/backend"),
            ("backend", "/backend"),
        ]);
        assert_eq!(same, ["acme/backend", "src/globex/backend", "old/globex/backend", "backend"]);
        let other_folders = labels(&[("backend", "/src/acme-be"), ("backend", "/src/globex-be")]);
        assert_eq!(other_folders, ["backend (acme-be)", "backend (globex-be)"]);
    }

    #[test]
    fn a_project_outside_of_any_repository_keeps_its_name() {
        let outside = Origin { project: "notes".to_owned(), repo: None };
        let names = Names::of(vec![outside.clone(), origin("notes", "/src/me/notes")]);
        assert_eq!((names.label_of(&outside), names.label_of(&names.all()[1])), ("notes".into(), "me/notes".into()));
        assert_eq!(names.meant("notes"), [&outside]);
        assert_eq!(names.meant("me/notes"), [&names.all()[1]]);
    }

    #[test]
    fn a_shared_name_means_all_projects_of_that_name() {
        let names = Names::of(vec![origin("api", "/a/api"), origin("api", "/b/api"), origin("web", "/a/web")]);
        assert_eq!(names.meant("api").len(), 2);
        assert_eq!(names.meant("b/api"), [&names.all()[1]]);
        assert_eq!(names.meant("web"), [&names.all()[2]]);
        assert!(names.meant("c/api").is_empty());
        assert_eq!(names.label("api", Some(&RepoId::from_stored("unknown".into()))), "api");
    }
}
