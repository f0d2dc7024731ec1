//! Questions of varied length; only their length matters.

use uro_capture::domain::model::Sampling;
use uro_capture::llm::Ask;

use std::time::Instant;

use crate::simulation::dice::Dice;

/// Share of the questions that repeat the one before with another ending.
const REPEATED: f64 = 0.3;

/// Draws questions.
#[derive(Debug)]
pub struct Questions {
    dice: Dice,
    /// Tokens; the models that are recorded read one token per byte.
    median: f64,
    body: String,
}

impl Questions {
    pub fn new(dice: Dice, median: f64) -> Self {
        Self { dice, median, body: String::new() }
    }

    /// The next question, which may take until `until`.
    pub fn draw(&mut self, until: Instant) -> Ask {
        if self.body.is_empty() || !self.dice.chance(REPEATED) {
            let length = self.dice.lognormal(self.median, 0.5).clamp(24.0, self.median * 4.0) as usize;
            self.body = self.filler(length);
        }
        let ending = self.dice.between(8.0, 40.0) as usize;
        let sampling = Sampling {
            temperature: 0.7,
            top_p: 0.9,
            top_k: 40,
            repeat_penalty: 1.0,
            num_ctx: 4096,
            max_tokens: self.dice.between(6.0, 15.0) as u32,
        };
        Ask {
            model: "recorded".to_owned(),
            rules: self.body.clone(),
            question: self.filler(ending),
            sampling,
            wording: None,
            until,
            keep_alive: None,
            prompt_estimate: None,
        }
    }

    /// Letters that nobody has sent before: a nonce as long as the text.
    fn filler(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b'a' + self.dice.between(0.0, 26.0) as u8)).collect()
    }
}
