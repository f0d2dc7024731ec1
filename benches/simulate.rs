//! Compares ways to route on the same days: always the same model, a moving average (EWMA), and this router, with
//! short probes and with rewritten templates (`refine`) as what it learns from in pauses.
//!
//! `cargo bench --bench simulate -- [--n 20] [--seed 0]`: n traces for each scene. Made-up ones are 400 commits on each
//! of three machines (steady; everything 1.7 and 2 times slower from the middle on; often cold; often building), with
//! queues, stragglers, prompts of real sizes. Recorded ones replay what a real server did, run by run: busy processors,
//! cold starts. A miss is a model that was asked and gave nothing useful in time, though the template then stands; a
//! salvaged first sentence is on time. Deterministic: the same numbers on every computer.
//!
//! `cargo bench --bench simulate -- record …` makes such a recording (see `recorder/mod.rs`).

use std::error::Error;
use std::io::{self, Write};
use std::ops::Range;

use uro_capture::route::stats::brier::Brier;

mod recorder;
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
type Played = [Tally; WAYS.len()];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let Some((_, words)) = words.split_first().filter(|(first, _)| *first == "record") {
        return recorder::record(words);
    }
    let seeds = seeds(&words)?;
    let mut out = io::stdout().lock();
    let made_up = made_up(&mut out, &seeds)?;
    let replayed = replayed(&mut out, &seeds)?;
    let mut all = made_up.clone();
    merge(&mut all, &replayed);
    for (name, played) in [("all made-up scenes", made_up), ("all recorded scenes", replayed), ("everything", all)] {
        table(&mut out, &format!("{name} (seeds {} to {})", seeds.start, seeds.end - 1), &played)?;
        let [.., router] = &played;
        reliability(&mut out, "the answer is whole in time", &router.whole)?;
        reliability(&mut out, "something useful is there in time", &router.useful)?;
    }
    Ok(())
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

fn made_up(out: &mut impl Write, seeds: &Range<u64>) -> io::Result<Played> {
    let mut all = Played::default();
    for machine in &MACHINES {
        for scene in SCENES {
            let played = WAYS.map(|(_, start)| simulation::run(machine, scene, seeds.clone(), start));
            table(out, &format!("made up: {}, {}", machine.name, scene.name), &played)?;
            merge(&mut all, &played);
        }
    }
    Ok(all)
}

fn replayed(out: &mut impl Write, seeds: &Range<u64>) -> Result<Played, Box<dyn Error>> {
    let mut all = Played::default();
    for recording in recorded::all()? {
        print_recording(out, &recording)?;
        for machine in &MACHINES {
            let scale = recording.scale(machine.models[0].reads);
            for factor in [1.0, 2.0] {
                let played = WAYS.map(|(_, way)| simulation::replay(&recording, machine, factor, seeds.clone(), way));
                let shift = if factor > 1.0 { ", made 2 x slower from a quarter on" } else { "" };
                let like = machine.name;
                let what = format!("recorded: {}, all times x {scale:.4}, as fast as {like}{shift}", recording.name);
                table(out, &what, &played)?;
                merge(&mut all, &played);
            }
        }
    }
    Ok(all)
}

/// What was recorded, and how fast that was.
fn print_recording(out: &mut impl Write, recording: &Recording) -> io::Result<()> {
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

fn table(out: &mut impl Write, what: &str, played: &Played) -> io::Result<()> {
    let n = played.first().map_or(0, |tally| tally.captures);
    writeln!(out, "\n{what} (n = {n} captures)\n{:15} {}", "", Tally::HEAD)?;
    for ((name, _), tally) in WAYS.iter().zip(played) {
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
