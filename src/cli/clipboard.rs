//! Copies text to the clipboard with the desktop's own program.

use std::io::Write;
use std::process::{Command, Stdio};

use super::app::App;
use super::failure::Failure;
use crate::config::env;

/// Programs that take the text on standard input, with the variable that must be set for them to work.
const PROGRAMS: [(&str, &[&str], Option<&str>); 5] = [
    ("pbcopy", &[], None),
    ("wl-copy", &[], Some(env::WAYLAND_DISPLAY)),
    ("xclip", &["-selection", "clipboard"], Some(env::DISPLAY)),
    ("xsel", &["--clipboard", "--input"], Some(env::DISPLAY)),
    ("clip.exe", &[], None),
];

/// Copies `text`; returns the name of the program that took it.
///
/// # Errors
/// None of the programs works here.
pub fn copy(app: &App, text: &str) -> Result<&'static str, Failure> {
    let works = |variable: &Option<&str>| variable.is_none_or(|name| app.env().text(name).is_some());
    for (program, args, _) in PROGRAMS.iter().filter(|(_, _, variable)| works(variable)) {
        if run(program, args, text) {
            return Ok(program);
        }
    }
    Err(Failure::input("no clipboard was found")
        .hint("install wl-clipboard or xclip, or leave --copy out and pipe the text to a program of your own"))
}

fn run(program: &str, args: &[&str], text: &str) -> bool {
    let child =
        Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else { return false };
    let written = child.stdin.take().is_some_and(|mut input| input.write_all(text.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}
