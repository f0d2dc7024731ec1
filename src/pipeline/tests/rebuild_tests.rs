//! The mirror of the list of repositories: private, always whole, and reported when damaged.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config::Overrides;
use crate::domain::clock::SystemClock;

struct Scene {
    _dir: tempfile::TempDir,
    services: Services,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::from_home(dir.path());
    let services = Services::open(paths, Overrides::default(), Arc::new(SystemClock)).unwrap();
    Scene { _dir: dir, services }
}

fn registered(name: &str) -> RegisteredRepo {
    RegisteredRepo {
        id: RepoId::from_common_dir(name.as_bytes()),
        path: format!("/nowhere/{name}").into(),
        common_dir: format!("/nowhere/{name}/.git").into(),
        project: name.to_owned(),
        since: jiff::Timestamp::UNIX_EPOCH,
        hook_mode: HookMode::File,
        inode: None,
    }
}

#[test]
fn the_list_is_readable_by_its_owner_alone_also_where_it_was_not() {
    let Scene { services, _dir } = scene();
    std::fs::write(services.paths.repositories(), "[]").unwrap();
    std::fs::set_permissions(services.paths.repositories(), std::fs::Permissions::from_mode(0o644)).unwrap();
    services.store.register(&registered("shop")).unwrap();
    write_mirror(services.store.as_ref(), &services.paths).unwrap();
    let mode = std::fs::metadata(services.paths.repositories()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(read_mirror(&services.paths).unwrap(), [registered("shop")]);
}

#[test]
fn of_many_writers_the_last_one_leaves_a_whole_list_with_everything() {
    let Scene { services, _dir } = scene();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let services = &services;
            scope.spawn(move || {
                for number in 0..5 {
                    services.store.register(&registered(&format!("r{writer}-{number}"))).unwrap();
                    write_mirror(services.store.as_ref(), &services.paths).unwrap();
                    read_mirror(&services.paths).expect("whole at any time");
                }
            });
        }
    });
    assert_eq!(read_mirror(&services.paths).unwrap().len(), 40);
}

#[test]
fn a_torn_list_is_reported_and_kept_and_never_taken_for_an_empty_one() {
    let Scene { services, _dir } = scene();
    let list = services.paths.repositories();
    for torn in ["", "[{\"id\": \"ab", "[]{", "\u{0}\u{0}"] {
        std::fs::write(&list, torn).unwrap();
        read_mirror(&services.paths).expect_err(torn);
    }
    after_quarantine(&services, Path::new("/nowhere/captures.db.damaged")).unwrap();
    let problems = services.store.problems(jiff::Timestamp::MIN).unwrap();
    let problem = problems.iter().find(|(_, what, _)| what.contains("list of repositories")).expect("reported");
    assert!(problem.2.contains("uro-capture init"), "{problem:?}");
    assert!(!list.exists() && list.with_extension("json.damaged").exists());
    std::fs::remove_file(list.with_extension("json.damaged")).unwrap();
    assert_eq!(read_mirror(&services.paths).unwrap(), [], "none was ever written: nothing was registered");
}
