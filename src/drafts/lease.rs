//! Lease times: how long a draft may be written before another process may take it over.

use std::time::Duration;

use crate::domain::role::{ROLES, Role};

/// Reserve after the model's time for cleaning, the template and the write.
const MARGIN: Duration = Duration::from_secs(60);

/// How often a draft is claimed before it counts as poison and is set aside as dead.
pub const MAX_ATTEMPTS: u32 = 5;

/// How long the role's model may take over one draft, as a batch: a 13B model on one core needs about 270 s for 2,000
/// tokens in and 200 out, a 7B about 170 s.
#[must_use]
pub fn model_time(role: Role) -> Duration {
    Duration::from_secs(match role {
        Role::Blog => 600,
        Role::Devlog => 300,
        Role::Social | Role::Status | Role::Capture => 180,
    })
}

/// Lease time that outlasts every role's model time: the role is known only after the claim.
#[must_use]
pub fn duration() -> Duration {
    ROLES.into_iter().map(model_time).max().unwrap_or(MARGIN) + MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlasts_the_slowest_model_with_time_to_write() {
        for role in ROLES {
            assert!(duration() >= model_time(role) + MARGIN, "{role:?}");
        }
    }

    #[test]
    fn larger_texts_get_more_time() {
        assert!(model_time(Role::Blog) > model_time(Role::Devlog));
        assert!(model_time(Role::Devlog) > model_time(Role::Social));
    }
}
