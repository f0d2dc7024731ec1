//! Tests of the block in configuration files of every kind, and after edits by other tools.

use proptest::prelude::*;

use super::*;

const PROGRAM: &str = "/home/é o'hara/.local/bin/uro-hook";

fn installed_text(text: &str) -> String {
    String::from_utf8(installed(Some(text.as_bytes()), Path::new(PROGRAM))).expect("UTF-8")
}

fn removed_text(text: &str) -> Option<String> {
    removed(text.as_bytes()).map(|text| String::from_utf8(text).expect("UTF-8"))
}

#[test]
fn these_lines_are_added() {
    insta::assert_snapshot!(installed_text("[core]\n\tbare = false\n"), @r#"
    [core]
    	bare = false
    # uro-capture: begin (`uro-capture deinit` removes these lines)
    [hook "uro-post-commit"]
    	event = post-commit
    	parallel = true
    	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-commit"
    [hook "uro-post-merge"]
    	event = post-merge
    	parallel = true
    	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-merge"
    [hook "uro-post-rewrite"]
    	event = post-rewrite
    	parallel = true
    	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-rewrite"
    [hook "uro-post-applypatch"]
    	event = post-applypatch
    	parallel = true
    	command = "test ! -x '/home/é o'\\''hara/.local/bin/uro-hook' || '/home/é o'\\''hara/.local/bin/uro-hook' post-applypatch"
    # uro-capture: end
    "#);
}

#[test]
fn they_are_read_back_with_their_program() {
    let block = read(installed_text("").as_bytes()).expect("there");
    assert!(block.is_complete());
    assert!(HOOKS.iter().all(|hook| block.program(*hook) == Some(Path::new(PROGRAM))));
    assert_eq!(read(b"[core]\n\tbare = false\n"), None);
}

#[test]
fn a_file_that_was_not_there_is_not_there_again() {
    let made = installed(None, Path::new(PROGRAM));
    assert_eq!(removed(&made), None);
    assert_eq!(installed(Some(&made), Path::new(PROGRAM)), made, "doing it again keeps that in mind");
    let used = [made.as_slice(), b"[user]\n\tname = A\n"].concat();
    assert_eq!(removed(&used).as_deref(), Some(&b"[user]\n\tname = A\n"[..]));
    assert_eq!(removed(&installed(Some(b""), Path::new(PROGRAM))).as_deref(), Some(&b""[..]));
}

#[test]
fn a_section_behind_ours_keeps_the_line_end_that_it_needs() {
    let text = installed_text("[core]\n\tbare = false") + "[user]\n\tname = A\n";
    assert_eq!(removed_text(&text).as_deref(), Some("[core]\n\tbare = false\n[user]\n\tname = A\n"));
}

#[test]
fn a_value_that_goes_on_in_the_next_line_does_not_swallow_ours() {
    for text in ["[a]\n\tb = c\\", "[a]\n\tb = c\\\n", "[a]\n\tb = c\\\\\n", "[a]\r\n\tb = c\\\r\n"] {
        let with = installed_text(text);
        let (before, _) = with.split_once(BEGIN).expect("there");
        assert!(!continues(before.trim_end_matches('\n').as_bytes()) || before.ends_with("\n\n"), "{before:?}");
        assert_eq!(removed_text(&with).as_deref(), Some(text));
    }
}

#[test]
fn keys_that_git_wrote_into_our_sections_go_with_them_and_are_seen_before() {
    let text = installed_text("[a]\n")
        .replace("\tevent = post-merge\n", "\tevent = post-merge\n\tEnabled = off\n\tnote = \"a\\\n b\"\n");
    let block = read(text.as_bytes()).expect("there");
    assert_eq!((block.disabled.as_slice(), block.is_complete()), (&[HookName::PostMerge][..], false));
    assert_eq!(removed_text(&text).as_deref(), Some("[a]\n"));
}

#[test]
fn a_removed_section_before_ours_takes_our_first_line_along_and_nothing_is_lost() {
    let text = installed_text("[a]\n\tb = c\n[branch \"x\"]\n\tmerge = y\n");
    let cut = text.replace(&text[text.find("[branch").expect("there")..text.find("[hook").expect("there")], "");
    assert!(read(cut.as_bytes()).expect("there").is_complete());
    assert_eq!(removed_text(&cut).as_deref(), Some("[a]\n\tb = c\n"));
}

#[test]
fn without_one_section_it_is_incomplete_and_the_rest_is_still_removed() {
    let text = installed_text("[a]\n") + "# theirs\n[b]\n\tc = d\n";
    let from = text.find("[hook \"uro-post-applypatch\"]").expect("there");
    let cut = [&text[..from], &text[text.find("[b]").expect("there")..]].concat();
    assert!(!read(cut.as_bytes()).expect("there").is_complete());
    assert_eq!(removed_text(&cut).as_deref(), Some("[a]\n[b]\n\tc = d\n"));
    let in_between = text.replace("[hook \"uro-post-merge\"]", "# mine\n[hook \"uro-post-merge\"]");
    assert_eq!(removed_text(&in_between).as_deref(), Some("[a]\n# mine\n# theirs\n[b]\n\tc = d\n"));
}

#[test]
fn another_command_is_not_taken_for_ours_and_is_renewed() {
    let text = installed_text("").replacen("|| '", "|| echo '", 1);
    assert!(!read(text.as_bytes()).expect("there").is_complete());
    assert_eq!(installed_text(&text), installed_text(""));
}

#[test]
fn a_hook_that_a_person_switched_off_for_one_repository_is_theirs() {
    let text = "[hook \"uro-post-commit\"]\n\tenabled = false\n[hook \"lint\"]\n\tcommand = make lint\n";
    assert_eq!(removed_text(text).as_deref(), Some(text));
    assert_eq!(removed_text(&installed_text(text)).as_deref(), Some(text));
    assert_eq!(read(text.as_bytes()), None);
}

#[test]
fn a_program_whose_path_is_no_text_or_full_of_quotes_is_kept_byte_for_byte() {
    use std::os::unix::ffi::OsStringExt;
    for path in [&b"/\xFF\xFE/uro-hook"[..], b"/new\nline\t\"q\"\\/'/uro-hook"] {
        let program = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
        let text = installed(Some(b"[a]\n"), &program);
        assert_eq!(read(&text).expect("there").program(HookName::PostCommit), Some(program.as_path()));
        assert_eq!(removed(&text).as_deref(), Some(&b"[a]\n"[..]));
    }
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "[core]",
        "[hook \"uro-post-commit\"]",
        "[hook \"x\"]",
        "\tenabled = false",
        "\tevent = post-commit",
        "# c",
        "; uro-capture: begin",
        "\n",
        "\r\n",
        "\\\n",
        "\\",
        "\"",
        "[",
        "]",
        " ",
        "#",
        "a = b",
        "uro-capture: end",
    ]);
    prop_oneof![known.prop_map(|text| text.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 0..6)]
}

proptest! {
    #[test]
    fn whatever_was_there_is_there_again_to_the_byte(parts in prop::collection::vec(fragment(), 0..24)) {
        let text = parts.concat();
        let with = installed(Some(&text), Path::new(PROGRAM));
        prop_assert_eq!(installed(Some(&with), Path::new(PROGRAM)), with.clone());
        prop_assert!(read(&with).is_some_and(|block| block.is_complete()));
        prop_assert_eq!(removed(&with), Some(text));
    }
}
