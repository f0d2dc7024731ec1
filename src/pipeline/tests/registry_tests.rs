//! Moved repositories, and repositories that register with their first report in global mode.

use super::PipelineFixture;
use crate::domain::event::{HookMode, HookName};
use crate::pipeline::registry::{self, GLOBAL};

#[test]
fn a_moved_repository_keeps_its_captures_and_what_was_committed_meanwhile_is_found() {
    let scene = PipelineFixture::new();
    let place = scene.repo("before");
    place.commit("a", "1", "One");
    scene.reconcile();
    let registered = scene.services.store.registered_repos().unwrap().remove(0);
    std::fs::rename(&place.path, scene.path("after")).unwrap();
    let moved = scene.at("after");
    moved.commit("b", "2", "Two");
    moved.commit("c", "3", "Three");
    moved.report(HookName::PostCommit, &[]);
    let repo_registry = scene.services.registry_version();
    scene.work();
    assert_eq!(moved.live(), ["One", "Two", "Three"]);
    let now = scene.services.store.registered_repos().unwrap();
    assert_eq!((now.len(), &now[0].path, now[0].since), (1, &moved.path, registered.since));
    assert!(scene.services.registry_version() > repo_registry, "the watcher sees the change");
    let mirror = std::fs::read_to_string(scene.services.paths.repositories()).unwrap();
    assert!(mirror.contains("after") && !mirror.contains("before"), "{mirror}");
}

#[test]
fn a_copy_is_another_repository() {
    let scene = PipelineFixture::new();
    let place = scene.repo("one");
    place.commit("a", "1", "One");
    scene.reconcile();
    std::fs::rename(&place.path, scene.path("moved")).unwrap();
    let copy = scene.plain("two");
    assert_eq!(registry::reregister_moved(&scene.services, &copy.open()).unwrap(), None);
    let moved = registry::reregister_moved(&scene.services, &scene.at("moved").open()).unwrap();
    assert_eq!(moved.unwrap().path, scene.path("moved"));
}

#[test]
fn a_repository_that_got_the_inode_of_a_deleted_one_does_not_inherit_its_captures() {
    let scene = PipelineFixture::new();
    let place = scene.repo("deleted");
    place.commit("a", "1", "One");
    scene.reconcile();
    let mut deleted = scene.services.store.registered_repos().unwrap().remove(0);
    std::fs::remove_dir_all(&place.path).unwrap();
    let next = scene.plain("next");
    let own = registry::inode(&next.path.join(".git")).unwrap();
    if std::fs::metadata(next.path.join(".git")).unwrap().created().is_err() {
        return; // Nothing can tell them apart on this file system.
    }
    let [device, inode, _born] = own.split(':').collect::<Vec<_>>()[..] else { panic!("{own}") };
    deleted.inode = Some(format!("{device}:{inode}:1700000000000000000"));
    scene.services.store.register(&deleted).unwrap();
    assert_eq!(registry::reregister_moved(&scene.services, &next.open()).unwrap(), None);
    deleted.inode = Some(own);
    scene.services.store.register(&deleted).unwrap();
    assert!(registry::reregister_moved(&scene.services, &next.open()).unwrap().is_some(), "else this proves nothing");
}

fn one_commit(scene: &PipelineFixture, name: &str) {
    let place = scene.plain(name);
    place.user("me@example.com").commit("a", "1", "One");
    place.report(HookName::PostCommit, &[]);
    scene.work();
}

fn names(scene: &PipelineFixture) -> Vec<String> {
    let registered = scene.services.store.registered_repos().unwrap();
    registered.into_iter().map(|known| known.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn in_global_mode_a_repository_that_reports_is_registered_if_it_may_be() {
    let scene = PipelineFixture::new();
    one_commit(&scene, "before");
    assert!(names(&scene).is_empty());
    scene.services.store.set_mark(GLOBAL, Some("{}")).unwrap();
    let (top, secret) = (scene.path("work").display().to_string(), scene.path("work/secret").display().to_string());
    scene.configure(&format!("[capture]\nonly_repos = [\"{top}/**\"]\nexclude_repos = [\"{secret}\"]\n"));
    for name in ["work/shop", "work/secret", "play"] {
        one_commit(&scene, name);
    }
    let quiet = scene.plain("work/quiet");
    quiet.git(&["config", "uro.capture", "false"]);
    one_commit(&scene, "work/quiet");
    assert_eq!(names(&scene), ["shop"]);
    let shop = scene.services.store.registered_repos().unwrap().remove(0);
    assert_eq!(shop.hook_mode, HookMode::Config);
    assert!(shop.inode.is_some());
    assert_eq!(scene.at("work/shop").live(), ["One"]);
    assert!(scene.at("play").live().is_empty() && scene.at("work/secret").live().is_empty());
    assert_eq!(scene.reconcile(), 0, "what was there before it reported is known");
}
