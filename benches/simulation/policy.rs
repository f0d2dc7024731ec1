//! Three ways to route: always, by a moving average, and by this project's forecast.

use jiff::Timestamp;
use uro_capture::domain::role::Role;
use uro_capture::route::choice::{Candidate, decide};
use uro_capture::route::decision::{Chosen, Decision};
use uro_capture::route::key::ForecastKey;
use uro_capture::route::ledger::Ledger;
use uro_capture::route::signals::{Signals, Traffic, Urgency};
use uro_capture::route::speed::{self, Speed};

use super::machine::{Machine, Model, TEMPLATE_QUALITY};
use super::tally::{Stated, Tally};
use super::trace::{Moment, RULES, Trace};
use super::world::{Asked, Outcome, ask, cached};

/// What a model may write where nobody adapts it.
const USUAL_TOKENS: u32 = 120;
/// A background run happens only in a pause at least this long, and more than a short probe only on a machine that is
/// not busy.
const PAUSE_MIN: f64 = 1.0;

/// A way to route, with what it has learned.
pub enum Policy {
    /// The smallest model, always, with the whole prompt.
    Fixed,
    /// The smallest model while its moving average fits; else the template, with a try now and then.
    Average { seconds: Option<f64>, skipped: u32 },
    /// Forecast and choice. What a template stood in for is measured in the next pause: `refines` lets the model write
    /// it after all, else a short probe is enough.
    Forecast { ledger: Box<Ledger>, last: Option<String>, refines: bool },
}

impl Policy {
    pub fn fixed(_: &Machine<'_>) -> Self {
        Self::Fixed
    }

    pub fn average(_: &Machine<'_>) -> Self {
        Self::Average { seconds: None, skipped: 0 }
    }

    pub fn forecast(_: &Machine<'_>) -> Self {
        Self::Forecast { ledger: Box::default(), last: None, refines: true }
    }

    /// The same with `refine = false`: the idle sidecar only probes.
    pub fn probing(_: &Machine<'_>) -> Self {
        Self::Forecast { ledger: Box::default(), last: None, refines: false }
    }

    pub fn play(&mut self, machine: &Machine<'_>, trace: &Trace, tally: &mut Tally) {
        let mut now = Timestamp::UNIX_EPOCH;
        self.start(machine, trace, now);
        for (at, moment) in trace.moments.iter().enumerate() {
            now = now.saturating_add(jiff::SignedDuration::from_secs_f64(moment.idle_min * 60.0)).unwrap_or(now);
            let next_idle = trace.moments.get(at + 1).map_or(0.0, |next| next.idle_min);
            let (outcome, quality, stated) = self.capture(machine, moment, next_idle, now);
            let after = trace.shift.is_some_and(|shift| (shift..shift + 40).contains(&at));
            tally.push(outcome, quality, stated, after);
        }
    }

    /// Two probes of different lengths per model, when the sidecar starts.
    fn start(&mut self, machine: &Machine<'_>, trace: &Trace, now: Timestamp) {
        let (Self::Forecast { ledger, .. }, Some(moment)) = (self, trace.moments.first()) else { return };
        for model in machine.models {
            for prompt in [RULES + 30, RULES + 120] {
                probe(ledger, machine, model, moment, prompt, now);
            }
        }
    }

    fn capture(
        &mut self,
        machine: &Machine<'_>,
        moment: &Moment,
        pause: f64,
        now: Timestamp,
    ) -> (Outcome, f64, Option<Stated>) {
        let smallest = &machine.models[0];
        match self {
            Self::Fixed => (usual(smallest, moment).0, smallest.quality, None),
            Self::Average { seconds, skipped } => {
                let outcome = average(seconds, skipped, smallest, moment);
                (outcome, smallest.quality, None)
            }
            Self::Forecast { ledger, last, refines } => {
                let (outcome, quality, stated, unsure) = forecast(ledger, last, machine, moment, now);
                let rewrites = *refines && matches!(outcome, Outcome::Template | Outcome::Miss);
                match unsure.filter(|_| pause >= PAUSE_MIN) {
                    Some(model) if rewrites && !moment.pressed => refine(ledger, machine, model, moment, now),
                    // Also on a busy machine: it may always be, and would never be given a model.
                    Some(model) => probe(ledger, machine, model, moment, RULES + 40, now),
                    None => {}
                }
                (outcome, quality, stated)
            }
        }
    }
}

/// The whole prompt, as many tokens as usual, whatever the time; a model that is not loaded is waited for.
fn usual(model: &Model, moment: &Moment) -> (Outcome, f64) {
    let asked = Asked {
        prompt: moment.prompt,
        allowed: USUAL_TOKENS,
        length_hint: None,
        left_s: Some(moment.left_s),
        cold: moment.evicted,
    };
    let (outcome, seen) = ask(model, moment, &asked);
    (outcome, seen.took_s)
}

fn average(seconds: &mut Option<f64>, skipped: &mut u32, model: &Model, moment: &Moment) -> Outcome {
    if seconds.is_some_and(|seconds| seconds > moment.left_s * 0.95) && *skipped < 8 {
        *skipped += 1;
        return Outcome::Template;
    }
    *skipped = 0;
    let (outcome, elapsed) = usual(model, moment);
    *seconds = Some(seconds.map_or(elapsed, |seconds| 0.7 * seconds + 0.3 * elapsed));
    outcome
}

fn key(model: &Model) -> ForecastKey {
    ForecastKey { endpoint: "local".into(), model: model.name.into(), digest: None, options: 0, on_battery: false }
}

fn seed(machine: &Machine<'_>, model: &Model) -> Speed {
    let gpu_share = Some(machine.gpu_share);
    Speed::from_hardware(&speed::ModelHardware {
        cores: machine.cores,
        gpu_share,
        parameters: Some(model.parameters),
        size_bytes: None,
    })
}

fn signals(moment: &Moment) -> Signals {
    Signals {
        role: Role::Capture,
        urgency: Urgency::Interactive,
        traffic: Traffic::Calm,
        prompt_tokens: moment.prompt,
        least_tokens: RULES + 60,
        max_tokens: USUAL_TOKENS,
        technicality: 0.5,
        budget_s: 2.0,
        left_s: moment.left_s,
        pressed: moment.pressed,
        on_battery: false,
        template_quality: TEMPLATE_QUALITY,
    }
}

/// What came of it, and the model that is to be measured in the next pause, if one should be.
fn forecast<'a>(
    ledger: &mut Ledger,
    last: &mut Option<String>,
    machine: &'a Machine<'_>,
    moment: &Moment,
    now: Timestamp,
) -> (Outcome, f64, Option<Stated>, Option<&'a Model>) {
    let decision = decided(ledger, last.as_deref(), machine, moment, now);
    let find = |name: &str| machine.models.iter().find(|model| model.name == name);
    let unsure = decision.measurement_target().and_then(|one| find(&one.model));
    let Chosen::Model { model, max_tokens, prompt_tokens, words, .. } = &decision.choice else {
        return (Outcome::Template, TEMPLATE_QUALITY, None, unsure);
    };
    let chosen = find(model).unwrap_or(&machine.models[0]);
    let length_hint = Some((f64::from(*words) / 0.7) as u32);
    let asked = Asked {
        prompt: *prompt_tokens,
        allowed: *max_tokens,
        length_hint,
        left_s: Some(moment.left_s),
        cold: moment.evicted,
    };
    let (outcome, seen) = ask(chosen, moment, &asked);
    ledger.learn(&key(chosen), seed(machine, chosen), &seen, now);
    *last = Some(model.clone());
    let stated = decision.candidates.iter().find(|one| one.model == *model);
    let stated = stated.map(|one| Stated { whole: one.p_on_time, useful: one.p_on_time + one.p_salvage });
    (outcome, chosen.quality, stated, if outcome == Outcome::Miss { Some(chosen) } else { unsure })
}

fn decided(ledger: &Ledger, last: Option<&str>, machine: &Machine<'_>, moment: &Moment, now: Timestamp) -> Decision {
    let known: Vec<_> = machine
        .models
        .iter()
        .map(|model| (model, ledger.forecast_for(&key(model), seed(machine, model), now)))
        .collect();
    let candidates: Vec<_> = known
        .iter()
        .map(|(model, (forecast, idle_min))| Candidate {
            few_runs: false,
            endpoint: "local",
            model: model.name,
            resident: Some(!moment.evicted),
            cached: if moment.evicted { 0 } else { cached(moment, moment.prompt) },
            cached_rules: if moment.evicted { 0 } else { RULES },
            queue_s: moment.queue_s,
            idle_min: *idle_min,
            blocked_by: None,
            evicts: false,
            loads: false,
            forecast,
            quality: model.quality,
            tally: uro_capture::route::tally::UsableTally::default(),
        })
        .collect();
    decide(&signals(moment), &candidates, last.map(|last| ("local", last)))
}

/// The text is written later, without cut_short: that also tells how fast the machine is now.
fn refine(ledger: &mut Ledger, machine: &Machine<'_>, model: &Model, moment: &Moment, now: Timestamp) {
    let asked = Asked {
        prompt: moment.prompt,
        allowed: USUAL_TOKENS,
        length_hint: Some(80),
        left_s: None,
        cold: moment.evicted,
    };
    let (_, seen) = ask(model, moment, &asked);
    ledger.learn(&key(model), seed(machine, model), &seen, now);
}

/// A short run for its own sake: a few tokens written, behind a prompt of which only the rules are known.
fn probe(ledger: &mut Ledger, machine: &Machine<'_>, model: &Model, moment: &Moment, prompt: u32, now: Timestamp) {
    let unknown = Moment { prompt: u32::MAX, ..*moment };
    let (_, seen) =
        ask(model, &unknown, &Asked { prompt, allowed: 12, length_hint: None, left_s: None, cold: moment.evicted });
    ledger.learn(&key(model), seed(machine, model), &seen, now);
}
