//! Line-based symbols.

use super::*;
use crate::domain::clock::FakeClock;
use crate::facts::sample::file;
use crate::facts::syntax;

fn symbols_of(files: &[FileChange]) -> Vec<Symbol> {
    syntax::find_symbols(files, &FakeClock::at(jiff::Timestamp::UNIX_EPOCH))
}

/// `name:fate` for each symbol.
fn describe_symbols(path: &str, patch: &str) -> Vec<String> {
    symbols_of(&[file(path, patch)]).iter().map(|s| format!("{}:{:?}", s.name, s.change)).collect()
}

#[test]
fn a_definition_only_in_added_lines_is_added() {
    assert_eq!(
        describe_symbols("a.rs", "@@ impl Router {\n+    pub fn choose(&self) {\n+        one();\n+    }"),
        ["Router::choose:Added"]
    );
}

#[test]
fn a_definition_only_in_removed_lines_is_removed() {
    assert_eq!(describe_symbols("a.py", "@@\n-def select_model(x):\n-    return x"), ["select_model:Removed"]);
}

#[test]
fn a_definition_in_both_is_redefined() {
    assert_eq!(
        describe_symbols("a.go", "@@\n-func (r *Router) Choose() {\n+func (r *Router) Choose(k int) {"),
        ["Router.Choose:Redefined"]
    );
}

#[test]
fn a_change_within_a_function_modifies_it() {
    assert_eq!(
        describe_symbols("a.rs", "@@ fn choose() {\n     let a = 1;\n-    b();\n+    c();"),
        ["choose:Modified"]
    );
}

#[test]
fn a_function_in_the_context_encloses_and_its_neighbour_does_not() {
    let patch = "@@ fn before() {\n     x();\n }\n \n fn inside() {\n-    b();\n+    c();\n }";
    assert_eq!(describe_symbols("a.rs", patch), ["inside:Modified"]);
}

#[test]
fn a_change_after_the_end_of_a_function_is_not_in_it() {
    assert_eq!(describe_symbols("a.rs", "@@ fn before() {\n     x();\n }\n \n-use a;\n+use b;"), Vec::<String>::new());
}

#[test]
fn a_signature_over_several_lines_still_encloses_its_body() {
    let patch = "@@\n fn long(\n     a: u8,\n ) -> u8\n where\n     u8: Copy,\n {\n-    a\n+    a + 1\n }";
    assert_eq!(describe_symbols("a.rs", patch), ["long:Modified"]);
}

#[test]
fn a_function_that_moved_within_its_file_says_nothing() {
    assert_eq!(
        describe_symbols("a.py", "@@\n-def a():\n-    pass\n def b():\n     pass\n+def a():\n+    pass"),
        Vec::<String>::new()
    );
}

#[test]
fn a_function_that_moved_to_another_file_is_moved() {
    let files = [file("a.rs", "@@\n-fn go() {\n-    x();\n-}"), file("b.rs", "@@\n+fn go() {\n+    x();\n+}")];
    let symbols = symbols_of(&files);
    assert_eq!(symbols.len(), 1);
    assert_eq!((symbols[0].change, symbols[0].path.as_str()), (SymbolChange::Moved, "b.rs"));
}

#[test]
fn tests_are_ranked_after_the_code_they_test() {
    let patch = "@@\n+fn small() {\n+}\n+#[cfg(test)]\n+mod tests {\n+    #[test]\n+    fn it_works() {\n+        a();\n+    }\n+}";
    let symbols = symbols_of(&[file("a.rs", patch)]);
    let order: Vec<_> = symbols.iter().map(|s| (s.name.as_str(), s.test)).collect();
    assert_eq!(order, [("small", false), ("it_works", true)]);
}

#[test]
fn of_a_file_that_was_read_in_part_only_modifications_are_told() {
    let mut part = file("a.rs", "@@ fn outer() {\n+    x();\n@@\n+fn new() {\n+}");
    part.insertions = Some(100);
    assert_eq!(symbols_of(std::slice::from_ref(&part)).len(), 1);
    part.change = Change::Added;
    assert_eq!(symbols_of(&[part]).len(), 2);
}

#[test]
fn what_was_read_of_no_known_language_has_no_symbols() {
    assert_eq!(describe_symbols("a.txt", "@@\n+fn a() {"), Vec::<String>::new());
}

#[test]
fn a_definition_under_two_conditions_neither_came_nor_went_with_one_of_them() {
    let two = "@@\n-if one; then\n-  widget() {\n-    a\n-  }\n-else\n-  widget() {\n-    b\n-  }\n-fi\n+widget() {\n+  b\n+}";
    assert!(
        !describe_symbols("keys.zsh", two).iter().any(|symbol| symbol.ends_with("Removed")),
        "{:?}",
        describe_symbols("keys.zsh", two)
    );
    let back = "@@\n-widget() {\n-  b\n-}\n+if one; then\n+  widget() {\n+    a\n+  }\n+else\n+  widget() {\n+    b\n+  }\n+fi";
    assert!(
        !describe_symbols("keys.zsh", back).iter().any(|symbol| symbol.ends_with("Added")),
        "{:?}",
        describe_symbols("keys.zsh", back)
    );
}
