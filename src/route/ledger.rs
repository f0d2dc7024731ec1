//! Persistent store of all latency forecasts by key.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::forecast::Forecast;
use super::key::ForecastKey;
use super::observation::Observation;
use super::speed::Speed;

/// Limit of stored forecasts; the least recently used are evicted.
pub const MOST: usize = 200;

/// Forecasts with the time of their last run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Ledger {
    entries: BTreeMap<ForecastKey, (Forecast, Timestamp)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub key: ForecastKey,
    pub at: Timestamp,
    pub forecast: Forecast,
}

impl Ledger {
    /// The forecast for `key`, with the minutes since its last run. An unknown key starts from its nearest relative
    /// (another digest, other options, another power source), else from `seed`.
    #[must_use]
    pub fn forecast_for(&self, key: &ForecastKey, seed: Speed, now: Timestamp) -> (Forecast, f64) {
        match self.entries.get(key) {
            Some((forecast, at)) => (forecast.clone(), minutes(*at, now)),
            None => (self.nearest_relative(key).map_or_else(|| Forecast::from_seed(seed), Forecast::widened), 0.0),
        }
    }

    /// Runs of this model here, over all digests, options and power sources.
    #[must_use]
    pub fn runs(&self, key: &ForecastKey) -> u64 {
        let kin = self.entries.iter().filter(|(other, _)| other.is_same_model(key));
        kin.fold(0, |sum, (_, (forecast, _))| sum.saturating_add(forecast.n()))
    }

    /// Whether another digest of this model ran here and this one has not run yet.
    #[must_use]
    pub fn is_new_version(&self, key: &ForecastKey) -> bool {
        let mut others =
            self.entries.keys().filter(|other| other.is_same_model(key) && other.digest.is_some()).peekable();
        key.digest.is_some() && others.peek().is_some() && others.all(|other| other.digest != key.digest)
    }

    /// Last run of an older digest of this model; `None` where there was none.
    #[must_use]
    pub fn replaced_at(&self, endpoint: &str, model: &str) -> Option<Timestamp> {
        let has_digest = |key: &&ForecastKey| key.endpoint == endpoint && key.model == model && key.digest.is_some();
        let all = || self.entries.iter().filter(|(key, _)| has_digest(key)).map(|(key, (_, at))| (&key.digest, *at));
        let (newest, _) = all().max_by_key(|(_, at)| *at)?;
        all().filter(|(digest, _)| *digest != newest).map(|(_, at)| at).max()
    }

    /// Learns from one run. `seen.idle_min` is set here from the time of the last one.
    pub fn learn(&mut self, key: &ForecastKey, seed: Speed, observation: &Observation, now: Timestamp) {
        let (mut forecast, idle_min) = self.forecast_for(key, seed, now);
        forecast.learn(&Observation { idle_min, ..*observation });
        self.entries.insert(key.clone(), (forecast, now));
        while self.entries.len() > MOST {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone()) else {
                break;
            };
            self.entries.remove(&oldest);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ForecastKey, &Forecast, Timestamp)> {
        self.entries.iter().map(|(key, (forecast, at))| (key, forecast, *at))
    }

    /// The stored entry of `key`; `None` where it was never run.
    #[must_use]
    pub fn entry(&self, key: &ForecastKey) -> Option<Entry> {
        let (forecast, at) = self.entries.get(key)?;
        Some(Entry { key: key.clone(), at: *at, forecast: forecast.clone() })
    }

    fn nearest_relative(&self, key: &ForecastKey) -> Option<&Forecast> {
        let kin = self.entries.iter().filter(|(other, _)| other.is_same_model(key));
        kin.max_by_key(|(other, (_, at))| (other.digest == key.digest, *at)).map(|(_, (forecast, _))| forecast)
    }
}

impl From<Vec<Entry>> for Ledger {
    /// Damaged entries are dropped and learned anew.
    fn from(entries: Vec<Entry>) -> Self {
        let sound = entries.into_iter().filter(|entry| entry.forecast.is_sound());
        Self { entries: sound.map(|entry| (entry.key, (entry.forecast, entry.at))).collect() }
    }
}

impl From<Ledger> for Vec<Entry> {
    fn from(ledger: Ledger) -> Self {
        ledger.entries.into_iter().map(|(key, (forecast, at))| Entry { key, at, forecast }).collect()
    }
}

/// Minutes between two times; 0 if the clock was set back.
fn minutes(from: Timestamp, to: Timestamp) -> f64 {
    (to.duration_since(from).as_secs_f64() / 60.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::forecast::{Conditions, Work};
    use crate::route::observation::RunEnd;
    use crate::route::speed::ModelHardware;

    fn key(model: &str, digest: &str, on_battery: bool) -> ForecastKey {
        ForecastKey {
            endpoint: "local".into(),
            model: model.into(),
            digest: Some(digest.into()),
            options: 1,
            on_battery,
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + 60 * minute).unwrap()
    }

    fn slow() -> Observation {
        Observation {
            uncached: 50,
            cached: 0,
            allowed: 120,
            written: 40,
            sentence: Some(20),
            load_s: None,
            queue_s: 0.0,
            ttft_s: Some(90.0),
            tpot_s: Some(3.0),
            took_s: 210.0,
            end: RunEnd::Done,
            pressed: false,
            idle_min: 0.0,
        }
    }

    fn total(ledger: &Ledger, key: &ForecastKey) -> f64 {
        let work = Work { uncached: 50, cached: 0, allowed: 120 };
        let (forecast, idle_min) = ledger.forecast_for(key, Speed::from_hardware(&ModelHardware::default()), at(100));
        forecast.outlook(&work, &Conditions { left_s: 2.0, idle_min, ..Conditions::default() }).total_s
    }

    fn trained_ledger() -> Ledger {
        let mut ledger = Ledger::default();
        (0..20).for_each(|i| {
            ledger.learn(&key("a", "1", false), Speed::from_hardware(&ModelHardware::default()), &slow(), at(i));
        });
        ledger
    }

    #[test]
    fn a_model_on_battery_starts_from_what_is_known_of_it_on_the_mains() {
        let ledger = trained_ledger();
        let stranger = total(&ledger, &key("b", "1", false));
        assert!(total(&ledger, &key("a", "1", true)) > 1.2 * stranger);
        assert!(total(&ledger, &key("a", "2", false)) > 1.2 * stranger);
    }

    #[test]
    fn all_runs_of_a_model_count_together_and_a_new_version_is_told_from_an_old_one() {
        let mut ledger = trained_ledger();
        assert_eq!((ledger.runs(&key("a", "2", true)), ledger.runs(&key("b", "1", false))), (20, 0));
        assert!(ledger.is_new_version(&key("a", "2", false)) && !ledger.is_new_version(&key("a", "1", true)));
        let undigested = ForecastKey { digest: None, ..key("a", "1", false) };
        assert!(!ledger.is_new_version(&undigested) && !ledger.is_new_version(&key("b", "1", false)));
        assert_eq!(ledger.replaced_at("local", "a"), None);
        ledger.learn(&key("a", "2", false), Speed::from_hardware(&ModelHardware::default()), &slow(), at(40));
        assert_eq!(ledger.replaced_at("local", "a"), Some(at(19)));
        assert_eq!((ledger.runs(&undigested), ledger.is_new_version(&key("a", "2", true))), (21, false));
    }

    #[test]
    fn it_comes_back_from_where_it_is_stored() {
        let text = serde_json::to_string(&trained_ledger()).unwrap();
        let back: Ledger = serde_json::from_str(&text).unwrap();
        assert_eq!(back.iter().count(), 1);
        assert_eq!(back.entry(&key("a", "1", true)), None);
        assert_eq!(back.entry(&key("a", "1", false)).map(|entry| entry.at), Some(at(19)));
        assert!((total(&back, &key("a", "1", false)) - total(&trained_ledger(), &key("a", "1", false))).abs() < 0.01);
        assert!(text.len() < 12_000, "{}", text.len());
    }

    #[test]
    fn minutes_since_the_last_run_are_told_and_a_clock_set_back_is_none() {
        let seed = Speed::from_hardware(&ModelHardware::default());
        assert!((trained_ledger().forecast_for(&key("a", "1", false), seed, at(49)).1 - 30.0).abs() < 1e-9);
        assert!(trained_ledger().forecast_for(&key("a", "1", false), seed, at(0)).1.abs() < 1e-9);
    }

    #[test]
    fn what_was_not_run_for_longest_is_forgotten() {
        let mut ledger = Ledger::default();
        for i in 0..205 {
            ledger.learn(
                &key(&i.to_string(), "1", false),
                Speed::from_hardware(&ModelHardware::default()),
                &slow(),
                at(i),
            );
        }
        assert_eq!(ledger.iter().count(), MOST);
        assert!(ledger.iter().all(|(key, ..)| key.model.parse::<i32>().is_ok_and(|model| model >= 5)));
    }
}
