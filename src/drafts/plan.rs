//! Planner of the draft queue: for every project and complete period with captures, the drafts that do not exist yet.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{lease, period};
use crate::config::DraftsConfig;
use crate::domain::capture::{Capture, CaptureState, RepoRef};
use crate::domain::draft::{Draft, DraftKind, DraftState, Period};
use crate::domain::project::ProjectLabels;
use crate::store::NewDraft;

/// Captures that were stored longer ago than this no longer cause a draft.
pub const LOOK_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Most drafts that one run queues: a month of days. A backfilled year takes several nights.
pub const DEFAULT_CAP: usize = 31;

/// Two periods of one cadence differ by at most this, where the clocks or the traveller's zone changed.
const SAME_CADENCE: SignedDuration = SignedDuration::from_hours(3);

/// Work of a run before it writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// To be queued, newest period first.
    pub queue: Vec<NewDraft>,
    /// Due as well, left for the next run because of the cap.
    pub left_out: usize,
    /// Written and not decided on: to be checked with `is_outdated`.
    pub recheck: Vec<Draft>,
}

/// A period of one project for one kind of draft, with its recently stored captures.
struct Due<'a> {
    kind: DraftKind,
    project: &'a str,
    repo: Option<&'a RepoRef>,
    period: Period,
    captures: Vec<&'a Capture>,
}

/// Plans a run at `now`. `captures` are those stored since `now - LOOK_BACK`, `drafts` all that exist, `names` those of
/// all projects.
///
/// The running day or week is left alone: it is due once it is over.
#[must_use]
pub fn plan(
    captures: &[Capture],
    (drafts, names): (&[Draft], &ProjectLabels),
    config: &DraftsConfig,
    zone: &TimeZone,
    now: Timestamp,
    cap: usize,
) -> Plan {
    let mut plan = Plan::default();
    for due in due(captures, config, zone, now) {
        match existing(&due, drafts) {
            Existing::Same(draft) if draft.state == DraftState::Ready => plan.recheck.push(draft.clone()),
            Existing::Same(_) | Existing::Covered => {}
            Existing::None if plan.queue.len() < cap => plan.queue.push(due.new_draft(names)),
            Existing::None => plan.left_out += 1,
        }
    }
    plan
}

/// All complete periods with recently stored captures, newest first.
fn due<'a>(captures: &'a [Capture], config: &DraftsConfig, zone: &TimeZone, now: Timestamp) -> Vec<Due<'a>> {
    // A renamed repository has captures under several names; captures outside of any repository have only a name.
    let key = |capture: &'a Capture| {
        let repo = capture.repo.as_ref().map(|repo| repo.id.as_str());
        (repo.is_none().then_some(capture.project.as_str()), repo)
    };
    let mut found: BTreeMap<_, Due<'a>> = BTreeMap::new();
    let recent = |capture: &&Capture| capture.state == CaptureState::Live && capture.captured_at >= now - LOOK_BACK;
    for capture in captures.iter().filter(recent) {
        for (kind, cadence) in [(DraftKind::Devlog, config.devlog), (DraftKind::Blog, config.blog)] {
            let Some(period) = period::of(cadence, capture.at, zone) else { continue };
            if period::is_complete(&period, now) {
                let repo = capture.repo.as_ref();
                let due = Due { kind, project: &capture.project, repo, period, captures: Vec::new() };
                found.entry((period.to, kind, key(capture))).or_insert(due).captures.push(capture);
            }
        }
    }
    found.into_values().rev().collect()
}

enum Existing<'a> {
    None,
    /// A draft of exactly this period.
    Same(&'a Draft),
    /// Other drafts of this cadence hold all of its captures.
    Covered,
}

/// A traveller's days shift by hours: a day that yesterday's zone already covers is not written again.
fn existing<'a>(due: &Due<'_>, drafts: &'a [Draft]) -> Existing<'a> {
    let near =
        |draft: &&Draft| draft.kind == due.kind && is_about(draft, due) && same_cadence(&draft.period, &due.period);
    let near: Vec<&Draft> = drafts.iter().filter(near).collect();
    if let Some(draft) = near.iter().find(|draft| draft.period == due.period) {
        return Existing::Same(draft);
    }
    let covered = |capture: &&Capture| near.iter().any(|draft| period::contains(&draft.period, capture.at));
    if due.captures.iter().all(covered) { Existing::Covered } else { Existing::None }
}

fn is_about(draft: &Draft, due: &Due<'_>) -> bool {
    match (&draft.repo, due.repo) {
        (Some(one), Some(other)) => one.id == other.id,
        (None, None) => draft.project == due.project,
        _ => false,
    }
}

fn same_cadence(one: &Period, other: &Period) -> bool {
    let length = |period: &Period| period.to.duration_since(period.from);
    (length(one) - length(other)).abs() <= SAME_CADENCE
}

/// A draft that is not decided on, whose period now holds other captures than its sources: some were stored late,
/// rewritten or forgotten. It is written again; a text that the user edited stays, and the new one is kept beside it.
#[must_use]
pub fn is_outdated(draft: &Draft, captures: &[Capture]) -> bool {
    let same = draft.sources.len() == captures.len() && captures.iter().all(|c| draft.sources.contains(&c.id));
    draft.state == DraftState::Ready && !same
}

impl Due<'_> {
    fn new_draft(&self, names: &ProjectLabels) -> NewDraft {
        NewDraft {
            kind: self.kind,
            project: names.label(self.project, self.repo.map(|repo| &repo.id)),
            repo: self.repo.cloned(),
            period: self.period,
            max_attempts: lease::MAX_ATTEMPTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cadence;
    use crate::domain::id::RepoId;
    use crate::domain::project::ProjectOrigin;
    use crate::drafts::sample::draft;
    use crate::publish::sample::capture;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn config() -> DraftsConfig {
        DraftsConfig {
            devlog: Cadence::Daily,
            blog: Cadence::Weekly,
            window: "02:00-06:00".to_owned(),
            on_battery: false,
        }
    }

    /// Wednesday night of the week after the captures.
    const NOW: &str = "2026-03-11T02:30:00Z";

    fn week() -> Vec<Capture> {
        ["2026-03-03T09:00:00Z", "2026-03-03T15:00:00Z", "2026-03-05T10:00:00Z", "2026-03-10T10:00:00Z"]
            .into_iter()
            .map(|moment| capture("uro", moment, "fix: something"))
            .collect()
    }

    fn plan_at(captures: &[Capture], drafts: &[Draft], now: &str) -> Plan {
        plan(captures, (drafts, &ProjectLabels::default()), &config(), &TimeZone::UTC, at(now), DEFAULT_CAP)
    }

    fn written(plan: &Plan) -> Vec<Draft> {
        plan.queue.iter().map(draft).collect()
    }

    fn summary(plan: &Plan) -> Vec<String> {
        let words =
            |new: &NewDraft| format!("{} {} {}", new.kind.as_str(), new.project, new.period.from.strftime("%m-%d"));
        plan.queue.iter().map(words).collect()
    }

    #[test]
    fn a_devlog_per_day_and_a_blog_per_week_newest_first() {
        assert_eq!(
            summary(&plan_at(&week(), &[], NOW)),
            ["devlog uro 03-10", "blog uro 03-02", "devlog uro 03-05", "devlog uro 03-03"]
        );
    }

    #[test]
    fn the_running_day_and_week_are_left_alone() {
        let plan = plan_at(&week(), &[], "2026-03-05T23:59:59Z");
        assert_eq!(summary(&plan), ["devlog uro 03-03"]);
    }

    #[test]
    fn what_exists_in_any_state_is_not_queued_again() {
        let first = plan_at(&week(), &[], NOW);
        for state in [DraftState::Queued, DraftState::Leased, DraftState::Rejected, DraftState::Dead] {
            let drafts: Vec<Draft> = written(&first).into_iter().map(|draft| Draft { state, ..draft }).collect();
            assert_eq!(plan_at(&week(), &drafts, NOW), Plan::default(), "{state:?}");
        }
    }

    #[test]
    fn each_project_gets_its_own() {
        let captures = [capture("a", "2026-03-10T10:00:00Z", "x"), capture("b", "2026-03-10T10:00:00Z", "y")];
        assert_eq!(summary(&plan_at(&captures, &[], NOW)), ["devlog b 03-10", "devlog a 03-10"]);
    }

    #[test]
    fn repositories_of_one_name_get_drafts_of_their_own() {
        let of = |path: &str, project: &str| {
            let repo = RepoRef { path: path.to_owned(), id: RepoId::from_stored(path.to_owned()) };
            Capture { repo: Some(repo), ..capture(project, "2026-03-10T10:00:00Z", path) }
        };
        let captures = [of("/acme/api", "api"), of("/globex/api", "api"), of("/x/shop", "shop"), of("/x/shop", "old")];
        let origins = captures[..3].iter().map(|c| ProjectOrigin { project: c.project.clone(), repo: c.repo.clone() });
        let names = ProjectLabels::of(origins.collect());
        let plan = |drafts: &[Draft]| {
            plan(&captures, (drafts, &names), &config(), &TimeZone::UTC, at("2026-03-11T02:30:00Z"), DEFAULT_CAP)
        };
        let mut projects: Vec<String> = plan(&[]).queue.into_iter().map(|new| new.project).collect();
        projects.sort_unstable();
        assert_eq!(projects, ["acme/api", "globex/api", "shop"], "a renamed repository is one project");
        let written = written(&plan(&[]));
        assert_eq!(plan(&written), Plan::default());
        assert_eq!(plan(&written[..1]).queue.len(), 2, "the draft of one covers no other");
        let outside = Draft { repo: None, project: "api".to_owned(), ..written[0].clone() };
        assert_eq!(plan(&[outside]).queue.len(), 3);
    }

    #[test]
    fn a_backfilled_year_is_queued_in_portions_that_lose_nothing() {
        let start = at("2025-03-01T12:00:00Z");
        let captures: Vec<Capture> = (0..300)
            .map(|day| {
                let moment = (start + SignedDuration::from_hours(24 * day)).to_string();
                Capture { captured_at: at(NOW), ..capture("uro", &moment, "x") }
            })
            .collect();
        let (mut drafts, mut nights) = (Vec::new(), 0);
        loop {
            let plan = plan_at(&captures, &drafts, NOW);
            assert!(plan.queue.len() <= DEFAULT_CAP);
            if plan.queue.is_empty() {
                assert_eq!(plan.left_out, 0);
                break;
            }
            drafts.extend(written(&plan).into_iter().map(|draft| Draft { state: DraftState::Accepted, ..draft }));
            nights += 1;
        }
        assert_eq!(drafts.iter().filter(|draft| draft.kind == DraftKind::Devlog).count(), 300);
        assert_eq!(nights, drafts.len().div_ceil(DEFAULT_CAP));
    }

    #[test]
    fn what_came_in_more_than_thirty_days_ago_asks_for_nothing() {
        assert_eq!(plan_at(&week(), &[], "2026-04-30T02:30:00Z"), Plan::default());
    }

    #[test]
    fn superseded_captures_ask_for_nothing() {
        let captures: Vec<Capture> =
            week().into_iter().map(|capture| Capture { state: CaptureState::Superseded, ..capture }).collect();
        assert_eq!(plan_at(&captures, &[], NOW), Plan::default());
    }

    #[test]
    fn a_cadence_can_be_changed_or_switched_off() {
        let config = DraftsConfig { devlog: Cadence::Weekly, blog: Cadence::Off, ..config() };
        let plan = plan(&week(), (&[], &ProjectLabels::default()), &config, &TimeZone::UTC, at(NOW), DEFAULT_CAP);
        assert_eq!(summary(&plan), ["devlog uro 03-02"]);
    }

    #[test]
    fn moving_to_another_zone_writes_no_day_twice() {
        let first = plan_at(&week(), &[], NOW);
        let drafts: Vec<Draft> =
            written(&first).into_iter().map(|draft| Draft { state: DraftState::Accepted, ..draft }).collect();
        let zone = TimeZone::get("America/New_York").unwrap();
        let now = at("2026-03-11T09:00:00Z");
        assert_eq!(
            plan(&week(), (&drafts, &ProjectLabels::default()), &config(), &zone, now, DEFAULT_CAP),
            Plan::default()
        );
    }

    #[test]
    fn an_untouched_draft_whose_captures_changed_is_outdated_and_an_edited_one_never() {
        let captures = week();
        let first = plan_at(&captures, &[], NOW);
        let mut draft = Draft { state: DraftState::Ready, ..written(&first).remove(3) };
        draft.sources = captures[..2].iter().map(|capture| capture.id).collect();
        assert_eq!(plan_at(&captures, &[draft.clone()], NOW).recheck, [draft.clone()]);
        assert!(!is_outdated(&draft, &captures[..2]));
        assert!(is_outdated(&draft, &captures[..1]) && is_outdated(&draft, &captures[..3]));
        draft.edit = Some(crate::domain::draft::DraftEdit { seconds: 3.0, distance: 0.1 });
        assert!(is_outdated(&draft, &captures[..3]), "the new text stands beside the edited one");
        draft.state = DraftState::Accepted;
        assert!(!is_outdated(&draft, &captures[..3]));
    }
}
