//! The one file that prints. Results go to stdout, everything else to stderr; with `--json` stdout holds JSON alone.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use super::failure::{Failure, FailureKind};
use super::flow::width;
use super::pager::Pager;
use crate::config::env::{self, Env};

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// A check that found something: only for commands whose job is to check.
    Degraded,
}

impl Exit {
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Degraded => 3,
        }
    }
}

/// When colour is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const WARN: Style = AnsiColor::Yellow.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const ID: Style = AnsiColor::Cyan.on_default();

/// To the line's start, and erases it.
const CLEAR_LINE: &str = "\r\x1b[K";
const PROGRESS_COLUMNS: usize = 40;

/// What the person asked for on the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    pub color: Color,
    pub json: bool,
    pub quiet: bool,
    pub verbose: u8,
    pub no_pager: bool,
}

/// Both output streams, and how to write to them.
pub struct Ui {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    wishes: Wishes,
    color_out: bool,
    color_err: bool,
    /// Columns of the page that a person reads; absent where stdout is read by a program.
    columns: Option<usize>,
    pager: Option<Pager>,
    terminal_err: bool,
    terminal_in: bool,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui").field("wishes", &self.wishes).finish_non_exhaustive()
    }
}

impl Ui {
    /// On the process's own streams.
    #[must_use]
    pub fn new(wishes: Wishes, env: &Env) -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let (terminal_out, terminal_err) = (out.is_terminal(), err.is_terminal());
        let plain = env.text(env::NO_COLOR).is_some() || env.text(env::TERM) == Some("dumb");
        let color = |terminal: bool| match wishes.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        Self {
            // Lists may be long: written in blocks, flushed at the end of each call.
            out: Mutex::new(Box::new(std::io::BufWriter::new(out))),
            err: Mutex::new(Box::new(err)),
            wishes,
            color_out: color(terminal_out),
            color_err: color(terminal_err),
            columns: (terminal_out || wishes.color == Color::Always).then(|| columns(env)),
            pager: if terminal_out && !wishes.no_pager && !wishes.json { Pager::of(env) } else { None },
            terminal_err,
            terminal_in: std::io::stdin().is_terminal(),
        }
    }

    /// Writes into memory: (user interface, stdout, stderr).
    #[must_use]
    pub fn captured(wishes: Wishes) -> (Self, Captured, Captured) {
        let (out, err) = (Captured::default(), Captured::default());
        let color = wishes.color == Color::Always;
        let ui = Self {
            out: Mutex::new(Box::new(out.clone())),
            err: Mutex::new(Box::new(err.clone())),
            wishes,
            color_out: color,
            color_err: color,
            columns: None,
            pager: None,
            terminal_err: false,
            terminal_in: false,
        };
        (ui, out, err)
    }

    #[must_use]
    pub fn wants_json(&self) -> bool {
        self.wishes.json
    }

    #[must_use]
    pub fn quiet(&self) -> bool {
        self.wishes.quiet
    }

    /// Colour is used on stdout.
    #[must_use]
    pub fn color_out(&self) -> bool {
        self.color_out
    }

    /// How wide a page for a person is, in columns: `$COLUMNS`, else the terminal's width, else 80. Absent where stdout
    /// is no terminal, unless colour is forced: then a person reads it behind the next program.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// Result, through the pager on a terminal.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn page(&self, text: &str) -> Result<(), Failure> {
        let shown = self.pager.as_ref().is_some_and(|pager| !text.is_empty() && pager.show(text));
        if shown { Ok(()) } else { self.raw(text.as_bytes()) }
    }

    /// How often `-v` was given.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.wishes.verbose
    }

    /// Draws a progress bar on stderr over the one before; nothing unless stderr is a terminal.
    pub fn show_progress(&self, done: usize, total: usize) {
        if self.draws_progress() {
            let filled = "█".repeat((PROGRESS_COLUMNS * done).checked_div(total).unwrap_or(0));
            self.draw(&format!("{CLEAR_LINE}{filled:░<PROGRESS_COLUMNS$} {done}/{total}"));
        }
    }

    /// Removes the progress bar.
    pub fn clear_progress(&self) {
        if self.draws_progress() {
            self.draw(CLEAR_LINE);
        }
    }

    fn draws_progress(&self) -> bool {
        self.terminal_err && !self.wishes.quiet
    }

    fn draw(&self, text: &str) {
        let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        // A bar that cannot be drawn is no reason to stop the work.
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// A question can be asked.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.terminal_in && self.terminal_err
    }

    /// One line of result.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Result, byte for byte.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| output_failure(&error))
    }

    /// One JSON value, on one line for scripts.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        let text = json_line(value).map_err(|error| Failure::bug(format!("cannot print: {error}")))?;
        self.raw(text.as_bytes())
    }

    /// A table with aligned columns.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn table(&self, table: &Table) -> Result<(), Failure> {
        self.raw(table.render(self.color_out).as_bytes())
    }

    /// Text in a style, where colour is used on stdout.
    #[must_use]
    pub fn paint(&self, style: Style, text: &str) -> String {
        paint(self.color_out, style, text)
    }

    /// Something to know beside the result; silent with `-q`.
    pub fn note(&self, text: &str) {
        if !self.wishes.quiet {
            self.complain("", DIM, text);
        }
    }

    /// Something to look after; silent with `-q`.
    pub fn warn(&self, text: &str) {
        if !self.wishes.quiet {
            self.complain("warning:", WARN, text);
        }
    }

    /// Details, with `-v`.
    pub fn detail(&self, text: &str) {
        if self.wishes.verbose > 0 {
            self.complain("", DIM, text);
        }
    }

    /// `error:`, `caused by:` and `hint:`; nothing when the output was merely closed.
    pub fn failure(&self, failure: &Failure) {
        if failure.kind == FailureKind::OutputClosed {
            return;
        }
        self.complain("error:", BAD, &failure.message);
        for cause in &failure.causes {
            self.complain("caused by:", DIM, cause);
        }
        if let Some(hint) = &failure.hint {
            self.complain("hint:", GOOD, hint);
        }
    }

    /// Asks a question that is answered with y or n; no answer is no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        // When the question cannot be shown, the answer is no.
        if write!(err, "{question} [y/N] ").and_then(|()| err.flush()).is_err() {
            return false;
        }
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    fn complain(&self, label: &str, style: Style, text: &str) {
        let label = paint(self.color_err && !label.is_empty(), style, label);
        let space = if label.is_empty() { "" } else { " " };
        let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to tell when stderr is closed.
        let _ = writeln!(err, "{label}{space}{}", harmless(text)).and_then(|()| err.flush());
    }
}

/// As git does it: what the person says, what the terminal says, what terminals had.
fn columns(env: &Env) -> usize {
    let said = env.text(env::COLUMNS).and_then(|text| text.trim().parse().ok()).filter(|columns| *columns > 0);
    let asked = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    said.or_else(asked).filter(|columns| *columns > 0).unwrap_or(80)
}

fn output_failure(error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::new(FailureKind::OutputClosed, "the reader left");
    }
    Failure::environment("cannot write the output").because(error.to_string()).hint("df -h")
}

fn paint(color: bool, style: Style, text: &str) -> String {
    if color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// A line of runs of text in one style each, with its end.
#[must_use]
pub fn paint_line(color: bool, line: &[(String, Style)]) -> String {
    let painted: String =
        line.iter().map(|(text, style)| paint(color && *style != Style::new(), *style, text)).collect();
    format!("{}\n", painted.trim_end())
}

/// Text from outside without the characters that would drive a terminal or reorder its line; lines stay lines.
#[must_use]
pub fn harmless(text: &str) -> String {
    let shown = |c: char| c == '\n' || c == '\t' || !(c.is_control() || reorders(c));
    text.chars().map(|c| if shown(c) { c } else { '\u{fffd}' }).collect()
}

/// Unicode's explicit marks, embeddings, overrides and isolates: with them a text can look like another
/// (Unicode Technical Report 36, "Bidirectional Text Spoofing").
fn reorders(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of JSON in which such characters are escaped, which changes no value: serde escapes C0 alone.
///
/// # Errors
/// What serde says about the value.
pub fn json_line<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c.is_control() || reorders(c) { line.push_str(&format!("\\u{:04x}", c as u32)) } else { line.push(c) }
    }
    line.push('\n');
    Ok(line)
}

/// [`harmless`], and on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Memory that a test reads what was printed from.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Rows under a head, columns two spaces apart.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<(String, Style)>>,
}

impl Table {
    #[must_use]
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; what is missing at its end is empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.styled(cells.into_iter().map(|cell| (cell, Style::new())).collect());
    }

    pub fn styled(&mut self, cells: Vec<(String, Style)>) {
        self.rows.push(cells.into_iter().map(|(text, style)| (one_line(&text), style)).collect());
    }

    /// The table as text; without head when the columns have no names.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let head: Vec<_> = self.columns.iter().map(|(name, _)| (name.clone(), DIM)).collect();
        let named = head.iter().any(|(name, _)| !name.is_empty());
        let rows: Vec<_> = named.then_some(&head).into_iter().chain(&self.rows).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| width(text)).max().unwrap_or(0))
            .collect();
        rows.into_iter().map(|row| self.render_row(row, &widths, color)).collect()
    }

    fn render_row(&self, row: &[(String, Style)], widths: &[usize], color: bool) -> String {
        let cells = row.iter().zip(widths).zip(&self.columns).map(|(((text, style), width_of), (_, align))| {
            let gap = " ".repeat(width_of - width(text));
            let painted = paint(color, *style, text);
            if *align == Align::Right { gap + &painted } else { painted + &gap }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ui(color: Color) -> (Ui, Captured, Captured) {
        Ui::captured(Wishes { color, ..Wishes::default() })
    }

    #[test]
    fn a_failure_is_told_in_three_parts_on_stderr() {
        let (ui, out, err) = ui(Color::Never);
        ui.failure(&Failure::environment("no capture \"x\"").because("it was forgotten").hint("uro-capture log"));
        assert_eq!(err.text(), "error: no capture \"x\"\ncaused by: it was forgotten\nhint: uro-capture log\n");
        assert_eq!(out.text(), "");
    }

    #[test]
    fn colour_comes_only_when_wanted() {
        let (plain, out, _) = ui(Color::Auto);
        plain.line(&plain.paint(GOOD, "fine")).unwrap();
        assert_eq!(out.text(), "fine\n");
        let (coloured, out, _) = ui(Color::Always);
        coloured.line(&coloured.paint(GOOD, "fine")).unwrap();
        assert_eq!(out.text(), "\u{1b}[32mfine\u{1b}[0m\n");
    }

    #[test]
    fn tables_are_aligned_also_beyond_ascii() {
        let mut table = Table::new(&[("op", Align::Left), ("n", Align::Right), ("", Align::Left)]);
        table.row(vec!["größe".into(), "7".into(), "x".into()]);
        table.row(vec!["a\nb".into(), "1234".into()]);
        table.row(vec!["登录".into(), "1".into(), "y".into()]);
        assert_eq!(table.render(false), "op        n\ngröße     7  x\na b    1234\n登录      1  y\n");
    }

    #[test]
    fn a_reader_that_left_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let (mut ui, _, err) = ui(Color::Never);
        ui.out = Mutex::new(Box::new(Gone));
        let failure = ui.line("x").unwrap_err();
        ui.failure(&failure);
        assert_eq!((failure.code(), err.text().as_str()), (0, ""));
    }

    #[test]
    fn quiet_silences_notes_and_warnings_but_not_failures() {
        let (ui, _, err) = Ui::captured(Wishes { quiet: true, ..Wishes::default() });
        ui.note("a");
        ui.warn("b");
        ui.detail("c");
        assert_eq!(err.text(), "");
        ui.failure(&Failure::usage("d"));
        assert_eq!(err.text(), "error: d\n");
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\n");
        assert_eq!(harmless("\u{202e}gpj.exe\u{2069} שלום"), "\u{fffd}gpj.exe\u{fffd} שלום");
        assert_eq!(one_line(" a\n\tb "), "a b");
    }

    #[test]
    fn json_is_one_line() {
        let (ui, out, _) = ui(Color::Never);
        ui.json(&serde_json::json!({"a": [1]})).unwrap();
        assert_eq!(out.text(), "{\"a\":[1]}\n");
    }

    #[test]
    fn what_turns_text_round_or_drives_a_terminal_is_not_printed() {
        assert_eq!(harmless("a\u{202e}b\u{9b}c\u{1b}\n"), "a\u{fffd}b\u{fffd}c\u{fffd}\n");
        let text = "a\u{202e}\u{9b}\u{7f}\u{2066}é\n".to_owned();
        let line = json_line(&text).unwrap();
        assert_eq!(line, "\"a\\u202e\\u009b\\u007f\\u2066é\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
