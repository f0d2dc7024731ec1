//! Removing what was kept long enough: `[retention]`.

use super::services::Services;
use crate::store::{Expiring, Result};

/// Removes what is older than the settings say; while they cannot be read, nothing.
///
/// # Errors
/// The store cannot be written.
pub fn expire(services: &Services) -> Result<()> {
    // Nothing is deleted by settings that the person did not choose.
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
