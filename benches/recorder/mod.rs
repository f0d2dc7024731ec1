//! Records how long a real model server takes: runs through this project's own client, one line per run.
//!
//! `cargo bench --bench simulate -- record --url URL --out FILE --what WORDS [--server "PROGRAM ARGUMENT…"]
//! [--runs 150] [--seed 1] [--prompt 110] [--busy FROM-TO:PROCESSES] [--cold EVERY] [--pause-ms 0]`
//!
//! Prompts are filler of varied length with a nonce at the start, so that no cache knows them; three in ten repeat the
//! one before with another ending, so that the cache knows all but that. Answers are short. `--busy` keeps processors
//! busy from one run to another; `--cold` ends the server every so many runs and starts it again while a request
//! waits, so that what is measured there is how long a load takes.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::timing::ms;
use uro_capture::hardware::pressure::Pressure;
use uro_capture::llm::{Finish, ModelAnswer};
use uro_capture::route::signals::is_pressed;

use crate::simulation::dice::Dice;
use crate::simulation::recorded::HEAD;

mod busy;
mod options;
mod question;
mod server;

use busy::Busy;
use options::Options;
use question::Questions;
use server::Server;

/// Records what `words` tell.
///
/// # Errors
/// Words that nobody knows, a server that does not answer within a minute, a file that cannot be written.
pub fn record(words: &[String]) -> Result<(), Box<dyn Error>> {
    let options = Options::read(words)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut file = File::create(&options.out)?;
    writeln!(file, "# {}\n{HEAD}", options.what)?;
    runtime.block_on(runs(&options, &mut file))
}

async fn runs(options: &Options, file: &mut File) -> Result<(), Box<dyn Error>> {
    let mut server = Server::open(options)?;
    let mut questions = Questions::new(Dice::seeded(options.seed), options.prompt);
    let mut busy = Busy::default();
    let began = SystemClock.instant();
    for at in 0..options.runs {
        busy.keep(if options.busy.contains(&at) { options.busy_processes } else { 0 })?;
        let cold = options.cold > 0 && at % options.cold == options.cold - 1;
        let cpu = Pressure::measure().cpu;
        let since = (SystemClock.instant() - began).as_secs_f64();
        let (allowed, answer, load) = server.ask(&mut questions, cold).await?;
        let context = format!("{},{},{since:.1}", u8::from(is_pressed(cpu)), busy.processes());
        writeln!(file, "{}", line(allowed, &answer, load, &context))?;
        tokio::time::sleep(options.pause).await;
    }
    Ok(())
}

/// One run as it is stored; a load that was waited for is part of both times.
fn line(allowed: u32, answer: &ModelAnswer, load: Option<Duration>, context: &str) -> String {
    let count = |tokens: Option<u64>| tokens.map_or_else(String::new, |tokens| tokens.to_string());
    let with = |time: Duration| format!("{:.1}", ms(time + load.unwrap_or_default()));
    let load_ms = load.map_or_else(String::new, |load| format!("{:.0}", ms(load)));
    let (tokens, ttft) = (answer.tokens, answer.ttft.map_or_else(String::new, with));
    let tpot = answer.tpot.map_or_else(String::new, |tpot| format!("{:.2}", ms(tpot)));
    let end = match answer.finish {
        Finish::Stop => "done",
        Finish::Length => "length",
        Finish::Cut(_) | Finish::Aborted => "cut",
    };
    let (prompt, cached, written) = (count(tokens.prompt), count(tokens.cached), count(tokens.output));
    format!("{prompt},{cached},{allowed},{written},{load_ms},{ttft},{tpot},{},{end},{context}", with(answer.elapsed))
}
