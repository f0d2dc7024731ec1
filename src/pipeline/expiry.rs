//! Retention: deletes operations, prompts and decisions older than `[retention]` allows.

use super::services::Services;
use crate::store::{ExpiringData, Result};

/// Deletes what is older than the settings allow; nothing while the settings cannot be read.
///
/// # Errors
/// The store cannot be written.
pub fn expire(services: &Services) -> Result<()> {
    // Nothing is deleted by settings that the user did not choose.
    let Ok(config) = services.readable_config(None) else { return Ok(()) };
    let (kept, now) = (config.retention, services.clock.now());
    for (what, time) in [
        (ExpiringData::Operations, kept.operations),
        (ExpiringData::Prompts, kept.prompts),
        (ExpiringData::Decisions, kept.decisions),
        (ExpiringData::Problems, kept.problems),
        (ExpiringData::Squashes, kept.squashes),
        (ExpiringData::Copies, kept.copies),
    ] {
        services.store.expire(what, now - time)?;
    }
    Ok(())
}
