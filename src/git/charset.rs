//! The charset that a commit's `encoding` header names.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT};

/// `None`: UTF-8, as git assumes where no header says otherwise, or a name that nobody knows.
pub type Charset = Option<&'static Encoding>;

/// Names that iconv knows and the WHATWG's list of labels (which `encoding_rs` follows) does not.
const ALIASES: [(&str, &str); 12] = [
    ("cp932", "shift_jis"),
    ("cp943", "shift_jis"),
    ("cp936", "gbk"),
    ("euccn", "gbk"),
    ("euc-cn", "gbk"),
    ("cp949", "euc-kr"),
    ("uhc", "euc-kr"),
    ("euckr", "euc-kr"),
    ("cp950", "big5"),
    ("eucjp", "euc-jp"),
    ("macroman", "macintosh"),
    ("utf-8-mac", "utf-8"),
];

/// The charset of this label, in whatever case and with `_` or `-`.
pub fn named(label: &[u8]) -> Charset {
    let label = String::from_utf8_lossy(label).trim().to_ascii_lowercase();
    let dashed = label.replace('_', "-");
    let alias = ALIASES.iter().find(|(alias, _)| *alias == dashed).map(|(_, name)| *name);
    // `REPLACEMENT` turns the whole text into one character.
    [alias.unwrap_or(&label), &dashed, &latin(&dashed)]
        .into_iter()
        .find_map(|name| Encoding::for_label(name.as_bytes()))
        .filter(|found| *found != REPLACEMENT)
}

/// `latin-1` and `cp-1251` as they are written without the hyphen.
fn latin(label: &str) -> String {
    match label.split_once('-') {
        Some((head @ ("latin" | "cp" | "ibm"), rest)) => format!("{head}{rest}"),
        _ => label.to_owned(),
    }
}

/// The text; what is no character of the charset becomes U+FFFD.
pub fn decode(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    match charset {
        Some(charset) => charset.decode_without_bom_handling(bytes).0,
        None => String::from_utf8_lossy(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_the_ways_people_write_them() {
        for (label, name) in [
            ("windows-1251", "windows-1251"),
            ("WINDOWS-1251", "windows-1251"),
            ("cp1251", "windows-1251"),
            ("CP-1251", "windows-1251"),
            ("Latin-1", "windows-1252"),
            ("ISO_8859-2", "ISO-8859-2"),
            ("iso8859-15", "ISO-8859-15"),
            ("SJIS", "Shift_JIS"),
            ("EUC-JP", "EUC-JP"),
            ("EUC_JP", "EUC-JP"),
            ("GB18030", "gb18030"),
            ("UHC", "EUC-KR"),
            (" utf-8 ", "UTF-8"),
        ] {
            assert_eq!(named(label.as_bytes()).map(Encoding::name), Some(name), "{label}");
        }
        for label in ["", "klingon", "utf-7", "hz-gb-2312"] {
            assert_eq!(named(label.as_bytes()), None, "{label}");
        }
    }
}
