//! Role assignment: which models may fill a role, from the configuration or from the endpoints' offers.

use serde::Serialize;

use super::merit::{self, Evidence};
use super::offer::{Offer, configured_model};
use super::traits::Traits;
use crate::domain::model::{ListedModel, ModelsConfig, Strategy, same_model};
use crate::domain::role::Role;

/// Share of the memory for models; the rest is for editor, browser and build.
const MEMORY_SHARE: f64 = 0.8;
/// Captures: a model that is fast on most machines.
const CAPTURE_BILLIONS: f64 = 3.0;
/// Drafts have time, but larger models rarely fit a desktop.
const BLOG_BILLIONS: f64 = 13.0;
const DRAFT_BILLIONS: f64 = 7.0;

/// Memory of the machine, to decide whether a model fits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Memory {
    /// Total bytes; `None` where unknown.
    pub ram: Option<u64>,
}

impl Memory {
    /// Bytes available to models; `None` where unknown.
    fn for_models(&self) -> Option<u64> {
        Some((self.ram? as f64 * MEMORY_SHARE) as u64)
    }

    /// Whether a model of `needs` bytes fits beside `loaded` bytes; unknown sizes fit.
    #[must_use]
    pub fn fits(&self, needs: Option<u64>, loaded: u64) -> bool {
        needs.zip(self.for_models()).is_none_or(|(needs, has)| needs.saturating_add(loaded) <= has)
    }
}

/// A model that may fill a role, with its suitability (higher is better).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    pub endpoint: String,
    pub model: String,
    pub suits: f64,
    /// Named in the configuration for this role.
    pub configured: bool,
    /// Share of the weights that spilled from the graphics card into main memory, if any: the slower part sets the
    /// speed.
    pub spilled: Option<f64>,
    /// Reasoning model: emits its reasoning unless told not to.
    pub thinks: bool,
}

/// A model that may not fill the role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnfitModel {
    pub endpoint: String,
    pub model: String,
    pub because: UnfitReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnfitReason {
    /// It runs on a remote machine, and `remote` is not set.
    Cloud,
    /// It produces embeddings, not text.
    Embedding,
    /// Bytes needed and available.
    TooLarge { needs: u64, has: u64 },
}

/// Models for a role, best first, and the unfit ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RoleModels {
    pub proposals: Vec<Proposal>,
    pub unfit: Vec<UnfitModel>,
}

/// Assigns models to a role.
///
/// `single` and `multi` use one model per role where one is configured. `adaptive` prefers the configured one and lets
/// the other configured models stand in when time is short; a role without configuration is filled from all offers.
#[must_use]
pub fn assign_models(
    role: Role,
    models: &ModelsConfig,
    strategy: Strategy,
    offers: &[Offer],
    memory: Memory,
) -> RoleModels {
    let named = configured_model(models, strategy, role);
    // With one model for everything, captures decide: only they have a deadline.
    let judged = if strategy == Strategy::Single && named.is_none() { Role::Capture } else { role };
    let mut cast = RoleModels::default();
    for (offer, model) in offers.iter().flat_map(|offer| offer.models.iter().map(move |model| (offer, model))) {
        let traits = Traits::from_offer(model);
        let own = named.is_some_and(|name| same_model(&model.name, name));
        match unfit(offer, model, &traits, memory) {
            Some(because) => {
                cast.unfit.push(UnfitModel { endpoint: offer.endpoint.clone(), model: model.name.clone(), because });
            }
            None if own || may_stand_in(named, models, strategy, model) => cast.proposals.push(Proposal {
                endpoint: offer.endpoint.clone(),
                model: model.name.clone(),
                suits: rate_suitability(judged, model, &traits) + if own { 1.0 } else { 0.0 },
                configured: own,
                spilled: model.gpu_share.filter(|share| *share > 0.0 && *share < 0.99).map(|share| 1.0 - share),
                thinks: traits.thinks,
            }),
            None => {}
        }
    }
    cast.proposals.sort_by(|a, b| b.suits.total_cmp(&a.suits));
    // Where one model does everything, or each role has one, the others are dropped.
    if strategy != Strategy::Adaptive && named.is_none() {
        cast.proposals.truncate(1);
    }
    cast
}

fn may_stand_in(named: Option<&str>, models: &ModelsConfig, strategy: Strategy, model: &ListedModel) -> bool {
    let mentioned = models.roles.values().chain(&models.default).any(|name| same_model(name, &model.name));
    match (named, strategy) {
        (None, _) => true,
        (Some(_), Strategy::Adaptive) => mentioned,
        (Some(_), Strategy::Single | Strategy::Multi) => false,
    }
}

fn unfit(offer: &Offer, model: &ListedModel, traits: &Traits, memory: Memory) -> Option<UnfitReason> {
    if model.cloud && !offer.remote {
        return Some(UnfitReason::Cloud);
    }
    if !model.completes {
        return Some(UnfitReason::Embedding);
    }
    // Loaded and remote models need no memory check.
    if model.resident == Some(true) || model.cloud || offer.remote {
        return None;
    }
    let needs = traits.needs_bytes?;
    let has = memory.for_models()?;
    (needs > has).then_some(UnfitReason::TooLarge { needs, has })
}

/// Suitability: quality, and for captures closeness to the size that answers in time.
fn rate_suitability(role: Role, model: &ListedModel, traits: &Traits) -> f64 {
    let worth = merit::estimate_quality(traits, role, 1.0, &Evidence::default());
    let ideal = match role {
        Role::Capture => CAPTURE_BILLIONS,
        Role::Blog => BLOG_BILLIONS,
        Role::Devlog | Role::Social | Role::Status => DRAFT_BILLIONS,
    };
    let distance = (traits.billions() / ideal).ln().abs();
    let unknown = if traits.parameters.is_none() { 0.05 } else { 0.0 };
    let thinking = if traits.thinks && role == Role::Capture { 0.15 } else { 0.0 };
    let resident = if model.resident == Some(true) { 0.01 } else { 0.0 };
    worth - 0.12 * distance - unknown - thinking + resident
}

#[cfg(test)]
#[path = "roles_tests.rs"]
mod tests;
