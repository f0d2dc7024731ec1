//! Machines: three as they are on desks, with speeds in the range of published measurements of four-bit models, and
//! those on which runs were recorded.

use super::recorded::Recording;

/// A model as it truly runs on a machine.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    pub name: &'static str,
    pub parameters: u64,
    /// Prompt tokens evaluated and tokens written, per second.
    pub reads: f64,
    pub writes: f64,
    /// Before the first token whatever the prompt, and to load the model, in seconds.
    pub overhead_s: f64,
    pub load_s: f64,
    /// What its captures are worth, 0..=1.
    pub quality: f64,
}

/// A machine and its moods.
#[derive(Debug, Clone, Copy)]
pub struct Machine<'m> {
    pub name: &'m str,
    pub cores: usize,
    pub gpu_share: f64,
    pub models: &'m [Model],
    /// Standard deviation of the logarithm from run to run, and of what drifts over hours.
    pub jitter: f64,
    pub drift: f64,
    /// How much slower everything is while a build runs (median, at the most).
    pub build: (f64, f64),
}

pub const TEMPLATE_QUALITY: f64 = 0.5;

pub const MACHINES: [Machine<'static>; 3] = [
    Machine {
        name: "laptop, CPU only",
        cores: 4,
        gpu_share: 0.0,
        models: &[made_up("1b", 1_200_000_000, [190.0, 38.0], 0.56), made_up("3b", 3_200_000_000, [60.0, 14.0], 0.68)],
        jitter: 0.12,
        drift: 0.12,
        build: (2.0, 5.0),
    },
    Machine {
        name: "mid, shared memory",
        cores: 10,
        gpu_share: 1.0,
        models: &[
            made_up("1b", 1_200_000_000, [1500.0, 95.0], 0.56),
            made_up("3b", 3_200_000_000, [560.0, 41.0], 0.68),
            made_up("7b", 7_200_000_000, [225.0, 21.0], 0.76),
        ],
        jitter: 0.08,
        drift: 0.06,
        build: (1.3, 2.5),
    },
    Machine {
        name: "graphics card",
        cores: 12,
        gpu_share: 1.0,
        models: &[
            made_up("3b", 3_200_000_000, [5000.0, 147.0], 0.68),
            made_up("7b", 7_200_000_000, [2500.0, 90.0], 0.76),
            made_up("13b", 13_000_000_000, [1300.0, 50.0], 0.82),
        ],
        jitter: 0.05,
        drift: 0.03,
        build: (1.1, 1.5),
    },
];

/// Loaded from a disk at 0.8 GB per second.
const fn made_up(name: &'static str, parameters: u64, [reads, writes]: [f64; 2], quality: f64) -> Model {
    let load_s = 0.5 + parameters as f64 * 4.9 / 8.0 / 0.8e9;
    Model { name, parameters, reads, writes, overhead_s: 0.04, load_s, quality }
}

/// The recorded model with everything taking `scale` times as long, in the place of the smallest one on `machine`; and
/// one with 2.6 times the weights (as a 3b has against a 1b) that takes as many times as long at every moment.
pub fn recorded(machine: &Machine<'_>, recording: &Recording, scale: f64) -> Vec<Model> {
    let usual = recording.usual;
    let like = machine.models.iter().zip([("as recorded", 1.0), ("2.6 times as large", 2.6)]);
    let model = |(like, (name, times)): (&Model, (&'static str, f64))| Model {
        name,
        parameters: like.parameters,
        reads: 1.0 / (usual.uncached_s * scale * times),
        writes: 1.0 / (usual.tpot_s * scale * times),
        overhead_s: usual.overhead_s * scale,
        load_s: usual.load_s * scale * times,
        quality: like.quality,
    };
    like.map(model).collect()
}
