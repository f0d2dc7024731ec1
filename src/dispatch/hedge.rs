//! Hedged request: a second request to another device where the first stays silent. Rare, because it doubles the work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::scoring::{Contender, Offers, RoutingContext};
use super::{Attempt, Models, PreparedRequest, RoutedTask, Task, endpoints, seen};
use crate::config::Config;
use crate::llm::{ClockFired, Finish, LlmError, ModelAnswer};
use crate::route::signals::Urgency;

/// Quantile of the first token's time after which an answer counts as late.
const USUALLY: f64 = 0.9;
/// Below this a late token is chance, and a second connection hardly faster.
const LEAST: Duration = Duration::from_millis(300);
/// One answer in so many may be hedged.
const ONE_IN: f64 = 20.0;

/// Which of the two requests won.
pub(super) enum Hedged {
    First(Result<ModelAnswer, LlmError>),
    Second(Box<Attempt>),
}

/// Budget of hedged requests: a token bucket that holds one.
#[derive(Debug)]
pub(super) struct Allowance(f64);

impl Default for Allowance {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Allowance {
    /// Adds the share of one answer.
    fn earn(&mut self) {
        self.0 = (self.0 + 1.0 / ONE_IN).min(1.0);
    }

    fn spend(&mut self) -> bool {
        // A sum of twentieths falls a little short of one.
        let has = self.0 > 1.0 - 0.5 / ONE_IN;
        if has {
            self.0 = 0.0;
        }
        has
    }
}

impl Models {
    /// Asks; where the first token is late, asks another device as well. The first usable answer counts, and the other
    /// request is dropped.
    pub(super) async fn ask_hedged(
        &self,
        config: &Config,
        task: &Task<'_>,
        settled: &RoutedTask,
        order: &PreparedRequest<'_>,
    ) -> Hedged {
        let (heard, other) = (AtomicBool::new(false), AtomicBool::new(false));
        let first = self.ask_one(config, task, order, &settled.here, &heard);
        let Some(patience) = self.hears_by(config, task, settled, order) else { return Hedged::First(first.await) };
        let sent = self.clock.instant();
        let mut first = std::pin::pin!(first);
        tokio::select! {
            result = &mut first => return Hedged::First(result),
            () = tokio::time::sleep_until(patience.into()) => {}
        }
        let hedge =
            if heard.load(Ordering::Relaxed) { None } else { Some(self.elsewhere(config, task, settled, order)) };
        let Some(hedge) = hedge else { return Hedged::First(first.await) };
        let Some(second) = self.order(config, task, &hedge) else { return Hedged::First(first.await) };
        if !self.knowledge().hedges.spend() {
            return Hedged::First(first.await);
        }
        tracing::info!(first = order.contender.endpoint, second = second.contender.endpoint, "asked a second device");
        let mut twice = std::pin::pin!(self.ask_one(config, task, &second, &hedge.here, &other));
        tokio::select! {
            result = &mut first => {
                if is_usable(&result) {
                    return Hedged::First(result);
                }
                let second_result = twice.await;
                if is_usable(&second_result) { self.won(task, &second, second_result, &hedge) } else { Hedged::First(result) }
            }
            result = &mut twice => {
                if !is_usable(&result) {
                    return Hedged::First(first.await);
                }
                if !heard.load(Ordering::Relaxed) {
                    self.learn_late(order, self.clock.instant().saturating_duration_since(sent), settled);
                }
                self.won(task, &second, result, &hedge)
            }
        }
    }

    fn won(
        &self,
        task: &Task<'_>,
        order: &PreparedRequest<'_>,
        result: Result<ModelAnswer, LlmError>,
        hedge: &RoutedTask,
    ) -> Hedged {
        Hedged::Second(Box::new(self.attempt(task, order, result, hedge.decision.clone())))
    }

    /// Deadline of the first token; `None` where no other device could be asked.
    fn hears_by(
        &self,
        config: &Config,
        task: &Task<'_>,
        settled: &RoutedTask,
        order: &PreparedRequest<'_>,
    ) -> Option<Instant> {
        if !matches!(task.urgency, Urgency::Urgent | Urgency::Interactive) {
            return None;
        }
        self.knowledge().hedges.earn();
        let now = self.clock.instant();
        let one = order.contender;
        let has_others = settled.contenders.iter().any(|other| is_elsewhere(config, other, one));
        if !has_others || !one.is_known() {
            return None;
        }
        let conditions = one.conditions(task.until.saturating_duration_since(now), &settled.here);
        let usually = one.forecast().ttft_within_s(&order.work, &conditions, USUALLY);
        let usually = Duration::try_from_secs_f64(usually).ok()?.max(LEAST);
        now.checked_add(usually).filter(|at| *at < task.until)
    }

    /// The same decision for the remaining time, among the models on other devices.
    fn elsewhere(
        &self,
        config: &Config,
        task: &Task<'_>,
        settled: &RoutedTask,
        order: &PreparedRequest<'_>,
    ) -> RoutedTask {
        let others = settled.contenders.iter().filter(|other| is_elsewhere(config, other, order.contender));
        let contenders: Vec<Contender> = others.cloned().collect();
        let offers = Offers::default();
        let scene = RoutingContext { config, task, offers: &offers, here: settled.here };
        let shown = (&settled.prompt, settled.size.budget.scale);
        let now = (self.turns.as_ref(), self.clock.instant());
        let decision = scene.decide(&contenders, shown, &self.knowledge(), now);
        let RoutedTask { size, here, .. } = *settled;
        RoutedTask { decision, prompt: settled.prompt.clone(), size, contenders, here }
    }

    /// A token that was late by this much is learned even where nothing waited for it to the end.
    fn learn_late(&self, order: &PreparedRequest<'_>, took: Duration, settled: &RoutedTask) {
        let result = Err(LlmError::Deadline(ClockFired::FirstToken));
        let (work, cold) = (order.work, order.contender.is_cold());
        let run = seen::ModelRun { work, result: &result, took, pressed: settled.here.pressed, cold };
        let one = order.contender;
        let mut knowledge = self.knowledge();
        if let Some(observed) = run.observed() {
            knowledge.ledger.learn(&one.key, one.seed, &observed, self.clock.now());
            self.keep(knowledge.ledger.entry(&one.key));
        }
    }
}

fn is_elsewhere(config: &Config, other: &Contender, one: &Contender) -> bool {
    let device = |name: &str| config.endpoints.iter().find(|endpoint| endpoint.name == name).map(endpoints::device);
    device(&other.endpoint) != device(&one.endpoint)
}

fn is_usable(result: &Result<ModelAnswer, LlmError>) -> bool {
    result.as_ref().is_ok_and(|answer| answer.finish != Finish::Aborted && !answer.text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_in_twenty_may_be_asked_for_twice_and_none_is_saved_up() {
        let mut allowance = Allowance::default();
        (0..100).for_each(|_| allowance.earn());
        let spent: Vec<usize> = (0..60)
            .filter(|_| {
                let spent = allowance.spend();
                allowance.earn();
                spent
            })
            .collect();
        assert_eq!(spent, [0, 20, 40]);
    }
}
