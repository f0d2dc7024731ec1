//! Every way in which git makes, moves and replaces commits, in every kind of repository, whoever reports it:
//! one live capture per unit of work.

mod arrivals;
mod cell;
mod commits;
mod layout;
mod rewrites;
mod unheard;
mod verdict;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use uro_capture::domain::capture::Capture;
use uro_capture::store::sqlite::SqliteStore;
use uro_capture::store::{CaptureArchive, CaptureQuery};

use self::cell::{Cell, Reporter};
use self::layout::Layout;
use crate::harness::World;

/// One row of the matrix.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    name: &'static str,
    /// What has to be there and captured before.
    prepare: fn(&mut Cell),
    act: fn(&mut Cell),
    /// Where it cannot be done at all.
    impossible: fn(Layout) -> bool,
}

impl Operation {
    const fn new(name: &'static str, prepare: fn(&mut Cell), act: fn(&mut Cell)) -> Self {
        Self { name, prepare, act, impossible: |_| false }
    }

    const fn alone(name: &'static str, act: fn(&mut Cell)) -> Self {
        Self::new(name, |_| {}, act)
    }

    const fn without(self, impossible: fn(Layout) -> bool) -> Self {
        Self { impossible, ..self }
    }
}

fn operations(layout: Layout) -> impl Iterator<Item = Operation> {
    let all = [commits::COMMITS, rewrites::REWRITES, arrivals::ARRIVALS, unheard::UNHEARD].into_iter().flatten();
    all.copied().filter(move |operation| !(operation.impossible)(layout))
}

/// All cells of one layout, in one world with one sidecar.
fn column(layout: Layout, reporter: Reporter) {
    let world = World::without_models();
    hasten(&world);
    world.start_sidecar();
    let store = SqliteStore::open(&world.path("uro/data/captures.db")).unwrap().store;
    let table: Vec<Operation> = operations(layout).collect();
    let mut cells = cells(&world, layout, reporter, &table);
    for (row, cell) in table.iter().zip(&mut cells) {
        (row.prepare)(cell);
    }
    insist("before the operation", &store, &cells);
    if reporter == Reporter::Nobody {
        stop(&world);
    }
    for (row, cell) in table.iter().zip(&mut cells) {
        cell.prepared();
        (row.act)(cell);
        // Whoever has seen this one has seen what lies before it.
        cell.work("sentinel");
    }
    if reporter == Reporter::Nobody {
        world.start_sidecar();
    }
    insist("after the operation", &store, &cells);
    again(&world, &store, &mut cells);
}

/// Thousands of steps: git neither looks after each whether it should tidy up, nor waits for the disk.
fn hasten(world: &World) {
    for (name, value) in [("maintenance.auto", "false"), ("gc.auto", "0"), ("core.fsync", "none")] {
        world.git(&world.path("home"), &["config", "--global", name, value]);
    }
}

/// A repository for each row, all registered at once.
fn cells<'w>(world: &'w World, layout: Layout, reporter: Reporter, table: &[Operation]) -> Vec<Cell<'w>> {
    let dirs: Vec<PathBuf> = table.iter().map(|row| layout.make(world, row.name)).collect();
    world.ok(&world.path("home"), &["init", "--global", world.path("").to_str().unwrap()]);
    let cell = |(row, dir): (&Operation, PathBuf)| Cell::new(world, layout, reporter, row.name, dir);
    table.iter().zip(dirs).map(cell).collect()
}

/// A sidecar that starts anew reads everything that it finds, down to a commit that nobody reported: all of it is
/// known already.
fn again(world: &World, store: &SqliteStore, cells: &mut [Cell]) {
    stop(world);
    for cell in &mut *cells {
        cell.reporter = Reporter::Nobody;
        cell.prepared();
        cell.work("last");
    }
    world.start_sidecar();
    insist("after a restart", store, cells);
}

fn stop(world: &World) {
    world.ok(&world.path("home"), &["sidecar", "stop"]);
}

/// Long enough for a loaded machine, for all cells together.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until nothing is wrong in any cell, one after the other, so that the waiting itself costs little; names those
/// in which something stays so.
fn insist(when: &str, store: &SqliteStore, cells: &[Cell]) {
    let start = Instant::now();
    let is_wrong = |cell: &&Cell| !verdict::faults(cell, &captures(store, cell)).is_empty();
    let stays_wrong = |cell: &&Cell| {
        while is_wrong(cell) {
            if start.elapsed() > PATIENCE {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    };
    let wrong: Vec<&Cell> = cells.iter().filter(stays_wrong).collect();
    let report: String = wrong.iter().map(|cell| describe(cell, &captures(store, cell))).collect();
    assert!(wrong.is_empty(), "{when}, {} of {} cells are wrong:\n{report}", wrong.len(), cells.len());
}

fn describe(cell: &Cell, captures: &[Capture]) -> String {
    let faults = verdict::faults(cell, captures).join("\n    ");
    format!("{}\n    {faults}\n{}", cell.title(), verdict::list(captures))
}

/// Looked at without a command, which would itself capture what lies in the spool.
fn captures(store: &SqliteStore, cell: &Cell) -> Vec<Capture> {
    let query = CaptureQuery { repo: Some(cell.repo.clone()), all_states: true, ..CaptureQuery::default() };
    store.captures(&query).unwrap()
}

macro_rules! columns {
    ($($name:ident: $layout:ident, $reporter:ident;)*) => {
        $(#[test]
        fn $name() {
            column(Layout::$layout, Reporter::$reporter);
        })*
    };
}

columns! {
    in_the_main_worktree_with_hooks: Main, Hooks;
    in_a_linked_worktree_with_hooks: Linked, Hooks;
    in_a_submodule_with_hooks: Submodule, Hooks;
    with_packed_refs_with_hooks: Packed, Hooks;
    with_reftables_with_hooks: Reftable, Hooks;
    in_a_linked_worktree_of_reftables_with_hooks: ReftableLinked, Hooks;
    in_the_main_worktree_watched: Main, Watcher;
    in_a_linked_worktree_watched: Linked, Watcher;
    with_reftables_watched: Reftable, Watcher;
    in_the_main_worktree_unwatched: Main, Nobody;
    in_a_linked_worktree_of_reftables_unwatched: ReftableLinked, Nobody;
}
