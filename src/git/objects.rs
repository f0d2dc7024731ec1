//! Reading objects by id, from libgit2 or from the child, so that everything above is written once.

use super::GitError;
use crate::domain::id::Oid;

/// The two questions that reading a commit asks of an object database.
pub trait Objects {
    /// Size in bytes, without loading the object; absent when the repository does not have it.
    fn size(&self, id: &Oid) -> Option<u64>;
    /// The object's content; absent when the repository does not have it.
    fn read(&self, id: &Oid) -> Option<Vec<u8>>;
}

/// Objects through libgit2.
pub struct Library<'repo> {
    odb: git2::Odb<'repo>,
}

impl<'repo> Library<'repo> {
    pub fn new(repo: &'repo git2::Repository) -> Result<Self, GitError> {
        let odb = repo.odb().map_err(|error| GitError::git("cannot open the object database", error))?;
        Ok(Self { odb })
    }
}

impl Objects for Library<'_> {
    fn size(&self, id: &Oid) -> Option<u64> {
        let id = git2::Oid::from_str(id.as_str()).ok()?;
        let (size, _) = self.odb.read_header(id).ok()?;
        u64::try_from(size).ok()
    }

    fn read(&self, id: &Oid) -> Option<Vec<u8>> {
        let id = git2::Oid::from_str(id.as_str()).ok()?;
        Some(self.odb.read(id).ok()?.data().to_vec())
    }
}
