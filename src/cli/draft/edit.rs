//! `draft edit`: replaces the text by the user's; typed text is never lost, whatever fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::listing;
use crate::cli::app::App;
use crate::cli::failure::{Failure, quoted};
use crate::cli::ui::Exit;
use crate::config::paths;
use crate::domain::clock::Clock;
use crate::domain::draft::{Draft, DraftEdit, DraftState};
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
}

/// Maximum length in bytes.
const LONGEST: usize = 1 << 20;
/// Length above which the distance is estimated: two long texts with nothing in common would take seconds.
const DIFF_TIME: Duration = Duration::from_millis(300);

/// Title and body as edited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EditedText {
    title: String,
    body: String,
}

pub fn run(app: &App, args: &DraftEditArgs) -> Result<Exit, Failure> {
    let (store, draft) = super::open_draft(app, &args.id)?;
    if !matches!(draft.state, DraftState::Ready | DraftState::Accepted) {
        return Err(super::wrong_state(&draft, "edited"));
    }
    let start = app.clock.instant();
    let (text, kept) = if args.title.is_some() || args.body.is_some() {
        (read_input(app, args, &draft)?, None)
    } else {
        let (text, path) = in_editor(app, &draft)?;
        (text, Some(path))
    };
    let seconds = kept.as_ref().map_or(0.0, |_| app.clock.instant().saturating_duration_since(start).as_secs_f64());
    let edited = match compute_edit(&draft, &text, seconds, app.clock.as_ref()) {
        None => {
            app.ui.note("nothing was changed");
            draft
        }
        Some(edit) => store
            .edit_draft(draft.id, &text.title, &text.body, edit)
            // If the store rejects the edit, the user's text is still in the file.
            .map_err(|error| match (Failure::from(error), &kept) {
                (failure, Some(path)) => {
                    failure.hint(format!("uro-capture draft edit {} --body {}", draft.id, quoted(path)))
                }
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

/// Opens the page in an editor as a private file; returns the text and the file.
fn in_editor(app: &App, draft: &Draft) -> Result<(EditedText, PathBuf), Failure> {
    let editor = app.env().editor().ok_or_else(|| {
        let hint = format!("EDITOR=nano uro-capture draft edit {}", draft.id);
        Failure::input("no editor is known").because("neither VISUAL nor EDITOR is set").hint(hint)
    })?;
    let path = app.paths.state.join(format!("draft-{}.md", draft.id));
    write_private(&path, &document::page(&draft.title, &draft.body)).map_err(|error| {
        Failure::input(format!("cannot write {}", path.display())).because(error.to_string()).hint("df -h")
    })?;
    // As git does it: the shell splits the value of EDITOR, the file is its argument.
    let status = std::process::Command::new("sh").args(["-c", &format!("{editor} \"$@\""), editor]).arg(&path).status();
    match status {
        Ok(status) if status.success() => Ok((read_page(&read_file(&path)?, draft)?, path)),
        Ok(status) => Err(Failure::input(format!("the editor ended with {status}; the draft was left as it is"))
            .hint(format!("uro-capture draft edit {} --body {}", draft.id, quoted(&path)))),
        Err(error) => Err(Failure::input(format!("cannot start {editor:?}"))
            .because(error.to_string())
            .hint(format!("EDITOR=nano uro-capture draft edit {}", draft.id))),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), paths::create_private)?;
    paths::write_synced(path, text.as_bytes(), 0o600)
}

/// The edit in total; `None` without a change. Seconds add up over several edits, and so do distances,
/// up to 1: the sum is an upper bound of the distance from the first text.
fn compute_edit(draft: &Draft, text: &EditedText, seconds: f64, clock: &dyn Clock) -> Option<DraftEdit> {
    let (old, new) = (document::page(&draft.title, &draft.body), document::page(&text.title, &text.body));
    if old == new {
        return None;
    }
    let before = draft.edit.unwrap_or(DraftEdit { seconds: 0.0, distance: 0.0 });
    let distance = (before.distance + distance(&old, &new, clock)).min(1.0);
    Some(DraftEdit { seconds: before.seconds + seconds, distance })
}

/// Normalised edit distance: the share of characters that only one of the two texts has, 0..=1.
fn distance(old: &str, new: &str, clock: &dyn Clock) -> f64 {
    let mut config = similar::TextDiff::configure();
    let diff = config.deadline(clock.instant() + DIFF_TIME).diff_chars(old, new);
    1.0 - f64::from(diff.ratio())
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(compute_edit(&draft("T", "body\n"), &text("T", "body"), 3.0, &SystemClock), None);
    }

    #[test]
    fn the_distance_is_zero_for_the_same_and_one_for_nothing_in_common() {
        assert!(distance("abc", "abc", &SystemClock).abs() < 1e-6);
        assert!((distance("abc", "xyz", &SystemClock) - 1.0).abs() < 1e-6);
        let some = distance("the lease ended early", "the lease ended late", &SystemClock);
        assert!(some > 0.05 && some < 0.4, "{some}");
    }

    #[test]
    fn edits_add_up() {
        let mut draft = draft("T", "one two three four");
        let first = compute_edit(&draft, &text("T", "one two three five"), 10.0, &SystemClock).unwrap();
        draft.edit = Some(DraftEdit { seconds: 5.0, distance: 0.99 });
        let second = compute_edit(&draft, &text("T", "one two three five"), 10.0, &SystemClock).unwrap();
        assert!(first.distance > 0.0 && first.distance < 0.5 && (first.seconds - 10.0).abs() < 1e-9);
        assert!((second.distance - 1.0).abs() < 1e-9 && (second.seconds - 15.0).abs() < 1e-9);
    }

    #[test]
    fn two_long_texts_with_nothing_in_common_are_compared_in_bounded_time() {
        let long = |word: &str| (0..20_000).map(|n| format!("{word}{n} ")).collect::<String>();
        let start = SystemClock.instant();
        let found = distance(&long("alpha"), &long("OMEGA"), &SystemClock);
        assert!((0.0..=1.0).contains(&found));
        assert!(SystemClock.instant() - start < Duration::from_secs(20));
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
