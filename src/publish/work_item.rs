//! Work items: the captures of a period, folded to their net result and grouped by what they belong to.
//!
//! A fixup joins its target, a revert cancels what it reverts, commits of one topic branch or one ticket are one item.
//! Dependency bumps, merges and automated commits are routine. Each capture is in exactly one of the lists of [`Work`].

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::domain::capture::{AuthoredBy, Capture, CaptureKind};
use crate::domain::id::{CaptureId, Oid, RepoId};
use crate::facts::author::Author;
use crate::facts::subject;
use crate::fallback::phrase;

use super::entry::{self, Heading, ListEntry};
use super::theme::Theme;

/// Branches that carry everybody's work: a commit on one of them says nothing about what it belongs to.
const SHARED_BRANCHES: [&str; 11] =
    ["main", "master", "trunk", "default", "develop", "development", "dev", "next", "staging", "stable", "HEAD"];
/// A branch or ticket with more captures than this is a stage of the project, not a work item.
const LARGEST_ITEM: usize = 40;

/// One capture of a work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkPart {
    pub capture: CaptureId,
    pub at: Timestamp,
    pub project: String,
    pub repo: Option<RepoId>,
    pub oid: Option<Oid>,
    pub branch: Option<String>,
    pub author: Option<String>,
    pub entry: ListEntry,
    /// Tickets that the subject, the branch or a closing line names.
    pub tickets: Vec<String>,
    /// Subject of the commit that this one is a fixup of.
    fixup_of: Option<String>,
    /// The commit's subject as written.
    pub subject: String,
    reverts: Option<Reverted>,
    is_routine: bool,
}

/// What a revert names: a commit, or only its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reverted {
    Commit(String),
    Subject(String),
}

/// Captures that belong together; the leading one first, the others oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    pub parts: Vec<WorkPart>,
}

/// A note in its author's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkNote {
    pub capture: CaptureId,
    pub at: Timestamp,
    pub project: String,
    pub repo: Option<RepoId>,
    pub text: String,
}

/// All captures of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// What a reader cares about first comes first.
    pub items: Vec<WorkItem>,
    /// Dependency bumps, merges and automated commits, oldest first.
    pub routine: Vec<WorkPart>,
    /// Reverts and what they reverted, oldest first.
    pub reverted: Vec<WorkPart>,
    /// Oldest first.
    pub notes: Vec<WorkNote>,
}

impl Work {
    /// The work of a period, where commits of one topic branch are one item.
    #[must_use]
    pub fn of<'a>(captures: impl IntoIterator<Item = &'a Capture>) -> Self {
        Self::grouped(captures.into_iter().collect(), WorkPart::topic_branch)
    }

    /// The work of a range of commits, which is one branch itself: only tickets and fixups join commits.
    #[must_use]
    pub fn of_range(captures: &[Capture]) -> Self {
        Self::grouped(captures.iter().collect(), |_| None)
    }

    fn grouped(mut captures: Vec<&Capture>, branch_of: fn(&WorkPart) -> Option<&str>) -> Self {
        captures.sort_by_key(|capture| (capture.at, capture.id));
        let (notes, commits): (Vec<&Capture>, Vec<&Capture>) =
            captures.into_iter().partition(|capture| capture.kind == CaptureKind::Note);
        let known: HashSet<&Oid> = commits.iter().filter_map(|c| c.commit.as_ref()).map(|commit| &commit.oid).collect();
        let parts: Vec<WorkPart> = commits.iter().map(|capture| WorkPart::of(capture, &known)).collect();
        let live = find_live(&parts);
        let (live, reverted): (Vec<_>, Vec<_>) = parts.into_iter().zip(live).partition(|(_, live)| *live);
        let (routine, work): (Vec<_>, Vec<_>) =
            live.into_iter().map(|(part, _)| part).partition(|part| part.is_routine);
        let mut items = group(work, branch_of);
        items.sort_by_key(WorkItem::rank);
        Self {
            items,
            routine,
            reverted: reverted.into_iter().map(|(part, _)| part).collect(),
            notes: notes.into_iter().map(WorkNote::of).collect(),
        }
    }

    /// Number of captures in all lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.iter().map(|item| item.parts.len()).sum::<usize>()
            + self.routine.len()
            + self.reverted.len()
            + self.notes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl WorkNote {
    fn of(capture: &Capture) -> Self {
        Self {
            capture: capture.id,
            at: capture.at,
            project: capture.project.clone(),
            repo: capture.repo.as_ref().map(|repo| repo.id.clone()),
            text: entry::note_text(capture).to_owned(),
        }
    }

    /// Whether the note asks something or names something to do: an open end.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let text = self.text.trim();
        let first = text.split_whitespace().next().unwrap_or_default().trim_end_matches(':').to_lowercase();
        text.ends_with(['?', '？']) || ["todo", "fixme", "next", "blocked"].contains(&first.as_str())
    }
}

impl WorkPart {
    /// `known`: the commits of all captures. A merge is routine where what it merged is among them, else it stands for
    /// that work.
    fn of(capture: &Capture, known: &HashSet<&Oid>) -> Self {
        let commit = capture.commit.as_ref();
        let subject = commit.map_or("", |commit| commit.subject.trim());
        let entry = ListEntry::of(capture);
        let branch = commit.and_then(|commit| commit.branch.clone());
        let merged = commit.map_or(&[][..], |commit| commit.parents.get(1..).unwrap_or_default());
        let is_routine = match entry.theme {
            Theme::Merges => capture.provenance.by != AuthoredBy::Human && merged.iter().all(|oid| known.contains(oid)),
            Theme::Upgrades => true,
            _ => subject::is_automatic(subject),
        };
        Self {
            capture: capture.id,
            at: capture.at,
            project: capture.project.clone(),
            repo: capture.repo.as_ref().map(|repo| repo.id.clone()),
            oid: commit.map(|commit| commit.oid.clone()),
            author: commit.map(|commit| commit.author.clone()),
            tickets: find_tickets(&capture.raw, subject, branch.as_deref()),
            fixup_of: subject::autosquash(subject).map(|(_, target)| target.to_owned()),
            reverts: find_reverted(subject, &capture.raw),
            subject: subject.to_owned(),
            branch,
            entry,
            is_routine,
        }
    }

    /// The author's headline without the type of change. A plain first word begins with a capital letter; a name
    /// (`ignore-0.4.33`, an area) stays as it is written.
    #[must_use]
    pub fn title(&self) -> String {
        let title = self.entry.headline(Heading::Theme);
        let first = title.split(' ').next().unwrap_or_default();
        if first.chars().all(char::is_alphabetic) { phrase::capitalized(&title) } else { title }
    }

    /// The author's subject with its type; the summary's headline where that replaces the subject.
    #[must_use]
    pub fn headline_as_written(&self) -> String {
        if self.subject.ends_with(&self.entry.first) { self.subject.clone() } else { self.title() }
    }

    #[must_use]
    pub fn is_fixup(&self) -> bool {
        self.fixup_of.is_some()
    }

    /// The branch, if it is one for a topic.
    #[must_use]
    pub fn topic_branch(&self) -> Option<&str> {
        let is_shared = |branch: &&str| SHARED_BRANCHES.contains(branch) || branch.starts_with("release");
        self.branch.as_deref().filter(|branch| !is_shared(branch))
    }
}

/// Tickets of the subject, of closing lines in the body ("Fixes: #4"), and a tracker's key in the branch's name.
fn find_tickets(message: &str, subject: &str, branch: Option<&str>) -> Vec<String> {
    const CLOSING: [&str; 9] =
        ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
    let closes = |line: &&str| {
        let first = line.trim().split([' ', ':']).next().unwrap_or_default().to_lowercase();
        CLOSING.contains(&first.as_str())
    };
    let body = message.trim_start().split_once('\n').map_or("", |(_, body)| body);
    let branch = branch.map(|branch| branch.replace(['_', '/'], " ")).unwrap_or_default();
    let key = |text: &str| text.split('-').take(2).collect::<Vec<_>>().join("-");
    let of_branch: Vec<String> = branch.split(' ').map(key).collect();
    let text = std::iter::once(subject)
        .chain(of_branch.iter().map(String::as_str))
        .chain(body.lines().filter(closes))
        .collect::<Vec<_>>()
        .join("\n");
    Author::from_message(&text).tickets
}

/// The commit or subject that a message says it reverts.
fn find_reverted(subject: &str, message: &str) -> Option<Reverted> {
    let quoted = subject.strip_prefix("Revert \"").or_else(|| subject.strip_prefix("Reapply \""));
    let quoted = quoted.and_then(|rest| rest.rsplit_once('"')).map(|(inner, _)| inner);
    let quoted = quoted.or_else(|| subject.strip_prefix("revert: "))?;
    let named = message
        .split_once("This reverts commit ")
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>())
        .filter(|oid| oid.len() >= 7);
    Some(named.map_or_else(|| Reverted::Subject(quoted.trim().to_owned()), Reverted::Commit))
}

/// Which parts still count: a revert and its target cancel each other, and the revert of a revert restores the first.
fn find_live(parts: &[WorkPart]) -> Vec<bool> {
    let mut live = vec![true; parts.len()];
    let mut undone: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(reverts) = &part.reverts else { continue };
        let is_target = |earlier: &WorkPart| {
            earlier.repo == part.repo
                && match reverts {
                    Reverted::Commit(oid) => earlier.oid.as_ref().is_some_and(|known| known.as_str().starts_with(oid)),
                    Reverted::Subject(subject) => earlier.subject == *subject,
                }
        };
        let Some(target) = (0..at).rev().find(|earlier| is_target(&parts[*earlier])) else { continue };
        if let Some(first) = undone.get(&target) {
            live[*first] = true;
        }
        live[target] = false;
        live[at] = false;
        undone.insert(at, target);
    }
    live
}

/// Parts that share a topic branch, a ticket or a fixup's target are one item.
fn group(parts: Vec<WorkPart>, branch_of: fn(&WorkPart) -> Option<&str>) -> Vec<WorkItem> {
    let mut leader: Vec<usize> = (0..parts.len()).collect();
    fn find(leader: &[usize], mut at: usize) -> usize {
        while leader[at] != at {
            at = leader[at];
        }
        at
    }
    let mut shared: BTreeMap<(Option<&RepoId>, String), Vec<usize>> = BTreeMap::new();
    for (at, part) in parts.iter().enumerate() {
        let keys = part.tickets.iter().map(|ticket| format!("ticket {ticket}"));
        let keys = keys.chain(branch_of(part).map(|branch| format!("branch {branch}")));
        let subject = part.fixup_of.as_ref().unwrap_or(&part.subject);
        for key in keys.chain([format!("subject {subject}")]) {
            shared.entry((part.repo.as_ref(), key)).or_default().push(at);
        }
    }
    for members in shared.values().filter(|members| members.len() <= LARGEST_ITEM) {
        for pair in members.windows(2) {
            let (one, other) = (find(&leader, pair[0]), find(&leader, pair[1]));
            leader[one.max(other)] = one.min(other);
        }
    }
    let leaders: Vec<usize> = (0..parts.len()).map(|at| find(&leader, at)).collect();
    let mut items: BTreeMap<usize, Vec<WorkPart>> = BTreeMap::new();
    for (part, leader) in parts.into_iter().zip(leaders) {
        items.entry(leader).or_default().push(part);
    }
    items.into_values().map(WorkItem::of).collect()
}

impl WorkItem {
    /// Puts the part that says most about the whole first.
    fn of(mut parts: Vec<WorkPart>) -> Self {
        let says = |part: &WorkPart| {
            (
                part.fixup_of.is_some(),
                !part.entry.breaking,
                part.entry.theme,
                part.entry.why.is_none(),
                std::cmp::Reverse(part.entry.lines),
            )
        };
        if let Some(best) = (0..parts.len()).min_by_key(|at| says(&parts[*at])) {
            let lead = parts.remove(best);
            parts.insert(0, lead);
        }
        Self { parts }
    }

    #[must_use]
    pub fn lead(&self) -> &WorkPart {
        &self.parts[0]
    }

    /// What the author says first, without the type of change: "lease: give an expired lease back".
    #[must_use]
    pub fn title(&self) -> String {
        self.lead().title()
    }

    /// Titles of the other parts, each once; fixups have none.
    #[must_use]
    pub fn other_titles(&self) -> Vec<String> {
        let mut titles = vec![self.title()];
        for part in self.parts.iter().skip(1).filter(|part| !part.is_fixup()) {
            let title = part.title();
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.split_off(1)
    }

    /// The item as one entry of a page: the leading part, with the commits, titles and tickets of the others.
    #[must_use]
    pub fn entry(&self) -> ListEntry {
        let mut entry = self.lead().entry.clone();
        for part in self.parts.iter().skip(1) {
            entry.absorb(part.entry.clone());
        }
        entry.breaking = self.is_breaking();
        entry.more = self.other_titles();
        let named = |ticket: &str| entry.rest.contains(ticket) || entry.more.iter().any(|title| title.contains(ticket));
        let tickets = self.tickets().into_iter().filter(|ticket| !named(ticket)).map(str::to_owned).collect();
        entry.tickets = tickets;
        entry
    }

    /// The first reason that an author gave, as Markdown.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| part.entry.why.as_deref())
    }

    #[must_use]
    pub fn tickets(&self) -> Vec<&str> {
        let mut tickets: Vec<&str> = Vec::new();
        for ticket in self.parts.iter().flat_map(|part| &part.tickets) {
            if !tickets.contains(&ticket.as_str()) {
                tickets.push(ticket);
            }
        }
        tickets
    }

    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.parts.iter().any(|part| part.entry.breaking)
    }

    /// Time of the newest part.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.parts.iter().map(|part| part.at).max().unwrap_or_default()
    }

    /// Order for a reader: breaking changes, then by theme, reasoned ones before others, large ones before small ones.
    fn rank(&self) -> (bool, Theme, bool, std::cmp::Reverse<u64>, Timestamp) {
        let lines = self.parts.iter().map(|part| part.entry.lines).sum();
        (!self.is_breaking(), self.lead().entry.theme, self.why().is_none(), std::cmp::Reverse(lines), self.lead().at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::capture::CommitRef;
    use crate::publish::sample::capture;
    use proptest::prelude::*;

    fn at(minute: u32, message: &str) -> Capture {
        capture("uro", &format!("2026-03-03T09:{minute:02}:00Z"), message)
    }

    fn branch(name: &str, capture: Capture) -> Capture {
        let commit = capture.commit.clone().map(|commit| CommitRef { branch: Some(name.to_owned()), ..commit });
        Capture { commit, ..capture }
    }

    fn titles(captures: &[Capture]) -> Vec<(String, usize)> {
        Work::of(captures).items.iter().map(|item| (item.title(), item.parts.len())).collect()
    }

    #[test]
    fn a_ticket_a_topic_branch_or_a_fixup_joins_commits() {
        let same = |title: &str, n| vec![(title.to_owned(), n)];
        assert_eq!(titles(&[at(1, "Add a cart (#7)"), at(2, "Round prices\n\nFixes: #7")]), same("Add a cart (#7)", 2));
        let on_topic = [branch("cart", at(1, "Add a cart")), branch("cart", at(2, "docs: the cart"))];
        assert_eq!(titles(&on_topic), same("Add a cart", 2));
        let key = [branch("SHOP-7-cart", at(1, "Add a cart")), at(2, "Round prices (SHOP-7)")];
        assert_eq!(titles(&key).len(), 1);
        assert_eq!(
            titles(&[at(1, "Add a cart"), at(2, "fixup! Add a cart"), at(3, "squash! Add a cart")]),
            same("Add a cart", 3)
        );
        let shared = [branch("main", at(1, "Add a cart")), branch("main", at(2, "Round prices"))];
        assert_eq!(titles(&shared).len(), 2, "a shared branch joins nothing");
        assert_eq!(titles(&[at(1, "Add a cart"), at(2, "Round prices, as in #7")]).len(), 2);
    }

    #[test]
    fn a_revert_cancels_its_target_and_is_cancelled_by_its_own_revert() {
        let ring = at(1, "Use a ring buffer");
        let oid = ring.commit.as_ref().unwrap().oid.to_string();
        let by_id = at(2, &format!("Revert \"Use a ring buffer\"\n\nThis reverts commit {oid}."));
        let work = Work::of(&[ring.clone(), by_id.clone()]);
        assert_eq!((work.items.len(), work.reverted.len()), (0, 2));
        let again = at(3, "Revert \"Revert \"Use a ring buffer\"\"");
        let work = Work::of(&[ring.clone(), by_id.clone(), again]);
        assert_eq!((work.items[0].title().as_str(), work.reverted.len()), ("Use a ring buffer", 2));
        let alone = Work::of(&[by_id]);
        assert_eq!((alone.items.len(), alone.items[0].lead().entry.theme), (1, Theme::Reverted), "its target is older");
    }

    #[test]
    fn routine_is_apart_and_what_matters_comes_first() {
        let work = Work::of(&[
            at(1, "chore(deps): bump serde from 1.0.1 to 1.0.2"),
            at(2, "docs: say how"),
            at(3, "fix: a leak"),
            at(4, "feat: a log"),
            at(5, "fix!: drop the old format"),
        ]);
        let titles: Vec<String> = work.items.iter().map(WorkItem::title).collect();
        assert!(titles[0].contains("Breaking"), "{titles:?}");
        assert_eq!(&titles[1..], ["A log", "A leak", "Say how"]);
        assert_eq!(work.routine.len(), 1);
    }

    #[test]
    fn a_note_that_asks_is_an_open_end() {
        let note = |text: &str| WorkNote::of(&crate::publish::sample::note("uro", "2026-03-03T09:00:00Z", text));
        assert!(note("should it expire?").is_open() && note("TODO: measure it").is_open());
        assert!(!note("the lease is fixed").is_open() && !note("").is_open());
    }

    proptest! {
        #[test]
        fn every_capture_is_in_exactly_one_list(
            messages in prop::collection::vec("(fix: |feat: |Revert \"|fixup! |chore\\(deps\\): bump )?[ab#7 \"]{0,6}", 0..12)
        ) {
            let captures: Vec<Capture> =
                messages.iter().enumerate().map(|(minute, text)| at(minute as u32, text)).collect();
            prop_assert_eq!(Work::of(&captures).len(), captures.len());
        }
    }
}
