//! True sentences with one mistake in each.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use uro_capture::domain::patch::Commit;
use uro_capture::facts::Facts;
use uro_capture::facts::symbols::SymbolChange;

use super::mutations::one_sided;

/// A sentence that is false.
pub struct Planted {
    pub kind: &'static str,
    pub text: String,
    /// Names in it that must not exist, in small letters.
    pub new_names: Vec<String>,
}

/// The changed lines of the whole patch in small letters.
pub struct Sides<'a> {
    pub old: String,
    pub new: String,
    pub facts: &'a Facts,
}

/// One sentence per fact, at most twelve.
pub fn sentences(facts: &Facts) -> Vec<String> {
    let symbols = facts.symbols.iter().take(8).filter_map(|symbol| {
        let (name, path) = (&symbol.name, &symbol.path);
        let old = symbol.old_name.as_deref();
        Some(match symbol.change {
            SymbolChange::Added => format!("Adds `{name}` in {path}."),
            SymbolChange::Removed => format!("Removes `{name}` from {path}."),
            SymbolChange::Renamed => format!("Renames `{}` to `{name}`.", old?),
            SymbolChange::Moved => format!("Moves `{name}` to {path}."),
            SymbolChange::Redefined => format!("Changes the signature of `{name}`."),
            SymbolChange::Modified => format!("Changes `{name}` in {path}."),
        })
    });
    let renames = facts.renames.iter().take(2).map(|(from, to)| format!("Renames {from} to {to}."));
    let dependencies = facts.dependencies.iter().take(2).filter_map(|dependency| {
        Some(format!("Updates {} from {} to {}.", dependency.name, dependency.from.as_ref()?, dependency.to.as_ref()?))
    });
    symbols.chain(renames).chain(dependencies).collect()
}

/// Every mistake that can be made in the text.
pub fn all(text: &str, seed: &str, sides: &Sides<'_>, commit: &Commit) -> Vec<Planted> {
    let mut planted = Vec::new();
    planted.extend(names(text, seed));
    planted.extend(numbers(text, seed, sides, commit));
    planted.extend(more(text, seed, sides, commit));
    planted.extend(swapped_verbs(text, sides));
    planted.extend(swapped_ends(text, sides));
    planted
}

fn hash(seed: &str, salt: impl Hash) -> usize {
    let mut hasher = DefaultHasher::new();
    (seed, salt).hash(&mut hasher);
    hasher.finish() as usize
}

/// Words that names are made of, in no repository together.
const FIRST: [&str; 12] = [
    "quorum", "ledger", "lattice", "parcel", "beacon", "tandem", "harbor", "prism", "cinder", "velvet", "orchard",
    "summit",
];
const SECOND: [&str; 12] = [
    "planner", "resolver", "gateway", "collector", "adapter", "monitor", "sampler", "balancer", "shaper", "courier",
    "warden", "splitter",
];

/// Words with their places (bytes).
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let start = at;
            at += word.len();
            let bare =
                word.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '`' | '_' | '/' | '+' | '\u{2212}')));
            (start + word.find(bare).unwrap_or(0), bare)
        })
        .filter(|(_, word)| !word.is_empty())
        .collect()
}

/// Names and paths replaced by ones that are not there, in the style of what they replace.
fn names(text: &str, seed: &str) -> Vec<Planted> {
    let mut planted = Vec::new();
    for (at, word) in words(text).into_iter().take(24) {
        let bare = word.trim_matches('`');
        let n = hash(seed, at);
        let (one, two) = (FIRST[n % 12], SECOND[n / 12 % 12]);
        let joined = bare.contains('/') || is_file(bare);
        let (kind, new) = if joined && !word.starts_with('`') && !bare.contains("://") && !bare.starts_with('@') {
            ("path", path(bare, one, two))
        } else if word.starts_with('`') || is_code(bare) {
            ("symbol", symbol(bare, one, two))
        } else {
            continue;
        };
        let Some(new) = new else { continue };
        let text = format!("{}{}{}", &text[..at], word.replace(bare, &new), &text[at + word.len()..]);
        planted.push(Planted { kind, text, new_names: vec![new.to_lowercase()] });
    }
    planted
}

fn is_file(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(name, end)| {
        name.len() > 1
            && ["rs", "py", "js", "ts", "go", "java", "c", "h", "md", "toml", "json", "yml", "yaml"].contains(&end)
    })
}

/// Unmistakably code.
fn is_code(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    let camel = chars.windows(2).any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase());
    let plain = chars.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
    plain && !word.ends_with(':') && (camel || word.trim_matches('_').contains('_') || word.contains("::"))
}

fn path(old: &str, one: &str, two: &str) -> Option<String> {
    let (folder, file) = old.rsplit_once('/').map_or(("", old), |(folder, file)| (folder, file));
    let end = file.rsplit_once('.').map(|(_, end)| format!(".{end}")).unwrap_or_default();
    let slash = if folder.is_empty() && !old.starts_with('/') { "" } else { "/" };
    Some(format!("{folder}{slash}{one}_{two}{end}"))
}

fn symbol(old: &str, one: &str, two: &str) -> Option<String> {
    let last = old.trim_end_matches("()").rsplit([':', '.', '#']).next()?;
    let high = |word: &str| word[..1].to_uppercase() + &word[1..];
    let new = if last.contains('_') && last.contains(|c: char| c.is_ascii_uppercase()) {
        format!("{}_{}", one.to_uppercase(), two.to_uppercase())
    } else if last.starts_with(|c: char| c.is_ascii_uppercase()) {
        high(one) + &high(two)
    } else if last.contains(|c: char| c.is_ascii_uppercase()) {
        one.to_owned() + &high(two)
    } else {
        format!("{one}_{two}")
    };
    let at = old.rfind(last)?;
    (last.contains(char::is_alphabetic)).then(|| format!("{}{new}{}", &old[..at], &old[at + last.len()..]))
}

/// A number that stands alone in prose, replaced by one that is nowhere in the patch and follows from no count of it.
fn numbers(text: &str, seed: &str, sides: &Sides<'_>, commit: &Commit) -> Vec<Planted> {
    let mut planted = Vec::new();
    for (at, word) in words(text) {
        let signs = word.len() - word.trim_start_matches(['+', '\u{2212}', 'v']).len();
        let digits = &word[signs..];
        let grouped: String = digits.chars().filter(|c| *c != ',').collect();
        let version = digits.contains('.') && digits.split('.').all(|part| part.parse::<u64>().is_ok());
        if text[..at].ends_with(['#', '`']) || (grouped.parse::<u64>().is_err() && !version) {
            continue;
        }
        let new = (0..50).find_map(|attempt| {
            let step = 1 + hash(seed, (at, attempt)) as u64 % 40;
            let (head, last) = grouped.rsplit_once('.').map_or(("", grouped.as_str()), |(head, last)| (head, last));
            let last = last.parse::<u64>().ok()?.checked_add(step)?;
            let new = if head.is_empty() { last.to_string() } else { format!("{head}.{last}") };
            is_false(&new, sides, commit).then_some(new)
        });
        let Some(new) = new else { continue };
        let kind = if version { "version" } else { "number" };
        let text = format!("{}{}{new}{}", &text[..at], &word[..signs], &text[at + word.len()..]);
        planted.push(Planted { kind, text, new_names: Vec::new() });
    }
    planted
}

/// Nobody wrote it, and it is no count.
fn is_false(number: &str, sides: &Sides<'_>, commit: &Commit) -> bool {
    let in_text = |text: &str| {
        text.match_indices(number).any(|(at, _)| {
            let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            !digit(text[..at].chars().next_back()) && !digit(text[at + number.len()..].chars().next())
        })
    };
    let patch = &commit.patch;
    let whole: Option<u64> = number.parse().ok();
    let mut counts = vec![patch.files_total as u64];
    for (added, removed) in
        patch.files.iter().map(|file| (file.insertions, file.deletions)).chain([(patch.insertions, patch.deletions)])
    {
        counts.extend(added.into_iter().chain(removed).chain(added.zip(removed).map(|(a, b)| a + b)));
    }
    let shares = &sides.facts.shares;
    counts.extend(
        shares
            .iter()
            .flat_map(|share| [share.files as u64, share.insertions.unwrap_or(0), share.deletions.unwrap_or(0)]),
    );
    let near = patch
        .files
        .iter()
        .flat_map(|file| file.hunks.iter())
        .flat_map(|hunk| hunk.lines.iter().map(|line| line.text.as_str()).chain([hunk.header.as_str()]));
    let paths = patch.files.iter().flat_map(|file| [Some(file.path.as_str()), file.old_path.as_deref()]).flatten();
    !whole
        .is_some_and(|n| counts.contains(&n) || n <= sides.facts.symbols.len() as u64 || n <= patch.files.len() as u64)
        && !in_text(&commit.message)
        && !near.chain(paths).any(in_text)
}

/// A number, a ticket and a version more than the patch has.
fn more(text: &str, seed: &str, sides: &Sides<'_>, commit: &Commit) -> Vec<Planted> {
    let head = text.trim_end().trim_end_matches('.');
    let n = |salt: &str| {
        (0..50).map(|at| (hash(seed, (salt, at)) % 900 + 13).to_string()).find(|n| is_false(n, sides, commit))
    };
    let version = format!("{}.{}.{}", hash(seed, 1) % 40 + 3, hash(seed, 2) % 40 + 3, hash(seed, 3) % 40 + 3);
    let ends = [
        ("more: quantity", n("q").map(|n| format!("{head}, {n} % faster."))),
        ("more: number", n("n").map(|n| format!("{head} with a limit of {n}."))),
        ("more: ticket", n("t").map(|n| format!("{head} (#{n})."))),
        ("more: version", is_false(&version, sides, commit).then(|| format!("{head} as of {version}."))),
    ];
    ends.into_iter().filter_map(|(kind, text)| Some(Planted { kind, text: text?, new_names: Vec::new() })).collect()
}

const VERBS: [(&str, &str); 12] = [
    ("Adds", "Removes"),
    ("adds", "removes"),
    ("Added", "Removed"),
    ("added", "removed"),
    ("Add", "Remove"),
    ("add", "remove"),
    ("Removes", "Adds"),
    ("removes", "adds"),
    ("Removed", "Added"),
    ("removed", "added"),
    ("Remove", "Add"),
    ("remove", "add"),
];

/// The verb turned round where its object, in backticks or unmistakably code, stands on one side only.
fn swapped_verbs(text: &str, sides: &Sides<'_>) -> Vec<Planted> {
    let words = words(text);
    let mut planted = Vec::new();
    for pair in words.windows(2) {
        let ((at, verb), (_, object)) = (pair[0], pair[1]);
        let Some((_, other)) = VERBS.iter().find(|(one, _)| *one == verb) else { continue };
        let bare = object.trim_matches('`');
        let named = object.starts_with('`') && object.ends_with('`') && object.len() > 2;
        // "Adds `a` support" is not about `a` itself.
        let end = pair[1].0 + object.len();
        let alone = text[end..].starts_with(['.', ',', ';'])
            || ["in", "and", "from", "to", "function", "method", ""]
                .contains(&text[end..].split_whitespace().next().unwrap_or(""));
        if !(named || is_code(bare)) || !alone || text[..at].trim_end().ends_with("the") {
            continue;
        }
        let added = verb.to_lowercase().starts_with("add");
        let true_side = if added { is_added(bare, sides) } else { is_removed(bare, sides) };
        if true_side {
            let text = format!("{}{other}{}", &text[..at], &text[at + verb.len()..]);
            planted.push(Planted { kind: "added ↔ removed", text, new_names: Vec::new() });
        }
    }
    planted
}

fn is_added(name: &str, sides: &Sides<'_>) -> bool {
    match one_sided(sides.facts, name) {
        Some(fate) => fate == SymbolChange::Added,
        None => has(&sides.new, name) && !has(&sides.old, name),
    }
}

fn is_removed(name: &str, sides: &Sides<'_>) -> bool {
    match one_sided(sides.facts, name) {
        Some(fate) => fate == SymbolChange::Removed,
        None => has(&sides.old, name) && !has(&sides.new, name),
    }
}

fn has(text: &str, name: &str) -> bool {
    text.contains(&name.to_lowercase())
}

/// "from A to B" and "Renames A to B" turned round where A stands before the change only and B after it only.
fn swapped_ends(text: &str, sides: &Sides<'_>) -> Vec<Planted> {
    let words = words(text);
    let mut planted = Vec::new();
    for window in words.windows(4) {
        let [(_, lead), (from_at, from), (_, to), (to_at, end)] = [window[0], window[1], window[2], window[3]];
        let renames = matches!(lead, "Renames" | "Rename" | "renames" | "rename");
        if !(lead == "from" || renames) || to != "to" || !is_telling(from) || !is_telling(end) {
            continue;
        }
        let plain = |word: &str| word.trim_matches('`').to_owned();
        let (a, b) = (plain(from), plain(end));
        let paths = sides.facts.renames.contains(&(a.clone(), b.clone()));
        let symbols =
            sides.facts.symbols.iter().any(|symbol| symbol.name == b && symbol.old_name.as_deref() == Some(a.as_str()));
        let lines =
            bounded(&sides.old, &a) && !bounded(&sides.new, &a) && bounded(&sides.new, &b) && !bounded(&sides.old, &b);
        if paths || symbols || lines {
            let middle = &text[from_at + from.len()..to_at];
            let text = format!("{}{end}{middle}{from}{}", &text[..from_at], &text[to_at + end.len()..]);
            planted.push(Planted { kind: "before ↔ after", text, new_names: Vec::new() });
        }
    }
    planted
}

/// A name or a number; between plain words the patch cannot decide.
fn is_telling(word: &str) -> bool {
    word.starts_with('`')
        || word.contains('/')
        || is_code(word)
        || is_file(word)
        || word.contains(|c: char| c.is_ascii_digit())
}

fn bounded(text: &str, word: &str) -> bool {
    let low = word.to_lowercase();
    text.match_indices(&low).any(|(at, _)| {
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        !part(text[..at].chars().next_back()) && !part(text[at + low.len()..].chars().next())
    })
}
