//! Model routing: picks the candidate with the best expected quality, i.e. text quality times the chance to be in time.

use super::budget::{BudgetRequest, CAREFUL, CONFIDENCE, TokenPlan, plan};
use super::decision::{Chosen, Decision, Rejected, ScoredCandidate, compare_promise};
use super::forecast::{Conditions, Forecast, Outlook};
use super::signals::{Signals, Traffic, Urgency};
use super::tally::UsableTally;
use crate::domain::capture::Reason;
use crate::domain::role::Role;

/// Quality of a text salvaged at a sentence end, relative to a whole one.
const SALVAGED: f64 = 0.92;
/// Hysteresis: the last choice stays until another scores better by this much, as alternating models evict each other.
const BETTER_BY: f64 = 0.02;
/// A model with a smaller chance to be in time is probably late.
const PROBABLE: f64 = 0.5;
/// Quality of a text from the shortest prompt, between the template (0) and the model's best (1).
const KNOWING_LITTLE: f64 = 0.4;
/// Exploration: a model with fewer runs here is asked regardless of its forecast, as a late first run is more often due
/// to a cold cache than to a slow model.
pub const TRIALS: u64 = 5;
/// An answer limit of this many tokens costs no quality; shorter ones cost up to [`TERSENESS`].
const ROOMY: f64 = 60.0;
const TERSENESS: f64 = 0.06;

/// A model that could be asked.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub endpoint: &'a str,
    pub model: &'a str,
    /// `None` where the server does not report it.
    pub resident: Option<bool>,
    /// Leading tokens in the server's prefix cache: of the whole prompt, and of a shortened one (the rules).
    pub cached: u32,
    pub cached_rules: u32,
    /// Wait in the queue, in seconds.
    pub queue_s: f64,
    /// Minutes since its last run.
    pub idle_min: f64,
    /// Its circuit breaker is open, for this reason.
    pub blocked_by: Option<Rejected>,
    /// Loading it would evict the captures' model while people work, and another candidate is available.
    pub evicts: bool,
    /// Its server would load it for this request.
    pub loads: bool,
    /// It is asked even if the forecast says that it will be late: it has run fewer than [`TRIALS`] times, or was not
    /// asked for a while ([`super::retry`]).
    pub few_runs: bool,
    pub forecast: &'a Forecast,
    /// Expected quality of its text for this role, 0..=1.
    pub quality: f64,
    /// Share of usable answers in this role.
    pub tally: UsableTally,
}

/// Chooses a model or the template. `last` is the (endpoint, model) of the last decision for this role.
#[must_use]
pub fn decide(signals: &Signals, candidates: &[Candidate<'_>], last: Option<(&str, &str)>) -> Decision {
    let mut scored: Vec<(ScoredCandidate, Option<TokenPlan>)> =
        candidates.iter().map(|candidate| evaluate_candidate(signals, candidate)).collect();
    // Eligible candidates first, then those with the whole prompt, then by score: a smaller model goes before a shorter
    // prompt.
    scored.sort_by(|(a, _), (b, _)| {
        let order = |candidate: &ScoredCandidate| {
            (candidate.rejected_because.is_none(), candidate.prompt_tokens >= signals.prompt_tokens)
        };
        order(b).cmp(&order(a)).then(b.score.total_cmp(&a.score))
    });
    let best = scored
        .first()
        .filter(|(candidate, _)| candidate.rejected_because.is_none())
        .map(|(candidate, _)| candidate.score);
    let kept = best.and_then(|best| find_kept_choice(&scored, best, last));
    let chosen = best.map(|_| kept.unwrap_or(0));
    let choice = chosen.and_then(|at| scored.get(at)).and_then(to_chosen).unwrap_or(Chosen::TEMPLATE);
    let reason = if chosen.is_some() { Reason::None } else { why_template(signals, &scored) };
    let mut candidates: Vec<ScoredCandidate> = scored.into_iter().map(|(candidate, _)| candidate).collect();
    for (_, candidate) in candidates.iter_mut().enumerate().filter(|(at, _)| Some(*at) != chosen) {
        candidate.rejected_because.get_or_insert(Rejected::ScoredLower);
    }
    let kept = kept.is_some_and(|at| at > 0);
    Decision { task: *signals, deadline_ms: ms(signals.budget_s), choice, reason, kept, candidates }
}

/// Index of the last choice, unless another is clearly better, or it will probably be late and another less so: between
/// two models without a chance the scores hardly differ.
fn find_kept_choice(
    scored: &[(ScoredCandidate, Option<TokenPlan>)],
    best: f64,
    last: Option<(&str, &str)>,
) -> Option<usize> {
    let (endpoint, model) = last?;
    let useful = |candidate: &ScoredCandidate| candidate.p_on_time + candidate.p_salvage;
    let is_hopeless = |candidate: &ScoredCandidate| {
        useful(candidate) < PROBABLE && scored.first().is_some_and(|(first, _)| useful(first) > useful(candidate))
    };
    scored.iter().position(|(candidate, _)| {
        candidate.rejected_because.is_none()
            && (candidate.endpoint.as_str(), candidate.model.as_str()) == (endpoint, model)
            && candidate.score + BETTER_BY >= best
            && !is_hopeless(candidate)
            && scored.first().is_some_and(|(first, _)| candidate.prompt_tokens >= first.prompt_tokens)
    })
}

fn to_chosen((candidate, plan): &(ScoredCandidate, Option<TokenPlan>)) -> Option<Chosen> {
    let plan = plan.as_ref()?;
    Some(Chosen::Model {
        model: candidate.model.clone(),
        endpoint: candidate.endpoint.clone(),
        max_tokens: plan.work.allowed,
        prompt_tokens: plan.prompt,
        words: plan.stated_words(),
    })
}

/// Reason of the model with the best promise.
fn why_template(signals: &Signals, scored: &[(ScoredCandidate, Option<TokenPlan>)]) -> Reason {
    if signals.traffic != Traffic::Calm {
        return Reason::Disabled;
    }
    let best = scored.iter().max_by(|(a, _), (b, _)| compare_promise(a, b));
    best.and_then(|(candidate, _)| candidate.rejected_because).map_or(Reason::Disabled, Rejected::reason)
}

fn evaluate_candidate(signals: &Signals, candidate: &Candidate<'_>) -> (ScoredCandidate, Option<TokenPlan>) {
    let conditions = Conditions {
        left_s: signals.left_s,
        queue_s: candidate.queue_s,
        cold: candidate.resident == Some(false),
        pressed: signals.pressed,
        idle_min: candidate.idle_min,
    };
    let wish = BudgetRequest {
        prompt: signals.prompt_tokens,
        least: signals.least_tokens,
        cached: candidate.cached,
        cached_rules: candidate.cached_rules,
        max_tokens: signals.max_tokens,
    };
    let shown = plan_without_deadline(&wish);
    let planned = find_plan(candidate.forecast, &wish, &conditions, signals.min_in_time());
    let plan = planned.map(|(plan, _)| plan).or(is_exploration(signals, candidate).then_some(shown));
    let shown = plan.unwrap_or(shown);
    let outlook = planned.map_or_else(|| candidate.forecast.outlook(&shown.work, &conditions), |(_, outlook)| outlook);
    let quality = unit(candidate.quality);
    let planned_quality = reduce_quality(quality, signals, &shown, &wish);
    let score = score(&outlook, planned_quality, unit(signals.template_quality), candidate.tally.usable_share());
    let rejected = reject(signals, candidate, plan.is_some(), &outlook, planned_quality);
    let considered = ScoredCandidate {
        model: candidate.model.to_owned(),
        endpoint: candidate.endpoint.to_owned(),
        resident: candidate.resident,
        queue_ms: ms(candidate.queue_s),
        predicted_load_ms: ms(outlook.load_s),
        predicted_ttft_ms: ms(outlook.ttft_s),
        predicted_total_ms: ms(outlook.total_s),
        p_on_time: outlook.p_on_time,
        p_salvage: outlook.p_salvage,
        quality,
        planned_quality,
        score,
        prompt_tokens: shown.prompt,
        cached_tokens: shown.work.cached,
        max_tokens: shown.work.allowed,
        runs: candidate.forecast.n(),
        judged: candidate.tally.judged,
        used: candidate.tally.used,
        rejected_because: rejected,
    };
    (considered, plan)
}

/// Plans as much as probably fits in time. Where that is too unreliable, less may be enough: a shorter answer of an
/// idle model is better than none.
fn find_plan(
    forecast: &Forecast,
    wish: &BudgetRequest,
    conditions: &Conditions,
    floor: f64,
) -> Option<(TokenPlan, Outlook)> {
    let with = |confidence| {
        let plan = plan(forecast, wish, conditions, confidence)?;
        Some((plan, forecast.outlook(&plan.work, conditions)))
    };
    let is_enough = |(_, outlook): &(TokenPlan, Outlook)| outlook.p_useful() >= floor;
    let usual = with(CONFIDENCE);
    usual.filter(is_enough).or_else(|| with(CAREFUL).filter(is_enough)).or_else(|| with(floor)).or(usual)
}

/// The plan without a deadline, so that an explanation can state the expected time.
fn plan_without_deadline(wish: &BudgetRequest) -> TokenPlan {
    let cached = wish.cached.min(wish.prompt);
    let work = super::forecast::Work { uncached: wish.prompt - cached, cached, allowed: wish.max_tokens };
    TokenPlan { prompt: wish.prompt, work, shortened: false }
}

/// `p_on_time · Q(model) + p_salvage · Q(salvaged) + (1 − both) · Q(template)`, where Q of a text is weighted with the
/// share of usable answers, and the template stands in for the rest.
fn score(outlook: &Outlook, quality: f64, template: f64, used: f64) -> f64 {
    let worth = |quality: f64| used * quality + (1.0 - used) * template;
    let text = outlook.p_on_time * worth(quality) + outlook.p_salvage * worth(quality * SALVAGED);
    text + (1.0 - outlook.p_useful()) * template
}

/// Quality that remains with a shortened prompt or answer.
fn reduce_quality(quality: f64, signals: &Signals, plan: &TokenPlan, wish: &BudgetRequest) -> f64 {
    let knowing = KNOWING_LITTLE + (1.0 - KNOWING_LITTLE) * plan.prompt_share(wish);
    let terse = 1.0 - TERSENESS * (1.0 - f64::from(plan.work.allowed) / ROOMY.min(f64::from(wish.max_tokens))).max(0.0);
    let template = unit(signals.template_quality).min(quality);
    (template + (quality - template) * knowing) * terse
}

/// Exploration: a batch has no deadline to lose, and a model with few runs has no reliable forecast; trying it costs a
/// capture only time that it has anyway.
fn is_exploration(signals: &Signals, candidate: &Candidate<'_>) -> bool {
    match signals.urgency {
        Urgency::Batch => true,
        Urgency::Urgent | Urgency::Interactive | Urgency::Ahead => {
            candidate.few_runs && candidate.resident != Some(false)
        }
    }
}

fn reject(
    signals: &Signals,
    candidate: &Candidate<'_>,
    fits: bool,
    outlook: &Outlook,
    quality: f64,
) -> Option<Rejected> {
    let late = !is_exploration(signals, candidate) && (!fits || outlook.p_useful() < signals.min_in_time());
    match () {
        () if signals.traffic != Traffic::Calm && signals.urgency != Urgency::Batch => Some(Rejected::NotNow),
        () if candidate.blocked_by.is_some() => candidate.blocked_by,
        () if candidate.tally.is_barred() => Some(Rejected::SeldomUsable),
        () if candidate.loads && is_for_commits(signals) => Some(Rejected::Unloaded),
        () if candidate.evicts => Some(Rejected::WouldEvict),
        () if late && candidate.resident == Some(false) => Some(Rejected::Cold),
        () if late => Some(Rejected::PredictedMiss),
        () if quality <= signals.template_quality => Some(Rejected::TemplateAsGood),
        () => None,
    }
}

/// A router server loads models on request and may unload the one its user works with: only drafts may cause that.
fn is_for_commits(signals: &Signals) -> bool {
    signals.role == Role::Capture || signals.urgency != Urgency::Batch
}

fn unit(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}

fn ms(seconds: f64) -> f64 {
    if seconds.is_finite() { (seconds.clamp(0.0, 1e7) * 1e4).round() / 10.0 } else { 0.0 }
}

#[cfg(test)]
#[path = "choice_tests.rs"]
pub(in crate::route) mod tests;
