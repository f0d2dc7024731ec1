//! What a real model's texts are worth, and what of them is kept.
//!
//! `cargo bench --bench real -- --endpoint URL [--n 25] [--seed 0] [--budget 60] [--message wip] [--out FILE]
//! [--json] GIT_DIR…` sends n commits of each repository (as the benchmark `captures` picks them) to the server, one
//! after the other, and records each with its prompt, answer, times, what was kept and what was dropped and why.
//!
//! `--replay FILE` asks nobody: it judges the recorded answers as today's checks would, of the commits that one of the
//! GIT_DIRs has. Two outputs of it show what a change of the checks changed. Where records have `sentences` with readers'
//! verdicts, the table tells how many of the true and of the false ones are kept. `--verdicts FILE` takes the verdicts
//! from another file, by commit and model. `--unasked` in the place of an endpoint records prompts and templates alone.
//! `--show` prints subject, answer, and what was kept.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use uro_capture::git::Repo;

#[path = "real/asking.rs"]
mod asking;
#[expect(dead_code, reason = "nothing here needs the whole patch")]
#[path = "captures/histories.rs"]
mod histories;
#[path = "real/record.rs"]
mod record;
#[expect(dead_code, reason = "this benchmark takes no turns")]
mod report;
#[path = "real/table.rs"]
mod table;

use asking::Questions;
use histories::History;
use record::{Log, Record};
use report::{Arguments, Report, Result, Row};

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("real", arguments.flag("--json"));
    let show = arguments.flag("--show");
    let mut log = Log::create(arguments.value("--out")?.as_deref())?;
    let verdicts = arguments.value("--verdicts")?.map(|file| record::read(Path::new(&file))).transpose()?;
    let mut verdicts = by_commit(verdicts.unwrap_or_default());
    let mut records = Vec::new();
    let mut take = |mut record: Record| -> Result<()> {
        if let Some(judged) = verdicts.remove(&(record.oid.clone(), record.model.clone())) {
            record.sentences = judged.sentences;
        }
        log.add(&record)?;
        if show {
            print_record(&record)?;
        }
        records.push(record);
        Ok(())
    };
    match arguments.value("--replay")? {
        Some(file) => replay(Path::new(&file), &arguments.rest()?, &mut take)?,
        None => ask(arguments, &mut take)?,
    }
    report.table("what is kept", &rows(&records))?;
    report.finish()
}

fn ask(mut arguments: Arguments, take: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
    let unasked = arguments.flag("--unasked");
    let url = arguments.value("--endpoint")?;
    let (n, seed) = (arguments.number("--n", 25)?, arguments.number("--seed", 0)?);
    let budget = Duration::from_secs(arguments.number("--budget", 60)? as u64);
    let message = arguments.value("--message")?;
    let histories = arguments.rest()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let questions = match &url {
        Some(url) => Some(runtime.block_on(Questions::to(url, budget, message.clone()))?),
        None if unasked => None,
        None => return Err("--endpoint URL, --replay FILE or --unasked is needed".into()),
    };
    for path in &histories {
        let history = History::sample(Path::new(path), n, seed)?;
        let repo = history.open()?;
        for oid in &history.oids {
            let record = match &questions {
                Some(questions) => runtime.block_on(questions.ask(&history.name, &repo, oid)),
                None => asking::unasked(&history.name, &repo, oid, message.as_deref()),
            };
            match record {
                Ok(record) => take(record)?,
                Err(error) => writeln!(io::stderr().lock(), "{} {oid}: {error}", history.name)?,
            }
        }
    }
    Ok(())
}

fn replay(file: &Path, git_dirs: &[String], take: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
    let repositories: Vec<Repo> =
        git_dirs.iter().map(|dir| Ok(Repo::open_git_dir(Path::new(dir))?)).collect::<Result<_>>()?;
    for record in record::read(file)? {
        let again = repositories.iter().find_map(|repo| asking::again(record.clone(), repo).ok());
        match again {
            Some(again) => take(again)?,
            None => writeln!(io::stderr().lock(), "none of the repositories has {} of {}", record.oid, record.repo)?,
        }
    }
    Ok(())
}

fn by_commit(records: Vec<Record>) -> HashMap<(String, String), Record> {
    records.into_iter().map(|record| ((record.oid.clone(), record.model.clone()), record)).collect()
}

/// One line per model and repository, and one per model.
fn rows(records: &[Record]) -> Vec<Row> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        groups.entry((&record.model, &record.repo)).or_default().push(record);
        groups.entry((&record.model, ALL)).or_default().push(record);
    }
    groups.into_iter().map(|((model, repo), records)| table::row(&format!("{model} {repo}"), &records)).collect()
}

/// After every name of a repository.
const ALL: &str = "~ all";

fn print_record(record: &Record) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{} {}  {}", record.repo, record.oid.get(..10).unwrap_or_default(), record.subject)?;
    writeln!(out, "  said  {:?}", record.raw)?;
    writeln!(out, "  kept  {}", record.kept.as_deref().unwrap_or(&record.reason))?;
    writeln!(out, "  text  {}", record.text.as_deref().unwrap_or_default())?;
    record.dropped.iter().try_for_each(|one| writeln!(out, "  left  {} ({} {:?})", one.sentence, one.why, one.word))?;
    writeln!(out, "  else  {}", record.template)?;
    Ok(())
}
