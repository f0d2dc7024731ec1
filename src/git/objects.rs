//! Object reader interface with a libgit2 implementation; the child process implements it as well.

use super::GitError;
use crate::domain::id::Oid;

/// Read access to an object database.
pub trait Objects {
    /// Size in bytes, without loading the object; `None` when the object is missing.
    fn size(&self, id: &Oid) -> Option<u64>;
    /// The object's content; `None` when the object is missing.
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
