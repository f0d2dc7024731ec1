//! Reading ahead, with a real llama.cpp server: the time to the first token without and with it, and how often it is
//! there in time.
//!
//! `cargo bench --bench ahead -- --model FILE.gguf [--n 5] [--commits 50] [--json] [--bin-dir DIR] [SECTION…]`;
//! sections: ttft, open, early, message. The model is any GGUF file (`tests/support/make_tiny_gguf.py --shape 1b --quant
//! q4_k_m` makes one with a real one's speed and junk words, a token per byte); python3 with `xllamacpp` serves it, one
//! thread. Binaries come from `--bin-dir`, else `URO_BENCH_BIN_DIR`, else `target/release`.

use std::path::PathBuf;

#[path = "ahead/commits.rs"]
mod commits;
mod report;
#[path = "ahead/server.rs"]
mod server;
mod stage;
#[path = "ahead/ttft.rs"]
mod ttft;

use report::{Arguments, Report, Result};
use stage::{bin_dir, installed};

/// What every section is given.
struct Run {
    n: usize,
    commits: usize,
    model: PathBuf,
    hook: PathBuf,
    scratch: tempfile::TempDir,
}

type Section = fn(&Run, &mut Report) -> Result<()>;

const SECTIONS: [(&str, Section); 4] =
    [("ttft", ttft::section), ("open", commits::open), ("early", commits::early), ("message", commits::message)];

fn main() -> Result<()> {
    let mut arguments = Arguments::read();
    let mut report = Report::new("ahead", arguments.flag("--json"));
    let (n, commits) = (arguments.number("--n", 5)?, arguments.number("--commits", 50)?);
    let model = arguments.value("--model")?.ok_or("--model names the GGUF file that is served")?.into();
    let programs = bin_dir(&mut arguments)?;
    let scratch = tempfile::tempdir()?;
    let hook = installed(&programs, &scratch.path().join("bin"), &["uro-hook", "uro-capture"])?;
    let wanted = arguments.rest()?;
    let run = Run { n, commits, model, hook, scratch };
    for (name, section) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            section(&run, &mut report)?;
        }
    }
    report.finish()
}
