//! Word lists of uninformative subjects.

/// Uninformative alone or together.
pub const FILLERS: [&str; 254] = [
    "wip", "fix", "fixes", "fixed", "fixing", "fixup", "bug", "bugs", "bugfix", "bugfixes", "hotfix", "update",
    "updates", "updated", "updating", "change", "changes", "changed", "changing", "edit", "edits", "edited", "tweak",
    "tweaks", "tweaked", "tweaking", "minor", "small", "little", "tiny", "some", "more", "many", "few", "various",
    "several", "misc", "miscellaneous", "moar", "stuff", "thing", "things", "code", "file", "files", "work", "works",
    "worked", "working", "progress", "commit", "commits", "committed", "committing", "save", "saved", "saving",
    "checkpoint", "tmp", "temp", "temporary", "the", "a", "an", "and", "or", "it", "its", "this", "that", "these",
    "those", "again", "another", "new", "now", "final", "finally", "last", "first", "initial", "oops", "whoops", "ups",
    "sorry", "test", "tests", "testing", "tested", "todo", "todos", "done", "cleanup", "cleanups", "clean", "cleaned",
    "cleaning", "up", "tidy", "polish", "polishing", "refactor", "refactors", "refactored", "refactoring",
    "refactorings", "lint", "linting", "linter", "format", "formatting", "formatted", "style", "styles", "styling",
    "cosmetic", "cosmetics", "improve", "improves", "improved", "improving", "improvement", "improvements", "better",
    "enhancement", "enhancements", "touchup", "touchups", "nit", "nits", "docs", "doc", "documentation", "readme",
    "changelog", "issue", "issues", "ticket", "close", "closes", "closed", "resolve", "resolves", "resolved", "refs",
    "ref", "see", "per", "of", "to", "on", "for", "from", "with", "by", "at", "is", "are", "was", "be", "i", "me",
    "my", "we", "our", "as", "so", "if", "but", "via", "patch", "patches", "one", "missed", "forgot", "forgotten",
    "forget", "try", "trying", "tried", "attempt", "maybe", "hopefully", "please", "should", "does", "did", "do",
    "let", "lets", "blah", "hmm", "hmmm", "meh", "yay", "ok", "okay", "yes", "add", "adds", "added", "adding",
    "remove", "removes", "removed", "removing", "sync", "backup", "autosave", "push", "pushed", "upload", "uploaded",
    "today", "tonight", "day", "end", "eod", "all", "everything", "whatever", "something", "other", "others", "good",
    "great", "nice", "just", "really", "actually", "quick", "draft", "in", "merge", "merged", "merging", "ci", "part",
    "adjust", "adjustment", "adjustments", "adjusted", "general", "random", "foo", "bar", "baz", "asdf", "next",
    "step", "continue", "continued", "continuing", "back",
];

/// Words of a review, which also make comments and requests uninformative.
pub const REVIEW: [&str; 15] = [
    "review", "reviews", "reviewer", "reviewers", "feedback", "suggestion", "suggestions", "nits", "nit", "pr",
    "address", "addresses", "addressed", "addressing", "apply",
];

/// Single words that describe a change: tools and actions.
pub const TELLING_ALONE: [&str; 8] =
    ["rustfmt", "gofmt", "clippy", "prettier", "isort", "goimports", "reformat", "unvendor"];
