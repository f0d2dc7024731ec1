//! Disk usage of the program's files.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::config::Paths;
use crate::store::{MaintenanceStore, Result};

/// In bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The database with its log.
    pub database: u64,
    /// Old copies of the database: of before a migration, and damaged ones.
    pub copies: u64,
    /// The sidecar's log and the one before it.
    pub log: u64,
    /// Processed and unread hook reports.
    pub spool: u64,
    /// Titles and texts of drafts, which are part of the database.
    pub drafts: u64,
}

impl Sizes {
    /// # Errors
    /// The store cannot be read.
    pub fn measure(paths: &Paths, store: &dyn MaintenanceStore) -> Result<Self> {
        let of_store = store.sizes()?;
        let logs = [paths.log(), crate::config::paths::previous_log(&paths.log()), paths.service_log()];
        Ok(Self {
            database: of_store.database,
            copies: of_store.copies,
            log: logs.iter().map(|log| fs::metadata(log).map_or(0, |found| found.len())).sum(),
            spool: directory_size(&paths.spool()) + directory_size(&paths.skipped()),
            drafts: of_store.drafts,
        })
    }
}

/// The files in one directory.
fn directory_size(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file).map(|found| found.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::PipelineFixture;

    #[test]
    fn every_file_is_counted_in_its_place() {
        let scene = PipelineFixture::new();
        let (paths, store) = (&scene.services.paths, scene.services.store.as_ref());
        let before = Sizes::measure(paths, store).unwrap();
        let file = |path: std::path::PathBuf, bytes: usize| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![b'x'; bytes]).unwrap();
        };
        file(paths.log(), 10);
        file(paths.state.join("sidecar.log.old"), 200);
        file(paths.spool().join("events-3.log"), 3_000);
        file(paths.skipped().join("unread-1.log"), 40_000);
        file(paths.data.join("captures.db.schema-3"), 500_000);
        file(paths.data.join("captures.db.corrupt-20260301T000000Z-wal"), 6_000_000);
        file(paths.data.join("of another program"), 70_000_000);
        let after = Sizes::measure(paths, store).unwrap();
        assert!(before.database > 4096);
        assert_eq!((after.database, after.drafts), (before.database, 0));
        assert_eq!(after.log - before.log, 210);
        assert_eq!((after.spool - before.spool, after.copies), (43_000, 6_500_000));
    }
}
