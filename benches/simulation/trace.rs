//! Commits with their luck.

use super::dice::Dice;
use super::machine::Machine;
use super::recorded::Recording;

/// Commits per trace.
pub const LENGTH: usize = 400;
/// From here on a shifted trace is slower, for the rest of the trace.
pub const SHIFT_AT: usize = 200;
/// The static rules at the start of every prompt: cached by a server that has the model loaded.
pub const RULES: u32 = 180;

/// What happens to the machine in the middle of the trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    pub name: &'static str,
    /// Everything takes so many times as long.
    pub factor: f64,
    /// Chances that a commit finds the models pushed out of memory, and that a build starts.
    pub cold: f64,
    pub builds: f64,
}

const STEADY: Scene = Scene { name: "steady", factor: 1.0, cold: 0.01, builds: 0.05 };

pub const SCENES: [Scene; 5] = [
    STEADY,
    Scene { name: "1.7 x slower", factor: 1.7, ..STEADY },
    Scene { name: "2 x slower", factor: 2.0, ..STEADY },
    Scene { name: "often cold", cold: 0.12, ..STEADY },
    Scene { name: "often building", builds: 0.15, ..STEADY },
];

/// One commit and everything that chance decides about it.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Since the one before.
    pub idle_min: f64,
    /// Left for the model when the router is asked.
    pub left_s: f64,
    /// Tokens of the whole prompt.
    pub prompt: u32,
    /// The prompt was evaluated before the commit existed, but for so many tokens.
    pub prefilled_but: Option<u32>,
    /// How much longer than usual everything takes.
    pub factor: f64,
    /// Reading and writing apart from that.
    pub read_luck: f64,
    pub write_luck: f64,
    /// The kernel tells of pressure.
    pub pressed: bool,
    /// Somebody pushed the models out of memory.
    pub evicted: bool,
    /// How much longer than usual a load takes.
    pub load_luck: f64,
    /// Waiting that is known beforehand, and waiting for another program's request, which is not.
    pub queue_s: f64,
    pub surprise_s: f64,
    /// What the model would say by itself, in tokens, and of it the first sentence.
    pub answer: u32,
    pub sentence_share: f64,
    /// How well it keeps to a length that it was told.
    pub obedience: f64,
    /// The luck of a second, unhurried run of the same prompt.
    pub later_luck: f64,
}

/// Commits in order.
#[derive(Debug)]
pub struct Trace {
    pub moments: Vec<Moment>,
    /// From here on the machine is slower, where it becomes so.
    pub shift: Option<usize>,
}

impl Trace {
    pub fn draw(machine: &Machine<'_>, scene: Scene, seed: u64) -> Self {
        let mut dice = Dice::seeded(seed);
        let mut mood = Mood::default();
        let moments = (0..LENGTH).map(|at| {
            let shift = if at >= SHIFT_AT { scene.factor } else { 1.0 };
            mood.moment(machine, &Scene { factor: shift, ..scene }, &mut dice)
        });
        Self { moments: moments.collect(), shift: (scene.factor > 1.0).then_some(SHIFT_AT) }
    }

    /// Commits drawn as ever, in front of a machine that was as fast at each of them as it was at the recorded run in
    /// its place. With a `factor` above 1 everything is so much slower from a quarter of the recording on; else the
    /// shift is where other processes kept the recorded processors busy.
    pub fn replay(machine: &Machine<'_>, recording: &Recording, factor: f64, seed: u64) -> Self {
        let mut moments = Self::draw(machine, STEADY, seed).moments;
        let shift = if factor > 1.0 { Some(recording.instants.len() / 4) } else { recording.busy_from };
        for (at, (moment, now)) in moments.iter_mut().zip(&recording.instants).enumerate() {
            moment.factor = if shift.is_some_and(|shift| at >= shift) { factor } else { 1.0 };
            (moment.read_luck, moment.write_luck) = (now.reading, now.writing);
            // Whoever runs the model once more in the pause meets the same moment, not the one that is to come.
            moment.later_luck = 1.0;
            moment.pressed = now.pressed;
            moment.evicted = now.load_s.is_some();
            moment.load_luck = now.load_s.map_or(1.0, |load| load / recording.usual.load_s);
        }
        moments.truncate(recording.instants.len());
        Self { moments, shift }
    }
}

/// What lasts from one commit to the next.
#[derive(Default)]
struct Mood {
    drift: f64,
    /// Commits for which a build still runs, and how much it slows down.
    building: u32,
    build: f64,
}

impl Mood {
    fn moment(&mut self, machine: &Machine<'_>, scene: &Scene, dice: &mut Dice) -> Moment {
        // Most commits come minutes apart, some in a row, some after a night.
        let idle_min = match dice.even() {
            few if few < 0.12 => dice.between(0.1, 1.0),
            night if night > 0.97 => dice.between(400.0, 900.0),
            _ => dice.lognormal(12.0, 0.9).min(240.0),
        };
        self.pass(machine, idle_min, scene.builds, dice);
        let building = self.building > 0;
        let straggler = if dice.chance(0.02) { 1.0 + dice.exponential(0.8) } else { 1.0 };
        let luck = (machine.jitter * dice.normal() + self.drift).exp() * straggler;
        Moment {
            idle_min,
            left_s: 1.7 - dice.between(0.01, 0.06),
            prompt: dice.lognormal(450.0, 0.6).clamp(240.0, 2500.0) as u32,
            prefilled_but: dice.chance(0.6).then_some(dice.between(12.0, 50.0) as u32),
            factor: scene.factor * luck * if building { self.build } else { 1.0 },
            read_luck: (0.5 * machine.jitter * dice.normal()).exp(),
            write_luck: (0.3 * machine.jitter * dice.normal()).exp(),
            pressed: dice.chance(if building && machine.build.0 > 1.2 { 0.85 } else { 0.03 }),
            evicted: idle_min > 300.0 || dice.chance(scene.cold),
            load_luck: dice.lognormal(1.0, 0.3),
            queue_s: if dice.chance(0.04) { dice.exponential(0.5) } else { 0.0 },
            surprise_s: if dice.chance(0.005) { dice.exponential(1.0) } else { 0.0 },
            answer: dice.lognormal(44.0, 0.3).clamp(12.0, 200.0) as u32,
            sentence_share: dice.between(0.42, 0.65),
            obedience: dice.lognormal(1.0, 0.2),
            later_luck: (machine.jitter * dice.normal()).exp(),
        }
    }

    fn pass(&mut self, machine: &Machine<'_>, idle_min: f64, builds: f64, dice: &mut Dice) {
        let stays = (-idle_min / 90.0).exp();
        self.drift = stays * self.drift + (1.0 - stays * stays).sqrt() * machine.drift * dice.normal();
        self.building = self.building.saturating_sub(1);
        if self.building == 0 && dice.chance(builds) {
            self.building = 1 + dice.exponential(2.0) as u32;
            self.build = dice.lognormal(machine.build.0, 0.3).clamp(1.0, machine.build.1);
        }
    }
}
