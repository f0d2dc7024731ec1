//! Whether a model server has ever answered on this machine: only then does the user expect a model's text.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Models;
use crate::store::{RouterState, StoreError};

/// Key of the time when a server first answered (RFC 3339).
const MARK: &str = "model-server.first-answer";

/// Shown once, instead of a reason for each capture, where no server has ever answered.
pub const NEVER_ANSWERED: &str = "no model answered; captures use the template";

/// True once any model server has listed its models or answered a request of this installation. A learned forecast
/// proves the same for stores that are older than the key.
///
/// # Errors
/// The store cannot be read.
pub fn has_ever_answered(store: &dyn RouterState) -> Result<bool, StoreError> {
    Ok(store.mark(MARK)?.is_some() || store.forecasts()?.iter().next().is_some())
}

impl Models {
    /// Records the first answer of a server, off the event loop; a failed write is retried with the next answer.
    pub(super) fn note_presence(&self) {
        if self.present.swap(true, Ordering::Relaxed) {
            return;
        }
        let (store, now, present) = (Arc::clone(&self.store), self.clock.now(), Arc::clone(&self.present));
        drop(tokio::task::spawn_blocking(move || {
            let known = store.mark(MARK).is_ok_and(|mark| mark.is_some());
            if !known && store.set_mark(MARK, Some(&now.to_string())).is_err() {
                present.store(false, Ordering::Relaxed);
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MarkStore;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn a_store_knows_nothing_of_a_server_until_one_answers() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("captures.db")).unwrap().store;
        assert!(!has_ever_answered(&store).unwrap());
        store.set_mark(MARK, Some("2026-03-01T12:00:00Z")).unwrap();
        assert!(has_ever_answered(&store).unwrap());
    }
}
