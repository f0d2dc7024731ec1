//! Texts cut at any position, and their continuations.

use proptest::prelude::*;

use super::*;

const TEXT: &str = "# A week of lists\n\nThe list got an order. It is the newest first now.\n\n## Fixes\n\n\
                    - a leak in the reader\n- a wrong number in `show`\n\n```sh\nuro log\n\nuro show\n```\n\n\
                    ## Docs\n\nThe pages tell what is there.\n";

fn kept(came: &str, grain: Grain) -> String {
    let mut sections = Sections::default();
    sections.keep(came, grain);
    sections.text().to_owned()
}

#[test]
fn finished_blocks_stay_and_the_one_that_was_being_written_goes() {
    assert_eq!(kept("# A\n\nOne.\n\nTwo, an", Grain::Blocks), "# A\n\nOne.\n\n");
    assert_eq!(kept("# A\n\nOne.\nStill one", Grain::Blocks), "");
}

#[test]
fn a_heading_is_finished_only_with_what_follows_it() {
    assert_eq!(kept("# A\n\nOne.\n\n## B\n\nTw", Grain::Blocks), "# A\n\nOne.\n\n");
    assert_eq!(kept("# A\n\n", Grain::Blocks), "");
    assert_eq!(kept("# A\n\n## B\n\nTw", Grain::Sentences), "");
}

#[test]
fn a_code_block_is_not_cut_at_its_blank_lines() {
    assert_eq!(kept("One.\n\n```\na\n\nb\n\n", Grain::Blocks), "One.\n\n");
    assert_eq!(kept("One.\n\n```\na\n\nb\n", Grain::Sentences), "One.\n\n");
    assert_eq!(kept("One.\n\n```\na\n\nb\n```\n\nTw", Grain::Blocks), "One.\n\n```\na\n\nb\n```\n\n");
}

#[test]
fn in_the_finer_grain_lines_and_sentences_stay() {
    assert_eq!(kept("One. Two! Thr", Grain::Sentences), "One. Two! ");
    assert_eq!(kept("# A\n\n- one\n- tw", Grain::Sentences), "# A\n\n- one\n");
    assert_eq!(kept("One.\n\n## B. C", Grain::Sentences), "One.\n\n", "a heading has no sentences");
}

#[test]
fn thoughts_are_no_part_of_the_text() {
    assert_eq!(kept("<think>It is.\n\nMaybe.\n\n", Grain::Blocks), "");
    assert_eq!(kept("<think>It is.\n\n</think># A\n\nOne.\n\nTw", Grain::Blocks), "# A\n\nOne.\n\n");
}

#[test]
fn what_follows_is_put_behind_what_stands() {
    let mut sections = Sections::default();
    assert!(sections.keep("# A\n\nOne.\n\nTw", Grain::Blocks));
    assert_eq!(sections.whole("\nTwo.\n"), "# A\n\nOne.\n\nTwo.\n");
    assert!(sections.keep("Two. Thr", Grain::Sentences));
    assert_eq!(sections.whole("Three."), "# A\n\nOne.\n\nTwo. Three.");
    assert_eq!(sections.whole("## B\n\nThree."), "# A\n\nOne.\n\nTwo.\n\n## B\n\nThree.");
}

#[test]
fn a_model_that_starts_over_replaces_what_it_repeats() {
    let mut sections = Sections::default();
    sections.keep("# A\n\nOne.\n\n## B\n\nTwo.\n\n", Grain::Blocks);
    assert_eq!(sections.whole("# A\n\nOne else.\n\n## C\n\nThree."), "# A\n\nOne else.\n\n## C\n\nThree.");
    assert_eq!(sections.whole("## B\n\nTwo else."), "# A\n\nOne.\n\n## B\n\nTwo else.");
    assert_eq!(
        sections.whole("One.\n\nIt ends."),
        "# A\n\nOne.\n\n## B\n\nTwo.\n\nOne.\n\nIt ends.",
        "it may be meant"
    );
}

#[test]
fn what_is_repeated_and_cut_again_takes_nothing_away() {
    let mut sections = Sections::default();
    sections.keep("# A\n\nOne.\n\n## B\n\nTwo.\n\n", Grain::Blocks);
    let before = sections.clone();
    assert!(!sections.keep("# A\n\nOne.\n\n## B\n\nT", Grain::Blocks));
    assert_eq!(sections, before);
    assert_eq!(sections.whole("# A"), before.text().trim_end(), "nor does one that stops after its title");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_text_that_is_cut_anywhere_any_number_of_times_comes_out_whole(cuts in prop::collection::vec(0..90_usize, 0..12)) {
        let mut sections = Sections::default();
        for cut in cuts {
            // An obedient model goes on where the finished text ends.
            let rest = &TEXT[sections.text().len()..];
            let before = sections.text().len();
            let grain = if cut % 3 == 0 { Grain::Sentences } else { Grain::Blocks };
            sections.keep(&rest[..cut.min(rest.len())], grain);
            prop_assert!(sections.text().len() >= before);
            prop_assert!(TEXT.starts_with(sections.text()));
        }
        let whole = sections.whole(&TEXT[sections.text().len()..]);
        prop_assert_eq!(whole.trim_end(), TEXT.trim_end());
    }

    #[test]
    fn no_text_breaks_it_and_nothing_that_stands_is_lost(came in prop::collection::vec("[#`~\\-. \\n<>/a-dä⚡think]{0,60}", 1..6)) {
        let mut sections = Sections::default();
        for came in came {
            for grain in [Grain::Blocks, Grain::Sentences] {
                let before = sections.text().trim_end().len();
                let whole = sections.whole(&came);
                prop_assert!(whole.trim_end().len() >= before);
                sections.keep(&came, grain);
                prop_assert!(sections.text().trim_end().len() >= before);
            }
        }
    }
}
