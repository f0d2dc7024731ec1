//! Whether the grounding gate lets true sentences pass and catches false ones.
//!
//! True ones: the human subjects, with the message as it is and with "wip" in its place (so that the author's words do
//! not vouch for themselves; what forges append, "(#42)", is left out there), the template's texts, and one sentence
//! per fact. What only the author can know is told apart: `author_only` counts the subjects that fail with "wip" and
//! name nothing unknown but a ticket, a revision, or what stands only in files that are never read; a row of its own
//! has the subjects without those references, another one the commits of which no file is read.
//! False ones are made from true ones, one mistake each: a name or a path that the repository does not know,
//! another number, a number more, added and removed swapped, before and after swapped. The swaps are made only where
//! the thing stands on one side of the patch.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::id::Oid;
use uro_capture::domain::patch::{Commit, LineOrigin};
use uro_capture::facts::symbols::SymbolChange;
use uro_capture::facts::{self, Facts};
use uro_capture::fallback::template;
use uro_capture::git::{Bounds, NameSearchBounds, Repo};
use uro_capture::grounding::{Evidence, Fault, GroundingCheck};

use super::histories::{History, whole};
use super::planted::{self, Planted};
use super::references;
use super::report::{Report, Result, Row, Series};
use super::verdict::is_excluded;

/// What the lookup may read and take, as in the pipeline.
const LOOKUP_BYTES: u64 = 16 << 20;

/// Subjects whose own message does not vouch for them.
const WIP: &str = "subject, wip";

/// Per source of a text and kind of mistake: how many, and how many were caught.
struct Tally {
    passed: BTreeMap<&'static str, (usize, usize, BTreeMap<&'static str, usize>)>,
    author_only: usize,
    caught: BTreeMap<(&'static str, &'static str), (usize, usize)>,
    check: Series,
    lookup: Series,
}

/// Judges the gate on the commits of the repositories.
pub fn run(
    repositories: &[String],
    n: usize,
    seed: usize,
    misses: bool,
    patience: Duration,
    report: &mut Report,
) -> Result<()> {
    let mut tally = Tally {
        passed: BTreeMap::new(),
        author_only: 0,
        caught: BTreeMap::new(),
        check: Series::of("check"),
        lookup: Series::of("lookup"),
    };
    for path in repositories {
        let history = History::sample(Path::new(path), n, seed)?;
        let repo = history.open()?;
        for oid in &history.oids {
            Trial { history: &history, repo: &repo, oid, misses, patience }.run(&mut tally)?;
        }
    }
    report.table("true sentences", &passed(&tally))?;
    report.table("planted inventions", &caught(&tally))
}

fn passed(tally: &Tally) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (source, (n, passed, why)) in &tally.passed {
        let row = Row::named(source).with("n", json!(n)).with("passed", json!(*passed as f64 / *n as f64));
        let row = if *source == WIP { row.with("author_only", json!(tally.author_only)) } else { row };
        rows.push(
            row.with("why", json!(why.iter().map(|(why, n)| format!("{why} {n}")).collect::<Vec<_>>().join(", "))),
        );
    }
    for series in [&tally.check, &tally.lookup] {
        let row = Row::named(&format!("{} ms", series.name)).with("n", json!(series.ms.len()));
        rows.push(row.with("p50", json!(series.quantile(0.5))).with("p95", json!(series.quantile(0.95))));
    }
    rows
}

fn caught(tally: &Tally) -> Vec<Row> {
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let row = |name: &str, n: usize, caught: usize| {
        Row::named(name)
            .with("n", json!(n))
            .with("caught", json!(caught))
            .with("share", json!(caught as f64 / n as f64))
    };
    let mut rows = Vec::new();
    for ((kind, source), (n, caught)) in &tally.caught {
        rows.push(row(&format!("{kind}, {source}"), *n, *caught));
        let all = kinds.entry(kind).or_default();
        *all = (all.0 + n, all.1 + caught);
    }
    let (n, all) = kinds.values().fold((0, 0), |sum, kind| (sum.0 + kind.0, sum.1 + kind.1));
    rows.extend(kinds.into_iter().map(|(kind, (n, caught))| row(&format!("{kind}, in all"), n, caught)));
    rows.push(row("in all", n, all));
    rows
}

struct Trial<'a> {
    history: &'a History,
    repo: &'a Repo,
    oid: &'a Oid,
    misses: bool,
    patience: Duration,
}

/// A commit under one message, with what its texts are held against.
struct Held {
    commit: Commit,
    facts: Facts,
    ground: GroundingCheck,
}

impl Held {
    fn of(mut commit: Commit) -> Self {
        let facts = facts::extract_facts(&commit, &SystemClock);
        commit.patch.files.iter_mut().for_each(|file| file.texts = None);
        let ground = GroundingCheck::of(&Evidence { commit: &commit, facts: &facts, notes: &[], known: &|_| false });
        Self { commit, facts, ground }
    }
}

impl Trial<'_> {
    fn run(&self, tally: &mut Tally) -> Result<()> {
        let commit = self.repo.commit(self.oid, &Bounds::default(), &is_excluded)?;
        let judge = whole(self.repo, self.oid)?;
        let subject = commit.subject().to_owned();
        let as_is = Held::of(commit.clone());
        let wip = Held::of(Commit { message: "wip".to_owned(), ..commit });
        let template = template::summarize_commit(&wip.commit, &wip.facts);
        let sentences = planted::sentences(&wip.facts);
        self.pass("subject, as is", &subject, &as_is, tally)?;
        self.subject_alone(&subject, &wip, &judge, tally)?;
        self.pass("template, as is", &template::summarize_commit(&as_is.commit, &as_is.facts), &as_is, tally)?;
        self.pass("template, wip", &template, &wip, tally)?;
        for sentence in &sentences {
            self.pass("fact", sentence, &wip, tally)?;
        }
        let lines = |origin: LineOrigin| {
            let lines = judge.patch.files.iter().flat_map(|file| &file.hunks).flat_map(|hunk| &hunk.lines);
            lines
                .filter(|line| line.origin == origin)
                .map(|line| line.text.to_lowercase())
                .collect::<Vec<_>>()
                .join("\n")
        };
        let sides =
            planted::Sides { old: lines(LineOrigin::Removed), new: lines(LineOrigin::Added), facts: &wip.facts };
        let seed = self.oid.as_str();
        let plant = |text: &str| planted::all(text, seed, &sides, &judge);
        for (source, held, text) in [("subject", &as_is, &subject), ("template", &wip, &template)] {
            self.catch(source, held, plant(text), tally)?;
        }
        for sentence in &sentences {
            self.catch("fact", &wip, plant(sentence), tally)?;
        }
        Ok(())
    }

    /// The subject without the message that it is from: as a whole, without references, and where nothing is read.
    fn subject_alone(&self, subject: &str, wip: &Held, judge: &Commit, tally: &mut Tally) -> Result<()> {
        let (whole, bare) = (references::without_tickets(subject), references::without(subject));
        let files = &wip.commit.patch.files;
        let unread = !files.is_empty() && files.iter().all(|file| file.unread.is_some());
        let fault = self.pass(WIP, &whole, wip, tally)?;
        let row = if unread { "subject, wip, nothing read" } else { "subject, wip, no references" };
        let left = self.pass(row, &bare, wip, tally)?;
        let hidden = |(_, word): &(Fault, String)| references::is_hidden(word, &wip.commit, judge);
        tally.author_only += usize::from(fault.is_some() && left.as_ref().is_none_or(hidden));
        Ok(())
    }

    /// What is wrong with a true text, if the gate holds it for false.
    fn pass(
        &self,
        source: &'static str,
        text: &str,
        held: &Held,
        tally: &mut Tally,
    ) -> Result<Option<(Fault, String)>> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let fault = self.fault(text, held, tally)?;
        let (n, passed, why) = tally.passed.entry(source).or_default();
        *n += 1;
        match &fault {
            None => *passed += 1,
            Some((fault, word)) => {
                *why.entry(fault.as_str()).or_default() += 1;
                self.tell(&format!("FAILS {source}: {} ({word:?})", fault.as_str()), text)?;
            }
        }
        Ok(fault)
    }

    fn catch(&self, source: &'static str, held: &Held, planted: Vec<Planted>, tally: &mut Tally) -> Result<()> {
        for Planted { kind, text, new_names } in planted {
            // It has to be false: a name that the repository happens to have is no invention.
            if !new_names.is_empty() && !self.known(&new_names, Duration::from_secs(5), 256 << 20)?.is_empty() {
                continue;
            }
            let fault = self.fault(&text, held, tally)?;
            let (n, caught) = tally.caught.entry((kind, source)).or_default();
            *n += 1;
            if fault.is_some() {
                *caught += 1;
            } else {
                self.tell(&format!("MISSED {kind}, {source}"), &text)?;
            }
        }
        Ok(())
    }

    fn fault(&self, text: &str, held: &Held, tally: &mut Tally) -> Result<Option<(Fault, String)>> {
        let start = SystemClock.instant();
        let questions = held.ground.names_to_look_up(text);
        let asked = SystemClock.instant();
        let known =
            if questions.is_empty() { Vec::new() } else { self.known(&questions, self.patience, LOOKUP_BYTES)? };
        let answered = SystemClock.instant();
        let grounded = held.ground.check(text, &|name| known.iter().any(|known| known == name));
        tally.check.push(asked - start + (SystemClock.instant() - answered));
        if !questions.is_empty() {
            tally.lookup.push(answered - asked);
        }
        Ok(grounded.faults.into_iter().next().map(|wrong| (wrong.fault, wrong.word)))
    }

    fn known(&self, names: &[String], patience: Duration, bytes: u64) -> Result<Vec<String>> {
        let until = SystemClock.instant() + patience;
        let within = NameSearchBounds { clock: &SystemClock, until, bytes, excluded: &is_excluded };
        Ok(self.repo.find_names(self.oid, names, &within)?.into_iter().collect())
    }

    fn tell(&self, what: &str, text: &str) -> Result<()> {
        if self.misses {
            let (name, oid) = (&self.history.name, &self.oid.as_str()[..9]);
            writeln!(io::stderr().lock(), "{name} {oid} {what}\n    {text}")?;
        }
        Ok(())
    }
}

/// Facts of one fate have one direction.
pub fn one_sided(facts: &Facts, name: &str) -> Option<SymbolChange> {
    let last = |name: &str| name.rsplit([':', '.', '#']).next().unwrap_or(name).to_lowercase();
    let mut fates = facts.symbols.iter().filter(|symbol| {
        last(&symbol.name) == last(name) || symbol.old_name.as_ref().is_some_and(|old| last(old) == last(name))
    });
    let first = fates.next()?.change;
    fates.all(|symbol| symbol.change == first).then_some(first)
}
