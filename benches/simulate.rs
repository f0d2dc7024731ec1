//! Compares ways to route on the same made-up days: always the same model, a moving average, and this router,
//! with short probes and with rewritten templates (`refine`) as what it learns from in pauses.
//!
//! `cargo bench --bench simulate -- [--n 20] [--seed 0]`: n traces of 400 commits for each of three machines and three scenes
//! (steady; everything 1.7 and 2 times slower from the middle on), with builds, cold starts, queues, stragglers,
//! prompts of real sizes. A miss is a model that was asked and gave nothing useful in time, though the template then
//! stands; a salvaged first sentence is on time. Deterministic: the same numbers on every computer.

use std::error::Error;
use std::io::{self, Write};

use uro_capture::stats::brier::Brier;

mod recorder;
mod simulation;

use simulation::machine::{MACHINES, Machine};
use simulation::policy::Policy;
use simulation::tally::Tally;
use simulation::trace::SCENES;

/// A way to route and how it starts.
type Way = (&'static str, fn(&Machine) -> Policy);

const WAYS: [Way; 4] = [
    ("fixed", Policy::fixed),
    ("average", Policy::average),
    ("probing", Policy::probing),
    ("forecast", Policy::forecast),
];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let Some((_, words)) = words.split_first().filter(|(first, _)| *first == "record") {
        return recorder::record(words);
    }
    let (mut traces, mut seed) = (20_u64, 0_u64);
    for pair in words.chunks(2) {
        match pair {
            [name, n] if name == "--n" => traces = n.parse()?,
            [name, n] if name == "--seed" => seed = n.parse()?,
            _ => return Err(format!("unknown arguments {words:?}").into()),
        }
    }
    let mut out = io::stdout().lock();
    let mut all = vec![Tally::default(); WAYS.len()];
    for machine in &MACHINES {
        for scene in SCENES {
            writeln!(out, "\n{}, {} (n = {traces} traces)\n{:9} {}", machine.name, scene.name, "", Tally::HEAD)?;
            for ((name, way), all) in WAYS.iter().zip(&mut all) {
                let tally = simulation::run(machine, scene, seed..seed.saturating_add(traces), *way);
                writeln!(out, "{name:9} {tally}")?;
                all.merge(&tally);
            }
        }
    }
    writeln!(out, "\nall of it\n{:9} {}", "", Tally::HEAD)?;
    for ((name, _), all) in WAYS.iter().zip(&all) {
        writeln!(out, "{name:9} {all}")?;
    }
    if let Some(forecast) = all.last() {
        reliability(&mut out, "the answer is whole in time", &forecast.whole)?;
        reliability(&mut out, "something useful is there in time", &forecast.useful)?;
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
