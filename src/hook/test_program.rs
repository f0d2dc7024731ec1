//! Programs that tests write and run.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a file that is going to be run, by a child: a process that another test starts meanwhile inherits what this
/// one has open for writing, and what is open for writing cannot be run ("text file busy").
pub fn write_program(path: &Path, content: &[u8]) {
    let mut command = Command::new("sh");
    command.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut child = command.spawn().expect("sh");
    child.stdin.take().expect("a pipe").write_all(content).expect("written");
    assert!(child.wait().expect("it ends").success());
}

/// Puts a copy in the place of a program that this process wrote itself, for the same reason; mode and times stay.
pub fn rewrite_program(path: &Path) {
    let mut command = Command::new("sh");
    command.args(["-c", "cp -p \"$0\" \"$0~\" && mv \"$0~\" \"$0\""]).arg(path);
    assert!(command.status().expect("sh").success());
}
