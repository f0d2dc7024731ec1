//! Charset decoding per a commit's `encoding` header.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, WINDOWS_1252};

/// `None`: UTF-8, git's default without a header, or an unknown name.
pub type Charset = Option<Code>;

/// How bytes map to characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Listed(&'static Encoding),
    /// A Windows console code page: ASCII, and these characters from 0x80 on.
    Page(&'static str),
}

/// Windows console code pages, which the WHATWG does not list (Unicode's vendor mappings).
const PAGES: [(&[&str], &str); 3] = [
    (
        &["cp437", "ibm437", "437"],
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
         └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
    ),
    (
        &["cp850", "ibm850", "850"],
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
         └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
    ),
    (
        &["cp852", "ibm852", "852"],
        "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
         └┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
    ),
];

/// Names known to iconv but absent from the WHATWG label list (which `encoding_rs` follows).
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

/// The charset for a label, case-insensitive, with `_` or `-`.
pub fn named(label: &[u8]) -> Charset {
    let label = String::from_utf8_lossy(label).trim().to_ascii_lowercase();
    let dashed = label.replace('_', "-");
    let alias = ALIASES.iter().find(|(alias, _)| *alias == dashed).map(|(_, name)| *name);
    let page = PAGES.iter().find(|(names, _)| names.contains(&latin(&dashed).as_str()));
    if let Some((_, page)) = page {
        return Some(Code::Page(page));
    }
    // `REPLACEMENT` would turn the whole text into one character.
    [alias.unwrap_or(&label), &dashed, &latin(&dashed)]
        .into_iter()
        .find_map(|name| Encoding::for_label(name.as_bytes()))
        .filter(|found| *found != REPLACEMENT)
        .map(Code::Listed)
}

/// Normalises `latin-1` and `cp-1251` to the form without hyphen.
fn latin(label: &str) -> String {
    match label.split_once('-') {
        Some((head @ ("latin" | "cp" | "ibm"), rest)) => format!("{head}{rest}"),
        _ => label.to_owned(),
    }
}

/// Decodes the text; invalid bytes become U+FFFD.
pub fn decode(bytes: &[u8], charset: Charset) -> Cow<'_, str> {
    let text = match charset {
        Some(Code::Listed(charset)) => charset.decode_without_bom_handling(bytes).0,
        Some(Code::Page(page)) => of_page(bytes, page).into(),
        None if std::str::from_utf8(bytes).is_err() && is_western(bytes) => {
            WINDOWS_1252.decode_without_bom_handling(bytes).0
        }
        None => String::from_utf8_lossy(bytes),
    };
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned().into(),
        None => text,
    }
}

fn of_page(bytes: &[u8], page: &str) -> String {
    let high: Vec<char> = page.chars().collect();
    let of = |byte: u8| match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(at) => high.get(usize::from(at)).copied().unwrap_or('\u{fffd}'),
    };
    bytes.iter().copied().map(of).collect()
}

/// Heuristic for undeclared Western European text: each non-ASCII byte is a letter next to an ASCII letter.
fn is_western(bytes: &[u8]) -> bool {
    let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let beside = |at: usize| is_letter(at + 1) || at.checked_sub(1).is_some_and(is_letter);
    let high = || bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii());
    high().count() * 2 < bytes.len() && high().all(|(at, byte)| *byte >= 0xc0 && beside(at))
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
            let Some(Code::Listed(found)) = named(label.as_bytes()) else { panic!("{label}") };
            assert_eq!(found.name(), name, "{label}");
        }
        for label in ["", "klingon", "utf-7", "hz-gb-2312"] {
            assert_eq!(named(label.as_bytes()), None, "{label}");
        }
    }

    #[test]
    fn a_page_of_the_console_is_read() {
        assert_eq!(decode(b"Pr\x81fe Gr\x94\xe1e", named(b"cp850")), "Prüfe Größe");
        assert_eq!(decode(b"Pr\x81fe Gr\x94\xe1e", named(b"CP-437")), "Prüfe Größe");
        assert_eq!(decode(b"Za\xbe\xa2\x88\x86", named(b"IBM852")), "Zażółć");
        assert!(PAGES.iter().all(|(_, page)| page.chars().count() == 128));
    }

    #[test]
    fn western_letters_are_read_where_no_header_names_a_charset() {
        assert_eq!(decode(b"Pr\xfcfe Gr\xf6\xdfe", None), "Prüfe Größe");
        assert_eq!(decode(b"\xcf\xf0\xee\xe2", None), "\u{fffd}".repeat(4));
        assert_eq!(decode(b"ok \xff\x1b", None), "ok \u{fffd}\x1b");
    }

    #[test]
    fn a_byte_order_mark_is_no_character() {
        assert_eq!(decode(b"\xff\xfea\0b\0", named(b"utf-16")), "ab");
        assert_eq!(decode("\u{feff}Prüfe".as_bytes(), None), "Prüfe");
    }
}
