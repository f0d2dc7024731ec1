//! `uro-capture sidecar install` and `uninstall`: the sidecar as a service of the user's service manager.

use std::path::PathBuf;

use serde::Serialize;

use super::app::App;
use super::failure::{Failure, quoted};
use super::hooks;
use super::ui::Exit;
use crate::sidecar::launch;
use crate::sidecar::service::commands::{self, Words};
use crate::sidecar::service::files::{self, InstallOutcome};
use crate::sidecar::service::{Manager, ServiceError, ServiceSettings, launchd, systemd};

/// Whether a service manager starts the sidecar at login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autostart {
    Installed,
    /// `sidecar install` does it.
    Possible,
    /// There is no service manager.
    Impossible,
}

/// Reads the current state without running a command.
#[must_use]
pub fn autostart(app: &App) -> Autostart {
    let Ok((manager, setting)) = find_manager(app) else { return Autostart::Impossible };
    let (files, links) = places(manager, &setting);
    // systemd starts enabled units, launchd the files in its directory.
    let signs = if manager == Manager::Systemd { links } else { files };
    let is_there = |sign: &PathBuf| sign.symlink_metadata().is_ok();
    if signs.iter().any(is_there) { Autostart::Installed } else { Autostart::Possible }
}

/// What was done (or would be).
#[derive(Debug, Serialize)]
struct ServiceReport {
    manager: Manager,
    /// Written or removed.
    files: Vec<PathBuf>,
    /// Edited by hand, and left unchanged.
    kept: Vec<PathBuf>,
    /// Executed commands.
    ran: Vec<String>,
    /// Commands for the user to run, because no manager answers here.
    todo: Vec<String>,
    dry_run: bool,
}

impl ServiceReport {
    fn of(manager: Manager, outcome: InstallOutcome, dry_run: bool) -> Self {
        Self { manager, files: outcome.done, kept: outcome.kept, ran: Vec::new(), todo: Vec::new(), dry_run }
    }
}

/// # Errors
/// There is no service manager, a file cannot be written, or the manager refuses the service.
pub fn install(app: &App, dry_run: bool) -> Result<Exit, Failure> {
    let (manager, setting) = find_manager(app)?;
    let outcome = files::write(&manager.files(&setting), dry_run)?;
    let mut report = ServiceReport::of(manager, outcome, dry_run);
    let commands = manager.start(&setting);
    if dry_run || !manager.is_reachable(&setting) {
        report.todo = lines(&commands);
    } else {
        // Stops a sidecar started by a hook or a command, or an older service.
        launch::stop(&app.paths.run, app.clock.as_ref())?;
        if manager == Manager::Launchd {
            // Fails if it was not loaded, as on the first install.
            let _ = manager.stop(&setting).iter().try_for_each(|line| commands::run(line));
        }
        commands.iter().try_for_each(|line| commands::run(line))?;
        report.ran = lines(&commands);
    }
    show(app, &report, "wrote")?;
    if !app.json && !dry_run {
        app.ui.line(match report.todo.is_empty() {
            true => "the sidecar is a service now: it runs from login on, and again when it fails",
            false => "it runs from the next login on",
        })?;
    }
    Ok(Exit::Done)
}

/// # Errors
/// There is no service manager, or a file cannot be removed.
pub fn uninstall(app: &App, dry_run: bool) -> Result<Exit, Failure> {
    let (manager, setting) = find_manager(app)?;
    let (paths, links) = places(manager, &setting);
    let planned = files::remove(&paths, true)?;
    let mut report = ServiceReport::of(manager, planned, dry_run);
    if !report.files.is_empty() || !report.kept.is_empty() {
        let (stop, forget) = (manager.stop(&setting), manager.forget());
        if dry_run || !manager.is_reachable(&setting) {
            report.todo = lines(&[stop, forget].concat());
        } else {
            report.ran = run_lenient(app, &stop);
        }
        if !dry_run {
            files::remove_links(&links);
            files::remove(&paths, false)?;
        }
        if !dry_run && report.todo.is_empty() {
            report.ran.extend(run_lenient(app, &manager.forget()));
        }
    }
    show(app, &report, "removed")?;
    if !app.json && report.files.is_empty() && report.kept.is_empty() {
        app.ui.line("the sidecar is not installed as a service")?;
    }
    Ok(Exit::Done)
}

fn find_manager(app: &App) -> Result<(Manager, ServiceSettings), Failure> {
    let manager = Manager::here(app.env()).ok_or_else(|| {
        Failure::input("no service manager was found: neither systemd's systemctl nor launchctl is on the PATH")
            .hint("nothing is needed: the next commit starts the sidecar; `uro-capture sidecar start` does so now")
    })?;
    let program = std::env::current_exe().map_err(|error| {
        Failure::input("cannot find this program's own file").because(error.to_string()).hint("uro-capture doctor")
    })?;
    let program = hooks::stable_path(&program, &hooks::search_path(app));
    Ok((manager, ServiceSettings::from_env(app.env(), &app.paths, &program)?))
}

/// All files that an installation may have written, and all links made by enabling.
fn places(manager: Manager, setting: &ServiceSettings) -> (Vec<PathBuf>, Vec<PathBuf>) {
    match manager {
        Manager::Systemd => {
            let dir = setting.config.join("systemd/user");
            let files = [systemd::SERVICE, systemd::SOCKET].map(|name| dir.join(name));
            (files.to_vec(), systemd::LINKS.map(|link| dir.join(link)).to_vec())
        }
        Manager::Launchd => (vec![launchd::file(setting).path], Vec::new()),
    }
}

/// Runs a command that may fail without harm: the files are removed all the same.
fn run_lenient(app: &App, commands: &[Words]) -> Vec<String> {
    for line in commands {
        if let Err(error) = commands::run(line) {
            app.ui.warn(&error.to_string());
        }
    }
    lines(commands)
}

fn lines(commands: &[Words]) -> Vec<String> {
    let line = |words: &Words| words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    commands.iter().map(line).collect()
}

fn show(app: &App, report: &ServiceReport, verb: &str) -> Result<(), Failure> {
    for kept in &report.kept {
        app.ui.warn(&format!("{} was changed by hand and stays as it is", kept.display()));
    }
    if app.json {
        return app.ui.json(report);
    }
    let prefix = if report.dry_run { String::new() } else { format!("{verb} ") };
    for path in &report.files {
        app.ui.line(&format!("{prefix}{}", path.display()))?;
    }
    for line in &report.ran {
        app.ui.line(&format!("ran {line}"))?;
    }
    if !report.todo.is_empty() && !report.dry_run {
        app.ui.line("no service manager answers here; in a session of yours, run:")?;
    }
    for line in &report.todo {
        app.ui.line(&if report.dry_run { format!("run {line}") } else { format!("  {line}") })?;
    }
    Ok(())
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let hint = match &error {
            ServiceError::NotPlain(_) => "choose a place whose name is plain text".to_owned(),
            ServiceError::Io { path, .. } => format!("ls -ld {}", quoted(path.parent().unwrap_or(path))),
            ServiceError::Manager { .. } if cfg!(target_os = "macos") => "uro-capture sidecar uninstall".to_owned(),
            ServiceError::Manager { .. } => "journalctl --user -u uro-capture.service -n 20".to_owned(),
            ServiceError::Home(_) => "set HOME".to_owned(),
        };
        Self::from_error(&error).hint(hint)
    }
}
