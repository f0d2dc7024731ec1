//! Truncation of words and lines for prompts; commit messages without their trailers (sign-off, review, mirror).

/// Longest line of a file, header or path, in characters.
const LINE: usize = 160;

/// The text itself, or its beginning with an ellipsis.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

/// The longest prefix within this many bytes, at a character boundary.
pub(super) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

pub(super) fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Subject and body without trailers; ticket references stay.
pub(super) fn strip_trailers(message: &str) -> String {
    let lines: Vec<&str> = message.trim().lines().map(str::trim_end).filter(|line| !is_trailer(line)).collect();
    lines.join("\n").trim().to_owned()
}

/// `Signed-off-by: …`, `Change-Id: …`, `(cherry picked from commit …)`, but not `Fixes: #12`.
fn is_trailer(line: &str) -> bool {
    let low = line.trim_start().to_ascii_lowercase();
    if low.starts_with("(cherry picked from commit ") || low.starts_with("(cherry-picked from commit ") {
        return true;
    }
    let Some((key, _)) = low.split_once(':') else { return false };
    let word = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (word && (key.ends_with("-by") || KEYS.contains(&key))) || key == "differential revision"
}

const KEYS: [&str; 10] = [
    "cc", "change-id", "git-svn-id", "reviewed-on", "piperorigin-revid", "cr-commit-position", "commit-queue",
    "auto-submit", "lgtm", "gitorigin-revid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_it_is_left_out_and_what_it_is_about_stays() {
        let message = "Retry login\n\nIt timed out: 3s were too few.\nNote: only once.\n\nFixes: #12\nRefs: ABC-3\n\
                       Signed-off-by: Jane <jane@example.com>\nCo-Authored-By: Joe <joe@example.com>\nChange-Id: I12\n\
                       (cherry picked from commit 0123456)\nDifferential Revision: D1\nCc: stable\n";
        assert_eq!(
            strip_trailers(message),
            "Retry login\n\nIt timed out: 3s were too few.\nNote: only once.\n\nFixes: #12\nRefs: ABC-3"
        );
        assert_eq!(strip_trailers("Signed-off-by: only <this>"), "");
        assert_eq!(strip_trailers("Sort by: name"), "Sort by: name");
    }
}
