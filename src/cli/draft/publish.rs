//! `draft publish`: writes an accepted draft as Markdown; a different file is never overwritten.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::app::App;
use crate::cli::failure::{Failure, quoted};
use crate::cli::ui::Exit;
use crate::config::paths;
use crate::domain::draft::{Draft, DraftState};
use crate::publish::document;
use crate::publish::outline::PageSubject;

/// Where to.
#[derive(Debug, Clone, Default, Args)]
pub struct PublishArgs {
    /// A draft's id, shortened as far as it is unambiguous
    pub id: String,
    /// A directory, or - for standard output
    #[arg(long, value_name = "DIR", default_value = "-")]
    pub to: PathBuf,
    /// Accept it first when it is ready
    #[arg(long)]
    pub accept: bool,
}

/// A draft and the target of its page.
#[derive(serde::Serialize)]
struct Published<'a> {
    #[serde(flatten)]
    draft: &'a Draft,
    path: Option<&'a Path>,
    markdown: &'a str,
}

pub fn run(app: &App, args: &PublishArgs) -> Result<Exit, Failure> {
    let (store, mut draft) = super::open_draft(app, &args.id)?;
    if draft.state == DraftState::Ready && args.accept {
        draft = super::change_state(app, store.as_ref(), &draft, &[DraftState::Ready], DraftState::Accepted)?;
    }
    if !matches!(draft.state, DraftState::Accepted | DraftState::Published) {
        return Err(super::wrong_state(&draft, "published"));
    }
    let page = document::page(&draft.title, &draft.body);
    let path = if args.to.as_os_str() == "-" { None } else { Some(write(app, &args.to, &draft, &page)?) };
    if path.is_none() && !app.json {
        app.ui.raw(page.as_bytes())?;
    }
    // Marked as published only after the write.
    let draft = super::change_state(app, store.as_ref(), &draft, &[DraftState::Accepted], DraftState::Published)?;
    if app.json {
        app.ui.json(&Published { draft: &draft, path: path.as_deref(), markdown: &page })?;
    } else if let Some(path) = path {
        app.ui.line(&path.display().to_string())?;
    }
    Ok(Exit::Done)
}

fn write(app: &App, folder: &Path, draft: &Draft, page: &str) -> Result<PathBuf, Failure> {
    let folder = app.cwd.join(folder);
    let subject = PageSubject { kind: draft.kind, project: &draft.project, period: draft.period };
    let path = folder.join(document::file_name(&subject, &app.zone));
    match publish_file(&path, page) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::input(format!("{} exists and says something else", path.display()))
                .hint(format!("uro-capture draft publish {} --to OTHER_DIR", draft.id)))
        }
        Err(error) if !folder.is_dir() => Err(Failure::input(format!("{} is no directory", folder.display()))
            .because(error.to_string())
            .hint(format!("mkdir -p {}", quoted(&folder)))),
        Err(error) => Err(Failure::input(format!("cannot write {}", path.display()))
            .because(error.to_string())
            .hint(format!("ls -ld {}", quoted(&folder)))),
    }
}

/// Writes the page atomically: written and synced beside the target, then hard-linked, which fails if another file
/// has the name. The same page twice is no error.
fn publish_file(path: &Path, page: &str) -> std::io::Result<()> {
    let beside = path.with_extension(format!("md.{}.tmp", std::process::id()));
    let written = write_synced(&beside, page).and_then(|()| link(&beside, path, page));
    let removed = std::fs::remove_file(&beside);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_same = std::fs::read(path).is_ok_and(|bytes| bytes == page.as_bytes());
            if is_same { Ok(()) } else { Err(error) }
        }
        Err(error) => Err(error),
        Ok(()) => removed.and_then(|()| paths::sync_directory_of(path)),
    }
}

fn write_synced(path: &Path, page: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(page.as_bytes())?;
    file.sync_all()
}

/// Fallback on file systems without hard links: creates the name itself, which also never overwrites.
fn link(beside: &Path, path: &Path, page: &str) -> std::io::Result<()> {
    match std::fs::hard_link(beside, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(page.as_bytes())?;
            file.sync_all()
        }
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_page_is_written_whole_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        publish_file(&path, "# A\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# A\n");
        assert_eq!(names(folder.path()), ["a.md"]);
    }

    #[test]
    fn the_same_page_again_is_fine_and_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        publish_file(&path, "# A\n").unwrap();
        publish_file(&path, "# A\n").unwrap();
        assert_eq!(publish_file(&path, "# B\n").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# A\n");
        assert_eq!(names(folder.path()), ["a.md"]);
    }

    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("a.md"), folder.path().join("precious"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert_eq!(publish_file(&path, "# A\n").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(!target.exists());
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(publish_file(&folder.path().join("absent/a.md"), "x").is_err());
    }
}
