//! Test support: programs that tests write and run.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes an executable through a child process: a concurrent fork of this process would inherit the file open for
/// writing, and such a file cannot be run ("text file busy").
pub fn write_program(path: &Path, content: &[u8]) {
    let mut command = Command::new("sh");
    command.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut child = command.spawn().expect("sh");
    child.stdin.take().expect("a pipe").write_all(content).expect("written");
    assert!(child.wait().expect("it ends").success());
}

/// Replaces a program that this process wrote by a copy, for the same reason; mode and times stay.
pub fn rewrite_program(path: &Path) {
    let mut command = Command::new("sh");
    command.args(["-c", "cp -p \"$0\" \"$0~\" && mv \"$0~\" \"$0\""]).arg(path);
    assert!(command.status().expect("sh").success());
}
