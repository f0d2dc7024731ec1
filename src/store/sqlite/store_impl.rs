//! Implements `Store` for SQLite: which calls write, how durably, and which file does the work.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::{
    CaptureCounts, CaptureQuery, CaptureRecord, ExpiringData, FinalCapture, ForgetReport, JudgedAnswer,
    LatencyGrouping, LatencyRow, Lease, ModelEvidence, NewDraft, NoteWithCommits, RecordOutcome, Refinement,
    RegisteredRepo, Result, ScrubReport, SpoolPosition, Store, StoreSizes, TokenCount, WrittenDraft,
};
use super::Durability::{Durable, Rebuildable};
use super::{
    Durability, SqliteStore, captures, copies, counts, decisions, drafts, error, events, evidence, expire, finish,
    forecasts, forget, listing, notes, operations, problems, record, refine, reflogs, repositories, row, search,
    tokens,
};
use crate::domain::capture::{Capture, CaptureKind, ModelOutcome};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::draft::{Draft, DraftEdit, DraftState};
use crate::domain::event::{Event, LogPosition, PendingEvent};
use crate::domain::id::{CaptureId, DraftId, Oid, RepoId};
use crate::domain::operation::Operation;
use crate::domain::project::ProjectOrigin;
use crate::prompt::tokens::ReportedCounts;
use crate::route::ledger::{Entry, Ledger};

/// Page size for export: no read transaction is held while the caller processes records.
const PAGE: usize = 500;

impl Store for SqliteStore {
    fn ingest_events(&self, events: &[Event], position: &SpoolPosition) -> Result<()> {
        self.write(Rebuildable, |tx| events::ingest(tx, events, position))
    }

    fn insert_event(&self, event: &Event) -> Result<i64> {
        self.write(Rebuildable, |tx| events::insert_event(tx, event))
    }

    fn record_reflog_events(&self, repo: &RepoId, events: &[Event], positions: &[LogPosition]) -> Result<()> {
        self.write(Rebuildable, |tx| reflogs::record_reflog_events(tx, repo, events, positions))
    }

    fn log_positions(&self, repo: &RepoId) -> Result<Vec<LogPosition>> {
        self.read(|db| reflogs::positions(db, repo))
    }

    fn commits_with_open_events(&self, common_dir: &Path, oids: &[Oid]) -> Result<HashSet<Oid>> {
        self.read(|db| events::commits_with_open_events(db, common_dir, oids))
    }

    fn spool_positions(&self) -> Result<Vec<SpoolPosition>> {
        self.read(events::positions)
    }

    fn forget_spool(&self, file: &str) -> Result<()> {
        self.write(Rebuildable, |tx| events::forget_spool(tx, file))
    }

    fn pending_events(&self, limit: usize) -> Result<Vec<PendingEvent>> {
        self.read(|db| events::pending(db, limit))
    }

    fn pending_event_count(&self) -> Result<u64> {
        self.read(events::count)
    }

    fn ready_events(
        &self,
        limit: usize,
        running: &[PathBuf],
        since: Timestamp,
        apart: &[PathBuf],
    ) -> Result<Vec<PendingEvent>> {
        self.read(|db| events::ready(db, limit, running, row::micros(since), apart))
    }

    fn newest_git_dirs(&self, limit: usize) -> Result<Vec<PathBuf>> {
        self.read(|db| events::newest_git_dirs(db, limit))
    }

    fn waiting_sequences(&self, since: Timestamp) -> Result<Vec<PathBuf>> {
        self.read(|db| events::sequences(db, row::micros(since)))
    }

    fn has_pending_rewrite(&self, oid: &Oid) -> Result<bool> {
        self.read(|db| events::has_pending_rewrite(db, oid))
    }

    fn close_event(&self, row: i64, note: Option<&str>) -> Result<()> {
        self.write(Rebuildable, |tx| events::close(tx, row, note))
    }

    fn record_capture(&self, capture: &Capture, event: Option<i64>) -> Result<RecordOutcome> {
        self.write(durability(capture.kind), |tx| record::record(tx, capture, &capture.summary, event))
    }

    fn record_final(&self, finished: &dyn Fn() -> FinalCapture, event: Option<i64>) -> Result<RecordOutcome> {
        self.write(Rebuildable, |tx| record::record_final(tx, &finished(), event))
    }

    fn record_replaced(
        &self,
        finished: &dyn Fn() -> FinalCapture,
        newer: &Oid,
        event: Option<i64>,
    ) -> Result<RecordOutcome> {
        self.write(Rebuildable, |tx| {
            let finished = finished();
            let recorded = record::record_final(tx, &finished, event)?;
            if let (Some(repo), Some(commit)) = (&finished.capture.repo, &finished.capture.commit) {
                finish::supersede(tx, &repo.id, &commit.oid, newer)?;
            }
            Ok(recorded)
        })
    }

    fn credit_hook(&self, repo: &RepoId, oid: Option<&Oid>, since: Timestamp) -> Result<bool> {
        self.write(Rebuildable, |tx| finish::credit_hook(tx, repo, oid, row::micros(since)))
    }

    fn finish_capture(&self, id: CaptureId, outcome: &dyn Fn() -> ModelOutcome) -> Result<bool> {
        self.write(Rebuildable, |tx| finish::finish(tx, id, &outcome()))
    }

    fn finish_abandoned(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        self.write(Rebuildable, |tx| finish::finish_abandoned(tx, row::micros(before), row::micros(now)))
    }

    fn supersede_commit(&self, repo: &RepoId, old: &Oid, new: &Oid) -> Result<()> {
        self.write(Rebuildable, |tx| finish::supersede(tx, repo, old, new))
    }

    fn restore_captures(&self, repo: &RepoId, oids: &[Oid]) -> Result<Vec<Oid>> {
        self.write(Rebuildable, |tx| finish::restore(tx, repo, oids))
    }

    fn capture_of_commit(&self, repo: &RepoId, oid: &Oid) -> Result<Option<Capture>> {
        self.read(|db| captures::of_commit(db, repo, oid))
    }

    fn live_captures_of_patch(&self, repo: &RepoId, patch_id: &str) -> Result<Vec<Capture>> {
        self.read(|db| captures::live_of_patch(db, repo, patch_id))
    }

    fn live_captures_of_change(&self, repo: &RepoId, change: &str) -> Result<Vec<Capture>> {
        self.read(|db| captures::live_of_change(db, repo, change))
    }

    fn live_captures_without_patch(&self, repo: &RepoId, at: Timestamp, raw: &str) -> Result<Vec<Capture>> {
        self.read(|db| captures::live_alike(db, repo, row::micros(at), raw))
    }

    fn notes_before(&self, repo: &RepoId, since: Timestamp, until: Timestamp) -> Result<Vec<NoteWithCommits>> {
        let (notes, damaged) = self.read(|db| notes::before(db, repo, row::micros(since), row::micros(until)))?;
        self.report_damage("capture", &damaged);
        Ok(notes)
    }

    fn prepare_squash(&self, repo: &RepoId, parent: &Oid, oids: &[Oid], at: Timestamp) -> Result<()> {
        self.write(Rebuildable, |tx| reflogs::prepare_squash(tx, repo, parent, oids, row::micros(at)))
    }

    fn prepared_squash(&self, repo: &RepoId, parent: &Oid) -> Result<Vec<Oid>> {
        self.read(|db| reflogs::prepared_squash(db, repo, parent))
    }

    fn captured_commits(&self, repo: &RepoId, oids: &[Oid]) -> Result<HashSet<Oid>> {
        self.read(|db| captures::captured_commits(db, repo, oids))
    }

    fn capture(&self, id_prefix: &str) -> Result<CaptureRecord> {
        self.read(|db| captures::by_id(db, id_prefix))
    }

    fn faults(&self, id: CaptureId) -> Result<Vec<String>> {
        self.read(|db| captures::faults(db, id))
    }

    fn decision(&self, id: CaptureId) -> Result<Option<String>> {
        self.read(|db| decisions::of(db, id))
    }

    fn refinable(&self, since: Timestamp, tried_before: Timestamp, limit: usize) -> Result<Vec<Capture>> {
        let listed = self.read(|db| refine::refinable(db, since, tried_before, limit))?;
        self.report_damage("capture", &listed.damaged);
        Ok(listed.captures)
    }

    fn refine_capture(&self, id: CaptureId, refinement: &Refinement) -> Result<bool> {
        self.write(Rebuildable, |tx| refine::refine(tx, id, refinement))
    }

    fn record_failed_refinement(&self, id: CaptureId, at: Timestamp) -> Result<()> {
        self.write(Rebuildable, |tx| refine::missed(tx, id, at))
    }

    fn captures(&self, query: &CaptureQuery) -> Result<Vec<Capture>> {
        let listed = self.read(|db| listing::list(db, query))?;
        self.report_damage("capture", &listed.damaged);
        Ok(listed.captures)
    }

    fn each_record(&self, each: &mut dyn FnMut(CaptureRecord) -> Result<()>) -> Result<()> {
        let mut next = Some(0);
        while let Some(after) = next {
            let page = self.read(|db| captures::page(db, after, PAGE))?;
            next = page.next;
            self.report_damage("capture", &page.damaged);
            page.records.into_iter().try_for_each(&mut *each)?;
        }
        Ok(())
    }

    fn import_records(&self, records: &[CaptureRecord]) -> Result<u64> {
        self.write(Durable, |tx| {
            records.iter().try_fold(0, |added, record| Ok(added + u64::from(record::import(tx, record)?)))
        })
    }

    fn search(&self, words: &str, query: &CaptureQuery) -> Result<Vec<Capture>> {
        let listed = self.read(|db| search::search(db, words, query))?;
        self.report_damage("capture", &listed.damaged);
        Ok(listed.captures)
    }

    fn edit_capture(&self, id: CaptureId, summary: &str) -> Result<Capture> {
        self.write(Durable, |tx| finish::edit(tx, id, summary))
    }

    fn skip_commits(&self, commits: &[(RepoId, Oid)], position: &SpoolPosition) -> Result<()> {
        self.write(Rebuildable, |tx| {
            commits.iter().try_for_each(|(repo, oid)| forget::skip(tx, repo, oid))?;
            events::ingest(tx, &[], position)
        })
    }

    fn capture_id(&self, id_prefix: &str) -> Result<CaptureId> {
        self.read(|db| row::parse(&captures::full_id(db, "capture", "captures", id_prefix)?))
    }

    fn forgotten_id(&self, id_prefix: &str) -> Result<CaptureId> {
        self.read(|db| row::parse(&captures::full_id(db, "capture", "forgotten", id_prefix)?))
    }

    fn forget_capture(&self, id: CaptureId, now: Timestamp) -> Result<ForgetReport> {
        let forgotten = self.write(Durable, |tx| forget::forget(tx, id, now))?;
        Ok(ForgetReport { scrubbed: self.scrub(), ..forgotten })
    }

    fn scrub(&self) -> ScrubReport {
        self.scrub_files()
    }

    fn sizes(&self) -> Result<StoreSizes> {
        let copies = copies::all(&self.path).map_err(error::file)?;
        Ok(StoreSizes {
            database: copies::database_size(&self.path),
            copies: copies.iter().map(|copy| copy.bytes).sum(),
            copy_files: copies.len() as u64,
            drafts: self.read(drafts::size)?,
        })
    }

    fn count_captures(&self, repo: Option<&RepoId>, since: Timestamp, until: Timestamp) -> Result<CaptureCounts> {
        self.read(|db| counts::count(db, repo, since, until))
    }

    fn origins(&self) -> Result<Vec<ProjectOrigin>> {
        self.read(listing::origins)
    }

    fn register(&self, repo: &RegisteredRepo) -> Result<()> {
        self.write(Durable, |tx| repositories::register(tx, repo))
    }

    fn unregister(&self, id: &RepoId) -> Result<bool> {
        self.write(Durable, |tx| repositories::unregister(tx, id))
    }

    fn registered_repos(&self) -> Result<Vec<RegisteredRepo>> {
        self.read(repositories::all)
    }

    fn registration(&self, id: &RepoId) -> Result<Option<RegisteredRepo>> {
        self.read(|db| repositories::find(db, id))
    }

    fn move_repository(&self, old: &RepoId, new: &RegisteredRepo) -> Result<()> {
        self.write(Durable, |tx| repositories::move_repository(tx, old, new))
    }

    fn mark(&self, name: &str) -> Result<Option<String>> {
        self.read(|db| repositories::mark(db, name))
    }

    fn set_mark(&self, name: &str, value: Option<&str>) -> Result<()> {
        self.write(Durable, |tx| repositories::set_mark(tx, name, value))
    }

    fn log_operation(&self, operation: &Operation) -> Result<()> {
        self.write(Rebuildable, |tx| operations::log(tx, operation))
    }

    fn latency(&self, since: Timestamp, grouping: LatencyGrouping) -> Result<Vec<LatencyRow>> {
        self.read(|db| operations::latency(db, since, grouping))
    }

    fn expire(&self, what: ExpiringData, before: Timestamp) -> Result<u64> {
        if what == ExpiringData::Copies {
            return copies::expire(&self.path, before);
        }
        let mut expired = 0;
        loop {
            // In small steps, so that a commit never waits for the whole deletion.
            let step = self.write(Rebuildable, |tx| expire::step(tx, what, row::micros(before)))?;
            expired += step.removed;
            if !step.more {
                return Ok(expired);
            }
        }
    }

    fn count_tokens(&self, endpoint: &str, model: &str, bytes: u64, tokens: u64) -> Result<ReportedCounts> {
        self.write(Rebuildable, |tx| tokens::count(tx, endpoint, model, bytes, tokens))
    }

    fn token_counts(&self) -> Result<Vec<TokenCount>> {
        self.read(tokens::all)
    }

    fn evidence(&self, since: Timestamp) -> Result<Vec<ModelEvidence>> {
        self.read(|db| evidence::all(db, since))
    }

    fn judged_answers(&self, since: Timestamp) -> Result<Vec<JudgedAnswer>> {
        self.read(|db| evidence::judged(db, since))
    }

    fn forecasts(&self) -> Result<Ledger> {
        self.read(forecasts::all)
    }

    fn store_forecast(&self, entry: &Entry) -> Result<()> {
        self.write(Rebuildable, |tx| forecasts::store_forecast(tx, entry))
    }

    fn queue_draft(&self, draft: &NewDraft, now: Timestamp) -> Result<bool> {
        self.write(Durable, |tx| drafts::queue(tx, draft, now))
    }

    fn lease_draft(&self, now: Timestamp, until: Timestamp) -> Result<Option<Lease>> {
        self.write(Durable, |tx| drafts::lease(tx, now, until))
    }

    fn finish_draft(&self, id: DraftId, attempt: u32, written: &WrittenDraft, now: Timestamp) -> Result<()> {
        self.write(Durable, |tx| drafts::finish(tx, id, attempt, written, now))
    }

    fn fail_draft(&self, id: DraftId, attempt: u32, error: &str, next_at: Timestamp, now: Timestamp) -> Result<()> {
        self.write(Durable, |tx| drafts::fail(tx, id, attempt, error, (next_at, now)))
    }

    fn draft(&self, id_prefix: &str) -> Result<Draft> {
        self.read(|db| drafts::find(db, id_prefix))
    }

    fn drafts(&self, state: Option<DraftState>, project: Option<&str>) -> Result<Vec<Draft>> {
        let (drafts, damaged) = self.read(|db| drafts::list(db, state, project))?;
        self.report_damage("draft", &damaged);
        Ok(drafts)
    }

    fn draft_counts(&self) -> Result<Vec<(DraftState, u64)>> {
        self.read(drafts::count)
    }

    fn edit_draft(&self, id: DraftId, title: &str, body: &str, edit: DraftEdit) -> Result<Draft> {
        self.write(Durable, |tx| drafts::edit(tx, id, title, body, edit))
    }

    fn move_draft(&self, id: DraftId, from: &[DraftState], to: DraftState, now: Timestamp) -> Result<Draft> {
        self.write(Durable, |tx| drafts::change_state(tx, id, from, to, now))
    }

    fn retry_draft(&self, id: DraftId, now: Timestamp) -> Result<Draft> {
        self.write(Durable, |tx| drafts::retry(tx, id, now))
    }

    fn problems(&self, since: Timestamp) -> Result<Vec<(Timestamp, String, String)>> {
        self.read(|db| problems::since(db, since))
    }

    fn note_problem(&self, at: Timestamp, what: &str, hint: &str) -> Result<()> {
        self.write(Rebuildable, |tx| problems::note(tx, at, what, hint))
    }

    fn resolve_problems(&self, hint: &str, before: Timestamp) -> Result<()> {
        // Usually there is nothing to do, and a read does not wait for another writer.
        if self.read(|db| problems::are_open(db, hint, before))? {
            self.write(Rebuildable, |tx| problems::resolve(tx, hint, before))?;
        }
        Ok(())
    }
}

impl SqliteStore {
    /// Lists omit damaged rows because their content is unreliable; this reports them.
    fn report_damage(&self, what: &str, ids: &[String]) {
        for id in ids {
            let problem = format!("{what} {id} is damaged: its text does not match its checksum");
            let hint = format!("uro-capture forget {id}");
            // An unwritable store was already reported to the caller.
            drop(self.note_problem(SystemClock.now(), &problem, &hint));
        }
    }
}

/// Commits can be rebuilt from git; notes cannot.
fn durability(kind: CaptureKind) -> Durability {
    match kind {
        CaptureKind::Note => Durable,
        CaptureKind::Commit | CaptureKind::Merge => Rebuildable,
    }
}
