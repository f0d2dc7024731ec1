//! Headline of the template: what the commit does, from its symbols, else from its files.

use super::parameters;
use super::phrase::{capitalized, code, count, list, list_up_to, number, path};
use crate::domain::patch::{Change, Commit, FileChange, LineOrigin, UnreadReason};
use crate::facts::Facts;
use crate::facts::case::Case;
use crate::facts::language::SymbolKind;
use crate::facts::symbols::{Symbol, SymbolChange};

/// The headline of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headline {
    /// The sentence, without its full stop; `None` if the distribution over roles covers everything.
    pub text: Option<String>,
    /// It names the place of the change, but not the change.
    pub vague: bool,
    /// The only definition it names, which was merely changed.
    pub only: Option<Symbol>,
}

impl Headline {
    fn plain(text: String) -> Self {
        Self { text: Some(text), ..Self::default() }
    }
}

/// Composes the headline.
#[must_use]
pub fn compose_headline(commit: &Commit, facts: &Facts, lead: &str) -> Headline {
    let files = &commit.patch.files;
    let special = match facts.case {
        Case::Unknown => Some("Its changes are not in this clone".to_owned()),
        Case::Empty => Some("Changes no file".to_owned()),
        Case::RenameOnly => Some(renames(facts)),
        Case::ModeOnly => Some(format!("Changes the mode of {}", paths(files, "file"))),
        Case::SubmoduleOnly => Some(submodules(files)),
        Case::BinaryOnly => Some(binaries(files)),
        Case::WhitespaceOnly => Some(blanks(files)),
        Case::Initial => Some(initial(facts, !commit.patch.truncated && facts.all_symbols)),
        _ => None,
    };
    if let Some(text) = special {
        return Headline::plain(text);
    }
    let vague = || files.iter().all(|file| file.change == Change::Modified && !is_submodule(file));
    symbols(commit, facts, lead).unwrap_or_else(|| Headline {
        text: by_files(commit, facts, lead),
        vague: vague(),
        only: None,
    })
}

/// Limits of names per verb and in all; more become a number.
const NAMES: usize = 3;
const NAMES_IN_ALL: usize = 5;
/// Limit of named members, on each side.
const MEMBERS: usize = 2;
/// Limit of verbs in a sentence.
const CLAUSES: usize = 3;
/// Beyond this number of files, further ones are only counted.
const PLACES: usize = 12;

fn symbols(commit: &Commit, facts: &Facts, lead: &str) -> Option<Headline> {
    let mut reported = worth_telling(&facts.symbols);
    // Its value is reported as the project's version.
    let version =
        |symbol: &Symbol| symbol.kind == SymbolKind::Constant && symbol.bare().eq_ignore_ascii_case("version");
    reported.retain(|symbol| !(facts.version.is_some() && symbol.change == SymbolChange::Modified && version(symbol)));
    if reported.is_empty() || reported.iter().all(|symbol| names_symbol(lead, symbol)) {
        return None;
    }
    let exact = !commit.patch.truncated && facts.all_symbols;
    let mut clauses = Clauses { exact, named: Vec::new(), texts: Vec::new() };
    for (verb, is) in VERBS {
        let of: Vec<&Symbol> = reported.iter().copied().filter(|symbol| is(symbol)).collect();
        let verb = common_parameter_verb(commit, verb, &of).unwrap_or_else(|| verb.to_owned());
        clauses.add_clause(&verb, of);
    }
    let Clauses { named, texts, exact, .. } = clauses;
    if let Some(path_change) = move_path(&reported) {
        let [(_, text)] = texts.as_slice() else { return None };
        return Some(Headline::plain(capitalized(&format!("{text} {path_change}{}", new_tests(facts)))));
    }
    let place = location(&reported, &named, exact);
    let preposition = match texts.as_slice() {
        [(_, text)] if text.starts_with("removes") && !text.contains(" from ") => "from",
        [(_, text)] if text.starts_with("moves") => "to",
        _ => "in",
    };
    let changed = |symbol: &&Symbol| {
        symbol.change == SymbolChange::Modified && !symbol.comments_only && symbol.members.is_empty()
    };
    // Parameter changes are reported as such; for another signature the line is more informative.
    let is_vague = |symbol: &&Symbol| changed(symbol) || (texts.len() == 1 && texts[0].1.starts_with(SIGNATURE));
    Some(Headline {
        text: Some(capitalized(&format!("{} {preposition} {place}{}", join(&texts), new_tests(facts)))),
        vague: reported.iter().all(is_vague),
        only: reported.first().filter(|symbol| reported.len() == 1 && is_vague(symbol)).map(|symbol| (*symbol).clone()),
    })
}

/// The common verb of all functions with a changed signature, if they gained or lost the same parameters.
fn common_parameter_verb(commit: &Commit, verb: &str, of: &[&Symbol]) -> Option<String> {
    if verb != SIGNATURE {
        return None;
    }
    let mut verbs = of.iter().map(|symbol| parameters::parameter_verb(commit, symbol));
    let first = verbs.next()??;
    verbs.all(|verb| verb.as_ref() == Some(&first)).then_some(first)
}

/// `from a.rs to b.rs`, if every symbol was moved in the same way.
fn move_path(moved: &[&Symbol]) -> Option<String> {
    let of = |symbol: &Symbol| Some((symbol.old_path.clone()?, symbol.path.clone()));
    let first = moved.first().and_then(|symbol| of(symbol))?;
    let all = moved.iter().all(|symbol| symbol.change == SymbolChange::Moved && of(symbol).as_ref() == Some(&first));
    all.then(|| format!("from {} to {}", path(&first.0), path(&first.1)))
}

/// Selects the definitions of a verb.
type SymbolFilter = fn(&Symbol) -> bool;

const SIGNATURE: &str = "changes the signature of";
const CHANGED: &str = "changes";

/// Verbs for definitions, in the order of description.
const VERBS: [(&str, SymbolFilter); 8] = [
    ("adds", |symbol| symbol.change == SymbolChange::Added),
    ("removes", |symbol| symbol.change == SymbolChange::Removed),
    ("renames", |symbol| symbol.change == SymbolChange::Renamed),
    ("moves", |symbol| symbol.change == SymbolChange::Moved),
    (SIGNATURE, |symbol| symbol.change == SymbolChange::Redefined && symbol.kind == SymbolKind::Function),
    ("changes the definition of", |symbol| {
        symbol.change == SymbolChange::Redefined && symbol.kind != SymbolKind::Function
    }),
    (CHANGED, |symbol| symbol.change == SymbolChange::Modified && !symbol.comments_only),
    ("changes comments on", |symbol| symbol.change == SymbolChange::Modified && symbol.comments_only),
];

/// Builder of the sentence.
struct Clauses<'a> {
    exact: bool,
    named: Vec<&'a Symbol>,
    texts: Vec<(usize, String)>,
}

impl<'a> Clauses<'a> {
    fn add_clause(&mut self, verb: &str, mut of: Vec<&'a Symbol>) {
        let first = self.texts.is_empty();
        let limit = if first { NAMES } else { NAMES - 1 }.min(NAMES_IN_ALL.saturating_sub(self.named.len()));
        if of.is_empty() || self.texts.len() == CLAUSES || limit == 0 {
            return;
        }
        // Beside additions and removals, many merely changed definitions are counted.
        if verb == CHANGED && !first && of.len() > limit {
            if self.exact {
                self.texts.push((1, format!("changes {}", count(of.len(), &format!("other {}", noun(&of))))));
            }
            return;
        }
        if verb == CHANGED {
            of.sort_by_key(|symbol| std::cmp::Reverse(symbol.lines));
        }
        let more = of.len().saturating_sub(limit);
        let mut names: Vec<String> = of.iter().take(limit).map(|symbol| describe_symbol(symbol)).collect();
        if more > 0 {
            names.push(if self.exact { format!("{} more", number(more as u64)) } else { "more".to_owned() });
        }
        self.texts.push((of.len(), format!("{verb} {}", list(&names))));
        self.named.extend(of.into_iter().take(limit));
    }
}

fn noun(of: &[&Symbol]) -> &'static str {
    let all = |kind: SymbolKind| of.iter().all(|symbol| symbol.kind == kind);
    if all(SymbolKind::Function) { "function" } else { "definition" }
}

/// The name, after its old name; with its added and removed members.
fn describe_symbol(symbol: &Symbol) -> String {
    let name = code(&symbol.name);
    match &symbol.old_name {
        Some(old) if symbol.change == SymbolChange::Renamed => format!("{} to {name}", code(old)),
        _ if matches!(symbol.change, SymbolChange::Modified | SymbolChange::Redefined) => {
            format!("{name}{}", members(symbol))
        }
        _ => name,
    }
}

/// ` (adds `a`, removes `b`)`.
fn members(symbol: &Symbol) -> String {
    let of = |added: bool, verb: &str| {
        let of: Vec<String> = symbol.members.iter().filter(|m| m.added == added).map(|m| code(&m.name)).collect();
        (1..=MEMBERS).contains(&of.len()).then(|| format!("{verb} {}", list(&of)))
    };
    let both: Vec<String> = of(true, "adds").into_iter().chain(of(false, "removes")).collect();
    if both.is_empty() { String::new() } else { format!(" ({})", both.join(", ")) }
}

/// Clauses that contain lists are separated by semicolons.
fn join(clauses: &[(usize, String)]) -> String {
    let texts: Vec<String> = clauses.iter().map(|(_, text)| text.clone()).collect();
    let simple = clauses.iter().rev().skip(1).all(|(names, _)| *names == 1);
    if simple { list(&texts) } else { texts.join("; ") }
}

/// Tests added with production code. A renamed or moved one is not new.
pub fn new_tests(facts: &Facts) -> String {
    let production = facts.symbols.iter().any(|symbol| !symbol.test);
    let tests = |fate| facts.symbols.iter().filter(|symbol| symbol.test_case && symbol.change == fate).count();
    let new = tests(SymbolChange::Added).saturating_sub(tests(SymbolChange::Removed));
    if production && new > 0 { format!(", with {}", count(new, "new test")) } else { String::new() }
}

/// Production code, else tests; one entry per name; members of an added or removed type are covered by it.
fn worth_telling(symbols: &[Symbol]) -> Vec<&Symbol> {
    let production = symbols.iter().any(|symbol| !symbol.test);
    let mut kept: Vec<&Symbol> = Vec::new();
    for symbol in symbols.iter().filter(|symbol| symbol.test != production) {
        let whole = |of: &str| {
            symbols.iter().any(|s| s.name == of && s.change == symbol.change && s.change != SymbolChange::Modified)
        };
        let of = symbol.name.rsplit_once("::").or_else(|| symbol.name.rsplit_once('.')).map(|(of, _)| of);
        // A type with changed members is not reported as changed, too.
        let inner = |other: &Symbol| {
            let rest = other.name.strip_prefix(symbol.name.as_str());
            rest.is_some_and(|rest| rest.starts_with(['.', ':'])) && other.test == symbol.test
        };
        let outer = symbol.change == SymbolChange::Modified && symbol.members.is_empty() && symbols.iter().any(inner);
        if outer {
            continue;
        }
        let repeated = kept.iter().any(|other| other.name == symbol.name && other.change == symbol.change);
        // One change per name: a definition re-added elsewhere is not reported as removed or changed.
        let same = |s: &&Symbol| s.test == symbol.test && s.name == symbol.name;
        let elsewhere = symbols.iter().filter(same).any(|s| s.change.precedence() < symbol.change.precedence());
        if !repeated && !elsewhere && !of.is_some_and(whole) && symbol.name != "_" {
            kept.push(symbol);
        }
    }
    kept
}

/// Whether the author's text already names the symbol.
fn names_symbol(lead: &str, symbol: &Symbol) -> bool {
    let bare = symbol.name.rsplit([':', '.']).next().unwrap_or(&symbol.name);
    lead.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == bare)
}

/// The files: named while they are few, else the one with most of the named symbols; counted if `exact`.
fn location(symbols: &[&Symbol], named: &[&Symbol], exact: bool) -> String {
    let mut places: Vec<&str> = symbols.iter().map(|symbol| symbol.path.as_str()).collect();
    places.sort_unstable();
    places.dedup();
    let first = named.first().map_or("", |symbol| symbol.path.as_str());
    match places.as_slice() {
        [one] => path(one),
        [one, two] => format!("{} and {}", path(one), path(two)),
        _ if !exact => format!("{} and more files", path(first)),
        many if many.len() <= PLACES => format!("{} and {}", path(first), count(many.len() - 1, "more file")),
        many => match common_dir(many) {
            Some(dir) => format!("{} under {}", count(many.len(), "file"), path(&dir)),
            None => count(many.len(), "file"),
        },
    }
}

fn common_dir(paths: &[&str]) -> Option<String> {
    let mut dirs = paths.iter().map(|path| path.rsplit_once('/').map_or("", |(dir, _)| dir).split('/').collect());
    let first: Vec<&str> = dirs.next()?;
    let common = dirs.fold(first, |common, dir: Vec<&str>| {
        common.into_iter().zip(dir).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    });
    let dir = common.join("/");
    (!dir.is_empty()).then_some(dir)
}

/// A few files are named, many are counted.
fn paths(files: &[FileChange], noun: &str) -> String {
    if files.len() > NAMES {
        return count(files.len(), noun);
    }
    list(&files.iter().map(|file| path(&file.path)).collect::<Vec<_>>())
}

fn renames(facts: &Facts) -> String {
    let split =
        |path: &str| path.rsplit_once('/').map_or((String::new(), path.to_owned()), |(d, n)| (d.into(), n.into()));
    let mut dirs: Vec<(String, String)> = Vec::new();
    let mut same_names = true;
    for (from, to) in &facts.renames {
        let ((from_dir, from_name), (to_dir, to_name)) = (split(from), split(to));
        same_names &= from_name == to_name;
        dirs.push((from_dir, to_dir));
    }
    dirs.dedup();
    match (facts.renames.as_slice(), dirs.as_slice()) {
        ([one, rest @ ..], _) if rest.len() < 2 => {
            let each = |(from, to): &(String, String)| format!("{} to {}", path(from), path(to));
            format!("Renames {}", list(&std::iter::once(one).chain(rest).map(each).collect::<Vec<_>>()))
        }
        (many, [(from, to)]) if same_names && !from.is_empty() && !to.is_empty() => {
            format!("Moves {} from {} to {}", count(many.len(), "file"), path(from), path(to))
        }
        (many, _) => format!("Renames {}", count(many.len(), "file")),
    }
}

/// Added or removed blank lines.
fn blanks(files: &[FileChange]) -> String {
    let lines = || files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
    let changed = || lines().filter(|line| line.origin != LineOrigin::Context);
    let all = |origin: LineOrigin| changed().all(|line| line.origin == origin && line.text.trim().is_empty());
    let place = paths(files, "file");
    match changed().count() {
        0 => format!("Changes only whitespace in {place}"),
        n if all(LineOrigin::Added) => format!("Adds {} to {place}", count(n, "blank line")),
        n if all(LineOrigin::Removed) => format!("Removes {} from {place}", count(n, "blank line")),
        _ => format!("Changes only whitespace in {place}"),
    }
}

fn submodules(files: &[FileChange]) -> String {
    let noun = if files.len() == 1 { "the submodule " } else { "" };
    let what = format!("{noun}{}", paths(files, "submodule"));
    if files.iter().all(|file| file.change == Change::Added) {
        format!("Adds {what}")
    } else if files.iter().all(|file| file.change == Change::Deleted) {
        format!("Removes {what}")
    } else if files.len() == 1 {
        format!("Moves {what} to another commit")
    } else {
        format!("Moves {} to other commits", count(files.len(), "submodule"))
    }
}

fn binaries(files: &[FileChange]) -> String {
    let verb = match files {
        all if all.iter().all(|file| file.change == Change::Added) => "Adds",
        all if all.iter().all(|file| file.change == Change::Deleted) => "Deletes",
        _ => "Changes",
    };
    match files {
        [one] => format!("{verb} the binary file {}", path(&one.path)),
        many => format!("{verb} {}", count(many.len(), "binary file")),
    }
}

fn initial(facts: &Facts, exact: bool) -> String {
    let symbols = worth_telling(&facts.symbols);
    let names: Vec<String> = symbols.iter().map(|symbol| code(&symbol.name)).collect();
    let with = if names.is_empty() { String::new() } else { format!(" with {}", list_up_to(NAMES, names, exact)) };
    format!("The first commit: {}{with}", count(facts.files_total, "file"))
}

/// Files by kind of change; after a lead, edited files are left to the distribution.
fn by_files(commit: &Commit, facts: &Facts, lead: &str) -> Option<String> {
    if !facts.all_listed {
        return None;
    }
    let files = &commit.patch.files;
    if let ([share], true) = (facts.shares.as_slice(), lead.is_empty())
        && share.insertions.is_none()
        && files.len() > NAMES
        && files.iter().all(|file| file.change == Change::Modified)
    {
        return Some(format!("Changes {}", count(share.files, &format!("{} file", share.role.adjective()))));
    }
    // Format changes have their own sentence.
    let has_format_change = |file: &FileChange| facts.formats.iter().any(|change| change.path == file.path);
    let edited =
        |file: &FileChange| has_format_change(file) || (file.change == Change::Modified && !is_submodule(file));
    // The distribution names single files per role, and counts many files of one role.
    let shares = &facts.shares;
    let covered = shares.iter().all(|share| share.files == 1) || (shares.len() == 1 && facts.files_total > NAMES);
    if files.iter().all(edited) && (!lead.is_empty() || covered) {
        return None;
    }
    let mut clauses = Vec::new();
    for (change, verb) in [(Change::Added, "adds"), (Change::Deleted, "deletes"), (Change::Modified, "edits")] {
        let written = |file: &&FileChange| file.change == change && !is_submodule(file) && !has_format_change(file);
        let of: Vec<String> = files.iter().filter(written).map(|file| path(&file.path)).collect();
        let silent = change == Change::Modified && !lead.is_empty();
        if !of.is_empty() && !silent {
            clauses.push(format!("{verb} {}", some_files(&of)));
        }
    }
    let others: Vec<FileChange> = files.iter().filter(|file| is_submodule(file)).cloned().collect();
    if !others.is_empty() {
        clauses.push(super::phrase::uncapitalized(&submodules(&others)));
    }
    if !facts.renames.is_empty() {
        clauses.push(super::phrase::uncapitalized(&renames(facts)));
    }
    let in_lead = clauses.len() == 1 && files.len() == 1 && lead.contains(files[0].path.as_str());
    (!clauses.is_empty() && !in_lead).then(|| capitalized(&list(&clauses)))
}

fn is_submodule(file: &FileChange) -> bool {
    file.unread == Some(UnreadReason::Submodule)
}

/// The most informative files; the rest are counted.
fn some_files(of: &[String]) -> String {
    if of.len() <= NAMES {
        return list(of);
    }
    if of.len() > PLACES {
        let files = count(of.len(), "file");
        let dir = common_dir(&of.iter().map(String::as_str).collect::<Vec<_>>());
        return dir.map_or_else(|| files.clone(), |dir| format!("{files} under {}", path(&dir)));
    }
    let mut named = of[..NAMES - 1].to_vec();
    let more = of.len() - named.len();
    named.push(format!("{} more files", number(more as u64)));
    list(&named)
}
