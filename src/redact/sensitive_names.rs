//! Sensitive names: the shared list of names that indicate a secret value, used both for values with a recognisable
//! form and for arbitrary values.

use crate::text::identifiers::split_words;

/// Last words of names with user-chosen values.
#[rustfmt::skip]
pub(super) const CHOSEN: [&str; 15] = [
    "password", "passwd", "passphrase", "passcode", "pwd", "passwort", "kennwort", "contraseña", "senha", "пароль",
    "密码", "パスワード", "wachtwoord", "motdepasse", "pincode",
];
/// Last words of names with generated values.
#[rustfmt::skip]
pub(super) const MADE: [&str; 5] = [
    "secret", "token", "credential", "psk", "mnemonic",
];
/// Words that make a following `key` a secret.
#[rustfmt::skip]
pub(super) const KEYS: [&str; 35] = [
    "api", "app", "access", "private", "account", "auth", "encryption", "encrypt", "crypt", "signing", "sign",
    "master", "license", "consumer", "shared", "storage", "subscription", "service", "session", "secret", "client",
    "webhook", "deploy", "ssh", "gpg", "pgp", "hmac", "jwt", "rsa", "cipher", "admin", "aes", "root", "role",
    "pass",
];
/// Words before `pass` that make it a password, not a pass of a renderer or a compiler.
#[rustfmt::skip]
const PASSES: [&str; 30] = [
    "db", "user", "smtp", "mail", "email", "ftp", "redis", "mysql", "postgres", "pg", "admin", "root", "auth",
    "login", "http", "proxy", "ldap", "ssh", "sql", "api", "vault", "keystore", "service", "account", "wifi",
    "imap", "mqtt", "mongo", "database", "registry",
];
/// Qualifiers after the sensitive word.
#[rustfmt::skip]
const SUFFIXES: [&str; 18] = [
    "value", "plain", "plaintext", "raw", "default", "old", "new", "current", "previous", "prod", "production",
    "dev", "development", "staging", "test", "local", "base", "b",
];
/// Words before `token` that make it harmless: lexical tokens, counts, public values.
#[rustfmt::skip]
const NO_SECRETS: [&str; 29] = [
    "max", "min", "num", "n", "unk", "pad", "eos", "bos", "sep", "cls", "mask", "next", "prev", "previous",
    "current", "first", "last", "special", "start", "end", "stop", "begin", "per", "public", "design", "syntax",
    "lex", "total", "cancellation",
];

/// Whether a name indicates a secret value.
pub(super) fn is_sensitive(name: &str) -> bool {
    let words: Vec<String> =
        split_words(name).into_iter().map(|part| part.trim_end_matches(char::is_numeric).to_owned()).collect();
    let kept = words.iter().rposition(|word| !SUFFIXES.contains(&word.as_str()) && !word.is_empty());
    let Some((last, before)) = kept.and_then(|at| Some((words.get(at)?.as_str(), words.get(..at)?))) else {
        return false;
    };
    let previous = before.last().map_or("", String::as_str);
    let singular = last.strip_suffix('s').filter(|singular| *singular != "token").unwrap_or(last);
    match last {
        "token" => !NO_SECRETS.contains(&previous),
        "key" => KEYS.contains(&previous),
        "pass" => before.is_empty() && words.len() == 1 || PASSES.contains(&previous),
        "phrase" => matches!(previous, "pass" | "seed" | "recovery" | "secret"),
        "word" => previous == "pass",
        "code" => previous == "pin",
        _ if previous == "public" => false,
        _ => {
            CHOSEN.contains(&last)
                || MADE.contains(&last)
                || CHOSEN.contains(&singular)
                || MADE.contains(&singular)
                || is_key(singular)
        }
    }
}

/// `confirmPassword`, `refresh_token`: sensitive itself, or related to a secret.
pub(super) fn names_one(value: &str) -> bool {
    let words = split_words(value);
    let is_secret_word = |word: &String| CHOSEN.contains(&word.as_str()) || MADE.contains(&word.as_str());
    let plain = |c: char| c.is_alphabetic() || matches!(c, '_' | '-' | '.');
    value.chars().all(plain) && (is_sensitive(value) || (words.len() > 1 && words.iter().any(is_secret_word)))
}

/// `apikey`, written as one word.
fn is_key(word: &str) -> bool {
    word.strip_suffix("key").is_some_and(|before| KEYS.contains(&before))
}
