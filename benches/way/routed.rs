//! A request as a capture makes it: decide, wait for a turn, ask, learn.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uro_capture::config::{Config, EndpointConfig};
use uro_capture::dispatch::{Models, Task};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::model::Api;
use uro_capture::domain::role::Role;
use uro_capture::prompt::render::Rendered;
use uro_capture::route::signals::{Traffic, Urgency};
use uro_capture::store::sqlite::SqliteStore;

use super::served::Served;
use crate::report::Result;

/// Far more than it takes: what is measured is what routing adds, not what it gives up.
const BUDGET: Duration = Duration::from_secs(60);

/// The router of one process.
pub struct Routed {
    models: Models,
    config: Config,
    rendered: Rendered,
}

impl Routed {
    pub fn new(home: &Path, served: &Served) -> Result<Self> {
        let store = Arc::new(SqliteStore::open(&home.join("bench.db"))?.store);
        let endpoint = EndpointConfig {
            api: Some(Api::Ollama),
            max_in_flight: 16,
            ..EndpointConfig::local("here", &format!("http://{}", served.address))
        };
        let config = Config { endpoints: vec![endpoint], ..Config::default() };
        Ok(Self { models: Models::new(Arc::new(SystemClock), store), config, rendered: rendered() })
    }

    pub async fn once(&self) -> Result<()> {
        let task = Task {
            role: Role::Capture,
            urgency: Urgency::Interactive,
            traffic: Traffic::Calm,
            budget: BUDGET,
            until: SystemClock.instant() + BUDGET,
            technicality: 0.5,
            template_quality: 0.3,
            tree: None,
            prompt: &|_| self.rendered.clone(),
        };
        let attempt = self.models.ask(&self.config, &task).await;
        let answer = attempt.result.map_err(|why| format!("{why}; {:?}", attempt.decision))?;
        if answer.text.ends_with("end.") { Ok(()) } else { Err(format!("{:?}", answer.text).into()) }
    }
}

/// About as long as a capture's.
fn rendered() -> Rendered {
    let rules = "Say in one or two sentences what the commit does. ".repeat(12);
    let question = "let answer = ask(question, until)?;\n".repeat(20);
    Rendered {
        fixed: question.len(),
        wording: None,
        rules,
        question,
        version: "bench".to_owned(),
        left_out: String::new(),
        prompt_tokens: 350,
    }
}
