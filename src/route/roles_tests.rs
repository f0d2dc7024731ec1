//! Role assignment with many models, with few, and with unsuitable ones.

use std::collections::BTreeMap;

use super::*;
use crate::domain::role::ROLES;

const GB: u64 = 1_000_000_000;

fn offered(name: &str) -> ListedModel {
    ListedModel::named(name)
}

fn offers(models: Vec<ListedModel>) -> Vec<Offer> {
    vec![Offer { endpoint: "local".into(), remote: false, models }]
}

fn usual_offers() -> Vec<Offer> {
    offers(
        ["orca-mini:3b", "mistral:7b", "codellama:7b", "llama2:13b", "neural-chat:7b", "nomic-embed-text"]
            .map(offered)
            .into(),
    )
}

fn filled(role: Role, offers: &[Offer], ram: u64) -> Option<String> {
    let memory = Memory { ram: Some(ram * GB) };
    let cast = assign_models(role, &ModelsConfig::default(), Strategy::Adaptive, offers, memory);
    cast.proposals.first().map(|proposal| proposal.model.clone())
}

#[test]
fn without_configuration_each_role_gets_the_model_of_the_usual_size() {
    let offers = usual_offers();
    let cast = ROLES.map(|role| filled(role, &offers, 32).unwrap());
    assert_eq!(cast, ["orca-mini:3b", "codellama:7b", "llama2:13b", "neural-chat:7b", "mistral:7b"]);
}

#[test]
fn a_model_that_does_not_fit_is_not_proposed_and_it_is_said_why() {
    let offers = usual_offers();
    assert_ne!(filled(Role::Blog, &offers, 8).as_deref(), Some("llama2:13b"));
    let memory = Memory { ram: Some(8 * GB) };
    let cast = assign_models(Role::Blog, &ModelsConfig::default(), Strategy::Adaptive, &offers, memory);
    let large = cast.unfit.iter().find(|unfit| unfit.model == "llama2:13b").unwrap();
    assert!(matches!(large.because, UnfitReason::TooLarge { needs, has } if needs > has), "{large:?}");
}

#[test]
fn what_is_loaded_already_fits_whatever_is_reckoned() {
    let loaded = ListedModel { resident: Some(true), ..offered("llama2:13b") };
    assert_eq!(filled(Role::Blog, &offers(vec![loaded]), 8).as_deref(), Some("llama2:13b"));
}

#[test]
fn cloud_and_embedding_models_are_turned_away_unless_remote_is_allowed() {
    let cloud = ListedModel { cloud: true, ..offered("gpt-oss:120b-cloud") };
    let mut offers = offers(vec![cloud, offered("bge-m3"), ListedModel { completes: false, ..offered("x:1b") }]);
    let unfit = |offers: &[Offer]| {
        let cast = assign_models(Role::Blog, &ModelsConfig::default(), Strategy::Adaptive, offers, Memory::default());
        (cast.proposals.len(), cast.unfit.iter().map(|unfit| unfit.because).collect::<Vec<_>>())
    };
    assert_eq!(unfit(&offers), (0, vec![UnfitReason::Cloud, UnfitReason::Embedding, UnfitReason::Embedding]));
    offers[0].remote = true;
    assert_eq!(unfit(&offers).0, 1);
}

#[test]
fn a_thinking_model_captures_only_if_there_is_no_other() {
    let thinker = offered("deepseek-r1:1.5b");
    assert_eq!(
        filled(Role::Capture, &offers(vec![thinker.clone(), offered("gemma:2b")]), 16).as_deref(),
        Some("gemma:2b")
    );
    assert_eq!(filled(Role::Capture, &offers(vec![thinker]), 16).as_deref(), Some("deepseek-r1:1.5b"));
}

#[test]
fn a_model_that_spilled_from_the_graphics_card_is_noticed() {
    let half = ListedModel { resident: Some(true), gpu_share: Some(0.6), ..offered("a:7b") };
    let cast =
        assign_models(Role::Blog, &ModelsConfig::default(), Strategy::Adaptive, &offers(vec![half]), Memory::default());
    assert_eq!(cast.proposals[0].spilled.map(|share| (share * 10.0).round()), Some(4.0));
}

#[test]
fn the_three_strategies_look_at_one_at_one_per_role_and_at_all_that_were_named() {
    let models = ModelsConfig {
        roles: BTreeMap::from([(Role::Blog, "llama2:13b".to_owned()), (Role::Capture, "orca-mini:3b".to_owned())]),
        default: Some("mistral:7b".to_owned()),
    };
    let names = |role, strategy| {
        let cast = assign_models(role, &models, strategy, &usual_offers(), Memory::default());
        cast.proposals.into_iter().map(|proposal| proposal.model).collect::<Vec<_>>()
    };
    assert_eq!(names(Role::Blog, Strategy::Single), ["mistral:7b"]);
    assert_eq!(names(Role::Blog, Strategy::Multi), ["llama2:13b"]);
    let adaptive = names(Role::Blog, Strategy::Adaptive);
    assert_eq!((adaptive[0].as_str(), adaptive.len()), ("llama2:13b", 3));
    assert!(!adaptive.contains(&"codellama:7b".to_owned()));
}

#[test]
fn without_configuration_single_is_one_model_for_everything_and_multi_one_per_role() {
    let names = |role, strategy| {
        let cast = assign_models(role, &ModelsConfig::default(), strategy, &usual_offers(), Memory::default());
        cast.proposals.into_iter().map(|proposal| proposal.model).collect::<Vec<_>>()
    };
    assert_eq!(names(Role::Capture, Strategy::Single), ["orca-mini:3b"]);
    assert_eq!(names(Role::Blog, Strategy::Single), ["orca-mini:3b"]);
    assert_eq!(names(Role::Blog, Strategy::Multi), ["llama2:13b"]);
}
