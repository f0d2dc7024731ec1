//! Added and removed parameters of a function, from its definition line.

use super::phrase::{code, count, list};
use crate::domain::patch::{Commit, LineOrigin, PatchLine};
use crate::facts::symbols::Symbol;

/// Limits: named parameters, and characters of one.
const NAMED: usize = 2;
const CHARS: usize = 32;

/// `adds the parameter `x` to`, `removes the parameters `x` and `y` from`: the words before the function's name. `None`
/// if the parameters span several lines, or some were added and others removed.
#[must_use]
pub fn parameter_verb(commit: &Commit, symbol: &Symbol) -> Option<String> {
    let file = commit.patch.files.iter().find(|file| file.path == symbol.path)?;
    let lines = || file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let of = |origin: LineOrigin| {
        let mut found =
            lines().filter(|line| line.origin == origin).filter_map(|line| parse_parameters(line, symbol.bare()));
        let first = found.next()?;
        // A call that looks like the definition, or a duplicate.
        found.next().is_none().then_some(first)
    };
    let (old, new) = (of(LineOrigin::Removed)?, of(LineOrigin::Added)?);
    let (added, removed) = (parameters_not_in(&new, &old), parameters_not_in(&old, &new));
    match (added.as_slice(), removed.as_slice()) {
        ([_, ..], []) if is_part(&old, &new) => Some(format!("adds {} to", named(&added))),
        ([], [_, ..]) if is_part(&new, &old) => Some(format!("removes {} from", named(&removed))),
        _ => None,
    }
}

fn named(parameters: &[String]) -> String {
    let short = parameters.iter().all(|text| text.chars().count() <= CHARS && !text.contains('`'));
    if parameters.len() > NAMED || !short {
        return count(parameters.len(), "parameter");
    }
    let noun = if parameters.len() == 1 { "parameter" } else { "parameters" };
    format!("the {noun} {}", list(&parameters.iter().map(|text| code(text)).collect::<Vec<_>>()))
}

fn parameters_not_in(all: &[String], others: &[String]) -> Vec<String> {
    all.iter().filter(|parameter| !others.contains(parameter)).cloned().collect()
}

/// `few` is `many` with some left out.
fn is_part(few: &[String], many: &[String]) -> bool {
    let mut rest = many.iter();
    few.iter().all(|parameter| rest.any(|other| other == parameter))
}

/// The parameters of the function defined on the line.
fn parse_parameters(line: &PatchLine, name: &str) -> Option<Vec<String>> {
    const DEFINES: [&str; 12] = [
        "fn ", "func ", "def ", "function", "public ", "private ", "protected ", "static ", "async ", "export ", "=>",
        "override ",
    ];
    let text = line.text.trim();
    let (before, after) = text.match_indices(name).map(|(at, _)| text.split_at(at)).find(|(before, after)| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        !before.ends_with(part) && !after[name.len()..].starts_with(part)
    })?;
    let open = after.find('(')?;
    let between = after[name.len()..open].trim();
    let direct = between.is_empty() || between.ends_with("function") || between == "=" || between.ends_with("async");
    let defines = DEFINES.iter().any(|word| before.contains(word) || after.contains(word));
    let ends = text.trim_end().ends_with(['{', ':', ')', '}']) || !text.ends_with([';', ',']);
    (direct && defines && ends).then(|| split(&after[open..])).flatten()
}

/// Splits the text between the first bracket and its partner at commas; `None` without a partner.
fn split(text: &str) -> Option<Vec<String>> {
    let (mut depth, mut items, mut item) = (0, Vec::new(), String::new());
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        match c {
            '(' if depth == 1 => continue,
            ')' if depth == 0 => {
                items.push(item);
                let items = items.into_iter().map(|item| item.trim().to_owned());
                return Some(items.filter(|item| !item.is_empty()).collect());
            }
            ',' if depth == 1 => items.push(std::mem::take(&mut item)),
            _ => item.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::facts;
    use crate::facts::sample::{commit, file};
    use crate::facts::symbols::SymbolChange;

    fn verb_of(path: &str, patch: &str) -> Option<String> {
        let commit = commit("wip", vec![file(path, patch)]);
        let facts = facts::extract_facts(&commit, &SystemClock);
        let symbol = facts.symbols.iter().find(|symbol| symbol.change == SymbolChange::Redefined)?;
        parameter_verb(&commit, symbol)
    }

    #[test]
    fn parameters_that_came_or_went_are_named() {
        assert_eq!(
            verb_of("a.py", "@@\n-def send(path, name):\n+def send(path, name, *, after=None):\n     pass").as_deref(),
            Some("adds the parameters `*` and `after=None` to")
        );
        assert_eq!(
            verb_of(
                "a.go",
                "@@\n-func (c *Context) Render(code int, r Render) {\n+func (c *Context) Render(r Render) {\n \tx()\n }"
            )
            .as_deref(),
            Some("removes the parameter `code int` from")
        );
        assert_eq!(
            verb_of("a.rs", "@@\n-fn take(&self) -> A {\n+fn take(&self, a: F, b: G, c: H) -> A {\n     x();\n }")
                .as_deref(),
            Some("adds 3 parameters to")
        );
    }

    #[test]
    fn other_changes_of_a_signature_are_not_told_as_parameters() {
        assert_eq!(verb_of("a.rs", "@@\n-fn take(&self) -> A {\n+fn take(&self) -> B {\n     x();\n }"), None);
        assert_eq!(verb_of("a.py", "@@\n-def take(a, b):\n+def take(a, c):\n     pass"), None);
        assert_eq!(verb_of("a.py", "@@\n-def take(a, b):\n+def take(b, a, c):\n     pass"), None);
    }
}
