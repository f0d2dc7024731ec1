//! Commits sent to a real server, and recorded answers judged again.

use std::collections::HashSet;
use std::time::Duration;

use uro_capture::config::{Config, EndpointConfig};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::id::Oid;
use uro_capture::domain::model::Sampling;
use uro_capture::domain::patch::Commit;
use uro_capture::domain::role::Role;
use uro_capture::fallback::variants::Variants;
use uro_capture::git::{Bounds, NameSearchBounds, Repo};
use uro_capture::llm::{Client, ClockFired, Finish, ModelAnswer, ModelRequest};
use uro_capture::pipeline::output_check;
use uro_capture::pipeline::subject::Subject;
use uro_capture::prompt::tokens::CAPTURE_PROMPT;

use super::record::{Dropped, Record};
use super::report::Result;

/// Until names are not looked for any longer: without cut_short, so that a verdict does not depend on the machine.
const LOOKUP: Duration = Duration::from_secs(5);

/// What is asked.
pub struct Questions {
    pub client: Client,
    pub model: String,
    pub sampling: Sampling,
    pub budget: Duration,
    /// In the place of every commit's message.
    pub message: Option<String>,
}

impl Questions {
    /// The first model that the server offers, with the options of a capture.
    ///
    /// # Errors
    /// The server does not answer, or offers none.
    pub async fn to(url: &str, budget: Duration, message: Option<String>) -> Result<Self> {
        let client = Client::new(&EndpointConfig::local("real", url))?;
        let offered = client.models(SystemClock.instant() + budget).await?;
        let model = offered.iter().find(|model| model.completes).ok_or("the server offers no model")?.name.clone();
        let sampling = Config::default().options.get(&Role::Capture).cloned().ok_or("no options for captures")?;
        Ok(Self { client, model, sampling, budget, message })
    }

    /// # Errors
    /// The commit cannot be read, or the server gives no text at all.
    pub async fn ask(&self, name: &str, repo: &Repo, oid: &Oid) -> Result<Record> {
        let subject = subject(repo, oid, self.message.as_deref())?;
        let prompt = subject.prompt(&CAPTURE_PROMPT.into());
        let ask = ModelRequest {
            model: self.model.clone(),
            rules: prompt.rules.clone(),
            question: prompt.question.clone(),
            sampling: self.sampling.clone(),
            wording: prompt.wording.clone(),
            until: SystemClock.instant() + self.budget,
            keep_alive: None,
            prompt_estimate: None,
        };
        let answer = self.client.request_answer(&ask).await?;
        let record = Record {
            repo: name.to_owned(),
            oid: oid.to_string(),
            model: self.model.clone(),
            message: self.message.clone(),
            prompt: format!("{}\n{}", prompt.rules, prompt.question),
            prompt_tokens: answer.tokens.prompt.unwrap_or_else(|| u64::from(prompt.prompt_tokens)),
            output_tokens: answer.tokens.output.unwrap_or(0),
            ttft_ms: answer.ttft.map(|ttft| ttft.as_secs_f64() * 1e3),
            total_ms: answer.elapsed.as_secs_f64() * 1e3,
            finish: finish(answer.finish).to_owned(),
            raw: answer.text.clone(),
            ..Record::default()
        };
        Ok(judge(record, repo, &subject, &answer))
    }
}

/// What would be sent, and the template: nobody is asked.
///
/// # Errors
/// The commit cannot be read.
pub fn unasked(name: &str, repo: &Repo, oid: &Oid, message: Option<&str>) -> Result<Record> {
    let subject = subject(repo, oid, message)?;
    let prompt = subject.prompt(&CAPTURE_PROMPT.into());
    Ok(Record {
        repo: name.to_owned(),
        oid: oid.to_string(),
        message: message.map(str::to_owned),
        prompt: format!("{}\n{}", prompt.rules, prompt.question),
        prompt_tokens: u64::from(prompt.prompt_tokens),
        subject: subject.raw().lines().next().unwrap_or_default().to_owned(),
        template: subject.template(Variants::built_in()).text,
        ..Record::default()
    })
}

/// The record with its answer judged as it would be now.
///
/// # Errors
/// The repository does not have the commit.
pub fn again(record: Record, repo: &Repo) -> Result<Record> {
    let subject = subject(repo, &record.oid.parse()?, record.message.as_deref())?;
    let finish = match record.finish.as_str() {
        "length" => Finish::Length,
        "cut" => Finish::Cut(ClockFired::Stream),
        "aborted" => Finish::Aborted,
        _ => Finish::Stop,
    };
    let answer = ModelAnswer::unmeasured(&record.raw, finish);
    Ok(judge(record, repo, &subject, &answer))
}

fn judge(record: Record, repo: &Repo, subject: &Subject, answer: &ModelAnswer) -> Record {
    let judged = output_check::recheck_answer(subject, answer, &|names| known(repo, subject, names));
    let dropped = |one: uro_capture::grounding::Ungrounded| Dropped {
        sentence: one.sentence,
        word: one.word,
        why: one.fault.as_str().to_owned(),
    };
    Record {
        subject: subject.raw().lines().next().unwrap_or_default().to_owned(),
        template: subject.template(Variants::built_in()).text,
        kept: judged.checked,
        text: judged.text,
        reason: judged.reason.as_str().to_owned(),
        dropped: judged.faults.into_iter().map(dropped).collect(),
        ..record
    }
}

fn subject(repo: &Repo, oid: &Oid, message: Option<&str>) -> Result<Subject> {
    let excluded = |path: &str| path.ends_with(".lock") || path.starts_with("dist/");
    let commit = repo.commit(oid, &Bounds::default(), &excluded)?;
    let message = message.map_or_else(|| commit.message.clone(), str::to_owned);
    Ok(Subject::commit(Commit { message, ..commit }, &SystemClock))
}

fn known(repo: &Repo, subject: &Subject, names: &[String]) -> HashSet<String> {
    let Some(oid) = subject.oid() else { return HashSet::new() };
    let clock = SystemClock;
    let within =
        NameSearchBounds { clock: &clock, until: clock.instant() + LOOKUP, bytes: 256 << 20, excluded: &|_| false };
    repo.find_names(oid, names, &within).unwrap_or_default()
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Cut(_) => "cut",
        Finish::Aborted => "aborted",
    }
}
