//! `uro-capture forget ID`: erases a capture from the store and all files.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::capture_line;
use super::failure::{Failure, quoted};
use super::ui::{self, Exit};
use crate::domain::id::{CaptureId, DraftId};
use crate::pipeline::erasure;
use crate::pipeline::services::Services;
use crate::publish::numbers::count;
use crate::store::{DraftQuery, ForgetReport, RemainingFile, StoreError, StoreFile};

#[derive(Debug, Clone, Args)]
pub struct ForgetArgs {
    /// Its id, which may be shortened; of a forgotten one to remove what could not be removed then
    #[arg(value_name = "ID")]
    pub id: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// The public JSON of `forget`.
#[derive(Serialize)]
struct JsonReport {
    id: CaptureId,
    forgotten: bool,
    /// Drafts that were written from it and were removed, too.
    drafts: Vec<DraftId>,
    /// Other captures with the same summary.
    repeated_by: Vec<CaptureId>,
    /// Removed or truncated files: old copies of the store, logs, leftover texts.
    removed: Vec<RemovedFile>,
    /// Their total size.
    removed_bytes: u64,
    /// Files that may still contain the text.
    left: Vec<LeftFile>,
}

#[derive(Serialize)]
struct RemovedFile {
    path: PathBuf,
    bytes: u64,
}

#[derive(Serialize)]
struct LeftFile {
    path: PathBuf,
    why: String,
}

/// Store size in bytes above which rewriting it takes more than a second.
const LARGE: u64 = 64 << 20;

/// # Errors
/// There is no such capture, no terminal for the confirmation, or a file could not be cleaned.
pub fn run(app: &App, args: &ForgetArgs) -> Result<Exit, Failure> {
    let services = app.services()?;
    let (id, forgotten) = match services.store.capture_id(&args.id) {
        Ok(id) if args.yes || confirmed(app, &services, id)? => {
            let bytes = services.store.sizes()?.database;
            if bytes > LARGE {
                app.ui.note(&format!("writing the store anew ({})", ui::format_size(bytes)));
            }
            (id, Some(erasure::forget(&services, id)?))
        }
        Ok(id) => (id, None),
        Err(missing @ StoreError::NotFound { .. }) => {
            let id = services.store.forgotten_id(&args.id).map_err(|_| missing)?;
            (id, Some(ForgetReport { scrubbed: erasure::finish(&services)?, ..ForgetReport::default() }))
        }
        Err(error) => return Err(error.into()),
    };
    print_result(app, id, forgotten.as_ref())?;
    match forgotten.map(|forgotten| forgotten.scrubbed.remaining) {
        Some(left) if !left.is_empty() => Err(leftover_failure(id, &left)),
        _ => Ok(Exit::Done),
    }
}

fn print_result(app: &App, id: CaptureId, forgotten: Option<&ForgetReport>) -> Result<(), Failure> {
    if app.json {
        return app.ui.json(&JsonReport::of(id, forgotten));
    }
    let Some(forgotten) = forgotten else {
        app.ui.note("kept");
        return Ok(());
    };
    app.ui.line(&format!("forgotten: {id}"))?;
    if !forgotten.scrubbed.copies.is_empty() {
        let removed = &forgotten.scrubbed.copies;
        let bytes = removed.iter().map(|file| file.bytes).sum();
        let names = removed.iter().filter_map(|file| file.path.file_name()).map(|name| name.to_string_lossy());
        let names = names.collect::<Vec<_>>().join(", ");
        let files = count(removed.len() as u64, "file", "files");
        app.ui.line(&format!("removed with it: {files}, {} ({names})", ui::format_size(bytes)))?;
        removed.iter().for_each(|file| app.ui.detail(&file.path.display().to_string()));
    }
    if !forgotten.drafts.is_empty() {
        let drafts = count(forgotten.drafts.len() as u64, "draft", "drafts");
        app.ui.line(&format!("removed with it: {drafts} written from it; `draft run` writes them anew"))?;
    }
    for other in &forgotten.repeated_by {
        app.ui.warn(&format!("capture {other} says the same; `uro-capture forget {other}` removes it too"));
    }
    Ok(())
}

fn leftover_failure(id: CaptureId, left: &[RemainingFile]) -> Failure {
    let mut failure = Failure::input(format!("capture {id} is forgotten, but some of it may still be in a file"));
    for left in left {
        failure = failure.because(format!("{}: {}", left.path.display(), left.why));
    }
    match left.iter().find(|left| left.foreign) {
        Some(foreign) => failure.hint(format!("rm {}", quoted(&foreign.path))),
        None => failure.hint(format!("uro-capture forget {id}, once that is fixed")),
    }
}

fn confirmed(app: &App, services: &Services, id: CaptureId) -> Result<bool, Failure> {
    if !app.ui.can_ask {
        return Err(Failure::input("removing a capture for good needs a confirmation on a terminal")
            .hint("uro-capture forget ID --yes"));
    }
    let what = match services.store.capture(&id.to_string()) {
        Ok(record) => capture_line::format_line(&record.capture, &app.ui),
        Err(StoreError::Corrupt(_)) => format!("{id}, which is damaged"),
        Err(error) => return Err(error.into()),
    };
    let drafts =
        services.store.drafts(&DraftQuery::default())?.into_iter().filter(|draft| draft.sources.contains(&id)).count();
    let sizes = services.store.sizes()?;
    let mut question = format!("Forget for good: {what}?");
    if sizes.copy_files > 0 {
        let copies = count(sizes.copy_files, "old copy", "old copies");
        question += &format!(" {copies} of the store ({}) will be removed.", ui::format_size(sizes.copies));
    }
    if drafts > 0 {
        question += &format!(" So will {} written from it.", count(drafts as u64, "draft", "drafts"));
    }
    Ok(app.ui.confirm(&question))
}

impl JsonReport {
    fn of(id: CaptureId, forgotten: Option<&ForgetReport>) -> Self {
        let done = forgotten.cloned().unwrap_or_default();
        let file = |file: StoreFile| RemovedFile { path: file.path, bytes: file.bytes };
        let removed: Vec<RemovedFile> = done.scrubbed.copies.into_iter().map(file).collect();
        let left = done.scrubbed.remaining.into_iter().map(|left| LeftFile { path: left.path, why: left.why });
        Self {
            id,
            forgotten: forgotten.is_some(),
            drafts: done.drafts,
            repeated_by: done.repeated_by,
            removed_bytes: removed.iter().map(|file| file.bytes).sum(),
            removed,
            left: left.collect(),
        }
    }
}
