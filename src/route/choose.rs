//! Role + strategy + what the endpoints offer → one model on one endpoint.

use crate::config::{ModelsConfig, Strategy};
use crate::domain::role::Role;
use crate::llm::{Offered, same_model};

/// What one endpoint was seen to offer.
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

/// The model that the configuration names for `role`, if it names one.
///
/// `single` uses `models.default` for everything; `multi` and `adaptive` use the role's own,
/// then the default.
#[must_use]
pub fn configured(models: &ModelsConfig, strategy: Strategy, role: Role) -> Option<&str> {
    let own = models.roles.get(&role).map(String::as_str);
    let default = models.default.as_deref();
    match strategy {
        Strategy::Single => default.or(own),
        Strategy::Multi | Strategy::Adaptive => own.or(default),
    }
}

/// Finds the endpoint for the configured model, or fills the role from what is offered.
///
/// A configured model that nobody lists goes to the first endpoint: that server's own refusal says more
/// than a guess of ours, and servers with a single model take any name.
#[must_use]
pub fn choose(named: Option<&str>, role: Role, offers: &[Offer]) -> Option<Choice> {
    match named {
        Some(name) => offers.iter().find_map(|offer| listed(offer, name)).or_else(|| {
            offers.first().map(|offer| Choice { endpoint: offer.endpoint.clone(), model: name.to_owned() })
        }),
        None => fill(role, offers),
    }
}

fn listed(offer: &Offer, name: &str) -> Option<Choice> {
    let model = offer.models.iter().find(|model| same_model(&model.name, name))?;
    Some(Choice { endpoint: offer.endpoint.clone(), model: model.name.clone() })
}

/// Captures want the smallest model, which answers soonest; drafts the largest, which writes best.
/// Unknown sizes come last either way; a tie goes to the one that is loaded already.
fn fill(role: Role, offers: &[Offer]) -> Option<Choice> {
    offers
        .iter()
        .flat_map(|offer| offer.models.iter().map(move |model| (offer, model)))
        .filter(|(offer, model)| model.completes && (offer.remote || !model.cloud))
        .min_by_key(|(_, model)| (preference(role, model), model.resident != Some(true)))
        .map(|(offer, model)| Choice { endpoint: offer.endpoint.clone(), model: model.name.clone() })
}

fn preference(role: Role, model: &Offered) -> u64 {
    let size = model.parameters.or(model.size_bytes);
    match (role, size) {
        (_, None) => u64::MAX,
        (Role::Capture | Role::Status, Some(size)) => size,
        (Role::Devlog | Role::Blog | Role::Social, Some(size)) => u64::MAX - 1 - size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, billions: u64) -> Offered {
        Offered { parameters: (billions > 0).then_some(billions * 1_000_000_000), ..Offered::named(name) }
    }

    fn offer(endpoint: &str, models: Vec<Offered>) -> Offer {
        Offer { endpoint: endpoint.into(), remote: false, models }
    }

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

    #[test]
    fn a_configured_model_is_found_on_whichever_endpoint_lists_it() {
        let offers = [offer("a", vec![model("x:7b", 7)]), offer("b", vec![model("Mistral:latest", 7)])];
        let choice = choose(Some("mistral"), Role::Capture, &offers).unwrap();
        assert_eq!((choice.endpoint.as_str(), choice.model.as_str()), ("b", "Mistral:latest"));
    }

    #[test]
    fn a_configured_model_nobody_lists_is_asked_of_the_first_endpoint() {
        let offers = [offer("a", vec![]), offer("b", vec![model("y", 3)])];
        assert_eq!(choose(Some("gone"), Role::Capture, &offers).unwrap().endpoint, "a");
    }

    #[test]
    fn an_unnamed_role_is_filled_small_for_captures_and_large_for_drafts() {
        let offers = [offer("a", vec![model("mid", 7), model("unknown", 0), model("big", 13), model("small", 3)])];
        assert_eq!(choose(None, Role::Capture, &offers).unwrap().model, "small");
        assert_eq!(choose(None, Role::Blog, &offers).unwrap().model, "big");
    }

    #[test]
    fn cloud_and_embedding_models_never_fill_a_role() {
        let cloud = Offered { cloud: true, ..model("far", 1) };
        let embedding = Offered { completes: false, ..model("embed", 1) };
        let offers = [offer("a", vec![cloud, embedding])];
        assert_eq!(choose(None, Role::Capture, &offers), None);
    }
}
