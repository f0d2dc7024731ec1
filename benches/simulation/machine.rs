//! Three machines as they are on desks. Speeds are in the range of published measurements of four-bit models.

/// A model as it truly runs on a machine.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    pub name: &'static str,
    pub parameters: u64,
    /// Prompt tokens evaluated and tokens written, per second.
    pub reads: f64,
    pub writes: f64,
    /// What its captures are worth, 0..=1.
    pub quality: f64,
}

/// A machine and its moods.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    pub name: &'static str,
    pub cores: usize,
    pub gpu_share: f64,
    pub models: &'static [Model],
    /// Standard deviation of the logarithm from run to run, and of what drifts over hours.
    pub jitter: f64,
    pub drift: f64,
    /// How much slower everything is while a build runs (median, at the most).
    pub build: (f64, f64),
}

pub const TEMPLATE_QUALITY: f64 = 0.5;

pub const MACHINES: [Machine; 3] = [
    Machine {
        name: "laptop, CPU only",
        cores: 4,
        gpu_share: 0.0,
        models: &[
            Model { name: "1b", parameters: 1_200_000_000, reads: 190.0, writes: 38.0, quality: 0.56 },
            Model { name: "3b", parameters: 3_200_000_000, reads: 60.0, writes: 14.0, quality: 0.68 },
        ],
        jitter: 0.12,
        drift: 0.12,
        build: (2.0, 5.0),
    },
    Machine {
        name: "mid, shared memory",
        cores: 10,
        gpu_share: 1.0,
        models: &[
            Model { name: "1b", parameters: 1_200_000_000, reads: 1500.0, writes: 95.0, quality: 0.56 },
            Model { name: "3b", parameters: 3_200_000_000, reads: 560.0, writes: 41.0, quality: 0.68 },
            Model { name: "7b", parameters: 7_200_000_000, reads: 225.0, writes: 21.0, quality: 0.76 },
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
            Model { name: "3b", parameters: 3_200_000_000, reads: 5000.0, writes: 147.0, quality: 0.68 },
            Model { name: "7b", parameters: 7_200_000_000, reads: 2500.0, writes: 90.0, quality: 0.76 },
            Model { name: "13b", parameters: 13_000_000_000, reads: 1300.0, writes: 50.0, quality: 0.82 },
        ],
        jitter: 0.05,
        drift: 0.03,
        build: (1.1, 1.5),
    },
];
