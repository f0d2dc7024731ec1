//! Definitions in the lines of each language.

use super::*;

fn name(language: Language, line: &str) -> Option<String> {
    language.definition(line).map(|definition| definition.name)
}

#[test]
fn definitions_are_recognised_in_each_language() {
    for (language, line, want) in [
        (Language::Rust, "    pub(crate) async fn choose<T>(&self) -> T {", "choose"),
        (Language::Rust, "pub const fn new() -> Self {", "new"),
        (Language::Rust, "unsafe extern \"C\" fn call(x: u8) {", "call"),
        (Language::Rust, "pub struct Router<'a> {", "Router"),
        (Language::Rust, "struct Unit;", "Unit"),
        (Language::Rust, "pub enum Kind", "Kind"),
        (Language::Rust, "impl<T: Into<String>> From<T> for Name<T> {", "Name"),
        (Language::Rust, "impl fmt::Display for domain::Oid {", "Oid"),
        (Language::Rust, "const LIMIT: usize = 3;", "LIMIT"),
        (Language::Rust, "type Found = (u8, u8);", "Found"),
        (Language::Python, "    async def get(self):", "get"),
        (Language::Python, "class Session(SessionRedirectMixin):", "Session"),
        (Language::Python, "class Empty:", "Empty"),
        (Language::Script, "export default async function* run(a) {", "run"),
        (Language::Script, "export const useThing = (a, b) => {", "useThing"),
        (Language::Script, "const one = async x => x + 1;", "one"),
        (Language::Script, "export interface Props {", "Props"),
        (Language::Script, "  private async load(id: string): Promise<void> {", "load"),
        (Language::Script, "type Id = string;", "Id"),
        (Language::Go, "func (r *Router) Choose(k Kind) Model {", "Router.Choose"),
        (Language::Go, "func Map[T any](x T) {", "Map"),
        (Language::Go, "type Router struct {", "Router"),
        (Language::Java, "    public static void main(String[] args) {", "main"),
        (Language::Java, "public final class Router<T> extends Base {", "Router"),
        (Language::C, "static int read_line(char *buf, size_t n)", "read_line"),
        (Language::C, "void Router::choose(int k) {", "Router::choose"),
        (Language::C, "struct point {", "point"),
        (Language::Ruby, "  def self.call!(x)", "call!"),
        (Language::Shell, "__fzf_select__() {", "__fzf_select__"),
        (Language::Shell, "fzf-cd-widget () {", "fzf-cd-widget"),
        (Language::Shell, "  function fzf-history -d \"Show it\"", "fzf-history"),
    ] {
        assert_eq!(name(language, line).as_deref(), Some(want), "{line}");
    }
}

#[test]
fn what_only_looks_like_a_definition_has_no_name() {
    for (language, line) in [
        (Language::Rust, "// fn gone() {"),
        (Language::Shell, "result=$(call)"),
        (Language::Shell, "call (one) two"),
        (Language::Rust, "    let fn_ptr: fn(u8) = f;"),
        (Language::Rust, "    structure(1);"),
        (Language::Rust, "mod tests;"),
        (Language::Rust, "use crate::fn_thing;"),
        (Language::Rust, "    type Item = u8;"),
        (Language::Python, "define(x)"),
        (Language::Python, "    # def gone():"),
        (Language::Python, "class_ = 3"),
        (Language::Script, "  if (x) {"),
        (Language::Script, "describe('it works', () => {"),
        (Language::Script, "  it('works', function () {"),
        (Language::Script, "const x = 3;"),
        (Language::Script, "  } else if (y) {"),
        (Language::Script, "  while (a(b)) {"),
        (Language::Go, "\tfunc() {"),
        (Language::Go, "\ttype x struct {"),
        (Language::Java, "    return new Thing(a) {"),
        (Language::Java, "    private final Map<String, X> map = new HashMap<>(3);"),
        (Language::Java, "    doIt(x) {"),
        (Language::C, "int read_line(char *buf);"),
        (Language::C, "    return foo(bar);"),
        (Language::C, "DEFINE_TEST(foo)"),
        (Language::C, "#define MAX(a, b) ((a) > (b) ? (a) : (b))"),
        (Language::C, "else if (foo(bar)) {"),
        (Language::C, "int x = foo(3)"),
        (Language::Ruby, "define_method(:x)"),
    ] {
        assert_eq!(name(language, line), None, "{line}");
    }
}

#[test]
fn what_is_public_is_told() {
    let public = |language: Language, line| language.definition(line).unwrap().public;
    assert!(public(Language::Rust, "pub fn a() {") && !public(Language::Rust, "fn a() {"));
    assert!(public(Language::Python, "def a():") && !public(Language::Python, "def _a():"));
    assert!(public(Language::Go, "func A() {") && !public(Language::Go, "func a() {"));
}

#[test]
fn tests_are_told_by_attribute_or_name() {
    assert!(Language::Rust.marks_test("    #[tokio::test]") && Language::Rust.marks_test("#[test]"));
    assert!(!Language::Rust.marks_test("#[must_use]"));
    assert!(Language::Go.names_test("TestRouter") && !Language::Go.names_test("Testament"));
    assert!(Language::Python.names_test("test_get"));
}
