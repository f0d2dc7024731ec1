//! Quoting for the shell and for git's configuration, and its inverse.

/// Single-quotes for a POSIX shell.
#[must_use]
pub fn for_shell(bytes: &[u8]) -> Vec<u8> {
    let inner = bytes.split(|byte| *byte == b'\'').collect::<Vec<_>>().join(b"'\\''".as_slice());
    [b"'", inner.as_slice(), b"'"].concat()
}

/// Parses the single-quoted word at the start of `text`.
#[must_use]
pub fn from_shell(text: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut word) = (text.strip_prefix(b"'")?, Vec::new());
    loop {
        let quote = rest.iter().position(|byte| *byte == b'\'')?;
        word.extend_from_slice(rest.get(..quote)?);
        match rest.get(quote..)?.strip_prefix(b"'\\''") {
            Some(more) => rest = more,
            None => return Some(word),
        }
        word.push(b'\'');
    }
}

/// Double-quotes a value for a git configuration file.
#[must_use]
pub fn for_git_config(bytes: &[u8]) -> Vec<u8> {
    let mut value = vec![b'"'];
    for byte in bytes {
        match byte {
            b'"' | b'\\' => value.extend([b'\\', *byte]),
            b'\n' => value.extend(b"\\n"),
            b'\t' => value.extend(b"\\t"),
            _ => value.push(*byte),
        }
    }
    value.push(b'"');
    value
}

/// Parses one double-quoted value written by [`for_git_config`].
#[must_use]
pub fn from_git_config(text: &[u8]) -> Option<Vec<u8>> {
    let inner = text.trim_ascii().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let (mut value, mut bytes) = (Vec::new(), inner.iter());
    while let Some(byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b't' => b'\t',
                other => *other,
            },
            b'"' => return None,
            other => *other,
        });
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_read_back() {
        for path in [&b"/usr/bin/uro-hook"[..], b"/it's/''/x", b"/a \"b\"\\/c", b"/new\nline\tand", b"/\xff\xfe", b"'"]
        {
            assert_eq!(from_shell(&for_shell(path)).as_deref(), Some(path));
            assert_eq!(from_git_config(&for_git_config(path)).as_deref(), Some(path));
        }
    }

    #[test]
    fn what_was_not_quoted_so_is_not_read() {
        assert_eq!(from_shell(b"plain"), None);
        assert_eq!(from_shell(b"'open"), None);
        assert_eq!(from_git_config(b"plain"), None);
        assert_eq!(from_git_config(b"\"a\" # \"b\""), None);
    }
}
