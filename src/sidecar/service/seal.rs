//! Checksum seal in a file that the user may change: a file with an intact seal may be overwritten and removed.

use crate::spool::record::crc32;

/// How a file's comments look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// `# …`, before everything else.
    Hash,
    /// `<!-- … -->`, after the first line.
    Xml,
}

const OPEN: &str = "[uro-capture ";

/// `text` with the seal in it. `made`: how many directories were created for the file.
#[must_use]
pub fn seal(text: &str, comments: Comments, made: usize) -> String {
    let mark = format!(
        "Written by `uro-capture sidecar install`; once changed, it is neither replaced nor removed. {OPEN}{:08x} {made}]",
        crc32(text.as_bytes())
    );
    match comments {
        Comments::Hash => format!("# {mark}\n{text}"),
        Comments::Xml => {
            let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
            format!("{first}\n<!-- {mark} -->\n{rest}")
        }
    }
}

/// The number of directories that were created for the file, if it is as it was written.
#[must_use]
pub fn unbroken(sealed: &str) -> Option<usize> {
    let at = sealed.find(OPEN)?;
    let (sum, rest) = sealed[at + OPEN.len()..].split_once(' ')?;
    let (made, _) = rest.split_once(']')?;
    let start = sealed[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = sealed[at..].find('\n').map(|newline| at + newline + 1)?;
    let text = [&sealed[..start], &sealed[end..]].concat();
    (format!("{:08x}", crc32(text.as_bytes())) == sum).then(|| made.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_known_again() {
        let plist = seal("<?xml?>\n<dict>\n", Comments::Xml, 2);
        assert!(plist.starts_with("<?xml?>\n<!-- Written by"), "{plist}");
        assert_eq!(unbroken(&plist), Some(2));
        let unit = seal("[Unit]\nA=b\n", Comments::Hash, 0);
        assert!(unit.starts_with("# Written by") && unit.ends_with("[Unit]\nA=b\n"), "{unit}");
        assert_eq!(unbroken(&unit), Some(0));
    }

    #[test]
    fn any_change_breaks_it_and_what_never_bore_it_is_not_ours() {
        let unit = seal("[Unit]\nA=b\n", Comments::Hash, 1);
        assert_eq!(unbroken(&unit.replace("A=b", "A=c")), None);
        assert_eq!(unbroken(&format!("{unit}B=c\n")), None);
        assert_eq!(unbroken(&format!("# mine\n{unit}")), None);
        assert_eq!(unbroken("[Unit]\nA=b\n"), None);
        assert_eq!(unbroken(""), None);
    }
}
