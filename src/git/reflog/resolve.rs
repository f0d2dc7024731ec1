//! Resolves the questions that reflog lines leave open, with the object database.

use std::collections::{HashMap, HashSet};

use super::super::commit::Header;
use super::super::repo::{Repo, header};
use super::super::tree::Objects;
use super::classify::{ClassifiedLog, EntryChange, OpenQuestion, Rebase, RebasedCommit};
use super::collect::NewLines;
use super::line::ReflogLine;
use super::{RefChange, reader, ref_tips};
use crate::domain::id::Oid;

/// Maximum commits compared after a reset.
const RESET: usize = 100;
/// Maximum commits of a rebase compared.
const REBASED: usize = 1_000;

/// The repository as a source of answers for open questions.
pub struct RepoHistory<'a> {
    pub repo: &'a Repo,
    pub objects: &'a dyn Objects,
    pub fresh: &'a [NewLines],
}

impl RepoHistory<'_> {
    /// The commit's header; `None` when the object is gone.
    fn header(&self, oid: &Oid) -> Option<Header> {
        header(self.objects, oid).ok()
    }

    /// Commits in `to` but not in `from`, oldest first, at most `limit`; empty when one of them is gone.
    fn range(&self, from: &Oid, to: &Oid, limit: usize) -> Vec<Oid> {
        self.repo.commits_between(Some(from), to, limit).unwrap_or_default()
    }

    /// The branch tip before a rebase moved it to `to`, per the branch's own log.
    fn before_rebase(&self, branch: &str, to: &Oid) -> Option<Oid> {
        // Reftable has no file for the log, but then its lines are already loaded.
        let at_hand = self.fresh.iter().filter(|fresh| fresh.log.branch() == Some(branch));
        let mut lines = at_hand.flat_map(|fresh| &fresh.tail.lines);
        if let Some(line) = lines.rfind(|line| line.ends_a_rebase_at(to)) {
            return line.old.clone();
        }
        // The branch name is untrusted input.
        let common_dir = &self.repo.location().common_dir;
        let path = ref_tips::is_sound(branch).then(|| common_dir.join("logs").join(branch))?;
        reader::last(&path, |line| line.ends_a_rebase_at(to)).ok()??.old
    }
}

/// The reference changes with all questions resolved.
#[must_use]
pub fn resolve_questions(log: ClassifiedLog, lines: &[ReflogLine], history: &RepoHistory<'_>) -> Vec<EntryChange> {
    let mut changes = log.changes;
    for question in log.questions {
        match question {
            OpenQuestion::Replaced { line } => {
                let (Some(old), Some(new)) = (&lines[line].old, &lines[line].new) else { continue };
                let lies_on_it = history.header(new).is_none_or(|header| header.parents.contains(old));
                if !lies_on_it {
                    add_replaced(&mut changes, line, old);
                }
            }
            OpenQuestion::Recommitted { line, base, tip } => {
                resolve_recommitted(&mut changes, line, (&base, &tip), history);
            }
            OpenQuestion::Rebased(rebase) => link_rebased(&mut changes, &rebase, history),
            OpenQuestion::Aborted(range) => {
                changes.retain(|change| !range.contains(&change.line) || made_commit(&change.change).is_none());
            }
        }
    }
    changes
}

/// Records that the commit of this line also replaces `old`.
fn add_replaced(changes: &mut [EntryChange], line: usize, old: &Oid) {
    if let Some(change) = changes.iter_mut().find(|change| change.line == line) {
        record_replaced(change, old);
    }
}

fn record_replaced(change: &mut EntryChange, old: &Oid) {
    if let RefChange::Committed { oid, replaces, .. } = &mut change.change
        && oid != old
        && !replaces.contains(old)
    {
        replaces.push(old.clone());
    }
}

/// The new commit replaces the reset commits with the same message. Commits that another branch still contains were
/// only moved there.
fn resolve_recommitted(
    changes: &mut [EntryChange],
    index: usize,
    (base, tip): (&Oid, &Oid),
    history: &RepoHistory<'_>,
) {
    let Some(oid) = changes.iter().find(|change| change.line == index).and_then(|change| made_commit(&change.change))
    else {
        return;
    };
    let Some(header) = history.header(oid) else { return };
    for old in history.range(base, tip, RESET) {
        if history.header(&old).is_some_and(|other| other.message == header.message)
            && !history.repo.on_a_branch(&old).unwrap_or(false)
        {
            add_replaced(changes, index, &old);
        }
    }
}

/// The commit that git made here.
fn made_commit(ref_update: &RefChange) -> Option<&Oid> {
    match ref_update {
        RefChange::Committed { oid, .. } => Some(oid),
        _ => None,
    }
}

/// Records that each copy, or its successor in the same rebase, replaces its original.
fn link_rebased(changes: &mut Vec<EntryChange>, rebase: &Rebase, history: &RepoHistory<'_>) {
    let by_branch = rebase.branch.as_deref().and_then(|branch| history.before_rebase(branch, &rebase.to));
    let from = by_branch.as_ref().unwrap_or(&rebase.from);
    let originals = history.range(&rebase.to, from, REBASED);
    if originals.len() >= REBASED {
        return;
    }
    for (copy, original) in pair_steps(rebase, originals, history) {
        // A reported copy that was itself replaced passes the link on.
        let survivor = survivor(rebase, copy);
        let place = |wanted: &Oid| {
            changes.iter().rposition(|change| change.line <= rebase.line && made_commit(&change.change) == Some(wanted))
        };
        if let Some(place) = place(&copy.oid).or_else(|| place(survivor)) {
            record_replaced(&mut changes[place], &original);
            continue;
        }
        let change = RefChange::Committed { oid: survivor.clone(), replaces: vec![original], step: true };
        changes.push(EntryChange { line: rebase.line, at: rebase.at, change });
    }
}

/// Matches the rebase steps with the rebased commits.
fn pair_steps<'a>(rebase: &'a Rebase, originals: Vec<Oid>, history: &RepoHistory<'_>) -> Vec<(&'a RebasedCommit, Oid)> {
    // Replacements by the line itself (an amend, a fold) are already recorded.
    let known_steps: HashSet<&Oid> = rebase.steps.iter().filter_map(|step| step.old.as_ref()).collect();
    let with_header = |oid: Oid| history.header(&oid).map(|header| (oid, header));
    let mut left: Vec<(Oid, Header)> =
        originals.into_iter().filter(|oid| !known_steps.contains(oid)).filter_map(with_header).collect();
    let (folds, copies): (Vec<&RebasedCommit>, Vec<&RebasedCommit>) = rebase.steps.iter().partition(|step| step.folds);
    let copies = copies.into_iter().filter_map(|step| Some((step, history.header(&step.oid)?)));
    // A copy that was reworded in place is already linked: it must not be matched with another original.
    let copies =
        copies.filter(|(step, header)| step.old.as_ref().is_none_or(|old| header.parents.contains(old))).collect();
    let mut pairs = Vec::new();
    let is_same = |one: &Header, other: &Header| one.message == other.message && is_by_same(one, other);
    let open = take_matching(&mut pairs, copies, &mut left, &is_same);
    let are_distinct = |headers: Vec<&Header>| {
        let authored: HashSet<_> = headers.iter().map(|header| (header.authored_at, &header.author_email)).collect();
        authored.len() == headers.len()
    };
    // A reworded commit keeps author and date, which identify it when no other commit has both.
    if are_distinct(open.iter().map(|(_, header)| header).collect())
        && are_distinct(left.iter().map(|(_, header)| header).collect())
    {
        take_matching(&mut pairs, open, &mut left, &is_by_same);
    }
    // A rebase drops merges.
    left.retain(|(_, header)| header.parents.len() < 2);
    if folds.len() == left.len() {
        pairs.extend(folds.into_iter().zip(left.into_iter().map(|(oid, _)| oid)));
    }
    pairs
}

fn is_by_same(one: &Header, other: &Header) -> bool {
    one.authored_at == other.authored_at && one.author_email == other.author_email
}

/// Pairs each copy with the first remaining similar commit; returns the copies without a match.
fn take_matching<'a>(
    pairs: &mut Vec<(&'a RebasedCommit, Oid)>,
    copies: Vec<(&'a RebasedCommit, Header)>,
    left: &mut Vec<(Oid, Header)>,
    is_alike: &dyn Fn(&Header, &Header) -> bool,
) -> Vec<(&'a RebasedCommit, Header)> {
    let mut open = Vec::new();
    for (copy, header) in copies {
        match left.iter().position(|(_, other)| is_alike(&header, other)) {
            Some(at) => pairs.push((copy, left.remove(at).0)),
            None => open.push((copy, header)),
        }
    }
    open
}

/// Later rebase steps may have folded the copy into another commit.
fn survivor<'a>(rebase: &'a Rebase, copy: &'a RebasedCommit) -> &'a Oid {
    let in_place = rebase.steps.iter().filter(|step| step.in_place);
    let folded: HashMap<&Oid, &Oid> = in_place.filter_map(|step| Some((step.old.as_ref()?, &step.oid))).collect();
    let mut oid = &copy.oid;
    for _ in 0..=rebase.steps.len() {
        match folded.get(oid) {
            Some(next) => oid = next,
            None => break,
        }
    }
    oid
}
