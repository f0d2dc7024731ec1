//! Whole processes, as a person starts them: the bare start, and the commands that show what is stored.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use uro_capture::config::Paths;
use uro_capture::config::paths::create_private;
use uro_capture::store::sqlite::SqliteStore;

use crate::report::{Report, Result, Rounds, Row, in_turns, timed};
use crate::rows::fill;
use crate::{Run, judged, met};

pub fn ended_well(command: &mut Command) -> Result<Duration> {
    // What there is to say beside the result (that there are more rows, say) goes nowhere either.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (elapsed, status) = timed(|| Ok(command.status()?))?;
    if status.success() { Ok(elapsed) } else { Err(format!("{command:?} ended with {status}").into()) }
}

pub fn program(run: &Run, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(run.hook.with_file_name("uro-capture"));
    command.env_clear().env("HOME", home).env("URO_HOME", home).current_dir(home).args(arguments);
    command
}

/// `--version` against a program that does nothing.
pub fn start_up(run: &Run, report: &mut Report) -> Result<()> {
    let home = run.scratch.path();
    let names = ["uro-capture --version", "uro-hook", "/bin/true"].map(str::to_owned);
    let all = in_turns(&names, Rounds { pause: Duration::ZERO, ..run.rounds(5) }, |arm, _| match arm {
        0 => ended_well(&mut program(run, home, &["--version"])),
        // Skipped, it does nothing but start.
        1 => ended_well(Command::new(&run.hook).env_clear().env("URO_SKIP", "1")),
        _ => ended_well(Command::new("/bin/true").env_clear()),
    })?;
    let rows = all.iter().map(|series| Row::of(series).against("true", &all[2], series));
    let ratio = all[0].quantile(0.5) / all[2].quantile(0.5);
    let goal = |(at, row)| if at == 0 { met(row, "median ≤ 3 × /bin/true", ratio <= 3.0) } else { row };
    report.table("start-up", &rows.enumerate().map(goal).collect::<Vec<_>>())
}

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
/// Enough to support a p95.
pub const STORE_ROUNDS: usize = 60;

/// A command, and (rows, ms) that its median is to keep.
type Shown = (&'static [&'static str], Option<(u64, f64)>);

const COMMANDS: [Shown; 6] = [
    (&["log", "-n", "20"], Some((100_000, 20.0))),
    (&["search", "777"], Some((100_000, 50.0))),
    (&["search", "basket", "timeout"], Some((100_000, 50.0))),
    (&["search", "nobody"], Some((100_000, 50.0))),
    (&["status", "--days", "36500"], Some((1_000_000, 300.0))),
    (&["latency", "--since", "2020-01-01"], Some((1_000_000, 300.0))),
];

/// What is stored, shown: each command at each size.
pub fn store(run: &Run, report: &mut Report) -> Result<()> {
    let homes = SIZES.map(|rows| run.scratch.path().join(format!("store-{rows}")));
    for (home, rows) in homes.iter().zip(SIZES) {
        filled(home, rows)?;
    }
    for (words, goal) in COMMANDS {
        let names = SIZES.map(|rows| format!("{rows} captures and operations"));
        let rounds = Rounds { n: STORE_ROUNDS, warm_up: 2, pause: Duration::ZERO };
        let all = in_turns(&names, rounds, |arm, _| ended_well(&mut program(run, &homes[arm], words)))?;
        let rows: Vec<Row> = all
            .iter()
            .zip(SIZES)
            .map(|(series, rows)| {
                let row = match goal.filter(|(at, _)| *at == rows) {
                    Some((_, ms)) => judged(series, 0.5, ms),
                    None => Row::of(series),
                };
                row.against("smallest", &all[0], series)
            })
            .collect();
        report.table(&format!("uro-capture {}", words.join(" ")), &rows)?;
    }
    Ok(())
}

pub fn filled(home: &Path, rows: u64) -> Result<SqliteStore> {
    let paths = Paths::from_home(home);
    create_private(&paths.data)?;
    let store = SqliteStore::open(&paths.database())?.store;
    fill(&store, rows);
    Ok(store)
}
