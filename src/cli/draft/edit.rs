//! `draft edit`: replaces the text by the user's; typed text is never lost, whatever fails.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{diff, listing};
use crate::cli::app::App;
use crate::cli::editor::Editor;
use crate::cli::failure::{Failure, quoted};
use crate::cli::ui::Exit;
use crate::config::paths;
use crate::domain::clock::Clock;
use crate::domain::draft::{Draft, DraftEdit, DraftState, DraftVersion};
use crate::domain::id::DraftId;
use crate::publish::document;

/// What to change.
#[derive(Debug, Clone, Default, Args)]
pub struct DraftEditArgs {
    /// A draft's id, shortened as far as it is unambiguous
    pub id: String,
    /// The new title
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// A file with the new text in Markdown, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,
    /// Make an earlier version the text again
    #[arg(long, value_name = "N", conflicts_with_all = ["title", "body"])]
    pub restore: Option<u32>,
}

/// Maximum length in bytes.
const LONGEST: usize = 1 << 20;

/// Title and body as edited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EditedText {
    title: String,
    body: String,
}

pub fn run(app: &App, args: &DraftEditArgs) -> Result<Exit, Failure> {
    let (store, draft) = super::open_draft(app, &args.id)?;
    if !draft.is_acceptable() && draft.state != DraftState::Accepted {
        return Err(super::wrong_state(&draft, "edited"));
    }
    let versions = store.draft_versions(draft.id)?;
    if let Some(number) = args.restore {
        let version = super::show::find_version(&draft, &versions, number)?;
        listing::print(app, &store.restore_version(draft.id, version.number, app.clock.now())?)?;
        return Ok(Exit::Done);
    }
    let (text, seconds, kept) = if args.title.is_some() || args.body.is_some() {
        // The file of an edit that could not be stored goes once it is.
        let leftover =
            args.body.as_ref().map(|body| app.cwd.join(body)).filter(|body| *body == edited_file(app, &draft));
        (read_input(app, args, &draft)?, 0.0, leftover)
    } else {
        let (text, seconds, path) = in_editor(app, &draft)?;
        (text, seconds, Some(path))
    };
    let from = draft.current_version(&versions).map_or(1, |version| version.number);
    let edited = match compute_edit(&draft, &versions, &text, seconds, app.clock.as_ref()) {
        None => {
            app.ui.note("nothing was changed");
            draft
        }
        Some(edit) => store
            .edit_draft(draft.id, from, (&text.title, &text.body), edit, app.clock.now())
            // If the store rejects the edit, the user's text is still in the file.
            .map_err(|error| match (Failure::from(error), &kept) {
                (failure, Some(path)) => failure.hint(store_command(draft.id, path)),
                (failure, None) => failure,
            })?,
    };
    if let Some(path) = kept {
        // The text is stored; a leftover copy is harmless.
        drop(std::fs::remove_file(path));
    }
    listing::print(app, &edited)?;
    Ok(Exit::Done)
}

fn read_input(app: &App, args: &DraftEditArgs, draft: &Draft) -> Result<EditedText, Failure> {
    let text = match &args.body {
        None => EditedText { title: draft.title.clone(), body: draft.body.clone() },
        Some(path) if path.as_os_str() == "-" => read_page(&app.read_stdin(LONGEST)?, draft)?,
        Some(path) => read_page(&read_file(&app.cwd.join(path))?, draft)?,
    };
    let title = args.title.as_ref().map_or(text.title, |title| title.trim().to_owned());
    if title.is_empty() {
        return Err(Failure::input("a draft needs a title").hint("--title TEXT"));
    }
    Ok(EditedText { title, body: text.body })
}

fn read_file(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| {
        Failure::input(format!("cannot read {}", path.display()))
            .because(error.to_string())
            .hint(format!("ls -l {}", quoted(path)))
    })
}

/// A first heading of level 1 is the title; without one the title stays.
fn read_page(text: &str, draft: &Draft) -> Result<EditedText, Failure> {
    let (title, body) = document::split_title(text);
    if body.trim().is_empty() {
        let hint = format!("uro-capture draft reject {}", draft.id);
        return Err(Failure::input("the text is empty; the draft was left as it is").hint(hint));
    }
    Ok(EditedText { title: title.unwrap_or_else(|| draft.title.clone()), body })
}

/// The file that the editor opens.
fn edited_file(app: &App, draft: &Draft) -> PathBuf {
    app.paths.state.join(format!("draft-{}.md", draft.id))
}

/// The command that stores what is in the file.
fn store_command(id: DraftId, path: &Path) -> String {
    format!("uro-capture draft edit {id} --body {}", quoted(path))
}

/// Opens the page in the user's editor as a private file, or goes on with one that could not be stored; returns the text,
/// the seconds of work and the file.
fn in_editor(app: &App, draft: &Draft) -> Result<(EditedText, f64, PathBuf), Failure> {
    let editor = Editor::find(app, &format!("EDITOR=nano uro-capture draft edit {}", draft.id))?;
    let path = edited_file(app, draft);
    let page = document::page(&draft.title, &draft.body);
    let leftover = std::fs::read_to_string(&path).is_ok_and(|text| !text.trim().is_empty() && text != page);
    if leftover {
        app.ui.note(&format!("going on with an edit that was not stored; to begin anew: rm {}", quoted(&path)));
    } else {
        write_private(&path, &page).map_err(|error| {
            Failure::input(format!("cannot write {}", path.display())).because(error.to_string()).hint("df -h")
        })?;
    }
    let worked = editor.open(&path, app.clock.as_ref(), &store_command(draft.id, &path))?;
    Ok((read_page(&read_file(&path)?, draft)?, worked.as_secs_f64(), path))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), paths::create_private)?;
    paths::write_synced(path, text.as_bytes(), 0o600)
}

/// The edit in total; `None` without a change. Seconds add up over several edits; the distance is that from the text as it
/// was written.
fn compute_edit(
    draft: &Draft,
    versions: &[DraftVersion],
    text: &EditedText,
    seconds: f64,
    clock: &dyn Clock,
) -> Option<DraftEdit> {
    let (old, new) = (document::page(&draft.title, &draft.body), document::page(&text.title, &text.body));
    if old == new {
        return None;
    }
    let base = draft.current_version(versions).map(|current| current.base);
    let written = versions.iter().find(|version| Some(version.number) == base);
    let written = written.map_or(old, |version| document::page(&version.title, &version.body));
    let before = draft.edit.map_or(0.0, |edit| edit.seconds);
    Some(DraftEdit { seconds: before + seconds, distance: diff::distance(&written, &new, clock) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::AuthoredBy;
    use crate::domain::clock::SystemClock;
    use crate::drafts::sample;
    use crate::store::NewDraft;

    fn draft(title: &str, body: &str) -> Draft {
        let period = crate::drafts::period::day("2026-03-03".parse().unwrap(), &jiff::tz::TimeZone::UTC).unwrap();
        let kind = crate::domain::draft::DraftKind::Devlog;
        let new = NewDraft { kind, project: "uro".to_owned(), repo: None, period, max_attempts: 5 };
        Draft { title: title.to_owned(), body: body.to_owned(), state: DraftState::Ready, ..sample::draft(&new) }
    }

    fn text(title: &str, body: &str) -> EditedText {
        EditedText { title: title.to_owned(), body: body.to_owned() }
    }

    #[test]
    fn an_unchanged_text_is_no_edit() {
        assert_eq!(compute_edit(&draft("T", "body\n"), &[], &text("T", "body"), 3.0, &SystemClock), None);
    }

    #[test]
    fn seconds_add_up_and_the_distance_is_that_from_the_written_text() {
        let mut draft = draft("T", "one two three four");
        let written = DraftVersion {
            number: 1,
            at: draft.created_at,
            by: AuthoredBy::Template,
            model: None,
            base: 1,
            title: "T".to_owned(),
            body: draft.body.clone(),
            edit: None,
        };
        let edit = |draft: &Draft, versions: &[DraftVersion], body: &str| {
            compute_edit(draft, versions, &text("T", body), 10.0, &SystemClock).unwrap()
        };
        let first = edit(&draft, std::slice::from_ref(&written), "one two three five");
        assert!(first.distance > 0.0 && first.distance < 0.5 && (first.seconds - 10.0).abs() < 1e-9);
        let human = DraftVersion {
            number: 2,
            by: AuthoredBy::Human,
            body: "one two three five".to_owned(),
            edit: Some(first),
            ..written.clone()
        };
        (draft.body, draft.edit) = (human.body.clone(), Some(first));
        let beside = DraftVersion { number: 3, base: 3, body: "something else".to_owned(), ..written.clone() };
        let back = edit(&draft, &[written, human, beside], "one two three four");
        assert!(back.distance.abs() < 1e-6 && (back.seconds - 20.0).abs() < 1e-9, "{back:?}");
    }

    #[test]
    fn a_page_gives_title_and_body_and_an_empty_one_is_refused() {
        let draft = draft("Old", "x");
        assert_eq!(read_page("# New\n\nbody", &draft).unwrap(), text("New", "body\n"));
        assert_eq!(read_page("body", &draft).unwrap(), text("Old", "body\n"));
        assert_eq!(read_page("# New\n\n", &draft).unwrap_err().code(), 1);
    }

    #[test]
    fn the_file_for_the_editor_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/draft.md");
        write_private(&path, "secret plans").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
}
