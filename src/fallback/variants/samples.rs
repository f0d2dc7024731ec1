//! Sample values for validating custom templates.

use minijinja::{Value, context};

use super::Variant;

/// Values with a title each.
pub fn of(variant: Variant) -> Vec<(&'static str, Value)> {
    if variant == Variant::Note {
        return vec![("a note", context! { note => "Fixed the timeout, 3s to 200ms." })];
    }
    vec![("a commit of which much is known", full()), ("a commit whose author said nothing", bare())]
}

fn full() -> Value {
    context! {
        lead => "fix(client)!: Retry on timeout.",
        why => "The server drops idle connections, so that the first request after a pause failed.",
        deed => "Adds `Client::retry` and removes `reconnect` in src/client.rs.",
        about => "A new comment says “The server drops idle connections”.",
        dependencies => "Updates tokio 1.40 → 1.42.",
        version => "Sets the version from 1.2.2 to 1.2.3.",
        breaking => "Breaking, as its author says.",
        tickets => "Refers to #42.",
        split => "+84 −12 in 3 source files, tests +40.",
        noted => "Noted before: \u{201c}the proxy drops idle connections\u{201d}.",
        subject => "fix(client)!: Retry on timeout",
        body => "The server drops idle connections.",
        kind => "fix",
        scope => "client",
        case => "ordinary",
        files => 4,
        insertions => 124,
        deletions => 12,
        numbers => vec!["3s to 200ms"],
        paths => vec!["src/client.rs", "tests/client.rs"],
    }
}

fn bare() -> Value {
    let nothing: Vec<String> = Vec::new();
    context! {
        lead => "",
        why => "",
        deed => "Changes src/client.rs.",
        about => "",
        dependencies => "",
        version => "",
        breaking => "",
        tickets => "",
        split => "+2 −1.",
        noted => "",
        subject => "wip",
        body => "",
        kind => "",
        scope => "",
        case => "ordinary",
        files => 1,
        insertions => (),
        deletions => (),
        numbers => nothing,
        paths => vec!["src/client.rs"],
    }
}
