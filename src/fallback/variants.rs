//! Template files: one per kind of commit, built in or custom. A custom template is validated on samples when loaded,
//! so that it cannot break a capture.

mod samples;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::LazyLock;

use minijinja::value::Rest;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::phrase::{self, one_line, sentence};
use crate::facts::case::Case;
use crate::facts::roles::FileRole;

/// Limit of a summary's words.
pub const WORDS: usize = 60;
/// Instruction limit (fuel) of one rendering; the built-in templates take about thirty.
const FUEL: u64 = 5_000;

/// Template of a commit or a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    Commit,
    Merge,
    Revert,
    Release,
    Dependencies,
    Docs,
    Format,
    Binary,
    Initial,
    Fixup,
    Generated,
    Note,
}

use Variant::{Binary, Commit, Dependencies, Docs, Fixup, Format, Generated, Initial, Merge, Note, Release, Revert};

/// Every variant with its name and built-in text.
const BUILT_IN: [(Variant, &str, &str); 12] = [
    (Commit, "commit", include_str!("../../templates/capture/commit.j2")),
    (Merge, "merge", include_str!("../../templates/capture/merge.j2")),
    (Revert, "revert", include_str!("../../templates/capture/revert.j2")),
    (Release, "release", include_str!("../../templates/capture/release.j2")),
    (Dependencies, "dependencies", include_str!("../../templates/capture/dependencies.j2")),
    (Docs, "docs", include_str!("../../templates/capture/docs.j2")),
    (Format, "format", include_str!("../../templates/capture/format.j2")),
    (Binary, "binary", include_str!("../../templates/capture/binary.j2")),
    (Initial, "initial", include_str!("../../templates/capture/initial.j2")),
    (Fixup, "fixup", include_str!("../../templates/capture/fixup.j2")),
    (Generated, "generated", include_str!("../../templates/capture/generated.j2")),
    (Note, "note", include_str!("../../templates/capture/note.j2")),
];

impl Variant {
    /// The variant for a kind of commit.
    #[must_use]
    pub fn for_case(case: Case) -> Self {
        match case {
            Case::Merge => Merge,
            Case::Revert => Revert,
            Case::Initial => Initial,
            Case::Fixup => Fixup,
            Case::Release => Release,
            Case::Dependencies => Dependencies,
            Case::Only(FileRole::Docs) => Docs,
            Case::WhitespaceOnly | Case::ImportOrder => Format,
            Case::BinaryOnly => Binary,
            Case::Vendored | Case::Generated => Generated,
            Case::Unknown
            | Case::Empty
            | Case::RenameOnly
            | Case::ModeOnly
            | Case::SubmoduleOnly
            | Case::Only(_)
            | Case::Ordinary => Commit,
        }
    }

    /// `commit`, `merge`, …: the file name without its extension.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        BUILT_IN.iter().find(|(variant, ..)| *variant == self).map_or("commit", |(_, name, _)| name)
    }
}

/// File names without the folder: `commit.j2`, ….
pub fn file_names() -> impl Iterator<Item = String> {
    BUILT_IN.iter().map(|(_, name, _)| format!("{name}.j2"))
}

/// The active templates, compiled.
pub struct Variants {
    environment: Environment<'static>,
    /// Custom templates, by their compiled name.
    custom: BTreeMap<Variant, String>,
    complaints: Vec<String>,
}

/// A text, and the error of a custom template that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    pub text: String,
    pub complaint: Option<String>,
}

static STANDARD: LazyLock<Variants> = LazyLock::new(|| Variants::with_custom([]));

impl Variants {
    /// The built-in templates, compiled once per process.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &STANDARD
    }

    /// The built-in templates, overridden by files: (name, text). A template that is invalid, endless, or renders
    /// nothing or too much on the samples is reported and not used.
    #[must_use]
    pub fn with_custom(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut environment = environment();
        let mut complaints = Vec::new();
        for (_, name, text) in BUILT_IN {
            // A test compiles them all; a missing one falls back to the joined pieces.
            if let Err(error) = environment.add_template(name, text) {
                complaints.push(format!("the built-in {name}.j2 is broken: {}", reason(&error)));
            }
        }
        let mut variants = Self { environment, custom: BTreeMap::new(), complaints };
        for (file, text) in files {
            if let Err(why) = variants.load_custom(&file, text) {
                variants.complaints.push(format!("your template capture/{file} is not used: {why}"));
            }
        }
        variants
    }

    /// Adds earlier complaints.
    #[must_use]
    pub fn with_complaints(mut self, more: impl IntoIterator<Item = String>) -> Self {
        self.complaints.extend(more);
        self
    }

    fn load_custom(&mut self, file: &str, text: String) -> Result<(), String> {
        let names = || format!("its name is none of {}", file_names().collect::<Vec<_>>().join(", "));
        let of_name = |name: &str| BUILT_IN.iter().find(|(_, own, _)| *own == name).map(|(variant, ..)| *variant);
        let variant = file.strip_suffix(".j2").and_then(of_name).ok_or_else(names)?;
        if has_multiplication(&text) {
            return Err("it multiplies inside a tag, which can exhaust the memory".to_owned());
        }
        let name = format!("your {file}");
        self.environment.add_template_owned(name.clone(), text).map_err(|error| reason(&error))?;
        for (title, values) in samples::sample_values(variant) {
            self.render(&name, &values, variant).map_err(|why| format!("{why} (tried on {title})"))?;
        }
        self.custom.insert(variant, name);
        Ok(())
    }

    /// Errors of the custom templates; empty if there are none.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The text of the custom template, else of the built-in one; `None` if both fail.
    pub(super) fn render_variant(&self, variant: Variant, values: &Value) -> Option<RenderedText> {
        let own = self.custom.get(&variant).map(|name| self.render(name, values, variant));
        let complaint = match own {
            Some(Ok(text)) => return Some(RenderedText { text, complaint: None }),
            Some(Err(why)) => Some(format!("your template capture/{}.j2 was not used: {why}", variant.as_str())),
            None => None,
        };
        self.render(variant.as_str(), values, variant).ok().map(|text| RenderedText { text, complaint })
    }

    /// Renders up to a size limit: "x" repeated a hundred million times is one instruction.
    fn rendered(&self, name: &str, values: &Value) -> Result<String, String> {
        let template = self.environment.get_template(name).map_err(|error| reason(&error))?;
        let mut page = BoundedWriter::default();
        let done = template.render_captured_to(values.clone(), &mut page).map(drop);
        if page.full {
            return Err(format!("it says more than {} kB", SIZE >> 10));
        }
        done.map_err(|error| reason(&error))?;
        Ok(String::from_utf8_lossy(&page.bytes).into_owned())
    }

    /// One paragraph within the limits, or the error.
    fn render(&self, name: &str, values: &Value, variant: Variant) -> Result<String, String> {
        let rendered = self.rendered(name, values)?;
        let lines = rendered.lines().filter(|line| !line.trim().is_empty()).count();
        let text = sentence(&one_line(&rendered));
        let words = phrase::words(&text);
        if text.is_empty() {
            Err("it says nothing".to_owned())
        } else if lines > LINES {
            Err(format!("it has {lines} lines; at most {LINES} are allowed"))
        } else if variant != Note && words > WORDS {
            Err(format!("it has {words} words; at most {WORDS} are allowed"))
        } else {
            Ok(text)
        }
    }
}

/// A `*` in a tag, outside of strings and comments: one instruction that may produce a gigabyte.
fn has_multiplication(text: &str) -> bool {
    let (mut rest, mut quote) = (text, None);
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        match (inside, quote) {
            (false, _) if rest.starts_with("{#") => rest = &rest[rest.find("#}").unwrap_or(rest.len())..],
            (false, _) => inside = rest.starts_with("{{") || rest.starts_with("{%"),
            (true, None) if matches!(c, '"' | '\'') => quote = Some(c),
            (true, None) if rest.starts_with("}}") || rest.starts_with("%}") => inside = false,
            (true, None) if c == '*' => return true,
            (true, Some(mark)) if c == mark => quote = None,
            (true, Some(_)) if c == '\\' => rest = &rest[1..],
            (true, _) => {}
        }
        rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
    }
    false
}

/// Size limit of a rendered text (bytes); notes are the longest.
const SIZE: usize = 256 << 10;

/// Bounded writer that records an overflow.
#[derive(Debug, Default)]
struct BoundedWriter {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for BoundedWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.full |= self.bytes.len().saturating_add(text.len()) > SIZE;
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Limit of lines that are joined to a paragraph.
const LINES: usize = 2;

impl fmt::Debug for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variants")
            .field("own", &self.custom)
            .field("complaints", &self.complaints)
            .finish_non_exhaustive()
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.add_function("say", join_sentences);
    // They amplify text, and no template needs them.
    for filter in ["indent", "format"] {
        environment.remove_filter(filter);
    }
    environment
}

/// The sentences in order, without empty ones and those beyond the limit.
fn join_sentences(sentences: Rest<Value>) -> Result<String, Error> {
    let mut joined = String::new();
    let mut words = 0;
    for (at, value) in sentences.0.into_iter().enumerate() {
        let unknown = || Error::new(ErrorKind::UndefinedError, format!("say() does not know its {}. name", at + 1));
        if value.is_undefined() {
            return Err(unknown());
        }
        let next = sentence(&one_line(value.as_str().unwrap_or("")));
        let more = phrase::words(&next);
        if next.is_empty() || words + more > WORDS {
            continue;
        }
        words += more;
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&next);
    }
    Ok(joined)
}

fn reason(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    format!("{detail}{line}")
}

#[cfg(test)]
#[path = "variants_tests.rs"]
mod tests;
