//! `uro-capture edit ID`: replaces a summary by the user's text.

use std::path::{Path, PathBuf};

use clap::Args;

use super::app::App;
use super::capture_line;
use super::editor::Editor;
use super::failure::{Failure, quoted};
use super::ui::Exit;
use crate::config::paths;
use crate::domain::id::CaptureId;
use crate::redact::redact;

#[derive(Debug, Clone, Args)]
pub struct EditArgs {
    /// Its id, which may be shortened
    #[arg(value_name = "ID")]
    pub id: String,
    /// The new text; without it an editor opens
    #[arg(short, long = "message", value_name = "TEXT", conflicts_with = "stdin")]
    pub message: Option<String>,
    /// `-` reads the new text from standard input
    #[arg(value_name = "-", value_parser = ["-"])]
    pub stdin: Option<String>,
}

/// Maximum length in bytes: a summary is a sentence or two.
const LONGEST: usize = 16 << 10;

/// # Errors
/// There is no such capture, the text is empty, or no editor can be started.
pub fn run(app: &App, args: &EditArgs) -> Result<Exit, Failure> {
    let store = app.store()?;
    let before = store.capture(&args.id)?.capture;
    let text = match (&args.message, &args.stdin) {
        (Some(text), _) => text.clone(),
        (None, Some(_)) => app.read_stdin(LONGEST)?,
        (None, None) => in_editor(app, before.id, &before.summary)?,
    };
    let text = validate_text(&text)?;
    let after = if text == before.summary { before } else { store.edit_capture(before.id, &redact(&text))? };
    if app.json {
        app.ui.json(&after)?;
    } else {
        app.ui.line(&capture_line::format_line(&after, &app.ui))?;
    }
    Ok(Exit::Done)
}

fn validate_text(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(
            Failure::input("the new text is empty; nothing was changed").hint("uro-capture forget ID removes it")
        );
    }
    if text.len() > LONGEST {
        return Err(
            Failure::input(format!("the new text is longer than {LONGEST} bytes")).hint("keep it to a few sentences")
        );
    }
    Ok(text.to_owned())
}

/// Opens `text` in the user's editor and returns the edited text.
fn in_editor(app: &App, id: CaptureId, text: &str) -> Result<String, Failure> {
    let hint = format!("uro-capture edit {id} -m TEXT");
    let editor = Editor::find(app, &hint)?;
    let file = TempFile::create(&app.paths.state, text)?;
    editor.open(&file.path, app.clock.as_ref(), &hint)?;
    std::fs::read_to_string(&file.path).map_err(|error| file_failure(&file.path, &error))
}

/// A file readable by its owner only, removed on drop.
struct TempFile {
    path: PathBuf,
}

impl TempFile {
    fn create(dir: &Path, text: &str) -> Result<Self, Failure> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = dir.join(format!("edit-{}.md", std::process::id()));
        let write = || {
            paths::create_private(dir)?;
            let mut file =
                std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            writeln!(file, "{text}")
        };
        write().map_err(|error| file_failure(&path, &error))?;
        Ok(Self { path })
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // Best effort: the file is in our own directory and holds nothing that the store does not.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("cannot use {}", path.display()))
        .because(error.to_string())
        .hint(format!("ls -ld {}", quoted(path.parent().unwrap_or(path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_endless_text_changes_nothing() {
        assert_eq!(validate_text(" \n").unwrap_err().code(), 1);
        assert_eq!(validate_text(&"x".repeat(LONGEST + 1)).unwrap_err().code(), 1);
        assert_eq!(validate_text(" It works. \n").unwrap(), "It works.");
    }

    #[test]
    fn the_file_for_the_editor_is_private_and_goes_away() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = TempFile::create(&dir.path().join("state"), "text").unwrap();
        let path = file.path.clone();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text\n");
        drop(file);
        assert!(!path.exists());
    }
}
