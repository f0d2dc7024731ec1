//! `uro-capture` and `uro-capture commit`: on-demand capture of one commit or a range (backfill).

use clap::Args;

use super::app::App;
use super::failure::Failure;
use super::ui::Exit;
use super::{capture_line, note, when};
use crate::domain::capture::{AuthoredBy, Reason};
use crate::domain::event::Source;
use crate::domain::id::{CaptureId, Oid};
use crate::git::repo::Repo;
use crate::pipeline::capture::{self, IntakeOutcome, Plan};
use crate::pipeline::services::Services;
use crate::sidecar::protocol;

#[derive(Debug, Args)]
pub struct CommitArgs {
    /// Commits or ranges: REV, A..B
    #[arg(value_name = "REV|A..B")]
    pub revs: Vec<String>,
    /// Every commit that HEAD reaches, authored since then (30d, yesterday, 2026-03-01)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Keep to the template, which takes milliseconds a commit
    #[arg(long)]
    pub no_model: bool,
}

/// Circuit breaker: after this many failures in a row a server gets no more requests in this run.
const FAILURES_IN_A_ROW: u32 = 3;

/// `uro-capture` without arguments: captures the newest commit.
///
/// # Errors
/// Outside a repository, in one without commits, or if the store cannot be written.
pub fn head(app: &App) -> Result<Exit, Failure> {
    let repo = app.repo()?;
    let services = app.services()?;
    let (id, _) = capture_one(app, &services, &repo, &repo.head()?, Source::Manual, true)?;
    let record = services.store.capture(&id.to_string())?;
    if app.json {
        app.ui.json(&record.capture)?;
    } else {
        app.ui.line(&capture_line::format_full(&record.capture, &app.ui, &app.now()))?;
    }
    Ok(Exit::Done)
}

/// # Errors
/// A revision does not exist, or the store cannot be written.
pub fn run(app: &App, args: &CommitArgs) -> Result<Exit, Failure> {
    let repo = app.repo()?;
    let services = app.services()?;
    let oids = select_commits(app, &repo, args)?;
    let single = args.since.is_none() && oids.len() == 1;
    let source = if single { Source::Manual } else { Source::Backfill };
    let mut tally = BackfillTally::default();
    let progress = app.ui.progress(oids.len() as u64);
    let mut ids = Vec::with_capacity(oids.len());
    for oid in &oids {
        let ask = !args.no_model && tally.failures_in_a_row < FAILURES_IN_A_ROW;
        let (id, new) = capture_one(app, &services, &repo, oid, source, ask)?;
        if new {
            tally.new += 1;
            let provenance = services.store.capture(&id.to_string())?.capture.provenance;
            tally.by_model += u64::from(provenance.by == AuthoredBy::Model);
            tally.failures_in_a_row = match provenance.reason {
                Reason::Refused | Reason::Deadline | Reason::Unusable => tally.failures_in_a_row + 1,
                _ => 0,
            };
        }
        ids.push(id);
        progress.inc(1);
    }
    progress.finish_and_clear();
    report(app, &services, &ids, &tally, single)
}

fn select_commits(app: &App, repo: &Repo, args: &CommitArgs) -> Result<Vec<Oid>, Failure> {
    let since = args.since.as_deref().map(|text| when::parse(text, app)).transpose()?;
    let mut oids = Vec::new();
    for spec in &args.revs {
        oids.extend(repo.range(spec, since)?);
    }
    if args.revs.is_empty() {
        match since {
            Some(since) => oids.extend(repo.commits_since(since)?),
            None => oids.push(repo.head()?),
        }
    }
    let mut seen = std::collections::HashSet::new();
    oids.retain(|oid| seen.insert(oid.clone()));
    Ok(oids)
}

/// Captures one commit unless it is captured already; returns true if it was new.
fn capture_one(
    app: &App,
    services: &Services,
    repo: &Repo,
    oid: &Oid,
    source: Source,
    ask: bool,
) -> Result<(CaptureId, bool), Failure> {
    let stamp = app.clock.now();
    let plan = if ask { Plan::Ask } else { Plan::Template(Reason::Disabled) };
    let request = capture::Request { oid: oid.clone(), source, stamp, plan };
    match capture::take_commit(services, repo, &request)? {
        IntakeOutcome::Known(id) => Ok((id, false)),
        IntakeOutcome::Skipped(why) => {
            Err(Failure::input(why).hint("git config --unset uro.capture, or see: uro-capture config list --origin"))
        }
        IntakeOutcome::Final(id) => Ok((id, true)),
        IntakeOutcome::New(job) => {
            let id = job.id;
            let git_dir = Some(repo.location().git_dir.clone());
            note::enrich(app, services, *job, &protocol::Request::Enrich { id, stamp, git_dir })?;
            Ok((id, true))
        }
    }
}

#[derive(Default)]
struct BackfillTally {
    new: u64,
    by_model: u64,
    failures_in_a_row: u32,
}

fn report(
    app: &App,
    services: &Services,
    ids: &[CaptureId],
    tally: &BackfillTally,
    single: bool,
) -> Result<Exit, Failure> {
    if tally.failures_in_a_row >= FAILURES_IN_A_ROW {
        app.ui.note("the model did not answer in time; later captures keep the template");
    }
    if app.json {
        let captures: Result<Vec<_>, _> =
            ids.iter().map(|id| services.store.capture(&id.to_string()).map(|record| record.capture)).collect();
        app.ui.json(&captures?)?;
    } else if let ([id], true) = (ids, single) {
        return note::print(app, services, *id);
    } else {
        app.ui.line(&summed_up(ids.len() as u64, tally))?;
    }
    Ok(Exit::Done)
}

fn summed_up(commits: u64, tally: &BackfillTally) -> String {
    let earlier = commits - tally.new;
    match (tally.new, earlier) {
        (0, 0) => "no commits there".to_owned(),
        (0, _) => "0 captured, all were known already".to_owned(),
        (new, 0) => format!("{new} captured, {} in a model's words", tally.by_model),
        (new, _) => format!("{new} captured, {} in a model's words; {earlier} known already", tally.by_model),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backfill_is_summed_up_in_one_line() {
        let summary =
            |commits, new, by_model| summed_up(commits, &BackfillTally { new, by_model, failures_in_a_row: 0 });
        assert_eq!(summary(0, 0, 0), "no commits there");
        assert_eq!(summary(4, 0, 0), "0 captured, all were known already");
        assert_eq!(summary(4, 4, 1), "4 captured, 1 in a model's words");
        assert_eq!(summary(4, 3, 0), "3 captured, 0 in a model's words; 1 known already");
    }
}
