//! Keep-alive: how long a server keeps a model loaded after a request. Memory is for the model that is likely to be
//! asked next.

use std::time::Duration;

use super::sampler::SystemSample;
use super::scoring::Contender;
use super::{Models, hours};
use crate::config::Config;
use crate::domain::role::Role;
use crate::route::signals::Urgency;

/// The captures' model in working hours: covers a coffee break, a meeting, a lunch.
const HELD: Duration = Duration::from_secs(60 * 60);
/// The same in the window of the nightly batch: another commit may follow, but the batch needs the memory.
const AT_NIGHT: Duration = Duration::from_secs(15 * 60);
/// A batch asks again within minutes or in a day.
const BATCH: Duration = Duration::from_secs(5 * 60);
/// On battery: held memory costs power; this still covers a burst of commits.
const ON_BATTERY: Duration = Duration::from_secs(2 * 60);

/// Inputs of the keep-alive time.
#[derive(Debug, Clone, Copy)]
struct Holding {
    /// The model writes captures, whatever this request was for.
    captures: bool,
    working: bool,
    on_battery: bool,
}

impl Models {
    pub(super) fn keep_alive(
        &self,
        config: &Config,
        urgency: Urgency,
        contender: &Contender,
        here: &SystemSample,
    ) -> Duration {
        let last = self.knowledge().last.get(&Role::Capture).cloned();
        let is_last = last.is_some_and(|(endpoint, model)| {
            (endpoint.as_str(), model.as_str()) == (contender.endpoint.as_str(), contender.offered.name.as_str())
        });
        let captures = urgency != Urgency::Batch || is_last;
        keep_alive_time(Holding { captures, working: hours::working(config, here.now), on_battery: here.on_battery })
    }
}

fn keep_alive_time(one: Holding) -> Duration {
    match () {
        () if one.on_battery => ON_BATTERY,
        () if one.captures && one.working => HELD,
        () if one.captures => AT_NIGHT,
        () => BATCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_captures_is_held_while_people_work_and_that_of_a_batch_never() {
        let one =
            |captures, working, on_battery| keep_alive_time(Holding { captures, working, on_battery }).as_secs() / 60;
        assert_eq!([one(true, true, false), one(true, false, false)], [60, 15]);
        assert_eq!([one(false, true, false), one(false, false, false)], [5, 5]);
        assert_eq!([one(true, true, true), one(false, false, true)], [2, 2]);
    }
}
