//! What is to be recorded.

use std::error::Error;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// The words after `record`.
#[derive(Debug, Default)]
pub struct Options {
    pub url: String,
    pub out: PathBuf,
    /// How and on what it was recorded: the file's first line.
    pub what: String,
    /// The server's command, where this program is to start it.
    pub server: Vec<String>,
    pub runs: usize,
    pub seed: u64,
    /// Median prompt in tokens.
    pub prompt: f64,
    /// Runs during which so many processes keep the processors busy.
    pub busy: Range<usize>,
    pub busy_processes: usize,
    /// The server is started anew every so many runs; 0: never.
    pub cold: usize,
    /// Between two runs.
    pub pause: Duration,
}

impl Options {
    pub fn read(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { runs: 150, seed: 1, prompt: 110.0, ..Self::default() };
        for pair in words.chunks(2) {
            let [name, value] = pair else { return Err(format!("{pair:?} lacks a value").into()) };
            options.take(name, value)?;
        }
        if options.url.is_empty() || options.out.as_os_str().is_empty() || options.what.is_empty() {
            return Err("record needs --url, --out and --what".into());
        }
        Ok(options)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Box<dyn Error>> {
        match name {
            "--url" => value.clone_into(&mut self.url),
            "--out" => self.out = value.into(),
            "--what" => value.clone_into(&mut self.what),
            "--server" => self.server = value.split_whitespace().map(str::to_owned).collect(),
            "--runs" => self.runs = value.parse()?,
            "--seed" => self.seed = value.parse()?,
            "--prompt" => self.prompt = value.parse()?,
            "--cold" => self.cold = value.parse()?,
            "--pause-ms" => self.pause = Duration::from_millis(value.parse()?),
            "--busy" => {
                let (runs, processes) = value.split_once(':').ok_or("--busy is FROM-TO:PROCESSES")?;
                let (from, to) = runs.split_once('-').ok_or("--busy is FROM-TO:PROCESSES")?;
                (self.busy, self.busy_processes) = (from.parse()?..to.parse()?, processes.parse()?);
            }
            unknown => return Err(format!("unknown option {unknown}").into()),
        }
        Ok(())
    }
}
