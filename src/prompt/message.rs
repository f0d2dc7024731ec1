//! Strips trailers (sign-off, review, mirror) from a commit message.

/// Subject and body without trailers; ticket references stay.
pub(super) fn told(message: &str) -> String {
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
            told(message),
            "Retry login\n\nIt timed out: 3s were too few.\nNote: only once.\n\nFixes: #12\nRefs: ABC-3"
        );
        assert_eq!(told("Signed-off-by: only <this>"), "");
        assert_eq!(told("Sort by: name"), "Sort by: name");
    }
}
