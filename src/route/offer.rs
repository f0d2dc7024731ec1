//! Models offered by the endpoints, and the model that the configuration names for a role.

use crate::domain::model::{ModelsConfig, Offered, Strategy};
use crate::domain::role::Role;

/// Models listed by one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    pub endpoint: String,
    /// Cloud models of this endpoint may be used.
    pub remote: bool,
    pub models: Vec<Offered>,
}

/// A model on an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub endpoint: String,
    pub model: String,
}

/// The model that the configuration names for `role`, if any.
///
/// `single` uses `models.default` for everything; `multi` and `adaptive` use the role's own, then the default.
#[must_use]
pub fn configured(models: &ModelsConfig, strategy: Strategy, role: Role) -> Option<&str> {
    let own = models.roles.get(&role).map(String::as_str);
    let default = models.default.as_deref();
    match strategy {
        Strategy::Single => default.or(own),
        Strategy::Multi | Strategy::Adaptive => own.or(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(capture: Option<&str>, default: Option<&str>) -> ModelsConfig {
        ModelsConfig {
            roles: capture.map(|name| (Role::Capture, name.to_owned())).into_iter().collect(),
            default: default.map(str::to_owned),
        }
    }

    #[test]
    fn single_means_the_default_for_everything() {
        let models = models(Some("small"), Some("one"));
        assert_eq!(configured(&models, Strategy::Single, Role::Capture), Some("one"));
        assert_eq!(configured(&models, Strategy::Multi, Role::Capture), Some("small"));
        assert_eq!(configured(&models, Strategy::Multi, Role::Blog), Some("one"));
    }
}
