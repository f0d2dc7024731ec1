//! Status of one registered repository: commits, hooks, problems.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Coverage, Problem};
use crate::cli::failure::{Failure, quoted};
use crate::cli::hooks::{self, GitEnvironment, RepoHooks};
use crate::git::GitError;
use crate::git::reflog::ReflogCommit;
use crate::git::repo::Repo;
use crate::pipeline::job::RepositoryContext;
use crate::pipeline::services::Services;
use crate::store::RegisteredRepo;

/// One registered repository.
pub struct RepositoryStatus {
    pub coverage: Coverage,
    pub hooks: RepoHooks,
    pub problems: Vec<Problem>,
}

pub fn inspect_repository(
    services: &Services,
    registered: &RegisteredRepo,
    from: Timestamp,
    around: &GitEnvironment<'_>,
) -> Result<RepositoryStatus, Failure> {
    let repo = Repo::open_git_dir(&registered.common_dir);
    let hooks = hooks::inspect_registered(repo.as_ref().map_err(|_| ()), registered, around);
    let mut problems: Vec<Problem> = hooks_problem(&hooks, repo.as_ref().err()).into_iter().collect();
    // The unreadable repository is reported above; the others still count.
    let since = from.max(registered.since);
    // No captures are missing where capturing is off.
    let is_allowed = repo.as_ref().is_ok_and(|repo| RepositoryContext::open(services, repo).is_allowed());
    let made = repo.and_then(|repo| repo.reflog_commits_since(since)).unwrap_or_default();
    let oids: Vec<_> = made.iter().map(|made| made.oid.clone()).collect();
    let captured: HashSet<_> = services.store.captured_commits(&registered.id, &oids)?.into_iter().collect();
    // Reflogs have whole seconds: a commit in the second of `init` counts if it was captured.
    let counts = |made: &&ReflogCommit| captured.contains(&made.oid) || (is_allowed && made.at >= since);
    let commits = made.iter().filter(counts).count() as u64;
    let coverage = Coverage::of(commits, captured.len() as u64);
    problems.extend(coverage_problem(&coverage, registered));
    Ok(RepositoryStatus { coverage, hooks, problems })
}

fn hooks_problem(hooks: &RepoHooks, unreadable: Option<&GitError>) -> Option<Problem> {
    let path = std::path::Path::new(&hooks.repo);
    if let Some(error) = unreadable {
        let (what, hint) = hooks::unreadable_problem(path, error);
        return Some(Problem { what, hint });
    }
    let trouble = hooks.trouble.as_ref()?;
    Some(Problem { what: trouble.describe(&hooks.repo), hint: trouble.repair(path) })
}

fn coverage_problem(coverage: &Coverage, registered: &RegisteredRepo) -> Option<Problem> {
    let commits = match coverage.missing {
        0 => return None,
        1 => "1 commit".to_owned(),
        n => format!("{n} commits"),
    };
    Some(Problem {
        what: format!("{commits} of {} not captured", registered.project),
        hint: format!(
            "uro-capture -C {} commit --since {}",
            quoted(&registered.path),
            registered.since.strftime("%Y-%m-%dT%H:%M:%SZ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::hooks::HookDefect;

    #[test]
    fn what_is_wrong_with_a_repository_comes_with_what_helps() {
        let fine = repo_hooks("ok", None);
        assert_eq!(hooks_problem(&fine, None), None);
        let lost = hooks_problem(&repo_hooks("lost", Some(HookDefect::Replaced)), None).unwrap();
        assert_eq!(lost.hint, "uro-capture init '/my repo'");
        let error = GitError::NotARepository { path: "/my repo".into() };
        assert!(hooks_problem(&fine, Some(&error)).unwrap().what.contains("cannot be read"));
        let foreign = GitError::ForeignOwner { path: "/my repo".into() };
        assert!(hooks_problem(&fine, Some(&foreign)).unwrap().what.contains("another user"));
    }

    fn repo_hooks(state: &'static str, trouble: Option<HookDefect>) -> RepoHooks {
        let covered_by = if state == "ok" { "hooks" } else { "watch" };
        RepoHooks { repo: "/my repo".into(), state, how: None, covered_by, needs_sidecar: state != "ok", trouble }
    }
}
