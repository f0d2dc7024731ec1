//! Commit reading: what is read, and what is reported as unread.

use super::scratch::{Scratch, file, numbered};
use crate::domain::patch::{Change, FileChange, Origin, Unread};
use crate::git::Bounds;

#[test]
fn a_commit_is_read_with_its_lines_and_its_branch() {
    let scratch = Scratch::new();
    scratch.write("src/a.rs", "fn a() {\n    one();\n}\n").commit("Start");
    scratch.write("src/a.rs", "fn a() {\n    two();\n}\n").commit("Call two\n\nBecause one is gone.");
    let commit = scratch.read();
    assert_eq!((commit.subject(), commit.body()), ("Call two", "Because one is gone."));
    assert_eq!((commit.author.as_str(), commit.author_email.as_str()), ("A U Thor", "author@example.org"));
    assert_eq!(commit.authored_at.as_second(), 1_700_000_000);
    assert_eq!(commit.branch.as_deref(), Some("main"));
    assert_eq!(commit.parents, [scratch.rev("HEAD~1")]);
    assert_eq!(commit.tree, scratch.rev("HEAD^{tree}"));
    let patch = &commit.patch;
    assert_eq!((patch.files_total, patch.insertions, patch.deletions, patch.truncated), (1, Some(1), Some(1), false));
    let hunk = &file(&commit, "src/a.rs").hunks[0];
    let lines: Vec<_> = hunk.lines.iter().map(|line| (line.origin, line.text.as_str())).collect();
    assert_eq!(hunk.header, "fn a() {");
    assert_eq!(
        lines,
        [
            (Origin::Context, "fn a() {"),
            (Origin::Removed, "    one();"),
            (Origin::Added, "    two();"),
            (Origin::Context, "}")
        ]
    );
}

#[test]
fn a_root_commit_is_read_against_nothing() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n2\n").commit("Start");
    let commit = scratch.read();
    assert!(commit.parents.is_empty());
    assert_eq!(file(&commit, "a").change, Change::Added);
    assert_eq!(commit.patch.insertions, Some(2));
    assert_eq!(commit.patch.patch_id, Some(scratch.patch_id("HEAD")));
}

#[test]
fn an_empty_commit_has_no_files_and_no_patch_id() {
    let scratch = Scratch::new();
    scratch.write("a", "1").commit("Start");
    scratch.commit("Nothing");
    let patch = scratch.read().patch;
    assert_eq!((patch.files_total, patch.patch_id, patch.truncated), (0, None, false));
}

#[test]
fn the_patch_id_is_the_one_git_computes() {
    let scratch = Scratch::new();
    scratch.write("src/a.rs", numbered(0, 60)).write("b", "1\n\n2").write("gone", numbered(0, 3)).commit("Start");
    let mut edited = numbered(0, 60).replace("number 7\n", "number seven\n").replace("number 40\n", "");
    edited.push_str("\n\tend without newline");
    scratch.write("src/a.rs", edited).write("b", "1\n2\n\n3\n").write("new file", "x\n").remove("gone").commit("Edit");
    assert_eq!(scratch.read().patch.patch_id, Some(scratch.patch_id("HEAD")));
}

#[test]
fn the_patch_id_of_a_renamed_file_is_that_of_the_plain_patch() {
    let scratch = Scratch::new();
    scratch.write("old.txt", numbered(0, 50)).commit("Start");
    scratch.git(&["mv", "old.txt", "new.txt"]);
    scratch.write("new.txt", numbered(0, 49)).commit("Move");
    let commit = scratch.read();
    assert_eq!(file(&commit, "new.txt").old_path.as_deref(), Some("old.txt"));
    assert_eq!(commit.patch.patch_id, Some(scratch.patch_id("HEAD")));
}

#[test]
fn a_mode_change_beside_lines_leaves_no_patch_id() {
    let scratch = Scratch::new();
    scratch.write("run.sh", "a\n").write("b", "b\n").commit("Start");
    scratch.git(&["update-index", "--chmod=+x", "run.sh"]);
    scratch.write("b", "c\n");
    scratch.git(&["add", "b"]);
    scratch.git(&["commit", "--quiet", "-m", "Both"]);
    let commit = scratch.read();
    assert!(file(&commit, "run.sh").mode_changed);
    assert_eq!((commit.patch.insertions, commit.patch.patch_id.clone()), (Some(1), None));
}

#[test]
fn where_libgit2_and_git_disagree_on_the_patch_id_there_is_none() {
    let scratch = Scratch::new();
    scratch.write("b", "b\n").commit("Start");
    scratch.write("a_empty", "").write("b", "c\n").commit("An empty file before another");
    assert_eq!(scratch.read().patch.patch_id, None);
    scratch.write("b", "d\n").write("z_empty", "").commit("An empty file after all others");
    assert_eq!(scratch.read().patch.patch_id, None);
}

#[test]
fn a_rename_with_edits_is_one_file_with_few_lines() {
    let scratch = Scratch::new();
    scratch.write("src/old.rs", numbered(0, 100)).commit("Start");
    scratch.git(&["mv", "src/old.rs", "src/new.rs"]);
    scratch.write("src/new.rs", numbered(0, 99) + "another\n").commit("Move");
    let commit = scratch.read();
    let moved = file(&commit, "src/new.rs");
    assert_eq!((moved.change, moved.old_path.as_deref()), (Change::Renamed, Some("src/old.rs")));
    assert_eq!((moved.insertions, moved.deletions), (Some(1), Some(1)));
    assert_eq!(commit.patch.files_total, 1);
}

#[test]
fn a_pure_rename_has_no_lines_and_no_patch_id() {
    let scratch = Scratch::new();
    scratch.write("a", numbered(0, 5)).commit("Start");
    scratch.git(&["mv", "a", "b"]);
    let oid = scratch.commit("Move");
    let commit = scratch.open().commit(&oid, &Bounds::default(), &|_| false).unwrap();
    assert_eq!(file(&commit, "b").insertions, Some(0));
    assert_eq!((commit.patch.insertions, commit.patch.patch_id), (Some(0), None));
}

#[test]
fn a_mode_change_alone_is_told() {
    let scratch = Scratch::new();
    scratch.write("run.sh", "a\n").commit("Start");
    scratch.git(&["update-index", "--chmod=+x", "run.sh"]);
    scratch.git(&["commit", "--quiet", "-m", "Executable"]);
    let commit = scratch.read();
    let changed = file(&commit, "run.sh");
    assert!(changed.mode_changed && changed.hunks.is_empty());
    assert_eq!((changed.change, changed.unread, changed.insertions), (Change::Modified, None, Some(0)));
}

#[test]
fn a_merge_is_read_against_its_first_parent_and_has_no_patch_id() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n").commit("Start");
    scratch.git(&["checkout", "--quiet", "-b", "topic"]);
    scratch.write("topic", "t\n").commit("Topic");
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("main", "m\n").commit("Main");
    scratch.git(&["merge", "--quiet", "--no-ff", "-m", "Merge branch 'topic'", "topic"]);
    let commit = scratch.read();
    assert_eq!(commit.parents.len(), 2);
    let paths: Vec<_> = commit.patch.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((paths, commit.patch.patch_id.clone()), (vec!["topic"], None));
}

#[test]
fn a_binary_file_is_named_not_read_and_leaves_no_patch_id() {
    let scratch = Scratch::new();
    scratch.write("logo.png", b"\x89PNG\0\0").write("a", "1\n").commit("Start");
    let commit = scratch.read();
    assert_eq!(file(&commit, "logo.png").unread, Some(Unread::Binary));
    assert_eq!((commit.patch.insertions, commit.patch.patch_id.clone()), (Some(1), None));
    assert!(!commit.patch.truncated);
}

#[test]
fn a_large_file_is_named_not_read() {
    let scratch = Scratch::new();
    scratch.write("big.txt", numbered(0, 1000)).write("small.rs", "fn a() {}\n").commit("Start");
    let commit = scratch.read_with(&Bounds { file_bytes: 1000, ..Bounds::default() });
    let big = file(&commit, "big.txt");
    assert_eq!((big.unread, big.insertions, big.hunks.len()), (Some(Unread::TooLarge), None, 0));
    assert_eq!(file(&commit, "small.rs").insertions, Some(1));
    assert_eq!((commit.patch.insertions, commit.patch.truncated, commit.patch.patch_id), (None, true, None));
}

#[test]
fn source_is_read_before_tests_docs_and_generated_files() {
    let scratch = Scratch::new();
    let text = numbered(0, 30);
    for path in ["Cargo.lock", "a.md", "src/z.rs", "tests/t.rs"] {
        scratch.write(path, &text);
    }
    scratch.commit("Start");
    let two_files = text.len() as u64 * 2 + 10;
    let commit = scratch.read_with(&Bounds { blob_bytes: two_files, ..Bounds::default() });
    let read: Vec<_> =
        commit.patch.files.iter().filter(|file| file.unread.is_none()).map(|file| file.path.as_str()).collect();
    assert_eq!(read, ["src/z.rs", "tests/t.rs"]);
    assert_eq!(file(&commit, "a.md").unread, Some(Unread::BudgetSpent));
    assert!(commit.patch.truncated && commit.patch.insertions.is_none());
}

#[test]
fn beyond_the_patch_bound_lines_are_still_counted() {
    let scratch = Scratch::new();
    scratch.write("a.rs", numbered(0, 100)).write("b.rs", numbered(0, 150)).write("c.rs", numbered(0, 200));
    scratch.commit("Start");
    let commit = scratch.read_with(&Bounds { patch_bytes: 500, ..Bounds::default() });
    let third = file(&commit, "c.rs");
    assert_eq!((third.unread, third.insertions), (Some(Unread::BudgetSpent), Some(200)));
    let kept = ["a.rs", "b.rs"].map(|path| kept(file(&commit, path)));
    assert!(kept[0] > 300 && kept[1] > 50 && kept[0] + kept[1] < 600, "{kept:?}");
    assert_eq!((commit.patch.insertions, commit.patch.patch_id, commit.patch.truncated), (Some(450), None, true));
}

/// Bytes of its lines.
fn kept(file: &FileChange) -> usize {
    file.hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| line.text.len()).sum()
}

#[test]
fn what_a_tool_wrote_does_not_keep_others_from_being_read() {
    let scratch = Scratch::new();
    scratch.write("src/a_parser.c", numbered(0, 5000)).write("src/parser.y", numbered(0, 10));
    scratch.write("src/z.c", numbered(0, 150)).write("tests/t.c", numbered(0, 10)).commit("Start");
    let bounds = Bounds { patch_bytes: 4000, ..Bounds::default() };
    let commit = scratch.read_with(&bounds);
    let whole = ["src/z.c", "src/parser.y", "tests/t.c"].map(|path| file(&commit, path).hunks[0].lines.len());
    assert_eq!(whole, [150, 10, 10]);
    let rest = kept(file(&commit, "src/a_parser.c"));
    assert!((500..3000).contains(&rest) && commit.patch.truncated, "{rest}");
}

#[test]
fn both_versions_of_a_source_are_kept_for_its_grammar_and_rows_are_those_of_the_hunks() {
    let scratch = Scratch::new();
    scratch
        .write("a.rs", b"// caf\xe9\r\nfn a() {}\n")
        .write("a.md", "x\n")
        .write("vendor/v.rs", "fn v() {}\n")
        .commit("Start");
    scratch
        .write("a.rs", b"// caf\xe9\r\nfn a() {}\nfn b() {}\n")
        .write("a.md", "y\n")
        .write("vendor/v.rs", "fn w() {}\n");
    scratch.write("large.py", "x = 1\n".repeat(50_000)).commit("More");
    let commit = scratch.read();
    let texts = file(&commit, "a.rs").texts.as_deref().unwrap();
    assert_eq!((texts.old.as_str(), texts.new.lines().nth(2)), ("// caf\u{fffd}\r\nfn a() {}\n", Some("fn b() {}")));
    assert_eq!(file(&commit, "a.rs").hunks[0].lines.last().map(|line| line.text.as_str()), Some("fn b() {}"));
    let without = ["a.md", "vendor/v.rs", "large.py"].map(|path| file(&commit, path).texts.is_none());
    assert_eq!(without, [true; 3]);
}

#[test]
fn no_more_files_are_listed_than_the_bound_says() {
    let scratch = Scratch::new();
    for n in 0..20 {
        scratch.write(&format!("f{n:02}.md"), "x\n");
    }
    scratch.write("z.rs", "x\n").commit("Start");
    let patch = scratch.read_with(&Bounds { files: 5, ..Bounds::default() }).patch;
    assert_eq!((patch.files.len(), patch.files_total, patch.insertions), (5, 21, None));
    assert!(patch.files.iter().any(|file| file.path == "z.rs") && patch.truncated);
}

#[test]
fn an_excluded_path_is_listed_and_nothing_of_it_is_read() {
    let scratch = Scratch::new();
    scratch.write("secret.env", "TOKEN=1\n").write("a.rs", "fn a() {}\n");
    let oid = scratch.commit("Start");
    // The object is deleted, so that any attempt to read it fails.
    let blob = scratch.git(&["rev-parse", "HEAD:secret.env"]);
    std::fs::remove_file(scratch.path().join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let commit = scratch.open().commit(&oid, &Bounds::default(), &|path| path.ends_with(".env")).unwrap();
    assert_eq!(file(&commit, "secret.env").unread, Some(Unread::Excluded));
    assert_eq!((commit.patch.insertions, commit.patch.patch_id.clone()), (Some(1), None), "a.rs alone is counted");
    let all = scratch.read();
    assert_eq!(file(&all, "secret.env").unread, Some(Unread::Missing));
}

#[test]
fn symlinks_and_type_changes_are_named_not_followed() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n").commit("Start");
    std::fs::remove_file(scratch.path().join("a")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", scratch.path().join("a")).unwrap();
    scratch.commit("Link");
    let commit = scratch.read();
    let link = file(&commit, "a");
    assert_eq!((link.change, link.unread, link.hunks.len()), (Change::TypeChanged, Some(Unread::Symlink), 0));
}

#[test]
fn a_submodule_is_named_not_entered() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n").commit("Start");
    let commit = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},lib")]);
    scratch.git(&["commit", "--quiet", "-m", "Add lib"]);
    let commit = scratch.read();
    assert_eq!(file(&commit, "lib").unread, Some(Unread::Submodule));
    assert_eq!(commit.patch.patch_id, None);
}

#[test]
fn the_end_of_a_shallow_clone_claims_nothing() {
    let scratch = Scratch::new();
    scratch.write("a", "1\n").commit("One");
    scratch.write("b", "2\n").commit("Two");
    let url = format!("file://{}", scratch.path().display());
    scratch.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    let repo = crate::git::Repo::discover(&scratch.outside().join("shallow")).unwrap();
    let commit = repo.commit(&repo.head().unwrap(), &Bounds::default(), &|_| false).unwrap();
    assert!(commit.patch.files.is_empty() && commit.patch.truncated);
    assert_eq!(commit.patch.insertions, None);
}

#[test]
fn a_partial_clone_says_what_is_missing() {
    let scratch = Scratch::new();
    scratch.git(&["config", "uploadpack.allowFilter", "true"]);
    scratch.write("a", "1\n").commit("One");
    scratch.write("a", "2\n").commit("Two");
    let url = format!("file://{}", scratch.path().display());
    scratch.git(&["clone", "--quiet", "--bare", "--filter=blob:none", &url, "../partial"]);
    let repo = crate::git::Repo::discover(&scratch.outside().join("partial")).unwrap();
    let commit = repo.commit(&repo.head().unwrap(), &Bounds::default(), &|_| false).unwrap();
    assert_eq!(file(&commit, "a").unread, Some(Unread::Missing));
    assert_eq!((commit.patch.insertions, commit.patch.files_total), (None, 1));
}

#[test]
fn of_a_pointer_beside_content_and_of_a_link_only_they_are_kept() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n";
    let scratch = Scratch::new();
    scratch.write("a.bin", pointer).write("b.csv", numbered(0, 9)).write("c.bin", pointer);
    std::os::unix::fs::symlink("v1", scratch.path().join("current")).unwrap();
    scratch.commit("Start");
    scratch.write("a.bin", "\0content").write("b.csv", pointer).write("c.bin", pointer.replace("size 5", "size 6"));
    scratch.remove("current");
    std::os::unix::fs::symlink("v2", scratch.path().join("current")).unwrap();
    scratch.commit("Move");
    let commit = scratch.read();
    let lines = |path: &str| -> Vec<(Origin, String)> {
        let hunks = &file(&commit, path).hunks;
        hunks.iter().flat_map(|hunk| &hunk.lines).map(|line| (line.origin, line.text.clone())).collect()
    };
    assert_eq!(file(&commit, "a.bin").unread, Some(Unread::Binary));
    assert_eq!(lines("a.bin").len(), 3);
    assert!(lines("a.bin").iter().all(|(origin, _)| *origin == Origin::Removed));
    assert!(lines("b.csv").iter().all(|(origin, _)| *origin == Origin::Added));
    assert_eq!((file(&commit, "b.csv").insertions, file(&commit, "b.csv").deletions), (Some(3), Some(9)));
    assert_eq!(lines("c.bin").len(), 4, "both are pointers: it is a diff like any other");
    assert_eq!(lines("current"), [(Origin::Removed, "v1".to_owned()), (Origin::Added, "v2".to_owned())]);
}

#[test]
fn of_an_excluded_lockfile_both_sides_are_kept_where_its_packages_may_be_read_and_no_lines() {
    let scratch = Scratch::new();
    scratch
        .write("Gemfile.lock", "    a (1)\n")
        .write("x/Gemfile.lock", "    a (1)\n")
        .write("k.lock", "1")
        .commit("Start");
    scratch
        .write("Gemfile.lock", "    a (2)\n")
        .write("x/Gemfile.lock", "    a (2)\n")
        .write("k.lock", "2")
        .commit("Raise");
    let (repo, excluded) = (scratch.open(), |path: &str| path.ends_with(".lock"));
    let paths = crate::git::Exclude { excluded: &excluded, packages: &|path| !path.starts_with("x/") };
    let commit = repo.commit_with(&repo.head().unwrap(), &Bounds::default(), paths).unwrap();
    let of = |path: &str| file(&commit, path).texts.as_ref().map(|texts| texts.new.clone());
    assert_eq!(of("Gemfile.lock").as_deref(), Some("    a (2)\n"));
    assert_eq!((of("x/Gemfile.lock"), of("k.lock")), (None, None));
    assert!(commit.patch.files.iter().all(|file| file.unread == Some(Unread::Excluded) && file.hunks.is_empty()));
    assert_eq!((commit.patch.patch_id, commit.patch.truncated), (None, false));
}
