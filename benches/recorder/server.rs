//! The server that is measured, started and ended here where a command for it is told.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use uro_capture::config::EndpointConfig;
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::llm::{Client, ModelAnswer};

use super::options::Options;
use super::question::Questions;

/// Nobody waits longer for one answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries while it loads.
const AGAIN: Duration = Duration::from_millis(20);

/// A server and our client of it.
#[derive(Debug)]
pub struct Server {
    command: Vec<String>,
    child: Option<Child>,
    client: Client,
}

impl Server {
    pub fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let endpoint = EndpointConfig::local("recorded", &options.url);
        let mut server = Self { command: options.server.clone(), child: None, client: Client::new(&endpoint)? };
        server.start()?;
        Ok(server)
    }

    /// Asks the next question: its most tokens, the answer, and for a `cold` one how long the load took.
    ///
    /// # Errors
    /// No answer came in two minutes.
    pub async fn ask(
        &mut self,
        questions: &mut Questions,
        cold: bool,
    ) -> Result<(u32, ModelAnswer, Option<Duration>), Box<dyn Error>> {
        let began = SystemClock.instant();
        let ask = questions.draw(began + PATIENCE);
        if cold {
            self.start()?;
        }
        loop {
            match self.client.request_answer(&ask).await {
                Ok(answer) => {
                    let load = (SystemClock.instant() - began).saturating_sub(answer.elapsed);
                    return Ok((ask.sampling.max_tokens, answer, cold.then_some(load)));
                }
                Err(error) if SystemClock.instant() >= ask.until => return Err(error.into()),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn start(&mut self) -> Result<(), Box<dyn Error>> {
        self.end();
        if let Some((program, arguments)) = self.command.split_first() {
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            self.child = Some(command.spawn()?);
        }
        Ok(())
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that has already ended is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
