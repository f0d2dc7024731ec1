//! GBNF grammar (llama.cpp, `grammars/README.md`) of a wording, for constrained decoding. An overlong sentence is
//! cut by `max_tokens` and recognised by that finish reason.

use std::fmt::Write as _;

use crate::domain::wording::{Object, Side, Wording};

/// Renders the grammar of all sentences that the wording allows.
pub(super) fn of(wording: &Wording) -> String {
    let lists = [
        ("word", &wording.words),
        (rule(Side::Came), &wording.came),
        (rule(Side::Gone), &wording.gone),
        (rule(Side::Stay), &wording.stay),
        ("renamed", &wording.renamed),
    ];
    let has = |name: &str| lists.iter().any(|(known, list)| *known == name && !list.is_empty());
    // One or more words, or names of the non-empty groups among these.
    let some = |sides: &[Side]| {
        let rules = sides.iter().map(|side| rule(*side)).filter(|name| has(name));
        format!("(\" \" ({}))+", ["word"].into_iter().chain(rules).collect::<Vec<_>>().join(" | "))
    };
    let forms = wording.forms.iter().filter(|form| form.object != Object::Renamed || has("renamed"));
    let forms = forms.map(|form| {
        let object = match form.object {
            Object::Names(sides) => some(sides),
            Object::Becomes(word) => format!("{} \" {word}\" {}", some(&[Side::Gone]), some(&[Side::Came])),
            Object::Renamed => "\" \" renamed".to_owned(),
        };
        format!("({}) {object} tail", alternatives(&form.openers))
    });
    let forms = forms.collect::<Vec<_>>().join(" | ");
    let all = some(&[Side::Came, Side::Gone, Side::Stay]);
    let links = alternatives(&wording.links);
    let mut text = format!("root ::= {forms}\ntail ::= (\" \" link {all})* \".\"\nlink ::= {links}\n");
    for (name, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        let _infallible = writeln!(text, "{name} ::= {}", alternatives(list));
    }
    text
}

fn rule(side: Side) -> &'static str {
    match side {
        Side::Came => "came",
        Side::Gone => "gone",
        Side::Stay => "stay",
    }
}

fn alternatives<S: AsRef<str>>(words: &[S]) -> String {
    let quoted = |word: &S| format!("\"{}\"", word.as_ref().replace('\\', "\\\\").replace('"', "\\\""));
    words.iter().map(quoted).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::wording::Form;

    #[test]
    fn a_grammar_has_a_rule_for_each_list_that_is_not_empty() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let form = |opener, object| Form { openers: vec![opener], object };
        let wording = Wording {
            forms: vec![
                form("Adds", Object::Names(&[Side::Came, Side::Stay])),
                form("Replaces", Object::Becomes("with")),
                form("Renames", Object::Renamed),
            ],
            words: words(&["the", "a\\\"b"]),
            links: vec!["in"],
            came: words(&["`new`"]),
            ..Wording::default()
        };
        let expected = r#"root ::= ("Adds") (" " (word | came))+ tail | ("Replaces") (" " (word))+ " with" (" " (word | came))+ tail
tail ::= (" " "in" (" " (word | came))+)* "."
"#;
        let expected = expected.replace("\"in\"", "link");
        let rest = "link ::= \"in\"\nword ::= \"the\" | \"a\\\\\\\"b\"\ncame ::= \"`new`\"\n";
        assert_eq!(of(&wording), format!("{expected}{rest}"));
    }
}
