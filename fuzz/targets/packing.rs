//! A prompt from an arbitrary commit: within its budget, the same bytes again, its frame unbroken.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uro_capture::domain::clock::SystemClock;
use uro_capture::domain::context::Context;
use uro_capture::facts;
use uro_capture::prompt::pack::{Room, SLACK, pack};
use uro_capture::prompt::render;
use uro_capture::prompt::tokens::{Budget, estimate};
use uro_capture_fuzz::commit;

/// A budget below this has no room for rules and frame.
const LEAST: u32 = 700;

fuzz_target!(|input: (u16, u16, &str)| {
    let (aim, more, text) = input;
    let (aim, more) = (usize::from(aim), usize::from(more));
    let commit = commit(text);
    let facts = facts::of(&commit, &SystemClock);
    let room = Room { aim, most: aim + more };
    let packed = pack(&commit.patch, &facts.symbols, room);
    let first =
        commit.patch.files.first().map_or(0, |file| file.path.len() + file.old_path.as_ref().map_or(0, String::len));
    // One file is always listed, however long its path.
    let slack = SLACK + 80 + first;
    let used = packed.files.len() + packed.patch.len();
    assert!(used <= room.most + slack, "{used} of {room:?}");
    assert_eq!(packed, pack(&commit.patch, &facts.symbols, room), "the same patch gives the same bytes");
    let budget = Budget { most: LEAST + u32::from(input.1), ..Budget::from(LEAST + u32::from(input.0)) };
    let rendered = render::commit(&commit, &facts, &Context::default(), &budget);
    let spent = estimate(&rendered.rules) + estimate(&rendered.question);
    assert!(spent <= budget.most.max(LEAST) + estimate(&"x".repeat(slack)), "{spent} of {budget:?}");
    for tag in ["files", "patch", "message"] {
        assert!(rendered.question.matches(&format!("</{tag}>")).count() <= 1, "{tag} is closed twice");
    }
});
