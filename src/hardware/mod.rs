//! System sampler: memory, cores, load, pressure and power of this machine.

use serde::Serialize;
use sysinfo::System;

pub mod power;
pub mod pressure;

use power::Power;
use pressure::Pressure;

/// One sample of the machine's resources. Values that the system does not report are absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hardware {
    /// Bytes; inside a container, the container's limit.
    pub ram_total: Option<u64>,
    /// Available memory in bytes, without swapping.
    pub ram_available: Option<u64>,
    /// Cores available to this process.
    pub cores: usize,
    /// Runnable tasks, averaged over a minute.
    pub load: Option<f64>,
    pub pressure: Pressure,
    pub power: Power,
}

impl Hardware {
    /// Takes a sample in well under a millisecond; never fails.
    #[must_use]
    pub fn measure() -> Self {
        let (ram_total, ram_available) = memory();
        Self {
            ram_total,
            ram_available,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            load: System::load_average().ok().map(|load| load.one),
            pressure: Pressure::read(),
            power: Power::read(),
        }
    }

    /// Load per core; above 1 tasks wait for a core.
    #[must_use]
    pub fn load_per_core(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "core counts are small")]
        self.load.map(|load| load / self.cores.max(1) as f64)
    }
}

fn memory() -> (Option<u64>, Option<u64>) {
    let Ok(mut system) = System::new() else { return (None, None) };
    system.refresh_memory();
    let (total, available) = (system.total_memory(), system.available_memory());
    let (total, available) = match system.cgroup_limits() {
        Some(limits) if limits.total_memory > 0 => (total.min(limits.total_memory), available.min(limits.free_memory)),
        _ => (total, available),
    };
    ((total > 0).then_some(total), (total > 0).then_some(available))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_and_cores_and_no_more_free_than_total() {
        let found = Hardware::measure();
        assert!(found.cores >= 1);
        assert!(found.ram_total.unwrap() >= found.ram_available.unwrap());
        assert!(found.ram_total.unwrap() > 1 << 26);
    }

    #[test]
    fn load_is_seen_per_core() {
        let mut machine = Hardware::measure();
        (machine.load, machine.cores) = (Some(3.0), 2);
        assert_eq!(machine.load_per_core(), Some(1.5));
    }
}
