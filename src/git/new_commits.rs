//! New commits of new branches, and the base commit of each branch.

use std::collections::{HashMap, HashSet};

use crate::domain::id::Oid;

/// Commits that did not exist before, children before their parents.
#[derive(Debug, Default)]
pub struct NewCommits {
    order: Vec<Oid>,
    parents: HashMap<Oid, Vec<Oid>>,
}

/// The start of the new commits below a tip.
#[derive(Debug, PartialEq, Eq)]
pub enum BranchBase {
    Nothing,
    /// All commits not reachable from this one; `None`: the whole history.
    Above(Option<Oid>),
}

impl NewCommits {
    /// Adds the next commit of the walk.
    pub fn add(&mut self, oid: Oid, parents: Vec<Oid>) {
        self.order.push(oid.clone());
        self.parents.insert(oid, parents);
    }

    /// The base of the branch with this tip: a known parent of its oldest new commit.
    #[must_use]
    pub fn base(&self, tip: &Oid) -> BranchBase {
        if !self.parents.contains_key(tip) {
            return BranchBase::Nothing;
        }
        let new = self.below(tip);
        let known = |oid: &Oid| self.parents.get(oid)?.iter().find(|parent| !self.parents.contains_key(parent));
        BranchBase::Above(self.order.iter().rev().filter(|oid| new.contains(oid)).find_map(known).cloned())
    }

    fn below<'a>(&'a self, tip: &'a Oid) -> HashSet<&'a Oid> {
        let (mut new, mut next) = (HashSet::new(), vec![tip]);
        while let Some(oid) = next.pop() {
            if let Some(parents) = self.parents.get(oid)
                && new.insert(oid)
            {
                next.extend(parents);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(n: u8) -> Oid {
        format!("{n:02x}").repeat(20).parse().unwrap()
    }

    fn walk(commits: &[(u8, &[u8])]) -> NewCommits {
        let mut brought = NewCommits::default();
        for (commit, parents) in commits {
            brought.add(oid(*commit), parents.iter().map(|parent| oid(*parent)).collect());
        }
        brought
    }

    #[test]
    fn a_branch_is_above_what_was_known_of_its_own_oldest_commit() {
        let brought = walk(&[(4, &[3]), (3, &[1]), (5, &[2])]);
        assert_eq!(brought.base(&oid(4)), BranchBase::Above(Some(oid(1))));
        assert_eq!(brought.base(&oid(5)), BranchBase::Above(Some(oid(2))), "not what the other branch grew from");
        assert_eq!(brought.base(&oid(1)), BranchBase::Nothing);
    }

    #[test]
    fn a_history_of_its_own_is_above_nothing() {
        assert_eq!(walk(&[(2, &[1]), (1, &[])]).base(&oid(2)), BranchBase::Above(None));
    }
}
