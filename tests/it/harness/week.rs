//! A repository with three days of one complete week in its history.

use super::World;

/// Three days of one complete week, captured as backfill.
pub fn week(world: &World) -> std::path::PathBuf {
    let repo = world.repo("shop");
    let days = ["2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z"];
    for (n, day) in days.iter().enumerate() {
        std::fs::write(repo.join("cart.rs"), format!("fn step{n}() {{}}\n")).unwrap();
        world.git(&repo, &["add", "-A"]);
        let mut commit = world.git_command(&repo, &["commit", "-q", "-m", &format!("Add step{n} to the cart")]);
        assert!(commit.env("GIT_AUTHOR_DATE", day).env("GIT_COMMITTER_DATE", day).status().unwrap().success());
    }
    world.ok(&repo, &["commit", "--since", "2020-01-01", "--no-model"]);
    repo
}
