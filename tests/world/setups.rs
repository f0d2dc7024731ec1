//! Beside somebody else's hooks: ten set-ups, each made by the tool that people make it with.

mod config_hooks;
mod prior;
mod rewritten;
pub mod stage;
mod unchanged;

use prior::{DISPATCHER, EXIT_3, GLOBAL, HUSKY, LEFTHOOK, LFS, NONE, PRE_COMMIT, PYTHON, SH, TRACKED};
use unchanged::check;

#[test]
fn a_repository_without_hooks_works_as_before() {
    check(&NONE, None);
}

#[test]
fn a_shell_hook_works_as_before() {
    check(&SH, None);
}

#[test]
fn a_hook_that_exits_with_3_works_as_before() {
    check(&EXIT_3, None);
}

#[test]
fn a_python_hook_works_as_before() {
    check(&PYTHON, None);
}

#[test]
fn husky_works_as_before() {
    check(&HUSKY, None);
}

#[test]
fn lefthook_works_as_before() {
    check(&LEFTHOOK, None);
}

#[test]
fn pre_commit_works_as_before() {
    check(&PRE_COMMIT, None);
}

#[test]
fn git_lfs_works_as_before() {
    check(&LFS, None);
}

#[test]
fn hooks_that_all_repositories_share_work_as_before() {
    check(&GLOBAL, None);
}

#[test]
fn hooks_that_are_tracked_work_as_before() {
    check(&TRACKED, None);
}

#[test]
fn a_hook_that_goes_by_its_name_works_as_before() {
    check(&DISPATCHER, None);
}
