//! A llama.cpp server of this run's own, and our client of it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use uro_capture::config::EndpointConfig;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::Sampling;
use uro_capture::llm::{Answer, Ask, Client};

use crate::report::Result;
use crate::stage::root;

/// Nobody waits longer for one answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// It ends with this value.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn start(model: &Path) -> Result<Self> {
        let mut serve = Command::new("python3");
        serve.arg(root().join("tests/support/serve_gguf.py")).arg(model);
        let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let url = lines.find_map(|line| line.ok()?.strip_prefix("LISTENING ").map(str::to_owned));
        Ok(Self { child, url: url.ok_or("the server did not start: is xllamacpp installed?")? })
    }

    pub fn client(&self) -> Result<Client> {
        Ok(Client::new(&EndpointConfig::local("bench", &self.url))?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// One token of an answer is enough.
pub async fn ask(client: &Client, rules: &str, question: &str) -> Result<Answer> {
    let sampling =
        Sampling { temperature: 0.0, top_p: 1.0, top_k: 1, repeat_penalty: 1.0, num_ctx: 4096, max_tokens: 1 };
    let ask = Ask {
        model: "bench".to_owned(),
        rules: rules.to_owned(),
        question: question.to_owned(),
        sampling,
        wording: None,
        until: SystemClock.instant() + PATIENCE,
        keep_alive: None,
        prompt_estimate: None,
    };
    Ok(client.ask(&ask).await?)
}
