//! Runs of real servers as they were recorded, and what of them a simulation replays.
//!
//! A recorded run tells how fast the machine was at that moment, against the usual speed of the recording: that is a
//! line through all its undisturbed runs (overhead and time per prompt token that was not cached) and their median
//! time per written token. Captures of other sizes are laid over it.

use std::error::Error;

/// The columns of a recording: tokens, milliseconds, how it ended, what the machine did, seconds since the start.
pub const HEAD: &str =
    "prompt_tokens,cached,allowed,written,load_ms,ttft_ms,tpot_ms,took_ms,end,pressed,busy_processes,since_s";

/// Of one model on one machine.
#[derive(Debug)]
pub struct Recording {
    pub name: &'static str,
    /// How it was recorded: the file's first line.
    pub what: &'static str,
    /// For each recorded run how fast the machine was.
    pub instants: Vec<Instant>,
    pub usual: Usual,
    /// The first run with busy processes beside it.
    pub busy_from: Option<usize>,
}

/// How fast the machine was at one moment: times as long as usual for reading and for writing.
#[derive(Debug, Clone, Copy)]
pub struct Instant {
    pub reading: f64,
    pub writing: f64,
    pub pressed: bool,
    /// The model had to be loaded, which took so many seconds.
    pub load_s: Option<f64>,
}

/// The usual speed, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Usual {
    pub overhead_s: f64,
    pub uncached_s: f64,
    pub tpot_s: f64,
    pub load_s: f64,
}

/// One line.
#[derive(Debug, Clone, Copy)]
struct Run {
    uncached: f64,
    load_s: Option<f64>,
    /// Without the load.
    ttft_s: f64,
    tpot_s: Option<f64>,
    pressed: bool,
    busy: bool,
}

/// All recordings.
///
/// # Errors
/// A file is not what [`HEAD`] says.
pub fn all() -> Result<Vec<Recording>, Box<dyn Error>> {
    Ok(vec![
        Recording::read("1b", include_str!("recorded/1b.csv"))?,
        Recording::read("small", include_str!("recorded/small.csv"))?,
    ])
}

impl Recording {
    fn read(name: &'static str, text: &'static str) -> Result<Self, Box<dyn Error>> {
        let (what, rest) = text.split_once('\n').ok_or("an empty recording")?;
        let (head, lines) = rest.split_once('\n').ok_or("a recording without runs")?;
        if head != HEAD {
            return Err(format!("{name}: the columns are {head}").into());
        }
        let runs = lines.lines().map(Run::read).collect::<Result<Vec<_>, _>>()?;
        let usual = Usual::of(&runs).ok_or("a recording without undisturbed runs")?;
        Ok(Self {
            name,
            what: what.trim_start_matches(['#', ' ']),
            instants: runs.iter().map(|run| run.instant(&usual)).collect(),
            usual,
            busy_from: runs.iter().position(|run| run.busy),
        })
    }

    /// Times as long as recorded that everything takes, so that prompts are read at so many tokens per second.
    #[must_use]
    pub fn scale(&self, reads: f64) -> f64 {
        1.0 / (reads * self.usual.uncached_s)
    }

    /// How much slower it became when other processes kept the processors busy: median of the 40 runs from there on,
    /// against the 40 before, for reading and for writing.
    #[must_use]
    pub fn shifted(&self) -> Option<(f64, f64)> {
        let at = self.busy_from?;
        let (before, after) = (self.instants.get(at.saturating_sub(40)..at)?, self.instants.get(at..)?);
        let ratio = |of: fn(&Instant) -> f64| {
            Some(median(after.iter().take(40).map(of).collect())? / median(before.iter().map(of).collect())?)
        };
        ratio(|one| one.reading).zip(ratio(|one| one.writing))
    }
}

impl Run {
    fn read(line: &str) -> Result<Self, Box<dyn Error>> {
        let fields: Vec<&str> = line.split(',').collect();
        let [prompt, cached, _, _, load, ttft, tpot, _, _, pressed, busy, _] = fields[..] else {
            return Err(format!("not a recorded run: {line:?}").into());
        };
        let seconds = |text: &str| match text {
            "" => Ok(None),
            text => text.parse().map(|ms: f64| Some(ms / 1e3)),
        };
        let load_s = seconds(load)?;
        Ok(Self {
            uncached: prompt.parse::<f64>()? - cached.parse::<f64>()?,
            load_s,
            ttft_s: seconds(ttft)?.ok_or("a run without a first token")? - load_s.unwrap_or(0.0),
            tpot_s: seconds(tpot)?,
            pressed: pressed == "1",
            busy: busy != "0",
        })
    }

    fn instant(&self, usual: &Usual) -> Instant {
        let reading = self.ttft_s / (usual.overhead_s + usual.uncached_s * self.uncached);
        let writing = self.tpot_s.map_or(reading, |tpot| tpot / usual.tpot_s);
        let sane = |factor: f64| factor.clamp(0.05, 20.0);
        Instant { reading: sane(reading), writing: sane(writing), pressed: self.pressed, load_s: self.load_s }
    }
}

impl Usual {
    /// From the runs before anything was kept busy: the median of the slopes between all pairs (Theil and Sen).
    fn of(runs: &[Run]) -> Option<Self> {
        let quiet: Vec<Run> = runs.iter().copied().take_while(|run| !run.busy).collect();
        let slopes = quiet.iter().enumerate().flat_map(|(at, one)| {
            let later = quiet.iter().skip(at + 1).filter(move |other| (other.uncached - one.uncached).abs() > 8.0);
            later.map(move |other| (other.ttft_s - one.ttft_s) / (other.uncached - one.uncached))
        });
        let uncached_s = median(slopes.collect())?.max(1e-6);
        let rests = quiet.iter().map(|run| run.ttft_s - uncached_s * run.uncached);
        Some(Self {
            overhead_s: median(rests.collect())?.max(0.002),
            uncached_s,
            tpot_s: median(quiet.iter().filter_map(|run| run.tpot_s).collect())?,
            load_s: median(runs.iter().filter_map(|run| run.load_s).collect())?,
        })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
