//! Power source: mains or battery. Long model runs wait for mains power.

use std::path::Path;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Power {
    Mains,
    Battery {
        percent: Option<u8>,
    },
    /// Not reported by the system; counts as mains.
    Unknown,
}

impl Power {
    /// Reads the running system; Linux only.
    #[must_use]
    pub fn read() -> Self {
        Self::read_from(Path::new("/sys/class/power_supply"))
    }

    #[must_use]
    pub fn on_battery(self) -> bool {
        matches!(self, Self::Battery { .. })
    }

    /// A mains supply that is online wins; else a discharging system battery. Batteries of mice and
    /// keyboards (`scope` = `Device`) do not count.
    fn read_from(dir: &Path) -> Self {
        let supplies: Vec<Supply> = std::fs::read_dir(dir)
            .map(|entries| entries.filter_map(Result::ok).map(|entry| Supply::read(&entry.path())).collect())
            .unwrap_or_default();
        if supplies.iter().any(|supply| supply.kind != "Battery" && supply.online) {
            return Self::Mains;
        }
        let mut batteries = supplies.iter().filter(|supply| supply.kind == "Battery" && !supply.of_device);
        match batteries.find(|battery| battery.discharging) {
            Some(battery) => Self::Battery { percent: battery.percent },
            None if supplies.iter().any(|supply| supply.kind == "Battery" && !supply.of_device) => Self::Mains,
            None => Self::Unknown,
        }
    }
}

/// One entry of `/sys/class/power_supply`.
struct Supply {
    /// `Mains`, `USB`, `Battery`, …
    kind: String,
    online: bool,
    discharging: bool,
    of_device: bool,
    percent: Option<u8>,
}

impl Supply {
    fn read(dir: &Path) -> Self {
        let field = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default().trim().to_owned();
        Self {
            kind: field("type"),
            online: field("online") == "1",
            discharging: field("status") == "Discharging",
            of_device: field("scope") == "Device",
            percent: field("capacity").parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds supplies from (name, [(file, content)]) and reads them.
    fn read(supplies: &[(&str, &[(&str, &str)])]) -> Power {
        let top = tempfile::tempdir().unwrap();
        for (name, files) in supplies {
            std::fs::create_dir(top.path().join(name)).unwrap();
            for (file, content) in *files {
                std::fs::write(top.path().join(name).join(file), format!("{content}\n")).unwrap();
            }
        }
        Power::read_from(top.path())
    }

    const AC: (&str, &[(&str, &str)]) = ("AC", &[("type", "Mains"), ("online", "1")]);
    const AC_OFF: (&str, &[(&str, &str)]) = ("AC", &[("type", "Mains"), ("online", "0")]);
    const DRAINING: (&str, &[(&str, &str)]) =
        ("BAT0", &[("type", "Battery"), ("status", "Discharging"), ("capacity", "41")]);
    const FULL: (&str, &[(&str, &str)]) = ("BAT0", &[("type", "Battery"), ("status", "Full"), ("capacity", "100")]);
    const MOUSE: (&str, &[(&str, &str)]) =
        ("hidpp", &[("type", "Battery"), ("status", "Discharging"), ("scope", "Device"), ("capacity", "7")]);

    #[test]
    fn the_source_of_power_is_told_apart() {
        assert_eq!(read(&[AC, DRAINING]), Power::Mains);
        assert_eq!(read(&[AC_OFF, DRAINING]), Power::Battery { percent: Some(41) });
        assert_eq!(read(&[AC_OFF, FULL]), Power::Mains);
        assert_eq!(read(&[MOUSE]), Power::Unknown);
        assert_eq!(read(&[]), Power::Unknown);
        assert_eq!(Power::read_from(Path::new("/nonexistent")), Power::Unknown);
    }

    #[test]
    fn only_a_draining_battery_counts_as_battery() {
        assert!(Power::Battery { percent: None }.on_battery());
        assert!(!Power::Mains.on_battery() && !Power::Unknown.on_battery());
    }
}
