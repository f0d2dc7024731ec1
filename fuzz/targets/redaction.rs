//! Redaction of an arbitrary text and commit: what was planted is gone from everywhere, and a second time changes
//! nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uro_capture::domain::patch::Origin;
use uro_capture::prompt::redact::{redact, redact_commit};
use uro_capture_fuzz::{commit, everything};

/// Secrets as their providers shape them, put together here so that no scanner finds them in this file; of each the
/// part that must not be seen.
const SECRETS: [(&str, &str, &str); 8] = [
    ("gh", "p_", "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX"),
    ("AK", "IA", "Q3EGRZ7MKTVW5PXN"),
    ("sk_", "live_", "4eC39HqLyjWDarjtT1zdp7dc"),
    ("xox", "b-", "2345678901-2345678901-aBcDeFgHiJkLmNoPqRsTuVwX"),
    ("gl", "pat-", "x7Kq2Wv9Zt4Rm1Ys8Nc3"),
    ("AI", "za", "SyD4f8Gh2Jk5Lm9Np3Qr6St1Uv7Wx0Yz-aB"),
    ("np", "m_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
    ("hf", "_", "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi"),
];

fuzz_target!(|input: (u8, u16, &str)| {
    let (which, place, text) = input;
    let (one, two, body) = SECRETS[usize::from(which) % SECRETS.len()];
    let secret = format!("{one}{two}{body}");
    // The fuzzer learns the bodies from what they are compared with; one that it put somewhere itself is no secret.
    if text.contains(body) {
        return;
    }
    let at = (0..=text.len()).rev().find(|at| *at <= usize::from(place) && text.is_char_boundary(*at)).unwrap_or(0);
    let planted = format!("{}\n+{secret}\n{}", &text[..at], &text[at..]);

    let clean = redact(&planted);
    assert!(!clean.contains(body), "{clean:?}");
    assert_eq!(redact(&clean), clean, "a second time changes nothing");

    // A find goes to the end of its token, whatever stands around it.
    let joint = ["-", "_", ".", "=", ""][usize::from(place) % 5];
    let tail = "x4Kd02mZq91L";
    let longer = redact(&format!("{}\n+{secret}{joint}{tail}\n", &text[..at]));
    assert!(longer.contains(&secret) || text.contains(tail) || !longer.contains(tail), "{longer:?}");

    let mut commit = commit(text);
    commit.message.push_str(&format!("\n\nSee {secret} for it."));
    if let Some(line) = commit.patch.files.iter_mut().flat_map(|f| &mut f.hunks).flat_map(|h| &mut h.lines).next() {
        line.origin = Origin::Added;
        line.text = format!("token = \"{secret}\"");
    }
    let clean = redact_commit(commit);
    assert!(!everything(&clean).contains(body));
    assert_eq!(redact_commit(clean.clone()), clean, "a second time changes nothing");
});
