//! Scoring inputs of a routing decision: candidate models with their speed, cached prompts, memory and quality.

use std::time::{Duration, Instant};

use super::endpoints;
use super::idle_task::is_working_time;
use super::knowledge::Learned;
use super::pace::Paced;
use super::sampler::SystemSample;
use super::task::Task;
use crate::config::{Config, EndpointConfig};
use crate::dispatch::pool::Pool;
use crate::domain::model::{ListedModel, Sampling, same_model};
use crate::domain::role::Role;
use crate::prompt::render::RenderedPrompt;
use crate::prompt::tokens::TokenScale;
use crate::route::choice::{Candidate, TRIALS, decide};
use crate::route::decision::{Decision, Rejected};
use crate::route::forecast::{Conditions, Forecast};
use crate::route::key::{ForecastKey, options_hash};
use crate::route::merit;
use crate::route::offer::{Offer, configured_model};
use crate::route::roles::{Memory, Proposal, RoleModels, assign_models};
use crate::route::signals::{Signals, Urgency};
use crate::route::speed::{ModelHardware, Speed};
use crate::route::traits::Traits;

/// The models that the endpoints offer, as far as known.
#[derive(Debug, Clone, Default)]
pub(super) struct Offers {
    pub offers: Vec<Offer>,
    /// Age of each list; absent for one that is only assumed.
    pub listed_at: Vec<Option<Instant>>,
}

/// A candidate model with what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub endpoint: String,
    pub offered: ListedModel,
    pub key: ForecastKey,
    pub seed: Speed,
    /// The role's options, with the context length that all roles share on this model.
    pub sampling: Sampling,
    forecast: Forecast,
    /// Number of earlier runs, of it or of similar models.
    runs: u64,
    /// It is asked whatever the forecast says: too few runs, or not asked for a while.
    is_trial: bool,
    idle_min: f64,
    resident: Option<bool>,
    traits: Traits,
}

/// Inputs of one decision.
pub(super) struct RoutingContext<'a> {
    pub config: &'a Config,
    pub task: &'a Task<'a>,
    pub offers: &'a Offers,
    pub here: SystemSample,
}

impl RoutingContext<'_> {
    /// Candidate models, best suited first.
    pub fn contenders(&self, knowledge: &Learned) -> Vec<Contender> {
        let Self { config, task, offers, here, .. } = self;
        let memory = Memory { ram: here.ram };
        let cast = assign_models(task.role, &config.models, config.capture.strategy, &offers.offers, memory);
        let proposed = cast.proposals.iter().filter(|proposal| self.may_write(proposal, &cast, knowledge));
        let proposed = proposed.filter_map(|proposal| self.find_offered(&proposal.endpoint, &proposal.model));
        let mut found: Vec<Contender> = proposed.map(|(offered, at)| self.contender(offered, at, knowledge)).collect();
        if found.is_empty() {
            found.extend(self.unlisted_contender(knowledge));
        }
        found
    }

    /// A draft has time: there is no reason to replace the model that the user named, unless that one is down or too
    /// few of its drafts can be used.
    fn may_write(&self, proposal: &Proposal, cast: &RoleModels, knowledge: &Learned) -> bool {
        let is_draft = self.task.urgency == Urgency::Batch && self.task.role != Role::Capture;
        let is_there = |proposal: &Proposal| {
            proposal.configured
                && knowledge.breakers.allows_request(&proposal.endpoint, &proposal.model)
                && !knowledge.is_barred(&proposal.endpoint, &proposal.model, self.task.role)
        };
        !is_draft || proposal.configured || !cast.proposals.iter().any(is_there)
    }

    fn find_offered(&self, endpoint: &str, model: &str) -> Option<((String, ListedModel), Option<Instant>)> {
        let at = self.offers.offers.iter().position(|offer| offer.endpoint == endpoint)?;
        let offered = self.offers.offers[at].models.iter().find(|offered| offered.name == model)?;
        Some(((endpoint.to_owned(), offered.clone()), self.offers.listed_at.get(at).copied().flatten()))
    }

    /// A configured model that no endpoint lists goes to the first endpoint: the server's own refusal says more than a
    /// guess, and servers with a single model accept any name.
    fn unlisted_contender(&self, knowledge: &Learned) -> Option<Contender> {
        let name = configured_model(&self.config.models, self.config.capture.strategy, self.task.role)?;
        let first = self.offers.offers.first()?;
        let listed = self.offers.offers.iter().flat_map(|offer| &offer.models);
        let refused = listed.into_iter().any(|offered| same_model(&offered.name, name));
        let assumed = (first.endpoint.clone(), ListedModel::named(name));
        (!refused).then(|| self.contender(assumed, None, knowledge))
    }

    fn contender(
        &self,
        (endpoint, offered): (String, ListedModel),
        at: Option<Instant>,
        knowledge: &Learned,
    ) -> Contender {
        let sampling = self.sampling(&offered);
        let key = ForecastKey {
            endpoint: endpoint.clone(),
            model: offered.name.clone(),
            digest: offered.digest.clone(),
            options: options_hash(&sampling),
            on_battery: self.here.on_battery,
        };
        let machine = ModelHardware {
            cores: self.here.cores,
            gpu_share: offered.gpu_share,
            parameters: offered.parameters,
            size_bytes: offered.size_bytes,
        };
        let seed = Speed::from_hardware(&machine).for_output_limit(sampling.max_tokens);
        let (forecast, idle_min) = knowledge.ledger.forecast_for(&key, seed, self.here.now);
        let runs = knowledge.ledger.runs(&key);
        let is_trial = runs < TRIALS || knowledge.retries.is_due(&endpoint, &offered.name);
        let resident = knowledge.resident((&endpoint, &offered.name), offered.resident, at);
        let traits = Traits::from_offer(&offered);
        Contender { endpoint, key, seed, sampling, forecast, runs, is_trial, idle_min, resident, traits, offered }
    }

    /// The role's options, with the one context length that every request to this model uses: another one would make
    /// the server reload it.
    fn sampling(&self, offered: &ListedModel) -> Sampling {
        let sampling = self.config.options.get(&self.task.role).cloned().unwrap_or_else(default_sampling);
        Sampling { num_ctx: context(self.config, offered), ..sampling }
    }

    /// Decides. `prompt` is the whole one, `scale` converts it to tokens.
    pub fn decide(
        &self,
        contenders: &[Contender],
        (prompt, scale): (&RenderedPrompt, TokenScale),
        knowledge: &Learned,
        (pool, now): (&Pool, Instant),
    ) -> Decision {
        let signals = self.signals(prompt, scale, now);
        let candidate = |contender| self.candidate(contender, (prompt, scale), knowledge, pool, signals.technicality);
        let mut candidates: Vec<Candidate<'_>> = contenders.iter().map(candidate).collect();
        // Without an alternative, a draft that the user asked for justifies a reload.
        if !candidates.iter().any(|candidate| !candidate.evicts && candidate.blocked_by.is_none()) {
            candidates.iter_mut().for_each(|candidate| candidate.evicts = false);
        }
        let last = knowledge.last.get(&self.task.role).map(|(endpoint, model)| (endpoint.as_str(), model.as_str()));
        decide(&signals, &candidates, last)
    }

    fn signals(&self, prompt: &RenderedPrompt, scale: TokenScale, now: Instant) -> Signals {
        let task = self.task;
        let max_tokens = self.config.options.get(&task.role).map_or(1, |sampling| sampling.max_tokens);
        Signals {
            role: task.role,
            urgency: task.urgency,
            traffic: task.traffic,
            prompt_tokens: prompt.prompt_tokens,
            least_tokens: (scale.tokens(&prompt.rules) + LEAST_QUESTION).min(prompt.prompt_tokens),
            max_tokens,
            technicality: task.technicality,
            budget_s: task.budget.as_secs_f64(),
            left_s: task.until.saturating_duration_since(now).as_secs_f64(),
            pressed: self.here.pressed,
            on_battery: self.here.on_battery,
            template_quality: task.template_quality,
        }
    }

    fn candidate<'c>(
        &self,
        contender: &'c Contender,
        (prompt, scale): (&RenderedPrompt, TokenScale),
        knowledge: &Learned,
        pool: &Pool,
        technicality: f64,
    ) -> Candidate<'c> {
        let (whole, rules) = knowledge.cached.common(&contender.endpoint, &contender.offered.name, prompt);
        let is_ahead = self.task.urgency == Urgency::Ahead;
        let is_cold = contender.resident == Some(false);
        let tokens = |bytes: usize| match () {
            // Reading ahead compares the models as if all of the prompt were in the cache already.
            () if is_ahead => prompt.prompt_tokens,
            () if is_cold => 0,
            () => scale.tokens_of(bytes).min(prompt.prompt_tokens),
        };
        Candidate {
            endpoint: &contender.endpoint,
            model: &contender.offered.name,
            // There is time to load it before the commit comes.
            resident: if is_ahead { Some(true) } else { contender.resident },
            cached: tokens(whole),
            cached_rules: tokens(rules),
            queue_s: self.queue_s(contender, pool),
            idle_min: contender.idle_min,
            evicts: self.would_evict(contender, knowledge),
            loads: contender.loads(),
            blocked_by: breaker_rejection(knowledge, contender),
            few_runs: contender.is_trial,
            forecast: &contender.forecast,
            quality: merit::estimate_quality(
                &contender.traits,
                self.task.role,
                technicality,
                &knowledge.evidence(&contender.offered.name, self.task.role),
            ),
            tally: knowledge.tally(&contender.key, self.task.role),
        }
    }

    /// Whether a batch would evict the captures' model during working hours.
    fn would_evict(&self, contender: &Contender, knowledge: &Learned) -> bool {
        let by_day = self.task.urgency == Urgency::Batch && is_working_time(self.config, self.here.now);
        if !by_day || contender.resident != Some(false) {
            return false;
        }
        let Some((endpoint, model)) = knowledge.last.get(&Role::Capture) else { return false };
        let Some(((_, offered), at)) = self.find_offered(endpoint, model) else { return false };
        let is_held = knowledge.resident((endpoint, model), offered.resident, at) == Some(true);
        let (Some(there), Some(here)) = (self.endpoint(endpoint), self.endpoint(&contender.endpoint)) else {
            return false;
        };
        // The memory of another machine is not known here.
        let shared = endpoints::device(there) == endpoints::device(here) && !here.remote;
        let memory = Memory { ram: self.here.ram };
        // A server may hold fewer models than fit into memory.
        let same_server = endpoint == &contender.endpoint && contender.loads();
        is_held
            && shared
            && (same_server
                || !memory.fits(contender.traits.needs_bytes, Traits::from_offer(&offered).needs_bytes.unwrap_or(0)))
    }

    fn endpoint(&self, name: &str) -> Option<&EndpointConfig> {
        self.config.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    fn queue_s(&self, contender: &Contender, pool: &Pool) -> f64 {
        let Some(endpoint) = self.endpoint(&contender.endpoint) else { return 0.0 };
        let device = endpoints::device(endpoint);
        pool.wait(device, endpoints::slots(&self.config.endpoints, device), self.task.urgency).as_secs_f64()
    }
}

impl Contender {
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// It would have to be loaded first.
    pub fn is_cold(&self) -> bool {
        self.resident == Some(false)
    }

    /// Its server would load it for a request.
    pub fn loads(&self) -> bool {
        self.is_cold() && self.offered.loads_on_request
    }

    /// It was run here before.
    pub fn is_known(&self) -> bool {
        self.runs > 0
    }

    pub fn conditions(&self, left: Duration, here: &SystemSample) -> Conditions {
        Conditions {
            left_s: left.as_secs_f64(),
            queue_s: 0.0,
            cold: self.resident == Some(false),
            pressed: here.pressed,
            idle_min: self.idle_min,
        }
    }

    /// The early abort of a capture's answer when the rest is not worth waiting for. `None` for a batch, and for a
    /// model with too few runs for a forecast.
    pub fn paced(&self, task: &Task<'_>, max_tokens: u32, conditions: Conditions) -> Option<Paced> {
        let hurried = matches!(task.urgency, Urgency::Urgent | Urgency::Interactive);
        (hurried && !self.is_trial).then(|| Paced {
            forecast: self.forecast.clone(),
            conditions,
            usual: self.forecast.usual_sentence(max_tokens),
        })
    }
}

fn breaker_rejection(knowledge: &Learned, contender: &Contender) -> Option<Rejected> {
    if knowledge.breakers.allows_request(&contender.endpoint, &contender.offered.name) {
        return None;
    }
    let unreachable = knowledge.breakers.is_unreachable(&contender.endpoint);
    Some(if unreachable { Rejected::Unreachable } else { Rejected::BreakerOpen })
}

/// Fewest tokens of a prompt, beside the rules, that still show what changed.
const LEAST_QUESTION: u32 = 120;

/// The context length of every request to this model: what it is loaded with, else the largest that a role needs which
/// may use it.
pub(super) fn context(config: &Config, offered: &ListedModel) -> u32 {
    let loaded = offered.loaded_context.and_then(|loaded| u32::try_from(loaded).ok());
    if let Some(loaded) = loaded.filter(|loaded| *loaded >= SMALLEST) {
        return loaded;
    }
    let strategy = config.capture.strategy;
    let may_use = |role| match configured_model(&config.models, strategy, role) {
        Some(name) => same_model(name, &offered.name),
        None => true,
    };
    let wanted = config.options.iter().filter(|(role, _)| may_use(**role)).map(|(_, sampling)| sampling.num_ctx).max();
    let wanted = wanted.or_else(|| config.options.values().map(|sampling| sampling.num_ctx).min()).unwrap_or(SMALLEST);
    let trained = offered.context_length.and_then(|trained| u32::try_from(trained).ok()).unwrap_or(u32::MAX);
    wanted.min(trained.max(SMALLEST))
}

/// Smaller contexts, set by another program that loaded the model, are not adopted: they hold no prompt.
const SMALLEST: u32 = 1024;

fn default_sampling() -> Sampling {
    Sampling { temperature: 0.2, top_p: 0.9, top_k: 40, repeat_penalty: 1.1, num_ctx: 4096, max_tokens: 120 }
}

#[cfg(test)]
#[path = "scoring_tests.rs"]
mod tests;
