//! Hedging: two endpoints that are slow at different moments, and a second request to the other one where no first token
//! has come when it should. The rule is that of `src/pipeline/models/hedge.rs`.

use std::error::Error;
use std::io::Write;
use std::ops::Range;

use jiff::Timestamp;
use uro_capture::route::choice::{Candidate, decide};
use uro_capture::route::decision::Chosen;
use uro_capture::route::forecast::{Conditions, Work};
use uro_capture::route::key::Key;
use uro_capture::route::ledger::Ledger;
use uro_capture::route::observation::{End, Observation};
use uro_capture::route::signals::Signals;
use uro_capture::route::tally::Tally as Judged;

use crate::simulation::machine::{MACHINES, Machine, Model};
use crate::simulation::models;
use crate::simulation::policy::{seed, signals};
use crate::simulation::recorded;
use crate::simulation::tally::Tally;
use crate::simulation::trace::{Moment, RULES, STEADY, Scene, Trace};
use crate::simulation::world::{Asked, Outcome, ask, cached};

const ENDPOINTS: [&str; 2] = ["a", "b"];
/// By when the first token has come in nine of ten cases, and the shortest wait for it.
const USUALLY: f64 = 0.9;
const LEAST_S: f64 = 0.3;

pub const SCENES: [Scene; 5] = [
    STEADY,
    Scene { name: "5 % stragglers", stragglers: 0.05, ..STEADY },
    Scene { name: "10 % stragglers", stragglers: 0.1, ..STEADY },
    Scene { name: "2 % wait 3 s for another program", waits: (0.02, 3.0), ..STEADY },
    Scene { name: "10 % wait 3 s for another program", waits: (0.1, 3.0), ..STEADY },
];

/// The share of requests that may be sent twice: never, one in twenty, always.
pub const WAYS: [(&str, f64); 3] = [("no hedging", 0.0), ("one in twenty", 0.05), ("whenever late", 1.0)];

/// What happened, and how many second requests there were.
#[derive(Debug, Clone, Default)]
pub struct Hedged {
    pub tally: Tally,
    pub second: u64,
}

/// Plays all scenes on all machines, made-up and recorded ones, in all ways.
pub fn compare(out: &mut impl Write, seeds: &Range<u64>) -> Result<(), Box<dyn Error>> {
    let show = |out: &mut dyn Write, what: &str, played: &[Hedged]| {
        let n = played.first().map_or(0, |one| one.tally.captures);
        writeln!(out, "\n{what} (n = {n} captures)\n{:15} {}", "", Tally::HEAD)?;
        WAYS.iter().zip(played).try_for_each(|((name, _), one)| {
            let share = one.second as f64 / n.max(1) as f64 * 100.0;
            writeln!(out, "{name:15} {}  second requests {share:.2} %", one.tally)
        })
    };
    for scene in SCENES {
        let mut all = vec![Hedged::default(); WAYS.len()];
        for machine in &MACHINES {
            for seed in seeds.clone() {
                let trace = Trace::draw(machine, scene, seed);
                for ((_, share), hedged) in WAYS.iter().zip(&mut all) {
                    play(machine, &trace, *share, hedged);
                }
            }
        }
        show(out, &format!("made up, two endpoints: {}", scene.name), &all)?;
    }
    for recording in recorded::all()? {
        let mut all = vec![Hedged::default(); WAYS.len()];
        for like in &MACHINES {
            let models = models(&recording, like);
            let machine = Machine { models: &models, ..*like };
            for seed in seeds.clone() {
                let trace = Trace::replay(&machine, &recording, 1.0, seed);
                for ((_, share), hedged) in WAYS.iter().zip(&mut all) {
                    play(&machine, &trace, *share, hedged);
                }
            }
        }
        show(out, &format!("recorded, two endpoints: {}", recording.name), &all)?;
    }
    Ok(())
}

/// Plays a trace. The second endpoint meets the machine's moments half a trace later.
pub fn play(machine: &Machine<'_>, trace: &Trace, share: f64, all: &mut Hedged) {
    let mut day = Day { machine, ledger: Ledger::default(), now: Timestamp::UNIX_EPOCH, last: None };
    let mut allowance = if share > 0.0 { 1.0 } else { 0.0 };
    let half = trace.moments.len() / 2;
    for (at, first) in trace.moments.iter().enumerate() {
        let idle = jiff::SignedDuration::from_secs_f64(first.idle_min * 60.0);
        day.now = day.now.saturating_add(idle).unwrap_or(day.now);
        let other = trace.moments[(at + half) % trace.moments.len()];
        let pair = [*first, elsewhere(first, &other)];
        if at == 0 {
            day.start(&pair);
        }
        let (request, unsure) = day.chosen(&signals(first), &pair, &[0, 1]);
        allowance = f64::min(allowance + share, 1.0);
        let (outcome, quality) = match request {
            Some(request) => day.capture(&pair, &request, &mut allowance, &mut all.second),
            None => (Outcome::Template, 0.0),
        };
        if let Some((endpoint, model)) = unsure.filter(|_| outcome == Outcome::Template) {
            day.probe(endpoint, model, &pair[endpoint], RULES + 40);
        }
        let after = trace.shift.is_some_and(|shift| (shift..shift + 40).contains(&at));
        all.tally.push(outcome, quality, None, after);
    }
}

/// The same commit at an endpoint whose machine is as it is at another moment.
fn elsewhere(commit: &Moment, machine: &Moment) -> Moment {
    let Moment { idle_min, left_s, prompt, prefilled_but, answer, sentence_share, obedience, .. } = *commit;
    Moment { idle_min, left_s, prompt, prefilled_but, answer, sentence_share, obedience, ..*machine }
}

/// A model at an endpoint, and how it is asked.
struct Request<'m> {
    endpoint: usize,
    model: &'m Model,
    asked: Asked,
    cached: u32,
}

type Unsure<'m> = Option<(usize, &'m Model)>;

struct Day<'m> {
    machine: &'m Machine<'m>,
    ledger: Ledger,
    now: Timestamp,
    last: Option<(usize, &'static str)>,
}

impl<'m> Day<'m> {
    /// Two probes per model and endpoint.
    fn start(&mut self, pair: &[Moment; 2]) {
        for (endpoint, moment) in pair.iter().enumerate() {
            for model in self.machine.models {
                for more in [30, 120] {
                    self.probe(endpoint, model, moment, RULES + more);
                }
            }
        }
    }

    fn probe(&mut self, endpoint: usize, model: &Model, moment: &Moment, prompt: u32) {
        let unknown = Moment { prompt: u32::MAX, ..*moment };
        let asked = Asked { prompt, allowed: 12, told: None, left_s: None, cold: moment.evicted };
        self.learn(endpoint, model, &ask(model, &unknown, &asked).1);
    }

    fn capture(
        &mut self,
        pair: &[Moment; 2],
        request: &Request<'m>,
        allowance: &mut f64,
        second: &mut u64,
    ) -> (Outcome, f64) {
        let moment = &pair[request.endpoint];
        let (outcome, seen) = ask(request.model, moment, &request.asked);
        let patience = self.patience(moment, request);
        self.last = Some((request.endpoint, request.model.name));
        let is_late = seen.ttft_s.is_none_or(|ttft| ttft > patience) && seen.took_s > patience;
        let again = if is_late && *allowance > 0.975 && patience < moment.left_s {
            let left_s = moment.left_s - patience;
            self.chosen(&Signals { left_s, ..signals(moment) }, pair, &[1 - request.endpoint]).0
        } else {
            None
        };
        let Some(again) = again else {
            self.learn(request.endpoint, request.model, &seen);
            return (outcome, request.model.quality);
        };
        *allowance = 0.0;
        *second += 1;
        let (other, later) = ask(again.model, &pair[again.endpoint], &again.asked);
        self.learn(again.endpoint, again.model, &later);
        let until = patience + later.took_s;
        let first_won = outcome != Outcome::Miss && (other == Outcome::Miss || seen.took_s <= until);
        if first_won || other == Outcome::Miss {
            self.learn(request.endpoint, request.model, &seen);
            return (outcome, request.model.quality);
        }
        if seen.ttft_s.is_none_or(|ttft| ttft > until) {
            let cut = Observation {
                written: 0,
                sentence: None,
                load_s: request.asked.cold.then_some(until),
                ttft_s: None,
                tpot_s: None,
                took_s: until,
                end: End::Cut,
                ..seen
            };
            self.learn(request.endpoint, request.model, &cut);
        }
        (other, again.model.quality)
    }

    fn patience(&self, moment: &Moment, request: &Request<'_>) -> f64 {
        let Request { endpoint, model, asked, cached } = *request;
        let (forecast, idle_min) = self.ledger.of(&key(endpoint, model), seed(self.machine, model), self.now);
        let work = Work { uncached: asked.prompt - cached, cached, allowed: asked.allowed };
        let conditions = Conditions {
            left_s: moment.left_s,
            queue_s: moment.queue_s,
            cold: asked.cold,
            pressed: moment.pressed,
            idle_min,
        };
        if forecast.n() == 0 { f64::INFINITY } else { forecast.ttft_within_s(&work, &conditions, USUALLY).max(LEAST_S) }
    }

    /// The request that the router chooses among `endpoints`, and what it wants to be measured in the next pause.
    fn chosen(&self, signals: &Signals, pair: &[Moment; 2], endpoints: &[usize]) -> (Option<Request<'m>>, Unsure<'m>) {
        let all = endpoints.iter().flat_map(|at| self.machine.models.iter().map(move |model| (*at, model)));
        let known: Vec<_> = all
            .map(|(at, model)| (at, model, self.ledger.of(&key(at, model), seed(self.machine, model), self.now)))
            .collect();
        let candidates: Vec<_> = known
            .iter()
            .map(|(at, model, (forecast, idle_min))| {
                let moment = &pair[*at];
                let warm = |tokens: u32| if moment.evicted { 0 } else { tokens };
                Candidate {
                    guessed: false,
                    endpoint: ENDPOINTS[*at],
                    model: model.name,
                    resident: Some(!moment.evicted),
                    cached: warm(cached(moment, moment.prompt)),
                    cached_rules: warm(RULES),
                    queue_s: moment.queue_s,
                    idle_min: *idle_min,
                    barred: None,
                    evicts: false,
                    loads: false,
                    forecast,
                    quality: model.quality,
                    tally: Judged::default(),
                }
            })
            .collect();
        let last = self.last.map(|(at, model)| (ENDPOINTS[at], model));
        let decision = decide(signals, &candidates, last);
        let find = |endpoint: &str, name: &str| {
            let found = known.iter().find(|(at, model, _)| ENDPOINTS[*at] == endpoint && model.name == name);
            found.map(|(at, model, _)| (*at, *model))
        };
        let unsure = decision.worth_measuring().and_then(|one| find(&one.endpoint, &one.model));
        let Chosen::Model { model, endpoint, max_tokens: allowed, prompt_tokens: prompt, words } = decision.choice
        else {
            return (None, unsure);
        };
        let request = find(&endpoint, &model).map(|(endpoint, model)| {
            let cold = pair[endpoint].evicted;
            let told = Some((f64::from(words) / 0.7) as u32);
            let asked = Asked { prompt, allowed, told, left_s: Some(signals.left_s), cold };
            let cached = if cold { 0 } else { cached(&pair[endpoint], prompt) };
            Request { endpoint, model, asked, cached }
        });
        (request, unsure)
    }

    fn learn(&mut self, endpoint: usize, model: &Model, seen: &Observation) {
        Ledger::learn(&mut self.ledger, &key(endpoint, model), seed(self.machine, model), seen, self.now);
    }
}

fn key(endpoint: usize, model: &Model) -> Key {
    Key { endpoint: ENDPOINTS[endpoint].into(), model: model.name.into(), digest: None, options: 0, on_battery: false }
}
