//! Every kind of secret in every place and in every common notation.

use super::{commit, lines};
use crate::domain::patch::{Commit, Hunk, Line, Origin};
use crate::redact::redact_commit;

#[path = "../../tests/it/planted.rs"]
mod planted;

use planted::Planted;

/// How settings, programs and shells write `name` and `value` on lines of their own.
fn notations(of: &Planted) -> Vec<(&'static str, String)> {
    let (name, value) = (of.name, of.written.as_str());
    let mut notations = vec![
        ("string", format!("    let {name} = \"{value}\";")),
        ("single quotes", format!("{name} = '{value}'")),
        ("yaml", format!("{name}: {value}")),
        ("quoted yaml", format!("  {name}: \"{value}\"")),
        ("json", format!("  \"{name}\": \"{value}\",")),
        ("json in a string", format!("x = \"{{\\\"{name}\\\": \\\"{value}\\\"}}\"")),
        ("env", format!("{name}={value}")),
        ("toml", format!("{name} = \"{value}\"")),
        ("shell", format!("export {name}={value}")),
        ("dockerfile", format!("ENV {name}={value}")),
        ("old dockerfile", format!("ENV {name} {value}")),
        ("ci", format!("    env:\n      {name}: {value}\n    steps:")),
        ("ci variable", format!("- name: {name}\n  value: \"{value}\"")),
        ("xml", format!("<add key=\"{name}\" value=\"{value}\" />")),
        ("dictionary", format!("config[\"{name}\"] = \"{value}\"")),
        ("go", format!("\t{name} := `{value}`")),
        ("next line", format!("{name} =\n    \"{value}\"")),
        ("call", format!("System.setProperty(\"{name}\", \"{value}\");")),
        ("typed", format!("var {name} string = \"{value}\"")),
        ("typed member", format!("  {name}: string = \"{value}\";")),
        ("added to", format!("${name} .= \"{value}\";")),
        ("added up", format!("{name} += \"{value}\"")),
        ("where there is none", format!("{name} ??= \"{value}\";")),
        ("default", format!("const x = process.env.{name} || '{value}';")),
        ("default of a shell", format!("x=${{{name}:-{value}}}")),
        ("preprocessor", format!("#define {name} \"{value}\"")),
        ("list", format!("{name} = [\"{value}\"]")),
        ("block", format!("{name}: |\n  {value}\n")),
        ("folded block", format!("  {name}: >-\n    {value}\n")),
        ("pair", format!("{{\n  \"name\": \"{name}\",\n  \"value\": \"{value}\"\n}}")),
        ("element", format!("<{name}>{value}</{name}>")),
        ("element over lines", format!("<{name}>\n    {value}\n</{name}>")),
        ("flag", format!("deploy --{name} {value} --now")),
        ("makefile", format!("{name} :::= {value}")),
        ("line in a string", format!("{{\"x.ini\": \"{name}={value}\\nother=true\"}}")),
    ];
    if of.stands_alone() {
        notations.push(("own line", value.to_owned()));
        notations.push(("prose", format!("It works with {value} since today.")));
        notations.push(("comment", format!("// {value}")));
        notations.push(("markdown", format!("Use `{value}` here")));
    }
    notations
}

/// The same in two pieces.
fn splits(of: &Planted) -> Vec<(&'static str, String)> {
    let (name, (one, two)) = (of.name, of.halves());
    vec![
        ("two literals", format!("{name} = \"{one}\" + \"{two}\"")),
        ("plus at the end", format!("{name} = \"{one}\" +\n    \"{two}\";")),
        ("plus at the start", format!("{name} = \"{one}\"\n    + \"{two}\";")),
        ("full stop", format!("{name} = '{one}' .\n    '{two}';")),
        ("adjacent", format!("{name} = (\"{one}\"\n    \"{two}\")")),
        ("backslash in quotes", format!("{name} = \"{one}\" \\\n    \"{two}\"")),
        ("backslash", format!("{name}={one}\\\n{two}")),
        ("concat!", format!("{name} = concat!(\"{one}\", \"{two}\");")),
    ]
}

fn hunk(lines: &[(Origin, &str)]) -> Hunk {
    let line = |(origin, text): &(Origin, &str)| Line { origin: *origin, text: (*text).to_owned() };
    Hunk { header: String::new(), old_start: 1, new_start: 1, lines: lines.iter().map(line).collect() }
}

fn patch(lines: &[(Origin, &str)]) -> Commit {
    commit("Change settings", &[lines])
}

/// The rest of a secret, whole or by halves, after redaction.
fn leak(of: &Planted, place: &str, dirty: Commit) -> Option<String> {
    let clean = redact_commit(dirty);
    let shown = format!("{clean:?}");
    let half = of.secret.len() / 2;
    let parts = [&of.secret[..], &of.secret[..half], &of.secret[half..]];
    let left = parts.into_iter().filter(|part| part.len() >= 5).any(|part| shown.contains(part));
    left.then(|| format!("{} in {place}: {:?} {}\n", of.kind, lines(&clean), clean.message))
}

/// Puts a text into a place of a commit.
type Plant = fn(&mut Commit, &str);

/// Nothing is left of anything.
fn none_leaks(leaks: impl Iterator<Item = Option<String>>) {
    let leaks: Vec<String> = leaks.flatten().collect();
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.concat());
}

fn all() -> Vec<Planted> {
    let all: Vec<Planted> = (0..3).flat_map(planted::planted).collect();
    assert!(all.len() >= 3 * 80);
    all
}

#[test]
fn every_kind_is_gone_in_every_notation_on_every_side() {
    let mut leaks = Vec::new();
    for of in all() {
        for (notation, text) in notations(&of) {
            for origin in [Origin::Added, Origin::Removed, Origin::Context] {
                let lines: Vec<(Origin, &str)> = text.lines().map(|line| (origin, line)).collect();
                leaks.push(leak(&of, notation, patch(&lines)));
            }
        }
    }
    none_leaks(leaks.into_iter());
}

#[test]
fn every_kind_is_gone_when_it_is_put_together_from_two_pieces() {
    let mut leaks = Vec::new();
    for of in all() {
        for (notation, text) in splits(&of) {
            let lines: Vec<(Origin, &str)> = text.lines().map(|line| (Origin::Added, line)).collect();
            leaks.push(leak(&of, notation, patch(&lines)));
            leaks.push(leak(&of, notation, commit(&text, &[])));
        }
    }
    none_leaks(leaks.into_iter());
}

#[test]
fn every_kind_is_gone_when_its_pieces_are_on_both_sides_or_in_two_hunks() {
    use Origin::{Added, Context, Removed};
    let mut leaks = Vec::new();
    for of in all() {
        let (one, two) = of.halves();
        let (first, second) = (format!("{} = \"{one}\" +", of.name), format!("    \"{two}\";"));
        leaks.push(leak(&of, "removed, then added", patch(&[(Removed, &first), (Added, &second)])));
        leaks.push(leak(
            &of,
            "context, then added",
            patch(&[(Context, &first), (Removed, "    old();"), (Added, &second)]),
        ));
        leaks.push(leak(&of, "added around removed", patch(&[(Added, &first), (Removed, "old()"), (Added, &second)])));
        let mut two_hunks = patch(&[]);
        two_hunks.patch.files[0].hunks = vec![hunk(&[(Context, "x"), (Added, &first)]), hunk(&[(Added, &second)])];
        leaks.push(leak(&of, "two hunks", two_hunks));
    }
    none_leaks(leaks.into_iter());
}

#[test]
fn every_kind_is_gone_from_paths_messages_people_branches_and_headers() {
    let mut leaks = Vec::new();
    for of in all() {
        let text = if of.stands_alone() { of.written.clone() } else { format!("{}={}", of.name, of.written) };
        let places: [(&str, Plant); 8] = [
            ("path", |commit, text| commit.patch.files[0].path = format!("keys/{text}")),
            ("file name", |commit, text| commit.patch.files[0].path = text.to_owned()),
            ("old path", |commit, text| commit.patch.files[0].old_path = Some(format!("a/{text}"))),
            ("subject", |commit, text| commit.message = format!("Use {text}")),
            ("body", |commit, text| commit.message = format!("Use it\n\n{text}\n\nas is")),
            ("branch", |commit, text| commit.branch = Some(format!("feature/{text}"))),
            ("author", |commit, text| commit.author = format!("Eve {text}")),
            ("header", |commit, text| commit.patch.files[0].hunks[0].header = format!("fn f({text})")),
        ];
        for (place, plant) in places {
            let mut dirty = patch(&[(Origin::Added, "x")]);
            plant(&mut dirty, &text);
            leaks.push(leak(&of, place, dirty));
        }
    }
    none_leaks(leaks.into_iter());
}

#[test]
fn what_no_single_line_gives_away_is_gone_too() {
    let key = "Zk9mQ2xPdE5yVXdYaFNqTGFCY0RlRmdI";
    for text in [
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  tls.key: {key}\n"),
        format!("apiVersion: v1\ndata:\n  any: {key}\nkind: Secret\n"),
        format!("kind: Secret\nstringData:\n  any: {key}\n"),
        "machine h\n  login me\n  password Zk9mQ2xPdE5yVXdYaFNqTGFCY0RlRmdI\n".to_owned(),
        format!("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{key}\nPrivate-MAC: 00\n"),
        format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{key}\n-----END PGP PRIVATE KEY BLOCK-----"),
        format!("  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{key}\\n-----END PRIVATE KEY-----\\n\","),
    ] {
        let lines: Vec<(Origin, &str)> = text.lines().map(|line| (Origin::Added, line)).collect();
        let clean = redact_commit(patch(&lines));
        assert!(!format!("{clean:?}").contains(key), "{clean:?}");
    }
    let login = "eC1hY2Nlc3M6UzNjcjN0LXRva2Vu";
    let clean =
        redact_commit(patch(&[(Origin::Added, &format!("  \"auths\": {{ \"h\": {{ \"auth\": \"{login}\" }} }}"))]));
    assert!(!format!("{clean:?}").contains(login));
    let pair = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQk8sTvWnL";
    let id = format!("AKIA{}", "Q3EGRIO7MZ5XWJ2T");
    let clean = redact_commit(patch(&[(Origin::Added, &format!("{id},{pair}"))]));
    assert!(!format!("{clean:?}").contains(pair));
}

/// Text joined to a key may belong to it: a marker followed by the rest of a key is worse than none.
#[test]
fn a_mark_has_nothing_of_its_token_behind_it() {
    let tail = "x4Kd02mZq91L";
    let mut leaks = Vec::new();
    for of in all() {
        // A longer run does not have that form, a password extends to its quote, a URL has its own end.
        for joint in ["", "-", "_", ".", "=", "+", "~", "@", "%", "--"] {
            let text = of.written.replace(&of.secret, &format!("{}{joint}{tail}", of.secret));
            let clean = crate::redact::redact(&format!("{} = {text}", of.name));
            let rest = &tail[2..];
            let marked = !clean.contains(&of.secret);
            leaks.push((marked && clean.contains(rest)).then(|| format!("{} {joint:?}: {clean}\n", of.kind)));
        }
    }
    none_leaks(leaks.into_iter());
}
