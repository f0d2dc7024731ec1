//! Sends a draft to a webhook that the settings name, after its payload was shown and agreed to.

use std::time::Duration;

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::failure::{Failure, server_hint};
use crate::config::WebhookConfig;
use crate::domain::clock::{Clock, SystemClock};
use crate::llm::{self, LlmError};
use crate::publish::document;
use crate::publish::draft_page::DraftPage;
use crate::publish::rich_text::{html_fragment, plain_text};
use crate::redact::redact;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of the request, redacted again: the user may have typed a secret into the draft.
#[derive(Serialize)]
struct Payload<'a> {
    id: &'a str,
    kind: &'a str,
    project: String,
    title: String,
    slug: &'a str,
    date: String,
    tags: Vec<String>,
    text: String,
    markdown: String,
    html: String,
}

/// The payload as it is sent, to the byte.
///
/// # Errors
/// None in practice: every field is text.
pub fn payload(page: &DraftPage<'_>) -> Result<String, Failure> {
    let (title, body) = (redact(page.title), redact(page.body));
    let payload = Payload {
        id: &page.id,
        kind: page.kind.as_str(),
        project: redact(page.project),
        slug: &page.slug,
        date: page.date(),
        tags: page.tags.iter().map(|tag| redact(tag)).collect(),
        text: format!("{title}\n\n{}", plain_text(&body)),
        markdown: document::page(&title, &body),
        html: html_fragment(&body),
        title,
    };
    let json = serde_json::to_string_pretty(&payload);
    json.map(|json| json + "\n").map_err(|error| Failure::bug(format!("the payload cannot be written: {error}")))
}

/// Sends the payload, after asking unless `is_agreed`. False if the answer is no.
///
/// # Errors
/// It cannot be asked, the token is missing, or the server did not accept it.
pub fn send(app: &App, webhook: &WebhookConfig, payload: &str, is_agreed: bool, draft: &str) -> Result<bool, Failure> {
    let command = format!("uro-capture draft publish {draft} --to {}", webhook.name);
    if let (Some(variable), None) = (&webhook.token_env, &webhook.token) {
        return Err(Failure::input(format!("${variable}, the token of webhook {:?}, is not set", webhook.name))
            .hint(format!("export {variable}=TOKEN")));
    }
    if !is_agreed {
        if !app.ui.can_ask || app.json {
            return Err(Failure::usage("nothing was sent: it needs your word").hint(format!("{command} --yes")));
        }
        if !app.ui.confirm(&format!("send this to {}?", webhook.url)) {
            return Ok(false);
        }
    }
    let until = SystemClock.instant() + PATIENCE;
    let post = llm::post_json(&webhook.url, webhook.remote, webhook.token.as_ref(), payload.to_owned(), until);
    app.block_on(post)?.map(|()| true).map_err(|error| {
        let hint = match &error {
            LlmError::NotLoopback { .. } => {
                format!(
                    "only if your text may leave this machine: uro-capture config set publish.{}.remote true",
                    webhook.name
                )
            }
            LlmError::InvalidEndpoint { .. } => server_hint(&error, None),
            _ => command,
        };
        Failure::input(format!("the draft was not sent to {}", webhook.url)).because(error.to_string()).hint(hint)
    })
}
