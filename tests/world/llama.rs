//! A real llama.cpp server with a tiny made-up model, from the Python package `xllamacpp`.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A server that belongs to one test; it ends with it.
#[derive(Debug)]
pub struct Llama {
    child: Child,
    url: String,
    /// Kept open: the server may still print.
    _stdout: BufReader<ChildStdout>,
    _model: TempDir,
}

impl Llama {
    /// Serves a model that answers `script` to everything, or noise without end; 4096 tokens of context,
    /// a token per byte of the prompt.
    ///
    /// # Panics
    /// When Python or the package is missing: the README's test command installs it.
    pub fn start(script: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let model = directory.path().join("tiny.gguf");
        let mut make = Command::new(python());
        make.arg(support("make_tiny_gguf.py")).arg(&model);
        if let Some(script) = script {
            make.args(["--script", script]);
        }
        let made = make.output().expect("python3 runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut serve = Command::new(python());
        serve.arg(support("serve_gguf.py")).arg(&model);
        let mut child =
            serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("python3 runs");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let url = listening(&mut stdout);
        Self { child, url, _stdout: stdout, _model: directory }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server, as a crash would.
    pub fn stop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        self.stop();
    }
}

fn listening(stdout: &mut impl BufRead) -> String {
    for line in stdout.lines().map_while(Result::ok) {
        if let Some(url) = line.strip_prefix("LISTENING ") {
            return url.trim().to_owned();
        }
    }
    panic!("the llama.cpp server did not start: is the Python package xllamacpp installed? (see the README)")
}

#[expect(clippy::disallowed_methods, reason = "tests choose their interpreter by this one variable")]
pub fn python() -> OsString {
    std::env::var_os("URO_TEST_PYTHON").unwrap_or_else(|| "python3".into())
}

pub fn support(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(name)
}
