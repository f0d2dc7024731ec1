//! Term weighting: scores names and words of a patch by frequency on one side, location and prior.

use std::collections::{HashMap, HashSet};

use super::line::{PieceClass, is_prose, split_pieces, tokens};
use super::swap::is_hash;
use super::words::prior_weight;
use super::{Mention, MentionKind, role_weight};
use crate::domain::patch::{FileChange, Hunk, LineOrigin, PatchLine};
use crate::facts::role_of;
use crate::facts::roles::FileRole;
use crate::facts::symbols::{Symbol, SymbolChange};
use crate::text::identifiers::{is_camel_case, split_words};
use crate::text::stem::stem;
use crate::text::words::WordList;
use crate::word_list;

/// Longer names are data (characters).
const NAME_CHARS: usize = 48;
/// Limit of counted names; a patch has at most some thousands.
const COUNTED: usize = 20_000;

/// Counted names and words of a patch.
#[derive(Debug, Default)]
pub struct TermCounts {
    names: HashMap<String, Count>,
    stems: HashMap<String, WordEvidence>,
}

/// One name, as written.
#[derive(Debug, Clone, Default)]
struct Count {
    added: u32,
    removed: u32,
    context: u32,
    /// One-sided occurrences over all places, weighted by the file's role.
    net: f64,
    /// Position of its first occurrence; earlier ones weigh slightly more.
    place: usize,
    path: String,
    /// It may be quoted as a name; otherwise it only counts as a word.
    sayable: bool,
}

/// One word, stemmed.
#[derive(Debug, Clone, Default)]
struct WordEvidence {
    net: f64,
    context: f64,
    prior: f64,
    /// By class of evidence: path, symbol, hunk header, prose, title.
    classes: [bool; 5],
    files: HashSet<usize>,
}

const PATH: usize = 0;
const SYMBOL: usize = 1;
const HEADER: usize = 2;
const PROSE: usize = 3;
const TITLE: usize = 4;
/// Weight added by each class of evidence.
const CLASS: [f64; 5] = [0.7, 0.6, 0.25, 0.5, 0.5];

impl TermCounts {
    /// Counts every name of the patch.
    #[must_use]
    pub fn from_patch(files: &[FileChange], symbols: &[Symbol], phrases: &[Mention]) -> Self {
        let mut tally = Self::default();
        for (at, file) in files.iter().enumerate() {
            let role = role_of(file);
            tally.word_by_word(&file.path, PATH);
            file.hunks.iter().for_each(|hunk| tally.hunk(hunk, file, at, role));
        }
        for symbol in symbols.iter().filter(|symbol| symbol.change != SymbolChange::Modified || !symbol.test) {
            let class = if symbol.test_case { TITLE } else { SYMBOL };
            symbol.names().for_each(|name| tally.word_by_word(name, class));
        }
        for key in phrases.iter().filter_map(|phrase| phrase.key.as_deref()) {
            tally.word_by_word(key, TITLE);
        }
        tally
    }

    fn word_by_word(&mut self, text: &str, class: usize) {
        for part in split_words(text) {
            self.evidence(&part).classes[class] = true;
        }
    }

    fn evidence(&mut self, part: &str) -> &mut WordEvidence {
        let evidence = self.stems.entry(stem(part)).or_default();
        if evidence.prior == 0.0 {
            evidence.prior = prior_weight(part);
        }
        evidence
    }

    fn hunk(&mut self, hunk: &Hunk, file: &FileChange, at: usize, role: FileRole) {
        self.word_by_word(&hunk.header, HEADER);
        let is_context = |line: &PatchLine| line.origin == LineOrigin::Context;
        for line in hunk.lines.iter().filter(|line| is_context(line)) {
            self.context(&line.text, role);
        }
        for block in hunk.lines.split(is_context).filter(|block| !block.is_empty()) {
            self.block(block, file, at, role);
        }
    }

    fn context(&mut self, text: &str, role: FileRole) {
        for (_, piece) in split_pieces(text, role) {
            for token in tokens(piece, role != FileRole::Source) {
                split_words(token).iter().for_each(|part| self.evidence(part).context += 1.0);
                if let Some(count) = self.names.get_mut(token) {
                    count.context += 1;
                } else if self.names.len() < COUNTED {
                    self.names.insert(token.to_owned(), Count { context: 1, ..Count::default() });
                }
            }
        }
    }

    /// Counts adjacent changed lines: names on both sides hardly count.
    fn block(&mut self, lines: &[PatchLine], file: &FileChange, at: usize, role: FileRole) {
        let mut sides: HashMap<&str, (u32, u32, bool)> = HashMap::new();
        let mut order: Vec<&str> = Vec::new();
        for line in lines {
            // A link, a badge, a list item: its words count as names.
            let loose = role == FileRole::Docs && !is_prose(line.text.trim());
            for (class, piece) in split_pieces(&line.text, role) {
                for token in tokens(piece, class == PieceClass::Quoted || role != FileRole::Source) {
                    if class == PieceClass::Prose {
                        split_words(token).iter().for_each(|part| self.evidence(part).classes[PROSE] = true);
                    }
                    let side = sides.entry(token).or_insert_with(|| {
                        order.push(token);
                        (0, 0, false)
                    });
                    if line.origin == LineOrigin::Added {
                        side.0 += 1;
                    } else {
                        side.1 += 1;
                    }
                    side.2 |= is_sayable(token, class, piece, loose);
                }
            }
        }
        for token in order {
            if let Some(side) = sides.get(token) {
                self.add(token, *side, (file, at, role));
            }
        }
    }

    fn add(&mut self, token: &str, (added, removed, sayable): (u32, u32, bool), of: (&FileChange, usize, FileRole)) {
        let (file, at, role) = of;
        let one_sided = f64::from(added.abs_diff(removed)).sqrt();
        let net = role_weight(role) * (one_sided + 0.1 * f64::from(added.min(removed)));
        for part in split_words(token) {
            let evidence = self.evidence(&part);
            evidence.net += net;
            evidence.files.insert(at);
        }
        let place = self.names.len();
        if place >= COUNTED || token.chars().count() > NAME_CHARS {
            return;
        }
        let count = self.names.entry(token.to_owned()).or_default();
        if count.added + count.removed == 0 {
            (count.place, count.path) = (place, file.path.clone());
        }
        count.sayable |= sayable;
        (count.added, count.removed, count.net) = (count.added + added, count.removed + removed, count.net + net);
    }

    fn weight(&self, stem: &str) -> f64 {
        let Some(evidence) = self.stems.get(stem) else { return 0.0 };
        let classes: f64 = evidence.classes.iter().zip(CLASS).filter(|(is, _)| **is).map(|(_, worth)| worth).sum();
        let spread = 1.0 + 0.3 * (evidence.files.len().max(1) as f64).ln();
        let by_context = 1.0 / (1.0 + 0.05 * evidence.context);
        evidence.prior * ((1.0 + evidence.net).ln() * spread * by_context + classes)
    }

    fn stems(&self, text: &str) -> Vec<(String, f64)> {
        let mut stems: Vec<(String, f64)> = Vec::new();
        for part in tokens(text, false).flat_map(split_words) {
            let stem = stem(&part);
            if !stems.iter().any(|(known, _)| *known == stem) {
                let weight = self.weight(&stem);
                stems.push((stem, weight));
            }
        }
        stems.retain(|(_, weight)| *weight > 0.0);
        stems
    }

    /// Every quotable name, weighted by its words.
    #[must_use]
    pub fn weighted_names(&self) -> Vec<Mention> {
        let changed = self.names.iter().filter(|(_, count)| count.sayable && count.added + count.removed > 0);
        let mut names: Vec<(usize, Mention)> =
            changed.map(|(name, count)| (count.place, self.weigh_name(name, count))).collect();
        names.sort_by_key(|(place, _)| *place);
        names.into_iter().map(|(_, mention)| mention).collect()
    }

    fn weigh_name(&self, name: &str, count: &Count) -> Mention {
        let stems = self.stems(name);
        let whole: f64 = stems.iter().map(|(_, weight)| weight).sum();
        // A long name gets no extra weight, as readers recall only parts of it. A single word is often ambiguous.
        let plain = if stems.len() < 2 { 0.7 } else { 1.0 };
        let weight = plain * whole / (stems.len().max(1) as f64).sqrt() * count.net.clamp(0.3, 1.0);
        let added = match (count.added, count.removed, count.context) {
            (_, 0, 0) => Some(true),
            (0, _, 0) => Some(false),
            _ => None,
        };
        Mention {
            kind: MentionKind::Name,
            text: name.to_owned(),
            weight,
            added,
            path: count.path.clone(),
            before: None,
            key: None,
            stems,
        }
    }

    /// A phrase, weighted by its words.
    #[must_use]
    pub fn weigh_phrase(&self, phrase: Mention) -> Mention {
        let whole = [phrase.key.as_deref(), phrase.before.as_deref(), Some(&phrase.text)];
        let stems = self.stems(&whole.into_iter().flatten().collect::<Vec<_>>().join(" "));
        let weight = phrase.weight * stems.iter().map(|(_, weight)| weight).sum::<f64>();
        Mention { weight, stems, ..phrase }
    }
}

/// Names common in any program of their language: true of the change, but uninformative.
static EVERYWHERE: WordList = word_list!("common_names");

/// Code is quoted as it is; from prose only code-like tokens; from strings only single words.
fn is_sayable(token: &str, class: PieceClass, piece: &str, loose: bool) -> bool {
    let plain = !token.starts_with(|c: char| c.is_ascii_digit());
    let long = plain && token.chars().count() > 2 && token.chars().any(char::is_alphabetic);
    let algorithm = ["sha1", "sha256", "sha384", "sha512"].contains(&token) && piece.contains([':', '-']);
    long && !algorithm
        && !is_hash(token)
        && !EVERYWHERE.contains(token)
        && match class {
            PieceClass::Code => true,
            PieceClass::Quoted => loose || !piece.trim().contains(' ') || piece.contains(['(', '{', '=', '<', '[']),
            PieceClass::Prose => {
                token.trim_matches('_').contains('_')
                    || is_camel_case(token)
                    || token.starts_with("--")
                    || (loose && token.chars().count() > 3)
            }
        }
}
