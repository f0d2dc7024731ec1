//! What a secret looks like on its own or beside a telling name: linear-time rules, one kind each.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A stretch of text that must not leave this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) kind: &'static str,
}

/// Decides on a match of its rule; the range is what is replaced.
type Accept = fn(&str, &Captures<'_>) -> Option<Range<usize>>;

struct Rule {
    kind: &'static str,
    regex: Regex,
    accept: Accept,
}

/// Kind, pattern, further check. A group named `s` is the secret; without one the whole match is.
/// Shapes from the vendors' own documentation and the public rule sets of gitleaks and trufflehog.
const RULES: &[(&str, &str, Accept)] = &[
    ("aws-key", r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}", whole),
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}", whole),
    ("gitlab-token", r"gl(?:pat|dt|rt|ptt|ft|oas|soat|cbt|imt|agent|ffct)-[A-Za-z0-9_.-]{18,}", whole),
    ("slack-token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}", whole),
    ("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<s>[A-Za-z0-9/_-]{20,})", secret),
    ("stripe-key", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}", whole),
    ("google-key", r"AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}", whole),
    ("openai-key", r"sk-[A-Za-z0-9_-]{20,}", separate_and_mixed),
    ("npm-token", r"npm_[A-Za-z0-9]{36}", whole),
    ("pypi-token", r"pypi-AgE[A-Za-z0-9_-]{40,}", whole),
    ("huggingface-token", r"hf_[A-Za-z0-9]{30,}", separate_and_mixed),
    ("sendgrid-key", r"SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{30,}", whole),
    (
        "vendor-token",
        r"dop_v1_[a-f0-9]{64}|dckr_pat_[A-Za-z0-9_-]{20,}|hvs\.[A-Za-z0-9_-]{24,}|lin_api_[A-Za-z0-9]{32,}",
        whole,
    ),
    ("azure-key", r"AccountKey=(?P<s>[A-Za-z0-9+/]{40,}={0,2})", secret),
    ("age-key", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}", whole),
    ("telegram-token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", whole),
    ("jwt", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", whole),
    ("url-password", r#"://[^\s/:@"'<>\\]*:(?P<s>[^\s/"'<>\\]{1,})@"#, no_placeholder),
    ("url-password", r"://(?P<s>[A-Za-z0-9_-]{20,})(?::[A-Za-z0-9_-]{0,40})?@", secret),
    (
        "authorization",
        r#"(?i:authorization)["'\]]{0,2}[ \t]{0,4}[:=,][ \t]{0,4}["'`]?(?P<scheme>(?i:bearer|basic|token|digest|negotiate|apikey)[ \t]{1,4})?(?P<s>[A-Za-z0-9._~+/=:-]{8,})"#,
        header_value,
    ),
    ("authorization", r"(?P<scheme>(?i:bearer))[ \t]{1,4}(?P<s>[A-Za-z0-9._~+/=-]{16,})", header_value),
    ("secret", ASSIGNMENT, assigned),
];

/// A telling name, what joins it to a value, and the value: quoted, or bare as in `.env` and YAML.
const ASSIGNMENT: &str = r#"(?x)
    (?P<name>(?i:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key
        |auth[_-]?key|encryption[_-]?key|signing[_-]?key|credential|[_-]pass(?-u:\b)|[_-]pwd(?-u:\b)))
    (?P<more> s | [A-Z0-9_.-][A-Za-z0-9_.-]* )?
    ["'`\]]{0,2} [\ \t]{0,20}
    (?: (?P<join>:[\ \t]?[A-Za-z&'_<>:\[\]?|\ ]{1,40}= | := | =>? | : | > ) | [,(] )
    [\ \t]{0,20} (?:\n[\ \t]{0,40})?
    (?: [bBrRuUfF]{0,2}\#?(?: "(?P<dq>[^"\n]{4,})" | '(?P<sq>[^'\n]{4,})' | `(?P<bq>[^`\n]{4,})` )
      | (?P<bare>[^\s"'`,;(){}\[\]<>]{8,}) )
"#;

#[expect(clippy::expect_used, reason = "the patterns are constants, compiled by every test of this room")]
static COMPILED: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let compile = |(kind, pattern, accept): &(&'static str, &str, Accept)| Rule {
        kind,
        regex: Regex::new(pattern).expect("a constant pattern"),
        accept: *accept,
    };
    RULES.iter().map(compile).collect()
});

/// Every secret in `text`, in no particular order; ranges may overlap.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for rule in COMPILED.iter() {
        for captures in rule.regex.captures_iter(text) {
            if let Some(range) = (rule.accept)(text, &captures) {
                found.push(Found { range, kind: rule.kind });
            }
        }
    }
    found
}

fn whole(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    captures.get(0).map(|all| all.range())
}

fn secret(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    captures.name("s").map(|secret| secret.range())
}

/// `task-…` and `.sk-folding-cube` are no keys.
fn separate_and_mixed(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let all = captures.get(0)?;
    let before = text[..all.start()].chars().next_back();
    let separate = before.is_none_or(|c| !c.is_ascii_alphanumeric());
    (separate && all.as_str().bytes().any(|b| b.is_ascii_digit())).then(|| all.range())
}

fn no_placeholder(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let secret = captures.name("s")?;
    (!is_placeholder(secret.as_str())).then(|| secret.range())
}

/// `Authorization: Bearer <token>` and prose about authorization are left alone.
fn header_value(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let secret = captures.name("s")?;
    let called = text[secret.end()..].starts_with('(') || secret.as_str().contains("::");
    let has = |class: fn(&u8) -> bool| secret.as_str().bytes().any(|b| class(&b));
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let shaped = !called && (has(u8::is_ascii_digit) || (captures.name("scheme").is_some() && mixed));
    (shaped && !is_placeholder(secret.as_str())).then(|| secret.range())
}

fn assigned(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    if goes_on_as_another_word(captures) {
        return None;
    }
    let password = captures["name"].to_ascii_lowercase().contains("pass") || captures["name"].contains("pwd");
    if let Some(value) = ["dq", "sq", "bq"].iter().find_map(|group| captures.name(group)) {
        return looks_secret(value.as_str(), password).then(|| value.range());
    }
    let value = captures.name("bare")?;
    let rest = &text[value.end()..];
    // Between tags a value ends where the closing tag begins; elsewhere a bracket makes it a call.
    let code = match captures.name("join").map(|join| join.as_str()) {
        None => true,
        Some(">") => !rest.starts_with("</"),
        Some(_) => rest.starts_with(['(', '[', '{', '<']),
    } || is_code(value.as_str(), password);
    (!code && looks_secret(value.as_str(), password)).then(|| value.range())
}

/// `TOKENIZER` is not `TOKEN`, but `tokenValue` and `TOKENS` are.
fn goes_on_as_another_word(captures: &Captures<'_>) -> bool {
    let shouting = captures["name"].ends_with(|c: char| c.is_ascii_uppercase());
    let more = captures.name("more").map_or("", |more| more.as_str());
    shouting && more.starts_with(|c: char| c.is_ascii_uppercase()) && !more.starts_with("S_") && more != "S"
}

/// Judged by its characters: length, classes, entropy. Prose and placeholders are none.
fn looks_secret(value: &str, password: bool) -> bool {
    if value.contains(char::is_whitespace) || is_placeholder(value) || (!password && is_words(value)) {
        return false;
    }
    let has = |class: fn(&u8) -> bool| value.bytes().any(|b| class(&b));
    let (letter, digit) = (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit));
    let symbol = value.bytes().any(|b| b.is_ascii_punctuation() && !b"_-.:/,".contains(&b));
    if password {
        return value.len() >= 6 && letter && (digit || symbol);
    }
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    match value.len() {
        0..8 => false,
        8..12 => letter && digit && (mixed || symbol),
        12..24 => letter && (digit || (mixed && symbol)) && entropy(value) >= 2.8,
        _ => letter && (digit || mixed) && entropy(value) >= 3.2,
    }
}

/// `client_traffic_secret_0`, `MY-APP-1`: a label, however long.
fn is_words(value: &str) -> bool {
    let word = |part: &str| {
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let tail = stem.get(1..).unwrap_or("");
        let even = tail.bytes().all(|b| b.is_ascii_lowercase()) || stem.bytes().all(|b| b.is_ascii_uppercase());
        part.len() - stem.len() <= 3 && even && stem.bytes().all(|b| b.is_ascii_alphabetic())
    };
    value.contains(['_', '-', '.']) && value.split(['_', '-', '.']).all(word)
}

/// Names of values are no values: `self.tokens0.next`, `env.SECRET`, `next_token2`, paths, addresses.
fn is_code(value: &str, password: bool) -> bool {
    let most_digits = if password { 1 } else { 5 };
    let word = |part: &str| {
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - stem.len() <= most_digits && stem.bytes().all(|b| b.is_ascii_alphabetic())
    };
    value.contains("::")
        || value.contains("://")
        || value.contains("->")
        || value.starts_with("0x")
        || value.starts_with([':', '/', '.', '~', '&', '*', '@', '!', '|', '-'])
        || value.trim_end_matches(['?', '.', ')', '!']).split(['.', '_', '-', '/', '\\', '$']).all(word)
}

fn is_placeholder(value: &str) -> bool {
    let first = value.bytes().next();
    let uniform = value.bytes().all(|b| Some(b) == first || b == b'-');
    uniform
        || value.starts_with(['$', '{', '<', '%', '#'])
        || value.contains("[redacted")
        || value.contains("${")
        || value.contains("{{")
        || ["npm:", "workspace:", "file:", "process.env", "os.environ"].iter().any(|start| value.starts_with(start))
}

/// Shannon entropy in bits per byte.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}
