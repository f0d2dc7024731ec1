//! Retention: deletes operations, prompts and decisions older than `[retention]` allows.

use super::services::Services;
use crate::store::{Expiring, Result};

/// Deletes what is older than the settings allow; nothing while the settings cannot be read.
///
/// # Errors
/// The store cannot be written.
pub fn expire(services: &Services) -> Result<()> {
    // Nothing is deleted by settings that the user did not choose.
    let Ok(config) = services.readable_config(None) else { return Ok(()) };
    let (kept, now) = (config.retention, services.clock.now());
    for (what, time) in [
        (Expiring::Operations, kept.operations),
        (Expiring::Prompts, kept.prompts),
        (Expiring::Decisions, kept.decisions),
        (Expiring::Problems, kept.problems),
        (Expiring::Squashes, kept.squashes),
        (Expiring::Copies, kept.copies),
    ] {
        services.store.expire(what, now - time)?;
    }
    Ok(())
}
