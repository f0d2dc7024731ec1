//! The documents: the settings reference is generated from the code, links lead somewhere, commands exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use uro_capture::cli::args;
use uro_capture::config::keys::{self, ENDPOINT, SettingKey, ValueShape, WEBHOOK};
use uro_capture::config::{Overrides, Paths, load};
use uro_capture::domain::role::{ROLES, Role};
use uro_capture::route::tuning;

/// Set to anything: `docs/settings.md` is written instead of compared.
const BLESS: &str = "URO_BLESS";
/// What stands above is written by hand.
const GENERATED_FROM: &str = "URO_BLESS=1 cargo test --test it docs:: -->\n";
/// Above this a stranger does not read on.
const README_LINES: usize = 150;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Path below the root → text.
fn documents() -> BTreeMap<PathBuf, String> {
    let listed = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = listed.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    let text = |path: PathBuf| (path.clone(), std::fs::read_to_string(path).unwrap());
    pages.chain(top).map(text).collect()
}

#[test]
fn the_settings_reference_is_what_the_code_says() {
    let path = root().join("docs/settings.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, _) = text.split_once(GENERATED_FROM).expect("a line that says where the generated part begins");
    let expected = format!("{head}{GENERATED_FROM}{}", reference());
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, expected).unwrap();
    } else {
        assert!(text == expected, "docs/settings.md is out of date: {BLESS}=1 cargo test --test it docs::");
    }
}

/// All keys: one table for each section, one for the endpoints' fields, and two for the options of the roles.
fn reference() -> String {
    let built_in = load(&Paths::from_home(Path::new("/nonexistent")), &[], &Overrides::default()).unwrap().values;
    let default = |key: &str| built_in.get(key).map_or_else(String::new, |value| format!("`{value}`"));
    let mut out = String::new();
    for section in keys::SECTIONS.iter().filter(|section| !["endpoints", "options", "publish"].contains(section)) {
        write!(out, "\n### {section}\n\n| key | value | default | repository | |\n|---|---|---|---|---|\n").unwrap();
        for name in keys::fixed().filter(|name| name.starts_with(&format!("{section}."))) {
            let SettingKey { shape, by_repository, about } = keys::find_key(&name).unwrap();
            let mark = if by_repository { "✓" } else { "" };
            writeln!(out, "| `{name}` | {} | {} | {mark} | {about} |", words(shape), default(&name)).unwrap();
        }
    }
    out.push_str("\n### endpoints\n\nEach server is one `[[endpoints]]` entry.\n\n| key | value | |\n|---|---|---|\n");
    for (name, shape, about) in ENDPOINT {
        writeln!(out, "| `{name}` | {} | {about} |", words(*shape)).unwrap();
    }
    out.push_str("\n### publish\n\nEach webhook is one `[publish.NAME]` section; there is none unless you write it.\n\n| key | value | |\n|---|---|---|\n");
    for (name, shape, about) in WEBHOOK {
        writeln!(out, "| `{name}` | {} | {about} |", words(*shape)).unwrap();
    }
    let roles = ROLES.map(Role::as_str).join(" | ");
    let options = keys::fixed().filter_map(|name| Some(name.strip_prefix("options.capture.")?.to_owned()));
    let options: Vec<String> = options.collect();
    write!(out, "\n### options\n\nEach role has a section, `[options.capture]` to `[options.status]`, ").unwrap();
    write!(out, "with these keys and defaults. A repository may set them.\n\n").unwrap();
    writeln!(out, "| key | value | {roles} | |\n|---|---|{}---|", "---|".repeat(ROLES.len())).unwrap();
    for name in &options {
        let SettingKey { shape, about, .. } = keys::find_key(&format!("options.capture.{name}")).unwrap();
        let defaults = ROLES.map(|role| default(&format!("options.{}.{name}", role.as_str()))).join(" | ");
        writeln!(out, "| `{name}` | {} | {defaults} | {about} |", words(shape)).unwrap();
    }
    write!(out, "\n### Ranges that suit a role\n\n`uro-capture doctor` reports values outside of these ranges.\n\n")
        .unwrap();
    writeln!(out, "| key | {roles} |\n|---|{}", "---|".repeat(ROLES.len())).unwrap();
    for name in &options {
        writeln!(
            out,
            "| `{name}` | {} |",
            ROLES.map(|role| suits(name, &tuning::recommended_ranges(role))).join(" | ")
        )
        .unwrap();
    }
    out
}

/// The range of one option.
fn suits(option: &str, ranges: &tuning::Ranges) -> String {
    fn shown<T: Display>(range: &RangeInclusive<T>) -> String {
        format!("{} to {}", range.start(), range.end())
    }
    match option {
        "temperature" => shown(&ranges.temperature),
        "top_p" => shown(&ranges.top_p),
        "top_k" => shown(&ranges.top_k),
        "repeat_penalty" => shown(&ranges.repeat_penalty),
        "num_ctx" => shown(&ranges.num_ctx),
        "max_tokens" => shown(&ranges.max_tokens),
        other => panic!("the ranges of {other} are not known here"),
    }
}

/// What a value looks like.
fn words(shape: ValueShape) -> String {
    let time = |ms: u64| match ms {
        _ if ms.is_multiple_of(86_400_000) => format!("{}d", ms / 86_400_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    };
    match shape {
        ValueShape::Switch => "`true`, `false`".to_owned(),
        ValueShape::Duration { min, max } => format!("time, {} to {}", time(min), time(max)),
        ValueShape::Count { min, max } => format!("whole number, {min} to {max}"),
        ValueShape::Number { min, max } => format!("number, {min} to {max}"),
        ValueShape::Choice(known) => known.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        ValueShape::Globs => "list of globs".to_owned(),
        ValueShape::Names => "list of texts".to_owned(),
        ValueShape::Window => "`\"HH:MM-HH:MM\"`".to_owned(),
        ValueShape::Name | ValueShape::Secret => "text".to_owned(),
        ValueShape::Variable => "name of a variable".to_owned(),
        ValueShape::Endpoint => "`\"http://HOST:PORT\"`".to_owned(),
        ValueShape::Store => "`\"sqlite:\"`".to_owned(),
    }
}

/// A document taken apart.
#[derive(Default)]
struct Page {
    /// Without code.
    prose: String,
    anchors: BTreeSet<String>,
    /// Inline code, and what a person types in blocks.
    code: Vec<String>,
}

impl Page {
    fn of(text: &str) -> Self {
        let (mut page, mut spans, mut block) = (Self::default(), String::new(), None);
        for line in text.lines() {
            match (line.strip_prefix("```"), block) {
                (Some(_), Some(_)) => block = None,
                (Some(language), None) => block = Some(language),
                (None, None) => {
                    page.anchors.extend(line.starts_with('#').then(|| anchor(line)));
                    spans.push_str(line);
                    spans.push('\n');
                }
                (None, Some("console")) => page.code.extend(line.strip_prefix("$ ").map(str::to_owned)),
                (None, Some("sh" | "crontab")) => page.code.push(line.to_owned()),
                (None, Some(_)) => {}
            }
        }
        for (number, piece) in spans.split('`').enumerate() {
            if number % 2 == 0 { page.prose.push_str(piece) } else { page.code.push(piece.to_owned()) }
        }
        page
    }
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    for (document, text) in documents() {
        let prose = Page::of(&text).prose;
        for (at, opening) in prose.match_indices("](") {
            let target = prose[at + opening.len()..].split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            let (file, wanted) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(path.exists(), "{}: there is no {target}", document.display());
            if !wanted.is_empty() {
                let anchors = Page::of(&std::fs::read_to_string(&path).unwrap()).anchors;
                assert!(anchors.contains(wanted), "{}: {target} is no heading of {anchors:?}", document.display());
            }
        }
    }
}

#[test]
fn the_readme_is_short_and_names_the_two_commands() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(text.lines().count() <= README_LINES, "{} lines", text.lines().count());
    for command in ["./install.sh ", "tests/run "] {
        assert!(text.lines().any(|line| line.starts_with(command)), "{command}");
    }
}

#[test]
fn pictures_hold_no_scripts_and_load_nothing() {
    for entry in std::fs::read_dir(root().join("docs/img")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "svg") {
            let picture = std::fs::read_to_string(&path).unwrap();
            for forbidden in ["<script", "<foreignObject", "<image", "href="] {
                assert!(!picture.contains(forbidden), "{}: {forbidden}", path.display());
            }
        }
    }
}

#[test]
fn documents_name_only_commands_options_and_benchmarks_that_exist() {
    let mut program = args::command();
    program.build();
    for (document, text) in documents() {
        for code in Page::of(&text).code {
            let words: Vec<&str> = code.split_whitespace().collect();
            for at in (0..words.len()).filter(|at| words[*at].trim_start_matches("$HOME/.local/bin/") == "uro-capture")
            {
                let ends = |word: &&&str| ["|", "&&", "||", ";", "#", ">"].contains(*word);
                let command: Vec<&str> = words[at + 1..].iter().take_while(|word| !ends(word)).copied().collect();
                if let Some(wrong) = complaint(&program, &command) {
                    panic!("{}: uro-capture has no {wrong}: {code}", document.display());
                }
            }
            for pair in words.windows(2).filter(|pair| pair[0] == "--bench") {
                assert!(root().join(format!("benches/{}.rs", pair[1])).exists(), "{}: {code}", document.display());
            }
        }
    }
}

/// The first of the program's arguments that it does not know; placeholders and notes end the search.
fn complaint(program: &clap::Command, words: &[&str]) -> Option<String> {
    let mut at = program;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if word.starts_with('-') && word != "-" {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let is_meant = |arg: &&clap::Arg| match name.strip_prefix("--") {
                Some(long) => arg.get_long() == Some(long),
                None => arg.get_short() == name.chars().nth(1),
            };
            let Some(option) = at.get_arguments().find(is_meant) else { return Some(word.to_owned()) };
            if value.is_none() && option.get_action().takes_values() {
                words.next();
            }
        } else if at.has_subcommands() {
            if !word.starts_with(|c: char| c.is_ascii_lowercase()) {
                return None;
            }
            let Some(found) = at.find_subcommand(word) else { return Some(word.to_owned()) };
            at = found;
        }
    }
    None
}

#[test]
fn an_unknown_command_or_option_is_noticed() {
    let mut program = args::command();
    program.build();
    let wrong = |line: &str| complaint(&program, &line.split(' ').collect::<Vec<_>>());
    for fine in
        ["log -n 20", "-C DIR status --json", "draft new devlog --day today", "\"A note\"", "help log", "NOTE", "-"]
    {
        assert_eq!(wrong(fine), None, "{fine}");
    }
    for (line, unknown) in
        [("lgo", "lgo"), ("draft wirte ID", "wirte"), ("log --sinse 7d", "--sinse"), ("show -x ID", "-x")]
    {
        assert_eq!(wrong(line).as_deref(), Some(unknown), "{line}");
    }
}

/// `dispatch/pool`, `git/reflog/`: a module of a room is a file or a folder.
#[test]
fn modules_that_the_architecture_names_exist() {
    let src = root().join("src");
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let is_path = |word: &&str| word.contains('/') && word.chars().all(|c| c.is_ascii_lowercase() || "_/".contains(c));
    let paths: Vec<&str> = text.split('`').skip(1).step_by(2).filter(is_path).collect();
    let of_src = |path: &&&str| src.join(path.split('/').next().unwrap()).is_dir();
    let exists = |path: &str| src.join(path).is_dir() || src.join(format!("{path}.rs")).is_file();
    let missing: Vec<&&str> = paths.iter().filter(of_src).filter(|path| !exists(path.trim_end_matches('/'))).collect();
    assert!(paths.len() > 30 && missing.is_empty(), "of {}: {missing:?}", paths.len());
}
