//! Symbol diffs by syntax trees, language by language.

use super::find_symbols;
use crate::domain::clock::FakeClock;
use crate::domain::patch::FileChange;
use crate::facts::sample::versions;
use crate::facts::symbols::{Symbol, SymbolChange};

fn symbols(files: &[FileChange]) -> Vec<Symbol> {
    find_symbols(files, &FakeClock::at(jiff::Timestamp::UNIX_EPOCH))
}

/// `fate name`, renames with the old name after `<`, changed members after the name; sorted.
fn describe_symbols(files: &[FileChange]) -> Vec<String> {
    let mut descriptions: Vec<String> = symbols(files).iter().map(describe_symbol).collect();
    descriptions.sort();
    descriptions
}

fn describe_symbol(symbol: &Symbol) -> String {
    let mut text = format!("{:?} {}", symbol.change, symbol.name);
    if let Some(old) = &symbol.old_name {
        text += &format!(" < {old}");
    }
    for member in &symbol.members {
        text += &format!(" {}{}", if member.added { '+' } else { '-' }, member.name);
    }
    if symbol.comments_only { text + " (comments)" } else { text }
}

fn describe_diff(path: &str, old: &str, new: &str) -> Vec<String> {
    describe_symbols(&[versions(path, old, new)])
}

/// Symbols added by a new file with these lines.
fn added(path: &str, new: &str) -> Vec<String> {
    let descriptions = describe_diff(path, "", new);
    descriptions.iter().map(|text| text.strip_prefix("Added ").unwrap_or(text).to_owned()).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn rust_definitions_are_named_behind_their_types() {
    let new = "pub struct Router { a: u8 }\nimpl<T> From<T> for Router {\n    fn from(t: T) -> Self { todo!() }\n}\nimpl Router {\n    pub const MAX: u8 = 1;\n    pub async fn choose(&self) {}\n}\npub trait Pick { fn pick(&self); }\nenum Kind { A, B }\nstatic TABLE: [u8; 1] = [1];\ntype Alias = u8;\nmacro_rules! shout { () => {} }\nmod inner { pub fn deep() {} }\n";
    assert_eq!(
        added("src/a.rs", new),
        [
            "Alias", "Kind", "Pick", "Pick::pick", "Router", "Router::MAX", "Router::choose", "Router::from", "TABLE",
            "deep", "shout"
        ]
    );
}

#[test]
fn python_definitions_are_named_behind_their_classes() {
    let new = "import os\nfrom x import y as z\nLIMIT = 3\nclass Session(Base):\n    name: str = 'a'\n    @property\n    def url(self):\n        def inner():\n            pass\n        return inner\n    class Meta:\n        def go(self): pass\n@decorated(1)\nasync def run(): pass\nif True:\n    def maybe(): pass\n";
    assert_eq!(
        added("src/a.py", new),
        ["LIMIT", "Session", "Session.Meta", "Session.Meta.go", "Session.url", "maybe", "run"]
    );
}

#[test]
fn script_definitions_are_found_however_they_are_written() {
    let new = "'use strict'\nvar deps = require('deps')('x');\nexports.json = function json(a) {};\nmodule.exports.text = () => {};\napp.use = function use(fn) {};\nView.prototype.render = function () {};\nconst one = async x => x;\nconst api = { get() {}, post: function () {}, n: 1 };\nfunction* gen() {}\nclass Store extends Base { #hidden() {} load() {} static make = () => {} }\ndefineGetter(req, 'ip', function ip() { return 1 });\n";
    assert_eq!(
        added("lib/a.js", new),
        [
            "Store", "Store.#hidden", "Store.load", "Store.make", "View.render", "api", "app.use", "gen", "ip", "json",
            "one", "text"
        ]
    );
    let exports = "module.exports = {\n  start() {},\n  stop: () => {},\n  helper,\n}\nfunction helper() {}\n";
    assert_eq!(added("lib/a.js", exports), ["helper", "start", "stop"]);
    assert_eq!(describe_diff("a.js", "const api = {\n}\n", "const api = {\n  get() {}\n}\n"), ["Added api.get"]);
    assert_eq!(added("lib/a.js", "module.exports = function build(a) {}\n"), ["build"]);
}

#[test]
fn typescript_types_are_definitions() {
    let new = "import { a, b as c } from 'x'\nexport interface Props { id: string; load(): void }\nexport type Id = string\nexport enum Kind { A, B = 2 }\nexport namespace Deep { export const useIt = () => 1 }\nexport const useThing = (x: number): number => x\nexport abstract class Base { abstract run(): void; private n = 1 }\ndeclare function outer(x: string): void\n";
    assert_eq!(
        added("src/a.ts", new),
        ["Base", "Base.run", "Id", "Kind", "Props", "Props.load", "outer", "useIt", "useThing"]
    );
    assert_eq!(added("src/a.tsx", "export const View = (p: Props) => <b>{p.x}</b>\n"), ["View"]);
}

#[test]
fn go_methods_are_named_behind_their_receivers() {
    let new = "package a\nimport \"fmt\"\nconst (\n\tA = 1\n\tb, c = 2, 3\n)\nvar table = []int{1}\ntype Router struct { Name string; a, b int }\ntype Picker interface { Pick() int }\nfunc (r *Router[T]) Choose(k int) int { x := 1; return x }\nfunc Map[T any](x T) {}\n";
    assert_eq!(added("a.go", new), ["A", "Map", "Picker", "Picker.Pick", "Router", "Router.Choose", "b", "c", "table"]);
}

#[test]
fn java_members_are_named_behind_their_classes() {
    let new = "package a;\nimport b.C;\npublic class Outer<T> {\n  public static final int MAX = 1;\n  private int count;\n  public Outer() {}\n  @Override public String toString() { return \"\"; }\n  static class Inner { void go() {} }\n}\nrecord Point(int x) { Point { } }\nenum Kind { A, B { } }\ninterface Pick { int pick(); }\n@interface Mark { String value(); }\n";
    assert_eq!(
        added("a.java", new),
        [
            "Kind", "Mark", "Mark.value", "Outer", "Outer.Inner", "Outer.Inner.go", "Outer.MAX", "Outer.Outer",
            "Outer.toString", "Pick", "Pick.pick", "Point", "Point.Point"
        ]
    );
}

#[test]
fn c_definitions_are_functions_types_macros_and_tables() {
    let new = "#ifndef A_H\n#define A_H\n#include <x.h>\n#define MAX(a, b) ((a) > (b))\n#define LIMIT 3\nstruct point { int x; };\ntypedef struct { int y; } pair_t;\nenum kind { ONE, TWO };\nstatic const struct entry table[] = { {\"a\", 1} };\nint declared(int);\nextern int elsewhere;\nstatic char *read_line(char *buf, int n) { int local = 1; return buf; }\nint (*handler(int a))(int) { return 0; }\n#endif\n";
    assert_eq!(added("a.c", new), ["LIMIT", "MAX", "handler", "kind", "pair_t", "point", "read_line", "table"]);
}

#[test]
fn a_signature_that_changed_is_another_deed_than_a_body_that_did() {
    let old = "fn a(x: u8) {\n    one();\n}\n\nfn b() {\n    two();\n}\n\nfn c() {}\n";
    let new = "fn a(x: u16) {\n    one();\n}\n\nfn b() {\n    three();\n}\n\nfn c() {}\n";
    assert_eq!(describe_diff("a.rs", old, new), ["Modified b", "Redefined a"]);
}

#[test]
fn layout_alone_says_nothing() {
    let old = "fn a(x: u8, y: u8) {\n    one(x, y);\n}\n";
    let new = "mod wrapped {\n    fn a(\n        x: u8,\n        y: u8,\n    ) {\n        one(\n            x,\n            y,\n        );\n    }\n}\n";
    assert_eq!(describe_diff("a.rs", old, new), NONE);
}

#[test]
fn a_change_of_comments_is_told_as_one() {
    assert_eq!(
        describe_diff("a.rs", "/// One.\nfn a() {\n    b();\n}\n", "/// Two.\nfn a() {\n    b();\n}\n"),
        ["Modified a (comments)"]
    );
    let (old, new) =
        ("def a():\n    \"\"\"One.\"\"\"\n    return 1\n", "def a():\n    \"\"\"Two.\"\"\"\n    return 1\n");
    assert_eq!(describe_diff("a.py", old, new), ["Modified a (comments)"]);
}

#[test]
fn what_changes_places_in_its_file_says_nothing() {
    assert_eq!(
        describe_diff(
            "a.py",
            "def a():\n    pass\n\ndef b():\n    return 1\n",
            "def b():\n    return 1\n\ndef a():\n    pass\n"
        ),
        NONE
    );
}

const BODY: &str = "    let mut best = None;\n    for offer in offers {\n        if offer.score > limit && offer.ready {\n            best = Some(offer);\n        }\n    }\n    best.map(|offer| offer.model.clone())\n";

#[test]
fn one_body_under_another_name_is_renamed() {
    let (old, new) = (
        format!("fn select_model(offers: &[Offer]) {{\n{BODY}}}\n"),
        format!("fn choose(offers: &[Offer]) {{\n{BODY}}}\n"),
    );
    assert_eq!(describe_diff("a.rs", &old, &new), ["Renamed choose < select_model"]);
}

#[test]
fn a_small_body_is_renamed_where_its_callers_say_so() {
    let old = "def load(x):\n    return x\n\ndef go():\n    return load(1)\n";
    assert_eq!(describe_diff("a.py", old, &old.replace("load", "read")), ["Modified go", "Renamed read < load"]);
    assert_eq!(
        describe_diff("a.py", "def width(self):\n    return self.w\n", "def height(self):\n    return self.h\n"),
        ["Added height", "Removed width"]
    );
}

#[test]
fn members_of_a_renamed_type_go_with_it() {
    let old = format!(
        "struct Picker {{ offers: Vec<Offer>, limit: u8 }}\nimpl Picker {{\n    fn pick(&self) {{\n{BODY}    }}\n    fn tiny(&self) {{}}\n}}\nfn make() -> Picker {{ Picker {{ offers: vec![], limit: 1 }} }}\n"
    );
    assert_eq!(
        describe_diff("a.rs", &old, &old.replace("Picker", "Router")),
        ["Redefined make", "Renamed Router < Picker"]
    );
}

#[test]
fn what_leaves_one_file_for_another_is_moved() {
    let text = format!("pub fn choose(offers: &[Offer]) {{\n{BODY}}}\n");
    let files = [
        versions("a.rs", &format!("use a;\n{text}"), "use a;\n"),
        versions("b.rs", "use b;\n", &format!("use b;\n{text}")),
    ];
    let symbols = symbols(&files);
    assert_eq!(symbols.len(), 1, "{symbols:?}");
    assert_eq!(
        (symbols[0].change, symbols[0].path.as_str(), symbols[0].old_path.as_deref()),
        (SymbolChange::Moved, "b.rs", Some("a.rs"))
    );
}

#[test]
fn another_function_of_the_same_name_is_not_moved() {
    let files = [
        versions("a.py", "def main():\n    for a in b:\n        c(a)\n        d(a, e)\n        f(g)\n", ""),
        versions("b.py", "", "def main():\n    with u as v:\n        w(x)\n        y(z, q)\n        r(s)\n"),
    ];
    assert_eq!(describe_symbols(&files), ["Added main", "Removed main"]);
}

#[test]
fn parts_of_a_type_that_come_and_go_are_told_with_it() {
    let (old, new) = ("enum Fate {\n    Added,\n    Gone,\n}\n", "enum Fate {\n    Added,\n    Renamed,\n}\n");
    assert_eq!(describe_diff("a.rs", old, new), ["Modified Fate +Renamed -Gone"]);
    let (old, new) = ("interface A {\n  b: string\n}\n", "interface A {\n  b: string\n  c?: number\n}\n");
    assert_eq!(describe_diff("a.ts", old, new), ["Modified A +c"]);
}

#[test]
fn inline_tests_are_tests_and_what_they_use_too() {
    let old = "fn a() {}\n\n#[cfg(test)]\nmod checks {\n    fn b() {}\n}\n";
    let new = "fn a() {}\n\n#[cfg(test)]\nmod checks {\n    fn b() {}\n    fn helper() {}\n    #[test]\n    fn it_works() {}\n}\n\n#[cfg(not(test))]\nfn real() {}\n";
    let mut described: Vec<_> =
        symbols(&[versions("src/a.rs", old, new)]).into_iter().map(|s| (s.name, s.test, s.test_case)).collect();
    described.sort();
    assert_eq!(
        described,
        [("helper".into(), true, false), ("it_works".into(), true, true), ("real".into(), false, false)]
    );
}

#[test]
fn what_the_grammar_did_not_understand_is_not_told_as_new_or_gone() {
    let old = "int a(void) { return 1; }\nFOO(int b(void) { return 2; \n";
    let new = "int a(void) { return 1; }\nint b(void) { return 2; }\nint c(void) { return 3; }\n";
    let descriptions = describe_diff("a.c", old, new);
    assert!(
        descriptions.contains(&"Added c".to_owned()) && !descriptions.contains(&"Added b".to_owned()),
        "{descriptions:?}"
    );
}

#[test]
fn a_name_that_stands_on_both_sides_neither_comes_nor_goes() {
    assert_eq!(
        describe_diff("a.js", "const foo = make(1);\n", "function foo() {\n  return 1;\n}\n"),
        ["Redefined foo"]
    );
    assert_eq!(
        describe_diff("a.js", "const { foo } = make(1);\n", "const foo = () => {\n  return 1;\n};\n"),
        ["Redefined foo"]
    );
}

#[test]
fn an_overload_changes_its_name_and_does_not_add_it() {
    let old = "class A {\n  int f(int a) { return 1; }\n}\n";
    let new = "class A {\n  int f(int a) { return 1; }\n  int f(String a) { return 2; }\n}\n";
    assert_eq!(describe_diff("A.java", old, new), ["Modified A.f"]);
}

#[test]
fn what_stands_in_a_new_function_is_told_with_it() {
    let new = "def wrap(f):\n    def inner():\n        return f()\n    return inner\n";
    assert_eq!(describe_diff("a.py", "", new), ["Added wrap"]);
}

#[test]
fn a_change_belongs_to_the_innermost_function() {
    let old = "function outer() {\n  const inner = () => {\n    a();\n  };\n  b();\n}\n";
    assert_eq!(describe_diff("a.js", old, &old.replace("a()", "c()")), ["Modified inner"]);
}

#[test]
fn where_the_hunks_are_not_whole_the_texts_are() {
    let (old, new) = ("fn a() {}\nfn b() {}\n", "fn a() {}\nfn b() { x(); }\nfn c() {}\n");
    let mut part = versions("a.rs", old, new);
    part.hunks.clear();
    assert_eq!(describe_symbols(&[part]), ["Added c", "Modified b"]);
}

#[test]
fn items_in_a_macros_braces_are_definitions() {
    let old = "cfg_net! {\n    pub struct Gate;\n    impl Gate {\n        fn a(&self) {}\n    }\n}\n";
    let new = old.replace("fn a(&self) {}", "fn a(&self) {}\n        fn b(&self) {}");
    assert_eq!(describe_diff("a.rs", old, &new), ["Added Gate::b"]);
    assert_eq!(describe_diff("a.rs", "", &new), ["Added Gate", "Added Gate::a", "Added Gate::b"]);
    let strange = "table! {\n    users (id) { id -> Int, }\n}\nfn users() {}\n";
    assert_eq!(describe_diff("a.rs", "table! {\n    users (id) { }\n}\n", strange), NONE);
}

#[test]
fn a_function_that_changes_its_type_is_renamed() {
    let old = format!("impl Old {{\n    fn choose(offers: &[Offer]) {{\n{BODY}    }}\n}}\nstruct Old;\nstruct New;\n");
    let new = format!("fn choose(offers: &[Offer]) {{\n{BODY}}}\nstruct Old;\nstruct New;\n");
    assert_eq!(describe_diff("a.rs", &old, &new), ["Renamed choose < Old::choose"]);
}

#[test]
fn what_is_commented_out_is_no_definition() {
    assert_eq!(describe_diff("a.rs", "fn a() {}\n", "fn a() {}\n/*\nfn b() {\n}\n*/\n"), NONE);
}

#[test]
fn implementations_for_types_without_a_name_are_known_by_their_traits() {
    assert_eq!(added("a.rs", "impl Gate for (u8, u8) { fn open(&self) {} }\n"), ["Gate::open"]);
}

#[test]
fn the_constructor_of_a_renamed_class_goes_with_it() {
    let old = "class Picker {\n  private final List<Offer> offers;\n  private final int limit;\n  Picker(List<Offer> offers, int limit) {\n    this.offers = offers;\n    this.limit = limit;\n  }\n  int size() { return offers.size(); }\n}\n";
    assert_eq!(describe_diff("A.java", old, &old.replace("Picker", "Router")), ["Renamed Router < Picker"]);
}

#[test]
fn a_file_of_nothing_but_definitions_is_read_in_time_that_grows_with_it() {
    let lines = |name: &str| (0..12_000).map(|n| format!("{name}{n} = {n}\n")).collect::<String>();
    let symbols = symbols(&[versions("a.py", &lines("was"), ""), versions("b.py", "", &lines("will"))]);
    assert_eq!(symbols.len(), 2_000);
}

mod any_text {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    const PATHS: [&str; 9] = ["a.rs", "a.py", "a.js", "a.ts", "a.tsx", "a.go", "a.java", "a.c", "tests/a.rs"];
    const PIECES: [&str; 40] = [
        "fn a() {",
        "}",
        "(",
        ")",
        "pub struct B<T> {",
        "impl B {",
        "mod c {",
        "#[cfg(test)]",
        "macro! {",
        "\n",
        "\n\n",
        "    ",
        "def a(self):",
        "class B(object):",
        "@wrap",
        "a = b",
        "\"\"\"",
        "'",
        "function a() {",
        "const a = () => {",
        "module.exports = {",
        "exports.b = function",
        "export default class B {",
        "interface B {",
        "enum B { C, D }",
        "func (r *B) a() {",
        "type B struct {",
        "public B a() {",
        "record B(int a) {",
        "int a(void) {",
        "#define A(x) x",
        "#ifdef A",
        "#endif",
        "typedef struct { int a; } b;",
        "/* ",
        " */",
        "// a",
        "é\u{202e}\u{0}",
        "{",
        "a.b.c = d;",
    ];

    fn is_said_of_its_side(file: &FileChange, symbol: &Symbol) -> bool {
        let texts = file.texts.as_deref().unwrap();
        let (old, new) = (texts.old.as_str(), texts.new.as_str());
        let (bare, was) =
            (symbol.bare(), symbol.old_name.as_deref().map_or(symbol.bare(), crate::facts::symbols::bare));
        let in_new = new.contains(bare);
        let in_old = old.contains(was);
        match symbol.change {
            SymbolChange::Added => in_new,
            SymbolChange::Removed => old.contains(bare),
            SymbolChange::Moved | SymbolChange::Renamed | SymbolChange::Redefined | SymbolChange::Modified => {
                in_new && in_old
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_the_texts_nothing_is_named_that_is_not_there(
            path in select(PATHS.to_vec()),
            old in prop::collection::vec(select(PIECES.to_vec()), 0..40),
            new in prop::collection::vec(select(PIECES.to_vec()), 0..40),
        ) {
            let file = versions(path, &old.concat(), &new.concat());
            for symbol in symbols(std::slice::from_ref(&file)) {
                prop_assert!(is_said_of_its_side(&file, &symbol), "{symbol:?} {file:?}");
            }
        }

        #[test]
        fn a_piece_cut_out_of_a_source_tells_nothing_false(
            path in select(PATHS.to_vec()), from in any::<Index>(), to in any::<Index>(), put in select(PIECES.to_vec()),
        ) {
            let source = include_str!("rust.rs");
            let at = |index: Index| source.floor_char_boundary(index.index(source.len()));
            let (from, to) = (at(from).min(at(to)), at(from).max(at(to)));
            let file = versions(path, source, &format!("{}{put}{}", &source[..from], &source[to..]));
            for symbol in symbols(std::slice::from_ref(&file)) {
                prop_assert!(is_said_of_its_side(&file, &symbol), "{symbol:?}");
                let head = format!("fn {}(", symbol.name);
                let is_defined = |text: &str| {
                    text.lines().any(|line| line.trim_start().trim_start_matches("pub ").starts_with(&head))
                };
                let texts = file.texts.as_deref().unwrap();
                prop_assert!(symbol.change != SymbolChange::Removed || !is_defined(&texts.new), "{symbol:?}");
                prop_assert!(symbol.change != SymbolChange::Added || !is_defined(&texts.old), "{symbol:?}");
            }
        }

        #[test]
        fn any_bytes_under_any_rows_are_read_without_a_panic(
            path in select(PATHS.to_vec()), old in any::<Vec<u8>>(), new in any::<Vec<u8>>(), start in any::<u32>(),
        ) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let mut file = versions(path, &text(&old), &text(&new));
            for hunk in &mut file.hunks {
                (hunk.old_start, hunk.new_start) = (start, u32::MAX - start);
            }
            symbols(&[file]);
        }
    }
}
