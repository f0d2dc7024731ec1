//! Commit authorship against real git.

use super::scratch::Scratch;
use crate::domain::id::Oid;

const MAP: &str =
    "Proper Name <proper@example.org> <author@example.org>\nOther <new@example.org> Old <old@example.org>\n";

/// A commit by another author, made by an unlogged tool on top of HEAD.
fn foreign(scratch: &Scratch, email: &str) -> Oid {
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    let mut command = scratch.command();
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_EMAIL"), email).env(format!("GIT_{who}_NAME"), "Old");
    }
    let output = command.args(["commit-tree", "-p", "HEAD", "-m", email, &tree]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn users(scratch: &Scratch) {
    scratch.git(&["config", "user.email", "Me@Example.org"]);
    scratch.git(&["config", "user.email", "author@example.org"]);
    scratch.git(&["config", "committer.email", "Bot@example.org"]);
}

#[test]
fn the_user_is_gits_committer_also_through_the_mailmap() {
    for options in [&[][..], &["--object-format=sha256"]] {
        let scratch = Scratch::with(options);
        users(&scratch);
        assert_eq!(scratch.open().identities().unwrap(), ["author@example.org", "bot@example.org"]);
        scratch.write(".mailmap", MAP).commit("People");
        let found = scratch.open().identities().unwrap();
        assert_eq!(found, ["author@example.org", "bot@example.org", "proper@example.org"]);
    }
}

#[test]
fn the_mailmap_of_head_names_the_author_and_the_one_in_the_work_tree_does_not() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.write(".mailmap", MAP);
    assert_eq!(scratch.read().author, "A U Thor");
    scratch.commit("People");
    let read = scratch.read();
    assert_eq!((read.author.as_str(), read.author_email.as_str()), ("Proper Name", "author@example.org"));
    let repo = scratch.open();
    let first = repo.resolve("HEAD~1").unwrap();
    assert_eq!(repo.commit(&first, &crate::git::Bounds::default(), &|_| false).unwrap().author, "Proper Name");
}

#[test]
fn a_mailmap_that_is_a_link_or_nonsense_is_none() {
    let scratch = Scratch::new();
    std::os::unix::fs::symlink("people", scratch.path().join(".mailmap")).unwrap();
    scratch.write("people", MAP).commit("Link");
    assert_eq!(scratch.read().author, "A U Thor");
    scratch.remove(".mailmap").write(".mailmap", b"\0\xff<<>>\n<\n".repeat(1000)).commit("Nonsense");
    assert_eq!(scratch.read().author, "A U Thor");
}

#[test]
fn what_a_remote_has_is_only_ours_when_we_made_it() {
    for options in [&[][..], &["--object-format=sha256"]] {
        let scratch = Scratch::with(options);
        users(&scratch);
        scratch.write(".mailmap", MAP).commit("Start");
        let [published, mapped, local] =
            ["them@example.org", "old@example.org", "local@example.org"].map(|email| foreign(&scratch, email));
        for (name, oid) in [("published", &published), ("mapped", &mapped)] {
            scratch.git(&["update-ref", &format!("refs/remotes/origin/{name}"), oid.as_str()]);
        }
        let (repo, all) = (scratch.open(), [published.clone(), mapped.clone(), local.clone()]);
        assert!(repo.on_a_remote(&published).unwrap() && !repo.on_a_remote(&local).unwrap());
        assert!(repo.on_a_remote(&scratch.rev("HEAD")).unwrap());
        assert_eq!(repo.ours(&all, &[]).unwrap(), std::slice::from_ref(&local));
        assert_eq!(repo.ours(&all, &["NEW@example.org".to_owned()]).unwrap(), [mapped.clone(), local.clone()]);
        assert_eq!(repo.by_user(&all, &["them@example.org".to_owned()]).unwrap(), [published]);
        scratch.git(&["config", "user.email", "local@example.org"]);
        assert_eq!(scratch.open().by_user(&all, &[]).unwrap(), [local]);
    }
}

#[test]
fn without_remotes_everything_is_local() {
    let scratch = Scratch::new();
    let oid = scratch.write("a", "1").commit("Start");
    assert!(!scratch.open().on_a_remote(&oid).unwrap());
    assert_eq!(scratch.open().ours(std::slice::from_ref(&oid), &[]).unwrap(), [oid]);
}

#[test]
fn a_prepared_squash_lists_its_commits() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    assert_eq!(scratch.open().squash_prepared().unwrap(), []);
    scratch.git(&["checkout", "--quiet", "-b", "topic"]);
    let one = scratch.write("b", "1").commit("One");
    let two = scratch.write("b", "2").commit(&format!("Two\n\ncommit {}", "c".repeat(40)));
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.git(&["merge", "--quiet", "--squash", "topic"]);
    let expected = [two, one];
    assert_eq!(scratch.open().squash_prepared().unwrap(), expected);
    scratch.git(&["commit", "--quiet", "--no-edit"]);
    assert_eq!(crate::git::squash::listed(&scratch.read().message), expected);
    assert_eq!(scratch.open().squash_prepared().unwrap(), []);
}
