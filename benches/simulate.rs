//! Compares ways to route on the same days: always the same model, a moving average (EWMA), and this router, with
//! short probes and with rewritten templates (`refine`) as what it learns from in pauses.
//!
//! `cargo bench --bench simulate -- [--n 20] [--seed 0]`: n traces for each scene. Made-up ones are 400 commits on each
//! of three machines (steady; everything 1.7 and 2 times slower from the middle on; often cold; often building), with
//! queues, stragglers, prompts of real sizes. Recorded ones replay what a real server did, run by run: busy processors,
//! cold starts. A miss is a model that was asked and gave nothing useful in time, though the template then stands; a
//! salvaged first sentence is on time. Deterministic: the same numbers on every computer.
//!
//! `-- ablate [--n 20] [--seed 0]` plays the same scenes with simpler forecasts, `-- hedge` others with two endpoints, of
//! which the second is asked where no first token comes from the first (docs/router-ablation.md).
//!
//! `cargo bench --bench simulate -- record …` makes such a recording (see `recorder/mod.rs`).

use std::error::Error;
use std::io::{self, Write};
use std::ops::Range;

use uro_capture::domain;
use uro_capture::stats::brier::Brier;

mod ablation;
mod recorder;
#[expect(dead_code, reason = "its files hold tests, whose helpers are compiled and not called here")]
#[path = "ablation/route.rs"]
mod route;
mod simulation;

use simulation::machine::MACHINES;
use simulation::policy::Policy;
use simulation::recorded::{self, Recording};
use simulation::tally::Tally;
use simulation::trace::SCENES;

const WAYS: [(&str, simulation::Start); 4] = [
    ("fixed model", Policy::fixed),
    ("EWMA", Policy::average),
    ("router, probing", Policy::probing),
    ("router", Policy::forecast),
];

/// What each way made of some scenes.
type Played = Vec<Tally>;
type Ways<'w> = &'w [(&'static str, simulation::Start)];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let Some((_, words)) = words.split_first().filter(|(first, _)| *first == "record") {
        return recorder::record(words);
    }
    let mut out = io::stdout().lock();
    match words.split_first() {
        Some((first, words)) if first == "ablate" => {
            let ways: Vec<_> = std::iter::once(WAYS[3]).chain(ablation::WAYS).collect();
            compare(&mut out, &seeds(words)?, &ways).map(|_| ())
        }
        Some((first, words)) if first == "hedge" => ablation::hedging::compare(&mut out, &seeds(words)?),
        _ => {
            let played = compare(&mut out, &seeds(&words)?, &WAYS)?;
            for (name, played) in ["made-up", "recorded"].iter().zip(&played) {
                let router = &played[WAYS.len() - 1];
                reliability(&mut out, &format!("{name}: the answer is whole in time"), &router.whole)?;
                reliability(&mut out, &format!("{name}: something useful is there in time"), &router.useful)?;
            }
            Ok(())
        }
    }
}

/// Plays all scenes in all ways; the sums over the made-up and over the recorded ones.
fn compare(out: &mut impl Write, seeds: &Range<u64>, ways: Ways<'_>) -> Result<[Played; 2], Box<dyn Error>> {
    let scenes = [made_up(out, seeds, ways)?, replayed(out, seeds, ways)?];
    let sums = scenes.each_ref().map(|scenes| {
        let mut sum = vec![Tally::default(); ways.len()];
        scenes.iter().for_each(|played| merge(&mut sum, played));
        sum
    });
    let mut all = sums[0].clone();
    merge(&mut all, &sums[1]);
    for (name, played) in [("all made-up scenes", &sums[0]), ("all recorded scenes", &sums[1]), ("everything", &all)] {
        table(out, &format!("{name} (seeds {} to {})", seeds.start, seeds.end - 1), ways, played)?;
    }
    for (name, scenes) in [("made-up", &scenes[0]), ("recorded", &scenes[1])] {
        writeln!(
            out,
            "\nscenes by scene ({name}, {}), points against {}: on time, used, misses/attempt",
            scenes.len(),
            ways[0].0
        )?;
        for (at, (way, _)) in ways.iter().enumerate().skip(1) {
            writeln!(out, "{way:15} {}", apart(scenes, at))?;
        }
    }
    Ok(sums)
}

/// By how many points a way is apart from the first one, from the lowest to the highest of all scenes.
fn apart(scenes: &[Played], at: usize) -> String {
    let of: [fn(&Tally) -> f64; 3] = [Tally::on_time, Tally::used, Tally::missed];
    let ranges = of.map(|of| {
        let points = scenes.iter().map(|played| (of(&played[at]) - of(&played[0])) * 100.0);
        let (low, high) = points.fold((f64::MAX, f64::MIN), |(low, high), one| (low.min(one), high.max(one)));
        format!("{low:>+6.2} to {high:>+6.2}")
    });
    ranges.join("   ")
}

fn seeds(words: &[String]) -> Result<Range<u64>, Box<dyn Error>> {
    let (mut traces, mut seed) = (20_u64, 0_u64);
    for pair in words.chunks(2) {
        match pair {
            [name, n] if name == "--n" => traces = n.parse()?,
            [name, n] if name == "--seed" => seed = n.parse()?,
            _ => return Err(format!("unknown arguments {words:?}").into()),
        }
    }
    Ok(seed..seed.saturating_add(traces.max(1)))
}

fn made_up(out: &mut impl Write, seeds: &Range<u64>, ways: Ways<'_>) -> io::Result<Vec<Played>> {
    let mut all = Vec::new();
    for machine in &MACHINES {
        for scene in SCENES {
            let run = |(_, way): &(&str, _)| simulation::run(machine, scene, seeds.clone(), *way);
            let played = ways.iter().map(run).collect();
            table(out, &format!("made up: {}, {}", machine.name, scene.name), ways, &played)?;
            all.push(played);
        }
    }
    Ok(all)
}

fn replayed(out: &mut impl Write, seeds: &Range<u64>, ways: Ways<'_>) -> Result<Vec<Played>, Box<dyn Error>> {
    let mut all = Vec::new();
    for recording in recorded::all()? {
        told(out, &recording)?;
        for machine in &MACHINES {
            let scale = recording.scale(machine.models[0].reads);
            for factor in [1.0, 2.0] {
                let run = |(_, way): &(&str, _)| simulation::replay(&recording, machine, factor, seeds.clone(), *way);
                let played = ways.iter().map(run).collect();
                let shift = if factor > 1.0 { ", made 2 x slower from a quarter on" } else { "" };
                let like = machine.name;
                let what = format!("recorded: {}, all times x {scale:.4}, as fast as {like}{shift}", recording.name);
                table(out, &what, ways, &played)?;
                all.push(played);
            }
        }
    }
    Ok(all)
}

/// What was recorded, and how fast that was.
fn told(out: &mut impl Write, recording: &Recording) -> io::Result<()> {
    let usual = recording.usual;
    writeln!(out, "\nrecording {:?}, n = {} runs: {}", recording.name, recording.instants.len(), recording.what)?;
    writeln!(
        out,
        "usual: {:.0} ms + {:.2} ms per prompt token that was not cached, {:.1} ms per written token, load {:.0} ms",
        usual.overhead_s * 1e3,
        usual.uncached_s * 1e3,
        usual.tpot_s * 1e3,
        usual.load_s * 1e3
    )?;
    if let Some((reading, writing)) = recording.shifted() {
        writeln!(out, "with busy processes beside it: {reading:.2} times as long to read, {writing:.2} to write")?;
    }
    let what = "sizes of prompts and answers, what was read ahead, queues, and pauses between commits are made up";
    writeln!(out, "replayed at other scales: speed at every moment, pressure, loads; {what}")
}

fn merge(all: &mut Played, played: &Played) {
    for (all, one) in all.iter_mut().zip(played) {
        all.merge(one);
    }
}

fn table(out: &mut impl Write, what: &str, ways: Ways<'_>, played: &Played) -> io::Result<()> {
    let n = played.first().map_or(0, |tally| tally.captures);
    writeln!(out, "\n{what} (n = {n} captures)\n{:15} {}", "", Tally::HEAD)?;
    for ((name, _), tally) in ways.iter().zip(played) {
        writeln!(out, "{name:15} {tally}")?;
    }
    Ok(())
}

fn reliability(out: &mut impl Write, what: &str, brier: &Brier) -> io::Result<()> {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    let (score, off) = (number(brier.score()), number(brier.miscalibration()));
    writeln!(out, "\n{what}: n = {}, Brier score {score}, stated and seen differ by {off}", brier.n())?;
    for line in brier.table() {
        let (from, to) = (line.from * 100.0, line.to * 100.0);
        writeln!(
            out,
            "  {from:>3.0}-{to:>3.0} %: stated {:>6.2} %, seen {:>6.2} %  (n = {})",
            line.stated * 100.0,
            line.seen * 100.0,
            line.n
        )?;
    }
    Ok(())
}
