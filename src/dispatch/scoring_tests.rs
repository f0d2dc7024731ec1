//! Inputs of a routing decision: memory in working hours, and the users' edits of a model's texts.

use std::sync::Arc;

use super::*;
use crate::domain::clock::{Clock, SystemClock};
use crate::prompt::render::commit_rules;
use crate::route::decision::{Chosen, Rejected};
use crate::route::merit::Mean;
use crate::route::signals::Traffic;
use crate::route::tally::UsableTally;
use crate::store::ModelEvidence;

const SMALL: &str = "orca-mini:3b";
const LARGE: &str = "llama2:7b";

fn offered(name: &str, resident: bool) -> ListedModel {
    ListedModel { resident: Some(resident), ..ListedModel::named(name) }
}

struct Desk {
    config: Config,
    offers: Offers,
    knowledge: Learned,
    ram: u64,
    now: &'static str,
}

/// Eight gigabytes, the captures' model loaded, in working hours.
fn desk(models: &[ListedModel]) -> Desk {
    let endpoints = vec![EndpointConfig::local("local", "http://127.0.0.1:9")];
    let mut config = Config { endpoints, ..Config::default() };
    config.drafts.window = "03:00-03:01".into();
    let offer = Offer { endpoint: "local".into(), remote: false, models: models.to_vec() };
    let offers = Offers { offers: vec![offer], listed_at: vec![None] };
    let mut knowledge = Learned::default();
    knowledge.last.insert(Role::Capture, ("local".into(), SMALL.into()));
    // No time zone has this minute in the window.
    Desk { config, offers, knowledge, ram: 8_000_000_000, now: "2026-03-02T12:20:00Z" }
}

impl Desk {
    fn decide(&self, role: Role, urgency: Urgency) -> Decision {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let task = Task {
            role,
            urgency,
            traffic: Traffic::Calm,
            budget: Duration::from_secs(600),
            until: clock.instant() + Duration::from_secs(600),
            technicality: 0.5,
            template_quality: 0.0,
            tree: None,
            prompt: &|_| commit_rules(),
        };
        let now = self.now.parse().unwrap();
        let here = SystemSample { now, pressed: false, on_battery: false, cores: 4, ram: Some(self.ram) };
        let scene = RoutingContext { config: &self.config, task: &task, offers: &self.offers, here };
        let pool = Pool::new(Arc::clone(&clock));
        let shown = (&commit_rules(), TokenScale::default());
        scene.decide(&scene.contenders(&self.knowledge), shown, &self.knowledge, (&pool, clock.instant()))
    }

    fn drafts(&self) -> (String, Option<Rejected>) {
        let decision = self.decide(Role::Devlog, Urgency::Batch);
        let Chosen::Model { model, .. } = &decision.choice else { panic!("{decision:?}") };
        let large = decision.candidates.iter().find(|candidate| candidate.model == LARGE).unwrap();
        (model.clone(), large.rejected_because)
    }
}

#[test]
fn by_day_a_batch_does_without_the_model_that_would_push_the_captures_one_out() {
    let day = desk(&[offered(SMALL, true), offered(LARGE, false)]);
    assert_eq!(day.drafts(), (SMALL.into(), Some(Rejected::WouldEvict)));
    let night = Desk { config: Config::default(), ..desk(&[offered(SMALL, true), offered(LARGE, false)]) };
    let mut night = Desk { config: Config { endpoints: day.config.endpoints.clone(), ..night.config }, ..night };
    night.config.drafts.window = "00:00-23:59".into();
    assert_eq!(night.drafts(), (LARGE.into(), None));
}

#[test]
fn where_there_is_room_or_nothing_to_evict_the_better_writer_is_loaded() {
    let both = [offered(SMALL, true), offered(LARGE, false)];
    assert_eq!(Desk { ram: 32_000_000_000, ..desk(&both) }.drafts(), (LARGE.into(), None));
    assert_eq!(desk(&[offered(SMALL, false), offered(LARGE, false)]).drafts(), (LARGE.into(), None));
    assert_eq!(
        desk(&[offered(SMALL, true), offered(LARGE, true)]).drafts(),
        (LARGE.into(), None),
        "it is there already"
    );
}

#[test]
fn a_draft_for_which_there_is_only_the_large_model_is_written_by_it() {
    let mut desk = desk(&[offered(SMALL, true), offered(LARGE, false)]);
    desk.config.capture.strategy = crate::domain::model::Strategy::Multi;
    desk.config.models.roles.insert(Role::Devlog, LARGE.into());
    assert_eq!(desk.drafts(), (LARGE.into(), None));
}

#[test]
fn a_model_whose_texts_people_throw_away_is_worth_less_in_that_role() {
    let mut desk = desk(&[offered(SMALL, true), offered(LARGE, true)]);
    assert_eq!(desk.drafts().0, LARGE);
    let kept = Mean { n: 20, sum: 2.0 };
    let evidence = merit::Evidence { kept, ..merit::Evidence::default() };
    desk.knowledge.replace_evidence(vec![ModelEvidence { model: LARGE.into(), role: Role::Devlog, evidence }]);
    assert_eq!(desk.drafts().0, SMALL);
    let blog = desk.decide(Role::Blog, Urgency::Batch);
    assert!(matches!(blog.choice, Chosen::Model { model, .. } if model == LARGE));
}

#[test]
fn a_model_whose_answers_are_seldom_used_is_not_asked_until_it_is_another_version() {
    let digest = |digest: &str| ListedModel { digest: Some(digest.into()), ..offered(LARGE, true) };
    let mut desk = desk(&[offered(SMALL, true), digest("1")]);
    let seldom = [(Role::Devlog, UsableTally { judged: 40, used: 7 })];
    desk.knowledge.tallies.insert(("local".into(), LARGE.into()), seldom.into());
    assert_eq!(desk.drafts(), (SMALL.into(), Some(Rejected::SeldomUsable)));
    let blog = desk.decide(Role::Blog, Urgency::Batch);
    assert!(matches!(blog.choice, Chosen::Model { model, .. } if model == LARGE), "in its other roles it writes");

    desk.config.models.roles = [(Role::Devlog, LARGE.into()), (Role::Capture, SMALL.into())].into();
    assert_eq!(desk.drafts().0, SMALL, "another one stands in for the one that is named");
    desk.config.models.roles.clear();

    let key = ForecastKey {
        endpoint: "local".into(),
        model: LARGE.into(),
        digest: Some("1".into()),
        options: 1,
        on_battery: false,
    };
    let run = crate::route::observation::Observation {
        uncached: 50,
        cached: 0,
        allowed: 120,
        written: 40,
        sentence: Some(20),
        load_s: None,
        queue_s: 0.0,
        ttft_s: Some(1.0),
        tpot_s: Some(0.01),
        took_s: 1.4,
        end: crate::route::observation::RunEnd::Done,
        pressed: false,
        idle_min: 0.0,
    };
    let now = desk.now.parse().unwrap();
    desk.knowledge.ledger.learn(&key, Speed::from_hardware(&ModelHardware::default()), &run, now);
    assert_eq!(desk.drafts().0, SMALL, "the version that was judged");
    desk.offers.offers[0].models[1] = digest("2");
    assert_eq!(desk.drafts(), (LARGE.into(), None), "this one has no judged answers");
}
