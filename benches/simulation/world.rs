//! What truly happens when a model is asked.

use uro_capture::route::observation::{Observation, RunEnd};

use super::machine::Model;
use super::trace::{Moment, RULES};

/// One way to ask.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Most tokens to write, and the tokens that the model was told to keep to.
    pub allowed: u32,
    pub length_hint: Option<u32>,
    /// When it is cut; absent for a run that nobody waits for.
    pub left_s: Option<f64>,
    /// The model has to be loaded first.
    pub cold: bool,
}

/// How a capture ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The template was chosen at once.
    Template,
    /// The model's text was whole in time.
    Whole,
    /// It was not, but its first sentence was.
    Salvaged,
    /// Nothing that could be used came in time: the template stands, but the whole budget was spent.
    Miss,
}

/// Tokens at the start of a prompt of this length that the server has in its cache. A prompt that was shortened is
/// another text, of which only the rules are known.
pub fn cached(moment: &Moment, prompt: u32) -> u32 {
    match moment.prefilled_but {
        Some(but) if prompt >= moment.prompt => prompt.saturating_sub(but).max(RULES),
        _ => RULES.min(prompt),
    }
}

pub fn ask(model: &Model, moment: &Moment, asked: &Asked) -> (Outcome, Observation) {
    // What was loaded anew knows no prompt.
    let cached = if asked.cold { 0 } else { cached(moment, asked.prompt) };
    let uncached = asked.prompt - cached;
    let luck = if asked.left_s.is_some() { 1.0 } else { moment.later_luck };
    let reading = model.overhead_s + f64::from(uncached) / model.reads + f64::from(cached) / model.reads / 200.0;
    let wait = if asked.left_s.is_some() { moment.queue_s + moment.surprise_s } else { 0.0 };
    let load = if asked.cold { model.load_s * moment.load_luck } else { 0.0 };
    let ttft = wait + load + reading * moment.factor * moment.read_luck * luck;
    let tpot = moment.factor * moment.write_luck * luck / model.writes;
    let (answer, sentence) = lengths(moment, asked);
    let written = answer.min(asked.allowed);
    let left = asked.left_s.unwrap_or(f64::INFINITY);
    let in_time = if left > ttft { ((left - ttft) / tpot).min(1e6) as u32 + 1 } else { 0 };
    let streamed = written.min(in_time);
    let cut = in_time < written;
    let outcome = match () {
        () if sentence > streamed => Outcome::Miss,
        () if cut => Outcome::Salvaged,
        () => Outcome::Whole,
    };
    let observation = Observation {
        uncached,
        cached,
        allowed: asked.allowed,
        written: streamed,
        sentence: (sentence <= streamed).then_some(sentence),
        load_s: asked.cold.then_some(load.min(left)),
        queue_s: if asked.left_s.is_some() { moment.queue_s } else { 0.0 },
        ttft_s: (streamed > 0).then_some(ttft),
        tpot_s: (streamed > 1).then_some(tpot),
        took_s: if cut { left } else { ttft + tpot * f64::from(written.saturating_sub(1)) },
        end: if cut {
            RunEnd::Cut
        } else if answer > asked.allowed {
            RunEnd::Length
        } else {
            RunEnd::Done
        },
        pressed: moment.pressed,
        idle_min: 0.0,
    };
    (outcome, observation)
}

/// Tokens of the answer and of its first sentence. A model that is told to be short tries to be.
fn lengths(moment: &Moment, asked: &Asked) -> (u32, u32) {
    let natural = f64::from(moment.answer);
    let length_hint = asked.length_hint.map_or(f64::INFINITY, f64::from) * moment.obedience;
    let answer = natural.min(length_hint).max(10.0);
    let sentence = if length_hint < 40.0 { answer } else { answer * moment.sentence_share };
    (answer.ceil() as u32, sentence.ceil() as u32)
}
