//! Distribution of a change: lines and files by role.

use super::phrase::{count, list, number, path};
use crate::domain::patch::Commit;
use crate::facts::case::Case;
use crate::facts::roles::{self, FileRole};
use crate::facts::{Facts, RoleShare, role_of};

/// Limit of named roles.
const ROLES: usize = 4;

/// The sentence, without its full stop; `None` if there is nothing to count, or if the headline (empty if absent)
/// covers it.
pub fn distribution_sentence(commit: &Commit, facts: &Facts, deed: &str) -> Option<String> {
    match facts.case {
        Case::Empty | Case::Unknown | Case::RenameOnly | Case::ModeOnly | Case::SubmoduleOnly | Case::BinaryOnly => {
            None
        }
        _ if !facts.all_listed => Some(format!("{} changed", count(facts.files_total, "file"))),
        Case::Only(role) => one_role(commit, role, facts.shares.first()?, deed),
        _ => by_role(commit, facts, deed),
    }
}

fn one_role(commit: &Commit, role: FileRole, share: &RoleShare, deed: &str) -> Option<String> {
    let named_already = share.files == 1 && single(commit, share, deed).is_none();
    let said_by_deed = !deed.is_empty() && lines(share).is_none();
    if said_by_deed {
        return None;
    }
    let counted = lines(share).filter(|_| named_already).unwrap_or_else(|| first(commit, share, deed));
    Some(if lines(share).is_some() { format!("{}{counted}", only(role)) } else { format!("Changes {counted}") })
}

/// "only", where the paths make it certain and it is worth mentioning.
fn only(role: FileRole) -> &'static str {
    match role {
        FileRole::Docs => "Documentation only: ",
        FileRole::Tests => "Tests only: ",
        FileRole::Ci => "CI only: ",
        _ => "",
    }
}

fn by_role(commit: &Commit, facts: &Facts, deed: &str) -> Option<String> {
    let (head, rest) = facts.shares.split_first()?;
    if rest.is_empty() {
        return one_role(commit, FileRole::Other, head, deed);
    }
    if facts.shares.iter().all(|share| lines(share).is_none()) {
        return Some(files_only(commit, facts));
    }
    let head_told = first(commit, head, deed);
    // A path keeps its case.
    let mut parts = vec![if lines(head).is_some() { head_told } else { format!("Changes {head_told}") }];
    // Submodules have no lines and are in the headline.
    let is_mentioned = |share: &&RoleShare| {
        let submodules = share.role == FileRole::Other && deed.contains("submodule");
        let mut files = commit.patch.files.iter().filter(|file| role_of(file) == share.role);
        lines(share).is_none()
            && (submodules || files.all(|file| facts.formats.iter().any(|change| change.path == file.path)))
    };
    parts.extend(
        rest.iter().filter(|share| !is_mentioned(share)).take(ROLES - 1).map(|share| further(commit, share, deed)),
    );
    Some(parts.join(", "))
}

/// `3 files changed: 2 source and 1 generated`.
fn files_only(commit: &Commit, facts: &Facts) -> String {
    let of = |share: &RoleShare| format!("{} {}", number(share.files as u64), adjective(commit, share.role));
    let roles: Vec<String> = facts.shares.iter().take(ROLES).map(of).collect();
    format!("{} changed: {}", count(facts.files_total, "file"), list(&roles))
}

/// `+84 −12 in 3 source files`, `+3 in src/a.rs`, `3 source files`.
fn first(commit: &Commit, share: &RoleShare, deed: &str) -> String {
    let noun = format!("{} file", adjective(commit, share.role));
    let files = single(commit, share, deed).unwrap_or_else(|| count(share.files, &noun));
    lines(share).map_or_else(|| files.clone(), |lines| format!("{lines} in {files}"))
}

/// `tests +40 in 1 file`, `1 generated file`.
fn further(commit: &Commit, share: &RoleShare, deed: &str) -> String {
    let named = single(commit, share, deed);
    let Some(lines) = lines(share) else {
        let files = named.unwrap_or_else(|| count(share.files, &format!("{} file", adjective(commit, share.role))));
        return format!("also {files}");
    };
    match (share.role, named) {
        (FileRole::Other, Some(path)) => format!("{lines} in {path}"),
        (FileRole::Other, None) => format!("{lines} in {}", count(share.files, "other file")),
        (role, named) => {
            let files = named.unwrap_or_else(|| count(share.files, "file"));
            let all = if role == FileRole::Generated { adjective(commit, role) } else { role.collective() };
            format!("{all} {lines} in {files}")
        }
    }
}

/// Vendored code is not called generated, though both are read last.
fn adjective(commit: &Commit, role: FileRole) -> &'static str {
    let of_role = |path: &str| role == FileRole::Generated && FileRole::from_path(path) == role;
    let mut copied = commit.patch.files.iter().filter(|file| of_role(&file.path)).map(|f| roles::is_vendored(&f.path));
    match (copied.clone().any(|is| is), copied.all(|is| is)) {
        (true, true) => "vendored",
        (true, false) => "vendored or generated",
        _ => role.adjective(),
    }
}

/// The single file of the role, unless the headline names it.
fn single(commit: &Commit, share: &RoleShare, deed: &str) -> Option<String> {
    if share.files != 1 {
        return None;
    }
    let file = commit.patch.files.iter().find(|file| role_of(file) == share.role)?;
    let shown = path(&file.path);
    (!deed.contains(&shown)).then_some(shown)
}

/// `+84 −12`; `None` if unknown or zero.
fn lines(share: &RoleShare) -> Option<String> {
    let (added, removed) = (share.insertions?, share.deletions?);
    let sign = |mark: char, n: u64| (n > 0).then(|| format!("{mark}{}", number(n)));
    let parts: Vec<String> = sign('+', added).into_iter().chain(sign('−', removed)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
