//! Output: the only file that prints. Results go to stdout, all else to stderr; with `--json` stdout holds JSON alone.

use parking_lot::Mutex;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Arc;

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use super::failure::{Failure, FailureKind};
use super::pager::Pager;
use super::wrap::width;
use crate::config::env::{self, Env};
use crate::pipeline::sizes::Sizes;

/// Result of a command that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// A check with findings: only for commands that check.
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

/// When to use colour.
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

// Output options of the command line. A documentation comment here would become the help of the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct OutputOptions {
    /// Print results and errors only
    #[arg(short, long, global = true, display_order = 101)]
    pub quiet: bool,
    /// Print details on stderr
    #[arg(short, long, global = true, display_order = 102, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour; auto: on terminals unless `NO_COLOR` is set
    #[arg(long, global = true, display_order = 103, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// Print JSON
    #[arg(long, global = true, display_order = 104)]
    pub json: bool,
    /// Show long lists without a pager
    #[arg(long, global = true, display_order = 106)]
    pub no_pager: bool,
}

/// Both output streams and their options.
pub struct Ui {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    pub options: OutputOptions,
    /// Stdout gets colour.
    pub color_out: bool,
    color_err: bool,
    /// Page width in columns: `$COLUMNS`, else the terminal's width, else 80. `None` if stdout is no terminal, unless
    /// colour is forced: then the output is for a person, behind another program.
    pub columns: Option<usize>,
    pager: Option<Pager>,
    terminal_err: bool,
    /// A question can be asked.
    pub can_ask: bool,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ui").field("wishes", &self.options).finish_non_exhaustive()
    }
}

impl Ui {
    /// Uses the process's own streams.
    #[must_use]
    pub fn new(options: OutputOptions, env: &Env) -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let (terminal_out, terminal_err) = (out.is_terminal(), err.is_terminal());
        let plain = env.text(env::NO_COLOR).is_some() || env.text(env::TERM) == Some("dumb");
        let color = |terminal: bool| match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        Self {
            // Block-buffered for long lists, flushed at the end of each call.
            out: Mutex::new(Box::new(std::io::BufWriter::new(out))),
            err: Mutex::new(Box::new(err)),
            options,
            color_out: color(terminal_out),
            color_err: color(terminal_err),
            columns: (terminal_out || options.color == Color::Always).then(|| detect_columns(env)),
            pager: if terminal_out && !options.no_pager && !options.json { Pager::from_env(env) } else { None },
            terminal_err,
            can_ask: terminal_err && std::io::stdin().is_terminal(),
        }
    }

    /// Writes into memory; returns (user interface, stdout, stderr).
    #[must_use]
    pub fn in_memory(wishes: OutputOptions) -> (Self, MemoryOutput, MemoryOutput) {
        let (out, err) = (MemoryOutput::default(), MemoryOutput::default());
        let color = wishes.color == Color::Always;
        let ui = Self {
            out: Mutex::new(Box::new(out.clone())),
            err: Mutex::new(Box::new(err.clone())),
            options: wishes,
            color_out: color,
            color_err: color,
            columns: None,
            pager: None,
            terminal_err: false,
            can_ask: false,
        };
        (ui, out, err)
    }

    /// Prints a result, through the pager on a terminal.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn page(&self, text: &str) -> Result<(), Failure> {
        let shown = self.pager.as_ref().is_some_and(|pager| !text.is_empty() && pager.show(text));
        if shown { Ok(()) } else { self.raw(text.as_bytes()) }
    }

    /// A progress bar on stderr for `steps` steps; hidden unless stderr is a terminal.
    #[must_use]
    pub fn progress(&self, steps: u64) -> indicatif::ProgressBar {
        if self.terminal_err && !self.options.quiet {
            indicatif::ProgressBar::new(steps)
        } else {
            indicatif::ProgressBar::hidden()
        }
    }

    /// Prints one line of result.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Prints a result, byte for byte.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::new(FailureKind::OutputClosed, "the reader left"),
            _ => Failure::input("cannot write the output").because(error.to_string()).hint("df -h"),
        })
    }

    /// Prints one JSON value, on one line for scripts.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        let text = json_line(value).map_err(|error| Failure::bug(format!("cannot print: {error}")))?;
        self.raw(text.as_bytes())
    }

    /// Prints a table with aligned columns.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn table(&self, table: &Table) -> Result<(), Failure> {
        self.raw(table.render(self.color_out).as_bytes())
    }

    /// Adds a style, if stdout gets colour.
    #[must_use]
    pub fn paint(&self, style: Style, text: &str) -> String {
        paint(self.color_out, style, text)
    }

    /// Prints information beside the result; silent with `-q`.
    pub fn note(&self, text: &str) {
        if !self.options.quiet {
            self.print_message("", DIM, text);
        }
    }

    /// Prints a warning; silent with `-q`.
    pub fn warn(&self, text: &str) {
        if !self.options.quiet {
            self.print_message("warning:", WARN, text);
        }
    }

    /// Prints details, with `-v`.
    pub fn detail(&self, text: &str) {
        if self.options.verbose > 0 {
            self.print_message("", DIM, text);
        }
    }

    /// Prints `error:`, `caused by:` and `hint:`; nothing after a closed pipe.
    pub fn failure(&self, failure: &Failure) {
        if failure.kind == FailureKind::OutputClosed {
            return;
        }
        self.print_message("error:", BAD, &failure.message);
        for cause in &failure.causes {
            self.print_message("caused by:", DIM, cause);
        }
        if let Some(hint) = &failure.hint {
            self.print_message("hint:", GOOD, hint);
        }
    }

    /// Asks a yes/no question; no answer means no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        let mut err = self.err.lock();
        // If the question cannot be shown, the answer is no.
        if write!(err, "{question} [y/N] ").and_then(|()| err.flush()).is_err() {
            return false;
        }
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    fn print_message(&self, label: &str, style: Style, text: &str) {
        let label = paint(self.color_err && !label.is_empty(), style, label);
        let space = if label.is_empty() { "" } else { " " };
        let mut err = self.err.lock();
        // A closed stderr cannot be reported.
        let _ = writeln!(err, "{label}{space}{}", sanitise(text)).and_then(|()| err.flush());
    }
}

/// As git does it: the option, else the terminal's type, else the common default.
fn detect_columns(env: &Env) -> usize {
    let from_environment =
        env.text(env::COLUMNS).and_then(|text| text.trim().parse().ok()).filter(|columns| *columns > 0);
    let asked = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    from_environment.or_else(asked).filter(|columns| *columns > 0).unwrap_or(80)
}

fn paint(color: bool, style: Style, text: &str) -> String {
    if color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Formats one line of styled runs, with its end.
#[must_use]
pub fn paint_line(color: bool, line: &[(String, Style)]) -> String {
    let painted: String =
        line.iter().map(|(text, style)| paint(color && *style != Style::new(), *style, text)).collect();
    format!("{}\n", painted.trim_end())
}

/// Sanitises external text: drops characters that would control a terminal or reorder its line; keeps line ends.
#[must_use]
pub fn sanitise(text: &str) -> String {
    let shown = |c: char| c == '\n' || c == '\t' || !(c.is_control() || is_reordering(c));
    text.chars().map(|c| if shown(c) { c } else { '\u{fffd}' }).collect()
}

/// Unicode's explicit marks, embeddings, overrides and isolates, which allow text spoofing
/// (Unicode Technical Report 36, "Bidirectional Text Spoofing").
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of JSON with such characters escaped, which changes no value: serde escapes C0 alone.
///
/// # Errors
/// Errors of serde.
pub fn json_line<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c.is_control() || is_reordering(c) { line.push_str(&format!("\\u{:04x}", c as u32)) } else { line.push(c) }
    }
    line.push('\n');
    Ok(line)
}

/// The same on one line: line ends become blanks.
#[must_use]
pub fn one_line(text: &str) -> String {
    sanitise(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Shared buffer from which a test reads the output.
#[derive(Debug, Clone, Default)]
pub struct MemoryOutput(Arc<Mutex<Vec<u8>>>);

impl MemoryOutput {
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl Write for MemoryOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Rows with a header, columns two spaces apart.
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

    /// Adds a row; missing cells at its end are empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.styled(cells.into_iter().map(|cell| (cell, Style::new())).collect());
    }

    pub fn styled(&mut self, cells: Vec<(String, Style)>) {
        self.rows.push(cells.into_iter().map(|(text, style)| (one_line(&text), style)).collect());
    }

    /// Renders the table; without a header if the columns have no names.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let head: Vec<_> = self.columns.iter().map(|(name, _)| (name.clone(), DIM)).collect();
        let named = head.iter().any(|(name, _)| !name.is_empty());
        let rows: Vec<_> = named.then_some(&head).into_iter().chain(&self.rows).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| width(text)).max().unwrap_or(0))
            .collect();
        let render_row = |row: &Vec<(String, Style)>| {
            let cells = row.iter().zip(&widths).zip(&self.columns).map(|(((text, style), width_of), (_, align))| {
                let gap = " ".repeat(width_of - width(text));
                let painted = paint(color, *style, text);
                if *align == Align::Right { gap + &painted } else { painted + &gap }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        rows.into_iter().map(render_row).collect()
    }
}

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// `0 B`, `999 B`, `1.5 KiB`, `240 MiB`: at least two digits.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut number = bytes as f64 / 1024.0;
    let mut unit = 0;
    // A value that would round to 1024 moves to the next unit.
    while number >= 1023.5 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    if number < 9.95 { format!("{number:.1} {}", UNITS[unit]) } else { format!("{number:.0} {}", UNITS[unit]) }
}

/// `database 3.1 MiB, old copies 0 B, log 12 KiB, spool 96 B, drafts 4.0 KiB`.
#[must_use]
pub fn format_sizes(sizes: &Sizes) -> String {
    let Sizes { database, copies, log, spool, drafts } = *sizes;
    let parts = [("database", database), ("old copies", copies), ("log", log), ("spool", spool), ("drafts", drafts)];
    parts.map(|(name, bytes)| format!("{name} {}", format_size(bytes))).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ui(color: Color) -> (Ui, MemoryOutput, MemoryOutput) {
        Ui::in_memory(OutputOptions { color, ..OutputOptions::default() })
    }

    #[test]
    fn a_failure_is_told_in_three_parts_on_stderr() {
        let (ui, out, err) = ui(Color::Never);
        ui.failure(&Failure::input("no capture \"x\"").because("it was forgotten").hint("uro-capture log"));
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
        let (ui, _, err) = Ui::in_memory(OutputOptions { quiet: true, ..OutputOptions::default() });
        ui.note("a");
        ui.warn("b");
        ui.detail("c");
        assert_eq!(err.text(), "");
        ui.failure(&Failure::usage("d"));
        assert_eq!(err.text(), "error: d\n");
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(sanitise("a\u{1b}[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\n");
        assert_eq!(sanitise("\u{202e}gpj.exe\u{2069} שלום"), "\u{fffd}gpj.exe\u{fffd} שלום");
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
        assert_eq!(sanitise("a\u{202e}b\u{9b}c\u{1b}\n"), "a\u{fffd}b\u{fffd}c\u{fffd}\n");
        let text = "a\u{202e}\u{9b}\u{7f}\u{2066}é\n".to_owned();
        let line = json_line(&text).unwrap();
        assert_eq!(line, "\"a\\u202e\\u009b\\u007f\\u2066é\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}

#[cfg(test)]
mod size_tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_and_two_digits_at_least() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (10_188, "9.9 KiB"),
            (10_189, "10 KiB"),
            (1_048_063, "1023 KiB"),
            (1_048_064, "1.0 MiB"),
            (3 << 30, "3.0 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(format_size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn every_place_is_named() {
        let sizes = Sizes { database: 3_250_586, copies: 0, log: 12_288, spool: 96, drafts: 4096 };
        assert_eq!(format_sizes(&sizes), "database 3.1 MiB, old copies 0 B, log 12 KiB, spool 96 B, drafts 4.0 KiB");
    }
}
