//! Names and paths: the patch must have them, or the author, or the repository.

use super::lexicon::Lexicon;
use super::token::{Kind, Token};
use super::words;

/// What has to be known for a token to be grounded, as far as the commit does not have it: nothing where it does.
pub fn missing(token: &Token<'_>, lexicon: &Lexicon) -> Vec<String> {
    let low = token.low();
    match token.kind {
        Kind::Prose | Kind::Number => Vec::new(),
        Kind::Url => {
            if lexicon.said_words().contains(&low) {
                Vec::new()
            } else {
                vec![low]
            }
        }
        Kind::Quote => quote(&low, lexicon),
        Kind::Name if is_common(token.text) => Vec::new(),
        Kind::Name | Kind::Code => code(token.text, &low, lexicon),
        Kind::Path => path(token.text, &low, lexicon),
    }
}

/// Quoted words must stand so somewhere; two or three may also be a name that people give to a thing.
fn quote(low: &str, lexicon: &Lexicon) -> Vec<String> {
    if lexicon.has_literal(low) || lexicon.has_quote(low) {
        return Vec::new();
    }
    let stems = words::stems(low);
    let free = low.split_whitespace().count() <= 3 && !low.contains(|c: char| c.is_ascii_digit());
    let known = free && !stems.is_empty() && stems.iter().all(|stem| lexicon.has_stem(stem));
    if known { Vec::new() } else { vec![low.to_owned()] }
}

fn code(text: &str, low: &str, lexicon: &Lexicon) -> Vec<String> {
    let bare = low.trim_end_matches("()");
    if is_common(text) || lexicon.has_literal(bare) {
        return Vec::new();
    }
    let joined = !bare.contains(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
    if joined && !lexicon.word(bare).is_none() {
        return Vec::new();
    }
    let parts = words::identifiers(bare).filter(|part| is_telling(part));
    let lost: Vec<String> =
        parts.filter(|part| lexicon.word(part).is_none() && !is_common(part)).map(str::to_owned).collect();
    // A name of several words with hyphens or dots may also be known as a whole.
    lost
}

/// One letter, or digits alone, name nothing.
fn is_telling(part: &str) -> bool {
    part.len() > 1 && part.contains(|c: char| c.is_alphabetic())
}

/// A path must be one, or stand somewhere letter by letter: that its parts are known proves nothing.
fn path(text: &str, low: &str, lexicon: &Lexicon) -> Vec<String> {
    let bare =
        low.trim_start_matches(['\u{2026}', '@']).trim_start_matches("./").trim_matches('/').trim_end_matches("/*");
    let known = is_common(text)
        || bare.is_empty()
        || !lexicon.path_of(bare).is_none()
        || lexicon.has_directory(bare)
        || lexicon.has_components(bare)
        || lexicon.has_literal(low)
        || lexicon.has_literal(bare);
    if known || is_of_known_parts(bare, lexicon) {
        return Vec::new();
    }
    // `Router.new` and `vue.js` look like files.
    let dotted = !low.contains('/') && !low.starts_with('.');
    let parts: Vec<&str> = words::identifiers(bare).collect();
    let file = parts.last().is_some_and(|end| EXTENSIONS.contains(end));
    if dotted && !file && parts.iter().all(|part| !lexicon.word(part).is_none()) {
        return Vec::new();
    }
    let each =
        !low.contains(['.', '_']) && low.matches('/').count() == 1 && !low.starts_with('/') && !low.ends_with('/');
    if each && parts.iter().all(|part| lexicon.has_stem(&words::stem(part)) && !lexicon.has_directory(part)) {
        // `bytes/strings`: an alternative of two words that the patch has, and no directory of its own.
        return Vec::new();
    }
    vec![bare.to_owned()]
}

/// `scan/2`, `FirstName/SecondName`, `pkg/path.Name`: names of code between slashes.
fn is_of_known_parts(bare: &str, lexicon: &Lexicon) -> bool {
    let Some((before, last)) = bare.rsplit_once('/') else { return false };
    let known = |name: &str| !lexicon.word(name).is_none();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && !before.contains('/') {
        return known(before);
    }
    let of_package = last.split_once('.').is_some_and(|(package, name)| {
        !EXTENSIONS.contains(&name) && known(name) && lexicon.has_literal(&format!("{before}/{package}"))
    });
    // Two long names are no folder with a file in it.
    let names = bare.split('/').all(|part| part.len() > 11 && part.chars().all(char::is_alphanumeric) && known(part));
    of_package || names
}

/// Names that everybody knows, and that say nothing of a repository.
pub fn is_common(text: &str) -> bool {
    let low = text.to_lowercase();
    let low = low.trim_end_matches("()");
    COMMON.binary_search(&low).is_ok() || low.strip_suffix('s').is_some_and(|low| COMMON.binary_search(&low).is_ok())
}

/// What marks a dotted name as a file's.
const EXTENSIONS: &[&str] = &[
    "rs", "py", "pyi", "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "go", "java", "c", "h", "cc", "cpp", "hpp", "rb",
    "md", "txt", "toml", "json", "yml", "yaml", "lock", "xml", "html", "css", "scss", "sh", "bash", "zsh", "fish",
    "ini", "cfg", "conf", "rst", "adoc", "sql", "proto", "gradle", "kt", "swift", "vue", "svg", "png", "mod", "sum",
];

/// Sorted.
const COMMON: &[&str] = &[
    "android",
    "api",
    "apple",
    "april",
    "arm",
    "ascii",
    "august",
    "aws",
    "azure",
    "bash",
    "bsd",
    "c#",
    "c++",
    "ci",
    "cli",
    "cpu",
    "crlf",
    "css",
    "csv",
    "cve",
    "debian",
    "december",
    "dns",
    "docker",
    "english",
    "faq",
    "february",
    "firefox",
    "friday",
    "gcc",
    "git",
    "github",
    "gitlab",
    "gnu",
    "google",
    "gpu",
    "gui",
    "html",
    "http",
    "https",
    "i/o",
    "ide",
    "int",
    "io",
    "ios",
    "ip",
    "january",
    "java",
    "javascript",
    "js",
    "json",
    "july",
    "june",
    "jwt",
    "kb",
    "lf",
    "linux",
    "llm",
    "llvm",
    "mac",
    "macos",
    "march",
    "markdown",
    "may",
    "mb",
    "microsoft",
    "mit",
    "monday",
    "msrv",
    "node.js",
    "november",
    "npm",
    "ntfs",
    "october",
    "ok",
    "os",
    "osx",
    "pdf",
    "png",
    "posix",
    "pr",
    "python",
    "ram",
    "readme",
    "rest",
    "rfc",
    "rust",
    "saturday",
    "sdk",
    "september",
    "sha",
    "sql",
    "ssh",
    "ssl",
    "sunday",
    "svg",
    "tcp",
    "thursday",
    "tls",
    "todo",
    "toml",
    "tuesday",
    "typescript",
    "ubuntu",
    "udp",
    "ui",
    "uri",
    "url",
    "utc",
    "utf-16",
    "utf-8",
    "utf16",
    "utf8",
    "uuid",
    "ux",
    "vm",
    "wasm",
    "webassembly",
    "wednesday",
    "windows",
    "wip",
    "x86",
    "xml",
    "yaml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_common_names_can_be_searched() {
        assert!(COMMON.is_sorted(), "{:?}", COMMON.windows(2).find(|pair| pair[0] > pair[1]));
        assert!(is_common("GitHub") && is_common("APIs") && !is_common("Router"));
    }
}
