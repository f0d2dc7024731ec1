//! Passwords among the arguments of commands: `curl --user`, `sshpass -p`, `mysql -p…`, `docker login -p`.

use std::ops::Range;

use super::value_class::{entropy, is_placeholder};
use super::words::{is_random, share};

/// Bytes of a command searched around its argument.
const WINDOW: usize = 600;
/// Minimum length from which a name without a password counts as a key.
const KEY: usize = 10;
/// Commands with a password flag: whether the value is a separate argument, and whether it may be attached.
const TAKE: [(&str, bool, bool); 6] = [
    ("sshpass ", true, true),
    ("docker login", true, false),
    ("podman login", true, false),
    ("mysqldump ", false, true),
    ("mysql ", false, true),
    ("mariadb ", false, true),
];

/// The password after the `-p` of a command that takes one.
pub(super) fn password(text: &str, flag: Range<usize>) -> Option<Range<usize>> {
    let command = command(text, flag.start + 1)?;
    let (_, apart, glued) = TAKE.iter().find(|(name, ..)| command.contains(name))?;
    let rest = text.get(flag.end..)?;
    let gap = rest.bytes().take_while(|b| *b == b' ').count();
    if !(if gap == 0 { *glued } else { *apart }) {
        return None;
    }
    let start = flag.end + gap;
    let word = word(text.get(start..text.floor_char_boundary(start + WINDOW)).unwrap_or_default());
    let inner = word.trim_matches(MARKS);
    let offset = word.len() - word.trim_start_matches(MARKS).len();
    let is_password = inner.len() >= 4 && !inner.starts_with('-') && !is_placeholder(inner);
    is_password.then(|| start + offset..start + offset + inner.len())
}

/// The password of a `curl` on the same or continued lines; a user name without one is the key.
pub(super) fn user(text: &str, flag: Range<usize>) -> Option<Range<usize>> {
    command(text, flag.start).filter(|command| command.contains("curl"))?;
    let rest = text.get(flag.end..)?;
    let start = flag.end + rest.bytes().take(4).take_while(|b| matches!(b, b' ' | b'=')).count();
    let word = word(text.get(start..text.floor_char_boundary(start + WINDOW)).unwrap_or_default());
    // Adjacent literals were joined.
    let word = word
        .find("http")
        .filter(|at| word.get(*at..).is_some_and(|rest| rest.contains("://")))
        .map_or(word, |at| &word[..at]);
    let (name, password) = word.split_once(':')?;
    // Placeholders for a template or the reader.
    if name.starts_with('<') || ["{{", "$("].iter().any(|mark| word.contains(mark)) {
        return None;
    }
    let at = |part: &str, from: usize| {
        let inner = part.trim_matches(MARKS);
        let start = start + from + part.len() - part.trim_start_matches(MARKS).len();
        start..start + inner.len()
    };
    let (user_name, secret) = (name.trim_matches(MARKS), password.trim_matches(MARKS));
    let alone = user_name.len() >= KEY && is_key(user_name);
    let whole = at(name, 0);
    if secret.is_empty() {
        return (alone && !is_placeholder(user_name)).then_some(whole);
    }
    let is_password = secret.len() >= 4 && secret != user_name && !secret.starts_with('[') && !is_placeholder(secret);
    let made = alone && user_name.bytes().any(|b| b.is_ascii_digit()) && !user_name.contains(['@', '.']);
    let range = at(password, name.len() + 1);
    is_password.then_some(if made { whole.start..range.end } else { range })
}

const MARKS: [char; 5] = ['"', '\'', '\\', '{', '}'];

/// The line up to `at`, with the lines that it continues.
fn command(text: &str, at: usize) -> Option<&str> {
    let from = text.floor_char_boundary(at.saturating_sub(WINDOW));
    let before = text.get(from..at)?;
    let lines = before.rsplit('\n').enumerate().take_while(|(n, line)| *n == 0 || line.ends_with('\\'));
    let length: usize = lines.map(|(_, line)| line.len() + 1).sum();
    before.get(before.len().saturating_sub(length.saturating_sub(1))..)
}

fn is_key(name: &str) -> bool {
    let digit = name.bytes().any(|b| b.is_ascii_digit());
    (is_random(name) || (digit && share(name) < 80)) && entropy(name) >= 2.5
}

/// One word of a shell, with its quotes.
fn word(text: &str) -> &str {
    let mut quote = None;
    let end = text.find(|c: char| {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => return c == '\n',
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => return c.is_whitespace(),
        }
        false
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let flag = ["--user", "-u ", " -p"].into_iter().find_map(|flag| Some((text.find(flag)?, flag.len())));
        let (at, length) = flag.unwrap();
        let rule = if text.contains("curl") { user } else { password };
        rule(text, at..at + length).map(|range| &text[range])
    }

    #[test]
    fn the_password_of_a_curl_is_found_however_it_is_quoted() {
        for text in [
            "curl -u me:1yeLnkVzbU https://h",
            "curl --user=\"me:1yeLnkVzbU\" https://h",
            "curl --user me:'1yeLnkVzbU' -X PUT",
            "curl -u 'me':'1yeLnkVzbU' https://h",
            "curl --user \"{me}\":\"{1yeLnkVzbU}\"",
            "curl -X POST https://h \\\n  -d x \\\n  -u me:1yeLnkVzbU",
            "curl https://h -u 1yeLnkVzbU: -d amount=2",
        ] {
            assert_eq!(found(text), Some("1yeLnkVzbU"), "{text}");
        }
    }

    #[test]
    fn a_password_behind_its_flag_is_found() {
        for text in ["sshpass -p sunshine ssh me@h", "mysql -u root -psunshine db", "docker login -u me -p sunshine h"]
        {
            let at = text.find(" -p ").or_else(|| text.find(" -ps")).unwrap();
            assert_eq!(password(text, at..at + 3).map(|range| &text[range]), Some("sunshine"), "{text}");
        }
    }

    #[test]
    fn what_others_call_so_and_what_is_filled_in_are_none() {
        for text in [
            "cut -u me:1yeLnkVzbU",
            "mkdir -p some/where",
            "mysql -p database",
            "docker run -p 8080:8080 x",
            "curl -u me:$PASSWORD https://h",
            "curl --user \"{{ name }}:{{ password }}\"",
            "curl -u <user:password> https://h",
            "curl -u test:test",
            "curl one\ncut -u me:1yeLnkVzbU",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
