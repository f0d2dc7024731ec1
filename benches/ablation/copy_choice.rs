//! Chooses who writes: the model whose text is worth most, times the chance that it comes in time.

use super::budget::{CAREFUL, CONFIDENCE, Plan, Wish, plan};
use super::decision::{Chosen, Considered, Decision, Rejected, promise};
use super::forecast::{Conditions, Forecast, Outlook};
use super::signals::{Signals, Traffic, Urgency};
use super::tally::Tally;
use crate::domain::capture::Reason;
use crate::domain::role::Role;

/// What a text that was cut at a sentence end is worth against a whole one.
const SALVAGED: f64 = 0.92;
/// A choice is kept until another one is better by this much: models that take turns push each other out of memory.
const BETTER_BY: f64 = 0.02;
/// What a text is worth that knew nothing but the shortest prompt, between the template (0) and the model's best (1).
const KNOWING_LITTLE: f64 = 0.4;
/// A model that has run fewer times here is asked whatever its forecast says: a first run that was merely late shows a cold
/// cache more often than a slow model.
pub const TRIALS: u64 = 5;
/// An answer that may have this many tokens loses nothing; shorter ones up to [`TERSENESS`].
const ROOMY: f64 = 60.0;
const TERSENESS: f64 = 0.06;

/// A model that could be asked.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub endpoint: &'a str,
    pub model: &'a str,
    /// Absent where the server cannot tell.
    pub resident: Option<bool>,
    /// Tokens at the start of the whole prompt that the server has in its cache, and of a shortened one (the rules).
    pub cached: u32,
    pub cached_rules: u32,
    /// Until it is our turn there, in seconds.
    pub queue_s: f64,
    /// Minutes since its last run.
    pub idle_min: f64,
    /// A breaker does not let it through, for this reason.
    pub barred: Option<Rejected>,
    /// Loading it would push the captures' model out of memory while people work, and another one could write.
    pub evicts: bool,
    /// Its server has not loaded it and would load it for this request.
    pub loads: bool,
    /// It has run fewer than [`TRIALS`] times: next to nothing speaks for the forecast.
    pub guessed: bool,
    pub forecast: &'a Forecast,
    /// What its text is worth for this role, 0..=1.
    pub quality: f64,
    /// How many of its answers in this role could be used.
    pub tally: Tally,
}

/// Decides. `last` is the (endpoint, model) of the last decision for this role.
#[must_use]
pub fn decide(signals: &Signals, candidates: &[Candidate<'_>], last: Option<(&str, &str)>) -> Decision {
    let mut seen: Vec<(Considered, Option<Plan>)> = candidates.iter().map(|one| consider(signals, one)).collect();
    // Those that can be asked come first, of them those that may read everything, best first: a smaller model before
    // a shorter prompt.
    seen.sort_by(|(a, _), (b, _)| {
        let order = |one: &Considered| (one.rejected_because.is_none(), one.prompt_tokens >= signals.prompt_tokens);
        order(b).cmp(&order(a)).then(b.score.total_cmp(&a.score))
    });
    let best = seen.first().filter(|(one, _)| one.rejected_because.is_none()).map(|(one, _)| one.score);
    let kept = best.and_then(|best| keep(&seen, best, last));
    let chosen = best.map(|_| kept.unwrap_or(0));
    let choice = chosen.and_then(|at| seen.get(at)).and_then(told).unwrap_or(Chosen::TEMPLATE);
    let reason = if chosen.is_some() { Reason::None } else { why_template(signals, &seen) };
    let mut candidates: Vec<Considered> = seen.into_iter().map(|(one, _)| one).collect();
    for (_, one) in candidates.iter_mut().enumerate().filter(|(at, _)| Some(*at) != chosen) {
        one.rejected_because.get_or_insert(Rejected::ScoredLower);
    }
    let kept = kept.is_some_and(|at| at > 0);
    Decision { task: *signals, deadline_ms: ms(signals.budget_s), choice, reason, kept, candidates }
}

/// The place of the last choice, if nothing is much better.
fn keep(seen: &[(Considered, Option<Plan>)], best: f64, last: Option<(&str, &str)>) -> Option<usize> {
    let (endpoint, model) = last?;
    seen.iter().position(|(one, _)| {
        one.rejected_because.is_none()
            && (one.endpoint.as_str(), one.model.as_str()) == (endpoint, model)
            && one.score + BETTER_BY >= best
            && seen.first().is_some_and(|(first, _)| one.prompt_tokens >= first.prompt_tokens)
    })
}

fn told((one, plan): &(Considered, Option<Plan>)) -> Option<Chosen> {
    let plan = plan.as_ref()?;
    Some(Chosen::Model {
        model: one.model.clone(),
        endpoint: one.endpoint.clone(),
        max_tokens: plan.work.allowed,
        prompt_tokens: plan.prompt,
        words: plan.words(),
    })
}

/// The reason of the model that would have been worth most.
fn why_template(signals: &Signals, seen: &[(Considered, Option<Plan>)]) -> Reason {
    if signals.traffic != Traffic::Calm {
        return Reason::Disabled;
    }
    let best = seen.iter().max_by(|(a, _), (b, _)| promise(a, b));
    best.and_then(|(one, _)| one.rejected_because).map_or(Reason::Disabled, Rejected::reason)
}

fn consider(signals: &Signals, one: &Candidate<'_>) -> (Considered, Option<Plan>) {
    let conditions = Conditions {
        left_s: signals.left_s,
        queue_s: one.queue_s,
        cold: one.resident == Some(false),
        pressed: signals.pressed,
        idle_min: one.idle_min,
    };
    let wish = Wish {
        prompt: signals.prompt_tokens,
        least: signals.least_tokens,
        cached: one.cached,
        cached_rules: one.cached_rules,
        max_tokens: signals.max_tokens,
    };
    let shown = shown(&wish);
    let planned = planned(one.forecast, &wish, &conditions, signals.floor());
    let plan = planned.map(|(plan, _)| plan).or(is_tried(signals, one).then_some(shown));
    let shown = plan.unwrap_or(shown);
    let outlook = planned.map_or_else(|| one.forecast.outlook(&shown.work, &conditions), |(_, outlook)| outlook);
    let quality = unit(one.quality);
    let planned_quality = worth(quality, signals, &shown, &wish);
    let score = score(&outlook, planned_quality, unit(signals.template_quality), one.tally.share());
    let rejected = reject(signals, one, plan.is_some(), &outlook, planned_quality);
    let considered = Considered {
        model: one.model.to_owned(),
        endpoint: one.endpoint.to_owned(),
        resident: one.resident,
        queue_ms: ms(one.queue_s),
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
        runs: one.forecast.n(),
        judged: one.tally.judged,
        used: one.tally.used,
        rejected_because: rejected,
    };
    (considered, plan)
}

/// As much as is likely to come in time. Where that is too little to rely on, less may be enough: a shorter answer of an
/// idle model is better than none.
fn planned(forecast: &Forecast, wish: &Wish, conditions: &Conditions, floor: f64) -> Option<(Plan, Outlook)> {
    let with = |confidence| {
        let plan = plan(forecast, wish, conditions, confidence)?;
        Some((plan, forecast.outlook(&plan.work, conditions)))
    };
    let is_enough = |(_, outlook): &(Plan, Outlook)| outlook.p_useful() >= floor;
    let usual = with(CONFIDENCE);
    usual.filter(is_enough).or_else(|| with(CAREFUL).filter(is_enough)).or_else(|| with(floor)).or(usual)
}

/// What would have been asked, had there been time: so that an explanation can say how long it would have taken.
fn shown(wish: &Wish) -> Plan {
    let cached = wish.cached.min(wish.prompt);
    let work = super::forecast::Work { uncached: wish.prompt - cached, cached, allowed: wish.max_tokens };
    Plan { prompt: wish.prompt, work, shortened: false }
}

/// `p_on_time · Q(model) + p_salvage · Q(salvaged) + (1 − both) · Q(template)`, where Q of a text counts with the share of
/// the model's answers that can be used, and the template stands for the others.
fn score(outlook: &Outlook, quality: f64, template: f64, used: f64) -> f64 {
    let worth = |quality: f64| used * quality + (1.0 - used) * template;
    let text = outlook.p_on_time * worth(quality) + outlook.p_salvage * worth(quality * SALVAGED);
    text + (1.0 - outlook.p_useful()) * template
}

/// What is left of a model's quality when it is told less or may say less.
fn worth(quality: f64, signals: &Signals, plan: &Plan, wish: &Wish) -> f64 {
    let knowing = KNOWING_LITTLE + (1.0 - KNOWING_LITTLE) * plan.share(wish);
    let terse = 1.0 - TERSENESS * (1.0 - f64::from(plan.work.allowed) / ROOMY.min(f64::from(wish.max_tokens))).max(0.0);
    let template = unit(signals.template_quality).min(quality);
    (template + (quality - template) * knowing) * terse
}

/// Nobody waits for a batch, and of a model that has hardly run next to nothing is known: trying is how one finds out, and
/// costs a capture nothing but the time that it has anyway.
fn is_tried(signals: &Signals, one: &Candidate<'_>) -> bool {
    match signals.urgency {
        Urgency::Batch => true,
        Urgency::Urgent | Urgency::Interactive | Urgency::Ahead => one.guessed && one.resident != Some(false),
    }
}

fn reject(signals: &Signals, one: &Candidate<'_>, fits: bool, outlook: &Outlook, quality: f64) -> Option<Rejected> {
    let late = !is_tried(signals, one) && (!fits || outlook.p_useful() < signals.floor());
    match () {
        () if signals.traffic != Traffic::Calm && signals.urgency != Urgency::Batch => Some(Rejected::NotNow),
        () if one.barred.is_some() => one.barred,
        () if one.tally.is_barred() => Some(Rejected::SeldomUsable),
        () if one.loads && is_for_commits(signals) => Some(Rejected::Unloaded),
        () if one.evicts => Some(Rejected::WouldEvict),
        () if late && one.resident == Some(false) => Some(Rejected::Cold),
        () if late => Some(Rejected::PredictedMiss),
        () if quality <= signals.template_quality => Some(Rejected::TemplateAsGood),
        () => None,
    }
}

/// A router loads models for whoever asks, and perhaps unloads what its owner uses just now: only drafts may ask for it.
fn is_for_commits(signals: &Signals) -> bool {
    signals.role == Role::Capture || signals.urgency != Urgency::Batch
}

fn unit(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}

fn ms(seconds: f64) -> f64 {
    if seconds.is_finite() { (seconds.clamp(0.0, 1e7) * 1e4).round() / 10.0 } else { 0.0 }
}
