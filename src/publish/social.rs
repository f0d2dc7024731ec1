//! Posts for social networks: within the limit as the network counts it, a long text as a thread.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::sentences;

/// A network with a limit per post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// 280 weighted characters: <https://docs.x.com/fundamentals/counting-characters>.
    X,
    /// 300 graphemes and 3,000 bytes: lexicon `app.bsky.feed.post`.
    Bluesky,
    /// 500 characters, of which a link takes 23: <https://docs.joinmastodon.org/user/posting/>.
    Mastodon,
}

/// One post of a thread.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Post {
    pub text: String,
    /// As the network counts.
    pub length: usize,
    pub limit: usize,
}

/// A link that is longer than a whole post of this network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongLink(pub String);

/// What every link counts on X and Mastodon.
const LINK: usize = 23;
const BLUESKY_BYTES: usize = 3_000;

impl Network {
    pub const NAMES: [&'static str; 3] = ["x", "bluesky", "mastodon"];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::X, Self::Bluesky, Self::Mastodon].into_iter().find(|network| network.as_str() == text)
    }

    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::X => 280,
            Self::Bluesky => 300,
            Self::Mastodon => 500,
        }
    }

    /// The text's length as the network counts it; in doubt (an address without a scheme, a host without a domain) the
    /// larger of both counts.
    #[must_use]
    pub fn length(self, text: &str) -> usize {
        if self == Self::Bluesky {
            return text.graphemes(true).count();
        }
        let mut length = 0;
        let mut at = 0;
        for link in find_links(text) {
            let own = self.plain_length(&text[link.range.clone()]);
            length += self.text_length(&text[at..link.range.start]);
            length += if link.is_certain { LINK } else { own.max(LINK) };
            at = link.range.end;
        }
        length + self.text_length(&text[at..])
    }

    fn allows(self, length: usize, bytes: usize) -> bool {
        length <= self.limit() && (self != Self::Bluesky || bytes <= BLUESKY_BYTES)
    }

    /// Text without links that have a scheme. X links domains alone, too.
    fn text_length(self, text: &str) -> usize {
        let mut length = self.plain_length(text);
        if self == Self::X {
            let domains = BARE_DOMAIN.captures_iter(text).filter_map(|found| found.get(1));
            for domain in domains.filter(|domain| !is_file_name(domain.as_str())) {
                length += LINK.saturating_sub(self.plain_length(domain.as_str()));
            }
        }
        length
    }

    fn plain_length(self, text: &str) -> usize {
        match self {
            Self::X => text.graphemes(true).map(x_weight).sum(),
            Self::Bluesky | Self::Mastodon => text.graphemes(true).count(),
        }
    }
}

/// An emoji counts 2 whatever it is made of; of other characters those of Latin, Greek, Cyrillic, Hebrew, Arabic and
/// the like count 1, and all others, such as Chinese, 2 (twitter-text, configuration version 3).
fn x_weight(grapheme: &str) -> usize {
    let is_emoji = grapheme.contains(['\u{fe0f}', '\u{20e3}'])
        || grapheme.starts_with(|c| matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}'));
    if is_emoji {
        return 2;
    }
    let weight = |c: char| match c {
        '\0'..='\u{10ff}' | '\u{2000}'..='\u{200d}' | '\u{2010}'..='\u{201f}' | '\u{2032}'..='\u{2037}' => 1,
        _ => 2,
    };
    grapheme.chars().map(weight).sum()
}

/// A name with a dot that a network may take for a domain, with its path.
#[expect(clippy::unwrap_used, reason = "a constant, compiled in a test")]
static BARE_DOMAIN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^A-Za-z0-9_@#$./-])((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?:/[!-~]*)?)").unwrap());

/// Endings of files that are no top-level domains.
const FILE_ENDINGS: [&str; 28] = [
    "toml", "json", "yaml", "yml", "txt", "lock", "html", "css", "scss", "js", "ts", "tsx", "jsx", "go", "java", "cpp",
    "hpp", "rb", "kt", "cfg", "ini", "xml", "sql", "svg", "png", "log", "vue", "php",
];

fn is_file_name(domain: &str) -> bool {
    let host = domain.split('/').next().unwrap_or_default();
    host.rsplit_once('.').is_some_and(|(_, ending)| FILE_ENDINGS.contains(&ending))
}

/// A link with a scheme.
struct Link {
    /// Up to where every network sees the link.
    range: Range<usize>,
    /// Every network sees a link there.
    is_certain: bool,
}

fn find_links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let lowercase = text.to_ascii_lowercase();
    let mut at = 0;
    for (start, _) in lowercase.match_indices("http") {
        let token = token_at(&lowercase[start..]);
        let rest = token.strip_prefix("https://").or_else(|| token.strip_prefix("http://"));
        let Some(rest) = rest.filter(|_| start >= at) else { continue };
        let ascii = token.find(|c: char| !c.is_ascii()).unwrap_or(token.len());
        let end = start + trim_punctuation(&token[..ascii]).len();
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let has_domain =
            host.rsplit_once('.').is_some_and(|(_, top)| top.len() > 1 && top.bytes().all(|b| b.is_ascii_alphabetic()));
        let follows_word = text[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '@' | '#' | '$'));
        links.push(Link { range: start..end, is_certain: has_domain && !follows_word });
        at = end;
    }
    links
}

/// Up to the next character that no address contains.
fn token_at(text: &str) -> &str {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`')).next().unwrap_or_default()
}

/// Without the punctuation of the sentence around it; a bracket that the address opens itself stays.
fn trim_punctuation(mut link: &str) -> &str {
    loop {
        let Some(last) = link.chars().next_back() else { return link };
        let is_open = |open: char, close: char| link.matches(open).count() >= link.matches(close).count();
        let belongs = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' => false,
            ')' => is_open('(', ')'),
            ']' => is_open('[', ']'),
            _ => true,
        };
        if belongs {
            return link;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
}

/// The text as posts: one if it fits, else a thread that is numbered `1/3` and split at the ends of paragraphs, lines
/// and sentences; within a sentence only where it is longer than a post, within a word only where that is, and within
/// a link never.
///
/// # Errors
/// A link is longer than a post.
pub fn thread(text: &str, network: Network) -> Result<Vec<Post>, LongLink> {
    let text = text.trim();
    let post = |text: String| Post { length: network.length(&text), limit: network.limit(), text };
    if network.allows(network.length(text), text.len()) {
        return Ok(vec![post(text.to_owned())]);
    }
    let pieces = pieces(text);
    let mut digits = 1;
    loop {
        // As wide as the widest number.
        let room = format!(" {0}/{0}", "9".repeat(digits));
        let posts = pack(&pieces, network, &room)?;
        let count = posts.len();
        // Without the blanks between its lines, the text may fit one post.
        if count < 2 {
            return Ok(posts.into_iter().map(post).collect());
        }
        if count.to_string().len() <= digits {
            let numbered = posts.into_iter().enumerate().map(|(at, text)| post(format!("{text} {}/{count}", at + 1)));
            return Ok(numbered.collect());
        }
        digits += 1;
    }
}

/// A sentence, and what separates it from the one before.
struct Piece<'a> {
    gap: &'static str,
    text: &'a str,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut gap = "";
    for line in text.lines() {
        if line.trim().is_empty() {
            gap = "\n\n";
            continue;
        }
        for sentence in split_sentences(line.trim_end()) {
            pieces.push(Piece { gap, text: sentence });
            gap = " ";
        }
        gap = "\n";
    }
    pieces
}

/// The sentences of a line, whose indentation is part of the first one.
fn split_sentences(line: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    let ends = sentences::ends(line).into_iter().chain([line.len()]);
    let split = ends.map(move |end| {
        let start = std::mem::replace(&mut from, end);
        if start == 0 { &line[..end] } else { line[start..end].trim_start() }
    });
    split.filter(|sentence| !sentence.trim().is_empty())
}

fn pack(pieces: &[Piece<'_>], network: Network, room: &str) -> Result<Vec<String>, LongLink> {
    let mut packing = Packing { network, room, posts: Vec::new(), open: String::new(), length: 0 };
    for piece in pieces {
        if packing.add(piece.gap, piece.text) {
            continue;
        }
        packing.close();
        for (at, word) in piece.text.split(' ').enumerate() {
            packing.add_word(if at == 0 { "" } else { " " }, word)?;
        }
    }
    packing.close();
    Ok(packing.posts)
}

struct Packing<'a> {
    network: Network,
    /// Kept free at the end of each post.
    room: &'a str,
    posts: Vec<String>,
    open: String,
    /// Of `open`, as the network counts.
    length: usize,
}

impl Packing<'_> {
    /// Adds the text if it fits the open post.
    fn add(&mut self, gap: &str, text: &str) -> bool {
        let gap = if self.open.is_empty() { "" } else { gap };
        let longer = format!("{}{gap}{text}", self.open);
        // Nothing that is counted as one reaches over a gap.
        let length = match self.open.is_empty() || !gap.is_empty() {
            true => self.length + gap.len() + self.network.length(text),
            false => self.network.length(&longer),
        };
        let fits = self.network.allows(length + self.room.len(), longer.len() + self.room.len());
        if fits {
            (self.open, self.length) = (longer, length);
        }
        fits
    }

    fn close(&mut self) {
        let done = std::mem::take(&mut self.open);
        self.length = 0;
        self.posts.extend(Some(done).filter(|text| !text.trim().is_empty()));
    }

    fn add_word(&mut self, gap: &str, word: &str) -> Result<(), LongLink> {
        if self.add(gap, word) {
            return Ok(());
        }
        self.close();
        if self.add("", word) {
            return Ok(());
        }
        let mut at = 0;
        for link in find_links(word) {
            self.add_graphemes(&word[at..link.range.start]);
            at = link.range.end;
            let link = &word[link.range];
            if !self.add("", link) {
                self.close();
                if !self.add("", link) {
                    return Err(LongLink(link.to_owned()));
                }
            }
        }
        self.add_graphemes(&word[at..]);
        Ok(())
    }

    fn add_graphemes(&mut self, text: &str) {
        for grapheme in text.graphemes(true) {
            if !self.add("", grapheme) {
                self.close();
                self.add("", grapheme);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_network_counts_in_its_own_way() {
        let link = format!("https://a.example/{}", "x".repeat(80));
        for (text, x, bluesky, mastodon) in [
            ("Hello", 5, 5, 5),
            ("héllo", 5, 5, 5),
            ("日本", 4, 2, 2),
            ("👩‍👩‍👧‍👦", 2, 1, 1),
            ("👍🏽✌🏽1️⃣🇩🇪", 8, 4, 4),
            ("— “a” …", 8, 7, 7),
            (link.as_str(), 23, 98, 23),
            ("http://a.example", 23, 16, 23),
            ("(https://a.example/b_(c)).", 26, 26, 26),
            ("HTTPS://A.EXAMPLE", 23, 17, 23),
            ("a.example", 23, 9, 9),
            ("a.example/b.html", 23, 16, 16),
            ("日本a.example", 27, 11, 11),
            ("me@a.example", 12, 12, 12),
            ("src/lease.rs Cargo.toml v1.2.3", 30, 30, 30),
            ("in lease.rs", 26, 11, 11),
            ("http://localhost:8080/a/long/path", 33, 33, 33),
            ("https://a.exampleの後", 27, 19, 25),
        ] {
            let lengths = [Network::X, Network::Bluesky, Network::Mastodon].map(|network| network.length(text));
            assert_eq!(lengths, [x, bluesky, mastodon], "{text}");
        }
    }

    #[test]
    fn a_long_text_becomes_a_numbered_thread_that_is_split_at_sentence_ends() {
        let text = "One lease is given back. ".repeat(30) + "\n\nSee https://a.example/a.html. Then it ends.";
        let posts = thread(&text, Network::X).unwrap();
        assert_eq!(posts.len(), 3, "{posts:#?}");
        for (at, post) in posts.iter().enumerate() {
            let sentences = post.text.strip_suffix(&format!(" {}/3", at + 1)).unwrap();
            assert!(sentences.ends_with('.') && post.length <= 280, "{post:?}");
        }
        assert_eq!(thread(" Short. ", Network::X).unwrap()[0].text, "Short.");
        let apart = format!("One.{}Two.", "\n".repeat(300));
        assert_eq!(thread(&apart, Network::X).unwrap()[0].text, "One.\n\nTwo.");
    }

    #[test]
    fn a_link_is_never_cut() {
        let link = format!("https://a.example/{}", "x".repeat(290));
        let posts = thread(&format!("See {link} now. {}", "a ".repeat(300)), Network::X).unwrap();
        assert!(posts[0].text.contains(&link), "{posts:#?}");
        assert_eq!(thread(&link, Network::Bluesky), Err(LongLink(link)));
        let embedded = format!("{}https://a.example/b{}", "日".repeat(290), "本".repeat(200));
        let posts = thread(&embedded, Network::Bluesky).unwrap();
        assert!(posts.iter().any(|post| post.text.contains("https://a.example/b")), "{posts:#?}");
    }

    proptest! {
        #[test]
        fn every_post_fits_and_the_thread_says_all_in_order(
            words in prop::collection::vec(prop_oneof![
                20 => "[a-z日。.]{1,9}|https://[a-z]{2,9}\\.example/[a-z./]{0,60}[a-z/]|👩‍👩‍👧|\n\n",
                1 => "[a-z]{300,600}",
            ], 0..60),
            network in prop::sample::select(vec![Network::X, Network::Bluesky, Network::Mastodon]),
        ) {
            let text = words.join(" ");
            let posts = thread(&text, network).unwrap();
            let total = posts.len();
            let mut said = String::new();
            for (at, post) in posts.iter().enumerate() {
                prop_assert!(post.length <= post.limit && post.length == network.length(&post.text), "{post:?}");
                let number = format!(" {}/{total}", at + 1);
                said.push_str(if total > 1 { post.text.strip_suffix(&number).unwrap() } else { &post.text });
            }
            let compact = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(compact(&said), compact(&text));
            for link in words.iter().filter(|word| word.starts_with("https://")) {
                prop_assert!(posts.iter().any(|post| post.text.contains(link)), "{link}");
            }
        }
    }
}
