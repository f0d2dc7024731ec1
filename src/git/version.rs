//! Version of the installed git, parsed from `git --version`.

use std::path::Path;

use super::child::Git;

/// Major and minor version of the `git` on PATH; `None` when missing or unparsable.
#[must_use]
pub fn version() -> Option<(u32, u32)> {
    // Runs in the root directory so that no repository's configuration is read.
    parse(&Git::inside(Path::new("/")).line(&["--version"]).ok()??)
}

/// `git version 2.54.0`, `git version 2.55.1.windows.1`, `git version 2.39.3 (Apple Git-145)`.
fn parse(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.strip_prefix("git version ")?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendors_line_is_understood() {
        for (line, expected) in [
            ("git version 2.54.0", Some((2, 54))),
            ("git version 2.55.1.windows.1", Some((2, 55))),
            ("git version 2.39.3 (Apple Git-145)", Some((2, 39))),
            ("git version 2.54.0.rc1.12.gabcdef", Some((2, 54))),
            ("git version 2.55-rc0", Some((2, 55))),
            ("git version 3.0", Some((3, 0))),
            ("git version two", None),
            ("hub version 2.14.2", None),
            ("", None),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }

    #[test]
    fn the_installed_git_tells_its_version() {
        assert!(version().is_some_and(|(major, _)| major >= 2));
    }
}
