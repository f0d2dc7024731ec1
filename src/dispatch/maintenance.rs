//! Idle tasks of the models: list, load and measure the models that commits will ask.
//!
//! Everything here runs with batch priority: any other request preempts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::asking::{Asking, RoutedTask};
use super::endpoints::{self, CachedList, EndpointSlot};
use super::prefill::recallable;
use super::scoring::{Contender, context};
use super::{Size, Task, model_run};
use crate::config::{Config, EndpointConfig};
use crate::domain::model::{ListedModel, Sampling};
use crate::domain::role::Role;
use crate::llm::ModelRequest;
use crate::prompt::render::{RenderedPrompt, commit_rules};
use crate::prompt::tokens::TokenScale;
use crate::route::breaker::RequestOutcome;
use crate::route::decision::Chosen;
use crate::route::forecast::Work;
use crate::route::roles::Memory;
use crate::route::signals::Urgency;
use crate::route::traits::Traits;
use crate::route::tuning::shortened;

/// Timeout of a probed server's list: longer than for a capture, since no request waits.
const PROBING: Duration = Duration::from_secs(3);
/// A closed port refuses at once.
const MEETING: Duration = Duration::from_millis(100);
/// Words of the two probe prompts by which a model is measured, and tokens that it writes: about 40 and 200 tokens.
const PROBES: [usize; 2] = [20, 170];
const WRITTEN: u32 = 20;

/// State of the model that a commit would ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferred {
    /// It is not loaded.
    pub cold: bool,
    /// It fits into memory beside the loaded models.
    pub fits: bool,
    /// The rules of a commit's prompt are not in its server's prefix cache.
    pub unread: bool,
    /// It was never run here.
    pub unknown: bool,
}

impl Preferred {
    /// Whether to load it, or let it read the rules, before a commit comes.
    #[must_use]
    pub fn wants_warmth(self) -> bool {
        (self.cold && self.fits) || (!self.cold && (self.unread || self.unknown))
    }
}

/// Outcome of an idle task: done, failed, or preempted by a request with higher priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleTaskOutcome {
    /// It is done.
    Done,
    /// It could not be done.
    Failed,
    /// Preempted: another request needed the device.
    Preempted,
}

/// Idle tasks: probing, listing, loading and measuring.
pub struct Maintenance {
    pub(super) asking: Arc<Asking>,
    /// The endpoints were checked before the first text without a model call.
    pub(super) met: AtomicBool,
}

impl std::fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maintenance").finish_non_exhaustive()
    }
}

impl Maintenance {
    /// Time of the next probe of an open breaker.
    #[must_use]
    pub fn probe_at(&self) -> Option<Instant> {
        self.asking.knowledge.learned().breakers.next_probe_at()
    }

    /// Probes open breakers that are due; true when one closed. Commits avoid the endpoint meanwhile.
    pub async fn probe_broken(&self, config: &Config) -> bool {
        let due = self.asking.knowledge.learned().breakers.take_due_probes(self.asking.clock.instant());
        let mut back = false;
        for (name, model) in due {
            let endpoint = config.endpoints.iter().find(|endpoint| endpoint.name == name);
            // An endpoint that is no longer configured is not probed; its breaker stays as it is.
            let Some(slot) = endpoint.and_then(|endpoint| self.asking.catalogue.endpoints.slot(endpoint).ok()) else {
                continue;
            };
            let happened = match model.as_str() {
                "" => self.probe_endpoint(&slot).await,
                model => self.probe_model(config, &slot, model).await,
            };
            tracing::info!(endpoint = name, model, ?happened, "probed an open breaker");
            back |= matches!(happened, Some(RequestOutcome::Answered | RequestOutcome::Busy));
            if let Some(happened) = happened {
                self.asking.knowledge.learned().breakers.record_outcome(
                    &name,
                    &model,
                    happened,
                    self.asking.clock.instant(),
                );
            }
        }
        back
    }

    /// Refreshes the model list of every endpoint. A silent one is known to be down before a commit asks it.
    pub async fn refresh_lists(&self, config: &Config) {
        for endpoint in &config.endpoints {
            let Ok(slot) = self.asking.catalogue.endpoints.slot(endpoint) else { continue };
            // Probes have a schedule of their own.
            if self.asking.knowledge.learned().breakers.allows_request(&endpoint.name, "")
                && let Some(happened) = self.probe_endpoint(&slot).await
            {
                self.asking.knowledge.learned().breakers.record_outcome(
                    &endpoint.name,
                    "",
                    happened,
                    self.asking.clock.instant(),
                );
            }
        }
    }

    /// Checks once, with a short timeout, whether any server listens: templates without a model call name the reason.
    pub async fn check_presence(&self, config: &Config) {
        if !self.met.swap(true, Ordering::Relaxed) {
            // A server that is silent until then is not known to be down.
            let _ = tokio::time::timeout(MEETING, self.refresh_lists(config)).await;
        }
    }

    async fn probe_endpoint(&self, slot: &EndpointSlot) -> Option<RequestOutcome> {
        match self.asking.catalogue.endpoints.look_again(slot, self.asking.clock.instant() + PROBING).await {
            Ok(_) => {
                self.asking.knowledge.note_presence();
                Some(RequestOutcome::Answered)
            }
            Err(error) => model_run::list_error_event(&error),
        }
    }

    /// Lets the model read the captures' rules, as a capture would, and write one token.
    async fn probe_model(&self, config: &Config, slot: &EndpointSlot, model: &str) -> Option<RequestOutcome> {
        let offered = self.listed_models(slot).into_iter().find(|offered| offered.name == model);
        let offered = offered.unwrap_or_else(|| ListedModel::named(model));
        // A probe does not evict another model.
        if offered.loads_on_request {
            return None;
        }
        let sampling = config.options.get(&Role::Capture).cloned()?;
        let sampling = Sampling { num_ctx: context(config, &offered), ..sampling };
        let until = self.asking.clock.instant() + LONGEST;
        let ask = ModelRequest {
            model: model.to_owned(),
            rules: commit_rules().rules,
            question: String::new(),
            sampling: shortened(&sampling, 1),
            wording: None,
            until,
            keep_alive: None,
            prompt_estimate: None,
        };
        let rules = |_: &Size| commit_rules();
        let task = Task::capture(Urgency::Batch, config.capture.budget, until, &rules);
        let turn = self.asking.turn(config, &slot.config, &task, LONGEST.as_secs_f64()).await.ok()?;
        model_run::breaker_event(&recallable(&turn, slot.client.request_answer(&ask)).await?)
    }

    /// State of the model that a commit would ask after its change was read ahead; `None` where no model would be.
    pub async fn preferred(&self, config: &Config) -> Option<Preferred> {
        let settled = self.settle_ahead(config).await?;
        let chosen = find_chosen(&settled)?;
        let (read, _) =
            self.asking.knowledge.learned().cached.common(&chosen.endpoint, &chosen.offered.name, &settled.prompt);
        Some(Preferred {
            cold: chosen.is_cold(),
            fits: self.fits_in_memory(config, chosen, settled.here.ram),
            unread: read < settled.prompt.rules.len(),
            unknown: !chosen.is_known(),
        })
    }

    /// Loads the model that a commit would ask and lets it read the common prefix of all capture prompts. A model that
    /// was never run is measured first, by two uncached prompts, because the rules must be the last prompt read.
    pub async fn warm(&self, config: &Config, until: Instant) -> IdleTaskOutcome {
        let Some(settled) = self.settle_ahead(config).await else { return IdleTaskOutcome::Failed };
        let Some(chosen) = find_chosen(&settled) else { return IdleTaskOutcome::Failed };
        self.asking
            .knowledge
            .learned()
            .last
            .insert(Role::Capture, (chosen.endpoint.clone(), chosen.offered.name.clone()));
        if !chosen.is_known() {
            let task_outcome = self.probe(config, (chosen, &settled), until).await;
            if task_outcome != IdleTaskOutcome::Done {
                return task_outcome;
            }
        }
        let task_outcome = self.run(config, (chosen, &settled), &settled.prompt, 1, until).await;
        tracing::info!(
            endpoint = chosen.endpoint,
            model = chosen.offered.name,
            ?task_outcome,
            "loaded the model of captures"
        );
        task_outcome
    }

    /// Measures the model with a speed that the last decisions were uncertain about.
    pub async fn measure(&self, config: &Config, until: Instant) -> IdleTaskOutcome {
        let Some((endpoint, model)) = self.asking.knowledge.learned().doubtful.pop() else {
            return IdleTaskOutcome::Failed;
        };
        let Some(settled) = self.settle_ahead(config).await else { return IdleTaskOutcome::Failed };
        let mut all = settled.contenders.iter();
        let found = all.find(|chosen| chosen.endpoint == endpoint && chosen.offered.name == model && !chosen.is_cold());
        let Some(chosen) = found else { return IdleTaskOutcome::Failed };
        let task_outcome = self.probe(config, (chosen, &settled), until).await;
        tracing::info!(endpoint, model, ?task_outcome, "measured a model");
        task_outcome
    }

    /// Whether a model is due for measurement.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        !self.asking.knowledge.learned().doubtful.is_empty()
    }

    /// The models were asked meanwhile: no measurement is needed.
    pub fn settle_doubts(&self) {
        self.asking.knowledge.learned().doubtful.clear();
    }

    async fn probe(
        &self,
        config: &Config,
        (chosen, settled): (&Contender, &RoutedTask),
        until: Instant,
    ) -> IdleTaskOutcome {
        for words in PROBES {
            let prompt = self.nonce(words);
            let task_outcome = self.run(config, (chosen, settled), &prompt, WRITTEN, until).await;
            if task_outcome != IdleTaskOutcome::Done {
                return task_outcome;
            }
        }
        // Servers with a single prompt slot have lost our prompt.
        self.asking.knowledge.learned().cached.forget(&chosen.endpoint, &chosen.offered.name);
        IdleTaskOutcome::Done
    }

    /// A prompt with a beginning that was never sent before.
    fn nonce(&self, words: usize) -> RenderedPrompt {
        // The fastest changing digits come first: a cache compares from the first byte.
        let stamp: String = self.asking.clock.now().as_nanosecond().to_string().chars().rev().collect();
        let rules = format!("{stamp} Repeat the words.");
        let question: String = (0..words).map(|word| format!("{} ", WORDS[word % WORDS.len()])).collect();
        let prompt_tokens = TokenScale::default().tokens(&rules) + TokenScale::default().tokens(&question);
        RenderedPrompt { rules, question, prompt_tokens, ..commit_rules() }
    }

    /// Sends one short request and learns from it as from any other.
    async fn run(
        &self,
        config: &Config,
        (chosen, settled): (&Contender, &RoutedTask),
        prompt: &RenderedPrompt,
        tokens: u32,
        until: Instant,
    ) -> IdleTaskOutcome {
        let Ok(slot) = self.asking.slot(config, chosen) else { return IdleTaskOutcome::Failed };
        let cached = self.asking.knowledge.learned().cached.common(&chosen.endpoint, &chosen.offered.name, prompt).0;
        let cached =
            if chosen.is_cold() { 0 } else { TokenScale::default().tokens_of(cached).min(prompt.prompt_tokens) };
        let work = Work { uncached: prompt.prompt_tokens - cached, cached, allowed: tokens };
        let conditions = chosen.conditions(until.saturating_duration_since(self.asking.clock.instant()), &settled.here);
        let lasts = chosen.forecast().outlook(&work, &conditions).total_s;
        let same = |_: &Size| prompt.clone();
        let task = Task::capture(Urgency::Batch, config.capture.budget, until, &same);
        let Ok(turn) = self.asking.turn(config, &slot.config, &task, lasts).await else {
            return IdleTaskOutcome::Preempted;
        };
        let ask = ModelRequest {
            model: chosen.offered.name.clone(),
            rules: prompt.rules.clone(),
            question: prompt.question.clone(),
            sampling: shortened(&chosen.sampling, tokens),
            wording: None,
            until,
            keep_alive: Some(self.asking.keep_alive(config, Urgency::Ahead, chosen, &settled.here)),
            prompt_estimate: None,
        };
        let sent = self.asking.clock.instant();
        let Some(result) = recallable(&turn, slot.client.request_answer(&ask)).await else {
            return IdleTaskOutcome::Preempted;
        };
        let elapsed = self.asking.clock.instant().saturating_duration_since(sent);
        self.asking.knowledge.learn(
            chosen,
            &ask,
            &model_run::ModelRun {
                work,
                result: &result,
                elapsed,
                pressed: settled.here.pressed,
                cold: chosen.is_cold(),
            },
        );
        if result.is_ok() { IdleTaskOutcome::Done } else { IdleTaskOutcome::Failed }
    }

    async fn settle_ahead(&self, config: &Config) -> Option<RoutedTask> {
        let until = self.asking.clock.instant() + config.capture.budget;
        let rules = |_: &Size| commit_rules();
        let task = Task::capture(Urgency::Ahead, config.capture.budget, until, &rules);
        let settled = tokio::time::timeout_at(until.into(), self.asking.route_task(config, &task)).await.ok()?;
        settled.ok()
    }

    fn listed_models(&self, slot: &EndpointSlot) -> Vec<ListedModel> {
        match self.asking.catalogue.endpoints.cached_list(slot) {
            CachedList::Fresh(offer, _) | CachedList::Stale(offer, _) => offer.models,
            CachedList::Nothing => Vec::new(),
        }
    }

    /// Whether the model fits beside the loaded ones on its device. Remote devices are not checked.
    fn fits_in_memory(&self, config: &Config, chosen: &Contender, ram: Option<u64>) -> bool {
        let Some(endpoint) = config.endpoints.iter().find(|endpoint| endpoint.name == chosen.endpoint) else {
            return true;
        };
        let neighbours =
            config.endpoints.iter().filter(|other| endpoints::device(other) == endpoints::device(endpoint));
        let loaded: u64 = neighbours.flat_map(|other| self.loaded_beside(other, chosen)).sum();
        endpoint.remote || Memory { ram }.fits(Traits::from_offer(&chosen.offered).needs_bytes, loaded)
    }

    /// Bytes of each other model that is loaded there.
    fn loaded_beside(&self, endpoint: &EndpointConfig, chosen: &Contender) -> Vec<u64> {
        let models =
            self.asking.catalogue.endpoints.slot(endpoint).map(|slot| self.listed_models(&slot)).unwrap_or_default();
        let others = models.iter().filter(|other| other.resident == Some(true) && other.name != chosen.offered.name);
        others.filter_map(|other| Traits::from_offer(other).needs_bytes).collect()
    }
}

/// A model that has not read so little by then is of no use.
const LONGEST: Duration = Duration::from_secs(120);
/// Short words that every tokenizer's vocabulary has.
const WORDS: [&str; 7] = ["red", "green", "blue", "black", "white", "brown", "gold"];

fn find_chosen(settled: &RoutedTask) -> Option<&Contender> {
    let Chosen::Model { model, endpoint, .. } = &settled.decision.choice else { return None };
    settled.contenders.iter().find(|chosen| chosen.offered.name == *model && chosen.endpoint == *endpoint)
}
