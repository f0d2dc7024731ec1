//! Side by side: a prompt that the server has never seen, one of which it knows the rules, one that was read ahead.

use serde_json::json;
use uro_capture::llm::{Client, ModelAnswer};

use crate::Run;
use crate::report::{Report, Result, Rounds, Row, Series, in_turns};
use crate::server::{Server, ask};

/// Tokens of the whole prompt, about: the chat template adds its own.
const LENGTHS: [usize; 3] = [150, 330, 600];
const WAYS: [&str; 3] = ["cold", "rules cached", "read ahead"];
/// What the author says, and the request. With a made-up vocabulary of single bytes this is as many tokens as a real
/// one makes of `<message>`, a subject, `</message>` and `Describe the commit.`
const WORDS: &str = "<m>Retry</m> Go.";

pub fn section(run: &Run, report: &mut Report) -> Result<()> {
    let server = Server::start(&run.model)?;
    let client = server.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut nonce = 0;
    for length in LENGTHS {
        let names = WAYS.map(|way| format!("{length} tokens, {way}"));
        let mut cached = [0; WAYS.len()];
        let rounds = Rounds { n: run.n, warm_up: 0, pause: std::time::Duration::ZERO };
        let all = in_turns(&names, rounds, |way, _| {
            nonce += 1;
            let answer = runtime.block_on(one(&client, length, way, nonce))?;
            cached[way] = answer.tokens.cached.unwrap_or(0);
            Ok(answer.ttft.unwrap_or(answer.elapsed))
        })?;
        let row = |(way, series): (usize, &Series)| {
            Row::of(series).with("cached", json!(cached[way])).against("cold", &all[0], series)
        };
        let rows: Vec<Row> = all.iter().enumerate().map(row).collect();
        report.table("Time to the first token", &rows)?;
    }
    Ok(())
}

/// The nonce comes first: nothing of an earlier prompt is of any use.
async fn one(client: &Client, length: usize, way: usize, nonce: u32) -> Result<ModelAnswer> {
    let rules =
        format!("{nonce:06} You describe one commit in one or two sentences. Say what changed, and why if told.");
    let lines = (0..).map(|n| format!("+    let value_{n} = compute(state, {n})?;\n"));
    let room = length.saturating_sub(rules.len() + WORDS.len() + 20);
    let mut patch: String = lines
        .scan(0, |used, line| {
            *used += line.len();
            (*used < room).then_some(line)
        })
        .collect();
    patch.insert_str(0, "<patch>\n");
    patch.push_str("</patch>\n");
    match way {
        1 => drop(ask(client, &rules, "").await?),
        2 => drop(ask(client, &rules, &patch).await?),
        _ => {}
    }
    ask(client, &rules, &format!("{patch}{WORDS}")).await
}
