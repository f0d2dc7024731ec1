//! Domain tags: the few parts that most systems have, by whole words.

use super::{prose, words};
use crate::domain::patch::FileChange;
use crate::facts;
use crate::facts::roles::FileRole;

/// A part, with the words that mean nothing else.
const PARTS: [(&str, &[&str]); 14] = [
    (
        "auth",
        &[
            "auth", "authn", "authz", "authenticate", "authenticates", "authentication", "authorization",
            "authorisation", "login", "logins", "logout", "signin", "signup", "oauth", "oauth2", "oidc", "saml", "sso",
            "jwt", "password", "passwords",
        ],
    ),
    ("api", &["api", "apis", "endpoint", "endpoints", "openapi", "webhook", "webhooks"]),
    ("ui", &["ui", "ux", "gui", "tui", "frontend", "tooltip", "tooltips", "modal", "checkbox"]),
    ("db", &["db", "database", "databases", "migration", "migrations", "postgres", "postgresql", "mysql", "sqlite"]),
    ("cli", &["cli", "subcommand", "subcommands"]),
    ("network", &["http", "https", "http2", "http3", "tcp", "udp", "dns", "tls", "websocket", "websockets"]),
    ("cache", &["cache", "caches", "cached", "caching"]),
    ("logging", &["logging", "logger", "loggers"]),
    ("i18n", &["i18n", "l10n", "locale", "locales", "translation", "translations", "localization"]),
    ("payment", &["payment", "payments", "billing", "invoice", "invoices"]),
    ("email", &["email", "emails", "smtp", "imap"]),
    ("parser", &["parser", "parsers", "lexer", "tokenizer"]),
    ("security", &["security", "vulnerability", "vulnerabilities", "cve", "csrf", "xss"]),
    ("metrics", &["metrics", "telemetry", "prometheus"]),
];

/// The parts that the subject names, then those with at least half of the changed code in their paths.
pub(super) fn domain_tags(message: &str, files: &[FileChange]) -> Vec<&'static str> {
    let mut parts: Vec<&str> = words(&prose(message)).iter().filter_map(|word| part(word)).collect();
    let code = |file: &&FileChange| matches!(facts::role_of(file), FileRole::Source | FileRole::Tests);
    let places: Vec<Vec<&str>> = files.iter().filter(code).map(|file| of_path(&file.path)).collect();
    let shared = |part: &str| places.iter().filter(|found| found.contains(&part)).count() * 2 >= places.len().max(1);
    parts.extend(PARTS.iter().map(|(part, _)| *part).filter(|part| shared(part)));
    let mut seen = Vec::new();
    parts.retain(|part| {
        !seen.contains(part) && {
            seen.push(*part);
            true
        }
    });
    parts
}

fn of_path(path: &str) -> Vec<&'static str> {
    words(path).iter().filter_map(|word| part(word)).collect()
}

fn part(word: &str) -> Option<&'static str> {
    PARTS.iter().find(|(_, words)| words.contains(&word)).map(|(part, _)| *part)
}
